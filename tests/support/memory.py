"""How much memory a process holds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from support.raw import Raw

if TYPE_CHECKING:
    from support.server import Server

UPGRADE = (
    "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)  # fmt: skip
MEBIBYTE = 1024 * 1024


def resident_kib(pid: int) -> int:
    """The resident set of a process, in KiB (proc_pid_status(5))."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1])


def at_rest_kib(server: Server) -> int:
    """The resident set of a server that has imported all it will, Autobahn too."""
    with Raw(server.first.place) as client:
        client.request("/", *UPGRADE)
        client.response()
    return resident_kib(server.pid)
