"""Socket addresses: from what the kernel says to Twisted's address values and to text."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress

Address = IPv4Address | IPv6Address | UNIXAddress


def address_of(name: Any) -> Address:
    """Return Twisted's address for ``name``, which is what ``getsockname`` or ``getpeername`` answered.

    A link-local IPv6 address carries its zone (``fe80::1%eth0``, RFC 4007 11), as Twisted's own transports
    have it. An unnamed unix socket, which every client of one is, becomes ``UNIXAddress(None)``.
    """
    if isinstance(name, tuple):
        if len(name) == 2:
            return IPv4Address("TCP", name[0], name[1])
        host, port, flow, scope = name
        return IPv6Address("TCP", with_zone(host, scope), port, flow, scope)
    return UNIXAddress(name or None)


def end_of(name: Any) -> tuple[str, int] | None:
    """Return host (with its zone) and port of ``name`` (see :func:`address_of`), None without them."""
    if not isinstance(name, tuple):
        return None
    return name if len(name) == 2 else (with_zone(name[0], name[3]), name[1])


def with_zone(host: str, scope: int) -> str:
    """Return ``host`` with the zone of the interface number ``scope`` (0: none, or there already)."""
    if not scope or "%" in host:
        return host
    try:
        return f"{host}%{socket.if_indextoname(scope)}"
    except OSError:  # the interface is gone
        return f"{host}%{scope}"


def as_text(name: Any) -> str:
    """Return ``name`` (see :func:`address_of`) as a log line has it: ``[::1]:8000``, ``unix:/run/x``."""
    if isinstance(name, tuple):
        if len(name) == 2:
            return f"{name[0]}:{name[1]}"
        return f"[{with_zone(name[0], name[3])}]:{name[1]}"
    path = name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else name
    return f"unix:@{path[1:]}" if path.startswith("\0") else f"unix:{path}"
