"""How long one turn of the loop may be taken up by what clients send, all connections together.

One poll of the kernel can bring the requests of a thousand clients, or a thousand rows of frames, and nobody
else is heard until the last of them is dealt with. So a turn has a time. When it is over, what is read from a
connection waits, and who streams a response waits, and each turn goes on with some of them, in order.

A turn is not measured from its beginning, which would cost a timer or a call in each. Who has read the clock
anyway compares it with :attr:`Turns.ends`; when that has passed, the next turn is asked to call back and a
new end is set; and where it passes once more before the call came, it is the same turn still, and full,
unless it was another process that took the time. A server that is not busy pays a comparison for each
request, and a call every few milliseconds.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any, Protocol

from asgid.daemon.seam import release

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Callable

TURN_S = 0.008  # a turn is full after twice this at the latest, and the step that was under way
_BLOCKED_S = 0.05  # after so long it is full too where next to nothing was computed: something blocks
TURN_FRAMES = 128  # of one WebSocket, taken in one turn
TURN_LINES = 2048  # of one chunked body, looked at in one turn: one read can hold 43,000
TURN_ENDS = 256  # connections whose time is over that are closed in one turn, some milliseconds
CUT_ENDS = 8  # closings that a cut counts for: its application ends, and the kernel frees what was not read
LATE_S = 1.0  # for how long what a client has sent in time may wait, before it is looked at once more
_RELEASED = 8  # who streams and may go on, in each turn: some 256 KiB each, a fifth of a millisecond


class Deferred(Protocol):
    """A connection that has something to go on with."""

    def go_on(self) -> None:
        """Go on with what was read. It may be called without need."""


class Turns:
    """The turns of one event loop. ``clock`` is monotonic, seconds; ``call_soon`` calls on the next turn.

    ``computed`` tells how many seconds this thread has computed; without it all time counts.
    """

    __slots__ = (
        "_before", "_began", "_call_soon", "_clock", "_computed", "_deferred", "_marked", "_waiting", "ends",
        "frames", "full", "lines",
    )  # fmt: skip

    def __init__(
        self,
        clock: Callable[[], float],
        call_soon: Callable[..., Any],
        computed: Callable[[], float] | None = None,
    ) -> None:
        self._clock = clock
        self._call_soon = call_soon
        self._computed = computed or clock
        self._began = self._before = 0.0  # what the two of them told when the end was set
        self._marked = False  # the next turn calls back
        self._deferred: OrderedDict[Deferred, None] = OrderedDict()
        self._waiting: deque[Future[None]] = deque()
        self.ends = 0.0  # on the clock; it passes twice before the turn is full
        self.full = False
        self.frames = TURN_FRAMES  # that a WebSocket may take now
        self.lines = TURN_LINES  # that a chunked body's decoder may look at now

    def look(self) -> None:
        """See whether the turn's time is over: for who has not read the clock."""
        now = self._clock()
        if now > self.ends:
            self.late(now)

    def late(self, now: float) -> None:
        """Take note that :attr:`ends` has passed at ``now``."""
        if not self._marked:
            self._mark()
        elif now - self._began < _BLOCKED_S and (left := self._before + TURN_S - self._computed()) > 0.0:
            self.ends = now + left
        else:
            self.full = True
            self.frames = self.lines = 0

    def defer(self, connection: Deferred) -> None:
        """Let a connection go on in a later turn, after those that were deferred before it."""
        self._deferred[connection] = None
        self._mark()

    def is_deferred(self, connection: Deferred) -> bool:
        """Tell whether a connection has something to go on with that came in time."""
        return connection in self._deferred

    def wait(self) -> Future[None]:
        """Return a future that is done in a later turn, when those who waited before have gone on."""
        turn: Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._mark()
        return turn

    def _mark(self) -> None:
        if not self._marked:
            self._marked = True
            self._set_end()
            self._call_soon(self._begin)

    def _begin(self) -> None:
        """Begin a turn: go on with what was left of the last ones."""
        self._marked = False
        self._open()
        deferred, waiting = self._deferred, self._waiting
        if not deferred and not waiting:
            return
        ends = self.ends
        try:
            for _ in range(len(deferred)):
                connection, _nothing = deferred.popitem(last=False)
                connection.go_on()
                if self._clock() > ends:
                    break
            # who has had nothing yet goes before who streams
            count = min(len(waiting), 1 if deferred else _RELEASED)
            release([waiting.popleft() for _ in range(count)])
        finally:
            self._open()  # what is read now is dealt with: it may be of somebody who asks for little
            if deferred or waiting:
                self._mark()

    def _open(self) -> None:
        """Let whoever comes be dealt with for a while."""
        self.full = False
        self.frames = TURN_FRAMES
        self.lines = TURN_LINES
        self._set_end()

    def _set_end(self) -> None:
        self._began = now = self._clock()
        self._before = self._computed()
        self.ends = now + TURN_S
