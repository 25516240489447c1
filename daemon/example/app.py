"""An example ASGI application: it says which listener a request came by, and echoes over WebSocket.

``/`` answers with text, ``/clock`` streams the time a few times, ``/ws`` is a WebSocket that sends back what
it gets. It keeps to the ASGI specification (HTTP and WebSocket 2.5, lifespan 2.0) and needs only asyncio.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

TICKS = 5
TICK_S = 1.0


async def application(scope: Message, receive: Receive, send: Send) -> None:
    """Serve one scope, as the ASGI specification asks. Raises ``ValueError`` for a kind it does not know."""
    kind = scope["type"]
    if kind == "http":
        await _http(scope, send)
    elif kind == "websocket":
        await _websocket(scope, receive, send)
    elif kind == "lifespan":
        await _lifespan(scope, receive, send)
    else:
        raise ValueError(f"this example serves no scope of the kind {kind!r}")


async def _lifespan(scope: Message, receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            scope.get("state", {})["started"] = dt.datetime.now(dt.UTC)
            await send({"type": "lifespan.startup.complete"})
        else:
            await send({"type": "lifespan.shutdown.complete"})
            return


async def _http(scope: Message, send: Send) -> None:
    if scope["path"] == "/":
        await _answer(send, 200, _greeting(scope))
    elif scope["path"] == "/clock":
        await _clock(send)
    else:
        await _answer(send, 404, "There is /, /clock and the WebSocket /ws.\n")


def _greeting(scope: Message) -> str:
    client = scope["client"]
    who = f"{client[0]} port {client[1]}" if client else "a unix socket"
    started = scope.get("state", {}).get("started")
    since = f"{started:%Y-%m-%d %H:%M:%S} UTC" if started else "I do not know when: there was no lifespan"
    return (
        f"Hello from the listener {_listener(scope)!r}.\n"
        f"You came from {who}, by HTTP/{scope['http_version']}.\n"
        f"Serving since {since}.\n"
    )


def _listener(scope: Message) -> str:
    # asgid's own extension; any other server has none, and the example still works there.
    name: str = scope.get("extensions", {}).get("asgid", {}).get("listener", "unnamed")
    return name


async def _answer(send: Send, status: int, text: str) -> None:
    body = text.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _clock(send: Send) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for tick in range(TICKS):
        if tick:
            await asyncio.sleep(TICK_S)
        line = f"{dt.datetime.now(dt.UTC):%H:%M:%S} UTC\n"
        await send({"type": "http.response.body", "body": line.encode(), "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _websocket(scope: Message, receive: Receive, send: Send) -> None:
    await receive()  # websocket.connect
    if scope["path"] != "/ws":
        await send({"type": "websocket.close"})
        return
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": f"Hello from the listener {_listener(scope)!r}."})
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        await send({"type": "websocket.send", "text": message.get("text"), "bytes": message.get("bytes")})
