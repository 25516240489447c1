"""Lines of the log whose number clients decide: said at once, then no more often than is useful."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Seldom:
    """One such line. ``clock`` is monotonic, in seconds, as is ``quiet_s``, from one saying to the next."""

    __slots__ = ("_clock", "_quiet_s", "_quiet_until", "_times")

    def __init__(self, clock: Callable[[], float], quiet_s: float) -> None:
        self._clock = clock
        self._quiet_s = quiet_s
        self._quiet_until = float("-inf")
        self._times = 0

    def again(self) -> int:
        """Count one more; return how many there were since the last saying, 0 where it is too early."""
        self._times += 1
        return self.unsaid()

    def unsaid(self) -> int:
        """Return how many there were since the last saying, where it is time to say so; else 0."""
        now = self._clock()
        if not self._times or now < self._quiet_until:
            return 0
        self._quiet_until = now + self._quiet_s
        times, self._times = self._times, 0
        return times
