"""The access log: one line for each request that ended, gathered and written in batches.

Lines are held for at most :data:`FLUSH_S` seconds or about :data:`FLUSH_BYTES` bytes, whichever comes first,
and are written with one ``write`` to a descriptor opened for appending, so that processes may share a file.
A pipe or a terminal that nobody reads is not waited for: see :mod:`asgid.daemon.observe.outlet`.
"""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING, Final

from asgid.daemon.observe.escape import quoted
from asgid.daemon.observe.outlet import Outlet

if TYPE_CHECKING:
    from collections.abc import Callable

    from asgid.daemon.seam import Finished

logger = logging.getLogger("asgid.access")

FLUSH_S: Final = 0.25
FLUSH_BYTES: Final = 64 * 1024

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LINE_BYTES = 200  # what a line is taken for until it is encoded
_STDOUT = 1


def timestamp(seconds: int) -> str:
    """Return seconds since the epoch as local time with its UTC offset, in English whatever the locale."""
    now = time.localtime(seconds)
    offset = now.tm_gmtoff // 60
    sign, minutes = ("-", -offset) if offset < 0 else ("+", offset)
    return (
        f"{now.tm_mday:02d}/{_MONTHS[now.tm_mon - 1]}/{now.tm_year:04d}:"
        f"{now.tm_hour:02d}:{now.tm_min:02d}:{now.tm_sec:02d} {sign}{minutes // 60:02d}{minutes % 60:02d}"
    )


def combined(finished: Finished, when: str) -> str:
    """Return one line of the combined format (Apache's ``mod_log_config``), without its end.

    The client is ``-`` on a unix socket, and the status where nothing was answered.
    """
    head = finished.head
    client = head.client
    referer = agent = b""
    for name, value in head.headers:
        if name == b"user-agent":
            agent = value
        elif name == b"referer":
            referer = value
    return (
        f"{client[0] if client else '-'} - - [{when}] "
        f'"{head.method} {quoted(head.target)} HTTP/{head.version}" '
        f"{finished.status or '-'} {finished.body_bytes or '-'} "
        f'"{quoted(referer) if referer else "-"}" "{quoted(agent) if agent else "-"}"'
    )


class AccessLog:
    """Writes a line for each :class:`~asgid.daemon.seam.Finished`. Use it on the event loop's thread.

    ``path`` is a file to append to, or ``-`` for standard output. ``call_later`` takes seconds and a
    callable. The file is made with mode 0640, less the umask. Raises :class:`OSError`.
    """

    def __init__(
        self,
        path: str,
        *,
        call_later: Callable[[float, Callable[[], None]], object],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._call_later = call_later
        self._clock = clock
        self._lines: list[str] = []
        self._limit = FLUSH_BYTES // _LINE_BYTES
        self._scheduled = False
        self._failing = False
        self._second = -1
        self._when = ""
        self._dropping = False
        self._outlet = Outlet(_open(path))

    def __call__(self, finished: Finished) -> None:
        """Take a request that ended."""
        now = int(self._clock())
        if now != self._second:
            self._second = now
            self._when = timestamp(now)
        lines = self._lines
        lines.append(combined(finished, self._when))
        if len(lines) >= self._limit:
            self.flush()
        elif not self._scheduled:
            self._flush_later()

    def flush(self) -> None:
        """Write what is held. A failure is logged once, until a write succeeds; the lines are lost.

        What nobody reads is held, up to a bound; what is dropped is said when that begins and when it ends.
        """
        outlet = self._outlet
        if not self._lines and not outlet.held:
            return
        lines, self._lines = self._lines, []
        lines.append("")
        try:
            outlet.write("\n".join(lines).encode("ascii", "backslashreplace"))
        except OSError as error:
            self._failed(error)
        else:
            self._failing = False
            if outlet.held and not self._scheduled:
                self._flush_later()
        self._say_dropped()

    def reopen(self) -> None:
        """Open the file anew, for a rotation that has moved it; where that fails the old one stays in use."""
        self.flush()
        if self._path == "-":
            return
        try:
            fd = _open(self._path)
        except OSError as error:
            logger.error("the access log %s cannot be reopened: %s", self._path, error)  # noqa: TRY400
            return
        old = self._outlet.fd
        self._outlet.use(fd)
        os.close(old)

    def close(self) -> None:
        """Write what is held, within a second, and close the file. Standard output stays open."""
        self.flush()
        try:
            self._outlet.finish()
        except OSError as error:
            self._failed(error)
        self._say_dropped()
        if self._outlet.fd != _STDOUT:
            os.close(self._outlet.fd)

    def _failed(self, error: OSError) -> None:
        if not self._failing:
            logger.error("the access log %s cannot be written: %s", self._path, error)
        self._failing = True

    def _say_dropped(self) -> None:
        """Say that lines are dropped, and how many they were once the rest is written."""
        outlet = self._outlet
        if outlet.dropped and not self._dropping:
            self._dropping = True
            logger.error("nobody reads the access log %s: its lines are dropped", self._path)
        if outlet.dropped and not outlet.held:
            logger.error("the access log %s: %d lines were dropped", self._path, outlet.dropped)
            outlet.dropped = 0
            self._dropping = False

    def _flush_later(self) -> None:
        self._scheduled = True
        self._call_later(FLUSH_S, self._flush_on_time)

    def _flush_on_time(self) -> None:
        self._scheduled = False
        self.flush()


def _open(path: str) -> int:
    if path == "-":
        return _STDOUT
    # Without waiting: a named pipe that nobody reads is an error (fifo(7)), and no start that hangs.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
    fd = os.open(path, flags, 0o640)
    os.set_blocking(fd, True)
    return fd
