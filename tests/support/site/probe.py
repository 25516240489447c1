"""The application of the black-box tests: each path does one thing that a server has to get right."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from urllib.parse import parse_qsl

import events
from mistakes import MISTAKES
from probe_websocket import websocket

PIECE = b"p" * 65536
_never = threading.Event()


async def application(scope, receive, send) -> None:
    if scope["type"] == "lifespan":
        await lifespan(scope, receive, send)
    elif scope["type"] == "websocket":
        await websocket(scope, receive, send)
    else:
        await http(scope, receive, send)


async def lifespan(scope, receive, send) -> None:
    what = os.environ.get("PROBE_LIFESPAN", "")
    if what == "unsupported":
        raise ValueError("this application knows no lifespan")
    await receive()
    scope["state"]["started"] = "yes"
    if what == "fail-at-length":
        reason = "the database is not there\nit was at db.example:5432"
        await send({"type": "lifespan.startup.failed", "message": reason})
        return
    if what == "fail":
        await send({"type": "lifespan.startup.failed", "message": "the database is not there"})
        return
    print("the probe started up", file=sys.stderr, flush=True)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    if what == "hang":
        await asyncio.Event().wait()
    print("the lifespan shut down", file=sys.stderr, flush=True)
    await send({"type": "lifespan.shutdown.complete"})


async def http(scope, receive, send) -> None:
    _, name, *_ = [*scope["path"].split("/"), ""]
    query = dict(parse_qsl(scope["query_string"].decode()))
    handler = HANDLERS.get(name)
    if name == "mistake":
        await MISTAKES[query["kind"]](scope, receive, send)
    elif handler is None:
        await answer(send, 404, b"no such thing\n")
    else:
        await handler(scope, query, receive, send)


async def answer(send, status: int, body: bytes, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    length = ((b"content-length", b"%d" % len(body)),)
    await send({"type": "http.response.start", "status": status, "headers": [*length, *headers]})
    await send({"type": "http.response.body", "body": body})


async def body_of(receive) -> bytes:
    pieces = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise EOFError("the client went away in its body")
        pieces.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(pieces)


async def hello(scope, query, receive, send) -> None:
    await answer(send, 200, b"hello\n")


async def echo(scope, query, receive, send) -> None:
    body = await body_of(receive)
    await answer(send, 200, body)


async def scope_(scope, query, receive, send) -> None:
    shown = json.dumps(scope, default=lambda value: value.decode("latin-1"), sort_keys=True)
    await answer(send, 200, shown.encode())


async def unread(scope, query, receive, send) -> None:
    await answer(send, 200, b"not read\n")


async def status(scope, query, receive, send) -> None:
    await answer(send, int(query["code"]), query.get("body", "").encode())


async def bare(scope, query, receive, send) -> None:
    """A status without headers or a body, as 204 and 304 have it."""
    await send({"type": "http.response.start", "status": int(query["code"])})
    await send({"type": "http.response.body"})


async def pieces(scope, query, receive, send) -> None:
    """Pieces without a length that is known beforehand."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    for number in range(int(query.get("count", 3))):
        await send({"type": "http.response.body", "body": b"piece %d\n" % number, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def steps(scope, query, receive, send) -> None:
    """Sends its head and a piece at once, and the end when ``/set?event=go+on`` comes."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"first\n", "more_body": True})
    await events.record("steps:began")
    await events.wait("go on")
    await send({"type": "http.response.body", "body": b"last\n"})


async def large(scope, query, receive, send) -> None:
    size = int(query["size"])
    headers = [(b"content-length", b"%d" % size)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    while size > 0:
        piece = PIECE[:size]
        size -= len(piece)
        await send({"type": "http.response.body", "body": piece, "more_body": size > 0})


async def endless(scope, query, receive, send) -> None:
    """Sends until it may not; says how much was taken when ``/set?event=count`` comes, and what ended it."""
    sent = 0
    await send({"type": "http.response.start", "status": 200, "headers": []})
    try:
        while True:
            await send({"type": "http.response.body", "body": PIECE, "more_body": True})
            sent += len(PIECE)
            await events.record(f"endless:sent {sent}")
    except BaseException as error:
        kind = "OSError" if isinstance(error, OSError) else type(error).__name__
        await events.record(f"endless:ended {kind}")
        raise


async def late(scope, query, receive, send) -> None:
    """Reads the body only when ``/set?event=read+on`` comes."""
    await events.record("late:called")
    await events.wait("read on")
    body = await body_of(receive)
    await answer(send, 200, b"%d\n" % len(body))


async def upload(scope, query, receive, send) -> None:
    """Reads to the end, and says how that ended."""
    try:
        body = await body_of(receive)
    except EOFError:
        await events.record("upload:disconnect")
        return
    except asyncio.CancelledError:
        await events.record("upload:cancelled")
        raise
    await answer(send, 200, b"%d\n" % len(body))


async def stalled(scope, query, receive, send) -> None:
    """Takes one piece of the body and no more; says how its client left."""
    await receive()
    await events.record("stalled:called")
    try:
        await events.wait("never")
    finally:
        await events.record("stalled:ended")


async def departure(scope, query, receive, send) -> None:
    """Waits for the client to leave, and answers all the same."""
    await body_of(receive)
    await events.record("departure:called")
    message = await receive()
    await events.record(f"departure:{message['type']}")
    try:
        await answer(send, 200, b"late answer\n")
    except OSError:
        await events.record("departure:OSError")
        raise
    await events.record("departure:answered")


async def file(scope, query, receive, send) -> None:
    """A file of that size, by its path or by its descriptor; says how that ended."""
    with tempfile.NamedTemporaryFile() as made:
        made.write(os.urandom(4096) * (int(query["size"]) // 4096))
        made.flush()
        made.seek(0)
        digest = hashlib.sha256(made.read()).hexdigest().encode()
        made.seek(0)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-sha256", digest)]})
        try:
            if query.get("how") == "zerocopysend":
                await send({"type": "http.response.zerocopysend", "file": made})
            else:
                await send({"type": "http.response.pathsend", "path": made.name})
        except OSError:
            await events.record("file:OSError")
            raise


async def set_(scope, query, receive, send) -> None:
    await events.record(query["event"])
    await answer(send, 200, b"set\n")


async def wait(scope, query, receive, send) -> None:
    """Waits for an event that starts so and answers with all of it."""
    event = await events.wait(query["event"])
    await answer(send, 200, event.encode())


async def seen(scope, query, receive, send) -> None:
    await answer(send, 200, json.dumps(events.seen()).encode())


async def hang(scope, query, receive, send) -> None:
    """Never answers. ``how``: it can be cancelled, it cannot, or it sits in a thread."""
    how = query.get("how", "softly")
    await events.record(f"hang:{how}")
    if how == "thread":
        await asyncio.get_running_loop().run_in_executor(None, _never.wait)
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await events.record("hang:cancelled")
            if how != "stubborn":
                raise


async def children(scope, query, receive, send) -> None:
    """Runs children of its own, beside grandchildren that are left to process 1."""
    reading, writing = os.pipe()
    orphans = f"for i in $(seq {int(query['orphans'])}); do (true &) ; done"
    done = await asyncio.create_subprocess_exec("sh", "-c", f"({orphans}) & exit 7", pass_fds=[writing])
    os.close(writing)
    first = await done.wait()
    second = await asyncio.to_thread(subprocess.run, ["sh", "-c", "exit 8"], check=False)
    await asyncio.to_thread(os.read, reading, 1)  # until the last of them has closed it
    os.close(reading)
    await answer(send, 200, json.dumps({"statuses": [first, second.returncode]}).encode())


HANDLERS = {
    "hello": hello, "echo": echo, "scope": scope_, "unread": unread, "status": status, "bare": bare,
    "pieces": pieces, "steps": steps, "large": large, "endless": endless, "late": late, "upload": upload,
    "stalled": stalled, "children": children, "file": file, "departure": departure,
    "set": set_, "wait": wait, "seen": seen, "hang": hang,
}  # fmt: skip
