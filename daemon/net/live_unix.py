"""Whether a unix socket could be made at a path now. Nothing is made, nobody is connected to."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from asgid.daemon.net import privileges
from asgid.daemon.net.errors import EndpointRefusedError, PathError
from asgid.daemon.net.in_use import same_path, unix_by_proc
from asgid.daemon.net.unix import explain_path, not_a_socket, owner_refused, served

if TYPE_CHECKING:
    from asgid.daemon.net.holders import Processes, Service
    from asgid.daemon.net.in_use import Bound, UnixTable
    from asgid.daemon.net.unix import UnixSocket

KERNELS_OWN = frozenset(
    {
        "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "efivarfs",
        "fusectl", "mqueue", "nsfs", "proc", "pstore", "securityfs", "selinuxfs", "sysfs", "tracefs",
    }
)  # fmt: skip
"""File systems in which nobody can make a file, whatever their permissions say."""

_WITHOUT_SOCKETS = KERNELS_OWN | {"exfat", "iso9660", "msdos", "squashfs", "vfat"}


class Around(NamedTuple):
    """What else there is: sockets, processes, and the running service where that one is not in the way."""

    table: UnixTable
    processes: Processes
    service: Service | None


def is_stale(wanted: UnixSocket, around: Around) -> bool:
    """Tell whether a socket that nobody serves is at the path of ``wanted``, which replaces it.

    Raises ``OpenError`` where the socket could not be made there now.
    """
    path = wanted.path
    try:
        there = os.lstat(path)
    except FileNotFoundError:
        there = None
    except OSError as error:
        raise explain_path(path, error) from error
    ours = there is not None and _is_ours(path, there, around)
    _check_folder(path)
    if not privileges.may_give(wanted.uid, wanted.gid):
        raise owner_refused(path)
    if there is None or ours:
        return False
    if not wanted.replace:
        raise PathError(
            f"{path} is there already, and this kind of endpoint does not replace it", "remove it"
        )
    _check_removal(path, there)
    return True


def _is_ours(path: str, there: os.stat_result, around: Around) -> bool:
    """Tell whether the running service serves what is at ``path``. Raises where anybody else does."""
    if not stat.S_ISSOCK(there.st_mode):
        raise not_a_socket(path)
    bound = around.table.at(path) or _in_other_namespaces(path, around.processes)
    if not bound:
        return False
    if around.service is not None and around.service.holds(bound):
        return True
    raise served(path, around.processes.named(bound))


def _in_other_namespaces(path: str, processes: Processes) -> list[Bound]:
    """Return the sockets bound to ``path`` in other network namespaces: a path is the same in all of them."""
    seen = {_namespace(processes, "self")}
    found: list[Bound] = []
    for pid in processes.pids:
        namespace = _namespace(processes, str(pid))
        if namespace not in seen:
            seen.add(namespace)
            listed = unix_by_proc(processes.proc / str(pid) / "net/unix")
            found += [each for each in listed if each.name.startswith("/") and same_path(each, path)]
    return found


def _namespace(processes: Processes, pid: str) -> str:
    with suppress(OSError):  # it is gone, or another user's
        return str((processes.proc / pid / "ns/net").readlink())
    return ""


def _check_folder(path: str) -> None:
    parent = Path(path).parent
    try:
        there = parent.stat()
    except OSError as error:
        raise explain_path(path, error) from error
    if not stat.S_ISDIR(there.st_mode):
        raise explain_path(path, OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)))
    if not os.access(parent, os.W_OK | os.X_OK):
        read_only = os.statvfs(parent).f_flag & os.ST_RDONLY
        raise explain_path(path, OSError(errno.EROFS if read_only else errno.EACCES, ""))
    kind = file_system(there.st_dev)
    if kind in _WITHOUT_SOCKETS:
        raise PathError(f"{path} cannot be made: the file system of {parent} ({kind}) has no sockets")


def file_system(device: int) -> str:
    """Return the type of the file system that has a device number, '' where it is not known."""
    wanted = f"{os.major(device)}:{os.minor(device)}"
    with suppress(OSError):
        for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            before, _, after = line.partition(" - ")
            if before.split()[2] == wanted:
                return after.split()[0]
    return ""


def _check_removal(path: str, there: os.stat_result) -> None:
    """Raise where the stale socket could not be found to be one, or be taken away, when the start comes."""
    if not os.access(path, os.W_OK):
        raise PathError(f"{path} is there, and this process may not find out whether it is served")
    if not privileges.may_replace(Path(path), there):
        raise PathError(
            f"{path} is left from another user's process, and only that user may remove it from there",
            "remove it, or use another path",
        )


def check_lock(path: str) -> None:
    """Raise where Twisted's own lock beside a unix socket is held (``unix:`` inside ``haproxy:``)."""
    with suppress(OSError, ValueError):
        holder = int(str(Path(f"{path}.lock").readlink()))
        try:
            os.kill(holder, 0)
        except ProcessLookupError:
            return
        except PermissionError:
            pass
        raise EndpointRefusedError(f"{path}.lock is held by process {holder}", "stop it, or remove the lock")
