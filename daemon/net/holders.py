"""Who holds a port or a path, and whether that is this very service: what /proc tells (proc(5))."""

from __future__ import annotations

import os
import pwd
import socket
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from asgid.daemon.net.in_use import PROC, Bound, TcpTable, UnixTable, overlap, plain

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from asgid.daemon.net.in_use import Taken

    Held = Taken | Bound

_MOST_NAMED = 3


class Processes:
    """The processes of this host and the sockets they have open, as far as this process may see them.

    Each is looked at once, when it is first asked for.
    """

    def __init__(self, proc: Path = PROC) -> None:
        self.proc = proc

    @cached_property
    def pids(self) -> list[int]:
        """The number of every process, in order."""
        with suppress(OSError):
            return sorted(int(each.name) for each in self.proc.iterdir() if each.name.isdecimal())
        return []

    @cached_property
    def _holders(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for pid in self.pids:
            for inode in self._sockets(pid):
                found.setdefault(inode, []).append(pid)
        return found

    def _sockets(self, pid: int) -> set[int]:
        inodes = set()
        with suppress(OSError):  # the process is gone, or another user's
            for each in os.scandir(self.proc / str(pid) / "fd"):
                with suppress(OSError):
                    kind, _, rest = str(Path(each.path).readlink()).partition(":[")
                    if kind == "socket":
                        inodes.add(int(rest[:-1]))
        return inodes

    def of(self, held: Iterable[Held]) -> list[int]:
        """Return the processes that have one of the sockets open, in order; those that may be seen."""
        return sorted({pid for each in held for pid in self._holders.get(each.inode, ())})

    def named(self, held: Collection[Held]) -> str:
        """Return who has the sockets, for a message: ``nginx (pid 12)``; empty where nothing is known."""
        pids = self.of(held)
        if pids:
            names = ", ".join(f"{self._name(pid)} (pid {pid})" for pid in pids[:_MOST_NAMED])
            return names if len(pids) <= _MOST_NAMED else f"{names} and {len(pids) - _MOST_NAMED} more"
        uids = {each.uid for each in held if each.inode}  # without one it belongs to no process any more
        if len(uids) == 1 and -1 not in uids:
            return f"a process of user {_user(uids.pop())}"
        return ""

    def _name(self, pid: int) -> str:
        with suppress(OSError):
            return (self.proc / str(pid) / "comm").read_text(encoding="utf-8", errors="replace").strip()
        return "a process"

    def may_be_seen(self, pid: int) -> bool:
        """Tell whether this process may see what ``pid`` has open."""
        return os.access(self.proc / str(pid) / "fd", os.R_OK | os.X_OK)

    def owner(self, pid: int) -> int:
        """Return the user id that ``pid`` runs as, -1 where it is gone."""
        with suppress(OSError):
            return (self.proc / str(pid)).stat().st_uid
        return -1

    def naming(self, file: Path) -> Iterator[int]:
        """Yield every process whose command line, or ASGID_CONFIG, names ``file``."""
        for pid in self.pids:
            with suppress(OSError, ValueError):
                words = (self.proc / str(pid) / "cmdline").read_bytes().split(b"\0")
                variables = self._variables(pid)
                words.append(variables.get(b"ASGID_CONFIG", b""))
                named = {os.fsdecode(word.rpartition(b"=")[2] or word) for word in words if word}
                # A relative path is relative to where the process was started, and it may be elsewhere now.
                folders = {os.fsdecode(variables.get(b"PWD", b"/")), self._directory(pid)}
                if any(_same(Path(folder, each), file) for each in named for folder in folders):
                    yield pid

    def _variables(self, pid: int) -> dict[bytes, bytes]:
        with suppress(OSError):  # another user's
            lines = (self.proc / str(pid) / "environ").read_bytes().split(b"\0")
            return {name: value for name, mark, value in (line.partition(b"=") for line in lines) if mark}
        return {}

    def _directory(self, pid: int) -> str:
        with suppress(OSError):
            return str((self.proc / str(pid) / "cwd").readlink())
        return "/"


def _same(path: Path, file: Path) -> bool:
    return path.name == file.name and (path == file or os.path.realpath(path) == os.path.realpath(file))


def _user(uid: int) -> str:
    with suppress(KeyError):
        return pwd.getpwuid(uid).pw_name
    return str(uid)


class Service:
    """The service that runs from a file already: the process in its pid file, or one started with the file.

    This process, which was started with the file too, is none of it.
    """

    def __init__(self, file: Path | None, pid_file: Path | None, processes: Processes) -> None:
        self._file = file
        self._pid_file = pid_file
        self._processes = processes

    @cached_property
    def pids(self) -> frozenset[int]:
        """The numbers of its processes."""
        found = set(self._processes.naming(self._file)) if self._file is not None else set()
        if self._pid_file is not None:
            with suppress(OSError, ValueError):
                if self._pid_file.is_file():  # reading a pipe would never end
                    found.add(int(self._pid_file.read_text(encoding="ascii")))
        return frozenset(found - {os.getpid()})

    def holds(self, held: Collection[Held]) -> bool:
        """Tell whether it has every one of the sockets open.

        Of a process whose descriptors may not be seen, a socket that has its user is taken to be its.
        """
        return all(self._holds(each) for each in held)

    def _holds(self, one: Held) -> bool:
        pids = self._processes.of([one])
        if pids:
            return any(pid in self.pids for pid in pids)
        unseen = (pid for pid in self.pids if not self._processes.may_be_seen(pid))
        return any(self._processes.owner(pid) == one.uid for pid in unseen)


def of_tcp(interface: str, port: int) -> str:
    """Return who is in the way of ``interface`` and ``port``: ``nginx (pid 12)``; empty: not known."""
    wanted = _packed(interface)
    held = [each for each in TcpTable({port}).at(port) if overlap(wanted, 0, each) is not False]
    return Processes().named(held)


def of_path(path: str) -> str:
    """Return who has a unix socket bound at ``path``; empty: not known."""
    return Processes().named(UnixTable().at(path))


def _packed(interface: str) -> bytes:
    host = interface.partition("%")[0]
    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError):
            return plain(socket.inet_pton(family, host))
    return bytes(4)
