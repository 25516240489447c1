"""TCP sockets: from an address to a socket that is bound, and what a failure to bind one means."""

from __future__ import annotations

import errno
import os
import socket
from contextlib import closing
from typing import NamedTuple

from asgid.config.addresses import with_port
from asgid.daemon.net import holders, privileges
from asgid.daemon.net.errors import (
    AddressAbsentError,
    InterfaceAbsentError,
    NoIPv6Error,
    OpenError,
    PortHeldError,
    PortPrivilegedError,
)

_IP_FREEBIND = 15  # <linux/in.h>; the socket module has no name for it (ip(7))
_IPV6_FREEBIND = 78  # <linux/in6.h>
_IP_BIND_ADDRESS_NO_PORT = 24  # <linux/in.h>
_SAME_PORT_TRIES = 16


class TcpSocket(NamedTuple):
    """A TCP socket to be made.

    ``interface`` is a literal address with its zone, a host name, or empty for every IPv4 address.
    ``v6_only`` sets IPV6_V6ONLY; without it the system's own default stands, as stock Twisted leaves it.
    """

    interface: str
    port: int
    device: str = ""
    freebind: bool = False
    v6_only: bool = False

    def bound(self) -> socket.socket:
        """Return a socket that is bound and does not listen yet. Raises ``OSError``."""
        return self._bound(self.port)

    def resolved(self) -> bytes:
        """Return the address that it would be bound to, packed, where this host has it.

        The kernel is asked with a socket that gets no port (IP_BIND_ADDRESS_NO_PORT, ip(7)), so that nobody
        can notice. Raises ``OSError`` as :meth:`bound` does.
        """
        with self._bound(None) as sock:
            return socket.inet_pton(sock.family, sock.getsockname()[0].partition("%")[0])

    def _bound(self, port: int | None) -> socket.socket:
        family = socket.AF_INET6 if ":" in self.interface else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if port is None:
                sock.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
            if self.device:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, os.fsencode(self.device) + b"\0")
            if family == socket.AF_INET6:
                self._bind6(sock, port or 0)
            else:
                if self.freebind:
                    sock.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
                sock.bind((self.interface, port or 0))
        except BaseException:
            sock.close()
            raise
        return sock

    def _bind6(self, sock: socket.socket, port: int) -> None:
        if self.v6_only:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if self.freebind:
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_FREEBIND, 1)
        sock.bind(literal6(self.interface, port))

    @property
    def options(self) -> tuple[str, ...]:
        """The names of the options that :meth:`bound` sets."""
        wide = ":" in self.interface
        free = "IPV6_FREEBIND" if wide else "IP_FREEBIND"
        return (
            "SO_REUSEADDR",
            *([f"SO_BINDTODEVICE={self.device}"] if self.device else []),
            *(["IPV6_V6ONLY"] if wide and self.v6_only else []),
            *([free] if self.freebind else []),
        )

    def listening(self, backlog: int) -> socket.socket:
        """Return a socket that listens. Raises ``OSError``."""
        sock = self.bound()
        try:
            sock.listen(backlog)
        except BaseException:
            sock.close()
            raise
        return sock

    def __str__(self) -> str:
        host = self.interface or "0.0.0.0"
        return with_port(host, self.port)


def literal6(host: str, port: int) -> tuple[str, int, int, int]:
    """Return what ``bind`` wants for a literal IPv6 address with or without its zone (RFC 4007 11).

    Raises ``OSError``: ``gaierror`` for what is no address, ENODEV for a zone that is not there.
    """
    zone = host.partition("%")[2]
    scope = int(zone) if zone.isdecimal() else _scope(zone) if zone else 0
    found = socket.getaddrinfo(
        host.partition("%")[0], None, socket.AF_INET6, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST
    )
    return (str(found[0][4][0]), port, 0, scope)


def _scope(zone: str) -> int:
    try:
        return socket.if_nametoindex(zone)
    except OSError as error:  # without an errno of its own
        raise OSError(errno.ENODEV, "no such interface") from error


def stock_sockets(interface: str, port: int, *, ipv6_only: bool) -> tuple[TcpSocket, ...]:
    r"""Return the sockets that take what stock Twisted's one socket takes for a ``tcp:`` string.

    Stock Twisted never sets IPV6_V6ONLY, so ``interface=\:\:`` means both families wherever the system's
    default says so. That is two sockets here, so that IPv4 peers keep their IPv4 addresses, unless
    ``ipv6_only``: then another listener has the IPv4 wildcard on that port.
    """
    if not is_wildcard6(interface):
        return (TcpSocket(interface, port),)
    wide = TcpSocket(interface, port, v6_only=True)
    return (wide,) if ipv6_only or _system_v6_only() else (wide, TcpSocket("0.0.0.0", port))


def is_wildcard6(interface: str) -> bool:
    """Tell whether ``interface`` is the IPv6 wildcard, however it is written."""
    if ":" not in interface:
        return False
    try:
        return socket.inet_pton(socket.AF_INET6, interface) == bytes(16)
    except OSError:
        return False


def _system_v6_only() -> bool:
    """Tell whether an IPv6 socket takes IPv6 alone unless told otherwise (net.ipv6.bindv6only)."""
    try:
        with closing(socket.socket(socket.AF_INET6, socket.SOCK_STREAM)) as sock:
            return bool(sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY))
    except OSError:
        return False


def listen_all(wanted: tuple[TcpSocket, ...], backlog: int) -> list[socket.socket]:
    """Return a listening socket for each of ``wanted``; port 0 becomes the same port for all of them.

    Raises ``OpenError``; no socket is left open then.
    """
    for attempt in range(_SAME_PORT_TRIES):
        try:
            return _listen_once(wanted, backlog)
        except PortHeldError:  # port 0: the second family's port was taken
            if any(each.port for each in wanted) or attempt == _SAME_PORT_TRIES - 1:
                raise
    raise AssertionError  # pragma: no cover - the loop returns or raises


def _listen_once(wanted: tuple[TcpSocket, ...], backlog: int) -> list[socket.socket]:
    made: list[socket.socket] = []
    port = 0
    for each in wanted:
        one = TcpSocket(each.interface, each.port or port, each.device, each.freebind, each.v6_only)
        try:
            made.append(one.listening(backlog))
        except (OSError, OverflowError) as error:
            for sock in made:
                sock.close()
            raise explain(one, error) from error
        port = made[-1].getsockname()[1]
    return made


def explain(wanted: TcpSocket, error: OSError | OverflowError) -> OpenError:
    """Return what ``error`` means to somebody who wants ``wanted``."""
    number = error.errno if isinstance(error, OSError) else errno.EINVAL
    if number == errno.EADDRINUSE:
        return _held(wanted)
    if number == errno.EADDRNOTAVAIL:
        return AddressAbsentError(
            f"this host has no address {wanted.interface}", "`ip address` lists the addresses that it has"
        )
    if number in (errno.EACCES, errno.EPERM):
        return privileged(wanted)
    if number == errno.EAFNOSUPPORT:
        return NoIPv6Error(
            f"this host has no IPv6: {wanted} cannot be listened on",
            "listen on an IPv4 address, or enable IPv6",
        )
    zone = wanted.interface.partition("%")[2]
    if number in (errno.ENODEV, errno.ENXIO) and (wanted.device or zone):
        return InterfaceAbsentError(f"there is no interface {wanted.device or zone}", "`ip link` lists them")
    if number == errno.EINVAL and wanted.interface.lower().startswith("fe8") and not zone:
        return InterfaceAbsentError(
            f"the link-local address {wanted.interface} needs its zone", f"write {wanted.interface}%INTERFACE"
        )
    advice = ""
    if isinstance(error, socket.gaierror) and wanted.interface.isascii() and "." not in wanted.interface:
        advice = f'where it is a network interface, a file says so: interface = "{wanted.interface}"'
    return OpenError(f"{wanted} cannot be listened on: {_words(error)}", advice)


def _words(error: OSError | OverflowError) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _held(wanted: TcpSocket) -> OpenError:
    holder = holders.of_tcp(wanted.interface, wanted.port)
    by = f"held by {holder}" if holder else "in use"
    return PortHeldError(f"{wanted} is {by}", "stop what holds it, or give this listener another port")


def privileged(wanted: TcpSocket) -> OpenError:
    """Return why ``wanted`` is not permitted to this process."""
    lowest = privileges.first_free_port()
    if 0 < wanted.port < lowest:
        return PortPrivilegedError(
            f"{wanted} needs a privilege: ports below {lowest} do",
            "grant CAP_NET_BIND_SERVICE (AmbientCapabilities= in a unit), let systemd pass the socket, "
            f"or use a port from {lowest} on",
        )
    if wanted.device:
        return PortPrivilegedError(
            f"{wanted} cannot be bound to the device {wanted.device}: that needs CAP_NET_RAW", "grant it"
        )
    return PortPrivilegedError(f"{wanted} is not permitted to this process")
