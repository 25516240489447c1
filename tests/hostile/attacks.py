"""What a hostile client does: each a generator that yields now and then while it holds what it has taken."""

from __future__ import annotations

import shutil
import socket
import struct
import subprocess
import time
import zlib
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Place = tuple[str, int]
    Attack = Callable[[Place], Iterator[None]]

RESET = struct.pack("ii", 1, 0)
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
BIG = b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n"
SLOW = {
    "slow headers": ("-H", "-i", "1", "-x", "24"),
    "slow body": ("-B", "-i", "1", "-s", "8192", "-x", "10"),
    "range": ("-R", "-a", "1", "-b", "3000"),
    "slow read": ("-X", "-w", "1", "-y", "10", "-n", "1", "-z", "32", "-k", "3"),
}


def slowhttptest(mode: str, connections: int, seconds: int) -> Attack:
    """Return slowhttptest's attack in one of its four modes."""

    def attack(place: Place) -> Iterator[None]:
        command = shutil.which("slowhttptest")
        if command is None:
            raise FileNotFoundError("slowhttptest")
        target = "count" if mode == "slow body" else "big" if mode == "slow read" else "hello"
        run = subprocess.Popen(
            [
                command, "-c", str(connections), "-r", str(connections // 2), "-l", str(seconds), "-p", "3",
                "-u", f"http://{place[0]}:{place[1]}/{target}", *SLOW[mode],
            ],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        while True:
            try:
                run.communicate(timeout=0.5)
            except subprocess.TimeoutExpired:
                yield
            else:
                return

    return attack


def connected(stack: ExitStack, place: Place, *, buffer: int = 0) -> socket.socket:
    client = stack.enter_context(socket.socket())
    if buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    client.settimeout(20)
    client.connect(place)
    return client


def hold(seconds: float) -> Iterator[None]:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        yield
        time.sleep(0.25)


def silent(connections: int, seconds: float) -> Attack:
    """Connections that say nothing."""

    def attack(place: Place) -> Iterator[None]:
        with ExitStack() as stack:
            for _ in range(connections):
                connected(stack, place)
            yield from hold(seconds)

    return attack


def mute_websockets(connections: int, seconds: float) -> Attack:
    """WebSockets that answer no ping, and are all due at once."""

    def attack(place: Place) -> Iterator[None]:
        with ExitStack() as stack:
            clients = [connected(stack, place) for _ in range(connections)]
            for client in clients:
                client.sendall(UPGRADE)
            for client in clients:
                client.recv(4096)
            yield from hold(seconds)

    return attack


def stopped_readers(connections: int, seconds: float) -> Attack:
    """Readers that ask for much, and stop reading."""

    def attack(place: Place) -> Iterator[None]:
        with ExitStack() as stack:
            for _ in range(connections):
                client = connected(stack, place, buffer=4096)
                client.sendall(BIG * 20)
                client.recv(10)
            yield from hold(seconds)

    return attack


def resets(connections: int) -> Attack:
    """Connections that are reset: at once, in a head, in a body, in an answer, in a WebSocket."""
    said = (
        b"", GET[:20], b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n12", BIG * 3, GET,
        UPGRADE, GET * 50,
    )  # fmt: skip

    def attack(place: Place) -> Iterator[None]:
        for number in range(connections):
            with socket.create_connection(place, timeout=20) as client:
                client.sendall(said[number % len(said)])
                if number % 3:
                    client.setblocking(False)
                    with suppress(BlockingIOError):
                        client.recv(1)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            if number % 500 == 0:
                yield

    return attack


def pings(rounds: int) -> Attack:
    """256 KiB of pings of one byte each in one go, whose answers are not read until the end."""
    row = b"\x89\x81\x01\x02\x03\x04\x60" * (256 * 1024 // 7)

    def attack(place: Place) -> Iterator[None]:
        with socket.create_connection(place, timeout=20) as client:
            client.sendall(UPGRADE)
            client.recv(4096)
            client.setblocking(False)
            for _ in range(rounds):
                view = memoryview(row)
                while view:
                    try:
                        view = view[client.send(view) :]
                    except BlockingIOError:
                        swallow(client)
                        time.sleep(0.001)
                yield

    return attack


def crowd_of_pings(connections: int) -> Attack:
    """Rows of 16 KiB of one-byte pings from many connections at once, whose answers are read."""
    row = b"\x89\x81\x01\x02\x03\x04\x60" * (16 * 1024 // 7)

    def attack(place: Place) -> Iterator[None]:
        with ExitStack() as stack:
            clients = [connected(stack, place) for _ in range(connections)]
            for client in clients:
                client.sendall(UPGRADE)
                client.recv(4096)
            yield
            for client in clients:
                client.sendall(row)
            for client in clients:
                left = 16 * 1024 // 7 * 3
                while left > 0:
                    got = len(client.recv(65536))
                    assert got, "closed"
                    left -= got
                yield

    return attack


def crowd_of_slow_readers(connections: int, seconds: float) -> Attack:
    """Many ask for much at the same time, with a small window, and read nothing."""

    def attack(place: Place) -> Iterator[None]:
        with ExitStack() as stack:
            clients = [connected(stack, place, buffer=4096) for _ in range(connections)]
            yield
            time.sleep(0.2)
            for client in clients:
                client.sendall(BIG * 3)
            yield from hold(seconds)

    return attack


def bombs(connections: int) -> Attack:
    """Compressed messages of less than 1 MiB that inflate to 1 GiB: refused with 1009 (RFC 6455 7.4.1)."""
    offer = UPGRADE[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = bytes(1 << 20)
    packed = b"".join(deflater.compress(zeros) for _ in range(1024)) + deflater.flush(zlib.Z_SYNC_FLUSH)
    bomb = b"\xc2\xff" + len(packed).to_bytes(8, "big") + bytes(4) + packed
    assert len(packed) < 1 << 20

    def attack(place: Place) -> Iterator[None]:
        with ExitStack() as stack:
            clients = [connected(stack, place) for _ in range(connections)]
            for client in clients:
                client.sendall(offer)
                head = client.recv(4096)
                assert b"permessage-deflate" in head, head
            for client in clients:
                client.sendall(bomb)
                yield
            for client in clients:
                got = client.recv(4096)
                assert got.startswith(b"\x88") and got[2:4] == b"\x03\xf1", got  # noqa: PT018 - one frame
                yield

    return attack


def pipelined(requests: int, *, read: bool, seconds: float = 4.0) -> Attack:
    """A row of requests in one go; the answers are read, or they are not."""

    def attack(place: Place) -> Iterator[None]:
        with socket.create_connection(place, timeout=20) as client:
            client.setblocking(False)
            view, got = memoryview(GET * requests), 0
            until = time.monotonic() + (60.0 if read else seconds)
            while time.monotonic() < until and (not read or got < requests):
                try:
                    view = view[client.send(view[:1_000_000]) :]
                except BlockingIOError:
                    pass
                except ConnectionError as error:
                    if read:
                        raise AssertionError(f"{error!r} after {got} answers") from None
                    return  # cut: it does not read
                if read:
                    got += swallow(client).count(b"HTTP/1.1 200 ")
                time.sleep(0.001)
                yield
            assert not read or got == requests, f"{got} answers in time"

    return attack


def swallow(client: socket.socket) -> bytes:
    """Everything that has come."""
    got = []
    try:
        while data := client.recv(1 << 20):
            got.append(data)
    except BlockingIOError:
        pass
    return b"".join(got)


def header_floods(connections: int) -> Attack:
    """Heads of 100,000 headers, of a header and a target without an end, of empty lines."""
    rows = (
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 100_000, b"GET / HTTP/1.1\r\nHost: a\r\nx: " + b"y" * 2_000_000,
        b"GET /" + b"a" * 2_000_000, b"\r\n" * 500_000,
    )  # fmt: skip

    def attack(place: Place) -> Iterator[None]:
        for number in range(connections):
            with socket.create_connection(place, timeout=20) as client:
                try:
                    client.sendall(rows[number % len(rows)])
                    while client.recv(65536):
                        pass
                except ConnectionError:
                    pass  # refused before all of it was sent
            yield

    return attack


def tiny_chunks(size: int) -> Attack:
    """A body in chunks of one byte each."""

    def attack(place: Place) -> Iterator[None]:
        with socket.create_connection(place, timeout=60) as client:
            client.sendall(b"POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(0, size, 16384):
                client.sendall(b"1\r\nx\r\n" * 16384)
                yield
            client.sendall(b"0\r\n\r\n")
            got = b""
            while not got.endswith(b"%d" % size):
                data = client.recv(4096)
                assert data, got
                got += data

    return attack
