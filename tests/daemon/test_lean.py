"""What the start leaves for later works as ever when somebody wants it."""

from __future__ import annotations

import subprocess
import sys

import pytest

BEGIN = """
import asyncio, sys
from asgid.daemon import lean
import uvloop
from asgid.daemon.net.reactor import NativeReactor
loop = uvloop.new_event_loop()
reactor = NativeReactor(loop)
"""


def run(program: str) -> None:
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True)


def test_a_reactor_is_made_without_what_is_not_needed_for_it():
    run(f"""{BEGIN}
late = "ctypes html http.cookiejar OpenSSL pickle"
late += " twisted.internet.process twisted.internet.udp twisted.internet.unix twisted.internet.ssl"
assert not set(late.split()) & set(sys.modules), set(late.split()) & set(sys.modules)
""")


@pytest.mark.parametrize(
    "use",
    [
        "from twisted.python.compat import cookielib; cookielib.CookieJar().clear()",
        "from twisted.python.compat import escape; assert escape('<') == '&lt;'",
        "from twisted.python.reflect import fullFuncName as f; assert f(f).endswith('.fullFuncName')",
        "from ctypes import CDLL; CDLL(None)",
        "from twisted.web.client import Agent; Agent(reactor)",
        "from twisted.internet import endpoints; endpoints.clientFromString(reactor, 'unix:/nowhere')",
    ],
)
def test_what_was_put_off_is_there_for_who_wants_it(use):
    run(f"{BEGIN}\n{use}")


def test_a_datagram_is_heard():
    run(f"""{BEGIN}
from twisted.internet.protocol import DatagramProtocol
heard = []
class Hears(DatagramProtocol):
    def datagramReceived(self, data, address):
        heard.append(data)
        reactor.stop()
class Says(DatagramProtocol):
    def startProtocol(self):
        self.transport.write(b"hello", ("127.0.0.1", port.getHost().port))
port = reactor.listenUDP(0, Hears(), interface="127.0.0.1")
reactor.callWhenRunning(reactor.listenUDP, 0, Says(), interface="127.0.0.1")
reactor.callLater(20, reactor.stop)
reactor.run()
assert heard == [b"hello"], heard
""")


def test_a_client_connects_to_a_unix_socket(tmp_path):
    run(f"""{BEGIN}
from twisted.internet.protocol import ClientFactory, Factory, Protocol
heard = []
class Hears(Protocol):
    def dataReceived(self, data):
        heard.append(data)
        reactor.stop()
class Says(Protocol):
    def connectionMade(self):
        self.transport.write(b"hello")
reactor.listenUNIX({str(tmp_path / "s")!r}, Factory.forProtocol(Hears))
clients = ClientFactory.forProtocol(Says)
clients.noisy = False
reactor.connectUNIX({str(tmp_path / "s")!r}, clients)
reactor.callLater(20, reactor.stop)
reactor.run()
assert heard == [b"hello"], heard
""")


def test_a_process_runs_and_its_end_is_noticed():
    run(f"""{BEGIN}
from twisted.internet.protocol import ProcessProtocol
ended = []
class Ends(ProcessProtocol):
    def processEnded(self, reason):
        ended.append(reason.value.exitCode)
        reactor.stop()
reactor.callWhenRunning(reactor.spawnProcess, Ends(), "/bin/sh", ["sh", "-c", "exit 3"])
reactor.callLater(20, reactor.stop)
reactor.run()
assert ended == [3], ended
""")


def test_the_reactor_speaks_tls_although_the_module_ssl_waits_for_who_wants_it():
    program = """
import sys
import asgid.daemon.net.reactor
assert "twisted.internet.ssl" not in sys.modules
from twisted.internet import posixbase, ssl
assert posixbase.tls is not None
assert ssl.CertificateOptions is not None
"""
    run(program)


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
    run(program)
