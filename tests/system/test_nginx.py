"""nginx in front, as it speaks to upstreams by default: HTTP/1.0, a new connection for each request."""

from __future__ import annotations

import os
import time

import httpx
import pytest
import websockets.sync.client

from support.files import free_port
from support.raw import Raw
from support.server import PATIENCE_S

TCP = '[listeners.proxy]\naddress = "127.0.0.1"\nport = 0\n'
UNIX = '[listeners.proxy]\nunix = "proxy.sock"\n'
TRUST = '[proxy]\ntrusted = ["127.0.0.0/8", "unix"]\nforwarded = "x-forwarded"\n'


@pytest.fixture(params=["tcp", "unix"])
def front(request, serve, nginx, tmp_path):
    """nginx on a port, asgid behind it; the base URL, and asgid."""
    server = serve(TCP if request.param == "tcp" else UNIX, rest=TRUST)
    upstream = server.first.address if request.param == "tcp" else f"unix:{tmp_path / 'proxy.sock'}:"
    port = free_port()
    nginx(f"""
server {{
  listen 127.0.0.1:{port};
  proxy_set_header Host $http_host;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  proxy_set_header X-Forwarded-Proto $scheme;
  location / {{ proxy_pass http://{upstream}; }}
  location /ws/ {{
    proxy_pass http://{upstream};
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection upgrade;
  }}
}}
""")
    connect(("127.0.0.1", port))
    return f"127.0.0.1:{port}", server


def connect(place) -> None:
    """Wait until nginx accepts; it does not say when."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            Raw(place).close()
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
        else:
            return


def test_requests_of_every_kind_pass(front):
    authority, _ = front
    with httpx.Client(base_url=f"http://{authority}", trust_env=False) as client:
        assert client.get("/hello").text == "hello\n"
        assert client.get("/pieces").text == "piece 0\npiece 1\npiece 2\n"
        assert len(client.get("/large?size=5000000").content) == 5_000_000
        assert client.head("/hello").content == b""
        assert client.get("/bare?code=204").status_code == 204
        body = os.urandom(3_000_000)
        assert client.post("/echo", content=body).content == body
        assert client.get("/mistake?kind=raises").status_code == 500


def test_the_scope_is_the_clients(front):
    authority, _ = front
    with httpx.Client(base_url=f"http://{authority}", trust_env=False) as client:
        scope = client.get("/scope", headers={"X-Forwarded-For": "198.51.100.1"}).json()
    assert scope["http_version"] == "1.0"
    # nginx adds 127.0.0.1, which is trusted: the right-most entry that nobody trusted wrote is before it.
    assert scope["client"][0] == "198.51.100.1"
    assert dict(scope["headers"])["host"] == authority


def test_websockets_pass(front):
    authority, _ = front
    with websockets.sync.client.connect(f"ws://{authority}/ws/echo") as client:
        for message in ("hello", b"bytes", "x" * 200_000):
            client.send(message)
            assert client.recv() == message


def test_nothing_was_wrong_afterwards(front):
    authority, server = front
    with httpx.Client(base_url=f"http://{authority}", trust_env=False) as client:
        for _ in range(50):
            assert client.get("/hello").status_code == 200
    assert server.stop() == 0
    assert "ERROR" not in server.err.text
