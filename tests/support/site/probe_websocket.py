"""The probe application's WebSockets, by path."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import parse_qsl

import events


async def websocket(scope, receive, send) -> None:
    query = dict(parse_qsl(scope["query_string"].decode()))
    await receive()
    await HANDLERS[scope["path"].removeprefix("/ws/")](scope, query, receive, send)


async def echo(scope, query, receive, send) -> None:
    subprotocol = query.get("subprotocol")
    await send({"type": "websocket.accept", "subprotocol": subprotocol, "headers": [(b"x-probe", b"yes")]})
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            await events.record(f"ws:disconnect {message['code']} {message.get('reason', '')}")
            return
        await send({"type": "websocket.send", "text": message.get("text"), "bytes": message.get("bytes")})


async def scope_(scope, query, receive, send) -> None:
    await send({"type": "websocket.accept"})
    shown = json.dumps(scope, default=lambda value: value.decode("latin-1"), sort_keys=True)
    await send({"type": "websocket.send", "text": shown})
    await receive()


async def refuse(scope, query, receive, send) -> None:
    await send({"type": "websocket.close"})


async def refuse_with_response(scope, query, receive, send) -> None:
    headers = [(b"x-why", b"no ticket")]
    await send({"type": "websocket.http.response.start", "status": 401, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": b"show your ticket\n"})


async def raises(scope, query, receive, send) -> None:
    raise RuntimeError("raised on purpose")


async def raises_later(scope, query, receive, send) -> None:
    await send({"type": "websocket.accept"})
    raise RuntimeError("raised on purpose")


async def returns(scope, query, receive, send) -> None:
    await send({"type": "websocket.accept"})


async def close(scope, query, receive, send) -> None:
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": int(query["code"]), "reason": query.get("reason", "")})


async def undecided(scope, query, receive, send) -> None:
    await events.record("ws:undecided")
    try:
        await asyncio.Event().wait()
    finally:
        await events.record("ws:undecided ended")


async def flood(scope, query, receive, send) -> None:
    """Sends until it may not."""
    await send({"type": "websocket.accept"})
    sent = 0
    try:
        while True:
            await send({"type": "websocket.send", "bytes": b"f" * 65536})
            sent += 65536
            await events.record(f"flood:sent {sent}")
    except OSError:
        await events.record("flood:OSError")


async def stream(scope, query, receive, send) -> None:
    """Does nothing but send, until it may not."""
    await send({"type": "websocket.accept"})
    try:
        while True:
            await send({"type": "websocket.send", "text": "tick"})
    except OSError:
        await events.record("stream:OSError")


async def deaf(scope, query, receive, send) -> None:
    """Takes no message until ``/set?event=hear`` comes, then counts them up to ``last``."""
    await send({"type": "websocket.accept"})
    await events.wait("hear")
    count = 0
    while (await receive()).get("text") != "last":
        count += 1
    await send({"type": "websocket.send", "text": str(count)})


async def hang(scope, query, receive, send) -> None:
    """Accepts, and stays whatever comes."""
    await send({"type": "websocket.accept"})
    await events.record("ws:hang")
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await events.record("ws:cancelled")
            if query.get("how") != "stubborn":
                raise


HANDLERS = {
    "echo": echo, "scope": scope_, "refuse": refuse, "refuse-response": refuse_with_response,
    "raises": raises, "raises-later": raises_later, "returns": returns, "close": close,
    "undecided": undecided,
    "flood": flood, "stream": stream, "deaf": deaf, "hang": hang,
}  # fmt: skip
