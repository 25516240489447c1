"""The answering half of an HTTP/1.1 connection: framing, backpressure and errors (RFC 9112 6, 7 and 9)."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from asgid.daemon.seam import Finished, header_values
from asgid.daemon.wire.response_head import (
    HAS_DATE,
    HAS_SERVER,
    LEAST_LEFT_OUT,
    PHRASES,
    SENDS_TRAILERS,
    TRAILER,
    UPGRADE,
    WANTS_CLOSE,
    named_lines,
    render,
    render_trailers,
)
from asgid.daemon.wire.unread import unacknowledged

if TYPE_CHECKING:
    from asyncio import Future

    from asgid.daemon.seam import Headers, Peer, RequestHead
    from asgid.daemon.wire.factory import ConnectionFactory
    from asgid.daemon.wire.http1_chunked import ChunkedDecoder

log = logging.getLogger("asgid.http")

NEVER = float("inf")

# How the body of a response is framed (RFC 9112 6).
NO_BODY, LENGTH, CHUNKED, UNTIL_CLOSE = range(4)

_WITH_CARE = frozenset((204, 205, 426))  # their heads depend on the status
BODILESS = frozenset((204, 205, 304))  # RFC 9110 6.4.1, 15.3.6
DISCARD_BYTES = 256 * 1024  # of a body that nobody wants; a longer one ends with the connection
NOBODY: tuple[Future[None], ...] = ()
_TURN_BYTES = 256 * 1024  # that an application sends before everybody else has a turn
_PIECE_BYTES = 1024  # what a piece of the body counts for beside its length
JOIN_BYTES = 32 * 1024  # a larger piece is written beside its head, not copied behind it


class Responder:
    """Writes responses, one at a time. Its subclass reads the requests and owns the connection's life."""

    __slots__ = (
        "_application_deadline", "_bits", "_bodiless", "_body_bytes", "_chunked", "_expect", "_factory",
        "_framing", "_head", "_keep_alive", "_left", "_length", "_lines", "_lost", "_old", "_peer",
        "_rest", "_started_at", "_status", "_turn", "_waiters", "_write_deadline", "_write_paused",
        "transport",
    )  # fmt: skip

    def __init__(self, factory: ConnectionFactory) -> None:
        self._factory = factory
        self.transport: Any = None
        self._peer: Peer | None = None
        self._head: RequestHead | None = None  # of the request under way
        self._bodiless = False  # it is HEAD
        self._old = False  # it is HTTP/1.0
        self._expect = False  # 100 Continue is still owed
        self._rest = 0  # bytes of the body that have not come (Content-Length), or that have (chunked)
        self._chunked: ChunkedDecoder | None = None
        self._keep_alive = True
        self._status = 0  # of the response under way; 0 where none has been given
        self._lines: bytes | None = None  # the response's headers, until they are written
        self._length = -1  # its Content-Length, bytes; -1: none was given
        self._bits = 0
        self._framing = NO_BODY
        self._left = 0  # bytes of the announced Content-Length
        self._body_bytes = 0
        self._started_at = 0.0
        self._lost = False
        self._write_paused = False
        self._waiters = NOBODY  # who waits to write on
        self._turn = _TURN_BYTES
        self._write_deadline = NEVER
        self._application_deadline = NEVER

    def _completed(self, now: float) -> None:
        """Go on after a complete response."""
        raise NotImplementedError

    def _abort(self) -> None:
        """End the connection now."""
        raise NotImplementedError

    def _linger(self) -> None:
        """Close the write side, and read on for a while so that no reset eats what was written."""
        raise NotImplementedError

    # The response sink.

    @property
    def taken(self) -> int:
        """How many bytes have left (:attr:`asgid.daemon.seam.ResponseSink.taken`)."""
        return self._body_bytes - unsent_bytes(self.transport)

    def start(self, status: int, headers: Headers, trailers: bool = False) -> None:
        """Take the response's head (:meth:`asgid.daemon.seam.ResponseSink.start`)."""
        if trailers or status in _WITH_CARE:
            self._start_with_care(status, list(headers), trailers)
        else:
            self._lines, self._length, self._bits = render(headers)
        self._status = status
        if self._bits >= LEAST_LEFT_OUT:
            self._factory.say_left_out(self._bits, self._head)

    def _start_with_care(self, status: int, headers: Headers, trailers: bool) -> None:
        """Take a head that depends on more than the application's headers."""
        lines, length, bits = render(headers)
        if length >= 0 and status in (204, 205):  # RFC 9110 8.6; 205 gets one of its own
            headers = [header for header in headers if header[0].lower() != b"content-length"]
            lines, length, bits = render(headers)
        if (
            trailers
            and length < 0
            and not self._bodiless
            and status not in BODILESS
            and self._takes_trailers()
        ):
            lines += named_lines(headers, b"trailer")
            bits |= SENDS_TRAILERS
        if trailers:
            bits &= ~TRAILER  # it is right, whether this client gets trailers or not
        if status == 426 and bits & UPGRADE:  # RFC 9110 15.5.22: it says to what; 7.8: Connection names it
            lines += named_lines(headers, b"upgrade") + b"connection: upgrade\r\n"
            bits &= ~UPGRADE
        self._lines, self._length, self._bits = lines, length, bits

    def body(self, data: bytes, more: bool) -> Future[None] | None:
        """Write a piece of the body (:meth:`asgid.daemon.seam.ResponseSink.body`)."""
        if self._lost:
            raise ConnectionResetError("the client has gone")
        if self._lines is not None:
            now = self._factory.clock()
            self._first(self._lines, data, more, now)
            if now > self._factory.turns.ends:
                self._factory.turns.late(now)
            if not more:
                self._completed(now)
                return None
        else:
            self._further(data, more)
            if not more:
                self._completed(self._factory.clock())
                return None
        if self._write_paused:
            return self._wait()
        # A transport whose write has failed drops what is written and pauses nobody: an application that
        # sends and sends would never let the loop say that the connection is lost.
        self._turn -= len(data) + _PIECE_BYTES
        return self._take_turn() if self._turn < 0 or self._factory.turns.full else None

    def trailers(self, headers: Headers) -> None:
        """Complete the response (:meth:`asgid.daemon.seam.ResponseSink.trailers`)."""
        if self._lost:
            raise ConnectionResetError("the client has gone")
        lines = render_trailers(headers)
        if self._framing == LENGTH and self._left:
            raise ValueError(mismatch(self._body_bytes + self._left, self._body_bytes))
        if self._framing == CHUNKED:  # RFC 9112 7.1.2
            self.transport.write(b"0\r\n%b\r\n" % (lines if self._bits & SENDS_TRAILERS else b""))
        self._completed(self._factory.clock())

    def hint(self, links: list[bytes]) -> Future[None] | None:
        """Write 103 Early Hints (:meth:`asgid.daemon.seam.ResponseSink.hint`)."""
        if self._lost:
            raise ConnectionResetError("the client has gone")
        lines, _, _ = render([(b"link", link) for link in links])
        if not lines or self._old or (self._status and self._lines is None):
            return None  # RFC 9110 15.2: no 1xx to HTTP/1.0; and after the head it is too late
        self.transport.write(b"HTTP/1.1 103 Early Hints\r\n%b\r\n" % lines)
        if self._write_paused:
            return self._wait()
        self._turn -= len(lines) + _PIECE_BYTES
        return self._take_turn() if self._turn < 0 else None

    def _takes_trailers(self) -> bool:
        """Whether the client has said that it does not drop trailers (RFC 9110 6.5.1, 10.1.4)."""
        if self._old or self._head is None:
            return False
        values = b",".join(header_values(self._head.headers, b"te"))
        return any(value.partition(b";")[0].strip().lower() == b"trailers" for value in values.split(b","))

    def _wait(self) -> Future[None]:
        """Return a future that is done when the client keeps up again, and fails where it goes."""
        waiter: Future[None] = asyncio.get_running_loop().create_future()
        self._waiters = (*self._waiters, waiter)
        return waiter

    def _take_turn(self) -> Future[None]:
        """Return a future that is done when everybody else has had a turn."""
        self._turn = _TURN_BYTES
        return self._factory.turns.wait()

    def fail(self, status: int, extra: bytes = b"") -> None:
        """Answer with an error, or cut the connection (:meth:`asgid.daemon.seam.ResponseSink.fail`).

        ``extra`` are further lines of the answer's head.
        """
        self._application_deadline = NEVER
        if self._lost:
            return
        if self._status and self._lines is None:
            self._factory.counters.cut += 1
            self._finished(cut=True)
            self._abort()
        else:
            self._answer_error(status, extra)

    # Writing.

    def _first(self, lines: bytes, data: bytes, more: bool, now: float) -> None:
        """Write the head, with the first piece of the body."""
        factory = self._factory
        status = self._status
        length = self._length
        size = len(data)
        framing = b"\r\n"
        if self._bodiless or status in BODILESS:
            if status == 205:
                framing = b"content-length: 0\r\n\r\n"  # RFC 9110 15.3.6
            elif length < 0 and size and not more and status not in BODILESS:
                # what the answer to GET would say (RFC 9110 9.3.2)
                framing = b"content-length: %d\r\n\r\n" % size
            self._framing = NO_BODY
            data = b""
            size = 0
        elif length >= 0:
            left = length - size
            if left < 0 or (left and not more):
                raise ValueError(mismatch(length, size))
            self._left = left
            self._framing = LENGTH
        elif not more:
            self._framing = NO_BODY
            framing = b"content-length: %d\r\n\r\n" % size
        elif self._old:
            self._framing = UNTIL_CLOSE  # RFC 9112 7.1: chunked is never sent to HTTP/1.0
            self._keep_alive = False
        else:
            self._framing = CHUNKED
            framing = b"transfer-encoding: chunked\r\n\r\n"
            if size:
                data = b"%x\r\n%b\r\n" % (size, data)
        # A client that was not told to continue may send its body or not: where it ends cannot be known. A
        # long body that is not read yet may never be: it is not worth reading for the next request. What is
        # announced here is all that can be: a chunked body, whose length nobody knows, and a short one are
        # read and thrown away after the response, and end the connection only where they are too long.
        if (
            not self._keep_alive
            or self._expect
            or self._bits & WANTS_CLOSE
            or (self._rest > DISCARD_BYTES and self._chunked is None)
        ):
            self._keep_alive = False
            self._expect = False  # a 100 would now stand inside the response
            framing = b"connection: close\r\n" + framing
        elif self._old:
            framing = b"connection: keep-alive\r\n" + framing
        prefix = factory.writer.prefix(status, now, self._bits & (HAS_DATE | HAS_SERVER))
        self._lines = None
        self._body_bytes = size
        if size < JOIN_BYTES:
            self.transport.write(b"".join((prefix, lines, factory.extra_lines, framing, data)))
        else:
            self.transport.write(b"".join((prefix, lines, factory.extra_lines, framing)))
            self.transport.write(data)

    def _further(self, data: bytes, more: bool) -> None:
        """Write a piece after the first."""
        size = len(data)
        framing = self._framing
        if framing == NO_BODY:
            return
        if framing == LENGTH:
            left = self._left - size
            if left < 0 or (left and not more):
                raise ValueError(mismatch(self._body_bytes + self._left, self._body_bytes + size))
            self._left = left
        self._body_bytes += size
        if framing == CHUNKED:
            if size:
                last = b"" if more else b"0\r\n\r\n"
                if size < JOIN_BYTES:
                    self.transport.write(b"%x\r\n%b\r\n%b" % (size, data, last))
                else:
                    self.transport.write(b"%x\r\n" % size)
                    self.transport.write(data)
                    self.transport.write(b"\r\n" + last)
            elif not more:
                self.transport.write(b"0\r\n\r\n")
        elif size:
            self.transport.write(data)

    def _finished(self, *, cut: bool) -> None:
        """Tell the observers of the request that has ended."""
        factory = self._factory
        status = self._status
        if status >= 500:
            factory.counters.responses_5xx += 1
        elif status >= 400:
            factory.counters.responses_4xx += 1
        if factory.observe is not None and self._head is not None:
            factory.observe(
                Finished(
                    factory.name,
                    self._head,
                    status,
                    self._body_bytes,
                    factory.clock() - self._started_at,
                    cut,
                )
            )

    def _answer_error(self, status: int, extra: bytes) -> None:
        """Answer with a short text of the wire's own, then close (RFC 9112 9.6)."""
        factory = self._factory
        self._lines = None
        self._keep_alive = False
        self._expect = False
        self._status = status
        text = b"%d %b\n" % (status, PHRASES.get(status, b""))
        self._body_bytes = len(text)
        lines = (
            factory.writer.prefix(status, factory.clock()),
            factory.extra_lines,
            extra,
            b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
            % len(text),
            b"" if self._bodiless else text,
        )
        self.transport.write(b"".join(lines))
        self._finished(cut=False)
        self._linger()


def mismatch(length: int, size: int) -> str:
    """Say how a body of ``size`` bytes does not fit its Content-Length."""
    if size > length:
        return f"the body is longer than its Content-Length of {length} bytes"
    return f"the body ended after {size} bytes, its Content-Length is {length}"


def unsent_bytes(transport: Any) -> int:
    """Return how much a transport has yet to write; 0 where it cannot tell."""
    size = getattr(transport, "get_write_buffer_size", None)
    return size() if size is not None else 0


def untaken_bytes(transport: Any) -> int:
    """Return how much of what was written to a transport its client does not have yet.

    The kernel's part is counted: it asks for more only when a third of what may be megabytes has left.
    """
    return unsent_bytes(transport) + unacknowledged(transport.fileno())
