from __future__ import annotations

import subprocess
import sys

import pytest

from asgid.daemon.net.imports import left_out, put_off


def test_a_module_that_is_left_out_cannot_be_imported_until_the_end():
    sys.modules.pop("this", None)
    with left_out("this"), pytest.raises(ModuleNotFoundError):
        import this  # noqa: F401
    assert "this" not in sys.modules


def test_a_module_that_was_imported_before_stays():
    import colorsys

    with left_out("colorsys"):
        assert sys.modules["colorsys"] is colorsys
        import colorsys as again
    assert again is colorsys is sys.modules["colorsys"]


def test_the_reactor_speaks_tls_although_the_module_ssl_waits_for_who_wants_it():
    program = """
import sys
import asgid.daemon.net.reactor
assert "twisted.internet.ssl" not in sys.modules
from twisted.internet import posixbase, ssl
assert posixbase.tls is not None
assert ssl.CertificateOptions is not None
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_module_that_is_put_off_is_imported_by_the_first_call():
    program = """
import sys
from asgid.daemon.net.imports import put_off
with put_off("colorsys", "sys", "rgb_to_hls"):
    from colorsys import rgb_to_hls as early
assert "colorsys" not in sys.modules
assert early(1, 1, b=1) == (0.0, 1.0, 0.0)
import colorsys
assert colorsys.rgb_to_hls is not early
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_module_that_is_put_off_for_what_cannot_be_found_is_imported_as_ever():
    with put_off("colorsys", "no_such_module", "rgb_to_hls"):
        import colorsys
    assert hasattr(colorsys, "hsv_to_rgb")


def test_a_client_starts_tls_on_a_reactor_that_has_not_imported_it():
    program = """
import asyncio, sys
import uvloop
from asgid.daemon.net.reactor import NativeReactor
loop = uvloop.new_event_loop()
reactor = NativeReactor(loop)
assert "OpenSSL" not in sys.modules
assert "twisted.protocols.tls" not in sys.modules
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.ssl import ClientContextFactory
seen = []
class Plain(Protocol):
    def dataReceived(self, data):
        seen.append(data[:2])  # a TLS record: handshake, version 3.x
        reactor.stop()
class Client(Protocol):
    def connectionMade(self):
        self.transport.startTLS(ClientContextFactory())
port = reactor.listenTCP(0, Factory.forProtocol(Plain), interface="127.0.0.1")
from twisted.internet.protocol import ClientFactory
class Clients(ClientFactory):
    protocol = Client
    noisy = False
reactor.connectTCP("127.0.0.1", port.getHost().port, Clients())
reactor.callLater(20, reactor.stop)
reactor.run()
assert seen == [bytes((22, 3))], seen
import twisted.protocols.tls
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True)
