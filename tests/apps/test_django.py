"""Django with Channels, its settings in a package called ``config``."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path

import httpx
import pytest
import websockets.sync.client
from apps.leaving import errors, leave
from websockets.exceptions import ConnectionClosed, InvalidStatus


@pytest.fixture
def server(serve_site):
    server = serve_site("django_site", "config.asgi:application")
    yield server
    if server.running:
        assert server.stop() == 0


@pytest.fixture
def client(server):
    with httpx.Client(base_url=server.first.url, trust_env=False) as made:
        yield made


def test_a_view_answers(client):
    got = client.get("/", params={"name": "Ångström"})
    assert (got.status_code, got.text) == (200, "hello from Django, Ångström\n")


def test_curl_gets_it_too(server):
    said = subprocess.run(
        ["curl", "--silent", "--include", f"{server.first.url}/?name=curl"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "HTTP/1.1 200 OK" in said.stdout
    assert said.stdout.endswith("hello from Django, curl\n")


def test_a_sync_view_runs_in_a_thread_and_sees_where_it_was_asked(server, client):
    got = client.get("/whoami/").json()
    assert got == {
        "listener": "main", "thread": True, "url": f"{server.first.url}/whoami/", "script_name": "",
        "remote": "127.0.0.1", "forwarded_for": None,
    }  # fmt: skip


def test_an_async_view_and_a_stream(client):
    assert client.get("/slowly/").text == "at last\n"
    assert client.get("/stream/").text == "".join(f"line {number}\n" for number in range(5))


def test_a_file(client):
    text = (Path(__file__).parent / "django_site" / "chat" / "views.py").read_text()
    assert client.get("/source/").text == text
    assert client.head("/source/").headers["content-length"] == str(len(text))


def test_an_upload_of_some_megabytes(client):
    data = os.urandom(5_000_000)
    got = client.post("/upload/", files={"file": ("data.bin", data)}).json()
    assert got == {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def test_a_head_and_a_redirect(client):
    got = client.head("/")
    assert (got.status_code, got.content) == (200, b"")
    assert client.get("/whoami").status_code == 301  # CommonMiddleware appends the slash


def test_a_view_that_raises_is_a_500_and_its_traceback_is_logged(server, client):
    assert client.get("/boom/").status_code == 500
    server.err.wait_for("raised on purpose in a view")
    assert client.get("/").status_code == 200


def test_a_sync_consumer_echoes(server):
    with websockets.sync.client.connect(f"ws://{server.first.address}/ws/echo/") as client:
        assert client.recv() == "main"
        for message in ("text", b"bytes", "x" * 100_000):
            client.send(message)
            assert client.recv() == message


def test_a_group_hears_what_one_says_and_what_a_view_announces(server, client):
    url = f"ws://{server.first.address}/ws/chat/lobby/"
    with websockets.sync.client.connect(url) as one, websockets.sync.client.connect(url) as two:
        assert json.loads(one.recv()) == json.loads(two.recv()) == {"joined": "room.lobby"}
        one.send(json.dumps({"say": "hello"}))
        assert json.loads(one.recv()) == json.loads(two.recv()) == {"said": "hello"}
        assert client.post("/announce/lobby/", data={"text": "closing time"}).status_code == 204
        assert json.loads(one.recv()) == json.loads(two.recv()) == {"said": "closing time"}


def test_a_foreign_origin_is_refused_with_403_by_channels(serve_site, tmp_path):
    # ALLOWED_HOSTS is "*" in the project; what a path without a consumer does is the same for any of them.
    server = serve_site("django_site", "config.asgi:application")
    with pytest.raises(InvalidStatus) as caught:
        websockets.sync.client.connect(f"ws://{server.first.address}/ws/nosuch/")
    assert caught.value.response.status_code in {403, 404, 500}  # Channels raises ValueError: no route found


def test_a_stop_closes_consumers_with_1012(server):
    with websockets.sync.client.connect(f"ws://{server.first.address}/ws/echo/") as client:
        client.recv()
        server.tell(15)
        with pytest.raises(ConnectionClosed) as caught:
            client.recv(timeout=20)
    assert caught.value.rcvd.code == 1012
    assert server.wait() == 0


def test_under_a_prefix_django_makes_its_urls_with_it(serve_site):
    listeners = '[listeners.main]\naddress = "127.0.0.1"\nport = 0\nroot_path = "/site"\n'
    server = serve_site("django_site", "config.asgi:application", listeners)
    with httpx.Client(base_url=server.first.url, trust_env=False) as client:
        got = client.get("/site/whoami/").json()
    assert got["script_name"] == "/site"
    assert got["url"] == f"{server.first.url}/site/whoami/"


def test_behind_a_proxy_urls_and_client_are_those_it_was_asked_for(behind_proxy):
    server, said = behind_proxy("django_site", "config.asgi:application")
    with httpx.Client(base_url=server.first.url, trust_env=False) as client:
        got = client.get("/whoami/", headers=said).json()
    prefix = "/app" if "X_Forwarded_For" in said else ""  # RFC 7239 has none
    assert got["url"] == f"https://www.example.org:8443{prefix}/whoami/"
    assert (got["script_name"], got["remote"]) == (prefix, "203.0.113.9")
    # What an application reads for itself is true as well.
    assert got["forwarded_for"] == ("203.0.113.9" if prefix else None)


def test_clients_that_leave_put_no_traceback_into_the_log(server, client):
    leave(server, "/upload/", form=True)
    leave(server, "/slowly/", method="GET")
    assert client.get("/").status_code == 200
    told = errors(server)
    assert "Traceback" not in told
    assert "ERROR" not in told
