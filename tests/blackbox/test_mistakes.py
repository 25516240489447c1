"""Applications that break the specification: the log names the mistake, the client never hangs."""

from __future__ import annotations

import pytest

from support.files import write
from support.raw import ClosedError, Raw

ENGINELESS = """
import sys

class Gone:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("autobahn"):
            raise OSError(2, "gone")

sys.meta_path.insert(0, Gone())

async def application(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"still here"})
"""
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)

# The mistake, and what the log has to say of it.
ANSWERED_500 = {
    "raises": r"RuntimeError",
    "exits": r"SystemExit",
    "returns-early": r"returned without",
    "body-first": r"http\.response\.body",
    "no-status": r"status",
    "status-text": r"status.*fine",
    "status-range": r"status.*7",
    "str-header-name": r"bytes|str",
    "str-header-value": r"bytes|str",
    "header-newline": r"header",
    "header-name-space": r"header",
    "header-name-empty": r"header",
    "unknown-event": r"http\.response\.nonsense",
    "no-type": r"type",
    "generator-exit": r"GeneratorExit",
    "status-interim": r"status 103",
    "header-nul": r"NUL",
    "no-file": r"/nonexistent cannot be opened",
    "trailers-first": r"http\.response\.trailers",
}
CUT_OR_500 = {
    "raises-midway": r"RuntimeError",
    "returns-after-start": r"returned",
    "two-starts": r"http\.response\.start",
    "str-body": r"\bstr\b",
    "too-much": r"[Cc]ontent-[Ll]ength",
    "too-little": r"[Cc]ontent-[Ll]ength",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    from support.files import probe_file
    from support.server import ASGID, Server

    folder = tmp_path_factory.mktemp("mistakes")
    server = Server([ASGID, "--config", probe_file(folder)], cwd=folder)
    try:
        yield server.wait_serving()
        assert server.stop() == 0
    finally:
        server.kill()


@pytest.mark.parametrize("kind", ANSWERED_500)
def test_a_mistake_before_the_answer_is_a_500_and_a_log_line_that_names_it(server, kind):
    with Raw(server.first.place) as client:
        assert client.get(f"/mistake?kind={kind}").status == 500
    server.err.wait_for(rf"listener main.*{ANSWERED_500[kind]}.*/mistake\?kind={kind}(\s|$)")


@pytest.mark.parametrize("kind", CUT_OR_500)
def test_a_mistake_in_the_answer_never_looks_like_a_whole_answer(server, kind):
    with Raw(server.first.place) as client:
        client.request(f"/mistake?kind={kind}")
        try:
            got = client.response()
        except ClosedError:
            pass
        else:
            assert got.status == 500
            client.half_close()
        assert client.read_to_end() == b""
    server.err.wait_for(rf"listener main.*{CUT_OR_500[kind]}.*/mistake\?kind={kind}(\s|$)")


def test_the_server_serves_on_after_them_all(server):
    with Raw(server.first.place) as client:
        assert client.get("/hello").status == 200


def test_an_engine_for_websockets_that_cannot_be_imported_is_said_and_answered(start, tmp_path):
    write(tmp_path / "engineless.py", ENGINELESS)
    server = start("-p", "0", "engineless:application").wait_serving()
    with Raw(server.first.place) as client:
        client.send(UPGRADE)
        assert client.response().status == 500
    server.err.wait_for(r"refused with 500: Autobahn cannot be imported: FileNotFoundError\(2, 'gone'\)")
    with Raw(server.first.place) as client:
        assert client.get("/").body == b"still here"
