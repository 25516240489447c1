"""Starlette: what it promises its users rests on what the server promises it."""

from __future__ import annotations

import gzip
import json

import httpx
import pytest
import websockets.sync.client
from apps.leaving import errors, leave

from support.raw import Raw


@pytest.fixture
def server(serve_site):
    return serve_site("starlette_site", "pages:application")


@pytest.fixture
def client(server):
    with httpx.Client(base_url=server.first.url, trust_env=False, timeout=20) as made:
        yield made


def happened(client, name: str) -> bool:
    return client.get(f"/wait/{name}").text == "it happened"


def test_lifespan_state_reaches_requests(client):
    assert client.get("/").json() == {"database": "connected", "client": "127.0.0.1"}


def test_a_background_task_runs_after_the_answer(client):
    assert client.get("/background").text == "answered first"
    assert happened(client, "background")


def test_a_stream_arrives_whole(client):
    assert client.get("/stream").text == "".join(f"{number}\n" for number in range(1000))


def test_a_stream_through_middleware_arrives_whole(client):
    got = client.get("/layered/", headers={"accept-encoding": "gzip"})
    assert got.headers["x-tagged"] == "yes"
    assert got.headers["content-encoding"] == "gzip"
    assert got.text == "".join(f"{number}\n" for number in range(1000))
    assert gzip.decompress(gzip.compress(got.content)) == got.content


def test_static_files_with_ranges_and_conditions(client):
    got = client.get("/static/style.css")
    assert (got.status_code, got.text) == (200, "body { color: black }\n")
    again = client.get("/static/style.css", headers={"if-none-match": got.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    part = client.get("/static/style.css", headers={"range": "bytes=0-3"})
    assert (part.status_code, part.text) == (206, "body")
    assert client.head("/static/style.css").content == b""
    assert client.get("/static/nosuch.css").status_code == 404


def test_a_file_response(client):
    assert client.get("/file").text.startswith('"""A Starlette application')


WHOLE = b"".join(number.to_bytes(3, "big") for number in range(1_000_000))


def test_a_large_file_is_sent_by_its_path(server, client):
    """Starlette's FileResponse uses pathsend: what it reads itself would come in pieces of 64 KiB."""
    got = client.get("/large")
    assert (got.status_code, got.content == WHOLE) == (200, True)
    assert got.headers["content-length"] == "3000000"
    head = client.head("/large")
    assert (head.content, head.headers["content-length"]) == (b"", "3000000")
    with Raw(server.first.place, receive_buffer=4096) as old:
        old.send(b"GET /large HTTP/1.0\r\n\r\n")
        assert old.response().body == WHOLE


def test_a_large_file_through_middleware(client):
    got = client.get("/layered/large", headers={"accept-encoding": "gzip"})
    assert got.headers["x-tagged"] == "yes"
    assert got.content == WHOLE


def test_ranges_of_a_large_file(client):
    def ask(ranges: str, **headers: str):
        return client.get("/large", headers={"range": f"bytes={ranges}", **headers})

    got = ask("1000000-1999999")
    assert (got.status_code, got.headers["content-range"]) == (206, "bytes 1000000-1999999/3000000")
    assert got.content == WHOLE[1_000_000:2_000_000]
    assert ask("-5").content == WHOLE[-5:]
    assert ask("2999990-").content == WHOLE[-10:]
    several = ask("0-9,2000000-2999999")
    assert several.status_code == 206
    assert WHOLE[2_000_000:] in several.content
    assert ask("4000000-").status_code == 416
    whole = ask("0-9", **{"if-range": '"another"'})
    assert (whole.status_code, whole.content == WHOLE) == (200, True)


def test_a_file_that_is_gone_is_a_500_that_names_it(server, client):
    assert client.get("/gone").status_code == 500
    server.err.wait_for(r"listener main.*gone\.bin cannot be opened: No such file")
    assert client.get("/").status_code == 200


def test_early_hints_come_before_the_answer(server):
    with Raw(server.first.place) as client:
        client.request("/hints")
        hint = client.response()
        assert (hint.status, hint.one("link")) == (103, "</static/style.css>; rel=preload; as=style")
        assert client.response().body == b"hinted"
        assert client.get("/hints", version="1.0").status == 200


def test_a_form_with_a_file(client):
    got = client.post("/form", data={"name": "it"}, files={"file": b"x" * 300_000})
    assert got.text == "it 300000"


def test_a_stream_is_client_disconnect_when_its_client_resets(server, client):
    reader = Raw(server.first.place)
    reader.request("/endless")
    reader.read_exactly(1_000_000)
    reader.reset()
    assert happened(client, "stream-disconnected")


def test_a_stream_behind_middleware_ends_when_its_client_resets(server, client):
    reader = Raw(server.first.place)
    reader.request("/layered/endless")
    reader.read_exactly(1_000_000)
    reader.reset()
    assert happened(client, "stream-ended")


def test_a_stream_ends_when_its_client_closes(server, client):
    reader = Raw(server.first.place)
    reader.request("/endless")
    reader.read_exactly(1_000_000)
    reader.close()
    assert happened(client, "stream-disconnected")


def test_a_quiet_stream_ends_when_its_client_resets(server, client):
    reader = Raw(server.first.place)
    reader.request("/events")
    reader.read_until(b"data: first\n\n")
    reader.reset()
    assert happened(client, "stream-ended")


@pytest.mark.parametrize("path", ["/upload", "/layered/upload"])
def test_an_upload_that_breaks_off_is_client_disconnect(server, client, path):
    with Raw(server.first.place) as writer:
        writer.request(path, "Content-Length: 1000", method="POST")
        writer.send(b"half of it")
    assert happened(client, "client-disconnect")


def test_clients_that_leave_put_no_traceback_into_the_log(server, client):
    for path in ("/upload", "/layered/upload"):
        leave(server, path)
    for path in ("/endless", "/layered/endless"):
        leave(server, path, method="GET", read=500_000)
    assert happened(client, "client-disconnect")
    assert happened(client, "stream-ended")
    told = errors(server)
    assert "Traceback" not in told
    assert "ERROR" not in told


def test_is_disconnected_sees_a_client_that_leaves(server, client):
    with Raw(server.first.place) as watcher:
        watcher.request("/watch")
        assert happened(client, "watching")
    assert happened(client, "seen-disconnected")


def test_a_websocket_with_a_subprotocol_and_a_close_code(server, client):
    url = f"ws://{server.first.address}/chat"
    with websockets.sync.client.connect(url, subprotocols=["chat"]) as socket:
        assert socket.subprotocol == "chat"
        socket.send("hello")
        assert json.loads(socket.recv()) == {"got": "hello"}
        socket.close(4321)
    assert happened(client, "websocket-4321")


def test_under_a_prefix_static_files_are_found(serve_site):
    listeners = '[listeners.main]\naddress = "127.0.0.1"\nport = 0\nroot_path = "/site"\n'
    server = serve_site("starlette_site", "pages:application", listeners)
    with httpx.Client(base_url=server.first.url, trust_env=False) as client:
        assert client.get("/site/static/style.css").status_code == 200
        assert client.get("/site/").json()["database"] == "connected"


def test_behind_a_proxy_urls_are_those_it_was_asked_for(behind_proxy):
    server, said = behind_proxy("starlette_site", "pages:application")
    with httpx.Client(base_url=server.first.url, trust_env=False) as client:
        got = client.get("/where", headers=said).json()
    # RFC 7239 has no prefix: X-Forwarded-Prefix is its client's word there.
    base = "https://www.example.org:8443" + ("/app" if "X_Forwarded_For" in said else "")
    assert got == {
        "here": f"{base}/where", "there": f"{base}/wait/x", "mounted": f"{base}/static/style.css",
        "client": "203.0.113.9",
    }  # fmt: skip


def test_nothing_was_logged_as_an_error_when_clients_left(server, client):
    reader = Raw(server.first.place)
    reader.request("/endless")
    reader.read_exactly(100_000)
    reader.reset()
    assert happened(client, "stream-ended")
    client.close()
    assert server.stop() == 0
    assert "Traceback" not in server.err.text
