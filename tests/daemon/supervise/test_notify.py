"""sd_notify's protocol over a real datagram socket."""

from __future__ import annotations

import os
import socket
import time

import pytest

from asgid.config import Diagnostic
from asgid.config.spec import Place
from asgid.daemon.supervise.notify import Heartbeat, Notifier
from support.manager import Manager


@pytest.fixture(params=["a path", "an abstract name"])
def manager(request, tmp_path):
    address = tmp_path / "notify" if request.param == "a path" else f"@asgid-test-{os.getpid()}"
    made = Manager(address)
    yield made
    made.close()


def error(message, severity="error"):
    return Diagnostic("ASG101", severity, message, Place("site.toml", 3, 1))


def test_states_arrive_as_they_are_written_in_the_manual(manager):
    notifier = Notifier.of(manager.environment)
    notifier.starting("a:b")
    notifier.ready("Serving a:b on public (127.0.0.1:80)")
    notifier.alive()
    notifier.stopping("Stopping", 37.5)
    assert [manager.next() for _ in range(4)] == [
        {"STATUS": "Starting a:b"},
        {"READY": "1", "STATUS": "Serving a:b on public (127.0.0.1:80)"},
        {"WATCHDOG": "1"},
        {"STOPPING": "1", "STATUS": "Stopping", "EXTEND_TIMEOUT_USEC": "37500000"},
    ]


def test_a_failure_is_told_by_its_first_error_and_waited_for_until_it_is_heard(manager):
    notifier = Notifier.of(manager.environment)
    notifier.failed([error("a warning", "warning"), error("first"), error("second")])
    assert manager.next() == {"STATUS": "site.toml:3:1: error[ASG101]: first (and 1 more)"}
    assert manager.next() == {"BARRIER": "1"}


def test_no_error_is_no_failure(manager):
    Notifier.of(manager.environment).failed([error("a warning", "warning")])
    assert manager.waiting() == []


def test_a_status_is_one_line_and_fits_into_what_the_manager_reads(manager):
    Notifier.of(manager.environment).ready("a\nREADY=0\x1b[31m " + "\N{SNOWMAN}" * 4000)
    found = manager.next()
    assert found["READY"] == "1"
    assert found["STATUS"].startswith("a READY=0 [31m \N{SNOWMAN}")
    assert len(found["STATUS"].encode()) < 2100


@pytest.mark.parametrize("address", ["", "relative", "vsock:2:1234", "/", "/nowhere/at/all", "@nobody"])
def test_where_nobody_listens_nothing_is_said_and_nothing_raised(address):
    notifier = Notifier.of({"NOTIFY_SOCKET": address})
    before = time.monotonic()
    notifier.ready("Serving")
    notifier.failed([error("first")])
    assert time.monotonic() - before < 20


def test_a_manager_that_does_not_read_holds_nothing_up(tmp_path):
    deaf = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    with deaf:
        deaf.bind(str(tmp_path / "notify"))
        notifier = Notifier(str(tmp_path / "notify"))
        for _ in range(10_000):  # far more than a queue takes (net.unix.max_dgram_qlen)
            notifier.alive()


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"WATCHDOG_USEC": "3000000"}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}, 0.0),
        ({"WATCHDOG_USEC": "soon"}, 0.0),
        ({"WATCHDOG_USEC": "-1"}, 0.0),
        ({}, 0.0),
    ],
)
def test_the_watchdog_is_this_processs_or_nobodys(variables, expected):
    assert Notifier.of({"NOTIFY_SOCKET": "/run/n", **variables}).watchdog_s == expected
    assert Notifier.of(variables).watchdog_s == 0.0


def test_the_variables_are_taken_away_and_no_others():
    environment = {"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1", "HOME": "/"}
    Notifier.forget(environment)
    assert environment == {"HOME": "/"}


def test_a_heart_beats_twice_in_each_interval_until_it_is_stopped(manager):
    later = []
    heart = Heartbeat(Notifier(manager.environment["NOTIFY_SOCKET"], 3.0), lambda s, f: later.append((s, f)))
    heart.start()
    for _ in range(3):
        ((seconds, beat),) = later
        assert seconds == 1.5
        later.clear()
        beat()
    assert manager.waiting() == [{"WATCHDOG": "1"}] * 4
    heart.stop()
    later.pop()[1]()
    assert (manager.waiting(), later) == ([], [])


def test_a_heart_that_nobody_asks_for_does_not_beat(manager):
    later = []
    Heartbeat(Notifier(manager.environment["NOTIFY_SOCKET"]), lambda s, f: later.append((s, f))).start()
    assert (manager.waiting(), later) == ([], [])
