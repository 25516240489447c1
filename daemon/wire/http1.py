"""One HTTP/1.1 connection (RFC 9112): Twisted's protocol on one side, a response sink on the other.

Requests are taken strictly one after the other. What a client sends ahead (pipelining) stays bytes until the
response before it is complete, and when more than a bounded number of them waits the socket is no longer
read.

Time is kept as deadlines, plain numbers on the monotonic clock, which the listener's sweep compares; no timer
is started for a request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgid.daemon.seam import Gone, RequestHead
from asgid.daemon.wire.http1_chunked import ChunkedDecoder
from asgid.daemon.wire.http1_head import BadRequest
from asgid.daemon.wire.http1_response import NEVER, NOBODY, Responder, log
from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocol, IPushProducer
from zope.interface import implementer

if TYPE_CHECKING:
    from asgid.daemon.seam import RequestSink
    from asgid.daemon.wire.factory import ConnectionFactory
    from asgid.daemon.wire.http1_head import Framing
    from twisted.python.failure import Failure

# What the connection reads next.
HEAD = 0  # a request's head
BODY = 1  # the body of the request under way
WAITING = 2  # nothing: the request was read, its response is not complete
DISCARDING = 3  # a body that nobody wants any more
LINGERING = 4  # whatever comes, to throw it away: the write side is closed
CLOSING = 5  # nothing: the connection is being closed
UPGRADED = 6  # frames of a WebSocket

_AHEAD_BYTES = 64 * 1024  # of requests that wait their turn, before the socket is paused
_TURN_REQUESTS = 32  # pipelined requests taken in one turn of the loop
_DISCARD_BYTES = 256 * 1024  # of a body that nobody wants; a longer one ends with the connection
_LINGER_BYTES = 1024 * 1024
_LINGER_S = 5.0


@implementer(IProtocol, IHalfCloseableProtocol, IPushProducer)
class HTTP1Connection(Responder):
    """Twisted's IProtocol, and the seam's ``ResponseSink`` and ``Connection``, for one connection."""

    __slots__ = (
        "__weakref__", "_ahead", "_chunked", "_eof", "_in_begin", "_in_head", "_read_deadline",
        "_reading_paused",
        "_rest", "_sink", "_state", "_to_read", "_unsent",
    )  # fmt: skip

    def __init__(self, factory: ConnectionFactory) -> None:
        super().__init__(factory)
        self._state = HEAD
        self._sink: RequestSink | None = None
        self._ahead = b""  # bytes that were read and not looked at
        self._rest = 0  # bytes of the body that have not come (Content-Length), or that have (chunked)
        self._chunked: ChunkedDecoder | None = None
        self._eof = False
        self._in_head = True  # the time for a head is running
        self._in_begin = False  # heads are being taken out of what is ahead
        self._reading_paused = False
        self._to_read = 0
        self._unsent = 0
        self._read_deadline = NEVER

    # What Twisted calls.

    def makeConnection(self, transport: Any) -> None:
        """Begin to serve ``transport`` (ITransport)."""
        self.transport = transport
        transport.registerProducer(self, True)
        self._read_deadline = self._factory.deadline(self._factory.timeouts.request_head_s)
        self._factory.connected(self)

    def connectionMade(self) -> None:
        """Do nothing: :meth:`makeConnection` did it."""

    def dataReceived(self, data: bytes) -> None:
        """Take what came."""
        state = self._state
        if state == HEAD:
            if (
                not self._ahead
                and 3 < data.find(b"\r\n\r\n") + 4 == len(data) <= self._factory.rules.unchecked_bytes
                and data[0] > 0x20
                and not self._write_paused
            ):  # the plain case: exactly one whole head
                self._in_begin = True
                try:
                    self._begin(data)
                except BadRequest as refusal:
                    self._refuse(refusal)
                self._in_begin = False
                return
            self._ahead += data
            self._advance()
        elif state == BODY:
            self._take_body(data)
        elif state == WAITING:
            self._ahead += data
            if len(self._ahead) > _AHEAD_BYTES:
                self._pause_reading()
        elif state == DISCARDING:
            self._discard(data)
        elif state == LINGERING:
            self._to_read -= len(data)
            if self._to_read < 0:
                if _unsent_bytes(self.transport):
                    self._pause_reading()  # it gets its answer before it is cut
                else:
                    self._abort()

    def readConnectionLost(self) -> None:
        """Take note that the client has finished sending: it still gets its answers."""
        self._eof = True
        if self._sink is not None:
            self._sink.gone(Gone.HALF_CLOSED)
        elif self._state == HEAD:
            if not self._ahead:
                self._close()
            elif not self._in_begin:
                self._advance()
        elif self._state in (LINGERING, DISCARDING):
            self._close()

    def writeConnectionLost(self) -> None:
        """Do nothing: only this class closes the write side."""

    def connectionLost(self, reason: Failure) -> None:  # noqa: ARG002 - the log says what the cycle makes of it
        """Take note that the connection has ended."""
        self._lose(Gone.LOST)
        self._state = CLOSING
        self._ahead = b""
        self._factory.disconnected(self)

    def pauseProducing(self) -> None:
        """Write no more: the client does not keep up (IPushProducer)."""
        self._write_paused = True
        self._unsent = _unsent_bytes(self.transport)
        self._write_deadline = self._factory.deadline(self._factory.timeouts.response_write_s)

    def resumeProducing(self) -> None:
        """Go on writing (IPushProducer)."""
        self._write_paused = False
        if self._state != CLOSING:
            self._write_deadline = NEVER
        if self._waiters:
            waiters, self._waiters = self._waiters, NOBODY
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)
        if self._state == HEAD:
            if self._ahead:
                self._factory.call_soon(self._advance)
            elif self._read_deadline == NEVER:
                self._read_deadline = self._factory.clock() + self._factory.keep_alive_s

    def stopProducing(self) -> None:
        """Do nothing: :meth:`connectionLost` tells (IProducer)."""

    # What the listener calls.

    @property
    def idle(self) -> bool:
        """Whether the connection is between two requests, or before the first."""
        return self._state == HEAD and not self._ahead

    @property
    def watched(self) -> bool:
        """Whether a departure can only be found by looking: the socket is not read."""
        return self._reading_paused and not self._eof and self._sink is not None

    def fileno(self) -> int:
        """Return the socket's descriptor."""
        return int(self.transport.fileno())

    def sweep(self, now: float) -> None:
        """Act on the deadlines that have passed at ``now``."""
        if self._read_deadline <= now:
            self._read_expired()
        if self._write_deadline <= now:
            self._write_expired(now)
        if self._application_deadline <= now:
            self._application_deadline = NEVER
            self._factory.counters.timeouts += 1
            self._say("the application took longer than timeouts.application")
            self._lose(Gone.TIMED_OUT)
            self.fail(503)

    def departed(self, reset: bool) -> None:
        """Take note of a reset or a FIN that was found by looking."""
        if reset:
            self._abort()
        elif self._sink is not None and self._state == WAITING:
            # In BODY, the rest of the body may stand before the FIN: it is seen when the application reads
            # on.
            self._sink.gone(Gone.HALF_CLOSED)

    def drain(self) -> None:
        """Finish what is under way, then close; what waits behind it was not begun and is not answered."""
        self._keep_alive = False
        if self._state == HEAD and not self._in_begin:
            self._close()
        elif self._state == DISCARDING:
            self._linger()

    def cut(self) -> None:
        """Close now, whatever is under way."""
        if self._sink is not None:
            self._factory.counters.cut += 1
            self._finished(cut=True)
        self._lose(Gone.CUT)
        self._abort()

    # Heads.

    def _advance(self) -> None:
        """Take whole heads out of what is ahead, each when the response before it is complete."""
        if self._in_begin or self._state != HEAD or self._lost:
            return
        self._in_begin = True
        taken = 0
        try:
            while self._state == HEAD and self._ahead and not self._write_paused:
                if taken == _TURN_REQUESTS:
                    if len(self._ahead) > _AHEAD_BYTES:
                        self._pause_reading()
                    self._factory.call_soon(self._advance)
                    return
                data = self._take_head()
                if data is None:
                    break
                taken += 1
                self._begin(data)
        except BadRequest as refusal:
            self._refuse(refusal)
            return
        finally:
            self._in_begin = False
        if self._state == HEAD:
            if self._ahead and self._write_paused:
                if len(self._ahead) > _AHEAD_BYTES:
                    self._pause_reading()
            elif self._eof:
                self._close()
            elif self._reading_paused:  # what is ahead is nothing, or a part of a head
                self._resume_reading()

    def _take_head(self) -> bytes | None:
        """Take one head off what is ahead, ``None`` where it is not whole. Raises :class:`BadRequest`."""
        data = self._ahead
        if data[0] == 0x0D or data[0] == 0x0A:
            self._ahead = data = self._factory.rules.skip_empty_lines(data)
        end = data.find(b"\r\n\r\n") + 4
        if end == 3:
            self._factory.rules.check_partial(data)
            if data and not self._in_head:
                self._in_head = True
                self._read_deadline = self._factory.deadline(self._factory.timeouts.request_head_s)
            return None
        if end > self._factory.rules.unchecked_bytes:
            self._factory.rules.check_size(data, end)
        if end == len(data):
            self._ahead = b""
            return data
        self._ahead = data[end:]
        return data[:end]

    def _begin(self, data: bytes) -> None:
        """Begin the request whose head is ``data``. Raises :class:`BadRequest`."""
        factory = self._factory
        peer = self._peer
        if peer is None:
            peer = self._peer = factory.peer(self.transport)
        parser = factory.parser
        self._head = head = parser.parse(data, peer)
        framing = parser.framing
        self._bodiless = head.method == "HEAD"
        self._read_deadline = NEVER
        self._in_head = False
        self._status = 0
        factory.counters.requests += 1
        if factory.timed:
            self._started_at = now = factory.clock()
            self._application_deadline = now + factory.application_s
        self._state = WAITING
        body = b""
        if framing is None:
            self._old = False
            self._keep_alive = factory.keeps_alive
        else:
            self._old = head.version == "1.0"
            self._keep_alive = framing.keep_alive and factory.keeps_alive
            if head.websocket:
                self._upgrade(head, data)
                return
            if framing.chunked or framing.content_length:
                body = self._body_begins(framing)
        sink = factory.begin(head, self, body, self._state == WAITING)
        if self._state == WAITING or self._state == BODY:  # noqa: PLR1714 - else the response is complete already
            self._sink = sink
            if self._eof:
                sink.gone(Gone.HALF_CLOSED)

    def _upgrade(self, head: RequestHead, data: bytes) -> None:
        """Give the connection to a WebSocket, with all that came after the head."""
        self._state = UPGRADED
        self._head = None
        ahead, self._ahead = self._ahead, b""
        self._factory.upgrade(self, head, data, ahead)

    def _refuse(self, refusal: BadRequest) -> None:
        """Answer what cannot be served."""
        factory = self._factory
        factory.counters.bad_requests += 1
        if self._peer is None:
            self._peer = factory.peer(self.transport)
        if self._head is None:
            self._head = RequestHead("-", b"-", "1.1", [], self._peer)
            self._bodiless = False
            self._status = 0
            self._started_at = factory.clock()
        self._say(f"refused with {refusal.status}: {refusal.why}")
        self._lose(Gone.CUT)
        self.fail(refusal.status)

    # Bodies.

    def _body_begins(self, framing: Framing) -> bytes:
        """Take what came of a body with its head. Raises :class:`BadRequest`."""
        limits = self._factory.limits
        ahead, self._ahead = self._ahead, b""
        self._expect = framing.expect_continue and not ahead
        if framing.chunked:
            self._chunked = ChunkedDecoder(limits.header_bytes)
            self._rest = 0
            self._state = BODY
            body = self._decode(ahead) if ahead else b""
            if self._state == BODY and not self._expect:
                self._read_deadline = self._factory.deadline(self._factory.timeouts.request_body_s)
            return body
        length = framing.content_length
        if limits.body_bytes and length > limits.body_bytes:
            raise BadRequest(413, f"a body of {length} bytes")
        body = ahead[:length]
        self._rest = length - len(body)
        if self._rest:
            self._state = BODY
            if not self._expect:  # else the client waits to be told to go on
                self._read_deadline = self._factory.deadline(self._factory.timeouts.request_body_s)
        else:
            self._ahead = ahead[length:]
            self._expect = False
        return body

    def _decode(self, data: bytes) -> bytes:
        """Decode a piece of a chunked body. Raises :class:`BadRequest`."""
        decoder = self._chunked
        assert decoder is not None  # noqa: S101 - for the type checker
        self._expect = False
        body = decoder.feed(data)
        self._rest += len(body)
        limit = self._factory.limits.body_bytes
        if limit and self._rest > limit:
            raise BadRequest(413, f"a body of more than {limit} bytes")
        if decoder.done:
            self._ahead = decoder.rest
            self._chunked = None
            self._state = WAITING
        return body

    def _take_body(self, data: bytes) -> None:
        """Pass a piece of the body on."""
        self._expect = False
        if self._chunked is not None:
            try:
                body = self._decode(data)
            except BadRequest as refusal:
                self._refuse(refusal)
                return
        else:
            body = data[: self._rest]
            self._rest -= len(body)
            if not self._rest:
                self._ahead = data[len(body) :]
                self._state = WAITING
        sink = self._sink
        if sink is None:
            return
        if self._state == WAITING:
            self._read_deadline = NEVER
            if body:
                sink.body(body)
            sink.end()
        else:
            if not self._reading_paused:
                self._read_deadline = self._factory.deadline(self._factory.timeouts.request_body_s)
            if body:
                sink.body(body)

    def _discard(self, data: bytes) -> None:
        """Throw away what nobody wants, so that the next request can be found."""
        if self._chunked is not None:
            try:
                self._decode(data)
            except BadRequest:
                self._abort()
                return
            done = self._state == WAITING
        else:
            self._ahead = data[self._rest :]
            self._rest -= min(self._rest, len(data))
            done = not self._rest
        self._to_read -= len(data)
        if done:
            self._next(self._factory.clock())
        elif self._to_read < 0:
            self._linger()

    def read(self) -> None:
        """Go on reading the body (:meth:`asgid.daemon.seam.ResponseSink.read`)."""
        if self._expect and self._state == BODY:
            self._expect = False
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._read_deadline = self._factory.deadline(self._factory.timeouts.request_body_s)
        if self._reading_paused:
            self._resume_reading()
            if self._state == BODY:
                self._read_deadline = self._factory.deadline(self._factory.timeouts.request_body_s)

    def hold(self) -> None:
        """Stop reading the body (:meth:`asgid.daemon.seam.ResponseSink.hold`)."""
        if self._state == BODY:
            self._pause_reading()
            self._read_deadline = NEVER  # it is the application that is slow, not the client

    def _pause_reading(self) -> None:
        if not self._reading_paused:
            self._reading_paused = True
            self.transport.pauseProducing()

    def _resume_reading(self) -> None:
        if self._reading_paused:
            self._reading_paused = False
            self.transport.resumeProducing()

    # Endings.

    def _completed(self, now: float) -> None:
        """Go on after a complete response."""
        factory = self._factory
        self._sink = None
        if factory.timed or self._status >= 400:
            self._application_deadline = NEVER
            self._finished(cut=False)
        if self._state == WAITING:
            if self._keep_alive:
                self._next(now)
            elif self._ahead:
                self._linger()
            else:
                self._close()
        elif (
            self._eof
            or self._expect
            or not self._keep_alive
            or (self._chunked is None and self._rest > _DISCARD_BYTES)
        ):
            self._linger()
        else:
            self._state = DISCARDING
            self._to_read = _DISCARD_BYTES
            self._resume_reading()
            self._read_deadline = self._factory.deadline(self._factory.timeouts.request_body_s)

    def _next(self, now: float) -> None:
        """Wait for the next request, or take the one that is there."""
        self._state = HEAD
        self._head = None
        if self._ahead:
            if not self._in_begin:
                self._factory.call_soon(self._advance)
        elif self._eof:
            self._close()
        else:
            self._read_deadline = now + self._factory.keep_alive_s
            if self._reading_paused:
                self._resume_reading()

    def fail(self, status: int) -> None:
        """Answer with an error, or cut the connection (:meth:`asgid.daemon.seam.ResponseSink.fail`)."""
        self._sink = None
        super().fail(status)

    def _lose(self, reason: Gone) -> None:
        """Part from the request under way."""
        sink, self._sink = self._sink, None
        waiters, self._waiters = self._waiters, NOBODY
        if reason is Gone.LOST:
            self._lost = True
            if sink is not None:
                self._finished(cut=True)
        for waiter in waiters:
            if not waiter.done():
                waiter.set_exception(ConnectionResetError("the client has gone"))
        if sink is not None:
            sink.gone(reason)

    def _read_expired(self) -> None:
        """End a connection whose client has kept the server waiting."""
        self._read_deadline = NEVER
        counters = self._factory.counters
        if self._state == HEAD and self._in_head and self._ahead:
            counters.timeouts += 1
            self._refuse(BadRequest(408, "the request's head did not come in timeouts.request_head"))
        elif self._state == BODY:
            counters.timeouts += 1
            self._refuse(BadRequest(408, "the request's body did not come in timeouts.request_body"))
        elif self._state == HEAD and self._write_paused:
            pass  # it has not read its last response yet: timeouts.keep_alive begins when it has
        elif self._state in (HEAD, DISCARDING):
            self._close()
        elif self._state == LINGERING and _unsent_bytes(self.transport):
            self._read_deadline = self._factory.clock() + _LINGER_S  # timeouts.response_write ends it
        else:
            self._abort()

    def _write_expired(self, now: float) -> None:
        """Cut a client that does not read."""
        unsent = _unsent_bytes(self.transport)
        if not unsent and self._state == LINGERING:
            self._write_deadline = NEVER
            return
        if unsent < self._unsent:  # it reads, if slowly
            self._unsent = unsent
            self._write_deadline = now + self._factory.timeouts.response_write_s
            return
        self._write_deadline = NEVER
        self._factory.counters.timeouts += 1
        self._say("cut: the client did not read in timeouts.response_write")
        self.cut()

    def _close(self) -> None:
        """Close once everything is written."""
        if self._state != CLOSING:
            self._state = CLOSING
            self._read_deadline = NEVER
            self._unsent = _unsent_bytes(self.transport)
            self._write_deadline = self._factory.deadline(self._factory.timeouts.response_write_s)
            self.transport.unregisterProducer()
            self.transport.loseConnection()

    def _linger(self) -> None:
        """Close the write side, then read until the client closes or a bound is reached (RFC 9112 9.6)."""
        self._ahead = b""
        self._chunked = None
        if self._eof:
            self._close()
            return
        self._state = LINGERING
        self._to_read = _LINGER_BYTES
        self._read_deadline = self._factory.clock() + _LINGER_S
        self._unsent = _unsent_bytes(self.transport)
        self._write_deadline = self._factory.deadline(self._factory.timeouts.response_write_s)
        self._resume_reading()
        self.transport.unregisterProducer()
        shutdown = getattr(self.transport, "loseWriteConnection", None)
        if shutdown is None:
            self._close()
        else:
            shutdown()

    def _abort(self) -> None:
        """Close without writing what is left."""
        if self._state != CLOSING or not self._lost:
            self._state = CLOSING
            self._read_deadline = self._write_deadline = self._application_deadline = NEVER
            self.transport.abortConnection()

    def _say(self, what: str) -> None:
        """Log what happened to this client."""
        client = self._peer.client if self._peer is not None else None
        where = f"{client[0]}:{client[1]}" if client else "a unix socket"
        log.info("listener %s, %s: %s", self._factory.name, where, what)


def _unsent_bytes(transport: Any) -> int:
    """Return how much a transport has yet to write; 0 where it cannot tell."""
    size = getattr(transport, "get_write_buffer_size", None)
    return size() if size is not None else 0
