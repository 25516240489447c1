"""A socket that outlives its server, as systemd's do: restarts under load lose no request."""

from __future__ import annotations

import http.client
import signal
import socket
import threading
import time

import pytest

from support.files import APPLICATION, SITE, write
from support.raw import Raw
from support.server import PATIENCE_S

RESTARTS = 3


class Load:
    """Threads that ask one request for each connection, until they are told to stop."""

    def __init__(self, port: int, paths: list[str]) -> None:
        self.answered = 0
        self.failed: list[str] = []
        self._port = port
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(path,)) for path in paths]
        for thread in self._threads:
            thread.start()

    def _ask(self, path: str) -> None:
        while not self._stop.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_S)
            try:
                connection.request("GET", path, headers={"Connection": "close"})
                answer = connection.getresponse()
                answer.read()
                assert answer.status == 200
                self.answered += 1
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(f"{path}: {error!r}")
            finally:
                connection.close()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)


@pytest.mark.parametrize("how", ["one after the other", "side by side"])
def test_restarts_under_load_lose_no_request(start, how):
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listening:
        port, fd = listening.getsockname()[1], listening.fileno()
        site = ("--app-dir", str(SITE), "--access-log", "/dev/null", "probe:application")

        def serving():
            return start("--fd", str(fd), *site, pass_fds=[fd]).wait_serving()

        server = serving()
        load = Load(port, ["/hello"] * 3)
        try:
            for _ in range(RESTARTS):
                before = load.answered
                old, server = server, serving() if how == "side by side" else None
                assert old.stop() == 0
                server = server or serving()
                assert load.answered > before
        finally:
            load.stop()
        assert load.failed == []
        assert server.stop() == 0


BUSY = """
import time
from pathlib import Path

async def application(scope, receive, send):
    assert scope["type"] == "http"
    if scope["path"] == "/busy":
        Path("busy").touch()
        while Path("busy").exists():
            time.sleep(0.01)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})
"""


@pytest.mark.parametrize("kind", ["address", "unix"])
def test_clients_who_ask_while_the_loop_is_busy_are_answered_after_the_stop(start, tmp_path, kind):
    """They wait in the kernel's backlog, and the kernel resets who is still there when the socket closes."""
    write(tmp_path / "busy_app.py", BUSY)
    where = f'unix = "{tmp_path}/sock"' if kind == "unix" else 'address = "127.0.0.1"\nport = 0'
    path = write(
        tmp_path / "listeners.toml",
        APPLICATION.format(target="busy_app:application", directory=tmp_path)
        + f'lifespan = "off"\n[listeners.main]\n{where}\n',
    )
    server = start("--config", path, cwd=tmp_path).wait_serving()
    place = server.first.place
    busy = Raw(place)
    busy.request("/busy")
    until = time.monotonic() + PATIENCE_S
    while not (tmp_path / "busy").exists():
        assert time.monotonic() < until
        time.sleep(0.01)
    clients = [Raw(place) for _ in range(100)]
    for number, client in enumerate(clients):
        client.request(f"/{number}")
    server.tell(signal.SIGTERM)
    (tmp_path / "busy").unlink()
    assert busy.response().body == b"/busy"
    for number, client in enumerate(clients):
        with client:
            answer = client.response()
            assert (answer.status, answer.body) == (200, b"/%d" % number)
            assert client.closed()
    busy.close()
    assert server.wait() == 0
