"""Sweeps every listener's connections, and what else is looked at regularly, from one timer."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

logger = logging.getLogger("asgid")


class Swept(Protocol):
    """What is swept."""

    @property
    def sweep_interval_s(self) -> float:
        """How often to sweep, in seconds."""

    def sweep(self, now: float) -> None:
        """Act on the deadlines that have passed."""


class Sweeper:
    """Calls the ``sweep`` of each as often as it asks, until :meth:`stop`.

    ``call_later`` takes seconds and a callable; ``clock`` is monotonic, in seconds.
    """

    def __init__(
        self,
        swept: Sequence[Swept],
        *,
        call_later: Callable[[float, Callable[[], None]], object],
        clock: Callable[[], float],
    ) -> None:
        now = clock()
        self._due = [[now + each.sweep_interval_s, each.sweep_interval_s] for each in swept]
        self._swept = tuple(swept)
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
        for due, each in zip(self._due, self._swept, strict=True):
            if due[0] <= now + slack:
                due[0] = now + due[1]
                try:
                    each.sweep(now)
                except Exception:
                    logger.exception("a sweep failed; the next one comes")
        self._call_later(self._tick_s, self._tick)
