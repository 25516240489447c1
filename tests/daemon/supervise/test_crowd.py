"""Memory is given back once when a crowd has gone, and nobody is lost by it."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from asgid.daemon.supervise.crowd import Crowd
from asgid.daemon.supervise.process import give_freed_memory_back


def watched(*sizes: int) -> tuple[list[set[int]], list[int], Crowd]:
    connections = [set(range(size)) for size in sizes]
    calls: list[int] = []
    crowd = Crowd(connections, lambda: calls.append(sum(map(len, connections))), lambda: 0.0)
    return connections, calls, crowd


def test_when_most_of_many_have_gone_memory_is_given_back_once():
    connections, calls, crowd = watched(5000, 4000)
    crowd.sweep(0.0)
    connections[0].difference_update(range(5000))
    connections[1].difference_update(range(3990))
    for second in range(1, 10):
        crowd.sweep(float(second))
    assert calls == [10]
    assert connections == [set(), set(range(3990, 4000))]


def test_the_sets_are_small_again_and_hold_the_same():
    connections, _, crowd = watched(9000)
    large = sys.getsizeof(connections[0])
    crowd.sweep(0.0)
    for number in range(8990):  # one by one, as connections go
        connections[0].discard(number)
    assert sys.getsizeof(connections[0]) == large
    for second in (1.0, 2.0):
        crowd.sweep(second)
    assert sys.getsizeof(connections[0]) < large / 20
    assert connections[0] == set(range(8990, 9000))


def test_it_waits_until_the_going_is_over():
    connections, calls, crowd = watched(9000)
    crowd.sweep(0.0)
    connections[0].difference_update(range(7000))
    crowd.sweep(1.0)
    assert calls == []
    connections[0].update(range(3000))  # some came again
    crowd.sweep(2.0)
    connections[0].difference_update(range(8000))
    crowd.sweep(3.0)
    assert calls == []
    crowd.sweep(4.0)
    assert calls == [1000]


@pytest.mark.parametrize(("many", "few"), [(200, 0), (9000, 3000), (256, 65)])
def test_few_are_no_crowd_and_half_of_one_has_not_gone(many, few):
    connections, calls, crowd = watched(many)
    crowd.sweep(0.0)
    connections[0].difference_update(range(many - few))
    for second in range(1, 5):
        crowd.sweep(float(second))
    assert calls == []


def test_the_next_crowd_counts_anew():
    connections, calls, crowd = watched(0)
    for second in range(4):
        connections[0].update(range(1000))
        crowd.sweep(second * 3.0)
        connections[0].clear()
        crowd.sweep(second * 3.0 + 1)
        crowd.sweep(second * 3.0 + 2)
    assert calls == [0] * 4


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ([0.5, 0.0, 0.0, 0.0, 0.0, 0.0], [4]),
        ([0.5, 0.0, 0.0, 0.3, 0.0, 0.0, 0.0], [7]),
        ([0.5, 0.05, 0.0, 0.05, 0.0, 0.0], [6]),
        ([0.0, 0.01, 0.05, 0.0, 0.0, 0.0, 0.0], []),
        ([0.5] * 10, []),
        ([0.9, 0, 0, 0, 0.9, 0, 0, 0], [4, 8]),
    ],
)
def test_when_a_busy_loop_has_been_quiet_for_a_while_memory_is_given_back_once(seconds, expected):
    computed, calls, second = 0.0, [], 0
    crowd = Crowd([set()], lambda: calls.append(second), lambda: computed)
    for took in seconds:
        second += 1
        computed += took
        crowd.sweep(float(second))
    assert calls == expected


PROGRAM = """
import re
from pathlib import Path
from asgid.daemon.supervise.process import give_freed_memory_back, keep_freed_memory

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

keep_freed_memory(%s)
held = [bytes(4000) for _ in range(20000)]
del held[::2], held[:9000]
before = resident()
give_freed_memory_back(%s)
print(before - resident())
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="another C library")
@pytest.mark.parametrize(("environment", "least"), [({}, 20_000), ({"MALLOC_TRIM_THRESHOLD_": "1"}, None)])
def test_what_is_free_between_what_is_held_goes_back_unless_the_user_has_decided(environment, least):
    program = PROGRAM % (environment, environment)
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    given_kib = int(told.stdout)
    if least is None:
        assert abs(given_kib) < 2000
    else:
        assert given_kib >= least


def test_without_such_a_call_nothing_happens(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    give_freed_memory_back({})
