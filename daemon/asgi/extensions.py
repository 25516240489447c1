"""The events of ASGI's extensions for HTTP, read into plain values.

Which of them a request's scope announces is in :mod:`asgid.daemon.asgi.scope`.
"""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asgid.daemon.seam import TLS

TRAILERS = "http.response.trailers"
EARLY_HINT = "http.response.early_hint"
PATHSEND = "http.response.pathsend"
ZEROCOPYSEND = "http.response.zerocopysend"


def links(event: dict[str, Any]) -> list[bytes]:
    """Return the values of an early hint's Link headers. Raises ``TypeError``."""
    values = event.get("links", ())
    if isinstance(values, (bytes, str)):
        raise TypeError(f"links must be an iterable of bytes, not {type(values).__name__}")
    return list(values)


class Fixed(dict[str, Any]):
    """A dictionary that stays as it was made: one serves every request, and none can leave a mark in it."""

    __slots__ = ()

    def _refuse(self, *_: object, **__: object) -> Any:
        raise TypeError("what a server says of its extensions cannot be changed")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        """Make plain dictionaries of copies, deep ones and pickled ones among them."""
        return dict, (dict(self),)


NOTHING = Fixed()


def announced(listener: str, version: str) -> dict[str, Any]:
    """Return what ``scope["extensions"]`` says to a request of an HTTP ``version``, to be copied for each.

    HTTP/1.0 has neither 1xx responses nor trailers. Server push is HTTP/2's.
    """
    found: dict[str, Any] = {"asgid": Fixed(listener=listener), PATHSEND: NOTHING, ZEROCOPYSEND: NOTHING}
    if version != "1.0":
        found |= {EARLY_HINT: NOTHING, TRAILERS: NOTHING}
    return found


def of_session(session: TLS) -> dict[str, Any]:
    """Return the ``tls`` extension of a connection (ASGI TLS extension 0.2)."""
    return {
        "server_cert": session.certificate,
        "client_cert_chain": session.chain,
        "client_cert_name": session.name,
        "client_cert_error": None,  # a handshake with a certificate that is not valid fails
        "tls_version": session.version,
        "cipher_suite": session.cipher,
    }


class Part:
    """A part of an open file: ``count`` bytes from ``offset`` on; ``None`` is all up to its end."""

    __slots__ = ("_moves", "_owned", "count", "descriptor", "offset")

    def __init__(
        self, descriptor: int, offset: int, count: int | None, *, moves: Any = None, owned: bool = False
    ) -> None:
        self.descriptor = descriptor
        self.offset = offset
        self.count = count
        self._moves = moves  # the file whose position goes with what is sent
        self._owned = owned

    def sent(self, count: int) -> None:
        """Take note of ``count`` bytes that were sent."""
        if isinstance(self._moves, io.IOBase):
            self._moves.seek(self.offset + count)
        elif self._moves is not None:
            os.lseek(self.descriptor, self.offset + count, os.SEEK_SET)

    def close(self) -> None:
        """Close what was opened here."""
        if self._owned:
            os.close(self.descriptor)


def opened(event: dict[str, Any]) -> Part:
    """Open the file of a pathsend. A relative path is the process's, as for any other open.

    Raises ``ValueError`` where it cannot be opened, ``TypeError`` where it is no path.
    """
    path = event.get("path")
    if not isinstance(path, (str, bytes, os.PathLike)):
        raise TypeError(f"the path is of type {type(path).__name__}, not str")
    try:  # O_NONBLOCK: a FIFO without a writer would hold the loop
        return Part(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), 0, None, owned=True)
    except OSError as error:
        raise ValueError(f"{os.fsdecode(path)} cannot be opened: {error.strerror}") from None


def given(event: dict[str, Any]) -> Part:
    """Return what a zerocopysend asks for. The file stays the application's to close.

    Without an offset it is read from its position on, which is moved by what was sent. Raises ``ValueError``.
    """
    file: Any = event.get("file")
    offset, count = _not_negative(event, "offset"), _not_negative(event, "count")
    try:
        descriptor = file if type(file) is int else int(file.fileno())
    except (AttributeError, TypeError, OSError, ValueError):
        raise ValueError(f"the file, of type {type(file).__name__}, has no descriptor") from None
    if offset is not None:
        return Part(descriptor, offset, count)
    try:
        # Where Python buffers a file, its position is not its descriptor's.
        buffered = isinstance(file, io.IOBase)
        start = file.tell() if buffered else os.lseek(descriptor, 0, os.SEEK_CUR)
    except OSError as error:
        raise ValueError(f"the file has no position: {error.strerror}") from None
    return Part(descriptor, start, count, moves=file)


def _not_negative(event: dict[str, Any], name: str) -> int | None:
    value = event.get(name)
    if value is not None and (not isinstance(value, int) or value < 0):
        raise ValueError(f"the {name} is {value!r}")
    return value
