"""A WebSocket whose client offers to compress messages (RFC 7692).

A compressed message is inflated here, as soon as it is whole. One in a single frame takes a short lane of its
own. The frames of any other are Autobahn's, which is shown a binary message that is not compressed, and
applies the rules on reserved bits to all that remains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgid.daemon.seam import header_values
from asgid.daemon.wire.websocket import WebSocketConnection
from asgid.daemon.wire.websocket_deflate import InflateError, MalformedError, TooLongError, negotiate
from asgid.daemon.wire.websocket_ends import OPEN
from asgid.daemon.wire.websocket_frames import (
    COMPRESSED,
    FINAL_BINARY,
    FINAL_TEXT,
    MASKED,
    frame_head,
    frame_size,
    is_minimal,
)

if TYPE_CHECKING:
    from asyncio import Future

    from asgid.daemon.seam import RequestHead
    from asgid.daemon.wire.websocket_deflate import Deflate
    from asgid.daemon.wire.websocket_shared import WebSockets

_EXTENSIONS = b"sec-websocket-extensions"
_TURN_BYTES = 256 * 1024  # inflated before everybody else has a turn
_WAIT_BYTES = 64 * 1024  # a frame that is not longer is waited for
_REST_S = 30.0  # without a message sent, before the window for the next is given up


def open_websocket(shared: WebSockets, transport: Any, head: RequestHead) -> WebSocketConnection:
    """Return the connection of a handshake, to be begun."""
    if shared.options.compression and any(name == _EXTENSIONS for name, _ in head.headers):
        return CompressedConnection(shared, transport, head)
    return WebSocketConnection(shared, transport, head)


class CompressedConnection(WebSocketConnection):
    """A WebSocket whose handshake names extensions: a message of either side may be compressed."""

    __slots__ = ("_deflate", "_inflated", "_kind", "_limit", "_sent_at", "_sent_one", "_threshold")

    def __init__(self, shared: WebSockets, transport: Any, head: RequestHead) -> None:
        super().__init__(shared, transport, head)
        self._deflate: Deflate | None = None  # where nothing was agreed on
        self._kind = 0  # of a compressed message whose frames Autobahn gathers: 1 text, 2 binary
        self._inflated = 0  # bytes, in this turn
        self._limit = shared.options.message_bytes or 1 << 63
        self._threshold = max(shared.options.compression_threshold_bytes, 1)
        self._sent_one = False
        self._sent_at = 0.0

    def _objection(self) -> str:
        try:
            self._deflate = negotiate(header_values(self._head.headers, _EXTENSIONS))
        except MalformedError:
            return "Sec-WebSocket-Extensions is malformed"  # RFC 6455 9.1
        return super()._objection()

    def _agreed(self) -> bytes:
        return b"" if self._deflate is None else b"sec-websocket-extensions: %b\r\n" % self._deflate.answer

    def sweep(self, now: float) -> None:
        """Act on what is due; give up a window that was not used for long."""
        if self._sent_one:
            self._sent_one = False
            self._sent_at = now
        elif self._deflate is not None and now - self._sent_at >= _REST_S:
            self._deflate.rest()
        super().sweep(now)

    # Messages of the application.

    def send(self, data: str | bytes) -> Future[None] | None:
        """Send a message (:meth:`asgid.daemon.seam.WebSocketPort.send`)."""
        payload = data.encode() if isinstance(data, str) else data
        size = len(payload)
        if self._deflate is None or size < self._threshold or self._state != OPEN:
            return super().send(data)
        packed = self._deflate.deflate(payload)
        first = COMPRESSED | (FINAL_TEXT if isinstance(data, str) else FINAL_BINARY)
        self._write(frame_head(first, len(packed)) + packed)
        self._sent_one = True
        self._body_bytes += len(packed)
        return self._sent(size)

    # Messages of the client.

    def _unusual(self, data: bytes, at: int) -> int:
        first = data[at]
        if self._rest or not first & COMPRESSED or not 0 < first & 0x0F < 3 or self._deflate is None:
            return super()._unusual(data, at)
        if self._inflated >= _TURN_BYTES:
            self._inflated = 0
            self._shared.turns.look()
            self._continue_soon()
            return 0
        if self._engine is None:
            packed = self._shared.take_packed(data, at, self._shared.message_bytes)
            if packed is not None:
                self._deliver(packed[0], first & 0x0F)
                return packed[1] - at
        head, length = frame_size(data, at)
        if not head:
            return 0
        end = at + head + length
        usual = first & 0xB0 == 0x80 and data[at + 1] & MASKED and is_minimal(head, length)
        short = length <= min(_WAIT_BYTES, self._shared.message_bytes)
        if usual and short and end > len(data) and self._engine is None:
            return 0
        self._kind = first & 0x0F
        return super()._unusual(bytes((first & ~COMPRESSED & 0xF0 | 2,)) + data[at + 1 : end], 0)

    def engine_message(self, data: bytes, is_text: bool) -> None:
        """Deliver a message that did not take a lane."""
        kind, self._kind = self._kind, 0
        if kind:
            self._deliver(data, kind)
        else:
            super().engine_message(data, is_text)

    def _deliver(self, payload: bytes, kind: int) -> None:
        """Inflate a message, and deliver it."""
        if self._state != OPEN or self._deflate is None or self._sink is None:
            return  # what comes after our close frame is for nobody
        try:
            data = self._deflate.inflate(payload, self._limit)
            message = data.decode() if kind == 1 else data
        except TooLongError:
            self._fail(1009, f"the message has more than {self._limit} bytes")
        except InflateError:
            self._fail(1007, "the message cannot be inflated")
        except UnicodeDecodeError:
            self._fail(1007, "the message is not UTF-8")
        else:
            self._inflated += len(data)
            self._sink.message(message)

    def _fail(self, code: int, reason: str) -> None:
        """Fail the connection (RFC 6455 7.1.7)."""
        close_frame = b"\x88%c%b%b" % (2 + len(reason), code.to_bytes(2, "big"), reason.encode())
        self._failed(close_frame, code, reason)
