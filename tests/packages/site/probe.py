"""A small application for the units: says who serves it, waits, or blocks the loop."""

import asyncio
import os
import time
from pathlib import Path


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["path"] == "/block":
        time.sleep(600)  # noqa: ASYNC251 - this is what an application must not do
    if scope["path"] == "/write":
        Path("/srv/mysite/media/written").touch()  # noqa: ASYNC240 - a moment
    if scope["path"] == "/slow":
        await asyncio.sleep(1)
    name = scope["extensions"]["asgid"]["listener"]
    server = (scope["server"] or ("-", None))[0]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": f"{name} {server} {os.getpid()}".encode()})
