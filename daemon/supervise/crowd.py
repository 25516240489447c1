"""Gives memory back to the system once most of many connections have gone, and when a busy time is over."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_MANY: Final = 256  # connections: about half a megabyte of theirs
_MOST_HAVE_GONE: Final = 4  # when a quarter or less is left
# Of each second, what the loop's thread computes where it is busy, and where it is quiet; and for how many.
_BUSY_S: Final = 0.1
_QUIET_S: Final = 0.02
_QUIET_SWEEPS: Final = 3


class Crowd:
    """Watches how many ``connections`` there are; when a crowd has gone, ``give_back`` is called once.

    It is called too when a loop that was busy has been quiet for some seconds: nobody needs then what was
    kept for the next large body. ``computed`` tells how many seconds the loop's thread has computed.

    What a connection held is freed piece by piece, all over the heap, and stays with the process until
    somebody asks for it. The sets themselves are made small again: a set never shrinks by a removal.
    """

    sweep_interval_s = 1.0

    def __init__(
        self,
        connections: Iterable[set[Any]],
        give_back: Callable[[], None],
        computed: Callable[[], float] = time.thread_time,
    ) -> None:
        self._connections = tuple(connections)
        self._give_back = give_back
        self._computed = computed
        self._before = computed()
        self._quiet = _QUIET_SWEEPS  # sweeps since the loop was busy; all of them: it was not, of late
        self._most = 0
        self._going = False  # most had gone when this was looked at last

    def sweep(self, now: float) -> None:  # noqa: ARG002 - the same for all that is swept
        """Look how many there are."""
        count = sum(map(len, self._connections))
        self._most = max(self._most, count)
        gone = self._most >= _MANY and count <= self._most // _MOST_HAVE_GONE
        if gone and self._going:  # the last of them have had a second to be closed
            for each in self._connections:
                left = tuple(each)
                each.clear()
                each.update(left)
            self._most, gone = count, False
            self._give_back()
        elif self._is_over():
            self._give_back()
        self._going = gone

    def _is_over(self) -> bool:
        """Tell, once, that a busy time is over."""
        before, self._before = self._before, self._computed()
        took = self._before - before
        if took >= _BUSY_S:
            self._quiet = 0
        elif took <= _QUIET_S and self._quiet < _QUIET_SWEEPS:
            self._quiet += 1
            return self._quiet == _QUIET_SWEEPS
        return False
