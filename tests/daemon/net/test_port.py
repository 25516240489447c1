from __future__ import annotations

import asyncio
import errno
import socket
import subprocess
import sys
from contextlib import closing, suppress

import pytest
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import Factory, Protocol

LOOPBACK = "127.0.0.1"


class Recording(Factory):
    """Echoes, and counts how many connections there are at once."""

    noisy = False

    def __init__(self, limit: int = 0) -> None:
        self.limit = limit
        self.now = self.peak = self.total = 0
        self.stopped = asyncio.Event()
        self.full = asyncio.Event()
        self.port = None

    def buildProtocol(self, addr):
        return Echo(self)

    def doStop(self):
        super().doStop()
        self.stopped.set()

    def came(self) -> None:
        self.now += 1
        self.total += 1
        self.peak = max(self.peak, self.now)
        if self.limit and self.now == self.limit:
            self.port.pause_accepting()
            self.full.set()

    def left(self) -> None:
        if self.limit and self.now == self.limit:
            self.port.resume_accepting()
        self.now -= 1


class Echo(Protocol):
    def __init__(self, counter: Recording) -> None:
        self.counter = counter

    def connectionMade(self):
        self.counter.came()

    def dataReceived(self, data):
        self.transport.write(data)

    def connectionLost(self, reason):
        self.counter.left()


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=60, check=False
    )


async def exchange(port: int, payload: bytes = b"x", hold: asyncio.Event | None = None) -> bytes:
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        if hold is not None:
            await hold.wait()
        writer.write(payload)
        return await reader.readexactly(len(payload))
    finally:
        writer.close()
        await writer.wait_closed()


def test_two_hundred_clients_at_a_limit_of_ten_are_all_served_ten_at_a_time(reactor, run):
    factory = Recording(limit=10)
    factory.port = port = reactor.listenTCP(0, factory, 2048, LOOPBACK)
    number = port.getHost().port

    async def storm():
        return await asyncio.gather(*(exchange(number, hold=factory.full) for _ in range(200)))

    assert run(storm()) == [b"x"] * 200
    assert factory.peak == 10
    assert factory.total == 200


def test_a_paused_port_leaves_clients_in_the_backlog_until_it_accepts_again(reactor, run):
    factory = Recording()
    port = reactor.listenTCP(0, factory, 16, LOOPBACK)
    number = port.getHost().port

    async def scenario():
        port.pause_accepting()
        port.pause_accepting()
        reader, writer = await asyncio.open_connection(LOOPBACK, number)
        writer.write(b"early")
        assert await exchange_on_another_port() == b"x"
        assert factory.total == 0
        port.resume_accepting()
        port.resume_accepting()
        assert await reader.readexactly(5) == b"early"
        writer.close()
        await writer.wait_closed()

    async def exchange_on_another_port():
        other = reactor.listenTCP(0, Recording(), 16, LOOPBACK)
        return await exchange(other.getHost().port)

    run(scenario())
    assert factory.total == 1


def test_resuming_keeps_the_backlog_that_was_asked_for(reactor):
    port = reactor.listenTCP(0, Recording(), 7, LOOPBACK)
    port.pause_accepting()
    port.resume_accepting()
    assert reactor.adoptStreamPort(port.fileno(), socket.AF_INET, Recording()).backlog == 7


def test_an_address_in_use_is_refused_at_once(reactor):
    with closing(socket.create_server((LOOPBACK, 0))) as held, pytest.raises(CannotListenError) as refused:
        reactor.listenTCP(held.getsockname()[1], Recording(), 50, LOOPBACK)
    assert refused.value.socketError.errno == errno.EADDRINUSE


def test_stopping_closes_the_socket_before_its_deferred_fires_and_stops_the_factory(reactor, run):
    factory = Recording()
    port = reactor.listenTCP(0, factory, 50, LOOPBACK)
    number = port.getHost().port

    async def scenario():
        await port.stopListening().asFuture(reactor.loop)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(LOOPBACK, number)
        await factory.stopped.wait()
        assert await port.stopListening().asFuture(reactor.loop) is None

    run(scenario())
    assert port.fileno() == -1
    reactor.listenTCP(number, Recording(), 50, LOOPBACK)


def crowd(place: str | tuple[str, int], count: int) -> list[socket.socket]:
    """Connect so many clients, each of which has said something, while the loop does nothing."""
    clients = []
    for number in range(count):
        client = socket.socket(socket.AF_UNIX if isinstance(place, str) else socket.AF_INET)
        client.settimeout(20)
        client.connect(place)
        client.sendall(b"%04d" % number)
        clients.append(client)
    return clients


async def heard(clients: list[socket.socket]) -> list[bytes]:
    """What each client hears; empty where it was reset."""

    def hear(client: socket.socket) -> bytes:
        with client, suppress(OSError):
            return client.recv(4)
        return b""

    loop = asyncio.get_running_loop()
    return [await loop.run_in_executor(None, hear, client) for client in clients]


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_who_waits_in_the_backlog_when_a_port_stops_is_served(reactor, run, tmp_path, kind):
    factory = Recording()
    place: str | tuple[str, int] = str(tmp_path / "sock")
    if kind == "tcp":
        port = reactor.listenTCP(0, factory, 200, LOOPBACK)
        place = (LOOPBACK, port.getHost().port)
    else:
        port = reactor.listenUNIX(place, factory, 200)

    async def scenario():
        clients = crowd(place, 150)
        await port.stopListening().asFuture(reactor.loop)
        with closing(socket.socket(socket.AF_UNIX if kind == "unix" else socket.AF_INET)) as late:
            assert late.connect_ex(place) in (errno.ECONNREFUSED, errno.ENOENT)
        assert await heard(clients) == [b"%04d" % number for number in range(150)]

    run(scenario())
    assert factory.total == 150


def test_a_port_stops_though_others_come_all_the_while(reactor, run):
    factory = Recording()
    clients: list[socket.socket] = []
    port = reactor.listenTCP(0, factory, 20, LOOPBACK)
    place = (LOOPBACK, port.getHost().port)

    def more() -> None:
        if port.connected:
            clients.extend(crowd(place, 4))
            reactor.loop.call_soon(more)

    async def scenario():
        more()
        await port.stopListening().asFuture(reactor.loop)

    run(scenario())
    assert factory.total <= len(clients) <= 60
    for client in clients:
        client.close()


def test_who_waits_in_the_backlog_of_a_shared_socket_is_left_to_the_next_server(reactor, run):
    first, second = Recording(), Recording()
    with socket.create_server((LOOPBACK, 0), backlog=100) as listening:
        place = listening.getsockname()
        port = reactor.adoptStreamPort(listening.fileno(), socket.AF_INET, first)

        async def scenario():
            clients = crowd(place, 50)
            await port.stopListening().asFuture(reactor.loop)
            taken = first.total
            reactor.adoptStreamPort(listening.fileno(), socket.AF_INET, second)
            assert await heard(clients) == [b"%04d" % number for number in range(50)]
            return taken

        assert run(scenario()) == 0
        assert second.total == 50


def test_stopping_while_paused_works_and_resuming_afterwards_does_nothing(reactor, run):
    port = reactor.listenTCP(0, Recording(), 50, LOOPBACK)
    port.pause_accepting()

    async def scenario():
        await port.stopListening().asFuture(reactor.loop)

    run(scenario())
    port.resume_accepting()
    assert not port.is_reading()


def test_connections_outlive_their_port(reactor, run):
    port = reactor.listenTCP(0, Recording(), 50, LOOPBACK)
    number = port.getHost().port

    async def scenario():
        reader, writer = await asyncio.open_connection(LOOPBACK, number)
        writer.write(b"1")
        assert await reader.readexactly(1) == b"1"
        await port.stopListening().asFuture(reactor.loop)
        writer.write(b"2")
        assert await reader.readexactly(1) == b"2"
        writer.close()
        await writer.wait_closed()

    run(scenario())


@pytest.mark.parametrize("raising", ["buildProtocol", "connectionMade", "nothing built"])
def test_a_factory_that_fails_costs_one_connection_and_not_the_port(reactor, run, raising):
    class Failing(Recording):
        failures = 1

        def buildProtocol(self, addr):
            if self.failures and raising != "connectionMade":
                self.failures -= 1
                if raising == "nothing built":
                    return None
                raise ValueError("a mistake")
            protocol = super().buildProtocol(addr)
            if self.failures:
                self.failures -= 1
                protocol.connectionMade = None
            return protocol

    factory = Failing()
    port = reactor.listenTCP(0, factory, 50, LOOPBACK)
    number = port.getHost().port

    async def scenario():
        reader, writer = await asyncio.open_connection(LOOPBACK, number)
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
        assert await exchange(number) == b"x"

    run(scenario())
    assert reactor.transports == set()


def test_the_reactor_runs_stops_and_closes_what_is_open():
    program = """
from asgid.daemon.net import install
reactor = install()
import asyncio, os, signal, socket
from twisted.internet import reactor as global_reactor
from twisted.internet.protocol import Factory, Protocol
assert global_reactor is reactor
assert asyncio.get_event_loop() is reactor.loop
class Saying(Protocol):
    def connectionMade(self):
        client.recv  # the peer is held open
        reactor.callFromThread(print, "made", flush=True)
        reactor.callLater(0, os.kill, os.getpid(), signal.SIGTERM)
    def connectionLost(self, reason):
        print("lost", reason.type.__name__, flush=True)
port = reactor.listenTCP(0, Factory.forProtocol(Saying), 50, "127.0.0.1")
client = socket.create_connection(("127.0.0.1", port.getHost().port))
reactor.addSystemEventTrigger("after", "shutdown", print, "shut down", flush=True)
reactor.run()
print("returned", port.connected, flush=True)
client.close()
reactor.loop.close()
"""
    done = python("-W", "error", "-c", program)
    assert done.stdout.split("\n")[:4] == ["made", "lost ConnectionLost", "shut down", "returned False"]
    assert "Traceback" not in done.stderr
    assert done.returncode == 0


def test_a_process_of_twisteds_is_noticed_when_it_ends_with_its_pipes_closed_before():
    program = """
from asgid.daemon.net import install
reactor = install()
import sys
from twisted.internet.protocol import ProcessProtocol
class Child(ProcessProtocol):
    def processEnded(self, reason):
        print("ended", reason.value.exitCode, flush=True)
        reactor.stop()
code = "import os, time; os.closerange(0, 3); time.sleep(0.2); os._exit(7)"
reactor.spawnProcess(Child(), sys.executable, [sys.executable, "-c", code])
reactor.run()
"""
    assert python("-c", program).stdout == "ended 7\n"


def test_a_process_without_descriptors_sheds_connections_and_serves_again_when_it_has_some():
    program = """
import resource, socket
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
from asgid.daemon.net import install
reactor = install()
from twisted.internet.protocol import Factory, Protocol
class Echo(Protocol):
    def dataReceived(self, data):
        self.transport.write(data)
port = reactor.listenTCP(0, Factory.forProtocol(Echo), 200, "127.0.0.1")
number = port.getHost().port
def ask(client):
    try:
        client.sendall(b"x")
        return client.recv(1)
    except ConnectionError:
        return b""
def dial():
    client = socket.create_connection(("127.0.0.1", number), 20)
    return client, ask(client)
def scenario():
    try:
        held = [client for client, answer in [dial()] if answer]
        port_is_full = False
        while not port_is_full:
            try:
                client, answer = dial()
            except OSError:  # the clients' own descriptors ran out first
                held.pop().close()
                client, answer = dial()
            held.append(client)
            port_is_full = answer == b"" or len(held) > 60
        print("still up", ask(held[0]))
        for client in held:
            client.close()
        print("again", dial()[1])
    finally:
        reactor.callFromThread(reactor.stop)
reactor.callInThread(scenario)
reactor.run()
"""
    assert python("-c", program).stdout == "still up b'x'\nagain b'x'\n"


def test_a_port_that_was_paused_resumes_without_a_free_descriptor(reactor, run):
    import resource

    port = reactor.listenTCP(0, Recording(), 50, LOOPBACK)
    port.pause_accepting()
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        port.resume_accepting()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert run(exchange(port.getHost().port)) == b"x"


def test_a_subprocess_of_asyncio_is_noticed_when_it_ends_while_the_reactor_runs():
    program = """
from asgid.daemon.net import install
reactor = install()
import asyncio
from twisted.internet.defer import Deferred
async def child():
    process = await asyncio.create_subprocess_exec("true")
    print("status", await process.wait(), flush=True)
    reactor.stop()
reactor.callWhenRunning(lambda: reactor.loop.create_task(child()))
reactor.run()
"""
    done = python("-c", program)
    assert done.stdout == "status 0\n", done.stderr


class Ends(Factory):
    """Keeps what each connection says of its two ends."""

    noisy = False

    def __init__(self) -> None:
        self.seen = asyncio.get_running_loop().create_future()

    def buildProtocol(self, addr):
        factory = self

        class Tells(Protocol):
            def connectionMade(self):
                host, peer = self.transport.getHost(), self.transport.getPeer()
                said = (self.transport.ends(), ((peer.host, peer.port), (host.host, host.port)))
                factory.seen.set_result(said)
                self.transport.loseConnection()

        return Tells()


@pytest.mark.parametrize(
    ("bound", "family", "target"),
    [
        ("127.0.0.1", socket.AF_INET, "127.0.0.1"),
        ("0.0.0.0", socket.AF_INET, "127.0.0.3"),
        ("::1", socket.AF_INET6, "::1"),
        ("::", socket.AF_INET6, "::1"),
    ],
)
def test_the_ends_of_a_connection_are_what_the_kernel_says(reactor, run, bound, family, target):
    async def exchange():
        listening = socket.create_server((bound, 0), family=family)
        factory = Ends()
        port = reactor.listen_on(listening, factory, 5)
        with socket.create_connection((target, listening.getsockname()[1])) as client:
            said, by_address = await factory.seen
            assert said == by_address == (client.getsockname()[:2], client.getpeername()[:2])
            assert (port.own_name is None) == (bound in ("0.0.0.0", "::"))

    run(exchange())


def test_clients_accepted_together_beyond_the_limit_wait_with_what_they_sent(reactor, run):
    factory = Recording(limit=1)
    factory.port = port = reactor.listenTCP(0, factory, 16, LOOPBACK)
    number = port.getHost().port
    clients = [socket.create_connection((LOOPBACK, number)) for _ in range(4)]
    for client in clients:
        client.sendall(b"early")
    clients[3].shutdown(socket.SHUT_WR)

    async def answered(client):
        client.setblocking(False)
        return await reactor.loop.sock_recv(client, 5)

    async def scenario():
        await factory.full.wait()
        for _ in range(5):
            await asyncio.sleep(0)
        assert factory.total == 1
        for client in clients:
            with client:
                assert await answered(client) == b"early"
                assert factory.now == 1

    run(scenario())
    assert (factory.peak, factory.total) == (1, 4)


def test_clients_that_wait_for_room_are_cut_when_the_port_stops(reactor, run):
    factory = Recording(limit=1)
    factory.port = port = reactor.listenTCP(0, factory, 16, LOOPBACK)
    clients = [socket.create_connection((LOOPBACK, port.getHost().port)) for _ in range(3)]

    async def scenario():
        await factory.full.wait()
        await port.stopListening().asFuture(reactor.loop)
        for client in clients[1:]:
            client.setblocking(False)
            with client, suppress(ConnectionResetError):
                assert await reactor.loop.sock_recv(client, 1) == b""
        assert factory.total == 1
        clients[0].close()

    run(scenario())
