"""nginx in front: as it speaks to upstreams by default (HTTP/1.0, each request by itself), and more."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import httpx
import pytest
import websockets.sync.client

from support.files import free_port

TCP = '[listeners.proxy]\naddress = "127.0.0.1"\nport = 0\n'
UNIX = '[listeners.proxy]\nunix = "proxy.sock"\n'
TRUST = '[proxy]\ntrusted = ["127.0.0.0/8", "unix"]\nforwarded = "x-forwarded"\n'


@pytest.fixture(params=["tcp", "unix"])
def front(request, serve, nginx, tmp_path):
    """nginx on a port, asgid behind it; the base URL, and asgid."""
    server = serve(TCP if request.param == "tcp" else UNIX, rest=TRUST)
    upstream = server.first.address if request.param == "tcp" else f"unix:{tmp_path / 'proxy.sock'}:"
    port = free_port()
    nginx(
        f"""
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
""",
        ("127.0.0.1", port),
    )
    return f"127.0.0.1:{port}", server


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


FORWARDED = """
server {{
  listen 127.0.0.1:{port};
  proxy_http_version 1.1;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  proxy_set_header X-Forwarded-Host $http_host;
  proxy_set_header X-Forwarded-Proto https;
  proxy_set_header X-Forwarded-Prefix $cut;
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection $hop;
  set $cut "";
  location /scope/ {{
    set $cut /scope;
    proxy_pass http://{upstream}/;
  }}
  location /ws/ {{ proxy_pass http://{upstream}; }}
}}
map $http_upgrade $hop {{ "" ""; default upgrade; }}
map $remote_addr $client {{
  ~: '"[$remote_addr]:$remote_port"';
  default '"$remote_addr:$remote_port"';
}}
map $http_forwarded $forwarded {{
  "" 'for=$client;proto=https;host="$http_host"';
  default '$http_forwarded, for=$client;proto=https;host="$http_host"';
}}
server {{
  listen 127.0.0.1:{other};
  proxy_set_header Forwarded $forwarded;
  location / {{ proxy_pass http://{upstream}; }}
}}
"""


@pytest.fixture(params=["tcp", "unix"])
def upstream(request, serve, tmp_path):
    """``upstream(rest)``: asgid on TCP or on a unix socket; its address as nginx has it, and asgid."""

    def server(rest: str):
        made = serve(TCP if request.param == "tcp" else UNIX, rest=rest)
        return made.first.address if request.param == "tcp" else f"unix:{tmp_path / 'proxy.sock'}", made

    return server


def test_host_prefix_and_scheme_are_those_the_client_asked_for(upstream, nginx):
    address, _ = upstream(TRUST)
    port = free_port()
    servers = FORWARDED.format(port=port, other=free_port(), upstream=colon(address))
    nginx(servers, ("127.0.0.1", port))
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        scope = client.get(
            "/scope/page", headers={"X-Forwarded-For": "6.6.6.6, nobody", "X-Forwarded-Prefix": "/evil"}
        ).json()
    assert (scope["client"], scope["scheme"]) == (["127.0.0.1", 0], "https")
    assert (scope["root_path"], scope["path"]) == ("/scope", "/scope/page")
    headers = dict(scope["headers"])
    assert (headers["host"], headers["x-forwarded-for"]) == (f"127.0.0.1:{port}", "127.0.0.1")
    with websockets.sync.client.connect(f"ws://127.0.0.1:{port}/ws/scope", proxy=None) as socket:
        scope = json.loads(socket.recv())
    assert (scope["scheme"], dict(scope["headers"])["host"]) == ("wss", f"127.0.0.1:{port}")


def test_a_forwarded_header_that_nginx_adds_to_cannot_be_spoiled(upstream, nginx):
    address, _ = upstream(TRUST.replace("x-forwarded", "rfc7239"))
    port = free_port()
    nginx(FORWARDED.format(port=free_port(), other=port, upstream=colon(address)), ("127.0.0.1", port))
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        for spoofed in (
            "for=6.6.6.6",
            'for="6.6.6.6',
            'for=6.6.6.6;x="\\',
            "for=6.6.6.6;host=evil, nonsense",
        ):
            scope = client.get("/scope", headers={"Forwarded": spoofed}).json()
            headers = dict(scope["headers"])
            assert (scope["scheme"], headers["host"]) == ("https", f"127.0.0.1:{port}")
            # nginx is trusted, and so is its client: what is readable before that is that client's word.
            assert scope["client"][0] == ("6.6.6.6" if spoofed == "for=6.6.6.6" else "127.0.0.1")


def test_its_stream_module_names_the_client_by_the_proxy_protocol(upstream, nginx):
    address, server = upstream('[proxy]\nprotocol = "v1"\ntrusted = ["127.0.0.1", "unix"]\n')
    port = free_port()
    stream = f"server {{ listen 127.0.0.1:{port}; proxy_pass {address}; proxy_protocol on; }}"
    nginx("", ("127.0.0.1", port), stream)
    transport = httpx.HTTPTransport(local_address="127.0.0.7")
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=transport, trust_env=False) as client:
        for _ in range(2):
            scope = client.get("/scope").json()
            assert (scope["client"][0], scope["server"]) == ("127.0.0.7", ["127.0.0.1", port])
        assert len(client.get("/large?size=1000000").content) == 1_000_000
    with websockets.sync.client.connect(f"ws://127.0.0.1:{port}/ws/echo", proxy=None) as socket:
        socket.send("hello")
        assert socket.recv() == "hello"
    assert server.stop() == 0
    assert "refused" not in server.err.text


def test_what_the_readme_has_for_nginx_is_right(serve, nginx, tmp_path):
    text = (Path(__file__).parents[2] / "README.md").read_text()
    block = re.findall(r"```nginx\n(.*?)```", text, re.DOTALL)[0]
    port = free_port()
    serve(UNIX, rest=TRUST)
    here = block.replace("listen 80", f"listen 127.0.0.1:{port}").replace(
        "/run/mysite/http.sock", str(tmp_path / "proxy.sock")
    )
    assert here.count(str(tmp_path)) == 1
    nginx(here, ("127.0.0.1", port))
    spoofed = {
        "X-Forwarded-For": "nobody", "X-Forwarded-Host": "evil", "X-Forwarded-Proto": "https",
        "X-Forwarded-Port": "1", "X-Forwarded-Prefix": "/evil", "Forwarded": "for=6.6.6.6",
        "Daphne-Root-Path": "/evil",
    }  # fmt: skip
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=spoofed, trust_env=False) as client:
        scope = client.get("/scope").json()
    headers = {name: value for name, value in scope["headers"] if "forwarded" in name or name == "host"}
    assert (scope["client"], scope["scheme"], scope["path"]) == (["127.0.0.1", 0], "http", "/scope")
    assert scope["root_path"] == ""
    assert headers == {
        "host": f"127.0.0.1:{port}", "x-forwarded-host": f"127.0.0.1:{port}", "x-forwarded-for": "127.0.0.1",
        "x-forwarded-proto": "http",
    }  # fmt: skip
    with websockets.sync.client.connect(f"ws://127.0.0.1:{port}/ws/echo", proxy=None) as socket:
        socket.send("hello")
        assert socket.recv() == "hello"


def colon(address: str) -> str:
    """An upstream's address in ``proxy_pass http://``, where a path ends with a colon."""
    return f"{address}:" if address.startswith("unix:") else address


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
