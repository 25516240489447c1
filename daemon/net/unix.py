"""Unix sockets by path: permitted before anybody can connect, removed while they are ours."""

from __future__ import annotations

import errno
import os
import socket
import stat
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from asgid.daemon.net import holders
from asgid.daemon.net.errors import OwnerRefusedError, PathError, PathServedError, PathTakenError
from asgid.daemon.net.in_use import UnixTable


class UnixSocket(NamedTuple):
    """A unix socket to be made. ``mode`` is its permissions; ``uid`` and ``gid`` -1 are left as they come.

    A path that begins with NUL is in the abstract namespace (unix(7)), where there are no permissions.
    ``replace`` lets a socket file that nobody serves be replaced.
    """

    path: str
    mode: int
    uid: int = -1
    gid: int = -1
    replace: bool = True

    def listening(self, backlog: int) -> tuple[socket.socket, OwnPath]:
        """Return a socket that listens, and its path to be removed later.

        Raises ``PathError``; nothing is left behind then.
        """
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            self._bind(sock)
            own = OwnPath.of(self.path)
            try:
                if not self.path.startswith("\0"):
                    self._permit(own)
                sock.listen(backlog)
            except BaseException:
                own.remove()
                raise
        except OSError as error:
            sock.close()
            raise explain_path(self.path, error) from error
        except BaseException:
            sock.close()
            raise
        return sock, own

    def _bind(self, sock: socket.socket) -> None:
        try:
            sock.bind(self.path)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or not self.replace or self.path.startswith("\0"):
                raise
        else:
            return
        remove_stale(self.path)
        sock.bind(self.path)  # EADDRINUSE now: somebody was faster

    def _permit(self, own: OwnPath) -> None:
        # The socket does not listen yet, so nobody can connect before this is done. By a descriptor of the
        # path (open(2), O_PATH), so that a link put in its place is not followed.
        descriptor = os.open(self.path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if OwnPath.mark(os.fstat(descriptor)) != own.inode:
                raise PathError(f"{self.path} was replaced while it was made")
            name = f"/proc/self/fd/{descriptor}"
            if self.uid != -1 or self.gid != -1:
                self._give(name)
            Path(name).chmod(self.mode)
        finally:
            os.close(descriptor)

    def _give(self, name: str) -> None:
        try:
            os.chown(name, self.uid, self.gid)
        except OSError as error:
            raise owner_refused(self.path) from error


class OwnPath(NamedTuple):
    """A path and the inode that was made there; ``inode`` is None in the abstract namespace."""

    path: str
    inode: tuple[int, int] | None

    @classmethod
    def of(cls, path: str) -> OwnPath:
        """Return the path as it is now. Raises ``OSError``."""
        return cls(path, None if path.startswith("\0") else cls.mark(os.lstat(path)))

    @staticmethod
    def mark(status: os.stat_result) -> tuple[int, int]:
        """Return what tells one inode from all others."""
        return (status.st_dev, status.st_ino)

    def remove(self) -> None:
        """Remove the path where it is still what was made; a later server's socket is left alone."""
        if self.inode is None:
            return
        with suppress(OSError):
            if self.mark(os.lstat(self.path)) == self.inode:
                Path(self.path).unlink()


def remove_stale(path: str) -> None:
    """Remove a socket file that nobody serves. Raises ``PathError`` where it is anything else.

    The file is renamed before it is removed, and looked at again under its new name: a server that came up
    in between gets its path back.
    """
    try:
        there = os.lstat(path)
        _check_stale(path, there)
        aside = Path(path).rename(f"{path}.{os.urandom(4).hex()}")
        if OwnPath.mark(aside.lstat()) != OwnPath.mark(there):
            os.link(aside, path)
            aside.unlink()
            raise _served(path)
        aside.unlink()
    except FileNotFoundError:
        return


def _check_stale(path: str, there: os.stat_result) -> None:
    if not stat.S_ISSOCK(there.st_mode):
        raise not_a_socket(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        number = probe.connect_ex(path)
    if number == errno.ENOENT:
        return
    if number == errno.EACCES:
        raise PathError(f"{path} is there, and this process may not find out whether it is served")
    # Refused: nobody listens. A socket that was bound a moment ago does not either, but the kernel lists it.
    if number != errno.ECONNREFUSED or UnixTable().at(path):
        raise _served(path)


def not_a_socket(path: str) -> PathTakenError:
    """Return why a path where something else is cannot be listened on."""
    return PathTakenError(
        f"{path} is there and is not a socket", "it is left alone; remove it, or use another path"
    )


def owner_refused(path: str) -> OwnerRefusedError:
    """Return why a socket cannot be given away (chown(2))."""
    return OwnerRefusedError(
        f"{path} cannot be given to its owner or group",
        "without CAP_CHOWN that is a group which the process is in (SupplementaryGroups= in a unit)",
    )


def _served(path: str) -> PathServedError:
    shown = path.replace("\0", "@", 1)
    return served(shown, holders.of_path(shown))


def served(path: str, holder: str) -> PathServedError:
    """Return why a path that ``holder`` (empty: not known) serves cannot be listened on."""
    by = holder or "another process"
    return PathServedError(f"{path} is served by {by}", "stop it, or give this listener another path")


def explain_path(path: str, error: OSError) -> PathError:
    """Return what ``error`` means to somebody who wants a socket at ``path``."""
    shown = path.replace("\0", "@", 1)
    if error.errno == errno.EADDRINUSE:
        return _served(path)
    parent = str(Path(path).parent)
    if error.errno == errno.ENOENT:
        return PathError(
            f"{shown} cannot be made: there is no directory {parent}", "make it (RuntimeDirectory= in a unit)"
        )
    if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
        read_only = error.errno == errno.EROFS
        what = "is on a read-only file system" if read_only else "is not writable to this process"
        return PathError(f"{shown} cannot be made: {parent} {what}")
    return PathError(f"{shown} cannot be made: {error.strerror or error}")
