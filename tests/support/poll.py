"""A client that polls all the while (arguments: HOST PORT), and at the end of its input prints what it saw.

A process of its own, so that whatever else the test does cannot delay it.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time

EVERY_S = 0.01
PATIENCE_S = 20.0
GET = b"GET /hello HTTP/1.1\r\nHost: poll\r\n\r\n"


def ask(client: socket.socket) -> bool:
    """Ask once, and read the answer; false where the server closed the connection instead."""
    try:
        client.sendall(GET)
        got = b""
        while not got.endswith(b"hello\n"):
            data = client.recv(4096)
            if not data:
                return False
            got += data
    except ConnectionError:
        return False
    return got.startswith(b"HTTP/1.1 200 ")


def main() -> None:
    place = (sys.argv[1], int(sys.argv[2]))
    latencies: list[float] = []
    unanswered = reconnected = 0
    client = None
    print("polling", flush=True)
    while not select.select([sys.stdin], [], [], EVERY_S)[0]:
        began = time.perf_counter()
        try:
            if client is None:
                client = socket.create_connection(place, timeout=PATIENCE_S)
            fine = ask(client)
            if not fine:  # an idle connection may be closed at any time: a client asks again on a new one
                reconnected += 1
                client.close()
                client = socket.create_connection(place, timeout=PATIENCE_S)
                fine = ask(client)
        except OSError:
            fine = False
        if fine:
            latencies.append(time.perf_counter() - began)
        else:
            unanswered += 1
            client = None
    latencies.sort()
    told = {
        "polls": len(latencies),
        "unanswered": unanswered,
        "reconnected": reconnected,
        "median_ms": latencies[len(latencies) // 2] * 1000 if latencies else 0.0,
        "p99_ms": latencies[int(len(latencies) * 0.99)] * 1000 if latencies else 0.0,
        "worst_ms": latencies[-1] * 1000 if latencies else 0.0,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
