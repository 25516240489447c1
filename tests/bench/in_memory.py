"""What asgid's own code costs a request or a message, from ``dataReceived`` to ``write``, without a socket.

    python tests/bench/in_memory.py [--rounds N] [CASE ...]

The kernel, uvloop and the client are left out, so that a change to the code is seen on a busy machine too. Of
many short rounds the fastest counts: nothing but the code itself makes a round faster. Requests differ from
one another as those of ``requests.lua`` do. ``ASGID_PURE=1`` measures without what is compiled.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

import app
import uvloop

from asgid.config.spec import ListenerSpec, Place
from asgid.daemon.asgi.gateway import ASGIGateway
from asgid.daemon.wire.factory import ConnectionFactory

if TYPE_CHECKING:
    from collections.abc import Callable

    Case = tuple[Callable[[], float], ConnectionFactory]

HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
SETTLE_S = 0.05  # in which a WebSocket is accepted
REQUESTS = 128  # that differ, and that a round takes: short, so that some rounds are not interrupted


class Transport:
    """As much of a transport as a connection needs that is never full and never lost; ``write`` counts."""

    def __init__(self, writes: deque[bytes] | None = None) -> None:
        self.writes: list[bytes] | deque[bytes] = [] if writes is None else writes
        self.write = self.writes.append

    def resumeProducing(self) -> None:
        pass

    def pauseProducing(self) -> None:
        pass

    def registerProducer(self, producer: object, streaming: bool) -> None:
        pass

    def unregisterProducer(self) -> None:
        pass

    def loseConnection(self) -> None:
        pass

    def loseWriteConnection(self) -> None:
        pass

    def ends(self) -> tuple[tuple[str, int], tuple[str, int]]:
        return ("127.0.0.1", 40000), ("127.0.0.1", 8000)


def requests(kind: str) -> list[bytes]:
    made = []
    for i in range(REQUESTS):
        lines = ["Host: 127.0.0.1:8000"]
        token = f"{i * 2654435761 % 2**32:08x}{i * 40503 % 65536:08x}{i * 7919:08x}"
        method, body = "GET", ""
        if kind == "browser":
            lines += [
                "Connection: keep-alive",
                f'sec-ch-ua: "Chromium";v="{100 + i % 40}", "Not.A/Brand";v="24"',
                "sec-ch-ua-mobile: ?0",
                'sec-ch-ua-platform: "Linux"',
                "Upgrade-Insecure-Requests: 1",
                f"User-Agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/{100 + i % 40}.0.{i}.0 Safari/537.36",
                "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*",
                "Sec-Fetch-Site: same-origin",
                "Sec-Fetch-Mode: navigate",
                "Sec-Fetch-Dest: document",
                f"Referer: http://127.0.0.1:8000/from/{i}",
                "Accept-Encoding: gzip, deflate, br, zstd",
                f"Accept-Language: en-GB,en;q=0.9,de;q=0.{i % 9}",
                f"Cookie: session={token}; csrftoken={token[::-1]}; theme=dark",
            ]
        elif kind == "close":
            lines += ["Connection: close", f"Cookie: session={token}"]
        elif kind == "post":
            method, body = "POST", (token + "x" * 1024)[:1024]
            lines += ["Content-Type: application/octet-stream", "Content-Length: 1024"]
        head = "\r\n".join([f"{method} /items/{i}/page-{token[:6]}?q={token[-9:]} HTTP/1.1", *lines])
        made.append(f"{head}\r\n\r\n{body}".encode())
    return made


_due: list[Callable[[], object]] = []


def soon(call: Callable[..., object], *values: object) -> None:
    """Call on the next turn of the loop, which comes after the round."""
    _due.append(partial(call, *values))


def turn() -> None:
    """Do what is due: the rest of a round, where the machine was busy and the connection's time was over."""
    while _due:
        _due.pop(0)()


def factory(application: object) -> ConnectionFactory:
    loop = asyncio.get_running_loop()
    spec = ListenerSpec("bench", "address", Place("bench.toml"), ())
    gateway = ASGIGateway(application, spec, loop=loop, state={})
    return ConnectionFactory(spec, gateway, clock=time.monotonic, call_soon=soon)


def kept_alive(kind: str, application: object) -> Case:
    connections = factory(application)
    connection = connections.buildProtocol(None)
    transport = Transport()
    connection.makeConnection(transport)
    made = requests(kind)

    def one_round() -> float:
        take = connection.dataReceived
        began = time.perf_counter()
        for data in made:
            take(data)
        took = time.perf_counter() - began
        turn()
        answered(transport.writes)
        return took

    return one_round, connections


def new_each_time(application: object) -> Case:
    connections = factory(application)
    made = requests("close")

    def one_round() -> float:
        transports = [Transport() for _ in made]
        began = time.perf_counter()
        for transport, data in zip(transports, made, strict=True):
            connection = connections.buildProtocol(None)
            connection.makeConnection(transport)
            connection.dataReceived(data)
            if transport.writes:
                connection.connectionLost(None)
        took = time.perf_counter() - began
        turn()
        answered([write for transport in transports for write in transport.writes])
        return took

    return one_round, connections


def websocket(size: int) -> Case:
    """Messages of ``size`` bytes, text and binary in turn, each echoed."""
    connections = factory(app.websocket)
    connection = connections.buildProtocol(None)
    transport = Transport(deque(maxlen=1))  # what is written is let go of, as a socket does
    connection.makeConnection(transport)
    connection.dataReceived(HANDSHAKE)
    frames = [masked_frame(0x81 + i % 2, b"%08d" % i + b"x" * (size - 8)) for i in range(REQUESTS)]

    def one_round() -> float:
        take = transport.protocol.dataReceived
        before = transport.protocol._body_bytes
        transport.protocol._turn = 1 << 60  # no turn of the loop comes in a round, to be waited for
        began = time.perf_counter()
        for data in frames:
            take(data)
        took = time.perf_counter() - began
        if transport.protocol._body_bytes - before != REQUESTS * size:
            raise SystemExit("not every message came back")
        return took

    return one_round, connections


def masked_frame(first: int, payload: bytes) -> bytes:
    """A client's frame (RFC 6455 5.2)."""
    mask = b"\x01\x80\xff\x5a"
    size = len(payload)
    length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return bytes((first,)) + length + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


def answered(writes: list[bytes]) -> None:
    if len(writes) != REQUESTS or any(not write.startswith(b"HTTP/1.1 200") for write in writes):
        raise SystemExit("not every request was answered with 200")
    writes.clear()


CASES: dict[str, Callable[[], Case]] = {
    "hello": lambda: kept_alive("hello", app.hello),
    "browser": lambda: kept_alive("browser", app.hello),
    "post-1k": lambda: kept_alive("post", app.echo),
    "close": lambda: new_each_time(app.hello),
    "ws-64": lambda: websocket(64),
    "ws-16k": lambda: websocket(16384),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=1000, metavar="N")
    parser.add_argument("cases", nargs="*", choices=[[], *CASES], metavar="CASE", help=", ".join(CASES))
    arguments = parser.parse_args()
    loop = uvloop.new_event_loop()

    left = list(arguments.cases or CASES)

    def next_case() -> None:
        if left:
            name = left.pop(0)
            case = CASES[name]()
            loop.call_soon(loop.call_later, SETTLE_S, measure, name, *case)
        else:
            loop.call_later(SETTLE_S, loop.stop)  # tasks end first

    def measure(name: str, one_round: Callable[[], float], connections: ConnectionFactory) -> None:
        # In a callback of the loop, as requests are: inside a task each would cost one.
        try:
            best = min(one_round() for _ in range(arguments.rounds))
            print(f"{name:10} {best / REQUESTS * 1e6:6.2f} us each")
            connections.gateway.close()
            for connection in tuple(connections.connections):  # a WebSocket's application ends by it
                connection.connectionLost(None)
        except BaseException:
            left.clear()
            raise
        finally:
            next_case()

    loop.call_soon(next_case)
    loop.run_forever()


if __name__ == "__main__":
    main()
