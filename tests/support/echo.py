"""Requests as bytes, and an application that answers with what it got."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from support.connections import settle

if TYPE_CHECKING:
    from support.connections import Client, Server

GET = b"GET / HTTP/1.1\r\nHost: site\r\n\r\n"


def post(body: bytes, *lines: bytes, version: bytes = b"1.1") -> bytes:
    head = (b"POST / HTTP/" + version, b"Host: site", b"Content-Length: %d" % len(body), *lines, b"", b"")
    return b"\r\n".join(head) + body


def chunked(*pieces: bytes, lines: tuple[bytes, ...] = ()) -> bytes:
    head = (b"POST / HTTP/1.1", b"Host: site", b"Transfer-Encoding: chunked", *lines, b"", b"")
    return (
        b"\r\n".join(head)
        + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        + b"0\r\n\r\n"
    )


async def respond(send: Any, body: bytes = b"", status: int = 200, headers: Any = ()) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def read_all(receive: Any) -> bytes:
    body = b""
    while True:
        event = await receive()
        assert event["type"] == "http.request"
        body += event["body"]
        if not event["more_body"]:
            return body


class Echo:
    """An application that answers with what it got, and notes it; ``slow`` ones answer in a later turn."""

    def __init__(self, *, slow: bool = False) -> None:
        self.slow = slow
        self.seen: list[tuple[str, bytes, bytes]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = await read_all(receive)
        if self.slow:
            await asyncio.sleep(0)
        self.seen.append((scope["method"], scope["raw_path"], body))
        await respond(send, scope["raw_path"] + b" " + body)


async def exchange(server: Server, *pieces: bytes, client: Client | None = None) -> Client:
    client = client or server.connect()
    for piece in pieces:
        client.send(piece)
        await settle(1)
    await settle()
    return client
