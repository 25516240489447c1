"""Origins and compression as a file has them, with clients of others."""

from __future__ import annotations

import pytest
import websockets.sync.client
from websockets.exceptions import InvalidStatus

from support.raw import Raw

MAIN = '[listeners.main]\naddress = "127.0.0.1"\nport = 0\n'
PROXIED = '[proxy]\nforwarded = "x-forwarded"\ntrusted = ["127.0.0.1"]\n'
ORIGINS = '[websocket]\norigins = ["self", "https://www.example"]\n'


def connect(server, origin: str | None, path: str = "echo", **options):
    return websockets.sync.client.connect(f"ws://{server.first.address}/ws/{path}", origin=origin, **options)


def test_pages_of_origins_that_are_let_in_and_clients_that_are_no_pages_connect(serve):
    server = serve(MAIN, rest=ORIGINS)
    for origin in ("https://www.example", f"http://{server.first.address}", None):
        with connect(server, origin) as client:
            client.send("hello")
            assert client.recv() == "hello"


def test_a_page_of_another_origin_is_refused_before_the_application_sees_it(serve):
    server = serve(MAIN, rest=ORIGINS)
    for origin in ("https://evil.example", "null", f"https://{server.first.address}"):
        with pytest.raises(InvalidStatus) as caught:
            connect(server, origin, path="undecided")
        assert caught.value.response.status_code == 403
        (line,) = server.err.wait_for(f"listener main, .*refused a WebSocket with 403.*{origin}'")
        assert "127.0.0.1:" in line
    with Raw(server.first.place) as client:
        assert "ws" not in client.get("/seen").body.decode()


def test_the_own_origin_is_the_one_that_a_trusted_proxy_names(serve):
    server = serve(MAIN, rest=ORIGINS + PROXIED)
    https = {"X-Forwarded-Proto": "https"}
    with connect(server, f"https://{server.first.address}", additional_headers=https) as client:
        client.send("hello")
        assert client.recv() == "hello"
    with pytest.raises(InvalidStatus):
        connect(server, f"http://{server.first.address}", additional_headers=https)


def test_every_origin_is_let_in_by_default(serve):
    server = serve(MAIN)
    for origin in ("https://evil.example", "null"):
        with connect(server, origin) as client:
            client.send("hello")
            assert client.recv() == "hello"


@pytest.mark.parametrize("size", [0, 1, 1000, 1023, 1024, 5000, 100_000, 1_000_000])
def test_messages_are_compressed_and_come_back_as_they_were(serve, size):
    server = serve(MAIN)
    with connect(server, None) as client:
        assert "permessage-deflate" in client.response.headers["Sec-WebSocket-Extensions"]
        for message in ("é" * (size // 2), b"\x00\xff" * (size // 2)) * 3:
            client.send(message)
            assert client.recv() == message


def test_a_threshold_is_the_length_from_which_on_messages_are_compressed(serve):
    server = serve(MAIN, rest='[websocket]\ncompression_threshold = "2KiB"\n')
    for size, first in ((2047, 0x81), (2048, 0xC1)):
        with connected(server, b"permessage-deflate") as client:
            client.send(b"\x81\xfe" + size.to_bytes(2, "big") + bytes(4) + b"a" * size)
            assert client.read_exactly(2)[0] == first


def test_compression_can_be_turned_off(serve):
    server = serve(MAIN, rest="[websocket]\ncompression = false\n")
    with connect(server, None) as client:
        assert "Sec-WebSocket-Extensions" not in client.response.headers
        client.send("a" * 5000)
        assert client.recv() == "a" * 5000


def connected(server, extensions: bytes) -> Raw:
    """A raw client whose handshake offered ``extensions`` and was accepted."""
    client = Raw(server.first.place)
    client.send(
        b"GET /ws/echo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        b"Sec-WebSocket-Extensions: " + extensions + b"\r\n\r\n"
    )
    assert client.response().status == 101
    return client
