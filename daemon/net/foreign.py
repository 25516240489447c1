"""Endpoint kinds that Twisted or one of its plugins opens, with one clear message for whatever they raise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from twisted.internet.endpoints import StandardIOEndpoint, serverFromString
from twisted.internet.error import CannotListenError
from zope.interface import directlyProvides, providedBy

from asgid.daemon.net.addresses import as_text
from asgid.daemon.net.errors import EndpointRefusedError, OpenError
from asgid.daemon.net.opener import accept_on
from asgid.daemon.net.sockets import TcpSocket, explain, is_wildcard6, listen_all, stock_sockets
from asgid.daemon.net.unix import explain_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    from asgid.daemon.net.reactor import NativeReactor


def opener(reactor: NativeReactor, string: str, *, ipv6_only: bool) -> Callable[[Any], Deferred[Any]]:
    """Return what listens on ``string`` with a factory. Raises ``EndpointRefusedError``."""
    endpoint = made(_Wide(reactor, ipv6_only=ipv6_only), string)

    def listen(factory: Any) -> Deferred[Any]:
        listening: Deferred[Any] = endpoint.listen(factory)
        listening.addCallbacks(_as_port, lambda failure: _fail(string, failure))
        return listening

    return listen


def made(reactor: Any, string: str) -> Any:
    """Return Twisted's endpoint for ``string``. Raises ``EndpointRefusedError`` for whatever it raises."""
    try:
        endpoint = serverFromString(reactor, string)
    except Exception as error:  # a plugin may raise anything
        raise EndpointRefusedError(f"Twisted refuses {string}: {_words(error)}", _advice(error)) from error
    if isinstance(endpoint, StandardIOEndpoint):
        advice = "name an endpoint that clients connect to"
        raise EndpointRefusedError(f"{string} is one conversation, and no listener", advice)
    return endpoint


def _words(error: BaseException) -> str:
    kind = type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    text = " ".join(str(error).split())
    return f"{text} ({kind})" if text else kind


def _advice(error: BaseException) -> str:
    if isinstance(error, FileNotFoundError):
        return "the path is relative to the working directory; write it in full"
    if isinstance(error, ValueError) and "Unknown endpoint type" in str(error):
        return "install the package that brings this kind, or correct its name"
    return ""


def _fail(string: str, failure: Failure) -> None:
    error = failure.value
    if isinstance(error, OpenError):
        raise error
    if isinstance(error, CannotListenError) and isinstance(error.socketError, OSError):
        if isinstance(error.port, int):
            raise explain(TcpSocket(error.interface or "", error.port), error.socketError) from error
        if isinstance(error.port, (str, bytes)):
            path = error.port.decode() if isinstance(error.port, bytes) else error.port
            raise explain_path(path, error.socketError) from error
    raise EndpointRefusedError(f"{string} does not open: {_words(cast('BaseException', error))}") from error


def _as_port(port: Any) -> Any:
    return port if hasattr(port, "pause_accepting") and hasattr(port, "addresses") else ForeignPort(port)


class ForeignPort:
    """A port that a plugin made, with what asgid asks of every port.

    It pauses where it is one of Twisted's own ports; elsewhere pausing does nothing, and the limit of
    connections is held by closing what is too much.
    """

    def __init__(self, port: Any) -> None:
        self._port = port

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)

    def addresses(self) -> list[str]:
        """Return what the port says it is bound to, as text."""
        host = self._port.getHost()
        if hasattr(host, "host"):
            name = (host.host, host.port, 0, 0) if ":" in host.host else (host.host, host.port)
            return [as_text(name)]
        path = getattr(host, "name", None)
        return [as_text(path) if path else str(host)]

    def pause_accepting(self) -> None:
        """Leave new connections in the backlog, where the port can."""
        getattr(self._port, "stopReading", _nothing)()

    def resume_accepting(self) -> None:
        """Accept again."""
        getattr(self._port, "startReading", _nothing)()


def _nothing() -> None:
    """Do what a port does that cannot pause."""


class _Wide:
    """The reactor as stock kinds see it: an IPv6 wildcard becomes two sockets, or one that is IPv6 alone."""

    def __init__(self, reactor: NativeReactor, *, ipv6_only: bool) -> None:
        self._reactor = reactor
        self._ipv6_only = ipv6_only
        directlyProvides(self, providedBy(reactor))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    def listenTCP(self, port: Any, factory: Any, backlog: int = 50, interface: str = "") -> Any:
        """Listen as the reactor does, the IPv6 wildcard aside."""
        if not isinstance(port, int) or not is_wildcard6(interface):
            return self._reactor.listenTCP(port, factory, backlog, interface)
        socks = listen_all(stock_sockets(interface, port, ipv6_only=self._ipv6_only), backlog)
        return accept_on(self._reactor, socks, factory, backlog)

    def listenSSL(
        self, port: Any, factory: Any, contextFactory: Any, backlog: int = 50, interface: str = ""
    ) -> Any:
        """Listen with TLS through Twisted's memory BIO (pyOpenSSL)."""
        from twisted.protocols.tls import TLSMemoryBIOFactory  # noqa: PLC0415 - pyOpenSSL

        tls = TLSMemoryBIOFactory(contextFactory, False, factory)
        listening = self.listenTCP(port, tls, backlog, interface)
        listening._type = "TLS"  # noqa: SLF001 - as Twisted's own listenSSL
        return listening
