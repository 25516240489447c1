"""The application that the suite talks to: every message back as it came."""

from __future__ import annotations

import asyncio
from itertools import count

connections = count()


async def application(scope, receive, send) -> None:
    """Echo until the client has gone; on every other connection when others have had a turn."""
    if scope["type"] != "websocket":
        return
    is_slow = next(connections) % 2
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        if is_slow:
            await asyncio.sleep(0)
        await send({**message, "type": "websocket.send"})
