"""What is measured of asgid alone: pauses of its loop under hostile clients, and the lint.

The hostile clients, and the application that notes the pauses, are the tests' own (``tests/hostile``).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import load
import peers

if TYPE_CHECKING:
    from measures import Bench

sys.path.append(str(peers.HERE.parent))

from hostile import attacks

from support.victim import Victim

ATTACKS = {
    "readers": ("50 readers that stop", lambda: attacks.stopped_readers(50, 2)),
    "silent": ("2,000 connections that say nothing", lambda: attacks.silent(2000, 2)),
    "resets": ("3,000 resets", lambda: attacks.resets(3000)),
    "pings": ("256 KiB of one-byte pings, 8 times", lambda: attacks.pings(8)),
    "pipelined": ("40,000 pipelined requests", lambda: attacks.pipelined(40_000, read=True)),
    "heads": ("40 floods of headers", lambda: attacks.header_floods(40)),
}
LINT_RUNS = 5


def pause(attack: str, _name: str, bench: Bench) -> float:
    """The longest that asgid's loop did not turn under an attack, in milliseconds."""
    with tempfile.TemporaryDirectory(prefix="asgid-bench-") as folder:
        os.sched_setaffinity(0, {bench.cores.server})  # it inherits that
        try:
            victim = Victim(Path(folder))
        finally:
            os.sched_setaffinity(0, {bench.cores.load})
        try:
            seen = victim.suffer(attack, ATTACKS[attack][1]())
        except AssertionError as error:
            raise load.InvalidError(str(error)) from error
        finally:
            victim.server.kill()
        return seen.pause_ms


def lint(listeners: int, _name: str, bench: Bench) -> float:
    """How many times as long ``asgid lint`` takes as an import of pydantic's: the least of each, in turn."""
    text = f'[application]\ntarget = "app:hello"\ndirectory = "{peers.HERE}"\n'
    for number in range(listeners):
        text += f'\n[listeners.bench{number}]\naddress = "{peers.HOST}"\nport = {10_000 + number}\n'
    with tempfile.TemporaryDirectory(prefix="asgid-bench-") as folder:
        path = Path(folder) / "listeners.toml"
        path.write_text(text)
        own = [str(Path(sys.executable).with_name("asgid")), "lint", str(path)]
        other = [sys.executable, "-c", "from pydantic import BaseModel"]
        times = [(took(own, bench), took(other, bench)) for _ in range(LINT_RUNS)]
    return min(mine for mine, _ in times) / min(theirs for _, theirs in times)


def took(command: list[str], bench: Bench) -> float:
    """How long a command takes, in seconds."""
    began = time.perf_counter()
    done = subprocess.run(
        ["taskset", "-c", str(bench.cores.server), *command], capture_output=True, text=True, check=False
    )
    time_s = time.perf_counter() - began
    if done.returncode:
        raise load.InvalidError(
            f"{command[1]} ended with {done.returncode}: {done.stdout[:200]}{done.stderr[:200]}"
        )
    return time_s
