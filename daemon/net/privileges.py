"""What this process may do to a socket: its capabilities (capabilities(7)), its groups, its host."""

from __future__ import annotations

import fcntl
import os
import stat
from contextlib import suppress
from pathlib import Path

CAP_CHOWN, CAP_FOWNER, CAP_NET_BIND_SERVICE = 0, 3, 10
_NS_GET_USERNS = 0xB701  # <linux/nsfs.h>: fails where the namespace belongs to none of ours (ioctl_nsfs(2))
_SYSCTL = Path("/proc/sys/net")


def has(capability: int) -> bool:
    """Tell whether this process has ``capability`` now."""
    with suppress(OSError, ValueError):
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("CapEff:"):
                return bool(int(line.split()[1], 16) >> capability & 1)
    return os.geteuid() == 0


def has_over_network(capability: int) -> bool:
    """Tell whether this process has ``capability`` over its network namespace (user_namespaces(7))."""
    if not has(capability):
        return False
    try:
        with Path("/proc/self/ns/net").open("rb") as namespace:
            os.close(fcntl.ioctl(namespace, _NS_GET_USERNS))
    except PermissionError:
        return False
    except OSError:  # no namespaces here
        return True
    return True


def may_give(uid: int, gid: int) -> bool:
    """Tell whether this process may give its own file to ``uid`` and ``gid``; -1 leaves one (chown(2))."""
    if not (_mapped("uid_map", uid) and _mapped("gid_map", gid)):
        return False
    if has(CAP_CHOWN):
        return True
    return uid in {-1, os.geteuid()} and gid in {-1, os.getegid(), *os.getgroups()}


def may_replace(path: Path, there: os.stat_result) -> bool:
    """Tell whether this process may rename or remove what is at ``path``: the sticky bit (inode(7)).

    That it may write into the directory is looked at elsewhere.
    """
    folder = path.parent.stat()
    mine = os.geteuid() in {there.st_uid, folder.st_uid}
    return not folder.st_mode & stat.S_ISVTX or mine or has(CAP_FOWNER)


def _mapped(file: str, number: int) -> bool:
    """Tell whether a user or group id exists in this user namespace."""
    if number == -1:
        return True
    with suppress(OSError, ValueError):
        lines = Path("/proc/self", file).read_text(encoding="ascii").splitlines()
        spans = [tuple(map(int, line.split())) for line in lines]
        return any(first <= number < first + count for first, _, count in spans)
    return True


def first_free_port() -> int:
    """Return the lowest port that needs no privilege (net.ipv4.ip_unprivileged_port_start, ip(7))."""
    return _setting("ipv4/ip_unprivileged_port_start", 1024)


def longest_backlog() -> int | None:
    """Return the backlog that the kernel cuts every other one to (net.core.somaxconn), None: not known."""
    return _setting("core/somaxconn", 0) or None


def _setting(name: str, otherwise: int) -> int:
    with suppress(OSError, ValueError):
        return int((_SYSCTL / name).read_text(encoding="ascii"))
    return otherwise
