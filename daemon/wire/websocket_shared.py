"""What the WebSockets of one listener share: their options resolved, and the engines that they borrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asgid.daemon.wire.websocket_frames import no_unmask, takers

if TYPE_CHECKING:
    from asgid.daemon.wire.factory import ConnectionFactory
    from asgid.daemon.wire.websocket_engine import Engine, Engines, EngineUser

_NO_LIMIT = 1 << 63  # no frame is as long (RFC 6455 5.2)


def preload() -> None:
    """Import Autobahn, which takes tenths of a second: for a thread, once the listeners serve."""
    from asgid.daemon.wire import websocket_engine  # noqa: F401, PLC0415 - that it is late is the point


class WebSockets:
    """The options of one listener's WebSockets as the hot path wants them."""

    __slots__ = (
        "_engines",
        "factory",
        "message_bytes",
        "options",
        "ping_interval_s",
        "take_message",
        "take_packed",
        "turns",
    )

    def __init__(self, factory: ConnectionFactory) -> None:
        options = factory.spec.websocket
        self.factory = factory
        self.turns = factory.turns
        self.options = options
        self.message_bytes = min(options.message_bytes or _NO_LIMIT, options.frame_bytes or _NO_LIMIT)
        self.ping_interval_s = options.ping_interval_s or float("inf")
        self.take_message, self.take_packed = takers(no_unmask)  # others as soon as there is an engine
        self._engines: Engines | None = None

    def prepare(self) -> None:
        """Import the engine, where that was not done yet. Raises what its import raises."""
        self._all()

    def new(self, user: EngineUser) -> Engine:
        """Return an engine for a handshake."""
        return self._all().new(user)

    def lend(self, user: EngineUser) -> Engine:
        """Return an engine for the frames of a WebSocket that is open."""
        return self._all().lend(user)

    def give_back(self, engine: Engine) -> None:
        """Take back an engine that is at rest."""
        self._all().give_back(engine)

    def _all(self) -> Engines:
        if self._engines is None:
            from asgid.daemon.wire.websocket_engine import Engines, unmasker  # noqa: PLC0415 - see preload

            self.take_message, self.take_packed = takers(unmasker())
            self._engines = Engines(self.options)
        return self._engines
