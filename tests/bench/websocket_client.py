"""WebSocket load by picows. Arguments: URL, connections, message size in bytes, seconds, and ``deflate``.

Runs in the peers' environment. Every connection sends one message, waits for the echo, checks it, and sends
the next, which differs in its first bytes. Every other connection sends text, the rest binary. With
``deflate``, which may be left out, every message is compressed both ways: those that are sent were compressed
before, each for itself, so that the client is not the bottleneck; the echoes are inflated and compared. The
first fifth of the time is warm-up and is not counted. Prints messages a second.
"""

from __future__ import annotations

import asyncio
import sys
import time
import zlib

import uvloop
from picows import WSListener, WSMsgType, ws_connect

OFFER = "permessage-deflate; client_no_context_takeover; client_max_window_bits"
WINDOW_BITS = 12  # of what is sent; a server may ask for less than 15
TAIL = b"\x00\x00\xff\xff"  # RFC 7692 7.2.1
VARIANTS = 64


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
            # Not as a memoryview: that is compared item by item, 16 KiB of it in 60 microseconds.
            if frame.get_payload_as_bytes() != self.message:
                raise ValueError("what came back is not what was sent")
            self.count += 1
            self.next(transport)

    def on_ws_disconnected(self, transport) -> None:
        self.lost = True

    def next(self, transport) -> None:
        self.message = b"%08d" % self.count + self.tail
        transport.send(self.kind, self.message)


class CompressedEcho(Echo):
    """One connection whose messages are compressed."""

    def __init__(self, number: int, messages: list[tuple[bytes, bytes]]) -> None:
        super().__init__(number, 8)
        self.messages = messages
        self.inflater = zlib.decompressobj(wbits=-15)

    def on_ws_frame(self, transport, frame) -> None:
        if frame.msg_type == self.kind:
            if not frame.rsv1:
                raise ValueError("what came back is not compressed")
            if self.inflater.decompress(frame.get_payload_as_bytes() + TAIL) != self.message:
                raise ValueError("what came back is not what was sent")
            self.count += 1
            self.next(transport)

    def next(self, transport) -> None:
        self.message, packed = self.messages[self.count % VARIANTS]
        transport.send(self.kind, packed, rsv1=True)


def prepared(size: int) -> list[tuple[bytes, bytes]]:
    """Messages as an application's JSON is: each with what its compressed frame holds."""
    found = []
    for variant in range(VARIANTS):
        rows = (
            f'{{"id": {n * 7919}, "name": "user-{n * 2654435761 % 65536:x}", "tags": ["a", "b"], "ok": true, '
            f'"seen": "2026-01-{n % 28 + 1:02d}T{n % 24:02d}:{n % 60:02d}:00Z"}}'
            for n in range(variant, variant + size // 64)
        )
        message = ",".join(rows).encode()[:size]
        packer = zlib.compressobj(wbits=-WINDOW_BITS)
        packed = packer.compress(message) + packer.flush(zlib.Z_SYNC_FLUSH)
        found.append((message, packed.removesuffix(TAIL)))
    return found


async def main(url: str, connections: int, size: int, seconds: float, deflate: bool) -> None:
    clients = []
    messages = prepared(size) if deflate else []
    headers = {"Sec-WebSocket-Extensions": OFFER} if deflate else {}

    def listener(number: int) -> Echo:
        return CompressedEcho(number, messages) if deflate else Echo(number, size)

    for number in range(connections):
        transport, client = await ws_connect(
            lambda number=number: listener(number), url, extra_headers=headers
        )
        agreed = transport.response.headers.get("Sec-WebSocket-Extensions", "")
        if deflate and "permessage-deflate" not in agreed:
            raise SystemExit("it has no permessage-deflate")
        clients.append(client)
    await asyncio.sleep(seconds / 5)
    before, began = sum(client.count for client in clients), time.perf_counter()
    await asyncio.sleep(seconds)
    counted, took = sum(client.count for client in clients) - before, time.perf_counter() - began
    if not counted or any(client.lost for client in clients):
        raise SystemExit("a connection was lost, or nothing came back")
    print(counted / took)


uvloop.run(
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), sys.argv[5:] == ["deflate"])
)
