"""The applications that are measured: each does as little as it can, so that the server is what is seen."""

from __future__ import annotations

HELLO = b"Hello, world!\n"
HELLO_HEADERS = [(b"content-type", b"text/plain"), (b"content-length", b"14")]
PIECE = b"0123456789abcdef" * 4096  # 64 KiB
PIECES = 16


async def hello(scope, receive, send) -> None:
    """A short answer to everything."""
    if scope["type"] != "http":
        await lifespan(scope, receive, send)
        return
    await send({"type": "http.response.start", "status": 200, "headers": HELLO_HEADERS})
    await send({"type": "http.response.body", "body": HELLO})


async def echo(scope, receive, send) -> None:
    """The request's body, once all of it has come."""
    if scope["type"] != "http":
        await lifespan(scope, receive, send)
        return
    body = b""
    pieces = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return
        body = message.get("body", b"")
        if not message.get("more_body", False):
            break
        pieces.append(body)
    if pieces:
        pieces.append(body)
        body = b"".join(pieces)
    headers = [(b"content-type", b"application/octet-stream"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def upload(scope, receive, send) -> None:
    """A short answer once the whole body has come, an error where it is not as long as was said."""
    if scope["type"] != "http":
        await lifespan(scope, receive, send)
        return
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return
        size += len(message.get("body", b""))
        if not message.get("more_body", False):
            break
    announced = int(dict(scope["headers"]).get(b"content-length", b"0"))
    status = 200 if size == announced else 500
    await send({"type": "http.response.start", "status": status, "headers": HELLO_HEADERS})
    await send({"type": "http.response.body", "body": HELLO})


async def mebibyte(scope, receive, send) -> None:
    """1 MiB in pieces of 64 KiB, its length announced."""
    if scope["type"] != "http":
        await lifespan(scope, receive, send)
        return
    headers = [(b"content-type", b"application/octet-stream"), (b"content-length", b"1048576")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for left in range(PIECES - 1, -1, -1):
        await send({"type": "http.response.body", "body": PIECE, "more_body": left > 0})


async def fresh(scope, receive, send) -> None:
    """1 MiB as ``mebibyte`` sends it, every piece an object of its own, as those of a file are."""
    if scope["type"] != "http":
        await lifespan(scope, receive, send)
        return
    headers = [(b"content-type", b"application/octet-stream"), (b"content-length", b"1048576")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for left in range(PIECES - 1, -1, -1):
        piece = b"%08d" % left + PIECE[8:]
        await send({"type": "http.response.body", "body": piece, "more_body": left > 0})


async def websocket(scope, receive, send) -> None:
    """Every message back as it came; HTTP gets the short answer, so that one can see that it serves."""
    if scope["type"] != "websocket":
        await hello(scope, receive, send)
        return
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text")
        if text is not None:
            await send({"type": "websocket.send", "text": text})
        else:
            await send({"type": "websocket.send", "bytes": message["bytes"]})


async def lifespan(scope, receive, send) -> None:
    """Start and stop without doing anything."""
    while scope["type"] == "lifespan":
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return
