"""Ends the process when the stop takes too long, whatever the event loop and the other threads are doing.

A thread of its own waits on a pipe, so that arming it from a signal handler is one ``write``: it works while
the application blocks the loop, and while the interpreter waits for a stuck thread at its very end.
"""

from __future__ import annotations

import os
import select
import struct
import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_DEADLINE: Final = struct.Struct("d")


class Watchdog:
    """Calls ``expired`` on its own thread when the last deadline that it was given has passed.

    ``expired`` is expected to end the process. Deadlines are of ``time.monotonic``, in seconds.
    """

    def __init__(self, expired: Callable[[], None]) -> None:
        self._expired = expired
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        threading.Thread(target=self._watch, name="asgid watchdog", daemon=True).start()

    def until(self, deadline: float) -> None:
        """Set the deadline, in place of an earlier one. May be called from a signal handler."""
        os.write(self._writer, _DEADLINE.pack(deadline))

    def _watch(self) -> None:
        deadline: float | None = None
        while True:
            wait = None if deadline is None else max(0.0, deadline - time.monotonic())
            if not select.select([self._reader], [], [], wait)[0]:
                self._expired()
                return
            (deadline,) = _DEADLINE.unpack(os.read(self._reader, _DEADLINE.size))
