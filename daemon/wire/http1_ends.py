"""How an HTTP/1.1 connection goes on after a response, and how it ends (RFC 9112 9)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from asgid.daemon.seam import Gone, RequestHead, release
from asgid.daemon.wire.admission import RETRY_AFTER, Overloaded
from asgid.daemon.wire.http1_head import BadRequest
from asgid.daemon.wire.http1_response import (
    DISCARD_BYTES,
    NEVER,
    NOBODY,
    Responder,
    log,
    unsent_bytes,
    untaken_bytes,
)
from asgid.daemon.wire.layers import abort, close_below, end_of_writing
from asgid.daemon.wire.turns import LATE_S
from asgid.daemon.wire.unread import has_unread, unacknowledged

if TYPE_CHECKING:
    from asgid.daemon.seam import RequestSink
    from asgid.daemon.wire.factory import ConnectionFactory

# What the connection reads next.
HEAD = 0  # a request's head
BODY = 1  # the body of the request under way
WAITING = 2  # nothing: the request was read, its response is not complete
DISCARDING = 3  # a body that nobody wants any more
LINGERING = 4  # whatever comes, to throw it away: the write side is closed
CLOSING = 5  # nothing: the connection is being closed
UPGRADED = 6  # frames of a WebSocket

# How long a connection that has just been accepted may take, when the listener stops, to say what it wants.
FRESH_S = 1.0
# How long a client that was refused, and has not finished sending, is read on for: many send the whole of
# a body before they look for an answer. It may pause for the first, and take the second and the bytes in all.
_LINGER_S = 5.0
_LINGER_MOST_S = 30.0
_LINGER_BYTES = 64 * 1024 * 1024


class Ends(Responder):
    """The state of a connection, and its ways from one request to the next and to its end."""

    __slots__ = (
        "_ahead", "_eof", "_in_begin", "_in_head", "_lingers_until", "_read_deadline",
        "_reading_paused",
        "_sink", "_skipped", "_state", "_to_read", "_under_way", "_untaken",
    )  # fmt: skip

    def __init__(self, factory: ConnectionFactory) -> None:
        super().__init__(factory)
        self._state = HEAD
        self._sink: RequestSink | None = None
        self._ahead = b""  # bytes that were read and not looked at
        self._eof = False
        self._in_head = True  # the time for a head is running
        self._in_begin = False  # heads are being taken out of what is ahead
        self._skipped = 0  # bytes of empty lines before the next request line
        self._reading_paused = False
        self._to_read = 0
        self._untaken = 0
        self._under_way = 1 << 62  # bytes that the client did not have yet when it was last waited for
        self._read_deadline = NEVER
        self._lingers_until = 0.0

    def go_on(self) -> None:
        """Go on with what was read (:class:`asgid.daemon.wire.turns.Deferred`)."""
        raise NotImplementedError

    def cut(self) -> None:
        """Close now, whatever is under way."""
        if self._sink is not None:
            self._factory.counters.cut += 1
            self._finished(cut=True)
        self._lose(Gone.CUT)
        self._abort()

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
            or (self._chunked is None and self._rest > DISCARD_BYTES)
        ):
            self._linger()
        else:
            self._state = DISCARDING
            self._to_read = DISCARD_BYTES
            self._resume_reading()
            self._read_deadline = self._factory.deadline(self._factory.timeouts.request_body_s)

    def _next(self, now: float) -> None:
        """Wait for the next request, or take the one that is there."""
        self._state = HEAD
        self._head = None
        if self._ahead:
            if not self._in_begin:
                self._factory.turns.defer(self)
        elif self._eof:
            self._close()
        else:
            self._read_deadline = now + self._factory.keep_alive_s
            if self._reading_paused:
                self._resume_reading()

    def fail(self, status: int, extra: bytes = b"") -> None:
        """Answer with an error, or cut the connection (:meth:`asgid.daemon.seam.ResponseSink.fail`)."""
        self._sink = None
        super().fail(status, extra)

    def _lose(self, reason: Gone) -> None:
        """Part from the request under way."""
        sink, self._sink = self._sink, None
        waiters, self._waiters = self._waiters, NOBODY
        if reason is Gone.LOST:
            self._lost = True
            if sink is not None:
                self._finished(cut=True)
        if waiters:
            release(waiters, lost="the client has gone")
        if sink is not None:
            sink.gone(reason)

    def _read_expired(self) -> None:
        """End a connection whose client has kept the server waiting."""
        if self._factory.turns.is_deferred(self) or (
            self._state <= BODY and not self._reading_paused and has_unread(self.transport.fileno())
        ):  # it is the server that is late: something keeps the loop busy
            self._read_deadline = self._factory.clock() + LATE_S
            return
        self._read_deadline = NEVER
        counters = self._factory.counters
        if self._state == HEAD and self._in_head and self._ahead:
            counters.head_timeouts += 1
            refusal = BadRequest(408, "the request's head did not come in timeouts.request_head")
            refusal.bodiless = self._ahead.startswith(b"HEAD ")
            self._refuse(refusal)
        elif self._state == BODY:
            counters.body_timeouts += 1
            self._refuse(BadRequest(408, "the request's body did not come in timeouts.request_body"))
        elif self._state == HEAD and self._write_paused:
            pass  # it has not read its last response yet: timeouts.keep_alive begins when it has
        elif self._state == HEAD:
            if self._in_head:
                counters.silent += 1
                why = "closed: nothing came in timeouts.request_head"
            else:
                counters.idle_closed += 1
                why = "closed: no other request came in timeouts.keep_alive"
            if log.isEnabledFor(logging.DEBUG):
                self._say(why, logging.DEBUG)
            self._close()
        elif self._state == DISCARDING:
            counters.body_timeouts += 1
            self._say("closed: the rest of a body did not come in timeouts.request_body")
            self._close()
        elif self._state in (LINGERING, CLOSING) and unsent_bytes(self.transport):
            self._read_deadline = self._factory.clock() + _LINGER_S  # timeouts.response_write ends it
        elif self._state in (LINGERING, CLOSING) and self._is_taken_slowly():
            self._read_deadline = self._factory.clock() + _LINGER_S
        elif (
            self._state == LINGERING
            and self._to_read < self._rest  # something came
            and (now := self._factory.clock()) < self._lingers_until
        ):
            self._rest = self._to_read
            self._read_deadline = min(now + _LINGER_S, self._lingers_until)
        else:
            self._abort()

    def _is_taken_slowly(self) -> bool:
        """Whether the client got something since this was last asked, and does not have all of it yet."""
        before, self._under_way = self._under_way, unacknowledged(self.transport.fileno())
        return 0 < self._under_way < before

    def _time_writing(self) -> None:
        """Give the client the time to read something of what waits."""
        self._untaken = untaken_bytes(self.transport)
        self._write_deadline = self._factory.deadline(self._factory.timeouts.response_write_s)

    def _write_expired(self, now: float) -> None:
        """Cut a client that does not read."""
        if not unsent_bytes(self.transport) and self._state in (LINGERING, CLOSING):
            self._write_deadline = NEVER
            return
        untaken = untaken_bytes(self.transport)
        if untaken < self._untaken:  # it reads, if slowly
            self._untaken = untaken
            self._write_deadline = now + self._factory.timeouts.response_write_s
            return
        self._write_deadline = NEVER
        self._factory.counters.write_timeouts += 1
        self._say("cut: the client did not read in timeouts.response_write")
        self.cut()

    def _close(self) -> None:
        """Close once everything is written."""
        if self._state != CLOSING:
            heard = self._state in (HEAD, WAITING)  # all that the client had to say
            self._state = CLOSING
            self._read_deadline = self._factory.clock() + _LINGER_MOST_S  # TLS waits for its client's alert
            self._untaken = untaken_bytes(self.transport) if unsent_bytes(self.transport) else 0
            self._write_deadline = self._factory.deadline(self._factory.timeouts.response_write_s)
            self.transport.unregisterProducer()
            self.transport.loseConnection()
            if heard:
                close_below(self.transport)

    def _linger(self) -> None:
        """Close the write side, then read until the client closes or a bound is reached (RFC 9112 9.6)."""
        self._ahead = b""
        self._chunked = None
        if self._eof:
            self._close()
            return
        self._state = LINGERING
        self._to_read = self._rest = _LINGER_BYTES
        now = self._factory.clock()
        self._read_deadline = now + _LINGER_S
        self._lingers_until = now + _LINGER_MOST_S
        self._time_writing()
        self._resume_reading()
        self.transport.unregisterProducer()
        shutdown = end_of_writing(self.transport)
        if shutdown is None:
            self._close()
        else:
            shutdown()

    def _abort(self) -> None:
        """Close without writing what is left."""
        if self._state != CLOSING or not self._lost:
            self._state = CLOSING
            self._read_deadline = self._write_deadline = self._application_deadline = NEVER
            abort(self.transport)

    def _say(self, what: str, level: int = logging.INFO) -> None:
        """Log what happened to this client."""
        if self._peer is None:
            self._peer = self._factory.peer(self.transport)
        self._factory.complaints.say(log, self._peer.client, what, level)

    def _refuse(self, refusal: BadRequest) -> None:
        """Answer what cannot be served."""
        factory = self._factory
        if self._peer is None:
            self._peer = factory.peer(self.transport)
        if self._head is None:
            self._head = RequestHead("-", b"-", "1.1", [], self._peer)
            self._bodiless = refusal.bodiless
            self._status = 0
            self._started_at = factory.clock()
        if isinstance(refusal, Overloaded):  # counted and told where it was decided
            self.fail(refusal.status, RETRY_AFTER)
            return
        factory.counters.bad_requests += 1
        self._say(f"refused with {refusal.status}: {refusal.why}")
        self._lose(Gone.CUT)
        self.fail(refusal.status)

    def _pause_reading(self) -> None:
        if not self._reading_paused:
            self._reading_paused = True
            self.transport.pauseProducing()

    def _resume_reading(self) -> None:
        if self._reading_paused:
            self._reading_paused = False
            self.transport.resumeProducing()
