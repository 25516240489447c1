"""What is measured: one :class:`Case` for each row of the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import load
from process import serving

if TYPE_CHECKING:
    from pathlib import Path

    from process import Cores, Running

WARM_UP_S = 1.0
IDLE_HTTP = 5000
IDLE_WEBSOCKETS = 2000
MANY_LISTENERS = 200


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


@dataclass(frozen=True)
class Case:
    """One row: ``measure`` starts the named server, loads it and returns one figure."""

    key: str
    title: str
    unit: str
    measure: Callable[[str, Bench], float]
    more_is_better: bool = True
    asgid_only: bool = False
    logs_requests: bool = True  # measured again with access logs on


Load = Callable[["Running", Bench, float], float]


class Rate(float):
    """How many a second, and what each of them cost the server: CPU time in microseconds."""

    cpu_us: float


def _loaded(application: str, put: Load, ramp: float, name: str, bench: Bench) -> Rate:
    # ``ramp`` is how much of the load comes before it is counted, in terms of what is.
    with bench.serving(name, application) as server:
        put(server, bench, WARM_UP_S)
        before = server.cpu_s()
        rate = Rate(put(server, bench, bench.seconds))
        rate.cpu_us = (server.cpu_s() - before) / (rate * bench.seconds * (1 + ramp)) * 1e6
        return rate


def _wrk(connections: int, *script: str) -> Load:
    def put(server: Running, bench: Bench, seconds: float) -> float:
        return load.wrk(server, bench.cores.load, seconds, connections, *script)

    return put


def _websocket(size: int) -> Load:
    def put(server: Running, bench: Bench, seconds: float) -> float:
        return load.websocket(server, bench.cores.load, seconds, size, bench.tools)

    return put


def _weighed(application: str, hold, count: int, name: str, bench: Bench) -> float:
    with bench.serving(name, application) as server:
        with hold(server, 50):  # what a first connection brings into memory is not what one more costs
            pass
        before = server.memory_kib()
        with hold(server, count):
            return (server.memory_kib() - before) / count


def _first_answer(name: str, bench: Bench) -> float:
    with bench.serving(name, "hello") as server:
        return server.first_answer_s * 1000


def _each_listener(name: str, bench: Bench) -> float:
    with bench.serving(name, "hello") as server:
        one = server.first_answer_s
    with bench.serving(name, "hello", listeners=MANY_LISTENERS) as server:
        return (server.first_answer_s - one) / (MANY_LISTENERS - 1) * 1000


def _among_many(name: str, bench: Bench) -> float:
    with bench.serving(name, "hello", listeners=MANY_LISTENERS) as server:
        put = _wrk(64, "hello")
        put(server, bench, WARM_UP_S)
        return put(server, bench, bench.seconds)


def _load_case(
    key: str, title: str, application: str, put: Load, unit: str = "requests/s", ramp: float = 0
) -> Case:
    measure = partial(_loaded, application, put, ramp)
    return Case(key, title, unit, measure, logs_requests="websocket" not in application)


_MESSAGES: dict[str, Any] = {"unit": "messages/s", "ramp": 0.2}

CASES = (
    _load_case("hello", "hello world, 1 header", "hello", _wrk(64, "hello")),
    _load_case("browser", "hello world, a browser's 15 headers", "hello", _wrk(64, "browser")),
    _load_case("post-1k", "POST echo 1 KiB", "echo", _wrk(64, "post", "1024")),
    _load_case("post-1m", "POST echo 1 MiB", "echo", _wrk(16, "post", "1048576")),
    _load_case("response-1m", "1 MiB in 64 KiB pieces", "mebibyte", _wrk(16, "hello"), "responses/s"),
    _load_case("close", "a new connection for each request", "hello", _wrk(64, "close")),
    _load_case("ws-64", "WebSocket echo 64 B, 50 clients", "websocket", _websocket(64), **_MESSAGES),
    _load_case("ws-16k", "WebSocket echo 16 KiB, 50 clients", "websocket", _websocket(16384), **_MESSAGES),
    Case(
        "idle-http", "memory of an idle keep-alive connection (of 5,000)", "KiB",
        partial(_weighed, "hello", load.idle_http, IDLE_HTTP), more_is_better=False, logs_requests=False,
    ),
    Case(
        "idle-ws", "memory of an idle WebSocket (of 2,000)", "KiB",
        partial(_weighed, "websocket", load.idle_websockets, IDLE_WEBSOCKETS),
        more_is_better=False, logs_requests=False,
    ),
    Case(
        "start", "start to first answer", "ms", _first_answer, more_is_better=False, logs_requests=False,
    ),
    Case(
        "listeners-start", "start with 200 listeners, more for each than with 1", "ms", _each_listener,
        more_is_better=False, asgid_only=True, logs_requests=False,
    ),
    Case(
        "listeners-hello", "hello world, 1 header, one of 200 listeners", "requests/s", _among_many,
        asgid_only=True, logs_requests=False,
    ),
)  # fmt: skip
