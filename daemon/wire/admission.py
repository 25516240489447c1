"""``limits.concurrency``: how many requests of a listener are in the application at once."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from asgid.daemon.seldom import Seldom
from asgid.daemon.wire.http1_head import BadRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from asgid.daemon.seam import Counters, Gateway, RequestHead, RequestSink, ResponseSink

log = logging.getLogger("asgid.http")

RETRY_AFTER = b"retry-after: 1\r\n"  # seconds (RFC 9110 10.2.3)
_SAY_AGAIN_S = 10.0


class Overloaded(BadRequest):
    """A request that is refused because the application has enough of them; it did nothing wrong."""

    def __init__(self) -> None:
        super().__init__(503, "limits.concurrency is reached")


class Admission:
    """Lets a request into the application while fewer than ``limit`` are there.

    What counts is whose application has not returned, an answer that is complete or a client that has gone
    notwithstanding. A WebSocket counts until it is accepted or refused: after that it is no request any more,
    waits most of its life, and is bounded by ``limits.connections``.
    """

    def __init__(
        self, limit: int, gateway: Gateway, counters: Counters, name: str, clock: Callable[[], float]
    ) -> None:
        self._limit = limit
        self._gateway = gateway
        self._counters = counters
        self._name = name
        self._seldom = Seldom(clock, _SAY_AGAIN_S)

    def begin(self, head: RequestHead, response: ResponseSink, body: bytes, complete: bool) -> RequestSink:
        """Begin a request (:meth:`asgid.daemon.seam.Gateway.begin`). Raises :class:`Overloaded`."""
        self.check()
        return self._gateway.begin(head, response, body, complete)

    def check(self) -> None:
        """Raise :class:`Overloaded` where the limit is reached."""
        if self._gateway.requests < self._limit:
            return
        self._counters.overloads += 1
        self._say(self._seldom.again())
        raise Overloaded

    def sweep(self) -> None:
        """Say how many the last ones were, when nobody is refused any more."""
        self._say(self._seldom.unsaid())

    def _say(self, refused: int) -> None:
        if refused:
            log.warning(
                "listener %s: limits.concurrency (%d) is reached: refused with 503: %d",
                self._name, self._limit, refused,
            )  # fmt: skip
