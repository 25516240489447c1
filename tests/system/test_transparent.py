"""A transparent socket (IP_TRANSPARENT, ip(7)) takes connections to other addresses than its own."""

from __future__ import annotations

import socket

import pytest
import uvloop
from twisted.internet.protocol import Factory, Protocol

from asgid.daemon.net.reactor import NativeReactor


@pytest.mark.parametrize(
    ("family", "address", "level", "option"),
    [(socket.AF_INET, "127.0.0.1", socket.SOL_IP, 19), (socket.AF_INET6, "::1", socket.IPPROTO_IPV6, 75)],
)
def test_the_kernel_is_asked_for_the_local_end_of_each_connection(family, address, level, option):
    reactor = NativeReactor(uvloop.new_event_loop())
    try:
        for transparent in (0, 1):
            listening = socket.create_server((address, 0), family=family)
            listening.setsockopt(level, option, transparent)
            port = reactor.listen_on(listening, Factory.forProtocol(Protocol), 5)
            assert (port.own_name is None) == bool(transparent)
    finally:
        reactor.disconnectAll()
        reactor.loop.run_until_complete(reactor.loop.shutdown_asyncgens())
        reactor.loop.close()
