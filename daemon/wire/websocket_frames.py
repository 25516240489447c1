"""WebSocket frames of the usual kind: final, unfragmented, uncompressed messages (RFC 6455 5.2).

Only those are taken apart and put together here; every other frame goes to Autobahn.
"""

from __future__ import annotations

from collections.abc import Callable

FINAL_TEXT = 0x81
FINAL_BINARY = 0x82
COMPRESSED = 0x40  # RSV1 of a message's first frame (RFC 7692 6)
MASKED = 0x80
PING = b"\x89\x00"  # a ping of the server's own carries nothing

# Unmasks a payload (RFC 6455 5.3).
Unmask = Callable[[bytes, bytes | memoryview], bytes | bytearray]

# Above it Autobahn's compiled masker is faster than the exclusive or of two integers (measured: 200 bytes).
XOR_BYTES = 200

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
