"""The writing half of a WebSocket connection, and every way in which it ends (RFC 6455 7)."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from asgid.daemon.seam import Finished, release
from asgid.daemon.wire.http1_response import BODILESS, unsent_bytes, untaken_bytes
from asgid.daemon.wire.layers import end_of_writing
from asgid.daemon.wire.response_head import LEAST_LEFT_OUT, PHRASES, UPGRADE, named_lines, render
from asgid.daemon.wire.websocket_frames import (
    FINAL_BINARY,
    FINAL_TEXT,
    frame_head,
    put_message,
)

if TYPE_CHECKING:
    from asyncio import Future

    from twisted.internet.defer import Deferred

    from asgid.daemon.seam import Headers, RequestHead, WebSocketSink
    from asgid.daemon.wire.websocket_engine import Engine
    from asgid.daemon.wire.websocket_shared import WebSockets

log = logging.getLogger("asgid.websocket")

NEVER = float("inf")

CONNECTING = 0  # the application has not accepted or refused
OPEN = 1
CLOSING = 2  # our close frame is sent, the client's is awaited
LINGERING = 3  # the write side is closed; what comes is thrown away, so that no reset eats what was written
CLOSED = 4

_TURN_BYTES = 256 * 1024  # that an application sends before everybody else has a turn
_MESSAGE_BYTES = 256  # what a message counts for beside its length
# Of the message that was refused with 1009, say: many send the whole of one before they look for an answer.
_LINGER_BYTES = 64 * 1024 * 1024
CLOSE_S = 5.0  # for the client's close frame, and for its end of the connection


class Ends:
    """Writes messages and answers, and ends the connection. Its subclass reads."""

    __slots__ = (
        "_body_bytes", "_buffer", "_deadline", "_engine", "_eof", "_failure", "_go", "_head", "_heard",
        "_held", "_opened", "_paused", "_pong", "_pong_deadline", "_quiet_since", "_reading_paused", "_rest",
        "_scheduled", "_shared", "_sink", "_started_at", "_state", "_status", "_turn", "_under_way",
        "_untaken", "_waiters", "_write", "_write_deadline", "transport",
    )  # fmt: skip

    def __init__(self, shared: WebSockets, transport: Any, head: RequestHead) -> None:
        self._shared = shared
        self.transport = transport
        self._write = transport.write
        self._head = head
        self._state = CONNECTING
        self._sink: WebSocketSink | None = None
        self._engine: Engine | None = None
        self._opened: Deferred[str | None] | None = None  # fires when the application accepts
        self._buffer = b""  # read and not looked at
        self._rest = 0  # bytes that are still to come: of the frame that the engine is in, or while lingering
        self._go = False  # frames may be taken: open or closing, and not held
        self._held = False  # by the application, which has enough messages
        self._failure: tuple[bytes, int, str] | None = None  # the close frame, code and reason to end with
        self._eof = False  # the client's FIN has come, after what is in the buffer
        self._scheduled = False  # the next turn of the loop goes on with the buffer
        self._reading_paused = False
        self._paused = False  # writing
        self._pong: bytes | None = None  # owed since writing was paused
        self._waiters: list[Future[None]] | None = None
        self._heard = False  # something came since the last sweep
        self._status = 0
        self._body_bytes = 0
        self._turn = _TURN_BYTES
        self._untaken = 0  # bytes that its client did not have when this was last looked at
        self._under_way = 1 << 62  # bytes that the client did not have yet when it was last waited for
        self._started_at = self._quiet_since = shared.factory.clock()
        self._deadline = self._pong_deadline = self._write_deadline = NEVER

    def _enter(self, state: int) -> None:
        self._state = state
        self._go = (state == OPEN or state == CLOSING) and not self._held and self._failure is None  # noqa: PLR1714, SIM109 - dearer
        if state >= LINGERING:
            self._buffer = b""
            if self._engine is not None:
                self._engine.user = None
                self._engine = None

    # Writing.

    def pauseProducing(self) -> None:
        """Write no more: the client does not keep up (IPushProducer)."""
        self._paused = True
        self._time_writing()

    def _time_writing(self) -> None:
        """Give the client the time to read something of what waits."""
        factory = self._shared.factory
        self._untaken = untaken_bytes(self.transport)
        self._write_deadline = factory.deadline(factory.timeouts.response_write_s)

    def resumeProducing(self) -> None:
        """Go on writing (IPushProducer)."""
        self._paused = False
        self._write_deadline = NEVER
        pong, self._pong = self._pong, None
        if pong is not None and self._state == OPEN:
            self._write(b"\x8a%c%b" % (len(pong), pong))
        self._wake()

    def stopProducing(self) -> None:
        """Write no more: the connection is lost, which connectionLost tells (IProducer)."""

    def send(self, data: str | bytes) -> Future[None] | None:
        """Send a message (:meth:`asgid.daemon.seam.WebSocketPort.send`)."""
        if self._state != OPEN:
            raise ConnectionResetError("the WebSocket is closed")
        frame = put_message(data)
        if frame is not None:
            self._write(frame)
            size = len(frame)
            size -= 2 if size < 128 else 4
        else:
            size = self._send_long(data)
        self._body_bytes += size
        # A transport whose write has failed drops what is written and pauses nobody: an application that
        # sends and sends would never let the loop say that the connection is lost.
        self._turn -= size + _MESSAGE_BYTES  # as in _sent, without a call
        if self._paused:
            return self._wait()
        return self._take_turn() if self._turn < 0 else None

    def _send_long(self, data: str | bytes) -> int:
        """Send a long message beside its frame's head; return how many bytes it has."""
        opcode, payload = (FINAL_TEXT, data.encode()) if isinstance(data, str) else (FINAL_BINARY, data)
        self._write(frame_head(opcode, len(payload)))
        self._write(payload)
        return len(payload)

    def _sent(self, size: int) -> Future[None] | None:
        """Return what :meth:`send` returns, after a message of ``size`` bytes."""
        self._turn -= size + _MESSAGE_BYTES
        if self._paused:
            return self._wait()
        return self._take_turn() if self._turn < 0 else None

    def _take_turn(self) -> Future[None]:
        """Return a future that is done when everybody else has had a turn."""
        self._turn = _TURN_BYTES
        return self._shared.turns.wait()

    def _wait(self) -> Future[None]:
        """Return a future that is done when the client has caught up."""
        waiter: Future[None] = asyncio.get_running_loop().create_future()
        if self._waiters is None:
            self._waiters = []
        self._waiters.append(waiter)
        return waiter

    def _wake(self, lost: str | None = None) -> None:
        waiters, self._waiters = self._waiters, None
        if waiters:
            release(waiters, lost)

    # Answers in place of a handshake.

    def refuse(self, status: int, headers: Headers, body: bytes, objection: str = "") -> None:
        """Answer the handshake with a response (:meth:`asgid.daemon.seam.WebSocketPort.refuse`)."""
        if self._state != CONNECTING:
            raise ConnectionResetError("the client has gone")
        headers = list(headers)
        lines, length, bits = render(headers)
        if status in BODILESS:
            body = b""
            if status != 304:  # RFC 9110 8.6, 15.3.6
                lines, _, bits = render([pair for pair in headers if pair[0].lower() != b"content-length"])
                lines += b"content-length: 0\r\n" if status == 205 else b""
        elif length not in (-1, len(body)):
            raise ValueError(f"the body has {len(body)} bytes, its Content-Length is {length}")
        elif length < 0:
            lines += b"content-length: %d\r\n" % len(body)
        if status == 426 and bits & UPGRADE:  # RFC 9110 15.5.22
            lines += named_lines(headers, b"upgrade")
            bits &= ~UPGRADE
        factory = self._shared.factory
        if bits >= LEAST_LEFT_OUT:
            factory.say_left_out(bits, self._head)
        if objection:
            factory.complaints.say(log, self._head.client, f"refused a WebSocket with {status}: {objection}")
        self._respond(status, factory.writer.prefix(status, factory.clock(), bits), lines, body)

    def _answer(self, status: int, extra: bytes = b"") -> None:
        """Answer the handshake with an error of the wire's own."""
        text = b"%d %b\n" % (status, PHRASES.get(status, b""))
        factory = self._shared.factory
        lines = b"%bcontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n" % (extra, len(text))
        self._respond(status, factory.writer.prefix(status, factory.clock()), lines, text)

    def _respond(self, status: int, prefix: bytes, lines: bytes, body: bytes) -> None:
        factory = self._shared.factory
        if status >= 500:
            factory.counters.responses_5xx += 1
        elif status >= 400:
            factory.counters.responses_4xx += 1
        self._status = status
        self._body_bytes = len(body)
        # RFC 9110 15.5.22: a 426 names in Upgrade what it wants, and 7.8: Upgrade is hop by hop
        connection = b"close, upgrade" if status == 426 else b"close"
        self._write(prefix + lines + factory.extra_lines + b"connection: %b\r\n\r\n" % connection + body)
        self._lost(1006, "the handshake was refused", clean=True)
        self._linger()

    # Ends.

    def _lost(self, code: int, reason: str, *, clean: bool = False) -> None:
        """Tell the application and the observers, once, that this is over."""
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.gone(code, reason)
        self._wake("the WebSocket is closed")
        factory = self._shared.factory
        started_at, self._started_at = self._started_at, NEVER
        if factory.observe is not None and started_at is not NEVER:
            duration_s = factory.clock() - started_at
            factory.observe(
                Finished(factory.name, self._head, self._status, self._body_bytes, duration_s, not clean)
            )

    def _write_expired(self) -> None:
        """Cut a client that does not read; one that reads, if slowly, has as long again."""
        if not unsent_bytes(self.transport) and self._state >= LINGERING:
            self._write_deadline = NEVER
        elif untaken_bytes(self.transport) < self._untaken:
            self._time_writing()
        else:
            self._shared.factory.counters.write_timeouts += 1
            self._cut("the client does not read")

    def _cut(self, why: str) -> None:
        """Cut a client that is too slow."""
        factory = self._shared.factory
        factory.counters.cut += 1
        factory.complaints.say(log, self._head.client, f"cut a WebSocket: {why}")
        self._lost(1006, why)
        self._abort()

    def _lose(self) -> None:
        """Close when all is written."""
        if self._state != CLOSED:
            if self._state != LINGERING:
                self.transport.unregisterProducer()
            self._enter(CLOSED)
            self._deadline = self._shared.factory.deadline(CLOSE_S)
            self._time_writing()
            self.transport.loseConnection()

    def _abort(self) -> None:
        self._enter(CLOSED)
        self._deadline = self._write_deadline = NEVER
        self.transport.abortConnection()

    def _linger(self) -> None:
        """Close the write side when all is written, and read on for a while (RFC 9112 9.6)."""
        end_writing = end_of_writing(self.transport)
        if end_writing is None or self._eof:  # the client's end, which would be waited for, has come
            self._lose()
            return
        self._enter(LINGERING)
        self._rest = _LINGER_BYTES
        self._deadline = self._shared.factory.deadline(CLOSE_S)
        self._time_writing()
        self.transport.unregisterProducer()
        end_writing()
        if self._reading_paused:
            self._reading_paused = False
            self.transport.resumeProducing()
