"""The application of the conformance cases: it keeps what it was given, whole, and says so when asked."""

from __future__ import annotations

import json

SEEN = "/.seen"  # no case asks for it
_seen: list[dict] = []


async def application(scope, receive, send) -> None:
    if scope["type"] != "http":
        raise ValueError("only HTTP is spoken here")
    if scope["path"] == SEEN:
        taken, _seen[:] = list(_seen), []
        await answer(send, json.dumps(taken))
        return
    query = scope["query_string"].decode("latin-1")
    entry = {
        "connection": scope["client"][1],  # the port of who connected
        "method": scope["method"],
        "target": scope["raw_path"].decode("latin-1") + (f"?{query}" if query else ""),
        "version": scope["http_version"],
        "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]],
        "body": None,  # until it is whole
    }
    _seen.append(entry)
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            await answer(send, "the client left in its body", 400)
            return
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    entry["body"] = body.decode("latin-1")
    await answer(send, json.dumps(entry))


async def answer(send, text: str, status: int = 200) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(text))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
