"""Events of ASGI's HTTP extensions, and an application that sends what it is given."""

from __future__ import annotations

from typing import Any

from support.connections import Client, Server, settle

START = {"type": "http.response.start", "status": 200, "headers": []}
TRAILING = {**START, "trailers": True}
HEADS = {
    "1.1": b"GET / HTTP/1.1\r\nHost: site\r\n\r\n",
    "1.0": b"GET / HTTP/1.0\r\n\r\n",
    "1.0 kept": b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "HEAD": b"HEAD / HTTP/1.1\r\nHost: site\r\n\r\n",
}
GET = HEADS["1.1"]
TE = b"GET / HTTP/1.1\r\nHost: site\r\nTE: %b\r\n\r\n"


def start(*headers: tuple[bytes, bytes], status: int = 200, **more: Any) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": headers, **more}


def piece(body: bytes = b"", more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}


def trailers(*headers: Any, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.trailers", "headers": headers, "more_trailers": more}


def hint(*links: Any) -> dict[str, Any]:
    return {"type": "http.response.early_hint", "links": links}


def path(where: Any) -> dict[str, Any]:
    return {"type": "http.response.pathsend", "path": str(where)}


def zero(file: Any, **keys: Any) -> dict[str, Any]:
    return {"type": "http.response.zerocopysend", "file": file, **keys}


async def ask(*events: Any, request: bytes = GET, **options: Any) -> tuple[Server, Client]:
    server = Server(sends(*events), **options)
    client = server.connect()
    client.send(request)
    await settle(60)
    return server, client


def sends(*events: Any) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        for event in events:
            await send(event)

    return app
