"""From an endpoint string to ports that accept.

The kinds that asgid makes itself, and stock ``tcp:`` and ``unix:``, are opened here without
``twisted.internet.endpoints``, whose import takes longer than the rest of a start. Every other kind is
Twisted's, or one of its plugins'.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, fail, gatherResults, succeed
from twisted.internet.interfaces import IListeningPort, IStreamServerEndpoint
from zope.interface import implementer

from asgid.config import endpoints
from asgid.daemon.net import descriptors, plans
from asgid.daemon.net.errors import OpenError
from asgid.daemon.net.faces import failure_of
from asgid.daemon.net.sockets import listen_all

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asgid.daemon.net.reactor import NativeReactor


def open_endpoint(reactor: NativeReactor, string: str, *, ipv6_only: bool = False) -> Any:
    r"""Return the server endpoint that ``string`` names; its ``listen(factory)`` gives a deferred port.

    A port is Twisted's IListeningPort with ``addresses() -> list[str]``, ``pause_accepting()`` and
    ``resume_accepting()``; it is a :class:`PortGroup` where one string takes several sockets. ``ipv6_only``
    keeps a stock string's ``interface=\:\:`` from taking IPv4 too.

    Raises ``OpenError`` where the string is no endpoint; ``listen`` fails with it where it does not open.
    """
    wanted = plans.read(string)
    if isinstance(wanted, endpoints.Foreign):
        from asgid.daemon.net import foreign  # noqa: PLC0415 - twisted.internet.endpoints

        return ServerEndpoint(foreign.opener(reactor, string, ipv6_only=ipv6_only))
    return ServerEndpoint(lambda factory: succeed(_open(reactor, wanted, factory, ipv6_only=ipv6_only)))


@implementer(IStreamServerEndpoint)
class ServerEndpoint:
    """Twisted's IStreamServerEndpoint around a function that opens."""

    __slots__ = ("_open",)

    def __init__(self, opener: Callable[[Any], Deferred[Any]]) -> None:
        self._open = opener

    def listen(self, factory: Any) -> Deferred[Any]:
        """Open, and accept with ``factory``. The deferred fails with ``OpenError``."""
        try:
            return self._open(factory)
        except OpenError as error:
            return fail(failure_of(error))


def _open(reactor: NativeReactor, wanted: endpoints.View, factory: Any, *, ipv6_only: bool) -> Any:
    match wanted:
        case endpoints.Tcp() | endpoints.AsgidTcp():
            socks = listen_all(plans.tcp_sockets(wanted, ipv6_only=ipv6_only), wanted.backlog)
            return accept_on(reactor, socks, factory, wanted.backlog)
        case endpoints.Unix() | endpoints.AsgidUnix():
            sock, own = plans.unix_socket(wanted).listening(wanted.backlog)
            return reactor.listen_on(sock, factory, wanted.backlog, path=own.path, cleanup=own.remove)
        case endpoints.Fd():
            socks = [descriptors.adopted(wanted.fileno)]
            return accept_on(reactor, socks, factory, wanted.backlog, shared=True)
        case endpoints.AsgidSystemd():
            return accept_on(reactor, _passed(wanted.name), factory, wanted.backlog, shared=True)
    raise AssertionError(wanted)  # pragma: no cover - foreign kinds went elsewhere


def _passed(name: str) -> list[socket.socket]:
    socks: list[socket.socket] = []
    try:
        socks.extend(map(descriptors.adopted, descriptors.passed(name)))
    except OpenError:
        for sock in socks:
            sock.close()
        raise
    return socks


def accept_on(
    reactor: NativeReactor,
    socks: Sequence[socket.socket],
    factory: Any,
    backlog: int | None,
    *,
    shared: bool = False,
) -> Any:
    """Return the port of one socket, or the group of several. ``backlog`` None keeps what each has."""
    ports = []
    for sock in socks:
        depth = descriptors.listening_backlog(sock) if backlog is None else backlog
        path = sock.getsockname() if sock.family == socket.AF_UNIX else None
        ports.append(reactor.listen_on(sock, factory, depth, path=path, shared=shared))
    return ports[0] if len(ports) == 1 else PortGroup(ports)


@implementer(IListeningPort)
class PortGroup:
    """Several ports that one endpoint string became, as one."""

    _type = "TCP"  # Twisted's listenSSL writes it

    def __init__(self, ports: Sequence[Any]) -> None:
        self.ports = tuple(ports)

    def startListening(self) -> None:
        """Do nothing: the ports accept already."""

    def stopListening(self) -> Deferred[Any]:
        """Close every port; the deferred fires when all are closed."""
        return gatherResults([port.stopListening() for port in self.ports], consumeErrors=True)

    def getHost(self) -> Any:
        """Return the address of the first port."""
        return self.ports[0].getHost()

    def addresses(self) -> list[str]:
        """Return everything that is bound, as text."""
        return [address for port in self.ports for address in port.addresses()]

    def pause_accepting(self) -> None:
        """Leave new connections in the backlogs."""
        for port in self.ports:
            port.pause_accepting()

    def resume_accepting(self) -> None:
        """Accept again."""
        for port in self.ports:
            port.resume_accepting()
