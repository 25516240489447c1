"""Response heads: status lines, the server's own headers, and the checks on the application's."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from asgid.daemon.wire import compiled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_render_plain = compiled.render
# What no value may have: every control character but HTAB (RFC 9110 5.5).
_CONTROLS = bytes((*range(0x09), *range(0x0A, 0x20), 0x7F))
_TOKEN_BYTES = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
PHRASES = {status.value: status.phrase.encode() for status in HTTPStatus} | {
    # RFC 9110 15.5; Python has these names from 3.13 on
    413: b"Content Too Large",
    414: b"URI Too Long",
    416: b"Range Not Satisfiable",
    422: b"Unprocessable Content",
}

# What the wire has to do with a header of the application: its role (RFC 9110 7.6.1, RFC 9112 6 and 9).
_PLAIN, _CONTENT_LENGTH, _CONNECTION, _HOP_BY_HOP, _DATE, _SERVER = range(6)
_ROLES: dict[bytes, int] = {
    b"content-length": _CONTENT_LENGTH,
    b"connection": _CONNECTION,
    b"transfer-encoding": _HOP_BY_HOP,
    b"keep-alive": _HOP_BY_HOP,
    b"proxy-connection": _HOP_BY_HOP,
    b"upgrade": _HOP_BY_HOP,
    b"te": _HOP_BY_HOP,
    b"trailer": _HOP_BY_HOP,
    b"date": _DATE,
    b"server": _SERVER,
}
# Names that were found to be tokens, with their roles: applications use few names, and the bound keeps it so.
_known: dict[bytes, int] = {}
_KNOWN_MAX = 1024

# What the wire must know of an application's headers, as bits.
WANTS_CLOSE, HAS_DATE, HAS_SERVER = 1, 2, 4
SENDS_TRAILERS = 8  # set by who frames the response
# Those that are the server's own and were left out, one bit for each name.
LEAST_LEFT_OUT = 16
_HOPS = [name for name, role in _ROLES.items() if role == _HOP_BY_HOP]
_LEFT_OUT = {name: LEAST_LEFT_OUT << number for number, name in enumerate(_HOPS)}
TRAILER = _LEFT_OUT[b"trailer"]
UPGRADE = _LEFT_OUT[b"upgrade"]

# What may not come behind a body: it frames the message, routes or rules the request, controls the response,
# or says what to make of the content (RFC 9110 6.5.1).
_NO_TRAILERS = frozenset(
    (
        b"age authorization cache-control content-encoding content-length content-range content-type date "
        b"expect expires host location max-forwards pragma proxy-authenticate proxy-authorization range "
        b"retry-after server set-cookie vary warning www-authenticate"
    ).split()
)
_BITS = {_DATE: HAS_DATE, _SERVER: HAS_SERVER}


def _role_of(name: Any) -> int:
    """Return the role of a header's name. Raises ``ValueError`` and ``TypeError``."""
    if type(name) is not bytes:
        raise TypeError(f"a header's name must be bytes, not {type(name).__name__}")
    if not name or name.translate(None, _TOKEN_BYTES):
        raise ValueError(f"{name!r} is not a header name")  # RFC 9110 5.1
    role = _ROLES.get(name.lower(), _PLAIN)
    if len(_known) < _KNOWN_MAX:
        _known[name] = role
    return role


def render(headers: Iterable[tuple[bytes, bytes]]) -> tuple[bytes, int, int]:
    """Return an application's headers as lines, their Content-Length (-1: none, bytes), and the bits above.

    Connection and the hop-by-hop headers are not among the lines: the wire writes its own.
    Raises ``ValueError`` or ``TypeError`` with a message that names the mistake.
    """
    if _render_plain is not None and (plain := _render_plain(headers)) is not None:
        return plain
    return render_any(headers)


def render_any(headers: Iterable[tuple[bytes, bytes]]) -> tuple[bytes, int, int]:
    """Do it for any headers, in Python."""
    length = -1
    bits = 0
    parts: list[bytes] = []
    for name, value in headers:
        try:
            role = _known[name]
        except (KeyError, TypeError):
            role = _role_of(name)
        if role:
            if type(value) is not bytes:
                raise TypeError(f"the value of {name.decode()} must be bytes, not {type(value).__name__}")
            if role == _CONTENT_LENGTH:
                if length >= 0 or not value.isdigit() or len(value) > 18:
                    raise ValueError(
                        "more than one Content-Length" if length >= 0 else f"Content-Length is {value!r}"
                    )
                length = int(value)
            elif role == _CONNECTION:
                _check_value(name, value)
                bits |= WANTS_CLOSE if b"close" in value.lower() else 0
                continue
            elif role == _HOP_BY_HOP:
                _check_value(name, value)
                bits |= _LEFT_OUT[name.lower()]
                continue
            else:
                bits |= _BITS[role]
        parts += (name, b": ", value, b"\r\n")
    try:
        lines = b"".join(parts)
    except TypeError:
        raise _bad_value(parts) from None
    # RFC 9110 2.2, 5.5: a sender has none of them in a value; only those put there here may be found.
    if len(lines.translate(None, _CONTROLS)) + len(parts) // 2 != len(lines):
        raise _bad_value(parts)
    return lines, length, bits


def left_out(bits: int) -> list[str]:
    """Return the names of the headers that :func:`render` has left out."""
    return [name.decode() for name, bit in _LEFT_OUT.items() if bits & bit]


def named_lines(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> bytes:
    """Return the headers of that name (lower-cased), which :func:`render` found well formed, as lines."""
    return b"".join(b"%b: %b\r\n" % (name, value) for name, value in headers if name.lower() == wanted)


def render_trailers(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return trailers as lines, without hop-by-hop fields. Raises as :func:`render`, and for what is none."""
    headers = list(headers)
    lines, _, _ = render(headers)
    for name, _ in headers:
        if name.lower() in _NO_TRAILERS:
            raise ValueError(f"{name.decode()} may not be a trailer")
    return lines


def _bad_value(parts: list[Any]) -> ValueError | TypeError:
    """Name the header whose value cannot be written, among names and values each four apart."""
    for name, value in zip(parts[0::4], parts[2::4], strict=True):
        if not isinstance(value, (bytes, bytearray, memoryview)):
            return TypeError(f"the value of {name.decode()} must be bytes, not {type(value).__name__}")
        try:
            _check_value(name, bytes(value))
        except ValueError as error:
            return error
    return ValueError("a header's value cannot be written")


def _check_value(name: bytes, value: bytes) -> None:
    """Raise ``ValueError`` where a value has a control character."""
    if value.translate(None, _CONTROLS) != value:
        what = "CR, LF or NUL, or another control character,"
        raise ValueError(f"the header {name.decode()} has {what} in its value {value!r}")


def status_line(status: int) -> bytes:
    """Return the status line with its CR LF (RFC 9112 4)."""
    return b"HTTP/1.1 %d %b\r\n" % (status, PHRASES.get(status, b""))


_DAYS = b"Mon Tue Wed Thu Fri Sat Sun".split()
_MONTHS = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def imf_date(seconds: float) -> bytes:
    """Return a time in seconds since the epoch as RFC 9110 5.6.7 has it (email.utils is 5 ms of a start)."""
    at = time.gmtime(seconds)
    return b"%b, %02d %b %04d %02d:%02d:%02d GMT" % (
        _DAYS[at.tm_wday], at.tm_mday, _MONTHS[at.tm_mon - 1], at.tm_year, at.tm_hour, at.tm_min, at.tm_sec,
    )  # fmt: skip


class HeadWriter:
    """The beginnings of responses: status line, ``server`` and ``date``, made once a second."""

    def __init__(
        self, clock: Callable[[], float], server: bytes, date: bool, wall: Callable[[], float] = time.time
    ) -> None:
        self._clock = clock
        self._wall = wall
        self._server = b"server: " + server + b"\r\n" if server else b""
        self._date_on = date
        self._date = b""
        self._until = 0.0
        self._prefixes: dict[int | tuple[int, int], bytes] = {}

    def prefix(self, status: int, now: float, bits: int = 0) -> bytes:
        """Return status line, ``server`` and ``date`` at ``now`` (the monotonic clock, seconds).

        What the application has set itself, as ``bits`` tell, is left out.
        """
        if now >= self._until:
            self._refresh(now)
        key = status if not bits else (status, bits)
        prefix = self._prefixes.get(key)
        if prefix is None:
            prefix = status_line(status)
            if not bits & HAS_SERVER:
                prefix += self._server
            if not bits & HAS_DATE:
                prefix += self._date
            self._prefixes[key] = prefix
        return prefix

    def _refresh(self, now: float) -> None:
        wall = self._wall()
        self._until = now + 1.0 - wall % 1.0
        self._prefixes.clear()
        if self._date_on:
            self._date = b"date: %b\r\n" % imf_date(wall)
