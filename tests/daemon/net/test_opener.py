from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
from contextlib import closing

import pytest

from asgid.daemon.net import OpenError
from asgid.daemon.net.errors import (
    AddressAbsentError,
    DescriptorError,
    EndpointRefusedError,
    GroupAbsentError,
    InterfaceAbsentError,
    PathError,
    PathServedError,
    PortHeldError,
    SystemdNameError,
    UserAbsentError,
)

HELLO = b"hello"


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
    words = rf"held by \S+ \(pid {os.getpid()}\)"
    with closing(socket.create_server(("127.0.0.1", 0))) as held, pytest.raises(PortHeldError, match=words):
        opened(f"tcp:{held.getsockname()[1]}:interface=127.0.0.1")


@pytest.mark.parametrize(
    ("string", "error", "words"),
    [
        ("tcp:0:interface=192.0.2.77", AddressAbsentError, "192.0.2.77"),
        (r"tcp:0:interface=fe80\:\:1%nosuch0", InterfaceAbsentError, "nosuch0"),
        (r"tcp:0:interface=fe80\:\:1", EndpointRefusedError, "says nothing of which link"),
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
        [sys.executable, "-c", program, f"/tmp/{path[1:]}"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout == "False False\n", done.stderr


def test_this_host_and_what_it_cannot_do_are_found_out_without_twisted():
    program = "import sys; from asgid.daemon.net import live_problems; print('twisted' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
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
def test_twisteds_own_tls_kind_serves(opened, run, tmp_path, interface, families):
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
    with closing(socket.create_server(("127.0.0.1", 0))) as held, pytest.raises(PortHeldError):
        opened(f"ssl:{held.getsockname()[1]}:privateKey={certificate(tmp_path)}:interface=127.0.0.1")


def test_every_error_is_of_one_tree():
    assert issubclass(PathServedError, OpenError)
