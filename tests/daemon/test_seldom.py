"""Lines whose number clients decide."""

from __future__ import annotations

from asgid.daemon.seldom import Seldom


def test_the_first_is_said_at_once_and_the_next_when_it_is_quiet_with_all_that_came_between():
    now = [1000.0]
    seldom = Seldom(lambda: now[0], 10.0)
    assert seldom.again() == 1
    now[0] += 9.9
    assert [seldom.again(), seldom.again()] == [0, 0]
    now[0] += 0.1
    assert seldom.again() == 3
    assert seldom.again() == 0
    now[0] += 3600.0
    assert seldom.again() == 2


def test_what_was_not_said_is_there_to_be_said_once_when_it_is_quiet():
    now = [1000.0]
    seldom = Seldom(lambda: now[0], 10.0)
    assert seldom.unsaid() == 0
    assert [seldom.again() for _ in range(4)] == [1, 0, 0, 0]
    now[0] += 9.9
    assert seldom.unsaid() == 0
    now[0] += 0.1
    assert seldom.unsaid() == 3
    assert seldom.unsaid() == 0
    assert seldom.again() == 0  # that was a saying


def test_the_first_is_said_on_a_machine_that_has_just_started():
    assert Seldom(lambda: 0.0, 60.0).again() == 1
