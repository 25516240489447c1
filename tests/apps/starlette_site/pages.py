"""A Starlette application: streaming, WebSocket, background tasks, static files, lifespan state."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocketDisconnect

HERE = Path(__file__).parent
BIG = Path(tempfile.mkdtemp()) / "big.bin"  # of 3,000,000 bytes, none like its neighbours
BIG.write_bytes(b"".join(number.to_bytes(3, "big") for number in range(1_000_000)))
happened: dict[str, asyncio.Event] = {}


def event(name: str) -> asyncio.Event:
    return happened.setdefault(name, asyncio.Event())


@asynccontextmanager
async def lifespan(app):
    yield {"database": "connected"}


async def index(request):
    return JSONResponse({"database": request.state.database, "client": request.client.host})


async def where(request):
    told = {
        "here": str(request.url),
        "there": str(request.url_for("wait", name="x")),
        "mounted": str(request.url_for("static", path="style.css")),
        "client": request.client.host,
    }
    return JSONResponse(told)


async def wait(request):
    await event(request.path_params["name"]).wait()
    return PlainTextResponse("it happened")


async def background(request):
    async def later():
        event("background").set()

    return PlainTextResponse("answered first", background=BackgroundTask(later))


async def stream(request):
    async def numbers():
        for number in range(1000):
            yield f"{number}\n"

    return StreamingResponse(numbers(), media_type="text/plain")


class Watched(StreamingResponse):
    """Says how it ended. (An async generator's own ``finally`` runs when it is collected: any time.)"""

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        except ClientDisconnect:
            event("stream-disconnected").set()
            raise
        finally:
            event("stream-ended").set()


async def endless(request):
    async def pieces():
        while True:
            yield b"x" * 65536

    return Watched(pieces())


async def events(request):
    """Server-sent events that stop when the client has gone, though nothing is being sent then."""

    async def quiet():
        yield "data: first\n\n"
        await asyncio.Event().wait()

    return Watched(quiet(), media_type="text/event-stream")


async def upload(request):
    try:
        body = await request.body()
    except ClientDisconnect:
        event("client-disconnect").set()
        raise
    return PlainTextResponse(str(len(body)))


async def form(request):
    async with request.form() as fields:
        return PlainTextResponse(f"{fields['name']} {len(await fields['file'].read())}")


async def watch(request):
    """Asks again and again whether the client is still there."""
    event("watching").set()
    while not await request.is_disconnected():  # noqa: ASYNC110 - as many an application does
        await asyncio.sleep(0.01)
    event("seen-disconnected").set()
    return PlainTextResponse("nobody reads this")


async def file(request):
    return FileResponse(HERE / "pages.py")


async def large(request):
    return FileResponse(BIG, filename="big.bin")


async def gone(request):
    """A file that is there when it is looked at, and not when it is opened."""
    path = BIG.with_name("gone.bin")
    path.write_bytes(b"gone")
    response = FileResponse(path, stat_result=path.stat())
    path.unlink()
    return response


async def hints(request):
    await request.send_early_hints("</static/style.css>; rel=preload; as=style")
    return PlainTextResponse("hinted")


async def chat(websocket):
    await websocket.accept(subprotocol=(websocket.scope["subprotocols"] or [None])[0])
    try:
        while True:
            await websocket.send_json({"got": await websocket.receive_text()})
    except WebSocketDisconnect as gone:
        event(f"websocket-{gone.code}").set()


class Tagged(BaseHTTPMiddleware):
    """A middleware of the kind that runs the application in a task of its own."""

    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.headers["x-tagged"] = "yes"
        return response


application = Starlette(
    lifespan=lifespan,
    routes=[
        Route("/", index),
        Route("/where", where),
        Route("/wait/{name}", wait),
        Route("/background", background),
        Route("/stream", stream),
        Route("/endless", endless),
        Route("/events", events),
        Route("/upload", upload, methods=["POST"]),
        Route("/form", form, methods=["POST"]),
        Route("/watch", watch),
        Route("/file", file),
        Route("/large", large),
        Route("/gone", gone),
        Route("/hints", hints),
        WebSocketRoute("/chat", chat),
        Mount("/static", StaticFiles(directory=HERE / "static"), name="static"),
        Mount(
            "/layered",
            Starlette(
                routes=[
                    Route("/", stream),
                    Route("/endless", endless),
                    Route("/large", large),
                    Route("/upload", upload, methods=["POST"]),
                ],
                middleware=[Middleware(Tagged), Middleware(GZipMiddleware)],
            ),
        ),
    ],
)
