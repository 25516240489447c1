"""A server as a real process, watched by its output: nothing here sleeps or guesses when it is ready."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ASGID = Path(sys.executable).with_name("asgid")
PATIENCE_S = 30.0  # how long anything may take before a test gives up; no test measures time by it


@dataclass(frozen=True)
class Line:
    """One start line of a listener: what it is called, its endpoint string, what was really bound."""

    name: str
    endpoint: str
    address: str

    @property
    def place(self) -> tuple[str, int] | str:
        """What a socket connects to: host and port, or a path."""
        if self.address.startswith("unix:"):
            return self.address.removeprefix("unix:")
        host, _, port = self.address.rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def url(self) -> str:
        """The base of an HTTP URL for a listener with a port."""
        return f"http://{self.address}"


class Output:
    """The lines of one stream of a process, gathered by a thread; others wait for what they need."""

    def __init__(self, stream) -> None:
        self.lines: list[str] = []
        self.closed = False
        self._changed = threading.Condition()
        self._stream = stream
        self._thread = threading.Thread(target=self._gather, daemon=True)
        self._thread.start()

    def _gather(self) -> None:
        with self._stream:
            for raw in self._stream:
                with self._changed:
                    self.lines.append(raw.decode("utf-8", "replace").rstrip("\n"))
                    self._changed.notify_all()
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def wait_for(self, pattern: str, *, count: int = 1) -> list[str]:
        """Return the first ``count`` lines that match; raise AssertionError where they never come."""
        found = re.compile(pattern)
        deadline = time.monotonic() + PATIENCE_S
        with self._changed:
            while True:
                hits = [line for line in self.lines if found.search(line)]
                if len(hits) >= count:
                    return hits[:count]
                left = deadline - time.monotonic()
                if self.closed or left <= 0:
                    why = "the output ended" if self.closed else "nothing came in time"
                    raise AssertionError(f"{pattern!r} was not said ({why}):\n" + "\n".join(self.lines))
                self._changed.wait(left)

    def wait_closed(self) -> None:
        """Wait until every writer of the stream has closed it."""
        self._thread.join(PATIENCE_S)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a shell of an ordinary user, plus ``extra``."""
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "USER", "TMPDIR") if key in os.environ}
    return {"LANG": "C.UTF-8", **kept, **(extra or {})}


class Process:
    """A command that runs; ``out`` and ``err`` are what it wrote so far."""

    def __init__(
        self,
        command: Sequence[str | os.PathLike[str]],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
        stdout: int = subprocess.PIPE,
    ) -> None:
        self.process = subprocess.Popen(
            [os.fspath(part) for part in command],
            cwd=cwd,
            env=clean_environment(env),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            pass_fds=pass_fds,
        )
        self.out = Output(self.process.stdout or io.BytesIO())
        self.err = Output(self.process.stderr)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    @property
    def status(self) -> int | None:
        """The exit status, once it has ended."""
        return self.process.poll()

    def tell(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        """Wait for the end and for all output; return the exit status, negative for a signal."""
        status = self.process.wait(PATIENCE_S)
        self.out.wait_closed()
        self.err.wait_closed()
        return status

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end and return its status; one that does not end is killed and said so."""
        if self.running:
            self.tell(number)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.wait()
            raise AssertionError("the process did not end when asked:\n" + self.err.text) from None

    def kill(self) -> None:
        """End it now, whatever state it is in."""
        if self.running:
            self.process.kill()
        self.wait()


class Server(Process):
    """An asgid process that is starting or serving."""

    LISTENING = re.compile(r"listener (?P<name>\S+): (?P<endpoint>.+?) at (?P<addresses>\S.*)$")
    SERVING = r"asgid \S+ serves \S+ \(process \d+"

    def wait_serving(self) -> Server:
        """Wait until it says that it serves."""
        self.err.wait_for(self.SERVING)
        return self

    @property
    def listeners(self) -> list[Line]:
        """What the start lines say, one for each socket."""
        found = []
        for text in self.err.lines:
            hit = self.LISTENING.search(text)
            if hit:
                addresses = re.split(r", ", hit["addresses"])
                found.extend(Line(hit["name"], hit["endpoint"], address) for address in addresses)
        return found

    def listener(self, name: str) -> Line:
        """The first socket of the listener of that name."""
        return next(line for line in self.listeners if line.name == name)

    @property
    def first(self) -> Line:
        """The first socket of all."""
        return self.listeners[0]
