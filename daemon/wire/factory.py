"""What the connections of one listener share: their limits, their clock, their counters, and the sweep."""

from __future__ import annotations

import select
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IProtocolFactory, IProtocolNegotiationFactory
from zope.interface import implementer

from asgid.daemon.seam import Counters, Peer
from asgid.daemon.wire.admission import Admission
from asgid.daemon.wire.complaints import Complaints
from asgid.daemon.wire.head_rules import HeadRules
from asgid.daemon.wire.http1 import HTTP1Connection
from asgid.daemon.wire.http1_head import BadRequest, HeadParser
from asgid.daemon.wire.http1_response import NEVER, log
from asgid.daemon.wire.response_head import HeadWriter, left_out
from asgid.daemon.wire.turns import TURN_ENDS, Turns
from asgid.daemon.wire.websocket_compressed import open_websocket
from asgid.daemon.wire.websocket_shared import WebSockets

if TYPE_CHECKING:
    from collections.abc import Callable

    from asgid.config.spec import ListenerSpec
    from asgid.daemon.seam import Connection, Finished, Gateway, RequestHead
    from asgid.daemon.wire.proxied import ProxiedConnection

_POLLRDHUP = getattr(select, "POLLRDHUP", 0)


@implementer(IProtocolFactory, IProtocolNegotiationFactory)
class ConnectionFactory:
    """Twisted's factory for one listener; it owns the connections that it makes."""

    __slots__ = (
        "_build", "_ends_left", "_full", "_left_out", "_on_full", "_on_room", "_postponed", "admission",
        "application_s", "begin", "call_soon", "clock", "complaints", "connections", "counters",
        "extra_lines", "gateway", "keep_alive_s", "keeps_alive", "limits", "name", "observe", "parser",
        "rules", "spec", "timed", "timeouts", "turns", "websockets", "writer",
    )  # fmt: skip
    noisy = False
    ignores_address = True  # buildProtocol does not look at what it is given

    def __init__(
        self,
        spec: ListenerSpec,
        gateway: Gateway,
        *,
        clock: Callable[[], float],
        call_soon: Callable[..., Any],
        server_header: bytes = b"asgid",
        date_header: bool = True,
        observe: Callable[[Finished], None] | None = None,
        on_full: Callable[[], None] | None = None,
        on_room: Callable[[], None] | None = None,
        turns: Turns | None = None,
    ) -> None:
        """Make a factory. ``clock`` is monotonic, in seconds; ``call_soon`` calls on the loop's next turn.

        Listeners on one loop share its ``turns``.
        """
        self.spec = spec
        self.name = spec.name
        self.limits = spec.limits
        self.timeouts = spec.timeouts
        self.gateway = gateway
        self.clock = clock
        self.call_soon = call_soon
        self.turns = turns or Turns(clock, call_soon)
        self.observe = observe
        self.counters = Counters()
        self.complaints = Complaints(spec.name, clock)
        self.admission: Admission | None = None
        self.begin = gateway.begin
        if spec.limits.concurrency:
            self.admission = Admission(spec.limits.concurrency, gateway, self.counters, spec.name, clock)
            self.begin = self.admission.begin
        self.connections: set[Connection] = set()
        self._ends_left = TURN_ENDS  # how many connections whose time is over may end in this turn
        self._postponed = False  # there are more, which are left to the next one
        self.parser = HeadParser(spec.limits.header_count)
        self.rules = HeadRules(spec.limits.request_line_bytes, spec.limits.header_bytes)
        self.writer = HeadWriter(clock, server_header, date_header)
        self.extra_lines = b"".join(b"%b: %b\r\n" % header for header in spec.headers)
        self.timed = observe is not None or spec.timeouts.application_s > 0
        self.application_s = spec.timeouts.application_s or NEVER
        self.keep_alive_s = spec.timeouts.keep_alive_s
        self.keeps_alive = spec.timeouts.keep_alive_s > 0
        self._on_full = on_full
        self._on_room = on_room
        self.websockets: WebSockets | None = None
        self._full = False
        self._left_out = 0  # which headers of the application it was said of
        self._build: Callable[[ConnectionFactory], HTTP1Connection | ProxiedConnection] = HTTP1Connection
        if spec.proxy.protocol != "none":
            from asgid.daemon.wire.proxied import proxied  # noqa: PLC0415 - few listeners have it

            self._build = proxied(spec.proxy, spec.proxy.protocol)

    # What Twisted calls.

    def acceptableProtocols(self) -> list[bytes]:
        """Return what is spoken over TLS (ALPN, RFC 7301).

        Without an answer Twisted 26.10 fails the handshake of every client that offers a protocol.
        """
        return [b"http/1.1"]

    def buildProtocol(self, addr: Any) -> HTTP1Connection | ProxiedConnection:  # noqa: ARG002 - see above
        """Make a connection's protocol (IProtocolFactory)."""
        return self._build(self)

    def doStart(self) -> None:
        """Do nothing (IProtocolFactory)."""

    def doStop(self) -> None:
        """Do nothing (IProtocolFactory)."""

    # What connections call.

    def deadline(self, timeout_s: float) -> float:
        """Return when ``timeout_s`` from now is, on the clock; never where it is zero."""
        return self.clock() + timeout_s if timeout_s else NEVER

    def connected(self, connection: Connection) -> None:
        """Take note of a new connection."""
        connections = self.connections
        connections.add(connection)
        self.counters.accepted += 1
        limit = self.limits.connections
        if limit and len(connections) >= limit and not self._full:
            self._full = True
            self.counters.full += 1
            if self._on_full is not None:
                self._on_full()

    def disconnected(self, connection: Connection) -> None:
        """Take note of the end of a connection."""
        self.connections.discard(connection)
        if self._full and len(self.connections) < self.limits.connections:
            self._full = False
            if self._on_room is not None:
                self._on_room()

    def may_end(self, cost: int) -> bool:
        """Tell, in a sweep, whether there is time to end one more connection; else a later turn sweeps again.

        ``cost`` is in closings: thousands of connections may be due at once.
        """
        self._ends_left -= cost
        if self._ends_left < 0:
            self._postponed = True
            return False
        return True

    def peer(self, transport: Any) -> Peer:
        """Return the two ends of a transport."""
        scheme = "http" if getattr(transport, "getPeerCertificate", None) is None else "https"
        if hasattr(type(transport), "ends"):  # a native transport
            client, server = transport.ends()
        else:  # what wraps one may know better: Twisted's haproxy: does
            client, server = _end(transport.getPeer()), _end(transport.getHost())
        if server is None:
            client = None  # a unix socket's
        if scheme == "http":
            return Peer(client, server, scheme)
        from asgid.daemon.wire.tls import session  # noqa: PLC0415 - few listeners have it

        return Peer(client, server, scheme, session(transport))

    def say_left_out(self, bits: int, head: RequestHead | None) -> None:
        """Say which headers of the application were left out: once each, for it may send them always."""
        names = left_out(bits & ~self._left_out)
        self._left_out |= bits
        if names and head is not None:
            log.warning(
                "listener %s: the application sends %s, which the server alone may: left out: %s %s",
                self.name, ", ".join(names), head.method, head.target.decode("latin-1"),
            )  # fmt: skip

    def prepared_websockets(self) -> WebSockets:
        """Return what WebSockets share. Raises :class:`BadRequest` where their engine cannot be imported."""
        websockets = self.websockets
        if websockets is None:
            websockets = WebSockets(self)
            try:
                websockets.prepare()
            except Exception as error:  # an import may raise anything
                raise BadRequest(500, f"Autobahn cannot be imported: {error!r}") from error
            self.websockets = websockets
        return websockets

    def upgrade(self, connection: HTTP1Connection, head: RequestHead, ahead: bytes, *, ended: bool) -> None:
        """Go on as a WebSocket; ``ahead`` is what came after the head, all there is where it ``ended``."""
        websocket = open_websocket(self.prepared_websockets(), connection.transport, head)
        self.connections.discard(connection)
        self.connections.add(websocket)
        websocket.begin(ahead)
        if ended:
            websocket.readConnectionLost()

    def unwrapped(self, before: ProxiedConnection, peer: Peer, deadline: float, data: bytes) -> None:
        """Go on as HTTP with ``peer``, which a PROXY header named; ``data`` is what came behind it."""
        transport = before.transport
        connection = HTTP1Connection(self)
        self.connections.discard(before)
        self.connections.add(connection)
        if hasattr(transport, "wrappedProtocol"):  # Twisted's ProtocolWrapper
            transport.wrappedProtocol = connection
        else:
            transport.protocol = connection
        connection.succeed(transport, peer, deadline)
        if data:
            connection.dataReceived(data)

    # What the supervisor calls.

    @property
    def sweep_interval_s(self) -> float:
        """How often :meth:`sweep` wants to be called: a quarter of the shortest timeout, at most a second."""
        timeouts = self.timeouts
        websocket = self.spec.websocket
        limits = (
            timeouts.request_head_s,
            timeouts.request_body_s,
            timeouts.keep_alive_s,
            timeouts.response_write_s,
            timeouts.application_s,
            websocket.ping_interval_s,
            websocket.ping_timeout_s,
            websocket.connect_s,
            websocket.lifetime_s,
        )
        shortest = min((limit for limit in limits if limit), default=4.0)
        return max(0.01, min(1.0, shortest / 4))

    def sweep(self, now: float) -> None:
        """Act on every deadline that has passed, and find the clients that left while they were not read."""
        self.complaints.sweep(now, log)
        if self.admission is not None:
            self.admission.sweep()
        watched: dict[int, Connection] = {}
        self._ends_left = TURN_ENDS
        for connection in tuple(self.connections):
            connection.sweep(now)
            if connection.watched:
                watched[connection.fileno()] = connection
        if watched:
            _look_for_departures(watched)
        if self._postponed:
            self._postponed = False
            self.call_soon(self.sweep, now)

    def idle(self) -> list[tuple[int, float, Connection]]:
        """Return the connections that wait: for what, since when (see ``Connection.idleness``), and which."""
        return [(*idle, each) for each in self.connections if (idle := each.idleness) is not None]

    def drain(self) -> None:
        """Let every connection finish what is under way."""
        self.keeps_alive = False
        for connection in tuple(self.connections):
            connection.drain()

    def cut(self) -> int:
        """Close every connection now; return how many there were."""
        connections = tuple(self.connections)
        for connection in connections:
            connection.cut()
        return len(connections)


def _end(address: Any) -> tuple[str, int] | None:
    """Return an IPv4Address or IPv6Address of Twisted as host and port, None for any other."""
    return (address.host, address.port) if getattr(address, "host", None) is not None else None


def _look_for_departures(watched: dict[int, Connection]) -> None:
    """Ask the kernel, once for all of them, which peers have sent a FIN or a reset (poll(2), POLLRDHUP)."""
    poll = select.poll()
    for descriptor in watched:
        if descriptor >= 0:  # else it is being lost
            poll.register(descriptor, _POLLRDHUP)
    for descriptor, event in poll.poll(0):
        watched[descriptor].departed(bool(event & (select.POLLERR | select.POLLHUP | select.POLLNVAL)))
