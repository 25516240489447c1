"""One server as a process of its own, pinned to one core: started, waited for, weighed and ended."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import peers

if TYPE_CHECKING:
    from collections.abc import Iterator

START_LIMIT_S = 30.0
STOP_LIMIT_S = 10.0
GET = b"GET /ready HTTP/1.1\r\nHost: bench\r\n\r\n"


class NotServingError(Exception):
    """A server that did not come up, with what it said."""


@dataclass(frozen=True)
class Cores:
    """Which core the server gets, and which the load."""

    server: int
    load: int


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    name: str
    ports: tuple[int, ...]
    process: subprocess.Popen[bytes]
    first_answer_s: float  # from the start of the process until every port had answered once

    @property
    def port(self) -> int:
        return self.ports[0]

    def memory_kib(self) -> float:
        """Proportional set size of the server and all its workers, in KiB (proc_pid_smaps(5))."""
        return sum(_pss_kib(pid) for pid in _session(self.process.pid))

    def cpu_s(self) -> float:
        """CPU time of the server and all its workers since they were started, in seconds."""
        return sum(_cpu_s(pid) for pid in _session(self.process.pid))


def free_ports(count: int) -> tuple[int, ...]:
    """Ports of loopback that nobody holds now."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((peers.HOST, 0))
        return tuple(probe.getsockname()[1] for probe in probes)


@contextlib.contextmanager
def serving(
    name: str, application: str, tools: Path, cores: Cores, *, access_log: bool = False, listeners: int = 1
) -> Iterator[Running]:
    """Start a server, give it once every port has answered, and end it."""
    with tempfile.TemporaryDirectory(prefix="asgid-bench-") as folder:
        start = peers.Start(application, free_ports(listeners), Path(folder), access_log)
        command = ["taskset", "-c", str(cores.server), *(peers.SERVERS | peers.INSTALLED)[name](start, tools)]
        log = Path(folder) / "output.log"
        with log.open("wb") as output:
            began = time.perf_counter()
            process = subprocess.Popen(
                command, cwd=peers.HERE, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True,
            )  # fmt: skip
            try:
                for port in start.ports:
                    _answer(process, port, began, log)
                yield Running(name, start.ports, process, time.perf_counter() - began)
            finally:
                _end(process)


def _answer(process: subprocess.Popen[bytes], port: int, began: float, log: Path) -> None:
    # Nobody says when a peer is ready, so connecting is tried each millisecond: that is the measure's grain.
    while True:
        if process.poll() is not None or time.perf_counter() - began > START_LIMIT_S:
            raise NotServingError(log.read_text(errors="replace")[-2000:])
        try:
            with socket.create_connection((peers.HOST, port), timeout=START_LIMIT_S) as client:
                client.sendall(GET)
                if client.recv(65536).startswith(b"HTTP/1.1 200"):
                    return
        except ConnectionError:
            time.sleep(0.001)


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        pass
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _session(leader: int) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == leader:
                yield int(entry.name)


def _cpu_s(pid: int) -> float:
    # schedstat has nanoseconds, where /proc/PID/stat has hundredths of a second; each thread has its own.
    total = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            total += int((thread / "schedstat").read_text().split()[0])
    return total / 1e9


def _pss_kib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return float(line.split()[1])
    return 0.0
