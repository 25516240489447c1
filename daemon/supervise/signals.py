"""The signals of a daemon. Handlers run between bytecodes, so that a blocked event loop is no hindrance."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

_STOP: Final = (signal.SIGTERM, signal.SIGINT)

# One wish to stop often comes twice: from a terminal and from a wrapper that passes it on, as another signal
# maybe; from a manager that tells a whole group with such a wrapper in it. So soon it is not a second one.
AGAIN_S: Final = 0.5


class Signals:
    """Owns SIGTERM, SIGINT and SIGHUP from :meth:`install` on.

    The first SIGTERM or SIGINT calls ``stop``; one that comes :data:`AGAIN_S` after it, or later, calls
    ``at_once``, which is expected to end the process. SIGHUP calls ``hang_up``. A child forked without an
    exec gets back what was there before.
    """

    def __init__(
        self,
        *,
        stop: Callable[[signal.Signals], None],
        at_once: Callable[[signal.Signals], None],
        hang_up: Callable[[], None],
    ) -> None:
        self._stop = stop
        self._at_once = at_once
        self._hang_up = hang_up
        self.stopping = False
        self._stopping_since = 0.0
        self._before: dict[int, Any] | None = None

    def install(self) -> None:
        """Set the handlers; again where the application has set its own."""
        before: dict[int, Any] = {number: signal.signal(number, self._on_stop) for number in _STOP}
        signal.signal(signal.SIGHUP, self._on_hang_up)
        before[signal.SIGHUP] = signal.SIG_DFL  # it was ignored since the start, which is no child's business
        if self._before is None:
            self._before = before
            os.register_at_fork(after_in_child=self._restore)

    def stops(self, number: int) -> bool:
        """Tell whether the signal of that ``number`` stops the daemon now. On any thread."""
        return number in _STOP and signal.getsignal(number) == self._on_stop

    def _restore(self) -> None:
        signal.set_wakeup_fd(-1)  # it is the parent's
        for number, handler in (self._before or {}).items():
            signal.signal(number, handler)

    def _on_stop(self, number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if not self.stopping:
            self.stopping = True
            self._stopping_since = now
            self._stop(signal.Signals(number))
        elif now - self._stopping_since >= AGAIN_S:
            self._at_once(signal.Signals(number))

    def _on_hang_up(self, _number: int, _frame: FrameType | None) -> None:
        self._hang_up()
