"""Sockets that somebody else made: by number, and by the name that systemd passed them under."""

from __future__ import annotations

import os
import resource
import socket
import struct
from pathlib import Path

from asgid.daemon.net.errors import DescriptorError, SystemdNameError

_MOST_DIGITS = 18
_MOST_PASSED = 65536  # where the limit of open files is no limit, as in some containers
_FIRST_PASSED = 3  # SD_LISTEN_FDS_START, sd_listen_fds(3)
_TCP_INFO_MAX_BACKLOG = 28  # offset of tcpi_sacked in struct tcp_info: a listening socket's backlog limit
_FAMILIES = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)


def adopted(fileno: int) -> socket.socket:
    """Return a socket on a duplicate of ``fileno``; neither is inherited by children from then on.

    Raises ``DescriptorError`` where it is not open or not a TCP or unix stream socket that listens.
    """
    try:
        sock = socket.socket(fileno=os.dup(fileno))
    except OSError as error:
        why = "is not open" if not _is_open(fileno) else "is not a socket"
        advice = "it must be inherited from who starts asgid"
        raise DescriptorError(f"descriptor {fileno} {why}", advice) from error
    problem = _problem(sock)
    if problem:
        sock.close()
        raise DescriptorError(f"descriptor {fileno} {problem}", "it must be a stream socket that listens")
    sock.setblocking(False)
    os.set_inheritable(fileno, False)
    return sock


def _is_open(fileno: int) -> bool:
    try:
        os.fstat(fileno)
    except OSError:
        return False
    return True


def _problem(sock: socket.socket) -> str:
    if sock.family not in _FAMILIES:
        return f"is a socket of the family {int(sock.family)}"
    if sock.type != socket.SOCK_STREAM:
        return "is not a stream socket"
    if not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        return "is a socket that does not listen"
    return ""


def passed(name: str) -> list[int]:
    """Return the descriptors that systemd passed under ``name``, in its order (sd_listen_fds(3)).

    Raises ``SystemdNameError`` where there are none; it says which names there are.
    """
    names = passed_names()
    found = [number for number, each in names.items() if each == name]
    if found:
        return found
    if not names:
        raise SystemdNameError(
            f"systemd passed no socket {name}: it passed none at all",
            "start asgid by its socket unit (systemctl start NAME.socket)",
        )
    there = ", ".join(sorted(set(names.values())))
    raise SystemdNameError(
        f"systemd passed no socket {name}; it passed {there}",
        "FileDescriptorName= in the socket unit is its name",
    )


def passed_names() -> dict[int, str]:
    """Return every descriptor that systemd passed to this very process, with its name.

    Raises ``SystemdNameError`` where LISTEN_FDS is more than a process may have open, or 65536.
    """
    if os.environ.get("LISTEN_PID", "") != str(os.getpid()):
        return {}
    said = os.environ.get("LISTEN_FDS", "")
    if not (said.isascii() and said.isdecimal()):
        return {}
    limit = _most_passed()
    if len(said) > _MOST_DIGITS or int(said) > limit:
        raise SystemdNameError(
            f"LISTEN_FDS is {said[:_MOST_DIGITS]}, and no more than {limit} descriptors are taken here",
            "systemd sets it: start asgid by its socket unit, and leave LISTEN_FDS alone",
        )
    count = int(said)
    names = os.environ.get("LISTEN_FDNAMES", "").split(":")[:count]
    names += [""] * (count - len(names))
    return {_FIRST_PASSED + at: name or "unknown" for at, name in enumerate(names)}


def _most_passed() -> int:
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return _MOST_PASSED if soft == resource.RLIM_INFINITY else min(soft, _MOST_PASSED)


def listening_backlog(sock: socket.socket) -> int:
    """Return the backlog that a listening socket has, as far as the kernel tells; else the largest it allows.

    uvloop listens again on every socket it is given, so a socket that somebody else made must be given its
    own backlog again. For TCP it stands in TCP_INFO; for unix sockets there is no such option.
    """
    if sock.family != socket.AF_UNIX:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
        return int(struct.unpack_from("I", info, _TCP_INFO_MAX_BACKLOG)[0])
    try:
        return int(Path("/proc/sys/net/core/somaxconn").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return socket.SOMAXCONN
