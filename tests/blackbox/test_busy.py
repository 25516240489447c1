"""An application that keeps the loop busy: clients that were in time are not told that they were late."""

from __future__ import annotations

import time

import pytest

from support.files import APPLICATION, write
from support.raw import Raw
from support.server import PATIENCE_S

BUSY = """
import time
from pathlib import Path

async def application(scope, receive, send):
    if scope["path"] == "/busy":
        Path("busy").touch()
        time.sleep(2.5)
        await send({"type": "http.response.start", "status": 200, "headers": []})
    else:
        size = 0
        while True:
            event = await receive()
            size += len(event.get("body", b""))
            if not event.get("more_body"):
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"%d" % size, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
"""
SETTINGS = """lifespan = "off"
[listeners.main]
address = "127.0.0.1"
port = 0
[timeouts]
request_head = "1s"
request_body = "1s"
keep_alive = "1s"
"""


@pytest.fixture
def server(start, tmp_path):
    write(tmp_path / "busy_app.py", BUSY)
    application = APPLICATION.format(target="busy_app:application", directory=tmp_path)
    path = write(tmp_path / "listeners.toml", application + SETTINGS)
    return start("--config", path, cwd=tmp_path).wait_serving()


def test_what_came_while_the_loop_was_busy_is_read_before_anybody_is_timed_out(server, tmp_path):
    place = server.first.place
    with (
        Raw(place) as again,
        Raw(place) as head,
        Raw(place) as body,
        Raw(place) as silent,
        Raw(place) as busy,
    ):
        assert again.get("/").body == b"0"
        head.send(b"GET / HTTP/1.1\r\n")
        body.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n123")
        busy.request("/busy")
        until = time.monotonic() + PATIENCE_S
        while not (tmp_path / "busy").exists():
            assert time.monotonic() < until
            time.sleep(0.01)
        # the loop is busy from here on, for longer than each of the timeouts
        again.request("/")
        head.send(b"Host: a\r\n\r\n")
        body.send(b"456")
        silent.request("/")
        assert again.response().body == b"0"
        assert head.response().status == 200
        assert body.response().body == b"6"
        assert silent.response().status == 200


SEEN = """
import time
from pathlib import Path

async def application(scope, receive, send):
    if scope["path"] == "/busy":
        Path("busy").touch()
        time.sleep(1)
    with open("seen", "a") as seen:
        seen.write(f"{scope['path']} {scope['client']}\\n")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})
"""


def test_who_is_reset_before_it_is_accepted_is_not_taken_for_a_unix_sockets_client(start, tmp_path):
    """Its address can no longer be asked for; a request that it sent must not be believed for that."""
    write(tmp_path / "app.py", SEEN)
    believing = SETTINGS + '[proxy]\nforwarded = "x-forwarded"\ntrusted = ["unix"]\n'
    write(tmp_path / "app.toml", f'[application]\ntarget = "app:application"\n{believing}')
    server = start("--config", "app.toml").wait_serving()
    with Raw(server.first.place) as busy:
        busy.request("/busy")
        deadline = time.monotonic() + PATIENCE_S
        while not (tmp_path / "busy").exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        for _ in range(4):
            gone = Raw(server.first.place)
            gone.request("/lies", "X-Forwarded-For: 203.0.113.9")
            gone.reset()
        assert busy.response().status == 200
    with Raw(server.first.place) as after:
        assert after.get("/after").status == 200
    seen = (tmp_path / "seen").read_text()
    assert "203.0.113.9" not in seen
    assert "/busy ('127.0.0.1'" in seen
    assert "/after ('127.0.0.1'" in seen
