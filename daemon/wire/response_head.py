"""Response heads: status lines, the headers that the server adds, and the checks on those of the application."""

from __future__ import annotations

import time
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_TOKEN_BYTES = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
PHRASES = {status.value: status.phrase.encode() for status in HTTPStatus}

# Response headers that the wire itself decides (RFC 9110 7.6.1, RFC 9112 6 and 9) or that it would add.
CONTENT_LENGTH, CONNECTION, HOP_BY_HOP, OWN = "content-length", "connection", "hop-by-hop", "own"
_ROLES: dict[bytes, str] = {
    b"content-length": CONTENT_LENGTH,
    b"connection": CONNECTION,
    b"transfer-encoding": HOP_BY_HOP,
    b"keep-alive": HOP_BY_HOP,
    b"proxy-connection": HOP_BY_HOP,
    b"upgrade": HOP_BY_HOP,
    b"te": HOP_BY_HOP,
    b"trailer": HOP_BY_HOP,
    b"date": OWN,
    b"server": OWN,
}
# Names that were found to be tokens, with their roles: applications use few names, and the bound keeps it so.
_known: dict[bytes, str | None] = {}
_KNOWN_MAX = 1024


def role_of(name: bytes) -> str | None:
    """Return what the wire has to do with a response header, ``None`` for nothing.

    Raises ``ValueError`` where the name is no token (RFC 9110 5.1), ``TypeError`` where it is no bytes.
    """
    if type(name) is not bytes:
        raise TypeError(f"a header's name must be bytes, not {type(name).__name__}")
    if not name or name.translate(None, _TOKEN_BYTES):
        raise ValueError(f"{name!r} is not a header name")
    role = _ROLES.get(name.lower())
    if len(_known) < _KNOWN_MAX:
        _known[name] = role
    return role


def status_line(status: int) -> bytes:
    """Return the status line with its CR LF (RFC 9112 4)."""
    return b"HTTP/1.1 %d %b\r\n" % (status, PHRASES.get(status, b""))


class ResponseHead:
    """An application's response head, checked: its header lines as bytes, and what the wire must know of them."""

    __slots__ = ("content_length", "date", "lines", "names", "server", "wants_close")

    def __init__(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Check ``headers``. Raises ``ValueError`` or ``TypeError`` with a message that names the mistake."""
        self.content_length: int | None = None
        self.wants_close = False
        self.date = False
        self.server = False
        parts: list[bytes] = []
        count = 0
        for name, value in headers:
            try:
                role = _known[name]
            except (KeyError, TypeError):
                role = role_of(name)
            if role is not None and self._special(role, name, value):
                continue
            count += 1
            parts += (name, b": ", value, b"\r\n")
        try:
            self.lines = lines = b"".join(parts)
        except TypeError:
            raise TypeError("a header's value must be bytes") from None
        # RFC 9110 5.5: CR, LF and NUL in a value are dangerous; the lines hold only those that were put there here.
        if lines.count(b"\n") != count or lines.count(b"\r") != count or b"\0" in lines:
            raise ValueError("a header's value holds CR, LF or NUL")

    def _special(self, role: str, name: bytes, value: bytes) -> bool:
        """Take note of a header with a role; true where the wire writes it, or does without it."""
        if type(value) is not bytes:
            raise TypeError(f"the value of {name.decode()} must be bytes, not {type(value).__name__}")
        if role is CONTENT_LENGTH:
            length = value.strip()
            if not length.isdigit() or len(length) > 19:
                raise ValueError(f"Content-Length is {value!r}")
            if self.content_length is not None and self.content_length != int(length):
                raise ValueError("two different Content-Length headers")
            self.content_length = int(length)
            return True
        if role is CONNECTION:
            self.wants_close = self.wants_close or b"close" in value.lower()
            return True
        if role is HOP_BY_HOP:
            return True
        if name.lower() == b"date":
            self.date = True
        else:
            self.server = True
        return False


class HeadWriter:
    """The beginnings of responses: status line, ``server`` and ``date``, made once a second and not per response."""

    def __init__(
        self, clock: Callable[[], float], server: bytes, date: bool, wall: Callable[[], float] = time.time
    ) -> None:
        self._clock = clock
        self._wall = wall
        self._server = b"server: " + server + b"\r\n" if server else b""
        self._date_on = date
        self._date = b""
        self._until = 0.0
        self._prefixes: dict[int, bytes] = {}

    def prefix(self, status: int, now: float) -> bytes:
        """Return status line, ``server`` and ``date`` at ``now``, the monotonic clock in seconds."""
        if now >= self._until:
            self._refresh(now)
        try:
            return self._prefixes[status]
        except KeyError:
            line = self._prefixes[status] = status_line(status) + self._server + self._date
            return line

    def own_prefix(self, status: int, now: float, has_server: bool, has_date: bool) -> bytes:
        """Return the same without what the application has set itself."""
        if now >= self._until:
            self._refresh(now)
        line = status_line(status)
        return line + (b"" if has_server else self._server) + (b"" if has_date else self._date)

    def _refresh(self, now: float) -> None:
        wall = self._wall()
        self._until = now + 1.0 - wall % 1.0
        self._prefixes.clear()
        if self._date_on:
            self._date = b"date: %b\r\n" % formatdate(int(wall), usegmt=True).encode()
