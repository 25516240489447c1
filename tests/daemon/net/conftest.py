"""A native reactor on a loop of its own for each test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
import uvloop

from asgid.daemon.net.reactor import NativeReactor

PATIENCE_S = 20.0  # how long a test waits for what must come; nothing is measured by it


class Turn:
    """Runs coroutines on the reactor's loop."""

    def __init__(self, reactor: NativeReactor) -> None:
        self.reactor = reactor

    def __call__(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.reactor.loop.run_until_complete(asyncio.wait_for(coroutine, PATIENCE_S))


@pytest.fixture
def reactor() -> Iterator[NativeReactor]:
    loop = uvloop.new_event_loop()
    native = NativeReactor(loop)
    yield native
    native.disconnectAll()
    for reader in native.getReaders():
        native.removeReader(reader)
        reader.connectionLost(None)
    loop.run_until_complete(asyncio.sleep(0))
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


@pytest.fixture
def run(reactor: NativeReactor) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    return Turn(reactor)
