"""Who holds a port or a path: what /proc tells, for a line of an error message (proc(5))."""

from __future__ import annotations

import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LISTEN = "0A"  # TCP_LISTEN in <net/tcp_states.h>
_TABLES = {socket.AF_INET: "/proc/net/tcp", socket.AF_INET6: "/proc/net/tcp6"}
_MAPPED = b"\0" * 10 + b"\xff\xff"


def of_tcp(interface: str, port: int) -> str:
    """Return who listens where ``interface`` and ``port`` collide: ``nginx (pid 12)``; empty: not known."""
    wanted = _packed(interface)
    inodes = {
        inode
        for address, number, inode in _listening()
        if number == port and (not any(wanted) or not any(address) or _plain(address) == _plain(wanted))
    }
    return _named(inodes)


def of_path(path: str) -> str:
    """Return who has a unix socket bound at ``path``; empty: not known."""
    return _named(inodes_of_path(path))


def inodes_of_path(path: str) -> set[str]:
    """Return the inodes of the sockets of this network namespace that were bound to ``path``."""
    found = set()
    for line in _lines("/proc/net/unix"):
        fields = line.split(maxsplit=7)
        if len(fields) == 8 and fields[7] == path:
            found.add(fields[6])
    return found


def _listening() -> Iterator[tuple[bytes, int, str]]:
    for table in _TABLES.values():
        for line in _lines(table):
            fields = line.split()
            if len(fields) > 9 and fields[3] == _LISTEN:
                address, _, port = fields[1].partition(":")
                yield _from_kernel(address), int(port, 16), fields[9]


def _lines(path: str) -> list[str]:
    with suppress(OSError):
        return Path(path).read_text(encoding="utf-8", errors="surrogateescape").splitlines()[1:]
    return []


def _from_kernel(text: str) -> bytes:
    """Return the address that the kernel prints as 32-bit words in its own byte order."""
    raw = bytes.fromhex(text)
    if sys.byteorder == "little":
        raw = b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))
    return raw


def _packed(interface: str) -> bytes:
    host = interface.partition("%")[0]
    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError):
            return socket.inet_pton(family, host)
    return b""


def _plain(address: bytes) -> bytes:
    return address[12:] if address[:12] == _MAPPED else address


def _named(inodes: set[str]) -> str:
    if not inodes:
        return ""
    links = {f"socket:[{inode}]" for inode in inodes}
    pids = [pid for pid in _pids() if _has_link(pid, links)]
    if not pids:
        return ""
    names = ", ".join(f"{_name(pid)} (pid {pid})" for pid in pids[:3])
    return names if len(pids) <= 3 else f"{names} and {len(pids) - 3} more"


def _pids() -> list[int]:
    with suppress(OSError):
        return sorted(int(each.name) for each in Path("/proc").iterdir() if each.name.isdecimal())
    return []


def _has_link(pid: int, links: set[str]) -> bool:
    with suppress(OSError):  # the process is gone, or another user's
        for name in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                if str(name.readlink()) in links:
                    return True
    return False


def _name(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").strip()
    return "a process"
