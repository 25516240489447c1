"""FastAPI, driven by httpx and websockets."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
import websockets.sync.client
from apps.leaving import errors, leave, leave_websocket


@pytest.fixture
def server(serve_site):
    return serve_site("fastapi_site", "api:application")


@pytest.fixture
def client(server):
    with httpx.Client(base_url=server.first.url, trust_env=False, timeout=20) as made:
        yield made


def test_a_sync_route_with_a_dependency_runs_in_a_thread(client):
    got = client.get("/items/7", params={"offset": 20}).json()
    assert got == {"number": 7, "page": {"offset": 20, "limit": 10}, "main": False}


def test_errors_are_json(client):
    assert client.get("/items/700").json() == {"detail": "there is no such item"}
    assert client.get("/items/seven").status_code == 422
    assert client.post("/items", json={"name": "x"}).status_code == 422


def test_a_model_and_a_background_task(client):
    got = client.post("/items", json={"name": "tea", "price": 1.5})
    assert got.json() == {"created": {"name": "tea", "price": 1.5}}
    assert client.get("/written").json() == {"written": True}


def test_a_file(client):
    text = (Path(__file__).parent / "fastapi_site" / "api.py").read_text()
    assert client.get("/source").text == text
    part = client.get("/source", headers={"range": "bytes=3-11"})
    assert (part.status_code, part.text) == (206, text[3:12])


def test_an_upload(client):
    got = client.post("/upload", files={"file": ("a.bin", b"x" * 2_000_000)})
    assert got.json() == {"name": "a.bin", "size": 2_000_000}


def test_a_stream_from_a_sync_generator(client):
    assert client.get("/lines").text.count("\n") == 100


def test_its_documentation_is_served(client):
    assert client.get("/openapi.json").json()["info"]["title"] == "FastAPI"
    assert "swagger" in client.get("/docs").text.lower()


def test_a_websocket(server):
    with websockets.sync.client.connect(f"ws://{server.first.address}/double") as socket:
        for number in range(100):
            socket.send(json.dumps({"number": number}))
        assert [json.loads(socket.recv())["doubled"] for _ in range(100)] == [2 * n for n in range(100)]


def test_many_requests_over_one_connection(client):
    for number in range(100):
        assert client.get(f"/items/{number}").json()["number"] == number


def test_clients_that_leave_put_no_traceback_into_the_log(server, client):
    leave(server, "/body")
    leave(server, "/upload", form=True)
    leave(server, "/endless", method="GET", read=500_000)
    leave_websocket(server, "/plain")
    assert client.get("/items/7").status_code == 200
    told = errors(server)
    assert "Traceback" not in told
    assert "ERROR" not in told


def test_a_mistake_of_the_applications_has_its_traceback_when_the_client_left_too(server):
    leave(server, "/mistaken")
    told = server.err.wait_for("AttributeError: 'NoneType'")
    assert told
