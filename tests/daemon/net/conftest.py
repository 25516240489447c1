"""A native reactor on a loop of its own for each test."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import pytest
import uvloop
from twisted.internet.protocol import Factory, Protocol

from asgid.daemon.net import open_endpoint
from asgid.daemon.net.reactor import NativeReactor

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

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


class Greeting(Protocol):
    def connectionMade(self):
        self.transport.write(b"hello")
        self.transport.loseConnection()


@pytest.fixture
def greeting() -> Factory:
    factory = Factory.forProtocol(Greeting)
    factory.noisy = False
    return factory


@pytest.fixture
def opened(reactor, run, greeting):
    def opener(string, **options):
        async def listen():
            return await open_endpoint(reactor, string, **options).listen(greeting).asFuture(reactor.loop)

        return run(listen())

    return opener


@pytest.fixture
def greeted(reactor, run):
    def dial(address: str) -> bytes:
        async def ask():
            if address.startswith("unix:"):
                reader, writer = await asyncio.open_unix_connection(address.removeprefix("unix:"))
            else:
                host, port = re.fullmatch(r"\[?(.*?)\]?:(\d+)", address).groups()
                reader, writer = await asyncio.open_connection(host, int(port))
            try:
                return await reader.read()
            finally:
                writer.close()
                await writer.wait_closed()

        return run(ask())

    return dial


@pytest.fixture
def closed(reactor, run):
    def close(port) -> None:
        async def stop():
            await port.stopListening().asFuture(reactor.loop)

        run(stop())

    return close
