"""The application's side of one listener: makes scopes, begins cycles, ends what outstays its client."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from asgid.daemon.asgi.drive import Driver
from asgid.daemon.asgi.http import HTTPCycle
from asgid.daemon.asgi.origins import Origins
from asgid.daemon.asgi.scope import ScopeMaker
from asgid.daemon.seldom import Seldom

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable

    from asgid.config.spec import ListenerSpec
    from asgid.daemon.seam import RequestHead, ResponseSink, WebSocketPort, WebSocketSink

    Application = Callable[..., Awaitable[None]]

log = logging.getLogger("asgid.application")

_SAY_AGAIN_S = 10.0


class ASGIGateway:
    """Implements :class:`asgid.daemon.seam.Gateway` for one application (ASGI 3) and one listener."""

    def __init__(
        self,
        application: Application,
        spec: ListenerSpec,
        *,
        loop: asyncio.AbstractEventLoop,
        state: dict[str, Any] | None = None,
    ) -> None:
        """Make a gateway. ``state`` is the lifespan's, copied for each request; ``None``: no lifespan."""
        self.name = spec.name
        self.spec = spec
        self.application = application
        self.loop = loop
        self.scopes = ScopeMaker(spec, state)
        self.origins = Origins(spec.websocket.origins) if spec.websocket.origins else None
        self.driver = Driver(loop)
        self.cycles: set[Any] = set()  # those whose application waits
        self.accepted: set[Any] = set()  # WebSockets among them that are no requests any more
        self._closing: dict[Any, asyncio.TimerHandle] = {}  # those whose client has gone, and when they end
        self._cancelled = Seldom(loop.time, _SAY_AGAIN_S)

    @property
    def running(self) -> int:
        """How many requests and WebSockets are in the application now."""
        return len(self.cycles)

    @property
    def requests(self) -> int:
        """How many requests are in the application (:attr:`asgid.daemon.seam.Gateway.requests`)."""
        return len(self.cycles) - len(self.accepted)

    def begin(self, head: RequestHead, response: ResponseSink, body: bytes, complete: bool) -> HTTPCycle:
        """Begin a request (:meth:`asgid.daemon.seam.Gateway.begin`)."""
        cycle = HTTPCycle(self, head, response, body, complete)
        task = self.driver.drive(cycle.run(self.application, self.scopes.http(head)))
        if task is not None:
            cycle.task = task
            self.cycles.add(cycle)
        return cycle

    def begin_websocket(self, head: RequestHead, port: WebSocketPort) -> WebSocketSink:
        """Begin a WebSocket (:meth:`asgid.daemon.seam.Gateway.begin_websocket`)."""
        from asgid.daemon.asgi.websocket import WebSocketCycle  # noqa: PLC0415 - not before there is one

        return WebSocketCycle.begin(self, head, port)

    def ended(self, cycle: Any) -> None:
        """Forget a cycle whose application has returned."""
        self.cycles.discard(cycle)
        self.accepted.discard(cycle)
        if self._closing and (timer := self._closing.pop(cycle, None)) is not None:
            timer.cancel()  # it would hold the cycle and all of its connection until its time

    def close_later(self, cycle: Any) -> None:
        """Cancel an application whose client has gone, after ``timeouts.application_close``.

        A FIN is how nearly every client goes, and how a client that only ends its own side begins to wait for
        its answer: nothing tells one from the other. The second has as long, and longer while it is answered.
        """
        seconds = self.spec.timeouts.application_close_s
        if seconds and cycle in self.cycles and cycle not in self._closing:
            self._closing[cycle] = self.loop.call_later(seconds, self._close, cycle, cycle.taken)

    def _close(self, cycle: Any, taken: int) -> None:
        del self._closing[cycle]
        if cycle.taken > taken:
            self.close_later(cycle)
        else:
            self._say_cancelled()
            cycle.task.cancel()

    def _say_cancelled(self) -> None:
        """Say that an application was cancelled; of many say how many there were."""
        if times := self._cancelled.again():
            others = f" ({times - 1} others before)" if times > 1 else ""
            log.warning(
                "listener %s: the application was cancelled: its client had gone%s", self.name, others
            )

    def close(self) -> None:
        """Let go of what was kept for the next request: none comes any more."""
        self.driver.close()

    def cut_all(self) -> int:
        """Cancel every application that runs; return how many there were."""
        cycles = tuple(self.cycles)
        for cycle in cycles:
            cycle.task.cancel()
        return len(cycles)
