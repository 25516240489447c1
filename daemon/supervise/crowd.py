"""Gives memory back to the system once most of many connections have gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_MANY: Final = 256  # connections: about half a megabyte of theirs
_MOST_HAVE_GONE: Final = 4  # when a quarter or less is left


class Crowd:
    """Watches how many ``connections`` there are; when a crowd has gone, ``give_back`` is called once.

    What a connection held is freed piece by piece, all over the heap, and stays with the process until
    somebody asks for it. The sets themselves are made small again: a set never shrinks by a removal.
    """

    sweep_interval_s = 1.0

    def __init__(self, connections: Iterable[set[Any]], give_back: Callable[[], None]) -> None:
        self._connections = tuple(connections)
        self._give_back = give_back
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
        self._going = gone
