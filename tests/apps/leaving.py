"""Clients that leave in the middle, in every way, of a server that is then found calm."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import websockets.sync.client

from support.raw import Raw

if TYPE_CHECKING:
    from support.server import Server


FORM = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhalf'


def leave(server: Server, path: str, *, method: str = "POST", form: bool = False, read: int = 0) -> None:
    """Begin a request, and go: by a FIN, then by a reset."""
    headers = ["Content-Type: multipart/form-data; boundary=b"] if form else []
    said = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhalf' if form else b"half"
    )
    for way in ("close", "reset"):
        client = Raw(server.first.place)
        if method == "POST":
            client.request(path, "Content-Length: 1000", *headers, method=method)
            client.send(said)
        else:
            client.request(path)
            client.read_exactly(read)
        getattr(client, way)()


def leave_websocket(server: Server, path: str) -> None:
    """Open a WebSocket, and go without a word, and with one."""
    for way in ("vanish", "close"):
        with websockets.sync.client.connect(f"ws://{server.first.address}{path}") as client:
            client.send("hello")
            assert client.recv() == "hello"
            if way == "vanish":
                client.socket.shutdown(socket.SHUT_RDWR)


def errors(server: Server) -> str:
    """Stop the server, and return what it has said, without what it always says."""
    assert server.stop() == 0
    server.err.wait_for("stopped")
    return server.err.text
