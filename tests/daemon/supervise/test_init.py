"""Process 1: passes signals on, reaps orphans, ends as the daemon ends. Each init is a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.files import probe_file
from support.raw import Raw

PR_SET_CHILD_SUBREAPER = 36  # prctl(2): orphans come to this process, as they come to process 1
START = f"""
import ctypes, os, signal, subprocess, sys, time
from pathlib import Path
ctypes.CDLL(None).prctl({PR_SET_CHILD_SUBREAPER}, 1, 0, 0, 0)
from asgid.daemon.supervise.init import fork_under_init
fork_under_init()
def say(*words): print(*words, flush=True)
"""


@contextmanager
def init(code, **options):
    process = subprocess.Popen(
        [sys.executable, "-c", START + code],
        stdout=subprocess.PIPE,
        text=True,
        stdin=subprocess.DEVNULL,
        **options,
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("sys.exit(0)", 0),
        ("sys.exit(78)", 78),
        ("os.kill(os.getpid(), signal.SIGKILL)", 137),
        ("signal.signal(signal.SIGTERM, signal.SIG_DFL); os.kill(os.getpid(), signal.SIGTERM)", 143),
    ],
)
def test_it_ends_as_its_daemon_ends(code, status):
    with init(code) as process:
        assert process.wait(60) == status


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGQUIT]
)
def test_a_signal_is_passed_on_once(number):
    code = (
        "import threading\n"
        f"signal.signal({int(number)}, lambda n, f: say('got', n))\n"
        "say('ready')\nfor _ in range(2): signal.sigtimedwait([signal.SIGUSR2], 1.0)\nsys.exit(5)\n"
    )
    with init(code) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.stdout.readline() == f"got {int(number)}\n"
        assert process.wait(60) == 5
        assert process.stdout.read() == ""


def test_an_orphan_is_reaped_and_the_daemons_own_children_are_not():
    code = (
        "orphan = subprocess.run(['sh', '-c', 'sleep 0.1 & echo $!'], stdout=subprocess.PIPE, text=True)\n"
        "mine = subprocess.Popen(['sh', '-c', 'exit 7'])\n"
        "path = Path('/proc', orphan.stdout.strip())\n"
        "deadline = time.monotonic() + 30\n"
        "while path.exists() and time.monotonic() < deadline: time.sleep(0.01)\n"
        "say('reaped' if not path.exists() else path.joinpath('stat').read_text(), mine.wait())\n"
    )
    with init(code) as process:
        assert process.stdout.readline() == "reaped 7\n"
        assert process.wait(60) == 0


def test_the_daemon_starts_with_no_signal_blocked_and_in_a_group_of_its_own():
    code = "say(signal.pthread_sigmask(signal.SIG_BLOCK, []), os.getpgrp() == os.getpid())\n"
    with init(code) as process:
        assert process.stdout.readline() == "set() True\n"


def test_sockets_passed_to_the_init_are_the_daemons():
    code = "say(os.environ['LISTEN_PID'] == str(os.getpid()))\n"
    before = "import os\nos.environ['LISTEN_PID'] = str(os.getpid())\n"
    done = subprocess.run(
        [sys.executable, "-c", before + START + code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n"


NAMESPACE = ("unshare", "--pid", "--fork", "--mount-proc")


def test_as_process_1_the_command_serves_and_stops(start, tmp_path):
    if subprocess.run([*NAMESPACE, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("a pid namespace cannot be made here")
    server = start("--config", probe_file(tmp_path), prefix=NAMESPACE).wait_serving()
    with Raw(server.first.place) as client:
        assert client.get("/hello").status == 200
    (first,) = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    os.kill(int(first), signal.SIGTERM)
    assert server.wait() == 0
    assert "the lifespan shut down" in server.err.text
