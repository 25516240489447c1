"""WebSocket frames of the usual kind: final, unfragmented messages (RFC 6455 5.2).

Only those are taken apart and put together here; every other frame goes to Autobahn. What is compiled of it
(``_frames.c``) does the same, and is used where it is there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from asgid.daemon.wire import compiled

if TYPE_CHECKING:
    from asgid.daemon.wire.compiled import TakeMessage, TakePacked

FINAL_TEXT = 0x81
FINAL_BINARY = 0x82
COMPRESSED = 0x40  # RSV1 of a message's first frame (RFC 7692 6)
MASKED = 0x80
PING = b"\x89\x00"  # a ping of the server's own carries nothing

# Unmasks a payload (RFC 6455 5.3).
Unmask = Callable[[bytes, bytes | memoryview], bytes | bytearray]

# Above it Autobahn's compiled masker is faster than the exclusive or of two integers (measured: 200 bytes).
XOR_BYTES = 200

LONG_BYTES = 64 * 1024  # a payload from here on is written beside its frame's head, not copied behind it

# Heads of the server's frames, which are never masked (RFC 6455 5.1), by the length of their payload.
SHORT_TEXT = tuple(bytes((FINAL_TEXT, n)) for n in range(126))
SHORT_BINARY = tuple(bytes((FINAL_BINARY, n)) for n in range(126))


def frame_head(opcode: int, length: int) -> bytes:
    """Return the head of a final, unmasked frame of ``length`` bytes."""
    if length < 126:
        return bytes((opcode, length))
    if length < 0x10000:
        return b"%c\x7e" % opcode + length.to_bytes(2, "big")
    return b"%c\x7f" % opcode + length.to_bytes(8, "big")


def no_unmask(_mask: bytes, _data: bytes | memoryview) -> bytes:
    """Stand in until Autobahn is there, which it is before a frame comes."""
    raise AssertionError("a frame before the handshake")


def put_in_python(message: object) -> bytes | None:
    """Return the one frame of a message of str or bytes, ``None`` where it is long or of another type.

    Raises ``UnicodeEncodeError``.
    """
    if isinstance(message, str):
        payload = message.encode()
        opcode, short = FINAL_TEXT, SHORT_TEXT
    elif isinstance(message, bytes):
        payload = message
        opcode, short = FINAL_BINARY, SHORT_BINARY
    else:
        return None
    size = len(payload)
    if size < 126:
        return short[size] + payload
    return frame_head(opcode, size) + payload if size < LONG_BYTES else None


put_message = compiled.put_message or put_in_python


def takers(unmask_long: Unmask) -> tuple[TakeMessage, TakePacked]:
    """Return what takes a message from a plain frame, and what takes the payload of a compressed one.

    Each is called with data, a place in it and the longest payload, and returns it and where the frame ends,
    or ``None`` where no whole, final, masked frame of its kind, of a minimal length, stands there.
    """
    return (
        compiled.take_message or partial(take_message_in_python, unmask_long),
        compiled.take_packed or partial(take_packed_in_python, unmask_long),
    )


def take_message_in_python(
    unmask_long: Unmask, data: bytes, at: int, limit: int
) -> tuple[str | bytes, int] | None:
    """Take the message of a plain frame; text that is not UTF-8 is none (RFC 6455 8.1)."""
    first = data[at]
    if first not in (FINAL_TEXT, FINAL_BINARY):
        return None
    taken = _payload(unmask_long, data, at, limit)
    if taken is None or first == FINAL_BINARY:
        return taken
    try:
        return taken[0].decode(), taken[1]
    except UnicodeDecodeError:
        return None


def take_packed_in_python(unmask_long: Unmask, data: bytes, at: int, limit: int) -> tuple[bytes, int] | None:
    """Take the payload of a plain frame of a compressed message (RFC 7692 6)."""
    if data[at] & ~COMPRESSED not in (FINAL_TEXT, FINAL_BINARY) or not data[at] & COMPRESSED:
        return None
    return _payload(unmask_long, data, at, limit)


def _payload(unmask_long: Unmask, data: bytes, at: int, limit: int) -> tuple[bytes, int] | None:
    head, length = frame_size(data, at)
    start = at + head
    end = start + length
    if not head or not data[at + 1] & MASKED or length > limit or end > len(data):
        return None
    if not is_minimal(head, length):
        return None
    return bytes(unmask(data[start - 4 : start], data[start:end], unmask_long)), end


def unmask(mask: bytes, data: bytes, unmask_long: Unmask) -> bytes | bytearray:
    """Return the payload of a client's frame; ``unmask_long`` is for long ones (RFC 6455 5.3)."""
    length = len(data)
    if length > XOR_BYTES:
        return unmask_long(mask, data)
    key = (mask * ((length + 3) >> 2))[:length]
    return (int.from_bytes(data, "little") ^ int.from_bytes(key, "little")).to_bytes(length, "little")


def frame_size(data: bytes, at: int) -> tuple[int, int]:
    """Return the length of the head and of the payload of the frame that begins at ``at``.

    The first is 0 where the head has not come whole. Nothing is checked, the length's minimal form included:
    that is Autobahn's.
    """
    have = len(data) - at
    if have < 2:
        return 0, 0
    second = data[at + 1]
    head = 6 if second & MASKED else 2
    length = second & 0x7F
    if length == 126:
        head += 2
        return (head, int.from_bytes(data[at + 2 : at + 4], "big")) if have >= head else (0, 0)
    if length == 127:
        head += 8
        return (head, int.from_bytes(data[at + 2 : at + 10], "big")) if have >= head else (0, 0)
    return (head, length) if have >= head else (0, 0)


def is_minimal(head: int, length: int) -> bool:
    """Whether the length of a masked frame takes as few bytes as it can (RFC 6455 5.2)."""
    return head == (6 if length < 126 else 8 if length < 0x10000 else 14)
