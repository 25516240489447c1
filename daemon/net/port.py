"""A listening socket whose connections uvloop accepts."""

from __future__ import annotations

import select
from contextlib import suppress
from socket import AF_INET
from typing import TYPE_CHECKING, Any, TypeVar, cast

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IListeningPort, ILoggingContext
from twisted.logger import Logger
from zope.interface import implementer

from asgid.daemon.net.addresses import address_of, as_text
from asgid.daemon.net.faces import failure_of
from asgid.daemon.net.transport import NativeTransport

if TYPE_CHECKING:
    import socket
    from asyncio import AbstractEventLoop, Server, Transport
    from collections.abc import Callable, Coroutine

    from twisted.python.failure import Failure

    from asgid.daemon.net.addresses import Address
    from asgid.daemon.net.faces import StreamFactory

# How many connections are accepted in one turn of the loop at most: their answers then leave together, which
# wakes a client's machine once and not for each. Four give nearly all that there is to gain.
_ACCEPTS = 4

_log = Logger()
_T = TypeVar("_T")


@implementer(IListeningPort)
class NativePort:
    """A port of the native reactor: it owns ``sock``, which is bound and listens already.

    uvloop gets duplicates of the descriptor, so that accepting can pause (a uvloop server cannot) while the
    kernel goes on queueing what connects, and several of them, since a server accepts one connection in a
    turn of the loop. It listens once more on whatever it is given: ``backlog`` is what ``listen`` is to be
    called with. ``path`` is a unix socket's own, None on TCP; ``cleanup`` is called when the port has closed.
    ``again`` makes the socket anew for a port that is started after it was stopped. A ``shared`` socket lives
    on elsewhere when the port is closed, and who waits in its backlog too.
    """

    _type = "TCP"  # Twisted's listenSSL writes it, and it stands in the log

    def __init__(
        self,
        reactor: Any,
        sock: socket.socket,
        factory: StreamFactory,
        backlog: int,
        *,
        path: str | bytes | None = None,
        cleanup: Callable[[], None] | None = None,
        again: Callable[[], socket.socket] | None = None,
        shared: bool = False,
    ) -> None:
        self.reactor = reactor
        self.loop: AbstractEventLoop = reactor.loop
        self.factory = factory
        self.backlog = backlog
        self.path = path
        if path is not None:
            self._type = "UNIX"
        self.socket = sock
        self.transports: set[NativeTransport] = reactor.transports
        self.connected = False
        self._cleanup = cleanup
        self._again = again
        self._shared = shared
        self._servers: list[Server] = []
        self._spares: list[socket.socket] = []
        self._parked: list[_Parked] = []
        self._closed: Deferred[None] | None = None
        self._name: Any = None
        self.own_name: Any = None  # the local end of every connection, where it is the same for all
        self._tells_address = not getattr(factory, "ignores_address", False)

    def __repr__(self) -> str:
        what = f"on {self.addresses()[0]}" if self.connected else "(not listening)"
        return f"<{type(self).__name__} of {type(self.factory).__name__} {what}>"

    # IListeningPort

    def startListening(self) -> None:
        """Begin to accept. The factory's ``doStart`` is called.

        Raises ``CannotListenError`` where the port was stopped and its address cannot be bound again.
        """
        if self.socket.fileno() < 0 and self._again is not None:
            self.socket = self._again()
        self._name = self.socket.getsockname() if self.path is None else self.path
        self.own_name = self._name if self.path is None and _fixes_local_end(self.socket) else None
        self.factory.doStart()
        self.connected = True
        self.reactor.ports.add(self)
        try:
            self._serve()
        except BaseException:
            self.connectionLost(_DONE)
            raise
        _log.debug("{prefix} starting on {where}", prefix=_prefix(self.factory), where=self._where())

    def stopListening(self) -> Deferred[None]:
        """Stop accepting and close the socket; the deferred fires when it is closed.

        Connections that were accepted live on. Those that wait in the backlog are accepted first, for the
        kernel resets them with the last descriptor of a socket; not where accepting is paused, and as many as
        a backlog holds: others may come all the while.
        """
        if not self.connected:
            return succeed(None)
        if self._closed is None:
            self._closed = Deferred()
            if self._shared or not self._servers:
                self._refuse()
                self.loop.call_soon(self.connectionLost, _DONE)
            else:
                self.loop.call_soon(self._close_when_empty, -(-max(self.backlog, 1) // len(self._servers)))
        return self._closed

    loseConnection = stopListening

    def _close_when_empty(self, turns: int) -> None:
        """Close once nobody waits in the backlog, after so many ``turns`` of the loop at the latest."""
        if turns and self._servers and self.connected and has_waiting(self.socket.fileno()):
            self.loop.call_soon(self._close_when_empty, turns - 1)
        else:
            self._refuse()
            self.connectionLost(_DONE)

    def getHost(self) -> Address:
        """Return the address that the port listens on."""
        return address_of(self._name)

    @property
    def disconnecting(self) -> bool:
        """Whether the port is about to close."""
        return self._closed is not None

    @property
    def disconnected(self) -> bool:
        """Whether the port is closed."""
        return not self.connected

    # What asgid adds

    def addresses(self) -> list[str]:
        """Return what is bound, as text: one address."""
        return [as_text(self._name)]

    def pause_accepting(self) -> None:
        """Leave new connections in the backlog."""
        if self._servers:
            self._refuse()
            # Taken now that descriptors are free, so that accepting again does not fail for want of one.
            with suppress(OSError):
                self._spares.append(self.socket.dup())

    def resume_accepting(self) -> None:
        """Accept again, beginning with what waits in the backlog. Raises ``OSError`` (EMFILE)."""
        if self.connected and not self._servers and self._closed is None:
            self._serve()
            self.loop.call_soon(self._attach_parked)

    def is_reading(self) -> bool:
        """Tell whether connections are accepted now."""
        return bool(self._servers)

    def fileno(self) -> int:
        """Return the listening descriptor, -1 when the port is closed."""
        return self.socket.fileno()

    def logPrefix(self) -> str:
        """Return what a log line about this port begins with."""
        return f"{type(self.factory).__module__}.{type(self.factory).__qualname__}"

    def connectionLost(self, reason: Failure) -> None:  # noqa: ARG002 - Twisted's signature
        """Close the socket, clean up and tell the factory (``doStop``)."""
        if not self.connected:
            return
        self.connected = False
        self._refuse()
        for parked in self._parked:
            parked.native.abort()
        self.socket.close()
        self.reactor.ports.discard(self)
        _log.debug("({type} Port {where} Closed)", type=self._type, where=self._where())
        waiting, self._closed = self._closed, None
        try:
            if self._cleanup is not None:
                self._cleanup()
            self.factory.doStop()
        except Exception as error:
            if waiting is None:
                raise
            waiting.errback(failure_of(error))
        else:
            if waiting is not None:
                waiting.callback(None)

    def _where(self) -> Any:
        return self._name[1] if isinstance(self._name, tuple) else self._name

    def _serve(self) -> None:
        spares, self._spares = self._spares, []
        try:
            for _ in range(_ACCEPTS):
                duplicate = spares.pop() if spares else self.socket.dup()
                serving = self.loop.create_server(self._acceptor, sock=duplicate, backlog=self.backlog)
                self._servers.append(run_now(serving))
        except OSError:  # no descriptor is left: the first one does, the others are for speed
            if not self._servers:
                raise

    def _refuse(self) -> None:
        servers, self._servers = self._servers, []
        spares, self._spares = self._spares, []
        for server in servers:
            server.close()
        for spare in spares:
            spare.close()

    # asyncio's protocol, until the connection has one of its own

    def _acceptor(self) -> Any:
        return self

    def connection_made(self, native: Transport) -> None:
        """Build a protocol for a connection that was accepted, and attach it."""
        if self._servers or not self.connected or self._closed is not None:
            self._attach(native)
        else:  # it was accepted in the turn in which accepting was paused: it waits like those in the backlog
            self._parked.append(_Parked(native, self.loop))

    def _attach_parked(self) -> None:
        while self._parked and self._servers:
            parked = self._parked.pop(0)
            if not parked.native.is_closing():
                transport = self._attach(parked.native)
                if transport is not None:
                    parked.pass_on(transport)

    def _attach(self, native: Transport) -> NativeTransport | None:
        transport = NativeTransport(native, self)
        try:
            protocol = self.factory.buildProtocol(transport.getPeer() if self._tells_address else None)
            if protocol is None:
                native.abort()
                return None
            self.transports.add(transport)
            transport.attach(protocol)
            if len(self.transports) >= self.reactor.enough_transports:
                self.reactor.on_enough()
        except Exception:  # noqa: BLE001 - a factory's mistake costs its connection, not the port
            _log.failure("while a new connection was given to {factory}", factory=self.factory)
            native.abort()
            return None
        return transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Do nothing: the connection was refused before it had a protocol."""


class _Parked:
    """The protocol of a connection that was accepted and waits for room: keeps what comes, reads no more."""

    def __init__(self, native: Transport, loop: AbstractEventLoop) -> None:
        self.native = native
        self._early = b""
        self._ended = False
        native.set_protocol(cast("Any", self))
        loop.call_soon(native.pause_reading)  # uvloop begins to read after connection_made

    def data_received(self, data: bytes) -> None:
        self._early += data

    def eof_received(self) -> bool:
        self._ended = True
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Do nothing: the port looks at what is closing."""

    def pass_on(self, transport: NativeTransport) -> None:
        """Give what came, and what comes, to ``transport``."""
        if not self._ended:
            transport.resumeProducing()
        if self._early:
            transport.data_received(self._early)
        if self._ended:
            transport.eof_received()


_DONE = failure_of(ConnectionDone())
_IP_TRANSPARENT = 19  # ip(7); the socket module has no name for it
_IPV6_TRANSPARENT = 75


def _fixes_local_end(sock: socket.socket) -> bool:
    """Whether what is accepted has the listening socket's own address: no wildcard, no transparent proxy."""
    if sock.getsockname()[0] in ("0.0.0.0", "::"):
        return False
    level, option = (0, _IP_TRANSPARENT) if sock.family == AF_INET else (41, _IPV6_TRANSPARENT)
    try:
        return not sock.getsockopt(level, option)
    except OSError:  # a system without it
        return True


def has_waiting(descriptor: int) -> bool:
    """Tell whether a connection waits in the backlog of a listening socket (poll(2))."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return any(event & select.POLLIN for _, event in poll.poll(0))


def _prefix(factory: object) -> str:
    if ILoggingContext.providedBy(factory):
        return str(cast("Any", factory).logPrefix())
    return type(factory).__name__


def run_now(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine that never waits, and return its result: uvloop's ``create_server`` with a socket."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return cast("_T", done.value)
    coroutine.close()
    raise RuntimeError("uvloop's create_server waited although it was given a socket")
