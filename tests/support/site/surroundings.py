"""Says what it runs in: directory, path, environment, interpreter, context."""

from __future__ import annotations

import asyncio
import contextvars
import json
import logging
import os
import sys
from pathlib import Path

seen = contextvars.ContextVar("seen", default="nothing")
logging.getLogger("surroundings").info("imported, and said so")


async def application(scope, receive, send) -> None:
    if scope["type"] != "http":
        raise ValueError(scope["type"])
    before = seen.get()
    seen.set(scope["path"])
    logging.getLogger("surroundings").debug("a debug line")
    logging.getLogger("surroundings").warning("a warning about %s", scope["path"])
    async with asyncio.timeout(5):
        await asyncio.sleep(0)
        task = asyncio.current_task()
    body = json.dumps(
        {
            "cwd": str(Path.cwd()), "path": sys.path, "prefix": sys.prefix, "environment": dict(os.environ),
            "before": before, "task": task is not None,
            "library": getattr(sys.modules.get("library"), "WHOSE", None),
        }
    ).encode()  # fmt: skip
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": body})


def factory():
    return application


def not_a_factory(argument):
    return application
