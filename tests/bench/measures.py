"""How each figure is measured: a server is started for it, loaded or weighed, and ended."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import load
from process import serving

if TYPE_CHECKING:
    from pathlib import Path

    from process import Cores, Running

WARM_UP_S = 1.0
MANY_LISTENERS = 200
SLOW_READERS = 200
SLOW_S = 5.0
LEAST_GROWTH_MIB = 0.1  # what is below it is not told apart from none


@dataclass(frozen=True)
class Bench:
    """What every measurement needs: commands, cores, how long a load lasts, the log as asked."""

    tools: Path
    cores: Cores
    seconds: float
    access_log: bool = False

    def serving(self, name: str, application: str, *, listeners: int = 1):
        return serving(
            name, application, self.tools, self.cores, access_log=self.access_log, listeners=listeners
        )


Load = Callable[["Running", Bench, float], float]
Hold = Callable[["Running", int], AbstractContextManager[None]]


class Rate(float):
    """How many a second, and what each of them cost the server: CPU time in microseconds."""

    cpu_us: float


def wrk(connections: int, *script: str) -> Load:
    """Load by wrk."""

    def put(server: Running, bench: Bench, seconds: float) -> float:
        return load.wrk(server, bench.cores.load, seconds, connections, *script)

    return put


def websocket(size: int, *, deflate: bool = False) -> Load:
    """Load by WebSocket clients."""

    def put(server: Running, bench: Bench, seconds: float) -> float:
        return load.websocket(server, bench.cores.load, seconds, size, bench.tools, deflate=deflate)

    return put


def loaded(application: str, put: Load, ramp: float, name: str, bench: Bench) -> Rate:
    """How many a second; ``ramp`` is how much of the load comes before it is counted, in terms of what is."""
    with bench.serving(name, application) as server:
        put(server, bench, WARM_UP_S)
        before = server.cpu_s()
        rate = Rate(put(server, bench, bench.seconds))
        rate.cpu_us = (server.cpu_s() - before) / (rate * bench.seconds * (1 + ramp)) * 1e6
        return rate


def latency(name: str, bench: Bench) -> float:
    """The 99th percentile of latency in milliseconds, at half of the rate that it has just reached."""
    with bench.serving(name, "hello") as server:
        put = wrk(64, "hello")
        put(server, bench, WARM_UP_S)
        peak = put(server, bench, bench.seconds)
        return load.paced(server, bench.cores.load, bench.seconds, peak / 2, bench.tools)


def latency_at(rate: float, name: str, bench: Bench) -> float:
    """The 99th percentile of latency in milliseconds, at ``rate`` requests a second."""
    with bench.serving(name, "hello") as server:
        wrk(64, "hello")(server, bench, WARM_UP_S)
        return load.paced(server, bench.cores.load, bench.seconds, rate, bench.tools)


def weighed(application: str, hold: Hold, count: int, name: str, bench: Bench) -> float:
    """The growth of memory for each of ``count`` connections, in KiB."""
    with bench.serving(name, application) as server:
        with hold(server, 50):  # what a first connection brings into memory is not what one more costs
            pass
        before = server.memory_kib()
        with hold(server, count):
            return (server.memory_kib() - before) / count


def slow_readers(name: str, bench: Bench) -> float:
    """The growth of memory under clients that read 1 MiB answers 3 bytes at a time, in MiB."""
    with bench.serving(name, "fresh") as server:
        load.wrk(server, bench.cores.load, WARM_UP_S, 4, "hello")
        before = server.memory_kib()
        with load.slow_readers(server, SLOW_READERS, SLOW_S):
            return max((server.memory_kib() - before) / 1024, LEAST_GROWTH_MIB)


def first_answer(name: str, bench: Bench) -> float:
    """The time from the start of the process to the first answer, in milliseconds."""
    with bench.serving(name, "hello") as server:
        return server.first_answer_s * 1000


def each_listener(name: str, bench: Bench) -> float:
    """What each of 200 listeners adds to the start, in milliseconds."""
    with bench.serving(name, "hello") as server:
        one = server.first_answer_s
    with bench.serving(name, "hello", listeners=MANY_LISTENERS) as server:
        return (server.first_answer_s - one) / (MANY_LISTENERS - 1) * 1000


def among_many(name: str, bench: Bench) -> float:
    """Requests a second to one of 200 listeners."""
    with bench.serving(name, "hello", listeners=MANY_LISTENERS) as server:
        put = wrk(64, "hello")
        put(server, bench, WARM_UP_S)
        return put(server, bench, bench.seconds)
