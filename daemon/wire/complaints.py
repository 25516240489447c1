"""What clients do wrong, in the log: a bounded number of lines, whatever they do."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from asgid.config.addresses import with_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from asgid.daemon.seam import Address

LINES: Final = 20  # of one listener in a window; the counters count on
WINDOW_S: Final = 10.0
LENGTH: Final = 300  # characters of what is said: some of it may be the client's own words


class Complaints:
    """The lines of the listener ``name``. ``clock`` is monotonic, in seconds."""

    __slots__ = ("_clock", "_ends", "_left", "_name", "_omitted")

    def __init__(self, name: str, clock: Callable[[], float]) -> None:
        self._name = name
        self._clock = clock
        self._left = LINES
        self._omitted = 0
        self._ends = -1.0  # of the window

    def say(self, log: logging.Logger, client: Address | None, what: str, level: int = logging.INFO) -> None:
        """Log ``what`` about a client (None: on a unix socket, or of no one client), or leave it out."""
        if not log.isEnabledFor(level):
            return
        now = self._clock()
        if now >= self._ends:
            self._say_omitted(log)
            self._ends = now + WINDOW_S
            self._left = LINES
        if not self._left:
            self._omitted += 1
            return
        self._left -= 1
        if len(what) > LENGTH:
            what = what[:LENGTH] + "..."
        where = with_port(*client) if client else "a unix socket"
        log.log(level, "listener %s, %s: %s", self._name, where, what)

    def sweep(self, now: float, log: logging.Logger) -> None:
        """Say what was left out of a window that is over."""
        if self._omitted and now >= self._ends:
            self._say_omitted(log)

    def _say_omitted(self, log: logging.Logger) -> None:
        omitted, self._omitted = self._omitted, 0
        if omitted:
            what = "lines like the last ones were left out"
            log.warning("listener %s: %d %s in %g s", self._name, omitted, what, WINDOW_S)
