"""Where Daphne's users were hurt, as they reported it; what other files show is not repeated here."""

from __future__ import annotations

import json
import re

import pytest
import websockets.sync.client
from websockets.exceptions import ConnectionClosed, InvalidStatus

from support.files import SITE
from support.memory import MEBIBYTE, UPGRADE, at_rest_kib, resident_kib
from support.raw import Raw


@pytest.fixture
def server(serve):
    return serve()


def url(server, path: str) -> str:
    return f"ws://{server.first.address}/ws/{path}"


def test_an_unescaped_ipv6_endpoint_is_answered_with_the_string_as_it_should_read(run):
    failed = run("-e", "tcp:8005:interface=::1", "probe:application", cwd=SITE)
    assert failed.status == 2
    assert r"tcp:8005:interface=\:\:1" in failed.err.text
    assert "TypeError" not in failed.err.text


def test_there_is_a_lifespan_with_state(server):
    with Raw(server.first.place) as client:
        assert json.loads(client.get("/scope").body)["state"] == {"started": "yes"}


def test_there_is_a_date_header(server):
    with Raw(server.first.place) as client:
        assert client.get("/hello").one("date")


def test_a_request_line_that_is_too_long_is_answered(server):
    with Raw(server.first.place) as client:
        assert client.get("/" + "a" * 70_000).status == 414


def test_an_application_that_returns_after_accept_closes_the_socket(server):
    with (
        websockets.sync.client.connect(url(server, "returns")) as client,
        pytest.raises(ConnectionClosed) as caught,
    ):
        client.recv(timeout=20)
    assert caught.value.rcvd.code in {1000, 1011}


def test_headers_of_accept_reach_the_client(server):
    with websockets.sync.client.connect(url(server, "echo")) as client:
        assert client.response.headers["x-probe"] == "yes"


def test_code_and_reason_of_close_reach_the_client(server):
    with (
        websockets.sync.client.connect(url(server, "close?code=4001&reason=because")) as client,
        pytest.raises(ConnectionClosed) as caught,
    ):
        client.recv(timeout=20)
    assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (4001, "because")


def test_code_and_reason_of_the_clients_close_reach_the_application(server):
    with websockets.sync.client.connect(url(server, "echo")) as client:
        client.close(4002, "enough")
    with Raw(server.first.place) as observer:
        assert observer.get("/wait?event=ws:disconnect").body == b"ws:disconnect 4002 enough"


def test_a_lost_websocket_is_1006_or_1005(server):
    client = Raw(server.first.place)
    client.request("/ws/echo", *UPGRADE)
    assert client.response().status == 101
    client.reset()
    with Raw(server.first.place) as observer:
        assert observer.get("/wait?event=ws:disconnect").body.split()[1] in {b"1006", b"1005"}


def test_the_scope_of_a_websocket_has_a_scheme_and_a_version(server):
    with websockets.sync.client.connect(url(server, "scope"), subprotocols=["a", "b"]) as client:
        scope = json.loads(client.recv())
    assert (scope["type"], scope["scheme"], scope["http_version"]) == ("websocket", "ws", "1.1")
    assert scope["subprotocols"] == ["a", "b"]
    assert scope["asgi"] == {"version": "3.0", "spec_version": "2.5"}
    assert scope["extensions"]["asgid"] == {"listener": "main"}
    assert scope["state"] == {"started": "yes"}
    assert "websocket.http.response" in scope["extensions"]


def sent_by_flood(observer: Raw) -> int:
    return max(
        (int(n) for n in re.findall(r"flood:sent (\d+)", observer.get("/seen").body.decode())), default=0
    )


def test_slow_readers_of_a_websocket_do_not_grow_memory(server):
    before = at_rest_kib(server)
    with Raw(server.first.place, receive_buffer=4096) as client, Raw(server.first.place) as observer:
        client.request("/ws/flood", *UPGRADE)
        assert client.response().status == 101
        observer.get("/wait?event=flood:sent")
        taken = -1
        while (now := sent_by_flood(observer)) != taken:
            taken = now
            assert taken < 32 * MEBIBYTE
            assert observer.silent(0.3)
        assert resident_kib(server.pid) - before < 24 * 1024
        client.reset()
        assert observer.get("/wait?event=flood:OSError").status == 200


def test_an_application_that_does_nothing_but_send_leaves_time_for_everybody_else(server):
    with Raw(server.first.place) as observer:
        client = Raw(server.first.place)
        client.request("/ws/stream", *UPGRADE)
        client.read_exactly(MEBIBYTE)
        assert observer.get("/hello").status == 200
        client.reset()
        assert observer.get("/wait?event=stream:OSError").status == 200


def test_messages_that_are_not_taken_stop_the_reading(server):
    frames = (b"\x82\xfe\xff\xff" + b"\0\0\0\0" + b"m" * 65535) * 1000
    before = at_rest_kib(server)
    with Raw(server.first.place) as client, Raw(server.first.place) as observer:
        client.request("/ws/deaf", *UPGRADE)
        assert client.response().status == 101
        sent = client.send_what_fits(frames)
        assert sent < 32 * MEBIBYTE
        assert resident_kib(server.pid) - before < 24 * 1024
        observer.get("/set?event=hear")
        client.send(frames[sent:] + b"\x81\x84\0\0\0\0last")
        assert client.read_exactly(6) == b"\x81\x041000"


def test_a_body_reaches_the_application_before_it_is_whole(server):
    with Raw(server.first.place) as client, Raw(server.first.place) as observer:
        client.request("/stalled", "Content-Length: 1000000", method="POST")
        client.send(b"the first piece")
        assert observer.get("/wait?event=stalled:called").status == 200


def test_a_websocket_is_refused_with_403(server):
    with pytest.raises(InvalidStatus) as caught:
        websockets.sync.client.connect(url(server, "refuse"))
    assert caught.value.response.status_code == 403


def test_a_websocket_is_refused_with_a_response_of_the_applications_own(server):
    with pytest.raises(InvalidStatus) as caught:
        websockets.sync.client.connect(url(server, "refuse-response"))
    response = caught.value.response
    assert (response.status_code, response.headers["x-why"]) == (401, "no ticket")
    assert response.body == b"show your ticket\n"


def test_an_exception_before_accept_is_500_and_after_it_1011(server):
    with pytest.raises(InvalidStatus) as caught:
        websockets.sync.client.connect(url(server, "raises"))
    assert caught.value.response.status_code == 500
    with (
        websockets.sync.client.connect(url(server, "raises-later")) as client,
        pytest.raises(ConnectionClosed) as closed,
    ):
        client.recv(timeout=20)
    assert closed.value.rcvd.code == 1011
    server.err.wait_for(r"listener main.*RuntimeError", count=2)


@pytest.mark.parametrize("value", ["a\x00b", "a\x0bb", "a\x0cb", "a\x1cb", "a\x1db", "a\x1eb"])
def test_control_bytes_in_the_headers_of_an_upgrade_are_400(server, value):
    with Raw(server.first.place) as client:
        assert client.get("/ws/echo", *UPGRADE, f"X-A: {value}").status == 400


def test_a_cookie_in_utf8_does_not_keep_a_websocket_from_opening(server):
    cookie = "name=Пахом, Åsa".encode().decode("latin-1")  # each has byte 85, which ends a line elsewhere
    with Raw(server.first.place) as client:
        assert client.get("/ws/echo", *UPGRADE, f"Cookie: {cookie}").status == 101


def test_a_subprotocol_is_agreed_on(server):
    with websockets.sync.client.connect(url(server, "echo?subprotocol=b"), subprotocols=["a", "b"]) as client:
        assert client.subprotocol == "b"


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 1048576])
def test_text_and_binary_of_every_length_come_back(server, size):
    with websockets.sync.client.connect(url(server, "echo"), max_size=None) as client:
        for message in ("x" * size, b"\xff" * size):
            client.send(message)
            assert client.recv() == message


def test_fragments_come_back_as_one_message(server):
    with websockets.sync.client.connect(url(server, "echo")) as client:
        client.send(iter(["one ", "two ", "three"]))
        assert client.recv() == "one two three"


def test_a_ping_is_answered_between_messages(server):
    with websockets.sync.client.connect(url(server, "echo")) as client:
        assert client.ping(b"are you there").wait(20)
        client.send("still here")
        assert client.recv() == "still here"


def test_text_that_is_not_utf8_is_1007(server):
    with Raw(server.first.place) as client:
        client.request("/ws/echo", *UPGRADE)
        assert client.response().status == 101
        client.send(b"\x81\x82\0\0\0\0\xff\xfe")
        assert client.read_exactly(4)[2:] == (1007).to_bytes(2, "big")


def test_a_frame_without_a_mask_is_1002(server):
    with Raw(server.first.place) as client:
        client.request("/ws/echo", *UPGRADE)
        assert client.response().status == 101
        client.send(b"\x81\x02hi")
        assert client.read_exactly(4)[2:] == (1002).to_bytes(2, "big")


def test_an_upgrade_with_another_version_is_told_ours(server):
    with Raw(server.first.place) as client:
        got = client.get("/ws/echo", *[line.replace("13", "12") for line in UPGRADE])
        assert got.status in {400, 426}
        if got.status == 426:
            assert got.one("sec-websocket-version") == "13"
