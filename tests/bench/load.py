"""Load on a running server, pinned to the other core: wrk, a paced client, picows, idle and slow sockets."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import time
import zlib
from typing import TYPE_CHECKING

import peers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from process import Running

IDLE_GET = b"GET /idle/%d HTTP/1.1\r\nHost: bench\r\nUser-Agent: idle\r\nCookie: session=%d\r\n\r\n"
IDLE_UPGRADE = (
    b"GET /idle/%d HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
IDLE_MESSAGE = b"\x81\x85\x01\x02\x03\x04igohn"  # "hello" masked
IDLE_ANSWER = b"\x81\x05hello"
IDLE_OFFER = b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"  # as browsers
DEFLATE_TAIL = b"\x00\x00\xff\xff"  # RFC 7692 7.2.1
SLOW_BUFFER_BYTES = 4096
ETHERNET_SEGMENT_BYTES = 1460


class InvalidError(Exception):
    """A measurement that does not count: something was refused, lost or not answered."""


def wrk(server: Running, core: int, seconds: float, connections: int, *script: str) -> float:
    """Requests a second that were answered with success; raises InvalidError where any was not."""
    command = [
        "taskset", "-c", str(core), "wrk", "--threads", "1", "--connections", str(connections),
        "--duration", f"{seconds:.0f}s", "--timeout", "20s",
        "--script", str(peers.HERE / "requests.lua"),
        f"http://{peers.HOST}:{server.port}/", "--", *script,
    ]  # fmt: skip
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if trouble := re.search(r"Non-2xx.*|Socket errors: .*", said):
        raise InvalidError(trouble[0])
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    if rate is None or not float(rate[1]):
        raise InvalidError(said)
    return float(rate[1])


def paced(server: Running, core: int, seconds: float, rate: float, tools: Path) -> float:
    """The 99th percentile of latency in milliseconds, at ``rate`` requests a second over 64 connections."""
    arguments = [peers.HOST, str(server.port), str(rate), str(seconds), "64"]
    return _told([str(tools / "python"), str(peers.HERE / "paced_client.py"), *arguments], core)


def websocket(
    server: Running, core: int, seconds: float, size: int, tools: Path, *, deflate: bool = False
) -> float:
    """Messages a second that came back, over 50 connections."""
    url = f"ws://{peers.HOST}:{server.port}/"
    arguments = [url, "50", str(size), str(seconds), *(["deflate"] if deflate else [])]
    return _told([str(tools / "python"), str(peers.HERE / "websocket_client.py"), *arguments], core)


def _told(command: list[str], core: int) -> float:
    """The figure that a client prints; raises InvalidError with what it says instead."""
    pinned = ["taskset", "-c", str(core), *command]
    done = subprocess.run(pinned, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InvalidError(done.stderr.strip().splitlines()[-1] if done.stderr else "the client failed")
    return float(done.stdout)


@contextlib.contextmanager
def idle_http(server: Running, count: int) -> Iterator[None]:
    """Hold ``count`` keep-alive connections, each of which has had one answer."""
    with contextlib.ExitStack() as stack:
        for number in range(count):
            client = stack.enter_context(socket.create_connection((peers.HOST, server.port), timeout=20))
            client.sendall(IDLE_GET % (number, number))
            _expect(client, b"HTTP/1.1 200", b"Hello, world!\n")
        yield


@contextlib.contextmanager
def idle_websockets(server: Running, count: int) -> Iterator[None]:
    """Hold ``count`` WebSockets, each of which has echoed one message."""
    with contextlib.ExitStack() as stack:
        for number in range(count):
            client = stack.enter_context(socket.create_connection((peers.HOST, server.port), timeout=20))
            client.sendall(IDLE_UPGRADE % number)
            _expect(client, b"HTTP/1.1 101", b"\r\n\r\n")
            client.sendall(IDLE_MESSAGE)
            _expect(client, IDLE_ANSWER, IDLE_ANSWER)
        yield


@contextlib.contextmanager
def idle_compressed(server: Running, count: int) -> Iterator[None]:
    """Hold ``count`` WebSockets, each of which has echoed one message that was compressed both ways.

    Raises InvalidError where the server does not compress.
    """
    text = b",".join(b'{"id": %d, "name": "user-%x"}' % (n, n * 2654435761 % 65536) for n in range(80))
    packer = zlib.compressobj(wbits=-9)
    packed = (packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH)).removesuffix(DEFLATE_TAIL)
    message = b"\xc1\xfe" + len(packed).to_bytes(2, "big") + bytes(4) + packed  # masked with nought
    with contextlib.ExitStack() as stack:
        for number in range(count):
            client = stack.enter_context(socket.create_connection((peers.HOST, server.port), timeout=20))
            client.sendall(IDLE_UPGRADE[:-2] % number + IDLE_OFFER)
            head = _read_until(client, b"\r\n\r\n")
            if b"permessage-deflate" not in head:
                raise InvalidError("it has no permessage-deflate")
            client.sendall(message)
            if _inflated(client) != text:
                raise InvalidError("what came back is not what was sent")
        yield


def _inflated(client: socket.socket) -> bytes:
    """The compressed text message of 126 bytes to 64 KiB that comes now, inflated."""
    got = b""
    while len(got) < 4 or len(got) < 4 + int.from_bytes(got[2:4], "big"):
        data = client.recv(65536)
        if not data:
            raise InvalidError(f"closed after {got[:60]!r}")
        got += data
    if not got.startswith(b"\xc1\x7e"):
        raise InvalidError(f"what came back is not compressed: {got[:60]!r}")
    return zlib.decompress(got[4:] + DEFLATE_TAIL + b"\x03\x00", wbits=-15)


@contextlib.contextmanager
def slow_readers(server: Running, count: int, seconds: float) -> Iterator[None]:
    """Hold ``count`` clients that have asked for an answer, and read 3 bytes of it at a time for ``seconds``.

    Their segments are those of Ethernet and their receive buffers small: with loopback's own the kernel would
    take the whole answer at once.
    """
    with contextlib.ExitStack() as stack:
        clients = []
        for number in range(count):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SLOW_BUFFER_BYTES)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, ETHERNET_SEGMENT_BYTES)
            client.settimeout(20)
            client.connect((peers.HOST, server.port))
            client.sendall(IDLE_GET % (number, number))
            clients.append(client)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for client in clients:
                if not client.recv(3):
                    raise InvalidError("a slow reader was cut")
            time.sleep(0.05)
        yield


def _expect(client: socket.socket, start: bytes, end: bytes) -> None:
    got = _read_until(client, end)
    if not got.startswith(start):
        raise InvalidError(f"answered {got[:60]!r}")


def _read_until(client: socket.socket, end: bytes) -> bytes:
    got = b""
    while not got.endswith(end):
        data = client.recv(65536)
        if not data:
            raise InvalidError(f"closed after {got[:60]!r}")
        got += data
    return got
