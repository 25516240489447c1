"""A random host, as far as one process may make it one: who holds which ports, what lies at which paths.

It is made inside a network namespace with an interface ``wire0`` (see ``support.namespaces``).
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

FOUR = ("127.0.0.1", "127.0.0.5", "10.9.0.1", "10.9.0.11", "0.0.0.0")
SIX = ("::1", "2001:db8:9::1", "fe80::9:1%wire0", "::")
PORTS = (8001, 8002, 8003, 8004, 8005, 81)
NOBODY = 65534
APPLICATION = """\
async def application(scope, receive, send):
    raise RuntimeError
def factory():
    return application
holder = factory
holder.inner = application
"""


@dataclass(frozen=True)
class Held:
    """A TCP socket that another process has; ``kind``: listens, bound, connection or closed (a while ago)."""

    address: str
    port: int
    kind: str
    reuse: bool
    v6_only: bool
    device: str

    def made(self) -> list[socket.socket]:
        """Make it. Raises ``OSError`` where one that was made before is in the way."""
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        sock = socket.socket(family)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, self.reuse)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, self.v6_only)
        if self.device:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.device.encode() + b"\0")
        sock.bind(socket.getaddrinfo(self.address, self.port, family, socket.SOCK_STREAM)[0][4])
        if self.kind == "bound":
            return [sock]
        sock.listen()
        if self.kind == "listens":
            return [sock]
        client = socket.socket(family)
        client.connect(sock.getsockname())
        server, _ = sock.accept()
        sock.close()
        if self.kind == "closed":  # its port is in TIME_WAIT then
            server.close()
            client.close()
            return []
        return [client, server]


@dataclass
class Passed:
    """A descriptor that asgid inherits: what it is, and the name that systemd gives it ('': none)."""

    kind: str
    name: str


@dataclass
class World:
    """What is random about a host. ``as_nobody``: asgid runs as that user, else as root."""

    held: list[Held] = field(default_factory=list)
    served: list[str] = field(default_factory=list)  # unix paths, relative to the folder
    passed: list[Passed] = field(default_factory=list)
    as_nobody: bool = False


def random_world(random: Random) -> World:
    """Draw a host."""
    world = World(as_nobody=random.random() < 0.35)
    for _ in range(random.choice((0, 1, 1, 2, 3))):
        address = random.choice(FOUR + SIX)
        kind = random.choice(("listens", "listens", "bound", "connection", "closed"))
        if kind in {"connection", "closed"} and address in {"0.0.0.0", "::"}:
            kind = "listens"
        device = random.choice(("", "", "", "wire0", "lo")) if address in {"0.0.0.0", "::"} else ""
        if kind != "listens":
            device = ""
        reuse, v6_only = random.random() < 0.6, random.random() < 0.5
        world.held.append(Held(address, random.choice(PORTS), kind, reuse, v6_only, device))
    world.served = [each for each in ("live.sock", "sub/live.sock") if random.random() < 0.7]
    for _ in range(random.choice((0, 0, 1, 2, 3))):
        kind = random.choice(("tcp", "tcp", "tcp6", "unix", "idle", "datagram", "file"))
        world.passed.append(Passed(kind, random.choice(("http", "http", "admin", "web"))))
    return world


def lay_out(folder: Path, owner: int) -> None:
    """Put files, directories, links and stale sockets into a new ``folder`` that belongs to ``owner``."""
    folder.mkdir()
    for name in ("sub", "ro", "sticky", "locked", "app"):
        (folder / name).mkdir()
    (folder / "file").write_text("")
    (folder / "link").symlink_to("sub")
    (folder / "dangling").symlink_to("nothing")
    (folder / "loop").symlink_to("loop")
    (folder / "app" / "stub.py").write_text(APPLICATION)
    (folder / "app" / "raises.py").write_text("1 / 0\n")
    (folder / "app" / "leaves.py").write_text("import os; os._exit(0)\n")
    for name in ("stale.sock", "sub/stale.sock", "sticky/stale.sock", "ro/stale.sock"):
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(folder / name))
    (folder / "sub" / "to.sock").symlink_to("stale.sock")
    (folder / "ro").chmod(0o555)
    (folder / "locked").chmod(0o700)
    (folder / "sticky").chmod(0o1777)
    (folder / "stale.sock").chmod(0o666)
    (folder / "sticky" / "stale.sock").chmod(0o666)
    for path in (folder, folder / "sub", folder / "app", folder / "stale.sock", folder / "file"):
        os.chown(path, owner, -1)


class Holder:
    """Another process, which has what a world says that is held, until it is ended."""

    def __init__(self, world: World, folder: Path) -> None:
        ready, tells = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            with suppress(BaseException):
                os.close(ready)
                os.chdir(folder)
                kept = _hold(world)  # open as long as this runs
                os.close(tells)
                while True:
                    signal.pause()
            os._exit(len(kept))
        os.close(tells)
        os.read(ready, 1)
        os.close(ready)

    def end(self) -> None:
        """End it."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def _hold(world: World) -> list[socket.socket]:
    kept = []
    for each in world.held:
        with suppress(OSError):  # it is in the way of one before, or in TIME_WAIT
            kept += each.made()
    for path in world.served:
        sock = socket.socket(socket.AF_UNIX)
        sock.bind(path)  # a relative name, as many servers have it
        sock.listen()
        kept.append(sock)
    return kept


def inherited(world: World, folder: Path) -> list[int]:
    """Make the descriptors that asgid is to inherit."""
    return [_descriptor(each, folder / f"passed{at}.sock") for at, each in enumerate(world.passed)]


def _descriptor(passed: Passed, path: Path) -> int:
    if passed.kind == "file":
        return os.open("/dev/null", os.O_RDONLY)
    kinds = {"unix": socket.AF_UNIX, "tcp6": socket.AF_INET6}
    kind = socket.SOCK_DGRAM if passed.kind == "datagram" else socket.SOCK_STREAM
    sock = socket.socket(kinds.get(passed.kind, socket.AF_INET), kind)
    if passed.kind == "unix":
        sock.bind(str(path))
    if passed.kind not in {"idle", "datagram"}:
        sock.listen()
    return sock.detach()


def clear(folder: Path) -> None:
    """Take everything away again."""
    shutil.rmtree(folder, ignore_errors=True)
