"""One HTTP/1.1 connection in memory, without a loop, and what it makes of some bytes."""

from __future__ import annotations

import contextlib
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import h11
from twisted.internet.address import IPv4Address

from asgid.config.spec import Limits, ListenerSpec, Place
from asgid.daemon.wire.factory import ConnectionFactory
from asgid.daemon.wire.http1_head import HeadParser
from support.connections import Client, Clock, parse_responses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from asgid.daemon.seam import Gone, RequestHead

LIMITS = Limits(request_line_bytes=256, header_bytes=1024, header_count=16, body_bytes=4096)
AHEAD_BYTES = 64 * 1024  # that a connection may hold of requests that wait their turn
_HERE = IPv4Address("TCP", "192.0.2.1", 80)
_THERE = IPv4Address("TCP", "192.0.2.7", 5000)
_PLAIN = b"GET /plain HTTP/1.1\r\nHost: site\r\n\r\n"

# How the application treats a request.
READS = 0  # to its end, then answers
HOLDS = 1  # the same, but lets the client wait after each piece
HASTY = 2  # answers at once, whatever still comes
MODES = 3


@dataclass
class Request:
    """A request as the application got it."""

    method: str
    target: bytes
    version: str
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""
    whole: bool = False
    websocket: bool = False
    messages: list[str | bytes] = field(default_factory=list)


@dataclass
class Reading:
    """What came of the bytes."""

    requests: list[Request]
    statuses: list[int]
    closed: bool

    @property
    def whole(self) -> list[Request]:
        """The requests that became whole."""
        return [request for request in self.requests if request.whole]


class Turns:
    """What a loop is to the server: ``call_soon``."""

    def __init__(self) -> None:
        self.calls: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()

    def call_soon(self, call: Callable[..., None], *values: Any) -> None:
        self.calls.append((call, values))

    def run(self) -> None:
        """Run what waits, and what that leads to."""
        for _ in range(100_000):
            if not self.calls:
                return
            call, values = self.calls.popleft()
            call(*values)
        raise AssertionError("the connection never comes to rest")


class Application:
    """The application's side of the seam."""

    def __init__(self, turns: Turns, mode: int) -> None:
        self.requests: list[Request] = []
        self._turns = turns
        self._mode = mode

    def begin(self, head: RequestHead, response: Any, body: bytes, complete: bool) -> Sink:
        request = Request(head.method, head.target, head.version, head.headers)
        self.requests.append(request)
        sink = Sink(self._turns, self._mode, request, response)
        if body:
            sink.body(body)
        if complete:
            sink.end()
        elif self._mode == HASTY:
            sink.answer()
        else:
            response.read()
        return sink

    def begin_websocket(self, head: RequestHead, port: Any) -> WebSocketSink:
        request = Request(head.method, head.target, head.version, head.headers, whole=True, websocket=True)
        self.requests.append(request)
        self._turns.call_soon(_accept, port)
        return WebSocketSink(request)


def _accept(port: Any) -> None:
    with contextlib.suppress(OSError):  # it has gone meanwhile
        port.accept(None, [])


class Sink:
    """Takes one request, and answers it."""

    def __init__(self, turns: Turns, mode: int, request: Request, response: Any) -> None:
        self._turns, self._mode, self._request, self._response = turns, mode, request, response
        self._over = False

    def body(self, data: bytes) -> None:
        assert data
        assert not self._request.whole
        self._request.body += data
        if self._mode == HOLDS and not self._over:
            self._response.hold()
            self._turns.call_soon(self._go_on)

    def _go_on(self) -> None:
        if not self._over:
            self._response.read()

    def end(self) -> None:
        assert not self._request.whole
        self._request.whole = True
        self.answer()

    def answer(self) -> None:
        if not self._over:
            self._over = True
            self._response.start(200, [])
            self._response.body(b"ok", False)

    def gone(self, reason: Gone) -> None:
        if reason.name != "HALF_CLOSED":
            self._over = True


class WebSocketSink:
    """Takes messages."""

    def __init__(self, request: Request) -> None:
        self._request = request

    def message(self, data: str | bytes) -> None:
        self._request.messages.append(data)

    def settle(self, go_on: Callable[[], None]) -> bool:
        return True

    def gone(self, code: int, reason: str) -> None:
        self._request.messages.append(str(code))

    def expired(self) -> None:
        raise AssertionError("no time has passed")


def held(owner: Any) -> int:
    """How many bytes a connection holds: in its slots, and in those of what it owns."""
    total = 0
    for kind in type(owner).__mro__:
        for name in getattr(kind, "__slots__", ()):
            value = getattr(owner, name, None)
            if isinstance(value, (bytes, bytearray)):
                total += len(value)
            elif type(value).__name__ == "ChunkedDecoder":
                total += held(value)
    return total


def read(
    pieces: Iterable[bytes], mode: int = READS, *, finish: bool = False, compiled: bool = True
) -> Reading:
    """Feed ``pieces`` to a new connection. Whatever is not in order raises.

    Without ``compiled`` heads are read in Python alone.
    """
    turns = Turns()
    application = Application(turns, mode)
    spec = ListenerSpec("fuzz", "address", Place("fuzz"), (), limits=LIMITS)
    factory = ConnectionFactory(spec, application, clock=Clock(), call_soon=turns.call_soon)
    if not compiled:
        factory.parser = HeadParser(LIMITS.header_count, None)
    client = _connect(factory, turns)
    head_bytes = LIMITS.request_line_bytes + LIMITS.header_bytes + 8
    for piece in pieces:
        client.send(piece)
        turns.run()
        allowed = len(piece) + (AHEAD_BYTES if client.paused else head_bytes)
        assert held(client.protocol) <= allowed, f"{held(client.protocol)} bytes are held, {allowed} may be"
    if finish:
        client.finish()
        turns.run()
    assert not client.late
    received = bytes(client.received)
    websockets = [request for request in application.requests if request.websocket]
    if websockets:
        received = received.partition(b"HTTP/1.1 101")[0]
    responses = parse_responses(
        received, tuple(request.method for request in application.requests), closed=True
    )
    reading = Reading(
        application.requests,
        [response.status for response in responses if response.status >= 200],
        client.ended or client.losing or client.lost or client.aborted,
    )
    assert all(status == 200 or 400 <= status < 500 or status in (501, 505) for status in reading.statuses)
    assert all(status == 200 for status in reading.statuses[:-1])
    _others_are_served(factory, turns, application)
    return reading


def _connect(factory: ConnectionFactory, turns: Any) -> Client:
    client = Client(turns, _THERE, _HERE)
    client.protocol = factory.buildProtocol(client.client)
    client.protocol.makeConnection(client)
    return client


def _others_are_served(factory: ConnectionFactory, turns: Turns, application: Application) -> None:
    """Whatever one client sent, the next one's plain request is read as it stands."""
    kept, application.requests = application.requests, []
    client = _connect(factory, turns)
    client.send(_PLAIN)
    turns.run()
    assert client.received.startswith(b"HTTP/1.1 200 "), bytes(client.received)
    assert application.requests == [Request("GET", b"/plain", "1.1", [(b"host", b"site")], whole=True)]
    application.requests = kept


def read_by_h11(data: bytes) -> tuple[list[Request], bool]:
    """Read with h11: the requests that became whole, and whether it refused what came then."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    connection.receive_data(data)
    found: list[Request] = []
    try:
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA or event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                return found, False
            if isinstance(event, h11.Request):
                headers = [(bytes(name), bytes(value)) for name, value in event.headers]
                request = Request(
                    event.method.decode(), bytes(event.target), event.http_version.decode(), headers
                )
            elif isinstance(event, h11.Data):
                request.body += bytes(event.data)
            else:
                request.whole = True
                found.append(request)
                connection.send(h11.Response(status_code=200, headers=[(b"content-length", b"0")]))
                connection.send(h11.EndOfMessage())
                if connection.our_state is not h11.DONE:
                    return found, False
                connection.start_next_cycle()
    except h11.RemoteProtocolError:
        return found, True
    except h11.LocalProtocolError:  # CONNECT, which 200 makes a tunnel
        return found[:-1], False
