"""Clients of every kind, each of which leaves as it likes. What they do follows from a seed."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import time
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

RESET = struct.pack("ii", 1, 0)
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: soak\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
PATIENCE_S = 30.0
HELLO = b"hello\n"


class WrongError(Exception):
    """An answer that is not the one that is due."""


class Gone(Exception):  # noqa: N818 - no error: this client has left, as it may at any point
    """The client has left."""


class Client:
    """One connection. Before each act it may leave; ``leaving`` is how likely that is."""

    def __init__(self, place: tuple[str, int], chance: random.Random, pace_s: float) -> None:
        self.place = place
        self.chance = chance
        self.pace_s = pace_s
        self.leaving = chance.choice((0.0, 0.0, 0.02, 0.2))
        self.half_closed = False

    async def connect(self, *, slow: bool = False) -> None:
        loop = asyncio.get_running_loop()
        sock = socket.socket()
        sock.setblocking(False)
        if slow:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await loop.sock_connect(sock, self.place)
        self.socket = sock
        self.reader, self.writer = await asyncio.open_connection(sock=sock)

    async def act(self) -> None:
        """Wait a little; leave, perhaps."""
        await asyncio.sleep(self.chance.expovariate(1 / self.pace_s))
        if self.chance.random() < self.leaving:
            way = self.chance.choice(("fin", "reset", "half"))
            if way == "reset":
                self.reset()
            elif way == "half" and not self.half_closed:
                self.half_closed = True
                self.writer.write_eof()
                if self.chance.random() < 0.5:
                    return  # it goes on to read
            raise Gone

    async def send(self, data: bytes) -> None:
        """Send in one piece, or in several with a pause between them."""
        cut = self.chance.randrange(len(data)) if self.chance.random() < 0.2 else len(data)
        for piece in (data[:cut], data[cut:]):
            if piece:
                await self.act()
                if self.half_closed:
                    raise Gone
                self.writer.write(piece)
                await self.writer.drain()

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.writer.transport.abort()

    async def answer(self) -> bytes:
        """Read one response of HTTP and return its body."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise WrongError(head.decode("latin-1"))
        lower = head.lower()
        if b"\r\ntransfer-encoding: chunked\r\n" in lower:
            return await self._chunks()
        length = int(lower.partition(b"\r\ncontent-length: ")[2].split(b"\r\n")[0])
        return await self.reader.readexactly(length)

    async def _chunks(self) -> bytes:
        body = b""
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            body += await self.reader.readexactly(size)
            await self.reader.readexactly(2)
        await self.reader.readexactly(2)
        return body

    def expect(self, got: bytes, due: bytes) -> None:
        if got != due:
            raise WrongError(f"{got[:80]!r} in place of {due[:80]!r}")


async def keeps_alive(client: Client) -> None:
    await client.connect()
    for _ in range(client.chance.randrange(1, 50)):
        await client.send(b"GET /hello HTTP/1.1\r\nHost: soak\r\nUser-Agent: soak\r\n\r\n")
        client.expect(await client.answer(), HELLO)


async def closes(client: Client) -> None:
    await client.connect()
    await client.send(b"GET /late HTTP/1.1\r\nHost: soak\r\nConnection: close\r\n\r\n")
    client.expect(await client.answer(), b"late\n")
    client.expect(await client.reader.read(1), b"")


async def posts(client: Client) -> None:
    await client.connect()
    for _ in range(client.chance.randrange(1, 5)):
        size = client.chance.choice((1, 1000, 100_000, 1_000_000))
        head = b"POST /count HTTP/1.1\r\nHost: soak\r\nContent-Length: %d\r\n\r\n" % size
        await client.send(head + bytes(size))
        client.expect(await client.answer(), b"%d" % size)


async def posts_chunks(client: Client) -> None:
    await client.connect()
    for _ in range(client.chance.randrange(1, 5)):
        sizes = [client.chance.randrange(1, 20_000) for _ in range(client.chance.randrange(20))]
        head = b"POST /count HTTP/1.1\r\nHost: soak\r\nTransfer-Encoding: chunked\r\n\r\n"
        body = b"".join(b"%x\r\n%b\r\n" % (size, bytes(size)) for size in sizes)
        await client.send(head + body + b"0\r\n\r\n")
        client.expect(await client.answer(), b"%d" % sum(sizes))


async def pipelines(client: Client) -> None:
    await client.connect()
    count = client.chance.randrange(2, 500)
    await client.send(b"GET /hello HTTP/1.1\r\nHost: soak\r\n\r\n" * count)
    for _ in range(count):
        client.expect(await client.answer(), HELLO)


async def reads_slowly(client: Client) -> None:
    await client.connect(slow=True)
    await client.send(b"GET /big HTTP/1.1\r\nHost: soak\r\nConnection: close\r\n\r\n")
    # For a while, for with so small a buffer the kernel may take seconds for a few KiB.
    until = time.monotonic() + client.chance.uniform(0, 8)
    while time.monotonic() < until and await client.reader.read(1024):
        await client.act()


async def speaks(client: Client) -> None:
    """A WebSocket."""
    await client.connect()
    await client.send(UPGRADE)
    if not (await client.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 "):
        raise WrongError("no 101")
    for _ in range(client.chance.randrange(1, 40)):
        payload = client.chance.randbytes(client.chance.choice((0, 1, 125, 126, 4000, 65535, 65536, 300_000)))
        await client.send(frame(0x82, payload))
        client.expect(await message(client.reader), payload)
    await client.send(frame(0x88, b"\x03\xe8"))
    client.expect(await client.reader.readexactly(4), b"\x88\x02\x03\xe8")


def frame(first: int, payload: bytes) -> bytes:
    """A frame, its mask all zero."""
    size = len(payload)
    if size < 126:
        return bytes((first, 0x80 | size)) + bytes(4) + payload
    if size < 65536:
        return bytes((first, 0x80 | 126)) + size.to_bytes(2, "big") + bytes(4) + payload
    return bytes((first, 0x80 | 127)) + size.to_bytes(8, "big") + bytes(4) + payload


async def message(reader: asyncio.StreamReader) -> bytes:
    """The next message; pings are passed over."""
    while True:
        first, size = await reader.readexactly(2)
        if size == 126:
            size = int.from_bytes(await reader.readexactly(2), "big")
        elif size == 127:
            size = int.from_bytes(await reader.readexactly(8), "big")
        payload = await reader.readexactly(size)
        if first == 0x82:
            return payload


KINDS: tuple[Callable[[Client], Awaitable[None]], ...] = (
    keeps_alive, closes, posts, posts_chunks, pipelines, reads_slowly, speaks,
)  # fmt: skip


class Traffic:
    """``clients`` of all kinds at once; each that has ended is followed by another."""

    def __init__(self, place: tuple[str, int], clients: int, pace_s: float, seed: int) -> None:
        self.place = place
        self.clients = clients
        self.pace_s = pace_s
        self.chance = random.Random(seed)
        self.done: Counter[str] = Counter()
        self.wrong: list[str] = []

    def __str__(self) -> str:
        return ", ".join(f"{number} {name}" for name, number in sorted(self.done.items()))

    def run(self, seconds: float) -> None:
        """Run for so long, and until the clients of that time have ended."""
        asyncio.run(self._run(time.monotonic() + seconds))

    async def _run(self, until: float) -> None:
        await asyncio.gather(*(self._one_after_the_other(until) for _ in range(self.clients)))

    async def _one_after_the_other(self, until: float) -> None:
        while time.monotonic() < until:
            kind = self.chance.choice(KINDS)
            client = Client(self.place, random.Random(self.chance.random()), self.pace_s)
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await kind(client)
                self.done[kind.__name__] += 1
            except Gone:
                self.done["left"] += 1
            except (ConnectionError, asyncio.IncompleteReadError) as error:
                if client.half_closed or kind is reads_slowly:
                    self.done["cut"] += 1
                else:
                    self.wrong.append(f"{kind.__name__}: {error!r}")
            except (WrongError, TimeoutError) as error:
                self.wrong.append(f"{kind.__name__}: {error!r}")
            finally:
                if hasattr(client, "writer"):
                    client.writer.close()
