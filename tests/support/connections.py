"""Connections in memory: a transport with the native transport's calls, a clock moved by hand, and a loop.

What a client does is a method of :class:`Client` (send, finish, reset, stall); what it saw is ``received``.
Nothing here waits for time: ``settle`` lets the loop take a number of turns.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import socket
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import uvloop
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.python.failure import Failure

from asgid.config.spec import Limits, ListenerSpec, Place, Proxy, Timeouts, WebSocketOptions
from asgid.daemon.asgi.gateway import ASGIGateway
from asgid.daemon.wire.factory import ConnectionFactory

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from asgid.daemon.seam import Finished

HIGH_BYTES = 64 * 1024  # uvloop's marks of the write buffer
LOW_BYTES = 16 * 1024


class Clock:
    """A monotonic clock that only moves when it is told to, in seconds."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> float:
        self.now += seconds
        return self.now


class MemoryTransport:
    """The server's end of a connection. What is written is ``received`` unless the client has stalled."""

    def __init__(self, loop: asyncio.AbstractEventLoop, client: Any, server: Any) -> None:
        self.loop = loop
        self.client, self.server = client, server
        self.protocol: Any = None
        self.producer: Any = None
        self.received = bytearray()  # what the client has read
        self.buffer = bytearray()  # written, and not taken by a client that has stalled
        self.arrived: list[bytes] = []  # sent by the client while the server did not read
        self.late = bytearray()  # written after the end of the write side: always a mistake
        self.descriptor = -1
        self.stalled = self.full = self.paused = False
        self.losing = self.ending = self.ended = self.aborted = self.lost = False
        self.fin_waits = self.fin_told = False
        self.writes = 0

    # What protocols call.

    def write(self, data: bytes) -> None:
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError("Data must be bytes")
        self.writes += 1
        if self.lost or self.aborted:
            return  # as the native transport: a write to a lost connection is not an error
        if self.ending or self.losing:
            self.late += data
            return
        self.buffer += data
        if not self.stalled:
            self._take(len(self.buffer))
        elif len(self.buffer) > HIGH_BYTES and not self.full:
            self.full = True
            if self.producer is not None:
                self.producer.pauseProducing()

    def writeSequence(self, data: Iterable[bytes]) -> None:
        self.write(b"".join(data))

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        if self.producer is not None:
            raise RuntimeError("a producer is registered already")
        self.producer = producer
        if self.full and streaming:
            producer.pauseProducing()

    def unregisterProducer(self) -> None:
        self.producer = None
        self._flushed()

    def pauseProducing(self) -> None:
        self.paused = True

    def resumeProducing(self) -> None:
        self.paused = False
        self.loop.call_soon(self._deliver)

    def loseConnection(self) -> None:
        self.losing = True
        self._flushed()

    def loseWriteConnection(self) -> None:
        self.ending = True
        self._flushed()

    def abortConnection(self) -> None:
        if not self.aborted:
            self.aborted = True
            self.buffer.clear()
            self.loop.call_soon(self._lose, ConnectionAborted())

    def getPeer(self) -> Any:
        return self.client

    def getHost(self) -> Any:
        return self.server

    def fileno(self) -> int:
        return self.descriptor

    def get_write_buffer_size(self) -> int:
        return len(self.buffer)

    # What happens to it.

    def _take(self, count: int) -> None:
        self.received += self.buffer[:count]
        del self.buffer[:count]
        if self.full and len(self.buffer) <= LOW_BYTES:
            self.full = False
            if self.producer is not None:
                self.producer.resumeProducing()
        self._flushed()

    def _flushed(self) -> None:
        if self.buffer or self.producer is not None:
            return
        if self.losing:
            self.loop.call_soon(self._lose, ConnectionDone())
        elif self.ending and not self.ended:
            self.ended = True
            self.loop.call_soon(self.protocol.writeConnectionLost)

    def _lose(self, why: Exception) -> None:
        if not self.lost:
            self.lost = True
            if self.producer is not None:
                self.producer.stopProducing()
            self.protocol.connectionLost(Failure(why))

    def _deliver(self) -> None:
        while self.arrived and not self._deaf:
            self.protocol.dataReceived(self.arrived.pop(0))
        if self.fin_waits and not self.arrived and not self._deaf and not self.fin_told:
            self.fin_told = True
            self.protocol.readConnectionLost()

    @property
    def _deaf(self) -> bool:
        return self.paused or self.losing or self.lost or self.aborted


class Client(MemoryTransport):
    """The client's end of the same connection."""

    def send(self, data: bytes) -> None:
        """Send ``data``, which the server gets in one piece on the loop's next turn, if it reads."""
        self.loop.call_soon(self._arrive, data)

    def finish(self) -> None:
        """Send a FIN."""
        self.loop.call_soon(self._arrive, b"", True)

    def reset(self) -> None:
        """Send a RST; unlike the kernel's, it is seen while the server does not read."""
        self.loop.call_soon(self._lose, ConnectionLost())

    def _arrive(self, data: bytes, fin: bool = False) -> None:
        if data:
            self.arrived.append(data)
        self.fin_waits = self.fin_waits or fin
        self._deliver()

    def stall(self) -> None:
        """Read no more."""
        self.stalled = True

    def read(self, count: int | None = None) -> None:
        """Read ``count`` bytes of what waits; all of it, and go on reading, where it is None."""
        if count is None:
            self.stalled = False
            count = len(self.buffer)
        self._take(count)

    def responses(self, *methods: str) -> list[Response]:
        """Return what was received as responses to ``methods`` (GET where they are not given)."""
        return parse_responses(bytes(self.received), methods, closed=self.ended or self.lost)

    def response(self, method: str = "GET") -> Response:
        """Return the one response that was received."""
        (response,) = self.responses(method)
        return response


_servers: list[Server] = []  # of the test that runs


class Server:
    """An ASGI application behind one listener, and the clients that connect to it."""

    def __init__(
        self,
        application: Callable[..., Awaitable[None]],
        *,
        limits: Limits | None = None,
        timeouts: Timeouts | None = None,
        proxy: Proxy | None = None,
        websocket: WebSocketOptions | None = None,
        root_path: str = "",
        headers: tuple[tuple[bytes, bytes], ...] = (),
        state: dict[str, Any] | None = None,
        observed: bool = True,
        gateway: Any = None,
        **options: Any,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.clock = Clock()
        self.finished: list[Finished] = []
        self.full: list[str] = []
        self.spec = spec(
            limits=limits or Limits(),
            timeouts=timeouts or Timeouts(),
            proxy=proxy or Proxy(),
            websocket=websocket or WebSocketOptions(),
            root_path=root_path,
            headers=headers,
        )
        _servers.append(self)
        self.gateway = gateway or ASGIGateway(application, self.spec, loop=self.loop, state=state)
        options.setdefault("clock", self.clock)
        self.factory = ConnectionFactory(
            self.spec,
            self.gateway,
            call_soon=self.loop.call_soon,
            observe=self.finished.append if observed else None,
            on_full=lambda: self.full.append("full"),
            on_room=lambda: self.full.append("room"),
            **options,
        )

    def connect(self, peer: Any = None, host: Any = None) -> Client:
        client = Client(
            self.loop,
            peer or IPv4Address("TCP", "192.0.2.7", 5000),
            host or IPv4Address("TCP", "192.0.2.1", 80),
        )
        client.protocol = self.factory.buildProtocol(client.client)
        client.protocol.makeConnection(client)
        return client

    def connect_unix(self) -> Client:
        return self.connect(UNIXAddress(None), UNIXAddress("/run/site.sock"))

    def close(self) -> None:
        """Cut what is left, as the end of the daemon does."""
        self.factory.cut()
        if isinstance(self.gateway, ASGIGateway):
            self.gateway.cut_all()
            self.gateway.close()

    def pass_time(self, seconds: float) -> None:
        """Move the clock and sweep."""
        self.factory.sweep(self.clock.advance(seconds))


def spec(**options: Any) -> ListenerSpec:
    """Return a listener's spec, with the defaults of the file."""
    return ListenerSpec(name="public", kind="address", place=Place("test.toml"), endpoints=(), **options)


async def settle(turns: int = 12) -> None:
    """Let everything that is ready to run, run."""
    for _ in range(turns):
        await asyncio.sleep(0)


def on_loop(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Run an async test on a uvloop loop of its own; what the loop's exception handler gets fails it."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        run_on_loop(lambda: test(*args, **kwargs))

    run.__signature__ = inspect.signature(test)  # type: ignore[attr-defined]
    del run.__wrapped__  # type: ignore[attr-defined] # pytest would see a coroutine function
    return run


def run_on_loop(scenario: Callable[[], Awaitable[None]], *, factory: Any = uvloop.new_event_loop) -> None:
    """Run ``scenario()`` on a loop of its own."""
    reports: list[dict[str, Any]] = []
    _servers.clear()

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reports.append(context))
        await scenario()
        for server in _servers:
            server.close()
        await settle()
        assert asyncio.all_tasks() <= {asyncio.current_task()}

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main())
    assert not reports, reports


def end_of_pair() -> tuple[socket.socket, socket.socket]:
    """Return two connected sockets, for what must be asked of the kernel."""
    return socket.socketpair()


@contextmanager
def kernel_holds(pieces: int) -> Iterator[tuple[int, socket.socket]]:
    """Yield a descriptor to which pieces of 1,000 bytes were written, and the end that may read them."""
    ours, theirs = end_of_pair()
    with ours, theirs:
        for _ in range(pieces):
            ours.send(bytes(1000))
        yield ours.fileno(), theirs


# What a client makes of what it received: written apart from the server, and strict.


@dataclass
class Response:
    """One response; header names as they came."""

    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    complete: bool = True
    interim: list[int] = field(default_factory=list)  # the 1xx responses before it
    chunks: list[bytes] | None = None  # None: not chunked
    trailers: list[tuple[str, str]] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def one(self, name: str) -> str | None:
        values = self.all(name)
        assert len(values) <= 1, f"{name} stands there {len(values)} times"
        return values[0] if values else None


def parse_responses(data: bytes, methods: tuple[str, ...], *, closed: bool) -> list[Response]:
    """Parse ``data`` as the responses to ``methods`` in order (RFC 9112 6.3). Raises AssertionError."""
    responses: list[Response] = []
    interim: list[int] = []
    while data:
        method = methods[len(responses)] if len(responses) < len(methods) else "GET"
        head, separator, data = data.partition(b"\r\n\r\n")
        assert separator, f"not a response: {head!r}"
        response = _parse_head(head)
        if response.status < 200:
            interim.append(response.status)
            continue
        response.interim, interim = interim, []
        data = _parse_body(response, data, method, closed=closed)
        responses.append(response)
    if interim:  # a 100 that nothing has followed yet
        responses.append(Response(interim[-1], "", [], complete=False))
    return responses


def _parse_head(head: bytes) -> Response:
    line, *lines = head.decode("latin-1").split("\r\n")
    version, status, reason = line.split(" ", 2)
    assert version == "HTTP/1.1", line
    assert "\r" not in head.decode("latin-1").replace("\r\n", "")
    assert "\n" not in head.decode("latin-1").replace("\r\n", "")
    headers = []
    for text in lines:
        name, colon, value = text.partition(":")
        assert colon, text
        assert name, text
        assert name == name.strip(), text
        headers.append((name, value.strip()))
    return Response(int(status), reason, headers)


def _parse_body(response: Response, data: bytes, method: str, *, closed: bool) -> bytes:
    length = response.one("content-length")
    coding = response.one("transfer-encoding")
    assert length is None or coding is None, "Content-Length beside Transfer-Encoding (RFC 9112 6.1)"
    if method == "HEAD" or response.status in (204, 304):
        assert coding is None or method == "HEAD"
        return data
    if coding is not None:
        assert coding == "chunked"
        return _parse_chunks(response, data)
    if length is not None:
        response.body, data = data[: int(length)], data[int(length) :]
        response.complete = len(response.body) == int(length)
        return data
    response.body = data
    response.complete = closed
    return b""


def _parse_chunks(response: Response, data: bytes) -> bytes:
    response.chunks = []
    while True:
        line, separator, rest = data.partition(b"\r\n")
        if not separator:
            response.complete = False
            break
        size = int(line, 16)
        if not size:
            return _parse_trailers(response, rest)
        chunk, end, data = rest[:size], rest[size : size + 2], rest[size + 2 :]
        response.body += chunk
        response.chunks.append(chunk)
        if not end or len(chunk) < size:
            response.complete = False
            break
        assert end == b"\r\n", f"a chunk ends with {end!r}"
    return b""


def _parse_trailers(response: Response, data: bytes) -> bytes:
    while True:
        line, separator, data = data.partition(b"\r\n")
        if not separator:
            response.complete = False
            return b""
        if not line:
            return data
        name, colon, value = line.decode("latin-1").partition(":")
        assert colon, line
        response.trailers.append((name, value.strip()))
