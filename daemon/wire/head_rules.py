"""What is asked of a request's head before it is parsed: its size, and that it can still become one."""

from __future__ import annotations

import re

from asgid.daemon.wire.http1_head import BadRequest

_NO_LIMIT = 1 << 62
_EMPTY_LINES = re.compile(rb"(?:\r\n)*")


class HeadRules:
    """The limits on a head's size, in bytes; zero is no limit."""

    def __init__(self, request_line_bytes: int, header_bytes: int) -> None:
        self._request_line = request_line_bytes or _NO_LIMIT
        self._headers = header_bytes or _NO_LIMIT
        self.unchecked_bytes = min(self._request_line, self._headers)  # a head up to this size needs no check

    def skip_empty_lines(self, data: bytes, before: int = 0) -> bytes:
        """Skip empty lines before a request line (RFC 9112 2.2). Raises :class:`BadRequest`.

        ``before`` is how many bytes of them were skipped already.
        """
        end = _EMPTY_LINES.match(data).end()  # type: ignore[union-attr] # none of them matches, too
        if before + end > self._headers:
            raise BadRequest(431, "too many empty lines before the request line")
        rest = data[end:]
        if rest[:1] == b"\n" or (rest[:1] == b"\r" and len(rest) > 1):  # behind one CR its LF may follow
            raise BadRequest(400, "bare CR or LF before the request line")
        return rest

    def check_size(self, data: bytes, end: int) -> None:
        """Hold a whole head, which ends at ``end``, to the limits. Raises :class:`BadRequest`."""
        line = data.find(b"\r\n")
        if line > self._request_line:
            raise BadRequest(414, "the request line is too long")
        if end - line > self._headers:
            raise BadRequest(431, "the headers are too large")

    def check_partial(self, data: bytes) -> None:
        """Hold what came of a head to the limits and to its line ends. Raises :class:`BadRequest`."""
        if data[:1] == b"\x16":  # a TLS record of the type handshake (RFC 8446 5.1)
            raise BadRequest(400, "a TLS client spoke to a listener of plain HTTP")
        line = data.find(b"\r\n")
        if (line if line >= 0 else len(data) - data.endswith(b"\r")) > self._request_line:
            raise BadRequest(414, "the request line is too long")
        if line >= 0 and len(data) - line > self._headers:
            raise BadRequest(431, "the headers are too large")
        ends = data.count(b"\r\n")
        if data.count(b"\n") != ends or data.count(b"\r") - data.endswith(b"\r") != ends:
            raise BadRequest(400, "bare CR or LF")  # RFC 9112 2.2
