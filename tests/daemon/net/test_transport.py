from __future__ import annotations

import asyncio
import socket
from contextlib import closing

import pytest
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IConsumer,
    IHalfCloseableProtocol,
    IPushProducer,
    ISystemHandle,
    ITCPTransport,
)
from twisted.internet.protocol import Factory, Protocol
from zope.interface import implementer
from zope.interface.verify import verifyObject

LOOPBACK = "127.0.0.1"
LARGE = b"x" * (8 * 1024 * 1024)  # more than the kernel's buffers on both sides hold


class Probe(Protocol):
    """Notes what it is told, and lets a test wait for it."""

    def __init__(self) -> None:
        self.events: asyncio.Queue = asyncio.Queue()
        self.received = b""
        self.lost = None

    def connectionMade(self):
        self.events.put_nowait("made")

    def dataReceived(self, data):
        self.received += data
        self.events.put_nowait("data")

    def connectionLost(self, reason):
        self.lost = reason.type
        self.events.put_nowait("lost")

    async def until(self, wanted: str) -> None:
        while await self.events.get() != wanted:
            pass


@implementer(IHalfCloseableProtocol)
class HalfClosing(Probe):
    def readConnectionLost(self):
        self.events.put_nowait("read lost")

    def writeConnectionLost(self):
        self.events.put_nowait("write lost")


class Producer:
    """Notes what a consumer asks of it."""

    def __init__(self, on_resume=lambda: None) -> None:
        self.calls: list[str] = []
        self.called = asyncio.Event()
        self.on_resume = on_resume

    def _note(self, call: str) -> None:
        self.calls.append(call)
        self.called.set()

    def pauseProducing(self):
        self._note("pause")

    def resumeProducing(self):
        self._note("resume")
        self.on_resume()

    def stopProducing(self):
        self._note("stop")


async def connected(reactor, protocol, interface=LOOPBACK):
    """A blocking-free client socket, connected to ``protocol``."""
    factory = Factory()
    factory.noisy = False
    factory.buildProtocol = lambda _address: protocol
    port = reactor.listenTCP(0, factory, 50, interface)
    family = socket.AF_INET6 if ":" in interface else socket.AF_INET
    client = socket.socket(family, socket.SOCK_STREAM)
    client.setblocking(False)
    await reactor.loop.sock_connect(client, (interface, port.getHost().port))
    await protocol.until("made")
    return client


async def read_all(loop, client) -> bytes:
    pieces = []
    while piece := await loop.sock_recv(client, 1 << 20):
        pieces.append(piece)
    return b"".join(pieces)


@pytest.mark.parametrize("interface", [LOOPBACK, "::1"])
def test_it_keeps_the_interfaces_it_claims_and_knows_both_ends(reactor, run, interface):
    async def scenario():
        protocol = Probe()
        with closing(await connected(reactor, protocol, interface)) as client:
            transport = protocol.transport
            for interface_ in (ITCPTransport, IPushProducer, IConsumer, ISystemHandle):
                assert verifyObject(interface_, transport)
            assert (transport.getPeer().host, transport.getPeer().port) == client.getsockname()[:2]
            assert (transport.getHost().host, transport.getHost().port) == client.getpeername()[:2]
            assert socket.socket(fileno=transport.fileno()).detach() == transport.fileno()
            transport.setTcpKeepAlive(True)
            transport.setTcpNoDelay(False)
            assert transport.getTcpKeepAlive()
            assert not transport.getTcpNoDelay()

    run(scenario())


def test_a_client_that_ends_its_side_still_gets_the_answer_of_a_half_closeable_protocol(reactor, run):
    async def scenario():
        protocol = HalfClosing()
        with closing(await connected(reactor, protocol)) as client:
            await reactor.loop.sock_sendall(client, b"request")
            client.shutdown(socket.SHUT_WR)
            await protocol.until("read lost")
            assert protocol.received == b"request"
            protocol.transport.resumeProducing()  # must not find the end a second time
            protocol.transport.write(LARGE)
            protocol.transport.loseConnection()
            assert len(await read_all(reactor.loop, client)) == len(LARGE)
            await protocol.until("lost")
        assert protocol.lost is ConnectionDone
        assert protocol.events.empty()

    run(scenario())


def test_a_client_that_ends_its_side_loses_a_protocol_that_knows_no_half_close(reactor, run):
    async def scenario():
        protocol = Probe()
        with closing(await connected(reactor, protocol)) as client:
            client.shutdown(socket.SHUT_WR)
            await protocol.until("lost")
        assert protocol.lost is ConnectionDone

    run(scenario())


@pytest.mark.parametrize("size", [0, 5, len(LARGE)])
def test_losing_the_write_side_sends_everything_and_then_the_end_and_goes_on_reading(reactor, run, size):
    async def scenario():
        protocol = HalfClosing()
        with closing(await connected(reactor, protocol)) as client:
            protocol.transport.write(LARGE[:size])
            protocol.transport.loseWriteConnection()
            protocol.transport.loseWriteConnection()
            assert len(await read_all(reactor.loop, client)) == size
            await protocol.until("write lost")
            protocol.transport.write(b"too late")
            await reactor.loop.sock_sendall(client, b"still heard")
            await protocol.until("data")
            assert protocol.received == b"still heard"
            protocol.transport.loseConnection()
            await protocol.until("lost")

    run(scenario())


def test_losing_the_connection_sends_everything_that_was_written(reactor, run):
    async def scenario():
        protocol = Probe()
        with closing(await connected(reactor, protocol)) as client:
            protocol.transport.writeSequence([b"head ", LARGE])
            protocol.transport.loseConnection()
            assert protocol.transport.disconnecting
            assert protocol.lost is None, "not called from within loseConnection"
            assert len(await read_all(reactor.loop, client)) == len(LARGE) + 5
            await protocol.until("lost")
        assert protocol.lost is ConnectionDone

    run(scenario())


def test_aborting_resets_the_peer_and_drops_what_was_not_sent(reactor, run):
    async def scenario():
        protocol = Probe()
        with closing(await connected(reactor, protocol)) as client:
            protocol.transport.write(LARGE)
            protocol.transport.abortConnection()
            protocol.transport.abortConnection()
            with pytest.raises(ConnectionResetError):
                await read_all(reactor.loop, client)
            await protocol.until("lost")
        assert protocol.lost is ConnectionAborted
        assert protocol.events.empty()

    run(scenario())


def test_a_reset_of_the_peer_is_a_lost_connection(reactor, run):
    async def scenario():
        protocol = HalfClosing()
        client = await connected(reactor, protocol)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
        await protocol.until("lost")
        assert protocol.lost is ConnectionLost

    run(scenario())


def test_everything_may_be_called_on_a_lost_connection(reactor, run):
    async def scenario():
        protocol = Probe()
        client = await connected(reactor, protocol)
        transport = protocol.transport
        peer = transport.getPeer()
        client.close()
        await protocol.until("lost")
        await asyncio.sleep(0)
        transport.write(b"x")
        transport.writeSequence([b"x"])
        transport.loseConnection()
        transport.loseWriteConnection()
        transport.abortConnection()
        transport.pauseProducing()
        transport.resumeProducing()
        transport.unregisterProducer()
        producer = Producer()
        transport.registerProducer(producer, True)
        assert producer.calls == ["stop"]
        assert (transport.fileno(), transport.get_write_buffer_size()) == (-1, 0)
        assert transport.getPeer() == peer
        assert reactor.transports == set()

    run(scenario())


def test_a_protocol_that_raises_loses_its_connection_for_that_reason(reactor, run):
    class Raising(Probe):
        def dataReceived(self, data):
            raise ZeroDivisionError

    async def scenario():
        protocol = Raising()
        with closing(await connected(reactor, protocol)) as client:
            await reactor.loop.sock_sendall(client, b"x")
            assert await read_all(reactor.loop, client) == b""
            await protocol.until("lost")
        assert protocol.lost is ZeroDivisionError

    run(scenario())


def test_a_streaming_producer_is_paused_when_the_client_does_not_read_and_resumed_when_it_has(reactor, run):
    async def scenario():
        protocol = Probe()
        with closing(await connected(reactor, protocol)) as client:
            producer = Producer()
            protocol.transport.registerProducer(producer, True)
            protocol.transport.write(LARGE)
            assert producer.calls == ["pause"]
            assert protocol.transport.get_write_buffer_size() > 0
            got = 0
            while got < len(LARGE):
                got += len(await reactor.loop.sock_recv(client, 1 << 20))
            producer.called.clear()
            if "resume" not in producer.calls:
                await producer.called.wait()
            assert producer.calls == ["pause", "resume"]
            assert protocol.transport.get_write_buffer_size() == 0
            protocol.transport.loseConnection()  # in a turn of its own
            protocol.transport.write(b"its last words")
            protocol.transport.unregisterProducer()
            assert await read_all(reactor.loop, client) == b"its last words"

    run(scenario())


@pytest.mark.parametrize("size", [1, len(LARGE)])
def test_a_streaming_producer_does_not_hold_a_close(reactor, run, size):
    """Twisted's TLS leaves the protocol's producer registered where the client has ended the session."""

    async def scenario():
        protocol = Probe()
        with closing(await connected(reactor, protocol)) as client:
            protocol.transport.registerProducer(Producer(), True)
            protocol.transport.write(LARGE[:size])
            protocol.transport.loseConnection()
            assert len(await read_all(reactor.loop, client)) == size
            await protocol.until("lost")

    run(scenario())


def test_a_streaming_producer_that_comes_while_the_buffer_is_full_is_paused_at_once(reactor, run):
    async def scenario():
        protocol = Probe()
        with closing(await connected(reactor, protocol)):
            protocol.transport.write(LARGE)
            producer = Producer()
            protocol.transport.registerProducer(producer, True)
            assert producer.calls == ["pause"]
            with pytest.raises(RuntimeError):
                protocol.transport.registerProducer(Producer(), True)
            protocol.transport.abortConnection()
            await protocol.until("lost")
            assert producer.calls == ["pause", "stop"]

    run(scenario())


def test_a_pull_producer_is_asked_again_only_when_what_it_wrote_has_left(reactor, run):
    async def scenario():
        protocol = Probe()
        with closing(await connected(reactor, protocol)) as client:
            transport = protocol.transport
            sizes = [1, len(LARGE), 0, 1]
            buffered = []

            def produce() -> None:
                buffered.append(transport.get_write_buffer_size())
                if len(buffered) > 2:
                    transport.unregisterProducer()
                    transport.loseConnection()
                else:
                    transport.write(LARGE[: sizes[len(buffered) - 1]])

            producer = Producer(on_resume=produce)
            transport.registerProducer(producer, False)
            assert len(await read_all(reactor.loop, client)) == 1 + len(LARGE)
            assert buffered == [0, 0, 0]
            assert producer.calls == ["resume"] * 3

    run(scenario())


def test_reading_stops_while_paused_and_goes_on_where_it_stopped(reactor, run):
    async def scenario():
        protocol, other = Probe(), Probe()
        with closing(await connected(reactor, protocol)) as client:
            protocol.transport.pauseProducing()
            await reactor.loop.sock_sendall(client, b"while paused")
            (await connected(reactor, other)).close()
            await other.until("lost")
            assert protocol.received == b""
            protocol.transport.resumeProducing()
            await protocol.until("data")
            assert protocol.received == b"while paused"

    run(scenario())


def test_reading_that_was_paused_as_the_connection_was_made_stays_paused(reactor, run):
    class Pausing(Probe):
        def connectionMade(self):
            self.transport.pauseProducing()
            super().connectionMade()

    async def scenario():
        protocol, other = Pausing(), Probe()
        with closing(await connected(reactor, protocol)) as client:
            await reactor.loop.sock_sendall(client, b"1")
            (await connected(reactor, other)).close()
            await other.until("lost")
            await reactor.loop.sock_sendall(client, b"2")
            assert protocol.received == b""
            protocol.transport.resumeProducing()
            while protocol.received != b"12":
                await protocol.until("data")
            await reactor.loop.sock_sendall(client, b"3")
            while protocol.received != b"123":
                await protocol.until("data")

    run(scenario())


def test_what_comes_goes_to_the_protocol_that_took_over(reactor, run):
    async def scenario():
        first, second = Probe(), Probe()
        with closing(await connected(reactor, first)) as client:
            await reactor.loop.sock_sendall(client, b"to the first")
            await first.until("data")
            first.transport.protocol = second
            await reactor.loop.sock_sendall(client, b"to the second")
            await second.until("data")
        await second.until("lost")
        assert (first.received, second.received) == (b"to the first", b"to the second")
        assert first.lost is None

    run(scenario())
