"""What is measured: one :class:`Case` for each row of the table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import alone
import load
import measures
import package

if TYPE_CHECKING:
    from collections.abc import Callable

    from measures import Bench, Load

SAME_RATE = 20_000  # requests a second: half of what the fastest peer reaches on the machine of the last run
IDLE_HTTP = 5000
IDLE_WEBSOCKETS = 2000


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
    of_package: bool = False  # measured where --deb says which


def _load(
    key: str, title: str, application: str, put: Load, unit: str = "requests/s", *, logs: bool = True
) -> Case:
    return Case(key, title, unit, partial(measures.loaded, application, put, 0), logs_requests=logs)


def _messages(key: str, title: str, size: int, *, deflate: bool = False) -> Case:
    put = measures.websocket(size, deflate=deflate)
    measure = partial(measures.loaded, "websocket", put, 0.2)
    return Case(key, title, "messages/s", measure, logs_requests=False)


def _less(
    key: str, title: str, unit: str, measure: Callable[[str, Bench], float], *, asgid_only: bool = False
) -> Case:
    return Case(key, title, unit, measure, more_is_better=False, asgid_only=asgid_only, logs_requests=False)


def _idle(key: str, title: str, application: str, hold: measures.Hold, count: int) -> Case:
    return _less(
        key, f"memory of {title} (of {count:,})", "KiB", partial(measures.weighed, application, hold, count)
    )


CASES = (
    _load("hello", "hello world, 1 header", "hello", measures.wrk(64, "hello")),
    _load("browser", "hello world, a browser's 15 headers", "hello", measures.wrk(64, "browser")),
    _load("post-1k", "POST echo 1 KiB", "echo", measures.wrk(64, "post", "1024")),
    _load("post-1m", "POST echo 1 MiB", "echo", measures.wrk(16, "post", "1048576")),
    _load("upload-1m", "1 MiB up", "upload", measures.wrk(16, "post", "1048576"), logs=False),
    _load("response-1m", "1 MiB in 64 KiB pieces", "mebibyte", measures.wrk(16, "hello"), "responses/s"),
    _load("close", "a new connection for each request", "hello", measures.wrk(64, "close")),
    _less("p99", "p99 of latency at half of its own peak", "ms", measures.latency),
    _less(
        "p99-same", f"p99 of latency at {SAME_RATE:,} requests/s", "ms",
        partial(measures.latency_at, SAME_RATE),
    ),
    _messages("ws-64", "WebSocket echo 64 B, 50 clients", 64),
    _messages("ws-16k", "WebSocket echo 16 KiB, 50 clients", 16384),
    _messages("ws-deflate", "compressed WebSocket echo 4 KiB, 50 clients", 4096, deflate=True),
    _idle("idle-http", "an idle keep-alive connection", "hello", load.idle_http, IDLE_HTTP),
    _idle("idle-ws", "an idle WebSocket", "websocket", load.idle_websockets, IDLE_WEBSOCKETS),
    _idle("idle-deflate", "an idle compressed WebSocket", "websocket", load.idle_compressed, IDLE_WEBSOCKETS),
    _less(
        "slow-readers", f"growth under {measures.SLOW_READERS} slow readers of 1 MiB", "MiB",
        measures.slow_readers,
    ),
    _less("start", "start to first answer", "ms", measures.first_answer),
    _less(
        "listeners-start", "start with 200 listeners, more for each than with 1", "ms",
        measures.each_listener, asgid_only=True,
    ),
    Case(
        "listeners-hello", "hello world, 1 header, one of 200 listeners", "requests/s", measures.among_many,
        asgid_only=True, logs_requests=False,
    ),
    *(
        _less(
            f"pause-{key}", f"largest pause of the loop: {title}", "ms", partial(alone.pause, key),
            asgid_only=True,
        )
        for key, (title, _) in alone.ATTACKS.items()
    ),
    *(
        _less(
            f"lint-{count}", f"asgid lint of {count:,} listeners, in imports of pydantic", "times",
            partial(alone.lint, count), asgid_only=True,
        )
        for count in (50, 1000)
    ),
    *(
        Case(
            key, title, "times", measure, more_is_better=False, asgid_only=True, logs_requests=False,
            of_package=True,
        )
        for key, title, measure in (
            ("package-version", "asgid --version of the deb, in python3 -c pass", package.version),
            ("package-start", "first answer of the deb, in those of a virtualenv", package.serving),
        )
    ),
)  # fmt: skip
