"""Waits for what is under way when the listeners stop, and cuts what takes too long."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asgid.daemon.supervise.listener import Listener

logger = logging.getLogger("asgid")

_LOOK_S: Final = 0.02
_AFTER_CUT_S: Final = 0.5  # for applications to end that were cancelled


async def drain(listeners: Sequence[Listener]) -> None:
    """Return when nothing is left of the ``listeners``, which have stopped accepting.

    Each may take its own ``timeouts.drain``; what is left then is cut, and the log says what it was. What is
    left is looked at on a timer: a drain is rare, and so neither the wire nor the request cycle needs to tell
    anybody which connection was the last.
    """
    begun = time.monotonic()
    busy = sum(listener.busy for listener in listeners)
    if busy:
        longest = max(listener.spec.timeouts.drain_s for listener in listeners)
        logger.info("draining: %s, for %g s at the most", _count(busy, "connection"), longest)
    waiting = {listener: begun + listener.spec.timeouts.drain_s for listener in listeners}
    cut: set[Listener] = set()
    while waiting:
        now = time.monotonic()
        for listener, deadline in tuple(waiting.items()):
            if not listener.busy:
                listener.finished()
                del waiting[listener]
            elif now >= deadline and listener in cut:
                logger.warning("listener %s: %d did not end when cut", listener.name, listener.busy)
                listener.finished()
                del waiting[listener]
            elif now >= deadline:
                _cut(listener)
                cut.add(listener)
                waiting[listener] = now + _AFTER_CUT_S
        if waiting:
            nearest = min(waiting.values()) - time.monotonic()
            await asyncio.sleep(max(0.0, min(_LOOK_S, nearest)))


def _cut(listener: Listener) -> None:
    connections, applications = listener.cut()
    logger.warning(
        "listener %s: the drain ran out after %g s: %s and %s of the application were cut",
        listener.name,
        listener.spec.timeouts.drain_s,
        _count(connections, "connection"),
        _count(applications, "running call"),
    )


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
