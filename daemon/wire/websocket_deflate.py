"""Compression of messages, permessage-deflate (RFC 7692): what is agreed on, deflating, inflating in bounds.

A connection that has sent and received has two windows. With :data:`_WINDOW_BITS` and :data:`_MEMORY_LEVEL`
they take 34 KiB and 10 KiB, with the defaults of zlib 96 and 12; short messages come out within a tenth of
the same length (measured).
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Any

from asgid.daemon.wire.http1_head import TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Deflate", "InflateError", "MalformedError", "TooLongError", "negotiate"]

NAME = b"permessage-deflate"
_WINDOW_BITS = 12
_MEMORY_LEVEL = 5
_LEVEL = 4

_TAIL = b"\x00\x00\xff\xff"  # ends what was flushed, and is not sent (RFC 7692 7.2.1)
_IN_BYTES = 16 * 1024  # inflated at once: what of it is left over is copied
_OUT_BYTES = 64 * 1024  # inflated to at once
_FINALS = 64  # final blocks in a message: each of them costs a new window

# A token as a quoted string, any byte of which may have a backslash before it (RFC 6455 9.1)
_QUOTED = rb"(?:\\?[!#$%&'*+.^_`|~0-9A-Za-z-])+"
_PARAMETER = re.compile(
    rb"[ \t]*;[ \t]*(?P<name>%b)(?:[ \t]*=[ \t]*(?:(?P<value>%b)|\"(?P<quoted>%b)\"))?"
    % (TOKEN, TOKEN, _QUOTED)
)
_EXTENSION = re.compile(rb"[ \t]*(?P<name>%b)" % TOKEN)
_COMMA = re.compile(rb"[ \t]*(?:,[ \t]*)+|[ \t]*\Z")
_BITS = {b"%d" % bits: bits for bits in range(8, 16)}
_FLAGS = frozenset((b"server_no_context_takeover", b"client_no_context_takeover"))
_WINDOWS = frozenset((b"server_max_window_bits", b"client_max_window_bits"))

Parameters = dict[bytes, "bytes | None"]


class MalformedError(Exception):
    """The header is not as RFC 6455 9.1 has it, and the handshake is to be refused."""


class InflateError(Exception):
    """The payload of a compressed message is not what DEFLATE produces."""


class TooLongError(Exception):
    """A message is longer than the limit, once inflated."""


def negotiate(values: Iterable[bytes]) -> Deflate | None:
    """Accept the first offer that can be; ``values`` are those of Sec-WebSocket-Extensions, in order.

    ``None`` where there is none. Raises :class:`MalformedError`.
    """
    agreed = None
    for value in values:
        for name, parameters in _extensions(value):
            if agreed is None and name == NAME and parameters is not None:
                agreed = _accept(parameters)
    return agreed


def _extensions(value: bytes) -> Iterator[tuple[bytes, Parameters | None]]:
    """Yield each extension of a header (RFC 6455 9.1); no parameters where one of them is there twice."""
    at = 0
    if comma := _COMMA.match(value):  # empty members of a list are none (RFC 9110 5.6.1.2)
        at = comma.end()
    while at < len(value):
        found = _EXTENSION.match(value, at)
        if found is None:
            raise MalformedError
        name, at = found["name"], found.end()
        parameters: Parameters | None = {}
        while each := _PARAMETER.match(value, at):
            at = each.end()
            if parameters is not None:
                twice = each["name"] in parameters
                quoted = each["quoted"]
                parameters[each["name"]] = quoted.replace(b"\\", b"") if quoted else each["value"]
                parameters = None if twice else parameters
        yield name, parameters
        comma = _COMMA.match(value, at)
        if comma is None:
            raise MalformedError
        at = comma.end()


def _accept(offered: Parameters) -> Deflate | None:
    """Accept an offer, or decline it: RFC 7692 7.1 says which are invalid.

    A server_max_window_bits of 8 is declined, too: zlib has no such window to deflate with.
    """
    for name, value in offered.items():
        if name in _FLAGS:
            valid = value is None
        elif name in _WINDOWS:
            valid = value in _BITS or (value is None and name == b"client_max_window_bits")
        else:
            valid = False
        if not valid:
            return None
    server_bits = _BITS[offered.get(b"server_max_window_bits") or b"15"]
    client_bits = _BITS[offered.get(b"client_max_window_bits") or b"15"]
    if server_bits == 8:
        return None
    answer = NAME + b"".join(b"; " + flag for flag in sorted(_FLAGS) if flag in offered)
    if b"server_max_window_bits" in offered:
        answer += b"; server_max_window_bits=%d" % min(server_bits, _WINDOW_BITS)
    inflate_bits = 15  # a client that does not say that it can use less uses that (RFC 7692 7.1.2.2)
    if b"client_max_window_bits" in offered:
        answer += b"; client_max_window_bits=%d" % min(client_bits, _WINDOW_BITS)
        inflate_bits = _WINDOW_BITS  # a window may be larger than what was deflated with
    return Deflate(
        answer,
        deflate_bits=min(server_bits, _WINDOW_BITS),
        inflate_bits=inflate_bits,
        deflate_keeps=b"server_no_context_takeover" not in offered,
        inflate_keeps=b"client_no_context_takeover" not in offered,
    )


class Deflate:
    """What two ends have agreed on, and the windows of this one. ``answer`` is the header that says so."""

    __slots__ = (
        "_deflate_bits", "_deflate_keeps", "_deflater", "_inflate_bits", "_inflate_keeps", "_inflater",
        "answer",
    )  # fmt: skip

    def __init__(
        self, answer: bytes, *, deflate_bits: int, inflate_bits: int, deflate_keeps: bool, inflate_keeps: bool
    ) -> None:
        self.answer = answer
        self._deflate_bits = deflate_bits
        self._inflate_bits = inflate_bits
        self._deflate_keeps = deflate_keeps  # context takeover: a window goes on with the next message
        self._inflate_keeps = inflate_keeps
        self._deflater: Any = None
        self._inflater: Any = None

    def deflate(self, data: bytes) -> bytes:
        """Return a message, not empty, as it is to be sent; it has to be, for the window holds it."""
        deflater = self._deflater
        if deflater is None:
            deflater = zlib.compressobj(_LEVEL, zlib.DEFLATED, -self._deflate_bits, _MEMORY_LEVEL)
            if self._deflate_keeps:
                self._deflater = deflater
        packed: bytes = deflater.compress(data) + deflater.flush(zlib.Z_SYNC_FLUSH)
        return packed[:-4]

    def rest(self) -> None:
        """Give up the window to deflate with: the next message begins another, which needs no agreement."""
        self._deflater = None

    def inflate(self, data: bytes, limit: int) -> bytes:
        """Return the message that ``data`` was made of.

        Holds at most ``limit`` and :data:`_OUT_BYTES` bytes. Raises :class:`TooLongError` and
        :class:`InflateError`; nothing can be inflated after that.
        """
        if not data:
            return b""  # it should be one empty block (RFC 7692 7.2.3.6)
        try:
            pieces = list(self._pieces(data, limit))
        except zlib.error as error:
            raise InflateError(str(error)) from None
        if not self._inflate_keeps:
            self._inflater = None
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _pieces(self, data: bytes, left: int) -> Iterator[bytes]:
        finals = _FINALS
        inflater = self._inflater or self._new()
        for part in _parts(data):
            rest = part
            while True:
                # Most messages have at most eight times the length, and a small buffer is cheap to get.
                size = min(_OUT_BYTES, 64 + 8 * len(rest))
                piece = inflater.decompress(rest, size)
                left -= len(piece)
                if left < 0:
                    raise TooLongError
                yield piece
                if inflater.eof:  # a block may be final, others may follow it (RFC 7692 7.2.3.4)
                    finals -= 1
                    if finals < 0:
                        raise InflateError("too many final blocks")
                    rest = inflater.unused_data
                    inflater = self._new()
                    if rest == _TAIL:  # nothing follows, not even the byte that RFC 7692 7.2.3.4 has there
                        break
                elif len(piece) < size:
                    break
                else:
                    rest = inflater.unconsumed_tail

    def _new(self) -> Any:
        self._inflater = inflater = zlib.decompressobj(-self._inflate_bits)
        return inflater


def _parts(data: bytes) -> Iterator[bytes]:
    """Yield what is to be inflated in pieces of a bounded length, the tail that was not sent with it."""
    if len(data) <= _IN_BYTES:
        yield data + _TAIL
    else:
        last = (len(data) - 1) // _IN_BYTES * _IN_BYTES
        for at in range(0, last, _IN_BYTES):
            yield data[at : at + _IN_BYTES]
        yield data[last:] + _TAIL
