"""HTTP load at a rate that does not depend on the server.

Arguments: host, port, requests a second, seconds, connections. Requests are due at random times (a Poisson
process of a fixed seed), whatever became of those before. One is sent on a connection that is free, and waits
for one where none is: its latency is counted from when it was due, so a server that stalls is not spared what
would have come meanwhile. This spins on a core of its own, for a timer would add its grain. The first second
is warm-up and does not count. Prints the 99th percentile in milliseconds.
"""

from __future__ import annotations

import gc
import random
import select
import socket
import sys
from collections import deque
from time import perf_counter

REQUEST = b"GET /items/%d?q=%x HTTP/1.1\r\nHost: bench\r\n\r\n"
END = b"Hello, world!\n"
WARM_UP_S = 1.0
PATIENCE_S = 10.0
ENOUGH = 0.98  # of the requests that were due


class Client:
    """The connections, the requests that are due, and the latencies of those that were answered."""

    def __init__(self, place: tuple[str, int], connections: int) -> None:
        self.epoll = select.epoll()
        self.sockets = {}
        for _ in range(connections):
            sock = socket.create_connection(place, timeout=PATIENCE_S)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setblocking(False)
            self.sockets[sock.fileno()] = sock
            self.epoll.register(sock, select.EPOLLIN)
        self.free = deque(self.sockets)
        self.due_at: dict[int, float] = {}
        self.got: dict[int, bytes] = {}
        self.answered: list[tuple[float, float]] = []  # when it was due, and how long it took

    def run(self, rate: float, seconds: float) -> list[float]:
        """Return the latencies in seconds; raises ConnectionError where the server ends a connection."""
        draw = random.Random(1).expovariate
        waiting: deque[float] = deque()
        began = now = perf_counter()
        until = began + WARM_UP_S + seconds
        due, number = began, 0
        while (due < until or waiting or self.due_at) and now < until + PATIENCE_S:
            while due <= now and due < until:
                waiting.append(due)
                due += draw(rate)
            while waiting and self.free:
                number += 1
                self.send(self.free.popleft(), waiting.popleft(), number)
            for descriptor, _ in self.epoll.poll(0):
                self.take(descriptor)
            now = perf_counter()
        return [took for at, took in self.answered if at >= began + WARM_UP_S]

    def send(self, descriptor: int, due: float, number: int) -> None:
        self.due_at[descriptor] = due
        self.sockets[descriptor].send(REQUEST % (number, number * 2654435761 & 0xFFFFFFFF))

    def take(self, descriptor: int) -> None:
        data = self.sockets[descriptor].recv(4096)
        if not data:
            raise ConnectionError("the server ended a connection")
        if descriptor in self.got:
            data = self.got.pop(descriptor) + data
        if not data.endswith(END):
            self.got[descriptor] = data
            return
        if not data.startswith(b"HTTP/1.1 200 "):
            raise ConnectionError(f"answered {data[:40]!r}")
        due = self.due_at.pop(descriptor)
        self.answered.append((due, perf_counter() - due))
        self.free.append(descriptor)


def main() -> None:
    host, port, rate, seconds, connections = sys.argv[1:]
    gc.disable()
    client = Client((host, int(port)), int(connections))
    latencies = sorted(client.run(float(rate), float(seconds)))
    if len(latencies) < ENOUGH * float(rate) * float(seconds):
        raise SystemExit(
            f"only {len(latencies)} of {float(rate) * float(seconds):.0f} requests were answered"
        )
    print(latencies[int(len(latencies) * 0.99)] * 1000)


main()
