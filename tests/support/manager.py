"""A service manager as a process sees it: the socket of sd_notify(3)."""

from __future__ import annotations

import array
import os
import socket
from typing import TYPE_CHECKING

from support.server import PATIENCE_S

if TYPE_CHECKING:
    from pathlib import Path


class Manager:
    """Receives states, and answers barriers as systemd does: by closing the descriptor."""

    def __init__(self, address: Path | str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(address).replace("@", "\0", 1) if str(address)[0] == "@" else str(address))
        self.socket.settimeout(PATIENCE_S)
        self.environment = {"NOTIFY_SOCKET": str(address), "INVOCATION_ID": "0" * 32}
        self.heard: list[dict[str, str]] = []

    def next(self) -> dict[str, str]:
        """Return the next message's states by name."""
        data, ancillary, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(4))
        for _, _, raw in ancillary:
            for descriptor in array.array("i", raw):
                os.close(descriptor)
        found = dict(line.split("=", 1) for line in data.decode().split("\n"))
        self.heard.append(found)
        return found

    def wait_for(self, name: str) -> dict[str, str]:
        """Return the next message that has ``name`` among its states."""
        while name not in (found := self.next()):
            pass
        return found

    def hears_within(self, seconds: float) -> bool:
        """Tell whether another message comes in that time."""
        self.socket.settimeout(seconds)
        try:
            self.next()
        except TimeoutError:
            return False
        finally:
            self.socket.settimeout(PATIENCE_S)
        return True

    def waiting(self) -> list[dict[str, str]]:
        """Return what was sent already."""
        self.socket.setblocking(False)
        found = []
        try:
            while True:
                found.append(self.next())
        except BlockingIOError:
            return found
        finally:
            self.socket.settimeout(PATIENCE_S)

    def close(self) -> None:
        self.socket.close()
