"""One HTTP/1.1 connection (RFC 9112): Twisted's protocol on one side, a response sink on the other.

Requests are taken strictly one after the other. What a client sends ahead (pipelining) stays bytes until the
response before it is complete, and when more than a bounded number of them waits the socket is no longer
read.

Time is kept as deadlines, plain numbers on the monotonic clock, which the listener's sweep compares; no timer
is started for a request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocol, IPushProducer
from zope.interface import implementer

from asgid.daemon.seam import Gone, release
from asgid.daemon.wire.http1_ends import (
    BODY,
    CLOSING,
    DISCARDING,
    FRESH_S,
    HEAD,
    LINGERING,
    UPGRADED,
    WAITING,
)
from asgid.daemon.wire.http1_files import Files
from asgid.daemon.wire.http1_head import BadRequest
from asgid.daemon.wire.http1_response import NEVER, NOBODY, unsent_bytes
from asgid.daemon.wire.turns import CUT_ENDS
from asgid.daemon.wire.unread import has_unread

if TYPE_CHECKING:
    from twisted.python.failure import Failure

    from asgid.daemon.seam import Peer, RequestHead

_AHEAD_BYTES = 64 * 1024  # of requests that wait their turn, before the socket is paused
_TURN_REQUESTS = 32  # pipelined requests of one connection taken in one turn of the loop
_LOOK_EVERY = 63  # requests, a mask


@implementer(IProtocol, IHalfCloseableProtocol, IPushProducer)
class HTTP1Connection(Files):
    """Twisted's IProtocol, and the seam's ``ResponseSink`` and ``Connection``, for one connection."""

    __slots__ = ("__weakref__",)

    # What Twisted calls.

    def makeConnection(self, transport: Any) -> None:
        """Begin to serve ``transport`` (ITransport)."""
        self.transport = transport
        transport.registerProducer(self, True)
        self._read_deadline = self._factory.deadline(self._factory.timeouts.request_head_s)
        self._factory.connected(self)

    def connectionMade(self) -> None:
        """Do nothing: :meth:`makeConnection` did it."""

    def succeed(self, transport: Any, peer: Peer, deadline: float) -> None:
        """Go on, in place of :meth:`makeConnection`, where another protocol began, which learned the ends.

        ``deadline``, on the clock, is that of the first head.
        """
        self.transport = transport
        self._peer = peer
        self._read_deadline = deadline
        transport.registerProducer(self, True)

    def dataReceived(self, data: bytes) -> None:
        """Take what came."""
        state = self._state
        if state == HEAD:
            if (
                not self._ahead
                and 3 < (end := data.find(b"\r\n\r\n") + 4) <= self._factory.rules.unchecked_bytes
                and data[0] > 0x20
                and not self._write_paused
                and not self._factory.turns.full
            ):  # the plain case: a whole head, and maybe its body
                if end < len(data):
                    self._ahead = data[end:]
                    data = data[:end]
                self._in_begin = True
                try:
                    self._begin(data)
                except BadRequest as refusal:
                    self._refuse(refusal)
                self._in_begin = False
                if self._ahead:
                    self._advance()
                return
            self._ahead += data
            turns = self._factory.turns
            if turns.full and len(self._ahead) <= _AHEAD_BYTES:
                turns.defer(self)
            else:
                self._advance()
        elif state == BODY:
            self._take_body(data)
        elif state == WAITING:
            self._ahead += data
            self._bound_row()
        elif state == DISCARDING:
            self._discard(data)
        elif state == LINGERING:
            self._to_read -= len(data)
            if self._to_read < 0:
                if unsent_bytes(self.transport):
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
                turns = self._factory.turns
                turns.look()
                if turns.full:  # thousands may leave at once
                    turns.defer(self)
                else:
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
        self._time_writing()

    def resumeProducing(self) -> None:
        """Go on writing (IPushProducer)."""
        self._write_paused = False
        if self._state != CLOSING:
            self._write_deadline = NEVER
        if self._waiters:
            waiters, self._waiters = self._waiters, NOBODY
            release(waiters)
        if self._state == HEAD:
            if self._ahead:
                self._factory.turns.defer(self)
            elif self._read_deadline == NEVER:
                self._read_deadline = self._factory.clock() + self._factory.keep_alive_s

    def stopProducing(self) -> None:
        """Do nothing: :meth:`connectionLost` tells (IProducer)."""

    # What the listener calls.

    @property
    def watched(self) -> bool:
        """Whether a departure can only be found by looking: the socket is not read."""
        return self._reading_paused and not self._eof and self._sink is not None

    @property
    def idleness(self) -> tuple[int, float] | None:
        """What it waits for, and since when (:attr:`asgid.daemon.seam.Connection.idleness`)."""
        if self._state != HEAD or self._write_paused or self._in_begin:
            return None
        if self._ahead and self._factory.turns.is_deferred(self):
            return None
        timeouts = self._factory.timeouts
        if self._in_head:
            if not timeouts.request_head_s:
                return 2 if self._ahead else 1, -NEVER  # it is not known since when
            return 2 if self._ahead else 1, self._read_deadline - timeouts.request_head_s
        return None if self._ahead else (0, self._read_deadline - self._factory.keep_alive_s)

    def shed(self) -> None:
        """Close: the descriptor is wanted for somebody else."""
        self._factory.counters.shed += 1
        self._close()

    def fileno(self) -> int:
        """Return the socket's descriptor."""
        return int(self.transport.fileno())

    def sweep(self, now: float) -> None:
        """Act on the deadlines that have passed at ``now``."""
        if self._read_deadline > now and self._write_deadline > now and self._application_deadline > now:
            return
        if not self._factory.may_end(1 if self._read_deadline <= now else CUT_ENDS):
            return
        if self._read_deadline <= now:
            self._read_expired()
        if self._write_deadline <= now:
            self._write_expired(now)
        if self._application_deadline <= now:
            self._application_deadline = NEVER
            self._factory.counters.application_timeouts += 1
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
        """Finish what is under way, then close; what waits behind it was not begun and is not answered.

        A head that has begun to come may come to its end, and a new connection's first request is most often
        on its way already: its client has been accepted, and would not know that nobody read it.
        Another request that the kernel holds is under way too.
        """
        self._keep_alive = False
        if self._state == HEAD and self._in_head and not self._in_begin:
            if not self._ahead:
                self._read_deadline = min(self._read_deadline, self._factory.deadline(FRESH_S))
        elif self._state == HEAD and not self._in_begin:
            if not has_unread(self.fileno()) and not self._factory.turns.is_deferred(self):
                self._close()
        elif self._state == DISCARDING:
            self._linger()

    # Heads.

    def go_on(self) -> None:
        """Go on with what was read (:class:`asgid.daemon.wire.turns.Deferred`)."""
        decoder = self._chunked
        if decoder is not None and decoder.scheduled:
            self._decode_on(decoder)
        else:
            self._advance()

    def _advance(self) -> None:
        """Take whole heads out of what is ahead, each when the response before it is complete."""
        if self._in_begin or self._state != HEAD or self._lost:
            self._bound_row()
            return
        self._in_begin = True
        taken = 0
        data = None
        turns = self._factory.turns
        try:
            while self._state == HEAD and self._ahead and not self._write_paused:
                if taken == _TURN_REQUESTS or turns.full:
                    if len(self._ahead) > _AHEAD_BYTES:
                        self._pause_reading()
                    turns.defer(self)
                    return
                data = None
                data = self._take_head()
                if data is None:
                    break
                taken += 1
                self._begin(data)
        except BadRequest as refusal:
            if data is None:  # the head was not taken
                refusal.bodiless = self._ahead.startswith(b"HEAD ")
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
        else:
            self._bound_row()

    def _bound_row(self) -> None:
        """Read no more while a long row waits behind the request under way."""
        if self._state == WAITING and len(self._ahead) > _AHEAD_BYTES:
            self._pause_reading()

    def _take_head(self) -> bytes | None:
        """Take one head off what is ahead, ``None`` where it is not whole. Raises :class:`BadRequest`."""
        data = self._ahead
        if data[0] == 0x0D or data[0] == 0x0A:
            self._ahead = rest = self._factory.rules.skip_empty_lines(data, self._skipped)
            self._skipped += len(data) - len(rest)
            data = rest
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
        try:
            self._head = head = parser.parse(data, peer)
        except BadRequest as refusal:
            refusal.bodiless = data.startswith(b"HEAD ")
            raise
        framing = parser.framing
        self._bodiless = head.method == "HEAD"
        self._read_deadline = NEVER
        self._in_head = False
        self._skipped = 0
        self._status = 0
        counters = factory.counters
        counters.requests = requests = counters.requests + 1
        if not requests & _LOOK_EVERY:  # an answer looks at the time, but may come later
            factory.turns.look()
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
                self._upgrade(head)
                return
            if framing.chunked or framing.content_length:
                body = self._body_begins(framing)
        sink = factory.begin(head, self, body, self._state == WAITING)
        if self._state == WAITING or self._state == BODY:  # noqa: PLR1714 - else the response is complete already
            self._sink = sink
            if self._eof:
                sink.gone(Gone.HALF_CLOSED)

    def _upgrade(self, head: RequestHead) -> None:
        """Give the connection to a WebSocket, with all that came after the head."""
        if self._factory.admission is not None:
            self._factory.admission.check()
        self._factory.prepared_websockets()
        self._state = UPGRADED
        self._head = None
        ahead, self._ahead = self._ahead, b""
        self._factory.upgrade(self, head, ahead, ended=self._eof)
        self._factory.turns.look()  # a handshake takes as long as a dozen requests
