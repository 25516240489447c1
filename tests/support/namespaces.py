"""Network namespaces: a second network stack for a test, with interfaces and addresses of its own."""

from __future__ import annotations

import ctypes
import os
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def run(*command: str | Path) -> str:
    """Run a command that has to succeed and return what it printed."""
    done = subprocess.run([*command], check=False, capture_output=True, text=True)
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout


class Namespace:
    """A network namespace with loopback alone, until :meth:`wire` gives it an interface."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.peer = f"p{name[-8:]}"

    def __enter__(self) -> Self:
        run("ip", "netns", "add", self.name)
        self.run("ip", "link", "set", "lo", "up")
        return self

    def wire(self) -> None:
        """Give it ``wire0``, one end of a virtual wire whose other end is ``peer``, with four addresses."""
        self.run("ip", "link", "add", "wire0", "type", "veth", "peer", "name", self.peer)
        self.run("ip", "link", "set", "wire0", "addrgenmode", "none")  # no address that is not asked for
        self.run("ip", "address", "add", "10.9.0.1/24", "dev", "wire0")
        self.run("ip", "address", "add", "10.9.0.11/24", "dev", "wire0")
        self.run("ip", "address", "add", "2001:db8:9::1/64", "dev", "wire0", "nodad")
        self.run("ip", "address", "add", "fe80::9:1/64", "dev", "wire0", "nodad")
        self.run("ip", "link", "set", self.peer, "up")
        self.run("ip", "link", "set", "wire0", "up")

    def __exit__(self, *_: object) -> None:
        run("ip", "netns", "delete", self.name)

    @property
    def prefix(self) -> tuple[str, ...]:
        """What stands before a command to run it in here."""
        return ("ip", "netns", "exec", self.name)

    def run(self, *command: str | Path) -> str:
        return run(*self.prefix, *command)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Sockets that this thread makes meanwhile belong to this namespace (setns(2))."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        other = os.open(f"/run/netns/{self.name}", os.O_RDONLY)
        try:
            _set(other)
            yield
        finally:
            _set(home)
            os.close(home)
            os.close(other)


def _set(descriptor: int) -> None:
    if _libc.setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
