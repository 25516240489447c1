"""HTTP/1.1 and HTTP/1.0 over raw sockets, against the real command."""

from __future__ import annotations

import json
import re

import pytest

from support.raw import Raw


@pytest.fixture
def server(serve):
    return serve()


@pytest.fixture
def client(server):
    with Raw(server.first.place) as connection:
        yield connection


def test_a_response_says_date_and_server_and_its_length(client):
    got = client.get("/hello")
    assert (got.version, got.status, got.reason, got.body) == ("HTTP/1.1", 200, "OK", b"hello\n")
    assert got.one("server") == "asgid"
    assert got.one("content-length") == "6"
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", got.one("date") or "")


def test_a_connection_serves_one_request_after_another(client):
    for _ in range(3):
        assert client.get("/hello").body == b"hello\n"


def test_connection_close_is_honoured_and_said(client):
    got = client.get("/hello", "Connection: close")
    assert got.one("connection") == "close"
    assert client.closed()


def test_pipelined_requests_are_answered_in_order(client):
    client.send(b"".join(b"GET /status?code=2%02d HTTP/1.1\r\nHost: t\r\n\r\n" % n for n in (0, 1, 2, 3)))
    assert [client.response().status for _ in range(4)] == [200, 201, 202, 203]


def test_a_pipelined_request_behind_a_body_is_not_lost(client):
    client.send(
        b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nfirst"
        b"POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nsecond\r\n0\r\n\r\n"
        b"GET /hello HTTP/1.1\r\nHost: t\r\n\r\n"
    )
    assert [client.response().body for _ in range(3)] == [b"first", b"second", b"hello\n"]


def test_a_request_may_come_byte_by_byte(client):
    for byte in b"POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n":
        client.send(bytes([byte]))
    assert client.response().body == b"abc"


def test_a_chunked_body_with_extensions_and_trailers_is_read(client):
    client.send(
        b"POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
        b'3;name="value"\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-Trailer: yes\r\n\r\n'
    )
    assert client.response().body == b"abc0123456789"
    assert client.get("/hello").status == 200


def test_an_answer_of_unknown_length_is_chunked(client):
    got = client.get("/pieces")
    assert got.all("transfer-encoding") == ["chunked"]
    assert got.all("content-length") == []
    assert got.body == b"piece 0\npiece 1\npiece 2\n"
    assert client.get("/hello").status == 200


def test_a_piece_is_sent_when_the_application_sends_it(server, client):
    client.request("/steps")
    head = client.read_until(b"first\n")
    assert b"200 OK" in head
    with Raw(server.first.place) as other:
        other.get("/set?event=go+on")
    assert b"last\n" in client.read_until(b"0\r\n\r\n")


def test_a_body_of_several_mebibytes_comes_back_whole(client):
    body = bytes(range(256)) * 12_000
    client.request("/echo", method="POST", body=body)
    assert client.response().body == body


@pytest.mark.parametrize("path", ["/hello", "/large?size=200000", "/pieces"])
def test_head_gets_the_head_alone(client, path):
    got = client.get(path, method="HEAD")
    assert got.status == 200
    assert got.body == b""
    if path == "/hello":
        assert got.one("content-length") == "6"
    assert client.get("/hello").body == b"hello\n"


@pytest.mark.parametrize("code", [204, 304])
def test_a_status_without_a_body_has_none_and_no_framing(client, code):
    got = client.get(f"/bare?code={code}")
    assert got.status == code
    assert got.all("transfer-encoding") == []
    assert got.one("content-length") in {None, "0"} if code == 304 else got.one("content-length") is None
    assert client.get("/hello").body == b"hello\n"


def test_100_continue_is_sent_when_the_application_reads_and_not_before(server, client):
    client.request("/late", "Content-Length: 4", "Expect: 100-continue", method="POST")
    with Raw(server.first.place) as other:
        other.get("/wait?event=late:called")
        assert client.silent(0.3)
        other.get("/set?event=read+on")
    assert client.response().status == 100
    client.send(b"body")
    assert client.response().body == b"4\n"
    assert client.get("/hello").status == 200


def test_100_continue_is_not_sent_to_an_application_that_does_not_read(client):
    client.request("/unread", "Content-Length: 4", "Expect: 100-continue", method="POST")
    got = client.response()
    assert (got.status, got.body) == (200, b"not read\n")
    # The client may or may not send the body now (RFC 9110 10.1.1): the connection cannot go on.
    assert got.one("connection") == "close"
    assert client.closed()


def test_100_continue_is_not_sent_where_the_body_came_already(client):
    client.request("/echo", "Expect: 100-continue", method="POST", body=b"here")
    first = client.response()
    assert (first.status, first.body) == (200, b"here")


def test_a_body_that_is_not_read_does_not_become_a_request(client):
    client.request("/unread", method="POST", body=b"GET /set?event=smuggled HTTP/1.1\r\nHost: t\r\n\r\n")
    assert client.response().body == b"not read\n"
    try:
        seen = json.loads(client.get("/seen").body)
    except Exception:  # noqa: BLE001 - a closed connection is as good an answer
        return
    assert "smuggled" not in seen


def test_http_1_0_is_closed_after_the_answer(client):
    got = client.get("/hello", version="1.0")
    assert (got.status, got.body) == (200, b"hello\n")
    assert (got.one("connection") or "close").lower() == "close"
    assert client.closed()


def test_http_1_0_is_kept_alive_where_it_asks_and_that_is_said(client):
    got = client.get("/hello", "Connection: keep-alive", version="1.0")
    assert (got.one("connection") or "").lower() == "keep-alive"
    assert client.get("/hello", "Connection: keep-alive", version="1.0").body == b"hello\n"


def test_http_1_0_never_gets_a_chunked_answer(client):
    got = client.get("/pieces", "Connection: keep-alive", version="1.0")
    assert got.all("transfer-encoding") == []
    assert (got.one("connection") or "close").lower() == "close"
    assert got.body == b"piece 0\npiece 1\npiece 2\n"


def test_http_1_0_without_a_host_is_served(client):
    client.send(b"GET /hello HTTP/1.0\r\n\r\n")
    assert client.response().body == b"hello\n"


def test_http_1_0_never_gets_100_continue(client):
    client.request("/echo", "Expect: 100-continue", "Content-Length: 4", method="POST", version="1.0")
    client.send(b"body")
    assert client.response().status == 200


def test_the_scope_is_as_the_specification_says(client):
    client.request("/scope%2Fx/caf%C3%A9?a=1&b=%20", "X-Two: one", "x-two:   other  ", "Connection: close")
    client.response()
    with Raw(client.socket.getpeername()) as other:
        got = json.loads(other.get("/scope/a%2Fb/caf%C3%A9?a=1&b=%20", "X-Two: one", "x-two:   other  ").body)
    assert got["type"] == "http"
    assert got["asgi"] == {"version": "3.0", "spec_version": "2.5"}
    assert (got["http_version"], got["method"], got["scheme"]) == ("1.1", "GET", "http")
    assert got["path"] == "/scope/a/b/café"
    assert got["raw_path"] == "/scope/a%2Fb/caf%C3%A9"
    assert got["query_string"] == "a=1&b=%20"
    assert got["root_path"] == ""
    assert got["headers"] == [["host", "test"], ["x-two", "one"], ["x-two", "other"]]
    assert got["client"][0] == "127.0.0.1"
    assert got["server"] == list(client.socket.getpeername())
    assert got["state"] == {"started": "yes"}
    assert got["extensions"]["asgid"] == {"listener": "main"}


def test_nothing_one_request_puts_into_state_is_seen_by_the_next(client):
    first = json.loads(client.get("/scope").body)
    assert first["state"] == json.loads(client.get("/scope").body)["state"]


def test_an_asterisk_and_a_full_url_are_targets_too(client):
    client.send(b"GET http://test/hello HTTP/1.1\r\nHost: test\r\n\r\n")
    assert client.response().body == b"hello\n"
    client.send(b"OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n")
    assert client.response().status == 404  # the application's own answer to a path that it does not know


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nBad Name: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x0bb\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x1eb\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
    ],
)
def test_a_bad_request_is_refused_and_the_connection_ends(client, request_):
    client.send(request_)
    got = client.response()
    assert 400 <= got.status < 600
    assert client.closed()


def test_utf8_in_a_header_value_passes(client):
    client.send("GET /scope HTTP/1.1\r\nHost: t\r\nX-Name: Ångström\r\n\r\n".encode())
    assert ["x-name", "Ångström".encode().decode("latin-1")] in json.loads(client.response().body)["headers"]


def test_access_lines_go_to_standard_output_and_all_else_to_standard_error(server, client):
    client.get("/hello", "User-Agent: probe/1", "Referer: http://from/")
    line = server.out.wait_for("/hello")[0]
    assert re.fullmatch(
        r'127\.0\.0\.1 - - \[.*\] "GET /hello HTTP/1\.1" 200 6 "http://from/" "probe/1"', line
    ), line
    assert server.stop() == 0
    assert "GET /hello" not in server.err.text
    assert all("HTTP/1" in line for line in server.out.lines)
