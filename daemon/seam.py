"""The seam between the wire and the application's side: the types that both speak, and nothing else.

The wire knows no ASGI and the request cycle knows no HTTP version. The wire calls ``begin`` with a parsed
head and gets a :class:`RequestSink` to feed; the cycle answers through the :class:`ResponseSink` that it was
given. Every call is a plain call on the event loop's thread; none of them blocks.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Callable, Iterable

Headers = list[tuple[bytes, bytes]]
Address = tuple[str, int]


class Gone(enum.Enum):
    """Why a request's client can no longer be counted on."""

    HALF_CLOSED = "the client has finished sending"  # a FIN: what the application still sends is written
    LOST = "the connection was lost"  # a reset, a failed write, a close: nothing more can be sent
    CUT = "the server cut the connection"  # a timeout or the end of the drain: nothing more can be sent
    TIMED_OUT = "the application took too long"  # answered by the wire: the application is to be cancelled


class TLS(NamedTuple):
    """What was agreed on for a connection over TLS. Certificates are PEM."""

    version: int  # 0x0304 is TLS 1.3
    cipher: int | None  # the suite's number in IANA's registry
    certificate: str | None  # the server's
    chain: tuple[str, ...]  # the client's, its own certificate first; empty where it sent none
    name: str | None  # the subject of the client's certificate (RFC 4514)


class Peer:
    """The two ends of a connection, fixed for its life. ``None`` on a unix socket.

    The client alone is ``None`` where it was reset before it was accepted: nobody can tell who it was.
    """

    __slots__ = ("client", "scheme", "server", "tls")

    def __init__(
        self, client: Address | None, server: Address | None, scheme: str, tls: TLS | None = None
    ) -> None:
        self.client = client
        self.server = server
        self.scheme = scheme  # "http" or "https"
        self.tls = tls


class RequestHead:
    """A request's head, checked. Header names are lower-cased, values stripped, order and duplicates kept."""

    __slots__ = ("client", "headers", "method", "peer", "target", "version", "websocket")

    def __init__(
        self, method: str, target: bytes, version: str, headers: Headers, peer: Peer, websocket: bool = False
    ) -> None:
        self.method = method  # as sent; methods are case-sensitive (RFC 9110 9.1)
        self.target = target  # origin form: path and query as sent, "*" for OPTIONS
        self.version = version  # "1.0", "1.1", later "2"
        self.headers = headers
        self.peer = peer
        self.client = peer.client  # the peer's address, or whom a trusted proxy named: for those who log
        self.websocket = websocket  # a valid WebSocket upgrade was asked for


class RequestSink(Protocol):
    """What the wire feeds with what follows a request's head."""

    def body(self, data: bytes) -> None:
        """Take a piece of the body, never empty."""

    def end(self) -> None:
        """Take note that the body is complete."""

    def gone(self, reason: Gone) -> None:
        """Take note that the client has gone. Called twice at most: ``HALF_CLOSED``, then another."""


class ResponseSink(Protocol):
    """What the cycle answers through. After the response is complete no method may be called."""

    @property
    def taken(self) -> int:
        """How many bytes of the response's body have left for the client."""

    def start(self, status: int, headers: Headers, trailers: bool = False) -> None:
        """Take the response's head; it is written together with the first piece of the body.

        With ``trailers`` the response ends with :meth:`trailers`, and no piece of its body is the last.
        Raises ``ValueError`` where a header cannot be written (not a token, a control character in a value).
        """

    def body(self, data: bytes, more: bool) -> Future[None] | None:
        """Write a piece of the body; with ``more`` false the response is complete.

        Returns a future to wait for when the client does not keep up, which fails with ``OSError`` where the
        connection is lost meanwhile. Raises ``OSError`` where it is lost already, and ``ValueError`` where
        the piece does not fit the Content-Length that was announced.
        """

    def trailers(self, headers: Headers) -> None:
        """Complete the response with trailers, which a client that cannot take them does not get.

        Raises ``OSError`` as :meth:`body`, and ``ValueError`` for a field that may be no trailer.
        """

    def hint(self, links: list[bytes]) -> Future[None] | None:
        """Write 103 with the values of Link headers (RFC 8297); returns and raises as :meth:`body`.

        Nothing is written where the head of the response is, or to a client that knows no 103.
        """

    async def send_file(self, descriptor: int, offset: int, count: int | None, more: bool) -> int:
        """Write ``count`` bytes of a file from ``offset`` on, as :meth:`body` would; wait until they left.

        ``None`` is all up to its end, or as much as the Content-Length that was announced has left. Returns
        how many bytes that were. Nothing else may be written meanwhile. Raises as :meth:`body`, and
        ``ValueError`` also where the file is not a regular one, cannot be read or is too short. The
        descriptor stays its owner's.
        """

    def fail(self, status: int) -> None:
        """Answer with an error of the wire's own, or cut the connection where a response has begun."""

    def read(self) -> None:
        """Go on reading the body: the application waits for it. Sends 100 Continue where it was asked for."""

    def hold(self) -> None:
        """Stop reading: the application does not take what was read."""


class WebSocketSink(Protocol):
    """What the wire feeds with what a WebSocket's client sends."""

    def message(self, data: str | bytes) -> None:
        """Take one whole message."""

    def settle(self, go_on: Callable[[], None]) -> bool:
        """Return whether the application has answered all messages: it has asked for another, or ended.

        Where it has not, ``go_on`` is called as soon as it asks; one that ends closes.
        """

    def gone(self, code: int, reason: str) -> None:
        """Take note that the connection is closed, with the close code of RFC 6455 7.4 (1006: none came)."""

    def expired(self) -> None:
        """Take note that the application did not accept or refuse in time: the client was refused."""


class WebSocketPort(Protocol):
    """What the application's side drives a WebSocket by."""

    def accept(self, subprotocol: str | None, headers: Headers) -> None:
        """Answer the handshake with 101. Raises ``ValueError`` for a header that cannot be written."""

    def refuse(self, status: int, headers: Headers, body: bytes, objection: str = "") -> None:
        """Answer the handshake with a response of its own (403 where the application only closes).

        With an ``objection`` it is the server that refuses, and the log says so.
        """

    def send(self, data: str | bytes) -> Future[None] | None:
        """Send one message. Returns and raises as :meth:`ResponseSink.body`."""

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake."""

    def read(self) -> None:
        """Go on reading: the application has room for more messages."""

    def hold(self) -> None:
        """Stop reading, and stop parsing what was read: the application's queue is full."""


class Gateway(Protocol):
    """The application's side of one listener, as the wire sees it."""

    @property
    def requests(self) -> int:
        """How many requests are in the application, handshakes of WebSockets that it has not answered too."""

    def begin(self, head: RequestHead, response: ResponseSink, body: bytes, complete: bool) -> RequestSink:
        """Begin a request. ``body`` is what came of its body with the head, ``complete`` when all did."""

    def begin_websocket(self, head: RequestHead, port: WebSocketPort) -> WebSocketSink:
        """Begin a WebSocket: the application is asked to accept or refuse."""


class Finished:
    """One request that ended, as observers get it."""

    __slots__ = ("body_bytes", "cut", "duration_s", "head", "listener", "status")

    def __init__(
        self, listener: str, head: RequestHead, status: int, body_bytes: int, duration_s: float, cut: bool
    ) -> None:
        self.listener = listener
        self.head = head
        self.status = status  # 101 for a WebSocket that was accepted; 0 where nothing was answered
        self.body_bytes = body_bytes  # of the response, without framing
        self.duration_s = duration_s
        self.cut = cut  # the connection was lost or cut before the response was complete


class Counters:
    """What one listener counts. Plain integers: read them at any time, write them on the loop's thread."""

    __slots__ = (
        "accepted",
        "application_timeouts",
        "bad_requests",
        "body_timeouts",
        "connect_timeouts",
        "cut",
        "full",
        "head_timeouts",
        "idle_closed",
        "overloads",
        "ping_timeouts",
        "requests",
        "responses_4xx",
        "responses_5xx",
        "shed",
        "silent",
        "unproxied",
        "websockets",
        "write_timeouts",
    )

    def __init__(self) -> None:
        self.accepted = 0
        self.requests = 0
        self.websockets = 0
        self.bad_requests = 0  # refused by the wire
        self.overloads = 0  # refused because limits.concurrency was reached
        self.responses_4xx = 0
        self.responses_5xx = 0
        self.cut = 0  # connections that the server ended before a response was complete
        self.head_timeouts = 0  # timeouts.request_head: 408
        self.body_timeouts = 0  # timeouts.request_body: 408, or closed where it was answered
        self.write_timeouts = 0  # timeouts.response_write: cut
        self.application_timeouts = 0  # timeouts.application: 503, or cut
        self.connect_timeouts = 0  # websocket.connect_timeout: 403
        self.ping_timeouts = 0  # websocket.ping_timeout: cut
        self.idle_closed = 0  # timeouts.keep_alive: closed silently
        self.silent = 0  # said nothing in timeouts.request_head: closed silently
        self.unproxied = 0  # refused: no PROXY header that can be taken, or from a peer that is not trusted
        self.full = 0  # times that limits.connections was reached
        self.shed = 0  # connections closed because the process ran short of descriptors

    @property
    def timeouts(self) -> int:
        """How many requests and WebSockets ended because somebody took too long."""
        return (
            self.head_timeouts
            + self.body_timeouts
            + self.write_timeouts
            + self.application_timeouts
            + self.connect_timeouts
            + self.ping_timeouts
        )


class Connection(Protocol):
    """A connection as its listener sees it: something to sweep, to drain and to cut."""

    @property
    def watched(self) -> bool:
        """Whether a departure can only be found by looking: the socket is not read."""

    @property
    def idleness(self) -> tuple[int, float] | None:
        """What it waits for, and since when (the monotonic clock); None where something is under way.

        0: for another request; 1: for a first one, of which nothing came; 2: for the rest of a head.
        """

    def shed(self) -> None:
        """Close, while it has an ``idleness``: its descriptor is wanted for somebody else."""

    def fileno(self) -> int:
        """Return the socket's descriptor."""

    def departed(self, reset: bool) -> None:
        """Take note of a reset, or else a FIN, that was found by looking."""

    def sweep(self, now: float) -> None:
        """Act on the deadlines that have passed at ``now`` (the monotonic clock, seconds)."""

    def drain(self) -> None:
        """Finish what is under way, then close; close at once where nothing is."""

    def cut(self) -> None:
        """Close now, whatever is under way."""


def header_values(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    """Return every value of ``name`` (lower-cased) in order."""
    return [value for key, value in headers if key == name]


def release(waiters: Iterable[Future[None]], lost: str | None = None) -> None:
    """Let those go on who wait; where the connection is ``lost``, with an error. Who gave up has gone."""
    for waiter in waiters:
        if not waiter.done():
            if lost is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(ConnectionResetError(lost))
