"""The PROXY protocol on real sockets of every kind, with what must be refused, in time and in size."""

from __future__ import annotations

import json
import socket
import struct
from contextlib import suppress

import pytest
import websockets.sync.client

from support.inherit import inheriting, listening
from support.raw import Raw
from support.server import PATIENCE_S

TRUSTED = '[proxy]\nprotocol = "any"\ntrusted = ["127.0.0.1", "::1", "unix"]\n'
LINE = b"PROXY TCP4 203.0.113.9 198.51.100.1 4711 443\r\n"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL = SIGNATURE + b"\x20\0\0\0"


def binary(tls: bool = False, padding: int = 0) -> bytes:
    """A version 2 header over IPv6, with a TLV that says TLS and another one of ``padding`` bytes."""
    ends = [socket.inet_pton(socket.AF_INET6, text) for text in ("2001:db8::9", "2001:db8::1")]
    block = b"".join(ends) + struct.pack("!HH", 4711, 443)
    if tls:
        block += b"\x20\0\5\1\0\0\0\0"
    if padding:
        block += struct.pack("!BH", 4, padding) + bytes(padding)
    return SIGNATURE + struct.pack("!BBH", 0x21, 0x21, len(block)) + block


ENDS4 = [["203.0.113.9", 4711], ["198.51.100.1", 443]]
ENDS6 = [["2001:db8::9", 4711], ["2001:db8::1", 443]]


def ends(client: Raw, header: bytes) -> list[object]:
    client.send(header)
    scope = json.loads(client.get("/scope").body)
    return [scope["client"], scope["server"]]


@pytest.fixture(params=["tcp", "ipv6", "unix", "stock", "fd", "systemd", "unix fd"])
def place(request, serve, tmp_path):
    """A listener with the PROXY protocol, on every kind of socket."""
    kind = request.param
    if kind in {"fd", "systemd", "unix fd"}:
        with listening(**({"path": tmp_path / "given.sock"} if kind == "unix fd" else {})) as given:
            text = (
                '[listeners.main]\nsystemd = "web"\n' if kind == "systemd" else "[listeners.main]\nfd = 3\n"
            )
            names = ["web"] if kind == "systemd" else []
            serve(text, rest=TRUSTED, **inheriting([given], names))
            yield given.getsockname()
        return
    lines = {
        "tcp": 'address = "127.0.0.1"\nport = 0\n',
        "ipv6": 'address = "::1"\nport = 0\n',
        "unix": 'unix = "main.sock"\n',
        "stock": 'endpoint = "tcp:0:interface=127.0.0.1"\n',
    }[kind]
    yield serve(f"[listeners.main]\n{lines}", rest=TRUSTED).first.place


def test_a_request_comes_from_whom_the_header_names(place):
    for header, wanted in ((LINE, ENDS4), (binary(), ENDS6), (binary(padding=16_000), ENDS6)):
        with Raw(place) as client:
            assert ends(client, header) == wanted
            assert ends(client, b"") == wanted  # of every request of the connection
    with Raw(place) as client:
        client.send(LINE[:7])
        if not isinstance(place, str):
            client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in LINE[7:]:
            client.send(bytes([byte]))
        assert ends(client, b"") == ENDS4


def test_a_health_check_is_the_proxys_own(place):
    with Raw(place) as client:
        own = client.socket.getsockname()
        known = None if isinstance(place, str) else list(own[:2])
        assert ends(client, LOCAL)[0] == known


def test_a_plain_client_is_closed_without_an_answer(place):
    with Raw(place) as client:
        client.request("/hello")
        assert client.read_to_end() == b""


def test_websockets_come_from_whom_the_header_names(serve):
    server = serve(rest=TRUSTED)
    with socket.create_connection(server.first.place, PATIENCE_S) as sock:
        sock.sendall(binary(tls=True))
        url = "ws://site.example/ws/scope"
        with websockets.sync.client.connect(url, sock=sock, proxy=None) as client:
            scope = json.loads(client.recv())
    assert [scope["client"], scope["server"], scope["scheme"]] == [*ENDS6, "wss"]


@pytest.mark.parametrize(
    ("header", "wanted"),
    [(LINE, ENDS4), (b"PROXY TCP6 2001:db8::9 2001:db8::1 4711 443\r\n", ENDS6)],
    ids=["IPv4", "IPv6"],
)
def test_twisteds_own_kind_of_endpoint_names_the_client_as_well(serve, header, wanted):
    server = serve('[listeners.main]\nendpoint = "haproxy:tcp:0:interface=127.0.0.1"\n')
    with Raw(server.first.place) as client:
        assert ends(client, header) == wanted
    with socket.create_connection(server.first.place, PATIENCE_S) as sock:
        sock.sendall(header)
        url = "ws://site.example/ws/scope"
        with websockets.sync.client.connect(url, sock=sock, proxy=None) as client:
            scope = json.loads(client.recv())
    assert [scope["client"], scope["server"]] == wanted


def test_the_access_log_has_the_client_that_the_header_names(serve):
    server = serve(rest=TRUSTED)
    with Raw(server.first.place) as client:
        client.send(LINE)
        assert client.get("/hello").status == 200
    server.out.wait_for(r'^203\.0\.113\.9 - - \[.*"GET /hello HTTP/1\.1" 200 ')


def test_nobody_but_the_trusted_is_heard(serve):
    server = serve(rest=TRUSTED.replace("127.0.0.1", "192.0.2.1"))
    with suppress(ConnectionResetError), Raw(server.first.place) as client:  # the reset may be that early
        assert client.read_to_end() == b""
    with suppress(ConnectionResetError), Raw(server.first.place) as client:
        with suppress(OSError):  # it was refused before
            client.send(LINE)
            client.request("/hello")
        assert client.read_to_end() == b""
    server.err.wait_for(r"WARNING.*listener main, 127\.0\.0\.1:\d+: refused: .*proxy\.trusted")
    assert server.stop() == 0


def test_a_header_has_its_time(serve):
    server = serve(rest=f'{TRUSTED}[timeouts]\nrequest_head = "0.2s"\n')
    with Raw(server.first.place) as client:
        client.send(LINE[:-1])
        assert client.read_to_end() == b""
    server.err.wait_for("PROXY header did not come in timeouts.request_head")
    with Raw(server.first.place) as client:
        assert client.read_to_end() == b""
    with Raw(server.first.place) as client:
        client.send(LINE + b"GET / HTTP/1.1\r\n")
        assert client.response().status == 408


@pytest.mark.parametrize(
    "data", [b"PROXY " + b"x" * 1_000_000, SIGNATURE + b"\x21\x11\xff\xff" + bytes(65535)], ids=["v1", "v2"]
)
def test_a_header_has_its_size(serve, data):
    server = serve(rest=TRUSTED)
    with Raw(server.first.place) as client:
        with suppress(OSError):  # it is refused before the end
            client.send(data)
        assert client.read_to_end() == b""
    server.err.wait_for("refused: a PROXY (line|header) of more than")


def test_a_listener_of_its_own_beside_a_plain_one(serve):
    both = (
        '[listeners.near]\naddress = "127.0.0.1"\nport = 0\n'
        '[listeners.far]\naddress = "127.0.0.1"\nport = 0\n'
        '[listeners.far.proxy]\nprotocol = "v1"\ntrusted = ["127.0.0.0/8"]\n'
    )
    server = serve(both)
    with Raw(server.listener("near").place) as client:
        assert client.get("/hello").body == b"hello\n"
    with Raw(server.listener("far").place) as client:
        assert ends(client, LINE) == ENDS4
    with Raw(server.listener("far").place) as client:
        client.send(binary())
        assert client.read_to_end() == b""
    with Raw(server.listener("near").place) as client:
        client.send(LINE + b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.response().status == 400


def test_a_flood_of_plain_clients_leaves_it_serving(serve):
    server = serve(rest=TRUSTED)
    for _ in range(300):
        with Raw(server.first.place) as client:
            client.request("/hello")
    with Raw(server.first.place) as client:
        assert ends(client, LINE) == ENDS4
    assert server.stop() == 0
    assert len([line for line in server.err.lines if "refused" in line]) < 200
