"""Sweeps every listener's connections from one timer."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asgid.daemon.supervise.listener import Factory

logger = logging.getLogger("asgid")


class Sweeper:
    """Calls each factory's ``sweep`` as often as it asks, until :meth:`stop`.

    ``call_later`` takes seconds and a callable; ``clock`` is monotonic, in seconds.
    """

    def __init__(
        self,
        factories: Sequence[Factory],
        *,
        call_later: Callable[[float, Callable[[], None]], object],
        clock: Callable[[], float],
    ) -> None:
        now = clock()
        self._due = [[now + factory.sweep_interval_s, factory.sweep_interval_s] for factory in factories]
        self._factories = tuple(factories)
        self._tick_s = min((interval for _, interval in self._due), default=1.0)
        self._call_later = call_later
        self._clock = clock
        self._stopped = False

    def start(self) -> None:
        """Begin to sweep, one interval from now."""
        self._call_later(self._tick_s, self._tick)

    def stop(self) -> None:
        """Sweep no more."""
        self._stopped = True

    def _tick(self) -> None:
        if self._stopped:
            return
        now = self._clock()
        slack = self._tick_s / 2
        for due, factory in zip(self._due, self._factories, strict=True):
            if due[0] <= now + slack:
                due[0] = now + due[1]
                try:
                    factory.sweep(now)
                except Exception:
                    logger.exception("a sweep failed; the next one comes")
        self._call_later(self._tick_s, self._tick)
