"""One file, nine listeners of all six kinds: Django with Channels on every one, HTTP and WebSocket."""

from __future__ import annotations

import httpx
import pytest
import websockets.sync.client

from support.files import free_port
from support.inherit import inheriting, listening

NINE = """
[listeners.loopback4]
address = "127.0.0.1"
port = 0
[listeners.loopback6]
address = "::1"
port = 0
[listeners.several]
address = ["127.0.0.2", "::1"]
port = {several}
[listeners.everywhere]
address = "*"
port = {everywhere}
[listeners.inner]
interface = "lo"
family = "dual"
port = {inner}
[listeners.local]
unix = "nine.sock"
mode = "0600"
[listeners.activated]
systemd = "http"
[listeners.inherited]
fd = 4
[listeners.raw]
endpoint = 'tcp:0:interface=\\:\\:1'
"""
NAMES = (
    "loopback4", "loopback6", "several", "everywhere", "inner", "local", "activated", "inherited", "raw",
)  # fmt: skip


@pytest.fixture
def server(serve_site):
    with listening() as activated, listening("::1") as inherited:
        ports = {name: free_port() for name in ("several", "everywhere", "inner")}
        yield serve_site(
            "django_site",
            "config.asgi:application",
            NINE.format(**ports),
            **inheriting([activated, inherited], ["http", "given"]),
        )


def reach(line) -> tuple[str, str | None]:
    """The authority to ask for, and the unix socket to ask through."""
    if isinstance(line.place, str):
        return "localhost", line.place
    host, port = line.place
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return (f"[{host}]:{port}" if ":" in host else f"{host}:{port}"), None


def test_every_listener_serves_http_and_websocket(server):
    assert {line.name for line in server.listeners} == set(NAMES)
    assert len(server.listeners) >= 12
    for line in server.listeners:
        authority, unix = reach(line)
        transport = httpx.HTTPTransport(uds=unix)
        with httpx.Client(transport=transport, trust_env=False) as client:
            assert client.get(f"http://{authority}/whoami/").json()["listener"] == line.name
        uri = f"ws://{authority}/ws/echo/"
        connect = websockets.sync.client.connect
        opened = websockets.sync.client.unix_connect(unix, uri=uri) if unix else connect(uri)
        with opened as socket:
            assert socket.recv() == line.name
            socket.send("hello")
            assert socket.recv() == "hello"
    assert server.stop() == 0
