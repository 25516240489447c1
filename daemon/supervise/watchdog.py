"""Ends the process when the stop takes too long, whatever the event loop and the other threads are doing.

A thread of its own waits on a pipe, so that arming it from a signal handler is one ``write``: it works while
the application blocks the loop, and while the interpreter waits for a stuck thread at its very end.

Python's handlers wait until the main thread is back from C, which may be never. So the interpreter also
writes each signal's number into a second pipe (signal.set_wakeup_fd), from the C handler itself. An event
loop wakes up by the same means: what it had set gets every number passed on.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import struct
import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_DEADLINE: Final = struct.Struct("d")
_MOST_SIGNALS: Final = 4096  # at one read


class Watchdog:
    """Calls ``expired`` on its own thread when the last deadline that it was given has passed.

    ``expired`` is expected to end the process. ``heard`` is called on the same thread with the number of each
    signal that has a handler of Python's, from :meth:`listen` on. Deadlines are of ``time.monotonic``, in
    seconds.
    """

    def __init__(self, expired: Callable[[], None], heard: Callable[[int], None] = lambda _: None) -> None:
        self._expired = expired
        self._heard = heard
        self._reader, self._writer = os.pipe()
        self._ear, self._signalled = os.pipe()
        for descriptor in (self._writer, self._ear, self._signalled):
            os.set_blocking(descriptor, False)
        self._next = -1
        threading.Thread(target=self._watch, name="asgid watchdog", daemon=True).start()

    def until(self, deadline: float) -> None:
        """Set the deadline, in place of an earlier one. May be called from a signal handler."""
        os.write(self._writer, _DEADLINE.pack(deadline))

    def listen(self) -> None:
        """Hear of signals first, and pass them on to who heard of them until now. On the main thread alone.

        An event loop that begins to run puts itself in front: call it again there. A child forked without an
        exec is to call ``signal.set_wakeup_fd(-1)``, or its signals are heard here.
        """
        before = signal.set_wakeup_fd(self._signalled, warn_on_full_buffer=False)
        if before in (-1, self._signalled):
            return
        last, self._next = self._next, os.dup(before)  # its owner may close its own at any time
        if last >= 0:
            os.close(last)

    def _watch(self) -> None:
        deadline: float | None = None
        while True:
            wait = None if deadline is None else max(0.0, deadline - time.monotonic())
            ready = select.select([self._reader, self._ear], [], [], wait)[0]
            if not ready:
                self._expired()
                return
            if self._ear in ready:  # before the deadline that a handler may have set since
                self._hear(os.read(self._ear, _MOST_SIGNALS))
            else:
                (deadline,) = _DEADLINE.unpack(os.read(self._reader, _DEADLINE.size))

    def _hear(self, numbers: bytes) -> None:
        for number in numbers:
            self._heard(number)
        if self._next >= 0:
            with contextlib.suppress(OSError):  # full, so that it wakes up anyway, or closed
                os.write(self._next, numbers)
