"""Keeps some descriptors in reserve: near the limit of open files idle connections go, for new clients.

Where no descriptor is left libuv accepts what waits in the backlog, closes it and tells nobody (a spare
descriptor of its own lets it do so, without spinning): whoever comes next is turned away, while idle
connections stay. So connections are closed before that: first those that wait for another request, the
longest idle first; then those that never said anything, and those whose head has not come whole. Where there
are none new connections wait in the backlog until there is room.
"""

from __future__ import annotations

import errno
import logging
import os
import resource
from collections import defaultdict
from contextlib import suppress
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from asgid.daemon.seldom import Seldom
from asgid.daemon.wire.unread import has_unread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asgid.daemon.supervise.listener import Listener

    Watch = Callable[[int, Callable[[], None]], int]

logger = logging.getLogger("asgid")

HELP: Final = "raise LimitNOFILE= in the unit, or `ulimit -n`: each connection takes one, each socket five"
_SAY_AGAIN_S: Final = 60.0
_LOOK_AGAIN_S: Final = 0.05  # while new connections wait
_NEW_S: Final = 0.25  # what a client is given at least to say what it wants
_NO_LIMIT: Final = 1 << 62
_OPEN: Final = Path("/proc/self/fd")


def limit() -> int:
    """Return how many descriptors this process may have open."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return _NO_LIMIT if soft == resource.RLIM_INFINITY else soft


def reserve_of(most: int) -> int:
    """Return how many of ``most`` descriptors are kept: for accept, and for the application's files."""
    return min(128, max(16, most // 16))


def exhausted(error: BaseException | None) -> bool:
    """Tell whether ``error``, or what it came from, is that no descriptor is left (EMFILE, ENFILE)."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            return True
        error = error.__cause__
    return False


class OpenFiles:
    """Closes idle connections of ``listeners`` when descriptors run short, or lets new ones wait.

    ``watch`` is given a number of connections and what to call when an accept makes so many; it returns how
    many there are. How many descriptors are something else is looked at once a second. ``clock`` is the
    listeners' own. What is done is logged once a minute at most.
    """

    sweep_interval_s: Final = 1.0

    def __init__(
        self,
        listeners: Sequence[Listener],
        *,
        watch: Watch,
        call_later: Callable[[float, Callable[[], None]], object],
        clock: Callable[[], float],
    ) -> None:
        self._listeners = listeners
        self._watch = watch
        self._call_later = call_later
        self._clock = clock
        self._room = _NO_LIMIT  # for so many connections
        self._batch = 1
        self._holding = False
        self._seldom: defaultdict[str, Seldom] = defaultdict(lambda: Seldom(clock, _SAY_AGAIN_S))

    def sweep(self, now: float) -> None:  # noqa: ARG002 - the same for all that is swept
        """Look how many connections there is room for, and act where there are more."""
        self._hold(self._holding)  # once more, where a port could not go on for want of a descriptor
        most = limit()
        reserve = reserve_of(most)
        in_use = _in_use()
        if in_use >= most:
            self._say(logging.ERROR, "is reached: new connections are closed, and what needs a file fails")
        self._batch = max(1, reserve // 4)
        # The application's own files are not to take all the room: half of the reserve is for connections.
        self._room = max(most - reserve - (in_use - self._connections()), reserve // 2)
        if self._connections() >= self._room:
            self._make_room()

    def _connections(self) -> int:
        return self._watch(self._room, self._make_room)

    def _make_room(self) -> None:
        """Close what is idle, and let new connections wait until there is room."""
        if self._holding:
            return
        self._hold(True)
        self._look_again()

    def _look_again(self) -> None:
        if self._connections() < self._room:
            self._hold(False)
        elif self._shed():
            self._say(logging.WARNING, "is near: idle connections are closed, the longest idle first")
            self._call_later(0, self._look_again)  # what is closed gives its descriptor back in the next turn
        else:
            self._say(logging.WARNING, "is near, and no connection is idle: new ones wait")
            self._call_later(_LOOK_AGAIN_S, self._look_again)

    def _hold(self, held: bool) -> None:
        self._holding = held
        for listener in self._listeners:
            listener.hold(held)

    def _shed(self) -> int:
        """Close idle connections until there is some room, and return how many that is."""
        before = self._clock() - _NEW_S
        idle = [
            each
            for listener in self._listeners
            for each in listener.factory.idle()
            if each[0] == 0 or each[1] <= before
        ]
        wanted = self._connections() - self._room + self._batch
        closed = 0
        for _, _, connection in sorted(idle, key=itemgetter(0, 1)):
            if closed >= wanted:
                break
            if not has_unread(connection.fileno()):
                connection.shed()
                closed += 1
        return closed

    def _say(self, level: int, what: str) -> None:
        if self._seldom[what].again():
            busy = ", ".join(f"{each.name}: {each.busy}" for each in self._listeners if each.busy)
            logger.log(level, "the limit of open files (%d) %s (%s); %s", limit(), what, busy or "none", HELP)


def _in_use() -> int:
    """Return how many descriptors this process has open."""
    with suppress(OSError):
        size = _OPEN.stat().st_size  # Linux 6.2 and later (proc_pid_fd(5)); 0 before
        return size or sum(1 for _ in _OPEN.iterdir()) - 1
    return _lowest_free()  # none is left, or there is no /proc


def _lowest_free() -> int:
    """Return the number that the next descriptor will get, the limit where none is left."""
    try:
        descriptor = os.dup(0)
    except OSError:
        return limit()
    os.close(descriptor)
    return descriptor
