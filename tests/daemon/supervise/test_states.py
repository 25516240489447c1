"""The table of a listener's life, walked whole."""

from __future__ import annotations

from itertools import product

import pytest

from asgid.daemon.supervise.states import TRANSITIONS, Event, IllegalTransitionError, State, advance

ENDS = {State.CLOSED, State.FAILED}


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_every_state_takes_every_event_as_the_table_says_or_refuses_it(state, event):
    if (state, event) in TRANSITIONS:
        assert advance(state, event) is TRANSITIONS[state, event]
    else:
        with pytest.raises(IllegalTransitionError, match=state.value):
            advance(state, event)


def test_nothing_leads_out_of_an_end():
    assert not [state for state, _ in TRANSITIONS if state in ENDS]


@pytest.mark.parametrize("state", sorted(set(State) - ENDS, key=lambda state: state.value))
def test_every_state_reaches_an_end(state):
    reached, waiting = set(), [state]
    while waiting:
        current = waiting.pop()
        reached.add(current)
        waiting += [to for (origin, _), to in TRANSITIONS.items() if origin is current and to not in reached]
    assert reached & ENDS


@pytest.mark.parametrize("state", sorted(set(State) - {State.NEW}, key=lambda state: state.value))
def test_every_state_is_reached_from_the_first(state):
    reached = {State.NEW}
    for _ in State:
        reached |= {to for (origin, _), to in TRANSITIONS.items() if origin in reached}
    assert state in reached


def test_what_holds_sockets_can_always_be_told_to_stop():
    for state in (State.NEW, State.WAITING, State.BOUND, State.SERVING):
        assert advance(state, Event.STOP) in {State.DRAINING, State.CLOSED}
