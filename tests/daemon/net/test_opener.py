from __future__ import annotations

import asyncio
import os
import re
import socket
import stat
import subprocess
import sys
from contextlib import closing

import pytest
from twisted.internet.protocol import Factory, Protocol

from asgid.config import endpoints
from asgid.daemon.net import OpenError, open_endpoint
from asgid.daemon.net.errors import (
    AddressAbsentError,
    DescriptorError,
    EndpointRefusedError,
    GroupAbsentError,
    InterfaceAbsentError,
    PathError,
    PathServedError,
    PathTakenError,
    PortHeldError,
    SystemdNameError,
    UserAbsentError,
)

HELLO = b"hello"


class Greeting(Protocol):
    def connectionMade(self):
        self.transport.write(HELLO)
        self.transport.loseConnection()


def greeting() -> Factory:
    factory = Factory.forProtocol(Greeting)
    factory.noisy = False
    return factory


@pytest.fixture
def opened(reactor, run):
    def opener(string, **options):
        async def listen():
            return await open_endpoint(reactor, string, **options).listen(greeting()).asFuture(reactor.loop)

        return run(listen())

    return opener


@pytest.fixture
def greeted(reactor, run):
    def dial(address: str) -> bytes:
        async def ask():
            if address.startswith("unix:"):
                reader, writer = await asyncio.open_unix_connection(address.removeprefix("unix:"))
            else:
                host, port = re.fullmatch(r"\[?(.*?)\]?:(\d+)", address).groups()
                reader, writer = await asyncio.open_connection(host, int(port))
            try:
                return await reader.read()
            finally:
                writer.close()
                await writer.wait_closed()

        return run(ask())

    return dial


@pytest.fixture
def closed(reactor, run):
    def close(port) -> None:
        async def stop():
            await port.stopListening().asFuture(reactor.loop)

        run(stop())

    return close


@pytest.mark.parametrize(
    ("string", "bound"),
    [
        ("tcp:0", [r"0\.0\.0\.0:\d+"]),
        ("tcp:0:interface=127.0.0.1", [r"127\.0\.0\.1:\d+"]),
        (r"tcp:0:interface=\:\:1", [r"\[::1\]:\d+"]),
        (r"tcp:0:interface=\:\:", [r"\[::\]:\d+", r"0\.0\.0\.0:\d+"]),
        (r"tcp:0:interface=0\:0\:0\:0\:0\:0\:0\:0", [r"\[::\]:\d+", r"0\.0\.0\.0:\d+"]),
        (r"tcp6:0:interface=\:\:", [r"\[::\]:\d+", r"0\.0\.0\.0:\d+"]),
        (r"asgid-tcp:port=0:interface=\:\:", [r"\[::\]:\d+"]),
        ("asgid-tcp:port=0:interface=127.0.0.1:device=lo", [r"127\.0\.0\.1:\d+"]),
    ],
)
def test_each_tcp_kind_binds_what_it_says_and_serves_on_it(opened, greeted, string, bound):
    port = opened(string)
    addresses = port.addresses()
    assert len(addresses) == len(bound)
    for address, pattern in zip(addresses, bound, strict=True):
        assert re.fullmatch(pattern, address)
        assert greeted(address.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]")) == HELLO
    assert len({address.rpartition(":")[2] for address in addresses}) == 1, "one port for both families"


def test_both_wildcards_are_served_on_one_port_by_two_strings(opened, greeted):
    number = opened("tcp:0:interface=0.0.0.0").getHost().port
    assert opened(rf"tcp:{number}:interface=\:\:", ipv6_only=True).addresses() == [f"[::]:{number}"]
    assert greeted(f"127.0.0.1:{number}") == HELLO
    assert greeted(f"[::1]:{number}") == HELLO


def test_a_group_pauses_resumes_and_closes_as_one(opened, closed, greeted):
    group = opened(r"tcp:0:interface=\:\:")
    group.pause_accepting()
    assert not any(port.is_reading() for port in group.ports)
    group.resume_accepting()
    assert greeted(f"127.0.0.1:{group.getHost().port}") == HELLO
    closed(group)
    with pytest.raises(ConnectionRefusedError):
        greeted(f"[::1]:{group.getHost().port}")


def test_half_of_a_group_that_fails_leaves_no_socket_open(opened):
    with closing(socket.create_server(("0.0.0.0", 0))) as held:
        number = held.getsockname()[1]
        with pytest.raises(PortHeldError):
            opened(rf"tcp:{number}:interface=\:\:")
        opened(rf"tcp:{number}:interface=\:\:1")


def test_a_held_port_names_its_holder(opened):
    with closing(socket.create_server(("127.0.0.1", 0))) as held:
        with pytest.raises(PortHeldError, match=rf"held by \S+ \(pid {os.getpid()}\)"):
            opened(f"tcp:{held.getsockname()[1]}:interface=127.0.0.1")


@pytest.mark.parametrize(
    ("string", "error", "words"),
    [
        ("tcp:0:interface=192.0.2.77", AddressAbsentError, "192.0.2.77"),
        (r"tcp:0:interface=fe80\:\:1%nosuch0", InterfaceAbsentError, "nosuch0"),
        (r"tcp:0:interface=fe80\:\:1", InterfaceAbsentError, "zone"),
        ("asgid-tcp:port=0:interface=127.0.0.1:device=nosuch0", InterfaceAbsentError, "nosuch0"),
        ("tcp:8005:interface=::1", EndpointRefusedError, "escaped"),
        ("tcp:99999", EndpointRefusedError, "99999"),
        ("tcp:8000\\", EndpointRefusedError, "backslash"),
        ("tcp:8000:nosuch=1", EndpointRefusedError, "nosuch"),
        ("nosuch:1", EndpointRefusedError, "nosuch"),
        ("ssl:0:privateKey=/nosuch.pem", EndpointRefusedError, "/nosuch.pem"),
        ("systemd:INET:index=0", EndpointRefusedError, "systemd"),
        ("fd:fileno=987654", DescriptorError, "not open"),
        ("asgid-systemd:name=web", SystemdNameError, "web"),
        ("unix:/nosuch/directory/socket", PathError, "/nosuch/directory"),
        ("asgid-unix:path=/tmp/x:owner=no-such-user", UserAbsentError, "no-such-user"),
        ("asgid-unix:path=/tmp/x:group=no-such-group", GroupAbsentError, "no-such-group"),
    ],
)
def test_what_cannot_be_opened_is_one_clear_error(opened, string, error, words):
    with pytest.raises(error) as raised:
        opened(string)
    assert words in raised.value.message
    assert re.fullmatch(r"ASG[389]\d\d", raised.value.code)


def test_an_address_that_is_not_there_yet_is_bound_where_it_is_asked_for(opened):
    assert opened("asgid-tcp:port=0:interface=192.0.2.77:freebind=1").getHost().host == "192.0.2.77"


# unix sockets


def asgid_unix(path, mode: int = 0o660, **options) -> str:
    return str(endpoints.asgid_unix(str(path), mode, 50, **options))


def test_a_unix_socket_has_its_mode_and_serves_and_goes_with_its_port(opened, closed, greeted, tmp_path):
    path = tmp_path / "a=b:c.sock"
    port = opened(asgid_unix(path, 0o604))
    assert stat.S_IMODE(path.stat().st_mode) == 0o604
    assert port.addresses() == [f"unix:{path}"]
    assert greeted(f"unix:{path}") == HELLO
    closed(port)
    assert list(tmp_path.iterdir()) == []


def test_a_stock_unix_string_makes_the_socket_anybodys_and_leaves_no_lock(opened, closed, tmp_path):
    port = opened(f"unix:{tmp_path / 's'}")
    assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o666
    assert [each.name for each in tmp_path.iterdir()] == ["s"]
    closed(port)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_unix_socket_has_its_owner_and_group_by_name_and_by_number(opened, tmp_path):
    opened(asgid_unix(tmp_path / "named", owner="nobody", group="nogroup"))
    opened(asgid_unix(tmp_path / "numbered", owner="1234", group="4321"))
    named, numbered = (tmp_path / "named").stat(), (tmp_path / "numbered").stat()
    assert named.st_uid > 0
    assert named.st_gid > 0
    assert (numbered.st_uid, numbered.st_gid) == (1234, 4321)


def test_a_stale_socket_is_replaced(opened, greeted, tmp_path):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
        dead.listen()
    opened(asgid_unix(path))
    assert greeted(f"unix:{path}") == HELLO
    assert [each.name for each in tmp_path.iterdir()] == ["s"]


@pytest.mark.parametrize("listens", [True, False])
def test_a_live_socket_is_left_alone_also_when_it_does_not_listen_yet(opened, tmp_path, listens):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as live:
        live.bind(str(path))
        if listens:
            live.listen()
        before = path.stat().st_ino
        with pytest.raises(PathServedError, match=rf"pid {os.getpid()}\)"):
            opened(asgid_unix(path))
        assert path.stat().st_ino == before


def test_a_live_socket_whose_backlog_is_full_is_left_alone(opened, tmp_path):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as live, socket.socket(socket.AF_UNIX) as first:
        live.bind(str(path))
        live.listen(0)
        first.connect(str(path))
        with pytest.raises(PathServedError):
            opened(asgid_unix(path))


@pytest.mark.parametrize("kind", ["file", "directory", "link to a file"])
def test_what_is_no_socket_is_left_alone(opened, tmp_path, kind):
    path, target = tmp_path / "s", tmp_path / "target"
    target.write_text("precious")
    if kind == "directory":
        path.mkdir()
    elif kind == "file":
        path.write_text("precious")
    else:
        path.symlink_to(target)
    with pytest.raises(PathTakenError):
        opened(asgid_unix(path))
    assert path.exists()
    assert target.read_text() == "precious"


def test_a_path_that_is_somebody_elses_by_now_is_not_removed(opened, closed, tmp_path):
    path = tmp_path / "s"
    port = opened(asgid_unix(path))
    path.unlink()
    with socket.socket(socket.AF_UNIX) as successor:
        successor.bind(str(path))
        closed(port)
        assert path.exists()


def test_an_abstract_socket_works_and_leaves_nothing(reactor, run):
    path = f"\0asgid-test-{os.getpid()}"

    async def scenario():
        port = reactor.listenUNIX(path, greeting())
        with socket.socket(socket.AF_UNIX) as client:
            client.setblocking(False)
            await reactor.loop.sock_connect(client, path)
            assert await reactor.loop.sock_recv(client, 100) == HELLO
        assert port.addresses() == [f"unix:@{path[1:]}"]

    run(scenario())


# inherited descriptors


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6, socket.AF_UNIX])
def test_a_descriptor_of_any_family_is_adopted_and_neither_touched_nor_removed(opened, closed, greeted, tmp_path, family):
    path = tmp_path / "s"
    with socket.socket(family) as sock:
        sock.bind({socket.AF_INET: ("127.0.0.1", 0), socket.AF_INET6: ("::1", 0), socket.AF_UNIX: str(path)}[family])
        sock.listen(7)
        if family == socket.AF_UNIX:
            path.chmod(0o640)
        os.set_inheritable(sock.fileno(), True)
        port = opened(f"fd:fileno={sock.fileno()}")
        assert not os.get_inheritable(sock.fileno())
        assert greeted(port.addresses()[0]) == HELLO
        if family != socket.AF_UNIX:
            info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
            assert int.from_bytes(info[28:32], sys.byteorder) == 7, "the backlog is what it was"
        closed(port)
        if family == socket.AF_UNIX:
            assert stat.S_IMODE(path.stat().st_mode) == 0o640
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1


@pytest.mark.parametrize("kind", ["file", "datagram", "not listening", "connected"])
def test_a_descriptor_that_is_no_listening_stream_socket_is_refused(opened, tmp_path, kind):
    left, right = socket.socketpair()
    with left, right, socket.socket(type=socket.SOCK_DGRAM) as datagram, socket.socket() as idle:
        with (tmp_path / "f").open("w") as file:
            fileno = {"file": file, "datagram": datagram, "not listening": idle, "connected": left}[kind].fileno()
            with pytest.raises(DescriptorError):
                opened(f"fd:fileno={fileno}")


PASSED = """
import os, socket, sys
names = sys.argv[1]
socks = [socket.create_server(("127.0.0.1", 0)) for _ in names.split(":")]
for at, sock in enumerate(socks):
    os.dup2(sock.fileno(), 50 + at)
for at in range(len(socks)):
    os.dup2(50 + at, 3 + at)
os.environ.update(LISTEN_FDS=str(len(socks)), LISTEN_FDNAMES=names, LISTEN_PID=str(os.getpid() + int(sys.argv[3])))
from asgid.daemon.net import install, open_endpoint
from twisted.internet.protocol import Factory, Protocol
reactor = install()
def say(port): print("bound", len(port.addresses()))
def fail(failure): print(failure.type.__name__, failure.value.message)
open_endpoint(reactor, "asgid-systemd:name=" + sys.argv[2]).listen(Factory.forProtocol(Protocol)).addCallbacks(say, fail)
os._exit(0 if not sys.stdout.flush() else 1)
"""


@pytest.mark.parametrize(
    ("names", "wanted", "pid_off_by", "said"),
    [
        ("web", "web", 0, "bound 1"),
        ("web:admin:web", "web", 0, "bound 2"),
        ("web:admin:web", "admin", 0, "bound 1"),
        ("admin:other", "web", 0, "SystemdNameError systemd passed no socket web; it passed admin, other"),
        ("web", "web", 1, "SystemdNameError systemd passed no socket web: it passed none at all"),
    ],
)
def test_every_descriptor_that_systemd_passed_under_the_name_is_adopted(names, wanted, pid_off_by, said):
    done = subprocess.run(
        [sys.executable, "-c", PASSED, names, wanted, str(pid_off_by)], capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == said, done.stderr


# foreign kinds


def test_stock_tcp_and_own_kinds_do_not_import_what_twisted_needs_half_a_second_for():
    program = """
import sys
from asgid.daemon.net import install, open_endpoint
from twisted.internet.protocol import Factory, Protocol
reactor = install()
for string in ("tcp:0", "asgid-tcp:port=0:interface=127.0.0.1", "unix:" + sys.argv[1]):
    open_endpoint(reactor, string).listen(Factory.forProtocol(Protocol))
print("twisted.internet.endpoints" in sys.modules, "autobahn" in sys.modules)
reactor.disconnectAll()
"""
    path = f"\0asgid-test-{os.getpid()}"
    done = subprocess.run(
        [sys.executable, "-c", program, f"/tmp/{path[1:]}"], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "False False\n", done.stderr


def test_this_host_and_what_it_cannot_do_are_found_out_without_twisted():
    program = "import sys; from asgid.daemon.net import LinuxHost, live_problems; print('twisted' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout == "False\n", done.stderr


def certificate(folder):
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = folder / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + built.public_bytes(serialization.Encoding.PEM))
    return pem


@pytest.mark.filterwarnings("ignore:Passing pyOpenSSL:DeprecationWarning")  # what Twisted passes
@pytest.mark.parametrize(("interface", "families"), [("127.0.0.1", 1), (r"\:\:", 2)])
def test_twisteds_own_tls_kind_serves(opened, reactor, run, tmp_path, interface, families):
    import ssl

    port = opened(f"ssl:0:privateKey={certificate(tmp_path)}:interface={interface}")
    assert len(port.addresses()) == families
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE

    async def ask():
        reader, writer = await asyncio.open_connection("127.0.0.1", port.getHost().port, ssl=context)
        try:
            return await reader.readexactly(len(HELLO))
        finally:
            writer.transport.abort()

    assert run(ask()) == HELLO


def test_a_held_port_of_a_foreign_kind_is_the_same_clear_error(opened, tmp_path):
    with closing(socket.create_server(("127.0.0.1", 0))) as held:
        with pytest.raises(PortHeldError):
            opened(f"ssl:{held.getsockname()[1]}:privateKey={certificate(tmp_path)}:interface=127.0.0.1")


def test_every_error_is_of_one_tree():
    assert issubclass(PathServedError, OpenError)
