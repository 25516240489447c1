"""The standard streams, whatever state they are in: closed, full, or with nobody left who reads them."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # typing's own, whose import would be a tenth of what printing the version takes
if TYPE_CHECKING:
    from collections.abc import Callable


class OutputError(Exception):
    """Standard output cannot be written; the text is the reason, in words."""


def ensure_open() -> None:
    """Put ``/dev/null`` in the place of every standard stream that is closed.

    Otherwise the next descriptors that are opened take the numbers 0 to 2, and what is written to standard
    output goes into a socket of somebody else's.
    """
    if None not in (sys.stdin, sys.stdout, sys.stderr):
        return
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def write_out(text: str) -> None:
    """Write ``text``, for a person, to standard output, at once. Raises :class:`OutputError`.

    What the terminal's encoding does not have is written as a question mark, which keeps the columns.
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding, getattr(sys.stdout, "errors", None) or "strict")
    except UnicodeEncodeError:
        text = text.encode(encoding, "replace").decode(encoding)
    _written(lambda: sys.stdout.write(text))


def write_file(data: str | bytes) -> None:
    """Write what is a file, JSON or TOML, to standard output, at once: as UTF-8 whatever a terminal has.

    Raises :class:`OutputError`.
    """
    encoded = data if isinstance(data, bytes) else data.encode("utf-8", "replace")
    _written(lambda: sys.stdout.buffer.write(encoded))


def _written(write: Callable[[], object]) -> None:
    """Write and flush. A reader that has gone (``| head``) is no error: it had what it wanted."""
    try:
        sys.stdout.flush()
        write()
        sys.stdout.flush()
    except OSError as error:
        # What is buffered has nowhere to go, and the interpreter would try once more at its end.
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
        if not isinstance(error, BrokenPipeError):
            raise OutputError(error.strerror) from error


def write_err(text: str) -> None:
    """Write ``text`` to standard error, at once. Where that fails there is nobody left to tell."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        return
