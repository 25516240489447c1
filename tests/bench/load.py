"""Load on a running server, pinned to the other core: wrk for HTTP, picows for WebSocket, idle sockets."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
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


def websocket(server: Running, core: int, seconds: float, size: int, tools: Path) -> float:
    """Messages a second that came back, over 50 connections."""
    command = [
        "taskset", "-c", str(core), str(tools / "python"), str(peers.HERE / "websocket_client.py"),
        f"ws://{peers.HOST}:{server.port}/", "50", str(size), str(seconds),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
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


def _expect(client: socket.socket, start: bytes, end: bytes) -> None:
    got = b""
    while not got.endswith(end):
        data = client.recv(65536)
        if not data:
            raise InvalidError(f"closed after {got[:60]!r}")
        got += data
    if not got.startswith(start):
        raise InvalidError(f"answered {got[:60]!r}")
