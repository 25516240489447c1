"""One random configuration on one random host, linted with ``--live`` and started for real.

None that lints clean fails to start on that host, and none that cannot start lints clean. What the live
rules refuse is started without them too, so that a lint that refuses everything would show. Each run is a
fork of this process, which has imported everything: the command line's own ``main`` is called there.
"""

from __future__ import annotations

import ctypes
import json
import os
import random
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from hosts.drawing import Drawing
from hosts.world import NOBODY, Holder, World, clear, inherited, lay_out, random_world
from support.files import self_signed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asgid.config import Config, Diagnostic, Plan
    from asgid.config.host import HostView

PATIENCE_S = 60.0
SERVES = re.compile(rb"asgid \S+ serves ")
PR_SET_DUMPABLE = 4


@dataclass
class Outcome:
    """What came of one run: its status, or None where it served until it was told to end."""

    status: int | None
    out: bytes
    err: bytes

    @property
    def served(self) -> bool:
        return self.status is None


@cache
def nobody_runs() -> bool:
    """Tell whether this Python and these tests can be read by that user; a home's most often cannot."""
    code = "import tomllib, asgid.config"
    done = subprocess.run(
        [sys.executable, "-c", code], user=NOBODY, group=NOBODY, extra_groups=[], cwd="/", check=False,
        capture_output=True,
    )  # fmt: skip
    if done.returncode:
        sys.stderr.write(f"nobody cannot run {sys.executable}: every case is root's\n")
    return not done.returncode


class Case:
    """One configuration on one host, drawn from ``number``."""

    def __init__(self, number: int, base: Path, pem: Path) -> None:
        self.number = number
        drawn = random.Random(number)
        self.folder = base / f"case{number}"
        self.world = random_world(drawn)
        self.world.as_nobody &= nobody_runs()
        lay_out(self.folder, NOBODY if self.world.as_nobody else 0)
        self.file = self.folder / "listeners.toml"
        self.text = Drawing(drawn, self.world, self.folder, pem).text()
        self.file.write_text(self.text)
        self.holder = Holder(self.world, self.folder)
        self.fds = inherited(self.world, self.folder)

    def close(self) -> None:
        for fileno in self.fds:
            os.close(fileno)
        self.holder.end()
        clear(self.folder)

    def lint(self) -> Outcome:
        return self._run(["lint", "--live", "--format", "json", str(self.file)])

    def start(self, *, bare: bool = False) -> Outcome:
        return self._run(["--config", str(self.file)], bare=bare)

    def _run(self, words: Sequence[str], *, bare: bool = False) -> Outcome:
        (out, to_out), (err, to_err) = os.pipe(), os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.dup2(to_out, 1)
                os.dup2(to_err, 2)
                status = _as_asgid(words, self.world, self.fds, bare=bare)
                sys.stdout.flush()
                sys.stderr.flush()
            except BaseException as error:  # noqa: BLE001 - a fork must not go on as its parent
                os.write(2, f"THE RUN ITSELF FAILED: {error!r}\n".encode())
                status = 99
            os._exit(status)
        os.close(to_out)
        os.close(to_err)
        return _watched(pid, out, err)


def _as_asgid(words: Sequence[str], world: World, fds: Sequence[int], *, bare: bool) -> int:
    """Be what ``asgid`` with these words would be, started by whoever passes the descriptors."""
    for at, fileno in enumerate(fds):
        os.dup2(fileno, 100 + at)
    for at in range(len(fds)):
        os.dup2(100 + at, 3 + at)
    os.closerange(3 + len(fds), 256)
    if world.passed:
        names = ":".join(each.name for each in world.passed)
        os.environ |= {"LISTEN_FDS": str(len(fds)), "LISTEN_FDNAMES": names, "LISTEN_PID": str(os.getpid())}
    os.chdir("/")
    if world.as_nobody:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1)  # as an exec would
    if bare:
        from asgid.daemon.supervise import live

        live.at_start = _of_the_plan
    sys.argv = ["asgid", *words]
    from asgid.daemon.cli import main

    return main()


def _of_the_plan(config: Config, plan: Plan, host: HostView, known: object) -> list[Diagnostic]:
    """What the plan found, without any live rule: a listener that has a problem there is not even tried."""
    return [*plan.diagnostics, *(each for listener in plan.listeners for each in listener.problems)]


def _watched(pid: int, out: int, err: int) -> Outcome:
    """Gather what a run writes until it ends; tell it to end once it serves."""
    data = {out: b"", err: b""}
    left, served = set(data), False
    deadline = time.monotonic() + PATIENCE_S
    while left:
        ready, _, _ = select.select(list(left), [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            os.kill(pid, signal.SIGKILL)
            break
        for each in ready:
            read = os.read(each, 65536)
            data[each] += read
            if not read:
                left.discard(each)
        if not served and SERVES.search(data[err]):
            served = True
            os.kill(pid, signal.SIGTERM)
    os.close(out)
    os.close(err)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    return Outcome(None if served and code == 0 else code, data[out], data[err])


def judged(case: Case, counts: Counter[str]) -> str:
    """Lint and start a case; return what is wrong with that, or ''."""
    lint = case.lint()
    try:
        found = json.loads(lint.out)
    except ValueError:
        return f"lint said no JSON: {lint.status} {lint.out!r} {lint.err!r}"
    errors = [each for each in found if each["severity"] == "error"]
    if (lint.status == 0) != (not errors):
        return f"lint ended with {lint.status}, and found {errors}"
    waits = any(each["code"] == "ASG809" and each["severity"] == "info" for each in found)
    start = case.start()
    if b"Traceback" in start.err and b"ZeroDivisionError" not in start.err:
        return f"a traceback: {start.err.decode()}"
    counts["served" if start.served else "refused"] += 1
    counts["clean" if not errors else "not clean"] += 1
    for each in errors:
        counts[each["code"]] += 1
    if not errors and not start.served and not waits and not _changed(case, errors, counts):
        return f"lints clean and does not start ({start.status}):\n{start.err.decode()}"
    if errors and start.served and not _changed(case, errors, counts):
        return f"starts with errors: {errors}"
    if errors and all(each["code"] >= "ASG8" for each in errors) and not waits:
        bare = case.start(bare=True)
        counts["refused by the live rules"] += 1
        meant = any(POLICY.search(f"{each['code']} {each['message']}") for each in errors)
        if bare.served and not meant and not _changed(case, errors, counts):
            return f"is refused and would start: {errors}"
    return ""


def _changed(case: Case, errors: Sequence[object], counts: Counter[str]) -> bool:
    """Tell whether the host is another one by now: a port in TIME_WAIT is free after a minute."""
    changed = bool(json.loads(case.lint().out)) != bool(errors)
    counts["changed meanwhile"] += changed
    return changed


POLICY = re.compile(r"ASG213|the (pid file|access log) \S+ is the ")
"""What starts and is refused all the same: two listeners on one socket, another file in its place."""


def run(numbers: Callable[[], int | None]) -> int:
    """Run cases until there is no number; return how many were wrong."""
    counts: Counter[str] = Counter()
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="asgid-hosts.") as name:
        base = Path(name)
        base.chmod(0o755)
        certificate, key = self_signed(base)
        pem = base / "both.pem"
        pem.write_bytes(key.read_bytes() + certificate.read_bytes())
        while (number := numbers()) is not None:
            case = Case(number, base, pem)
            try:
                problem = judged(case, counts)
            finally:
                case.close()
            counts["cases"] += 1
            if problem:
                wrong += 1
                print(f"case {number}: {problem}\n{case.world}\n{case.text}", flush=True)
    print(json.dumps({"wrong": wrong, **dict(sorted(counts.items()))}), flush=True)
    return wrong


def preload() -> None:
    """Import what a start imports, so that forks need not; no reactor is made."""
    import uvloop  # noqa: F401
    from twisted.internet import endpoints  # noqa: F401

    import asgid.config.explain
    import asgid.config.planning
    import asgid.daemon.asgi
    import asgid.daemon.asgi.application
    import asgid.daemon.cli.commands
    import asgid.daemon.cli.lint
    import asgid.daemon.net.foreign
    import asgid.daemon.net.live
    import asgid.daemon.net.opener
    import asgid.daemon.supervise.runtime
    import asgid.daemon.supervise.start
    import asgid.daemon.wire.factory  # noqa: F401
