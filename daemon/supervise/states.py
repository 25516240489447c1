"""A listener's life, as a table.

NEW is known from the plan; WAITING has nothing to bind yet (its interface or address is not there); BOUND
has its sockets; SERVING accepts; DRAINING accepts no more and lets what is under way finish; CLOSED and
FAILED are the ends.
"""

from __future__ import annotations

import enum


class State(enum.Enum):
    """Where a listener stands."""

    NEW = "new"
    WAITING = "waiting"
    BOUND = "bound"
    SERVING = "serving"
    DRAINING = "draining"
    CLOSED = "closed"
    FAILED = "failed"


class Event(enum.Enum):
    """What happens to a listener."""

    ABSENT = "its interface or address is not there yet"
    OPENED = "its sockets are bound"
    REFUSED = "it cannot be opened"
    SERVE = "every required listener is bound, and the application is ready"
    STOP = "it is to stop"
    EMPTY = "its last connection has gone"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.NEW, Event.ABSENT): State.WAITING,
    (State.NEW, Event.OPENED): State.BOUND,
    (State.NEW, Event.REFUSED): State.FAILED,
    (State.NEW, Event.STOP): State.CLOSED,
    (State.WAITING, Event.OPENED): State.BOUND,
    (State.WAITING, Event.REFUSED): State.FAILED,
    (State.WAITING, Event.STOP): State.CLOSED,
    (State.BOUND, Event.SERVE): State.SERVING,
    (State.BOUND, Event.STOP): State.DRAINING,
    (State.SERVING, Event.STOP): State.DRAINING,
    (State.DRAINING, Event.EMPTY): State.CLOSED,
}
"""Every pair that is not here is a mistake of ours."""


class IllegalTransitionError(RuntimeError):
    """An event came that its listener's state does not allow."""

    def __init__(self, state: State, event: Event) -> None:
        super().__init__(f"a listener that is {state.value} cannot take {event.name}: {event.value}")
        self.state = state
        self.event = event


def advance(state: State, event: Event) -> State:
    """Return the state after ``event``. Raises :class:`IllegalTransitionError` where the table has none."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise IllegalTransitionError(state, event) from None
