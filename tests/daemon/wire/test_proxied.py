"""Connections of a listener with the PROXY protocol: who is heard, what becomes of the rest, how it ends."""

from __future__ import annotations

import gc
import logging
import re
import struct
from typing import Any

import pytest
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocol
from zope.interface.verify import verifyObject

from asgid.config.spec import Limits, Proxy, Timeouts
from asgid.daemon.wire.http1 import HTTP1Connection
from asgid.daemon.wire.proxied import ProxiedConnection
from support.connections import Client, Server, on_loop, settle

GET = b"GET / HTTP/1.1\r\nHost: site\r\n\r\n"
LINE = b"PROXY TCP4 203.0.113.9 198.51.100.1 4711 443\r\n"
BLOCK = bytes([203, 0, 113, 9, 198, 51, 100, 1]) + struct.pack("!HH", 4711, 443)
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
BINARY = SIGNATURE + b"\x21\x11\0\x0c" + BLOCK
LOCAL = SIGNATURE + b"\x20\0\0\0"
TLS = SIGNATURE + b"\x21\x11\0\x14" + BLOCK + b"\x20\0\5\1\0\0\0\0"
NAMED = "(('203.0.113.9', 4711), ('198.51.100.1', 443), 'http')"
OWN = "(('192.0.2.7', 5000), ('192.0.2.1', 80), 'http')"


async def tells_ends(scope: Any, receive: Any, send: Any) -> None:
    body = repr((scope["client"], scope["server"], scope["scheme"])).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def listener(protocol: Any = "any", trusted: tuple[str, ...] = ("192.0.2.0/24",), **options: Any) -> Server:
    return Server(tells_ends, proxy=Proxy(protocol, trusted, options.pop("forwarded", "none")), **options)


async def told(server: Server, data: bytes, client: Client | None = None) -> str:
    client = client or server.connect()
    client.send(data)
    await settle()
    return client.response().body.decode()


@pytest.mark.parametrize(
    ("header", "ends"),
    [
        (LINE, NAMED),
        (BINARY, NAMED),
        (TLS, NAMED.replace("http", "https")),
        (LOCAL, OWN),
        (b"PROXY UNKNOWN\r\n", OWN),
        (SIGNATURE + b"\x21\x31\0\xd8" + bytes(216), "(None, None, 'http')"),
    ],
)
@on_loop
async def test_requests_come_from_whom_the_header_names(header, ends):
    server = listener()
    assert await told(server, header + GET) == ends
    client = server.connect()
    for byte in header + GET:
        client.send(bytes([byte]))
    client.send(GET)
    await settle(300)
    assert [response.body.decode() for response in client.responses()] == [ends, ends]
    assert {record.head.client for record in server.finished} == {eval(ends)[0]}
    assert (server.factory.counters.accepted, len(server.factory.connections)) == (2, 2)
    assert server.factory.counters.unproxied == 0


@on_loop
async def test_the_other_end_may_be_a_unix_socket_where_unix_is_trusted():
    assert await told(server := listener(trusted=("unix",)), LINE + GET, server.connect_unix()) == NAMED
    assert await told(server, LOCAL + GET, server.connect_unix()) == "(None, None, 'http')"


@on_loop
async def test_a_tcp_peer_without_an_address_any_more_is_no_unix_peer():
    server = listener(trusted=("unix",))
    client = server.connect(UNIXAddress(None), IPv4Address("TCP", "192.0.2.1", 80))
    client.send(LINE + GET)
    await settle()
    assert client.aborted
    assert (server.finished, server.factory.counters.unproxied) == ([], 1)


@pytest.mark.parametrize(
    "peer",
    [
        IPv4Address("TCP", "192.0.3.7", 5000), IPv6Address("TCP", "2001:db8::7", 5000), UNIXAddress(None),
        IPv4Address("TCP", "203.0.113.9", 5000),
    ],
)  # fmt: skip
@on_loop
async def test_a_peer_that_is_not_trusted_is_refused_before_it_says_anything(peer, caplog):
    server = listener()
    client = server.connect(peer)
    assert client.aborted
    client.send(LINE + GET)
    await settle()
    assert client.lost
    assert (bytes(client.received), server.finished, server.factory.connections) == (b"", [], set())
    assert server.factory.counters.unproxied == 1
    (record,) = caplog.records
    who = f"{peer.host}:5000" if hasattr(peer, "host") else "a unix socket"
    who = who.replace("2001:db8::7", "[2001:db8::7]")
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith(f"listener public, {who}: refused: ")
    assert "proxy.trusted" in record.getMessage()


@on_loop
async def test_what_still_comes_from_one_that_was_refused_is_not_taken():
    """A transport may have read more when it is told to abort (Twisted's TLS)."""
    server = listener()
    stranger = server.connect(IPv4Address("TCP", "203.0.113.9", 5000)).protocol
    stranger.dataReceived(LINE + GET)
    plain = server.connect().protocol
    plain.dataReceived(GET)
    plain.dataReceived(LINE + GET)
    plain.readConnectionLost()
    await settle()
    assert (server.finished, server.factory.counters.unproxied) == ([], 2)


@pytest.mark.parametrize(
    ("protocol", "data", "why"),
    [
        ("any", GET, r"no PROXY header \(v1 or v2\) came"),
        ("any", b"\x16\x03\x01", "no PROXY header"),
        ("v1", BINARY + GET, r"no PROXY header \(v1\) came"),
        ("v2", LINE + GET, r"no PROXY header \(v2\) came"),
        ("any", b"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n" + GET, "malformed PROXY line"),
        ("any", b"PROXY " + b"x" * 200, "more than 107 bytes"),
        ("any", SIGNATURE + b"\x21\x11\xff\xff", "more than 16384 bytes"),
        ("any", LINE.replace(b"203", b"333") + GET, "malformed IPv4 address"),
    ],
)
@on_loop
async def test_a_client_without_a_good_header_is_reset_and_logged_and_gets_no_answer(
    protocol, data, why, caplog
):
    server = listener(protocol)
    client = server.connect()
    client.send(data)
    client.send(GET)
    await settle()
    assert client.aborted
    assert client.lost
    assert (bytes(client.received), server.finished, server.factory.connections) == (b"", [], set())
    assert server.factory.counters.unproxied == 1
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert re.match(f"listener public, 192.0.2.7:5000: refused: .*{why}", record.getMessage())


@on_loop
async def test_a_flood_of_plain_clients_is_a_bounded_number_of_lines(caplog):
    server = listener()
    for _ in range(500):
        server.connect().send(GET)
    await settle()
    assert server.factory.counters.unproxied == 500
    assert len(caplog.records) <= 25
    server.pass_time(61)
    server.connect().send(GET)
    await settle()
    assert any(re.search("4[0-9][0-9] ", record.getMessage()) for record in caplog.records)


@on_loop
async def test_the_header_and_the_first_head_share_their_time():
    server = listener(timeouts=Timeouts(request_head_s=10))
    late, half, silent, quick = (server.connect() for _ in range(4))
    late.send(LINE[:-1])
    half.send(LINE + GET[:-1])
    quick.send(LINE + GET)
    await settle()
    server.pass_time(9)
    await settle()
    assert not any(client.lost for client in (late, half, silent, quick))
    assert not half.received
    server.pass_time(2)
    await settle()
    assert (late.aborted, bytes(late.received)) == (True, b"")
    assert half.response().status == 408
    assert (silent.lost, silent.aborted, bytes(silent.received)) == (True, False, b"")
    assert not quick.lost
    counters = server.factory.counters
    assert (counters.head_timeouts, counters.silent, counters.unproxied) == (2, 1, 1)


@on_loop
async def test_without_a_timeout_nothing_is_cut():
    server = listener(timeouts=Timeouts(request_head_s=0))
    client = server.connect()
    client.send(LINE[:-1])
    await settle()
    server.pass_time(1e6)
    client.send(b"\n" + GET)
    await settle()
    assert client.response().body.decode() == NAMED


@on_loop
async def test_a_client_that_finishes_at_once_is_a_check_and_one_within_its_header_is_not(caplog):
    server = listener()
    client = server.connect()
    client.finish()
    await settle()
    assert client.lost
    assert not caplog.records
    client = server.connect()
    client.send(BINARY[:-1])
    client.finish()
    await settle()
    assert client.aborted
    assert "within its PROXY header" in caplog.records[0].getMessage()
    client = server.connect()
    client.send(BINARY + GET)
    client.finish()
    await settle()
    assert client.response().body.decode() == NAMED
    assert client.ended or client.lost


@on_loop
async def test_a_connection_within_its_header_can_be_shed_drained_and_cut():
    server = listener()
    waiting, begun = server.connect(), server.connect()
    begun.send(LINE[:10])
    await settle()
    assert {each[0] for each in server.factory.idle()} == {1, 2}
    assert {each[1] for each in server.factory.idle()} == {server.clock.now}
    for _, _, connection in server.factory.idle():
        assert isinstance(connection, ProxiedConnection)
        connection.shed()
    await settle()
    assert waiting.lost
    assert begun.lost
    assert server.factory.counters.shed == 2
    cut = server.connect()
    assert server.factory.cut() == 1
    await settle()
    assert cut.aborted
    drained, late = server.connect(), server.connect()
    server.factory.drain()
    await settle()
    late.send(LINE + GET)
    await settle()
    assert late.response().one("connection") == "close"
    assert not drained.lost
    server.pass_time(1.5)
    await settle()
    assert drained.lost
    assert not server.factory.connections


@on_loop
async def test_the_limit_of_connections_counts_each_once():
    server = listener(limits=Limits(connections=2))
    clients = [server.connect() for _ in range(2)]
    assert server.full == ["full"]
    clients[0].send(LINE + GET)
    await settle()
    assert (server.full, len(server.factory.connections)) == (["full"], 2)
    clients[0].reset()
    await settle()
    assert server.full == ["full", "room"]


@on_loop
async def test_forwarded_headers_are_judged_by_whom_the_header_names():
    """A proxy that passes bytes on did not write them."""
    said = GET[:-2] + b"X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n\r\n"
    server = listener(forwarded="x-forwarded")
    assert await told(server, LINE + said) == NAMED
    assert await told(server, LOCAL + said) == "(('6.6.6.6', 0), ('192.0.2.1', 80), 'https')"
    through = listener(trusted=("192.0.2.0/24", "203.0.113.0/24"), forwarded="x-forwarded")
    assert await told(through, LINE + said) == "(('6.6.6.6', 0), ('198.51.100.1', 443), 'https')"


@on_loop
async def test_only_listeners_that_ask_for_it_pay():
    plain = Server(tells_ends)
    assert type(plain.connect().protocol) is HTTP1Connection
    client = (server := listener()).connect()
    assert verifyObject(IProtocol, client.protocol)
    assert verifyObject(IHalfCloseableProtocol, client.protocol)
    await told(server, LINE + GET, client)
    assert type(client.protocol) is HTTP1Connection
    gc.collect()
    assert not any(type(each) is ProxiedConnection for each in gc.get_objects())
