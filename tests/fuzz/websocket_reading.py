"""One WebSocket in memory, and what it makes of some bytes that came after its handshake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from asgid.config.spec import ListenerSpec, Place, WebSocketOptions
from asgid.daemon.seam import Peer, RequestHead
from asgid.daemon.wire.factory import ConnectionFactory
from asgid.daemon.wire.websocket import WebSocketConnection
from asgid.daemon.wire.websocket_shared import WebSockets
from support.websocket import HEADERS, Application, MemoryTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MESSAGE_BYTES = 2048
FRAME_BYTES = 1024
# How the application treats messages.
TAKES = 0
ECHOES = 1
HOLDS = 2  # lets the client wait after each message
CLOSES = 3  # closes with the third
MODES = 4
_DEFLATE = (b"sec-websocket-extensions", b"permessage-deflate")


@dataclass
class Reading:
    """What came of the bytes."""

    messages: list[str | bytes]
    ends: list[tuple[int, str]]
    sent: bytes
    closed: bool


class Listener:
    """What all readings share: the options, and the engines that one connection leaves to the next."""

    def __init__(self) -> None:
        self.soon: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self.on_message: Any = None
        self.begun: list[Application] = []
        options = WebSocketOptions(message_bytes=MESSAGE_BYTES, frame_bytes=FRAME_BYTES)
        spec = ListenerSpec("fuzz", "address", Place("fuzz"), (), websocket=options)
        self._factory = ConnectionFactory(
            spec,
            self,  # type: ignore[arg-type]
            clock=lambda: 1000.0,
            call_soon=lambda call, *values: self.soon.append((call, values)),
        )
        self._shared = WebSockets(self._factory)

    def begin(self, *_anything: Any) -> Any:
        raise AssertionError("there is no HTTP request here")

    def begin_websocket(self, _head: RequestHead, port: Any) -> Application:
        self.begun.append(Application(port, self.on_message))
        return self.begun[-1]

    def connect(self, mode: int, *, deflate: bool) -> tuple[WebSocketConnection, Application]:
        """Return a WebSocket that was accepted, and its application."""
        self.on_message = Behaviour(mode)
        transport = MemoryTransport()
        transport.registerProducer(object(), streaming=True)
        headers = [*HEADERS, _DEFLATE] if deflate else HEADERS
        head = RequestHead("GET", b"/", "1.1", headers, Peer(None, None, "http"), websocket=True)
        connection = WebSocketConnection(self._shared, transport, head)
        connection.begin(b"")
        application = self.begun.pop()
        application.port.accept(None, [])
        transport.clear()
        self.turns()
        return connection, application

    def turns(self) -> None:
        """Give the loop its turns."""
        for _ in range(100_000):
            if not self.soon:
                return
            call, values = self.soon.pop(0)
            call(*values)
        raise AssertionError("the connection never comes to rest")


_listener: list[Listener] = []  # made when it is first wanted


class Behaviour:
    """What the application does with a message."""

    def __init__(self, mode: int) -> None:
        self._mode = mode
        self._count = 0

    def __call__(self, application: Any, data: str | bytes) -> None:
        self._count += 1
        port = application.port
        assert len(data if isinstance(data, bytes) else data.encode()) <= MESSAGE_BYTES
        if self._mode == ECHOES:
            port.send(data)
        elif self._mode == HOLDS:
            port.hold()
        elif self._mode == CLOSES and self._count == 3:
            port.close(1000, "enough")


def held(owner: Any, seen: set[int] | None = None) -> int:
    """How many bytes a connection holds, in its slots and in those of the engine that it borrows."""
    seen = seen if seen is not None else set()
    if id(owner) in seen:
        return 0
    seen.add(id(owner))
    total = 0
    for value in _values(owner):
        if isinstance(value, (bytes, bytearray)):
            total += len(value)
        elif isinstance(value, list) and value and isinstance(value[0], (bytes, bytearray)):
            total += sum(len(part) for part in value)
        elif "Engine" in [kind.__name__ for kind in type(value).__mro__]:
            total += held(value, seen)
    return total


def _values(owner: Any) -> list[Any]:
    names = [name for kind in type(owner).__mro__ for name in getattr(kind, "__slots__", ())]
    return [getattr(owner, name, None) for name in names] + list(getattr(owner, "__dict__", {}).values())


def read(pieces: Iterable[bytes], mode: int = TAKES, *, deflate: bool = False) -> Reading:
    """Feed ``pieces`` to a WebSocket that was just accepted. Whatever is not in order raises."""
    if not _listener:
        _listener.append(Listener())
    listener = _listener[0]
    connection, application = listener.connect(mode, deflate=deflate)
    transport = connection.transport
    for number, piece in enumerate(pieces):
        connection.dataReceived(piece)
        listener.turns()
        if mode == HOLDS:
            _let_on(listener, application)
        if number & 15:
            continue  # this looks at some hundred values
        # A frame that is not whole, a message of which some frames have come, and what closes a connection.
        allowed = FRAME_BYTES + 14 + MESSAGE_BYTES + len(piece) + 1024
        assert held(connection) <= allowed, f"{held(connection)} bytes are held"
    assert len(application.ends) <= 1
    closed = transport.disconnecting or transport.aborted or transport.write_ended
    reading = Reading(application.messages, application.ends, transport.value(), closed)
    connection.connectionLost(Failure(ConnectionDone()))
    listener.turns()
    return reading


def _let_on(listener: Listener, application: Application) -> None:
    """Let the client go on as often as it was held."""
    count = -1
    while count != len(application.messages):
        count = len(application.messages)
        application.port.read()
        listener.turns()
