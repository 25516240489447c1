"""A WebSocket client in memory: frames as bytes, a transport that keeps what is written, a clock by hand."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from asgid.config.spec import ListenerSpec, Place, WebSocketOptions
from asgid.daemon.seam import Peer, RequestHead
from asgid.daemon.wire.factory import ConnectionFactory
from asgid.daemon.wire.websocket_compressed import open_websocket
from asgid.daemon.wire.websocket_shared import WebSockets

if TYPE_CHECKING:
    from collections.abc import Callable

    from asgid.daemon.seam import Finished, WebSocketPort

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455 1.3
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10

HEADERS = [
    (b"host", b"localhost"),
    (b"upgrade", b"websocket"),
    (b"connection", b"keep-alive, Upgrade"),
    (b"sec-websocket-version", b"13"),
    (b"sec-websocket-key", KEY),
]


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    mask: bytes | None = b"\x0f\xf0\xa5\x5a",
) -> bytes:
    """A client's frame (RFC 6455 5.2); ``mask`` ``None``: not masked."""
    first = fin << 7 | rsv << 4 | opcode
    masked = 0x80 if mask is not None else 0
    size = len(payload)
    if size < 126:
        head = bytes((first, masked | size))
    elif size < 0x10000:
        head = bytes((first, masked | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, masked | 127)) + size.to_bytes(8, "big")
    if mask is None:
        return head + payload
    return head + mask + bytes(byte ^ mask[i & 3] for i, byte in enumerate(payload))


def close_frame(code: int, reason: str = "") -> bytes:
    """A client's close frame."""
    return frame(CLOSE, code.to_bytes(2, "big") + reason.encode())


def frames(data: bytes) -> list[tuple[int, bytes]]:
    """The server's frames in ``data``: first byte and payload of each. Fails where one is cut or masked."""
    found = []
    while data:
        first, size = data[0], data[1]
        at = 2
        if size == 126:
            size, at = int.from_bytes(data[2:4], "big"), 4
        elif size == 127:
            size, at = int.from_bytes(data[2:10], "big"), 10
        assert len(data) >= at + size, f"a cut frame: {data!r}"
        found.append((first, data[at : at + size]))
        data = data[at + size :]
    return found


class MemoryTransport(StringTransport):
    """Keeps what is written; remembers how it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.protocol: Any = None
        self.aborted = False
        self.write_ended = False
        self.descriptor = -1

    def fileno(self) -> int:
        return self.descriptor

    def loseWriteConnection(self) -> None:
        self.write_ended = True

    def abortConnection(self) -> None:
        self.aborted = True
        super().abortConnection()

    @property
    def reading(self) -> bool:
        return self.producerState == "producing"


class Application:
    """An application's side that writes down what it is told; ``on_message`` may do more."""

    def __init__(self, port: WebSocketPort, on_message: Callable[[Any, str | bytes], None] | None) -> None:
        self.port = port
        self.messages: list[str | bytes] = []
        self.ends: list[tuple[int, str]] = []
        self.too_late = False
        self.owes = False  # an answer to what it was given
        self.settled: Callable[[], None] | None = None
        self._on_message = on_message

    def message(self, data: str | bytes) -> None:
        self.messages.append(data)
        if self._on_message is not None:
            self._on_message(self, data)

    def settle(self, go_on: Callable[[], None]) -> bool:
        self.settled = go_on
        return not self.owes

    def gone(self, code: int, reason: str) -> None:
        self.ends.append((code, reason))

    def expired(self) -> None:
        self.too_late = True


class _Gateway:
    def __init__(self, on_message: Callable[[Any, str | bytes], None] | None) -> None:
        self._on_message = on_message
        self.begun: list[Application] = []

    def begin(self, *_anything: Any) -> Any:
        raise AssertionError("there is no HTTP request in this test")

    def begin_websocket(self, _head: RequestHead, port: WebSocketPort) -> Application:
        self.begun.append(Application(port, self._on_message))
        return self.begun[-1]


class MemoryWebSocket:
    """A connection over a memory transport, its handshake sent and, with ``accept``, accepted."""

    def __init__(
        self,
        *,
        accept: bool = True,
        headers: list[tuple[bytes, bytes]] | None = None,
        ahead: bytes = b"",
        on_message: Callable[[Any, str | bytes], None] | None = None,
        **options: Any,
    ) -> None:
        self.now = 1000.0
        self.soon: list[Callable[[], None]] = []
        self.finished: list[Finished] = []
        self._gateway = _Gateway(on_message)
        spec = ListenerSpec("test", "address", Place("test"), (), websocket=WebSocketOptions(**options))
        self.factory = ConnectionFactory(
            spec,
            self._gateway,
            clock=lambda: self.now,
            call_soon=lambda call, *values: self.soon.append(partial(call, *values)),
            observe=self.finished.append,
        )
        self.transport = MemoryTransport()
        self.transport.registerProducer(object(), streaming=True)
        head = RequestHead("GET", b"/", "1.1", headers or HEADERS, Peer(None, None, "http"), websocket=True)
        self.connection = open_websocket(WebSockets(self.factory), self.transport, head)
        self.factory.connections.add(self.connection)
        self.connection.begin(ahead)
        self.handshake = b""
        if accept:
            self.application.port.accept(None, [])
            self.handshake = self.written()
            self.turns()

    @property
    def application(self) -> Application:
        return self._gateway.begun[0]

    @property
    def asked(self) -> bool:
        """Whether the application was asked to accept."""
        return bool(self._gateway.begun)

    def receive(self, data: bytes) -> None:
        """Let the server receive ``data``, and then have as many turns of the loop as it wants."""
        self.connection.dataReceived(data)
        self.turns()

    def turns(self) -> int:
        """Give the loop its turns; return how many were wanted."""
        count = 0
        while self.soon:
            self.soon.pop(0)()
            count += 1
        return count

    def written(self) -> bytes:
        """What the server has written since this was last asked."""
        data: bytes = self.transport.value()
        self.transport.clear()
        return data

    def sent(self) -> list[tuple[int, bytes]]:
        """The frames that the server has written since."""
        return frames(self.written())

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and the sweep look at it."""
        self.now += seconds
        self.connection.sweep(self.now)

    def lose(self) -> None:
        """Let the connection be lost."""
        self.connection.connectionLost(Failure(ConnectionDone()))
