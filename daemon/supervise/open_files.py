"""Says when the process has no descriptor left: libuv closes what it accepts then, and tells nobody."""

from __future__ import annotations

import errno
import logging
import os
import resource
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger("asgid")

HELP: Final = "raise LimitNOFILE= in the unit, or `ulimit -n`: each connection takes one, each socket two"
_SAY_AGAIN_S: Final = 60.0


def limit() -> int:
    """Return how many descriptors this process may have open."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def exhausted(error: BaseException | None) -> bool:
    """Tell whether ``error``, or what it came from, is that no descriptor is left (EMFILE, ENFILE)."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            return True
        error = error.__cause__
    return False


class OpenFiles:
    """Looks once a second whether a descriptor can be had, and logs a line, once a minute at most, if not.

    ``left`` returns, for that line, the connections of each listener.
    """

    sweep_interval_s: Final = 1.0

    def __init__(self, left: Callable[[], str]) -> None:
        self._left = left
        self._quiet_until = 0.0

    def sweep(self, now: float) -> None:
        """Look. ``now`` is monotonic, in seconds."""
        if now < self._quiet_until or not _none_left():
            return
        self._quiet_until = now + _SAY_AGAIN_S
        logger.error(
            "the limit of open files (%d) is reached: new connections are closed at once (%s); %s",
            limit(), self._left(), HELP,
        )  # fmt: skip


def _none_left() -> bool:
    try:
        os.close(os.dup(0))
    except OSError as error:
        return exhausted(error)
    return False
