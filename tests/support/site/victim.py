"""An application that notes how long its loop pauses, and tells what its process holds."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from pathlib import Path

BEAT_S = 0.002
PIECE = bytes(65536)
OURS = {
    "HTTP1Connection", "WebSocketConnection", "NativeTransport", "HTTPCycle", "WebSocketCycle",
    "ProxiedConnection", "RequestHead", "TCPTransport",
}  # fmt: skip
beats = {"last": 0.0, "worst": 0.0, "computed": 0.0, "most": 0.0}


async def application(scope, receive, send) -> None:
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    elif scope["type"] == "websocket":
        await echo_messages(receive, send)
    else:
        await PAGES.get(scope["path"], hello)(scope, receive, send)


async def lifespan(receive, send) -> None:
    loop = asyncio.get_running_loop()

    def beat() -> None:
        now = time.perf_counter()
        beats["worst"] = max(beats["worst"], now - beats["last"] - BEAT_S)
        beats["last"] = now
        computed = time.thread_time()
        beats["most"] = max(beats["most"], computed - beats["computed"])
        beats["computed"] = computed
        loop.call_later(BEAT_S, beat)

    await receive()
    start_anew()
    beat()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


def start_anew() -> None:
    """Forget what was longest until now."""
    beats.update(last=time.perf_counter(), worst=0.0, computed=time.thread_time(), most=0.0)


async def answer(send, body: bytes, status: int = 200) -> None:
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def hello(scope, receive, send) -> None:
    await answer(send, b"hello\n")


async def count(scope, receive, send) -> None:
    """How many bytes the body has."""
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    await answer(send, b"%d" % size)


async def big(scope, receive, send) -> None:
    """1 MiB in pieces of 64 KiB."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for left in range(15, -1, -1):
        await send({"type": "http.response.body", "body": PIECE, "more_body": left > 0})


async def late(scope, receive, send) -> None:
    """An answer after a while."""
    await asyncio.sleep(0.05)
    await answer(send, b"late\n")


async def state(scope, receive, send) -> None:
    """What the process holds, and the largest pause of the loop since this was asked last.

    On a busy machine much of a pause is another process's turn: ``computed_ms`` is what the loop's thread has
    computed without a pause, at most.
    """
    pause, most = beats["worst"], beats["most"]
    gc.collect()
    held: dict[str, int] = {}
    for each in gc.get_objects():
        name = type(each).__name__
        if name in OURS:
            held[name] = held.get(name, 0) + 1
    told = {
        "pause_ms": pause * 1000,
        "computed_ms": most * 1000,
        "tasks": len(asyncio.all_tasks()),
        "descriptors": descriptors(),
        "held": held,
    }
    start_anew()  # this very request is no part of the next answer
    await answer(send, json.dumps(told).encode())


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir()) - 1


async def echo_messages(receive, send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        if message.get("text") is not None:
            await send({"type": "websocket.send", "text": message["text"]})
        else:
            await send({"type": "websocket.send", "bytes": message["bytes"]})


PAGES = {"/count": count, "/big": big, "/late": late, "/state": state}
