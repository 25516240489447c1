"""The application that the suite talks to: every message back as it came."""

from __future__ import annotations


async def application(scope, receive, send) -> None:
    """Echo until the client has gone."""
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        await send({**message, "type": "websocket.send"})
