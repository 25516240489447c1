"""A watchdog ends what does not end, whatever the main thread does. Each dog has a process of its own."""

from __future__ import annotations

import signal
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


STUCK_IN_C = """
import ctypes
libc = ctypes.CDLL(None)
mutex = ctypes.create_string_buffer(64)
libc.pthread_mutex_lock(mutex)
"""


def test_it_hears_of_a_signal_while_the_main_thread_never_returns_from_c():
    code = (
        "dog = Watchdog(lambda: os._exit(43), lambda number: os._exit(number))\n"
        "dog.listen()\n"
        "signal.signal(signal.SIGUSR1, lambda *_: os._exit(1))\n"
        "main = threading.main_thread().ident\n"
        "threading.Timer(0.2, signal.pthread_kill, (main, signal.SIGUSR1)).start()\n"
        + STUCK_IN_C
        + "libc.pthread_mutex_lock(mutex)\n"
    )
    assert status(code) == signal.SIGUSR1


def test_what_it_hears_is_passed_on_to_who_listened_before():
    code = (
        "before, writer = os.pipe(); os.set_blocking(writer, False)\n"
        "signal.set_wakeup_fd(writer)\n"
        "dog.listen(); dog.listen(); os.close(writer)\n"
        "signal.signal(signal.SIGUSR1, lambda *_: None)\n"
        "signal.raise_signal(signal.SIGUSR1)\n"
        "os._exit(os.read(before, 1)[0])\n"
    )
    assert status(code) == signal.SIGUSR1
