"""asgid under attack: a process that is weighed, watched, and polled by another client all the while."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.files import probe_file
from support.raw import Raw
from support.server import ASGID, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

CALM_S = 40.0  # what an attack may leave behind is to be gone by then
GIVEN_BACK_S = 5.0  # and what was freed is given back to the system by then
NEAR_KIB = 2048
LISTENER = """\
[listeners.main]
address = "127.0.0.1"
port = 0
"""
SHORT = """\
[timeouts]
request_head = "2s"
request_body = "2s"
keep_alive = "3s"
response_write = "2s"
[log]
access = ""
"""


@dataclass
class Seen:
    """What an attack did, as the other client and the kernel saw it."""

    name: str
    polled: dict[str, float]
    pause_ms: float
    computed_ms: float  # by the loop without a pause
    before_kib: int
    worst_kib: int
    after_kib: int
    descriptors: int  # at most, under attack
    took_s: float
    calm_s: float

    def __str__(self) -> str:
        polled = self.polled
        return (
            f"{self.name}: {self.took_s:.1f} s; other client: {polled['polls']} answers, "
            f"{polled['unanswered']} missing, median {polled['median_ms']:.1f}, p99 {polled['p99_ms']:.1f}, "
            f"worst {polled['worst_ms']:.1f} ms; largest pause of the loop {self.pause_ms:.1f} ms "
            f"({self.computed_ms:.1f} ms computed); "
            f"PSS {self.before_kib / 1024:.1f}, {self.worst_kib / 1024:.1f} under attack, "
            f"{self.after_kib / 1024:.1f} MiB {self.calm_s:.1f} s later; {self.descriptors} descriptors"
        )


class Victim:
    """asgid with the application ``victim``, its timeouts ``rest``."""

    def __init__(self, folder: Path, *, rest: str = SHORT, open_files: int = 0) -> None:
        path = probe_file(folder, LISTENER, target="victim:application", rest=rest)
        command = [ASGID, "--config", path]
        if open_files:
            command = ["sh", "-c", f'ulimit -n {open_files}; exec "$@"', "sh", *command]
        self.server = Server(command, cwd=folder).wait_serving()
        self.place: Any = self.server.first.place
        self.calm = True  # nothing is left of the last attack
        self._warm_up()
        self.before = self.state()

    def _warm_up(self) -> None:
        """Bring into memory what the first of each kind brings: it is no leak."""
        self.server.err.wait_for("serves")
        for _ in range(3):
            with Raw(self.place) as client:
                for target in ("/hello", "/big", "/late"):
                    client.get(target)
                client.request("/count", method="POST", body=bytes(100_000))
                client.response()
                client.request(
                    "/", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                )  # fmt: skip
                client.response()
                client.send(b"\x81\x85\x01\x02\x03\x04igohn")
                client.read_exactly(7)
        time.sleep(0.5)

    def state(self) -> dict[str, Any]:
        """What the process says that it holds."""
        with Raw(self.place) as client:
            return json.loads(client.get("/state", "Connection: close").body)

    def pss_kib(self) -> int:
        """Proportional set size, KiB."""
        return self._rollup_kib("Pss")

    def anonymous_kib(self) -> int:
        """What it has for itself alone, KiB: PSS depends on who else has its libraries."""
        return self._rollup_kib("Anonymous")

    def _rollup_kib(self, field: str) -> int:
        """One field of the sums over all of its memory (proc_pid_smaps(5))."""
        text = Path(f"/proc/{self.server.pid}/smaps_rollup").read_text()
        found = re.search(rf"^{field}:\s+(\d+)", text, re.MULTILINE)
        assert found is not None
        return int(found[1])

    def given_back_kib(self, before: int) -> int:
        """What :meth:`pss_kib` is once it is near what it was ``before``, or a while has passed."""
        until = time.monotonic() + GIVEN_BACK_S
        while (now := self.pss_kib()) > before + NEAR_KIB and time.monotonic() < until:
            time.sleep(0.25)
        return now

    def descriptors(self) -> int:
        """How many descriptors it has (proc_pid_fd(5))."""
        return sum(1 for _ in Path(f"/proc/{self.server.pid}/fd").iterdir())

    def left(self) -> dict[str, Any]:
        """What there is more of than at the beginning; empty where nothing is left."""
        now = self.state()
        found = {
            key: (self.before[key], now[key])
            for key in ("tasks", "descriptors")
            if now[key] > self.before[key]
        }
        for name, number in now["held"].items():
            if number > self.before["held"].get(name, 0):
                found[name] = (self.before["held"].get(name, 0), number)
        return found

    def calm_down(self) -> float:
        """Wait until nothing is left, and return how long that took. Raises AssertionError."""
        began = time.monotonic()
        while found := self.left():
            assert time.monotonic() < began + CALM_S, f"left behind: {found}"
            time.sleep(0.25)
        return time.monotonic() - began

    @contextmanager
    def polled(self, results: dict[str, float]) -> Iterator[None]:
        """Poll all the while; what the other client saw is in ``results`` afterwards."""
        poll = Path(__file__).with_name("poll.py")
        command = [sys.executable, str(poll), self.place[0], str(self.place[1])]
        client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert client.stdout is not None
        client.stdout.readline()  # it begins
        try:
            yield
        finally:
            out, _ = client.communicate()
            results.update(json.loads(out))

    def suffer(self, name: str, attack: Any, *, least_s: float = 1.5) -> Seen:
        """Run ``attack(place)`` again and again for ``least_s`` at least, and return what was seen.

        Raises AssertionError where something is left behind.

        ``attack`` is a generator: it yields while it holds what it has taken, and memory is looked at then.
        """
        self.calm = False
        self.state()
        before = worst = self.pss_kib()
        descriptors = 0
        polled: dict[str, float] = {}
        began = time.monotonic()
        with self.polled(polled):
            while time.monotonic() < began + least_s:
                for _ in attack(self.place):
                    worst = max(worst, self.pss_kib())
                    descriptors = max(descriptors, self.descriptors())
        took = time.monotonic() - began
        state = self.state()
        calm = self.calm_down()
        self.calm = True
        after = self.given_back_kib(before)
        return Seen(
            name, polled, state["pause_ms"], state["computed_ms"], before, worst, after, descriptors, took,
            calm,
        )  # fmt: skip

    def stop(self) -> None:
        """End it; it has to go as calmly as ever."""
        assert self.server.stop() == 0
        assert "Traceback" not in self.server.err.text, self.server.err.text[-4000:]
