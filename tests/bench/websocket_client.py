"""WebSocket load by picows. Arguments: URL, connections, message size in bytes, seconds.

Runs in the peers' environment. Every connection sends one message, waits for the echo, checks it, and sends
the next, which differs in its first bytes. Every other connection sends text, the rest binary. The first
fifth of the time is warm-up and is not counted. Prints messages a second.
"""

from __future__ import annotations

import asyncio
import sys
import time

import uvloop
from picows import WSListener, WSMsgType, ws_connect


class Echo(WSListener):
    """One connection; ``count`` is how many echoes came back."""

    def __init__(self, number: int, size: int) -> None:
        self.count = 0
        self.lost = False
        self.kind = WSMsgType.TEXT if number % 2 else WSMsgType.BINARY
        self.tail = b"x" * (size - 8)
        self.message = b""

    def on_ws_connected(self, transport) -> None:
        self.next(transport)

    def on_ws_frame(self, transport, frame) -> None:
        if frame.msg_type == self.kind:
            if frame.get_payload_as_memoryview() != self.message:
                raise ValueError("what came back is not what was sent")
            self.count += 1
            self.next(transport)

    def on_ws_disconnected(self, transport) -> None:
        self.lost = True

    def next(self, transport) -> None:
        self.message = b"%08d" % self.count + self.tail
        transport.send(self.kind, self.message)


async def main(url: str, connections: int, size: int, seconds: float) -> None:
    clients = []
    for number in range(connections):
        _, client = await ws_connect(lambda number=number: Echo(number, size), url)
        clients.append(client)
    await asyncio.sleep(seconds / 5)
    before, began = sum(client.count for client in clients), time.perf_counter()
    await asyncio.sleep(seconds)
    counted, took = sum(client.count for client in clients) - before, time.perf_counter() - began
    if not counted or any(client.lost for client in clients):
        raise SystemExit("a connection was lost, or nothing came back")
    print(counted / took)


uvloop.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
