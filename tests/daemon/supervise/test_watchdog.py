"""A watchdog ends what does not end, whatever the main thread does. Each dog has a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

START = """
import os, signal, threading, time
from asgid.daemon.supervise.watchdog import Watchdog
dog = Watchdog(lambda: os._exit(42))
"""
BUSY = {
    "a loop of bytecodes": "while True: pass\n",
    "a system call": "time.sleep(1000)\n",
    "a lock": "lock = threading.Lock(); lock.acquire(); lock.acquire()\n",
    "the interpreter's own end": "threading.Thread(target=time.sleep, args=(1000,)).start()\n",
}


def status(code):
    return subprocess.run([sys.executable, "-c", START + code], check=False, timeout=60).returncode


@pytest.mark.parametrize("busy", BUSY.values(), ids=BUSY)
def test_it_bites_whatever_the_main_thread_does(busy):
    assert status("dog.until(time.monotonic() + 0.05)\n" + busy) == 42


def test_a_dog_that_was_never_armed_holds_nobody_and_bites_nobody():
    assert status("") == 0


def test_a_later_deadline_takes_the_place_of_an_earlier_one():
    assert (
        status("dog.until(time.monotonic() + 0.3); dog.until(time.monotonic() + 1000)\ntime.sleep(0.6)\n")
        == 0
    )


def test_an_earlier_deadline_takes_the_place_of_a_later_one():
    assert status("dog.until(time.monotonic() + 1000); dog.until(time.monotonic())\ntime.sleep(1000)\n") == 42


def test_it_can_be_armed_from_a_signal_handler():
    code = (
        "signal.signal(signal.SIGUSR1, lambda *_: dog.until(time.monotonic()))\n"
        "signal.raise_signal(signal.SIGUSR1)\ntime.sleep(1000)\n"
    )
    assert status(code) == 42
