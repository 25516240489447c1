"""A listener over real sockets in the test's own process: real reactor, real clients, a clock set by hand."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import uvloop

from asgid.config.spec import ListenerSpec, Place, Timeouts, WebSocketOptions
from asgid.daemon.asgi.gateway import ASGIGateway
from asgid.daemon.net.reactor import NativeReactor
from asgid.daemon.wire.factory import ConnectionFactory

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asgid.daemon.seam import Finished

PATIENCE_S = 20.0


class Served:
    """What a client's coroutine is given: where the server is, and its insides to look at."""

    def __init__(
        self, application: Any, loop: asyncio.AbstractEventLoop, options: dict[str, Any], timeouts: Timeouts
    ) -> None:
        self.now = 1000.0
        self.finished: list[Finished] = []
        spec = ListenerSpec(
            "main", "address", Place("test"), (), websocket=WebSocketOptions(**options), timeouts=timeouts
        )
        self.gateway = ASGIGateway(application, spec, loop=loop)
        self.factory = ConnectionFactory(
            spec,
            self.gateway,
            clock=lambda: self.now,
            call_soon=loop.call_soon,
            observe=self.finished.append,
        )
        reactor = NativeReactor(loop)
        self.listening: Any = reactor.listenTCP(0, self.factory, interface="127.0.0.1")
        self.address: tuple[str, int] = ("127.0.0.1", self.listening.getHost().port)
        self.url = f"ws://127.0.0.1:{self.address[1]}/"

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and the sweep look at it."""
        self.now += seconds
        self.factory.sweep(self.now)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let the loop turn until ``condition`` holds."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():  # noqa: ASYNC110 - any turn may bring it
                await asyncio.sleep(0)


def serve(
    application: Any,
    client: Callable[[Served], Awaitable[None]],
    timeouts: Timeouts = Timeouts(),  # noqa: B008 - frozen
    **websocket: Any,
) -> Served:
    """Serve ``application`` while ``client`` runs; then everything must end by itself or by a cut."""
    loop = uvloop.new_event_loop()
    try:
        asyncio.set_event_loop(loop)
        served = Served(application, loop, websocket, timeouts)

        async def main() -> None:
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await client(served)
            finally:  # a listener that is left open makes the loop's end hang, and the test not fail
                served.factory.cut()
                served.gateway.cut_all()
                served.listening.stopListening()
                await asyncio.sleep(0)
            await served.until(lambda: not served.factory.connections and not served.gateway.running)
            served.gateway.close()
            await asyncio.sleep(0)

        loop.run_until_complete(main())
        return served
    finally:
        asyncio.set_event_loop(None)
        loop.close()
