"""From an endpoint string to the sockets that it asks for. Opens nothing and imports no Twisted."""

from __future__ import annotations

from asgid.config import endpoints
from asgid.daemon.net.errors import EndpointRefusedError, GroupAbsentError, UserAbsentError
from asgid.daemon.net.host import LinuxHost
from asgid.daemon.net.sockets import TcpSocket, stock_sockets
from asgid.daemon.net.unix import UnixSocket


def read(string: str) -> endpoints.View:
    """Return what ``string`` asks for. Raises ``EndpointRefusedError`` where it is no endpoint."""
    try:
        return endpoints.view(endpoints.parse(string))
    except endpoints.EndpointSyntaxError as error:
        raise EndpointRefusedError(f"{string} is no endpoint: {error.message}", error.help) from error


def tcp_sockets(wanted: endpoints.Tcp | endpoints.AsgidTcp, *, ipv6_only: bool) -> tuple[TcpSocket, ...]:
    """Return the sockets of a TCP kind: one, or two for a stock string's IPv6 wildcard."""
    if isinstance(wanted, endpoints.Tcp):
        return stock_sockets(wanted.interface, wanted.port, ipv6_only=ipv6_only)
    return (TcpSocket(wanted.interface, wanted.port, wanted.device, wanted.freebind, v6_only=True),)


def unix_socket(wanted: endpoints.Unix | endpoints.AsgidUnix) -> UnixSocket:
    """Return the socket of a unix kind.

    Stock ``unix:`` locks a file beside its socket, which outlives a crash and then blocks the restart. The
    lock tells whether the socket is served; that is found out by connecting here, and no lock is left.

    Raises ``UserAbsentError`` or ``GroupAbsentError``.
    """
    if isinstance(wanted, endpoints.Unix):
        return UnixSocket(wanted.path, wanted.mode)
    host = LinuxHost()
    uid = host.user(wanted.owner) if wanted.owner else -1
    if uid is None:
        raise UserAbsentError(f"this host has no user {wanted.owner}")
    gid = host.group(wanted.group) if wanted.group else -1
    if gid is None:
        raise GroupAbsentError(f"this host has no group {wanted.group}")
    return UnixSocket(wanted.path, wanted.mode, uid, gid)
