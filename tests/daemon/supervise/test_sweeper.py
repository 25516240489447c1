"""One timer sweeps every listener, each as often as it asks."""

from __future__ import annotations

import logging

from asgid.daemon.seam import Counters
from asgid.daemon.supervise.sweeper import Sweeper


class Swept:
    """Connections that write down when they were swept."""

    def __init__(self, interval_s, fails=False):
        self.sweep_interval_s = interval_s
        self.fails = fails
        self.times = []
        self.connections = set()
        self.counters = Counters()

    def sweep(self, now):
        self.times.append(now)
        if self.fails:
            raise ValueError("a broken connection")

    def drain(self):
        raise AssertionError("a sweep drains nothing")

    def cut(self):
        raise AssertionError("a sweep cuts nothing")


class Timer:
    """``call_later`` of an event loop whose clock is moved by hand."""

    def __init__(self):
        self.now = 100.0
        self.waiting = []

    def clock(self):
        return self.now

    def call_later(self, seconds, call):
        self.waiting.append((self.now + seconds, call))

    def run_until(self, end):
        while self.waiting and self.waiting[0][0] <= end:
            due, call = self.waiting.pop(0)
            self.now = due
            call()
        self.now = end


def sweeper(timer, *factories):
    made = Sweeper(factories, call_later=timer.call_later, clock=timer.clock)
    made.start()
    return made


def test_each_factory_is_swept_at_its_own_interval():
    timer, quick, slow = Timer(), Swept(0.25), Swept(1.0)
    sweeper(timer, quick, slow)
    timer.run_until(104.01)
    assert len(quick.times) == 16
    assert len(slow.times) == 4


def test_the_factory_gets_the_time_of_the_clock():
    timer, swept = Timer(), Swept(0.5)
    sweeper(timer, swept)
    timer.run_until(101.0)
    assert swept.times == [100.5, 101.0]


def test_a_sweep_that_raises_is_logged_and_hinders_nobody(caplog):
    timer, broken, fine = Timer(), Swept(1.0, fails=True), Swept(1.0)
    sweeper(timer, broken, fine)
    with caplog.at_level(logging.ERROR, logger="asgid"):
        timer.run_until(103.0)
    assert len(broken.times) == len(fine.times) == 3
    assert "a broken connection" in caplog.text


def test_nothing_is_swept_after_the_stop():
    timer, swept = Timer(), Swept(1.0)
    made = sweeper(timer, swept)
    timer.run_until(101.0)
    made.stop()
    timer.run_until(110.0)
    assert len(swept.times) == 1
    assert timer.waiting == []


def test_no_factories_is_no_mistake():
    timer = Timer()
    sweeper(timer)
    timer.run_until(105.0)
