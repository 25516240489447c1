"""A socket that outlives its server, as systemd's do: restarts under load lose no request."""

from __future__ import annotations

import http.client
import socket
import threading

import pytest

from support.files import SITE
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
