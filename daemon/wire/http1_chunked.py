"""The chunked transfer coding (RFC 9112 7.1), decoded strictly and in pieces of any size."""

from __future__ import annotations

import re

from asgid.daemon.wire.http1_head import TOKEN, BadRequest
from asgid.daemon.wire.turns import TURN_LINES

# chunk-size [ chunk-ext ], without its CR LF: extensions are held to their grammar (RFC 9112 7.1.1), and then
# ignored. White space before a semicolon and around an equals sign is "bad", and a recipient must accept it
# there.
_QUOTED = rb'"(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"'
_SIZE_LINE = re.compile(
    rb"0*([0-9A-Fa-f]{0,16})"
    rb"(?:[ \t]*;[ \t]*" + TOKEN + rb"(?:[ \t]*=[ \t]*(?:" + TOKEN + rb"|" + _QUOTED + rb"))?)*"
)
# A size and nothing else, as nearly every chunk has it: no more than 18 characters, which count for nothing.
_PLAIN_SIZE = re.compile(rb"0{0,2}([0-9A-Fa-f]{1,16})\r\n")
# What may come before the line is whole: no control character may.
_SIZE_PART = re.compile(rb"0*[0-9A-Fa-f]{0,16}[ \t]*(?:;[^\x00-\x08\x0a-\x1f\x7f]*)?")
_TRAILER_LINE = re.compile(TOKEN + rb":[^\x00-\x08\x0a-\x1f\x7f]*")

_SIZE, _DATA, _DATA_END, _TRAILER, _DONE = range(5)


class ChunkedDecoder:
    """Decodes one chunked body. Trailers are checked and dropped: they are never merged into the headers.

    One call does a bounded piece of work: after it, while :attr:`more` is true, ``feed(b"")`` goes on.
    ``held`` and ``scheduled`` are the connection's: what it waits for before it reads on.
    """

    __slots__ = ("_buffer", "_left", "_limit", "_overhead", "_state", "held", "more", "rest", "scheduled")

    def __init__(self, overhead_limit_bytes: int) -> None:
        self._buffer = b""
        self._left = 0
        self._state = _SIZE
        self._limit = overhead_limit_bytes  # of extensions and trailers together; 0: none
        self._overhead = 0
        self.more = False  # of what came not all was looked at
        self.held = False  # the application has enough
        self.scheduled = False  # the next turn of the loop goes on
        self.rest = b""  # what came after the end of the body

    @property
    def done(self) -> bool:
        """Whether the body has ended; :attr:`rest` then holds what came after it."""
        return self._state == _DONE

    def feed(self, data: bytes, lines: int = TURN_LINES) -> bytes:
        """Take what came and return what of the body is in it. Raises :class:`BadRequest`.

        At most ``lines`` sizes and trailers are looked at.
        """
        data = self._buffer + data if self._buffer else data
        pieces: list[bytes] = []
        position = 0
        end = len(data)
        while position < end and self._state != _DONE and lines > 0:
            if self._state == _SIZE:  # whole plain chunks, without a call for each
                while lines > 0 and (match := _PLAIN_SIZE.match(data, position)):
                    start = match.end()
                    stop = start + int(match[1], 16)
                    if stop == start or data[stop : stop + 2] != b"\r\n":
                        break
                    pieces.append(data[start:stop])
                    position = stop + 2
                    lines -= 1
                if position == end or not lines:
                    break
            if self._state == _DATA:
                piece = data[position : position + self._left]
                pieces.append(piece)
                position += len(piece)
                self._left -= len(piece)
                if not self._left:
                    self._state = _DATA_END
            elif self._state == _DATA_END:
                if not b"\r\n".startswith(data[position : position + 2]):
                    raise BadRequest(400, "a chunk does not end with CR LF")
                if end - position < 2:
                    break
                position += 2
                self._state = _SIZE
            else:
                line_end = self._line_end(data, position)
                if line_end < 0:
                    break
                self._line(data[position:line_end])
                position = line_end + 2
                lines -= 1
        self._buffer = data[position:]
        self.more = position < end and not lines and self._state != _DONE
        if self._state == _DONE:
            self.rest, self._buffer = self._buffer, b""
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _line_end(self, data: bytes, position: int) -> int:
        """Find the CR LF that ends a line; -1 where it has not come, with what came held to the rules."""
        line_end = data.find(b"\r\n", position)
        if line_end >= 0:
            self._count(line_end - position)
            return line_end
        part = data[position:].removesuffix(b"\r")
        if b"\n" in part or b"\r" in part:
            raise BadRequest(400, "bare CR or LF in chunked framing")
        if self._state == _SIZE and part and not _SIZE_PART.fullmatch(part):
            raise BadRequest(400, "malformed chunk size")
        if self._limit and self._overhead + len(part) > self._limit:
            raise BadRequest(431, "chunk extensions and trailers are too large")
        return -1

    def _count(self, length: int) -> None:
        # a size line of up to 18 characters carries nothing but its size
        self._overhead += length if self._state == _TRAILER else max(0, length - 18)
        if self._limit and self._overhead > self._limit:
            raise BadRequest(431, "chunk extensions and trailers are too large")

    def _line(self, line: bytes) -> None:
        if self._state == _TRAILER:
            if not line:
                self._state = _DONE
            elif not _TRAILER_LINE.fullmatch(line):
                raise BadRequest(400, "malformed trailer")
            return
        match = _SIZE_LINE.fullmatch(line)
        if match is None or line[:1] not in _HEX:
            raise BadRequest(400, "malformed chunk size")
        self._left = int(match[1] or b"0", 16)
        self._state = _DATA if self._left else _TRAILER


_HEX = frozenset(bytes((digit,)) for digit in b"0123456789abcdefABCDEF")
