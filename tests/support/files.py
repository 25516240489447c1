"""Files and ports for a test."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

APPLICATION = """\
[application]
target = "{target}"
directory = "{directory}"
"""


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody holds now. Use port 0 and read the start line wherever that will do."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def write(path: Path, text: str | bytes) -> Path:
    """Write a file, and the folders above it, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


SITE = Path(__file__).with_name("site")


def probe_file(folder: Path, listeners: str = "", *, target: str = "probe:application", rest: str = "") -> Path:
    """Write ``listeners.toml`` for the probe application; one loopback listener ``main`` where none are given."""
    listeners = listeners or '[listeners.main]\naddress = "127.0.0.1"\nport = 0\n'
    application = APPLICATION.format(target=target, directory=SITE)
    return write(folder / "listeners.toml", f"{application}\n{listeners}\n{rest}")
