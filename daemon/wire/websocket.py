"""One WebSocket (RFC 6455) over HTTP/1.1: a Twisted protocol on one side, a WebSocketPort on the other.

A frame that is whole, final, masked, unfragmented and carries a message takes a short lane of our own, in
and out. Everything else is Autobahn's: see :mod:`asgid.daemon.wire.websocket_engine`. A connection borrows an
engine for its handshake, for a frame of another kind until that is dealt with, and for good to close.

The lane delivers a message before it looks at the next frame, so an application that waits for a message can
answer it before an error in a later frame ends the connection.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocol, IPushProducer
from zope.interface import implementer

from asgid.daemon.wire.http1_response import unsent_bytes
from asgid.daemon.wire.response_head import LEAST_LEFT_OUT, render
from asgid.daemon.wire.turns import CUT_ENDS, LATE_S
from asgid.daemon.wire.unread import has_unread, unacknowledged
from asgid.daemon.wire.websocket_ends import (
    CLOSE_S,
    CLOSED,
    CLOSING,
    CONNECTING,
    LINGERING,
    NEVER,
    OPEN,
    Ends,
    log,
)
from asgid.daemon.wire.websocket_frames import PING, frame_size
from asgid.daemon.wire.websocket_handshake import objection, shown

if TYPE_CHECKING:
    from twisted.python.failure import Failure

    from asgid.daemon.seam import Headers

_FEW_FRAMES = 4  # after which nobody looks at the time
_EARLY_BYTES = 64 * 1024  # read before the handshake is complete, before the socket is paused

# What an application may close with (RFC 6455 7.4.1, 7.4.2, IANA's registry): the rest is reserved.
_CODES = frozenset((1000, 1001, 1002, 1003, *range(1007, 1015), *range(3000, 5000)))


@implementer(IProtocol, IHalfCloseableProtocol, IPushProducer)
class WebSocketConnection(Ends):
    """Twisted's IProtocol, and the seam's ``WebSocketPort`` and ``Connection``, for one WebSocket.

    ``shared`` is the listener's, ``transport`` one that another protocol has read ``head`` from.
    """

    __slots__ = ("__weakref__",)

    def begin(self, ahead: bytes) -> None:
        """Take over the transport, and shake hands. ``ahead`` is what came after the head."""
        transport = self.transport
        transport.unregisterProducer()
        if hasattr(transport, "wrappedProtocol"):  # Twisted's TLS, a ProtocolWrapper
            transport.wrappedProtocol = self
        else:
            transport.protocol = self
        transport.registerProducer(self, True)
        transport.resumeProducing()
        self._deadline = self._shared.factory.deadline(self._shared.options.connect_s)
        why = self._objection()
        if why:
            self.engine_refusal(400, why)
            return
        self._engine = engine = self._shared.new(self)
        engine.shake(shown(self._head.headers))
        if ahead and self._state != CLOSED:
            self.dataReceived(ahead)

    def _objection(self) -> str:
        """Return what is wrong with a handshake that Autobahn would not see."""
        return objection(self._head.headers)

    def _agreed(self) -> bytes:
        """Return the lines of the handshake's answer that say what extensions are in use."""
        return b""

    # What Twisted calls.

    def makeConnection(self, transport: Any) -> None:
        """Do nothing: :meth:`begin` has done it."""

    def connectionMade(self) -> None:
        """Do nothing: :meth:`begin` has done it."""

    def dataReceived(self, data: bytes) -> None:
        """Take what came."""
        self._heard = True
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        if self._go and not self._scheduled:
            self._take(data)
        else:
            self._keep(data)

    def readConnectionLost(self) -> None:
        """Take note of the client's FIN: what came before it is taken, then this ends."""
        done = self._state == LINGERING or self._failure is not None
        if done or (not self._scheduled and (self._go or not self._buffer)):
            # what is kept where frames may be taken is a part of one, whose rest does not come
            self._lost(1006, "the client ended the connection without a closing handshake")
            self._lose()
        else:
            self._eof = True

    def writeConnectionLost(self) -> None:
        """Do nothing: the write side is closed only by this class."""

    def connectionLost(self, reason: Failure) -> None:  # noqa: ARG002 - a loss is a loss
        """Take note that the connection has ended."""
        self._lost(1006, "the connection was lost")
        self._enter(CLOSED)
        self._shared.factory.disconnected(self)

    # What the listener calls.

    @property
    def watched(self) -> bool:
        """Whether a departure can be found by looking only: the socket is not being read."""
        return self._reading_paused and self._state < LINGERING and not self._eof

    @property
    def idleness(self) -> None:
        """Nothing: a WebSocket waits for either side, and is never shed."""
        return

    def shed(self) -> None:
        """Do nothing: see :attr:`idleness`."""

    def fileno(self) -> int:
        """Return the socket's descriptor."""
        return int(self.transport.fileno())

    def departed(self, reset: bool) -> None:
        """Take note of a reset that was found by looking; what came before a FIN is to be read."""
        if reset:
            self._lost(1006, "the connection was lost")
            self._abort()
        elif self._failure is not None:  # nothing before it is to be read any more
            self.readConnectionLost()

    def sweep(self, now: float) -> None:
        """Act on the deadlines that have passed at ``now``; ping a client that was not heard for a while."""
        if self._heard:
            self._heard = False
            self._quiet_since = now
            self._pong_deadline = NEVER
        listens = self._state == OPEN and not self._reading_paused
        if self._deadline <= now or self._write_deadline <= now or (listens and self._pong_deadline <= now):
            if self._shared.factory.may_end(CUT_ENDS):
                self._end_of_time(now)
        elif (
            listens
            and self._pong_deadline is NEVER
            and now - self._quiet_since >= self._shared.ping_interval_s
        ):
            self._ping(now)

    def _ping(self, now: float) -> None:
        """Ask a client whether it is still there."""
        if not self._paused:
            self._write(PING)
        timeout = self._shared.options.ping_timeout_s
        self._pong_deadline = now + timeout if timeout else NEVER
        self._quiet_since = now

    def _end_of_time(self, now: float) -> None:
        """Act on a deadline that has passed."""
        if self._deadline <= now:
            self._expired()
        elif self._write_deadline <= now:
            self._write_expired()
        elif has_unread(self.fileno()):  # it is the server that is late: something keeps the loop busy
            self._pong_deadline = now + LATE_S
        else:
            self._shared.factory.counters.ping_timeouts += 1
            self._cut("the client does not answer pings")

    def _expired(self) -> None:
        """Act on the deadline of the state."""
        self._deadline = NEVER
        factory = self._shared.factory
        if self._state == CONNECTING:
            factory.counters.connect_timeouts += 1
            factory.complaints.say(
                log, self._head.client, "the application did not accept a WebSocket in time", logging.WARNING
            )
            sink, self._sink = self._sink, None
            if sink is not None:
                sink.expired()
            self._answer(403)
        elif self._state == OPEN:
            self.close(1001, "the longest life of a WebSocket is over")
        elif self._state == CLOSING and self._paused:
            self._deadline = factory.deadline(CLOSE_S)  # the close frame has not left; the write timeout runs
        elif self._state >= LINGERING and unsent_bytes(self.transport):
            self._deadline = factory.deadline(CLOSE_S)  # nor has what is the last; the same
        elif self._is_taken_slowly():
            self._deadline = factory.deadline(CLOSE_S)
        else:
            self._lost(1006, "the client did not complete the closing handshake")
            self._abort()

    def _is_taken_slowly(self) -> bool:
        """Whether the client got something since this was last asked, and does not have all of it yet."""
        before, self._under_way = self._under_way, unacknowledged(self.fileno())
        return 0 < self._under_way < before

    def drain(self) -> None:
        """Close with 1012, service restart (IANA's registry of RFC 6455); refuse what is not accepted yet."""
        if self._state == CONNECTING:
            self._answer(503)
        elif self._state == OPEN:
            self.close(1012, "")

    def cut(self) -> None:
        """Close now, whatever is under way."""
        if self._sink is not None:
            self._shared.factory.counters.cut += 1
        self._lost(1006, "the server cut the connection")
        self._abort()

    # The application's side: the WebSocketPort, but for what Ends does.

    def accept(self, subprotocol: str | None, headers: Headers) -> None:
        """Answer the handshake with 101 (:meth:`asgid.daemon.seam.WebSocketPort.accept`)."""
        opened, engine = self._opened, self._engine
        if self._state != CONNECTING or opened is None or engine is None:
            raise ConnectionResetError("the client has gone")
        if subprotocol is not None and subprotocol not in engine.websocket_protocols:
            raise ValueError(f"the subprotocol {subprotocol!r} was not asked for")  # RFC 6455 4.2.2
        headers = list(headers)
        lines, length, bits = render(headers)
        if length >= 0:  # RFC 9110 8.6: not in a 1xx
            lines, _, bits = render([pair for pair in headers if pair[0].lower() != b"content-length"])
        if b"\nsec-websocket-" in b"\n" + lines.lower():
            raise ValueError("the headers of Sec-WebSocket are the server's")
        factory = self._shared.factory
        if bits >= LEAST_LEFT_OUT:
            factory.say_left_out(bits, self._head)
        factory.counters.websockets += 1
        self._opened = None
        self._status = 101
        prefix = factory.writer.prefix(101, factory.clock(), bits)
        engine.prefix = prefix + factory.extra_lines + lines + self._agreed()
        opened.callback(subprotocol)
        self._enter(OPEN)
        self._deadline = factory.deadline(self._shared.options.lifetime_s)
        self._return_engine()
        if self._buffer:
            self._continue_soon()

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake (:meth:`asgid.daemon.seam.WebSocketPort.close`).

        Raises ``ValueError`` where the code may not be sent (RFC 6455 7.4). A reason is cut to 123 bytes.
        """
        if self._state != OPEN:
            raise ConnectionResetError("the WebSocket is closed")
        if code not in _CODES:
            raise ValueError(f"the close code {code} may not be sent: an application's own are 3000 to 4999")
        if self._failure is not None:
            self._fail_now()
            return
        if self._engine is None:
            self._engine = self._shared.lend(self)
        self._engine.sendCloseFrame(code, reason.encode()[:123].decode(errors="ignore").encode() or None)
        self._held = False  # what still comes is not for the application
        self._enter(CLOSING)
        self._deadline = self._shared.factory.deadline(CLOSE_S)
        self._wake("the WebSocket is closed")
        if self._reading_paused:
            self._continue_soon()

    def read(self) -> None:
        """Go on reading (:meth:`asgid.daemon.seam.WebSocketPort.read`)."""
        if self._held:
            self._held = False
            self._enter(self._state)
            self._continue_soon()

    def hold(self) -> None:
        """Stop reading and parsing (:meth:`asgid.daemon.seam.WebSocketPort.hold`)."""
        self._held = True
        self._go = False
        self._pause_reading()

    # Frames.

    def _take(self, data: bytes) -> None:
        """Take whole frames, a bounded number of them; keep the rest."""
        at = 0
        size = len(data)
        shared = self._shared
        frames = left = shared.turns.frames
        take_message, limit = shared.take_message, shared.message_bytes
        while at < size and left and self._go:
            left -= 1
            if self._engine is None:
                usual = take_message(data, at, limit)
                if usual is not None:
                    message, at = usual
                    if self._state == OPEN:
                        self._sink.message(message)  # type: ignore[union-attr]
                    continue
            taken = self._unusual(data, at)
            if not taken:
                break
            at += taken
        if frames - left > _FEW_FRAMES:
            shared.turns.look()
        if at < size or self._eof:
            self._keep(data[at:] if at else data)
            if self._go and not left:
                self._continue_soon()
            elif self._eof and self._go and not self._scheduled:
                self._ended()

    def _unusual(self, data: bytes, at: int) -> int:
        """Give Autobahn the frame at ``at``, or as much of it as came; return how many bytes those are."""
        rest = self._rest
        if not rest:
            head, length = frame_size(data, at)
            if not head:
                return 0
            rest = head + length
        piece = data[at : at + rest]
        engine = self._engine
        if engine is None:
            engine = self._engine = self._shared.lend(self)
        self._rest = rest - len(piece)
        engine.feed(piece)
        if engine.failedByMe:
            reason = (engine.localCloseReason or b"").decode()
            self._failed(engine.last_word, engine.localCloseCode or 1002, reason)
        elif not self._rest:
            self._return_engine()
        return len(piece)

    def _return_engine(self) -> None:
        engine = self._engine
        if engine is not None and engine.resting:
            self._engine = None
            self._shared.give_back(engine)

    def _failed(self, close_frame: bytes, code: int, reason: str) -> None:
        """Fail the connection (RFC 6455 7.1.7), once the application could answer what came before."""
        self._failure = close_frame, code, reason
        if self._state != OPEN or self._sink is None or self._sink.settle(self._fail_now):
            self._fail_now()
        else:
            # one that never asks may have gone for good, as may the client: no ping would find that now
            factory, options = self._shared.factory, self._shared.options
            self._deadline = min(self._deadline, factory.deadline(options.ping_timeout_s))
            self._go = False
            self._pause_reading()

    def _fail_now(self) -> None:
        failure, self._failure = self._failure, None
        if failure is None or self._state >= LINGERING:
            return
        close_frame, code, reason = failure
        if close_frame:
            self._write(close_frame)
        self._shared.factory.counters.bad_requests += 1
        self._complain(f"closed a WebSocket with {code}: {reason}")
        self._lost(code, reason)
        self._linger()

    def _complain(self, what: str) -> None:
        self._shared.factory.complaints.say(log, self._head.client, what)

    def _keep(self, data: bytes) -> None:
        """Keep what cannot be looked at now."""
        if self._state == LINGERING:
            self._rest -= len(data)
            if self._rest < 0:
                self._abort()
        elif self._state != CLOSED:
            self._buffer = data
            if not self._go and len(data) > _EARLY_BYTES:
                self._pause_reading()

    def _ended(self) -> None:
        """Go on after the last of what came before the client's FIN."""
        self._lost(1006, "the client ended the connection without a closing handshake")
        self._lose()

    def _continue_soon(self) -> None:
        """Go on with what was kept on the next turn of the loop, and read nothing until then."""
        if not self._scheduled:
            self._scheduled = True
            self._pause_reading()
            self._shared.turns.defer(self)

    def go_on(self) -> None:
        """Go on with what was kept (:class:`asgid.daemon.wire.turns.Deferred`)."""
        self._scheduled = False
        if self._go:
            data, self._buffer = self._buffer, b""
            if data or self._eof:
                self._take(data)
            if self._go and not self._scheduled and self._reading_paused:
                self._reading_paused = False
                self._heard = True  # nothing could be heard until now
                self.transport.resumeProducing()

    def _pause_reading(self) -> None:
        if not self._reading_paused and self._state < LINGERING:
            self._reading_paused = True
            self.transport.pauseProducing()

    # What the engine calls.

    def engine_opening(self) -> Deferred[str | None]:
        """Ask the application to accept the handshake, which is valid."""
        self._opened = opened = Deferred[str | None]()
        self._sink = self._shared.factory.gateway.begin_websocket(self._head, self)
        return opened

    def engine_refusal(self, status: int, why: str) -> None:
        """Refuse a handshake that is not valid."""
        self._shared.factory.counters.bad_requests += 1
        self._complain(f"refused a WebSocket with {status}: {why}")
        extra = b"upgrade: websocket\r\nsec-websocket-version: 13\r\n" if status == 426 else b""
        self._answer(status, extra)

    def engine_write(self, data: bytes) -> None:
        """Write what Autobahn has to say."""
        if self._state < LINGERING:
            self._write(data)

    def engine_message(self, data: bytes, is_text: bool) -> None:
        """Deliver a message that did not take the lane; its UTF-8 is checked."""
        if self._state == OPEN and self._sink is not None:
            self._sink.message(data.decode() if is_text else data)

    def engine_ping(self, payload: bytes) -> None:
        """Answer a ping; where writing is paused the last of several alone, later (RFC 6455 5.5.3)."""
        if self._paused:
            self._pong = payload
        elif self._engine is not None:
            self._engine.sendPong(payload)  # type: ignore[no-untyped-call]

    def engine_dropped(self) -> None:
        """Close: the closing handshake is complete."""
        engine = self._engine
        if engine is not None and not engine.failedByMe:
            code = 1005 if engine.remoteCloseCode is None else engine.remoteCloseCode
            self._lost(code, engine.remoteCloseReason or "", clean=True)
            self._lose()
