"""Binding: from an address to a socket that listens."""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path

from twisted.internet.error import CannotListenError

_TCP_INFO_MAX_BACKLOG = 4 * 7  # offset of tcpi_sacked, which is sk_max_ack_backlog of a listening socket


def bind_tcp(interface: str, port: int, backlog: int) -> socket.socket:
    """Return a socket that listens on ``interface`` (empty: every IPv4 address) and ``port``, as stock Twisted.

    IPV6_V6ONLY is left as the system has it. Raises ``CannotListenError``.
    """
    family = socket.AF_INET6 if ":" in interface else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setblocking(False)
        sock.bind(resolve_literal(interface, port) if family == socket.AF_INET6 else (interface, port))
        sock.listen(backlog)
    except (OSError, OverflowError) as error:
        sock.close()
        raise CannotListenError(interface, port, error) from error
    return sock


def resolve_literal(host: str, port: int) -> tuple[str, int, int, int]:
    """Return what ``bind`` wants for a literal IPv6 address, its zone resolved. Raises ``socket.gaierror``."""
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    found = socket.getaddrinfo(host, None, socket.AF_INET6, socket.SOCK_STREAM, 0, flags)[0][4]
    return (str(found[0]), port, 0, int(found[3]) if len(found) == 4 else 0)


def adopted(fileno: int) -> socket.socket:
    """Return a socket on a duplicate of ``fileno``, not inherited by children. Raises ``OSError``."""
    duplicate = os.dup(fileno)
    try:
        sock = socket.socket(fileno=duplicate)
    except OSError:
        os.close(duplicate)
        raise
    sock.setblocking(False)
    return sock


def listening_backlog(sock: socket.socket) -> int:
    """Return the backlog that a listening socket has, as far as the kernel tells; else the largest it allows.

    uvloop listens again on every socket it is given, so a socket that somebody else made must be given its
    own backlog again. tcp(7) has it in TCP_INFO; for unix sockets there is no such option.
    """
    if sock.family in (socket.AF_INET, socket.AF_INET6):
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)
        return int(struct.unpack_from("I", info, _TCP_INFO_MAX_BACKLOG)[0])
    try:
        return int(Path("/proc/sys/net/core/somaxconn").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return socket.SOMAXCONN
