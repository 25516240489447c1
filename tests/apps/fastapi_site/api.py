"""A FastAPI application: models, dependencies, background tasks, streaming, a WebSocket, an upload."""

from __future__ import annotations

import threading
from typing import Annotated

from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request, UploadFile, WebSocket
from fastapi.responses import FileResponse, StreamingResponse
from pydantic import BaseModel

application = FastAPI()
written = threading.Event()


class Item(BaseModel):
    name: str
    price: float


def paging(offset: int = 0, limit: int = 10) -> dict[str, int]:
    return {"offset": offset, "limit": limit}


@application.get("/items/{number}")
def item(number: int, page: Annotated[dict[str, int], Depends(paging)]):
    if number > 100:
        raise HTTPException(404, "there is no such item")
    return {"number": number, "page": page, "main": threading.current_thread() is threading.main_thread()}


@application.post("/items")
async def create(item: Item, background: BackgroundTasks):
    background.add_task(written.set)
    return {"created": item}


@application.get("/written")
def was_written():
    return {"written": written.wait(10)}


@application.post("/upload")
async def upload(file: UploadFile):
    return {"name": file.filename, "size": len(await file.read())}


@application.get("/lines")
def lines():
    return StreamingResponse((f"line {number}\n" for number in range(100)), media_type="text/plain")


@application.get("/source")
def source():
    return FileResponse(__file__)


@application.websocket("/double")
async def double(websocket: WebSocket):
    await websocket.accept()
    async for message in websocket.iter_json():
        await websocket.send_json({"doubled": message["number"] * 2})


@application.websocket("/plain")
async def plain(websocket: WebSocket):
    """As the documentation begins: nobody expects that the client goes."""
    await websocket.accept()
    while True:
        await websocket.send_text(await websocket.receive_text())


@application.post("/body")
async def body(request: Request):
    return {"size": len(await request.body())}


@application.post("/mistaken")
async def mistaken(request: Request):
    try:
        return {"size": len(await request.body())}
    finally:
        None.close()  # a mistake of its own, whatever the client does


@application.get("/endless")
async def endless():
    async def pieces():
        while True:
            yield b"x" * 65536

    return StreamingResponse(pieces())
