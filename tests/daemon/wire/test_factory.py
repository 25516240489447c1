"""The listener's side of connections: limits, counters, peers, the sweep's interval."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocol, IProtocolFactory
from zope.interface.verify import verifyObject

from asgid.config.spec import Limits, Timeouts, WebSocketOptions
from support.connections import Server, on_loop, settle, spec

GET = b"GET / HTTP/1.1\r\nHost: site\r\n\r\n"
NEVER = Timeouts(request_head_s=0, request_body_s=0, keep_alive_s=0, response_write_s=0)
SILENT = WebSocketOptions(ping_interval_s=0, ping_timeout_s=0, connect_s=0)


async def tells_peer(scope: Any, receive: Any, send: Any) -> None:
    body = repr((scope["client"], scope["server"], scope["scheme"])).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


@on_loop
async def test_it_is_a_protocol_factory_of_half_closeable_protocols():
    factory = Server(tells_peer).factory
    assert verifyObject(IProtocolFactory, factory)
    protocol = factory.buildProtocol(IPv4Address("TCP", "192.0.2.7", 5000))
    assert verifyObject(IProtocol, protocol)
    assert verifyObject(IHalfCloseableProtocol, protocol)


@on_loop
async def test_connections_are_counted_while_they_live():
    server = Server(tells_peer)
    clients = [server.connect() for _ in range(3)]
    assert (server.factory.counters.accepted, len(server.factory.connections)) == (3, 3)
    clients[0].reset()
    clients[1].finish()
    await settle()
    assert (server.factory.counters.accepted, len(server.factory.connections)) == (3, 1)


@on_loop
async def test_the_limit_on_connections_is_told_when_it_is_reached_and_when_there_is_room():
    server = Server(tells_peer, limits=Limits(connections=2))
    clients = [server.connect() for _ in range(2)]
    assert server.full == ["full"]
    late = server.connect()  # accepted before the port could stop: it is served, and told of no second time
    assert server.full == ["full"]
    late.send(GET)
    await settle()
    assert late.response().status == 200
    clients[0].reset()
    await settle()
    assert server.full == ["full"]  # two are left: there is no room yet
    clients[1].reset()
    await settle()
    assert server.full == ["full", "room"]
    server.connect()
    assert server.full == ["full", "room", "full"]


@on_loop
async def test_no_limit_on_connections_is_never_reached():
    server = Server(tells_peer, limits=Limits(connections=0))
    for _ in range(100):
        server.connect().reset()
    await settle()
    assert server.full == []


@pytest.mark.parametrize(
    ("client", "host", "told"),
    [
        (
            IPv4Address("TCP", "192.0.2.7", 5000), IPv4Address("TCP", "192.0.2.1", 80),
            (("192.0.2.7", 5000), ("192.0.2.1", 80), "http"),
        ),
        (
            IPv6Address("TCP", "2001:db8::7", 5000), IPv6Address("TCP", "2001:db8::1", 80),
            (("2001:db8::7", 5000), ("2001:db8::1", 80), "http"),
        ),
        (UNIXAddress(None), UNIXAddress("/run/site.sock"), (None, None, "http")),
        # reset before it was accepted: nobody can tell who it was
        (UNIXAddress(None), IPv4Address("TCP", "192.0.2.1", 80), (None, ("192.0.2.1", 80), "http")),
    ],
)  # fmt: skip
@on_loop
async def test_the_two_ends_are_those_of_the_transport(client, host, told):
    connection = Server(tells_peer).connect(client, host)
    connection.send(GET)
    await settle()
    scope_client, scope_server, scheme = told
    body = connection.response().body.decode()
    assert body.startswith(f"({scope_client!r}, ")
    assert body.endswith(f"{scheme!r})")
    if scope_server is not None:
        assert repr(scope_server) in body


@on_loop
async def test_a_transport_with_a_certificate_is_https():
    server = Server(tells_peer)
    client = server.connect()
    client.getPeerCertificate = lambda: None  # what twisted.protocols.tls has and a plain transport has not
    client.send(GET)
    await settle()
    assert client.response().body.endswith(b"'https')")


@pytest.mark.parametrize(
    ("timeouts", "websocket", "interval"),
    [
        (Timeouts(), WebSocketOptions(), 1.0),
        (NEVER._replace(request_head_s=2), SILENT, 0.5),
        (NEVER._replace(request_body_s=1), SILENT, 0.25),
        (NEVER._replace(keep_alive_s=0.4), SILENT, 0.1),
        (NEVER._replace(response_write_s=3), SILENT, 0.75),
        (NEVER._replace(application_s=1), SILENT, 0.25),
        (NEVER, SILENT._replace(connect_s=1), 0.25),
        (NEVER, SILENT._replace(ping_interval_s=1), 0.25),
        (NEVER, SILENT._replace(ping_timeout_s=1), 0.25),
        (NEVER, SILENT._replace(lifetime_s=1), 0.25),
        (NEVER, SILENT, 1.0),
        (NEVER._replace(keep_alive_s=0.001), SILENT, 0.01),
    ],
)
@on_loop
async def test_the_sweep_wants_a_quarter_of_the_shortest_timeout(timeouts, websocket, interval):
    factory = Server(tells_peer).factory
    factory.timeouts = timeouts
    factory.spec = spec(timeouts=timeouts, websocket=websocket)
    assert factory.sweep_interval_s == interval


@on_loop
async def test_a_sweep_may_end_connections_while_it_looks_at_them():
    server = Server(tells_peer)
    clients = [server.connect() for _ in range(50)]
    server.pass_time(11)
    await settle()
    assert all(client.lost for client in clients)
    assert not server.factory.connections
