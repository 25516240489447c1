"""An ASGI 2 application: a class that is called with the scope, and its instances with receive and send."""

from __future__ import annotations

from types import SimpleNamespace


class application:  # noqa: N801 - it is used as one
    def __init__(self, scope) -> None:
        self.scope = scope

    async def __call__(self, receive, send) -> None:
        if self.scope["type"] != "http":
            raise ValueError(self.scope["type"])
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"double callable\n"})


holder = SimpleNamespace(inner=application)
