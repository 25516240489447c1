"""Every way to listen that needs no privileges, by the real command, and what it says about each."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import ssl
import stat
from pathlib import Path

import httpx
import pytest
import websockets.asyncio.client

from support.files import free_port, self_signed
from support.inherit import inheriting, listening
from support.raw import Raw
from support.server import PATIENCE_S

IPV4 = '[listeners.{name}]\naddress = "127.0.0.1"\nport = 0\n'


def name_in_scope(place) -> str:
    with Raw(place) as client:
        return json.loads(client.get("/scope").body)["extensions"]["asgid"]["listener"]


@pytest.mark.parametrize(
    ("address", "family"), [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("127.0.0.2", "127.0.0.2")]
)
def test_a_literal_address(serve, address, family):
    server = serve(f'[listeners.here]\naddress = "{address}"\nport = 0\n')
    assert len(server.listeners) == 1
    assert server.first.place[0] == family
    assert server.first.place[1] > 0  # the port that was really bound
    assert name_in_scope(server.first.place) == "here"


def test_a_list_of_addresses_is_one_listener(serve):
    server = serve('[listeners.here]\naddress = ["127.0.0.1", "::1", "127.0.0.3"]\nport = 0\n')
    assert {line.name for line in server.listeners} == {"here"}
    assert [line.place[0] for line in server.listeners] == ["127.0.0.1", "::1", "127.0.0.3"]
    assert {name_in_scope(line.place) for line in server.listeners} == {"here"}


def test_a_star_is_both_families_on_one_port(serve):
    port = free_port()
    server = serve(f'[listeners.all]\naddress = "*"\nport = {port}\n')
    assert {line.place for line in server.listeners} == {("0.0.0.0", port), ("::", port)}
    assert name_in_scope(("127.0.0.1", port)) == name_in_scope(("::1", port)) == "all"


def test_a_double_colon_in_the_file_is_ipv6_alone(serve):
    port = free_port()
    serve(f'[listeners.six]\naddress = "::"\nport = {port}\n')
    assert name_in_scope(("::1", port)) == "six"
    with pytest.raises(ConnectionRefusedError):
        Raw(("127.0.0.1", port))


def test_both_wildcards_share_a_port_as_two_listeners(serve):
    port = free_port()
    serve(
        f'[listeners.four]\naddress = "0.0.0.0"\nport = {port}\n'
        f'[listeners.six]\naddress = "::"\nport = {port}\n'
    )
    assert name_in_scope(("127.0.0.1", port)) == "four"
    assert name_in_scope(("::1", port)) == "six"


def test_an_ipv4_client_has_an_ipv4_address_in_the_scope_whatever_the_listener(serve):
    port = free_port()
    serve(f'[listeners.all]\naddress = "*"\nport = {port}\n')
    with Raw(("127.0.0.1", port)) as client:
        scope = json.loads(client.get("/scope").body)
    assert (scope["client"][0], scope["server"]) == ("127.0.0.1", ["127.0.0.1", port])


def test_an_interface_by_name_is_all_its_addresses(serve):
    server = serve('[listeners.inner]\ninterface = "lo"\nport = 0\n')
    assert {line.place[0] for line in server.listeners} >= {"127.0.0.1", "::1"}
    for line in server.listeners:
        assert name_in_scope(line.place) == "inner"


@pytest.mark.parametrize(("family", "host"), [("ipv4", "127.0.0.1"), ("ipv6", "::1")])
def test_an_interface_with_the_family_that_is_asked_for(serve, family, host):
    server = serve(f'[listeners.inner]\ninterface = "lo"\nport = 0\nfamily = "{family}"\n')
    assert host in {line.place[0] for line in server.listeners}
    assert all((":" in line.place[0]) == (family == "ipv6") for line in server.listeners)


@pytest.mark.parametrize(("mode", "bits"), [(None, 0o660), ("0600", 0o600), ("0666", 0o666)])
def test_a_unix_socket_has_its_mode_whatever_the_umask(serve, tmp_path, mode, bits):
    extra = f'mode = "{mode}"\n' if mode else ""
    server = serve(f'[listeners.local]\nunix = "probe.sock"\n{extra}', rest='[daemon]\numask = "077"\n')
    assert server.first.place == str(tmp_path / "probe.sock")
    assert stat.S_IMODE((tmp_path / "probe.sock").stat().st_mode) == bits
    assert name_in_scope(server.first.place) == "local"


def test_on_a_unix_socket_the_scope_has_no_client_and_no_port(serve):
    server = serve('[listeners.local]\nunix = "probe.sock"\n')
    with Raw(server.first.place) as client:
        scope = json.loads(client.get("/scope").body)
    assert scope["client"] is None
    assert scope["server"] is None or scope["server"][1] is None


def test_an_inherited_descriptor(serve):
    with listening() as inherited:
        place = inherited.getsockname()
        server = serve("[listeners.given]\nfd = 3\n", **inheriting([inherited]))
        assert server.first.place == place
        assert name_in_scope(place) == "given"
        assert server.stop() == 0


def test_an_inherited_unix_descriptor_is_left_as_it_is(serve, tmp_path):
    path = tmp_path / "given.sock"
    with listening(path=path) as inherited:
        path.chmod(0o604)
        server = serve("[listeners.given]\nfd = 3\n", **inheriting([inherited]))
        assert name_in_scope(str(path)) == "given"
        assert server.stop() == 0
        assert stat.S_IMODE(path.stat().st_mode) == 0o604
        assert path.is_socket()  # it is its maker's to remove


def test_systemd_sockets_are_found_by_name_and_several_may_have_one(serve, tmp_path):
    text = '[listeners.web]\nsystemd = "http"\n[listeners.local]\nsystemd = "local"\n'
    with listening() as four, listening(path=tmp_path / "s.sock") as unix, listening("::1") as six:
        server = serve(text, **inheriting([four, unix, six], ["http", "local", "http"]))
        assert name_in_scope(four.getsockname()) == "web"
        assert name_in_scope(six.getsockname()[:2]) == "web"
        assert name_in_scope(str(tmp_path / "s.sock")) == "local"
        assert len([line for line in server.listeners if line.name == "web"]) == 2


def test_a_systemd_name_that_was_not_passed_is_told_with_those_that_were(run, tmp_path):
    from support.files import probe_file

    with listening() as given:
        path = probe_file(tmp_path, '[listeners.web]\nsystemd = "https"\n')
        failed = run("--config", path, **inheriting([given], ["http"]))
    assert failed.status == 1
    assert re.search(r"error\[ASG\d+\].*https", failed.err.text)
    assert re.search(r"\bhttp\b", failed.err.text)


def test_a_descriptor_that_is_not_open_is_told(run, tmp_path):
    from support.files import probe_file

    failed = run("--config", probe_file(tmp_path, "[listeners.given]\nfd = 77\n"))
    assert failed.status == 1
    assert re.search(r"error\[ASG\d+\].*77", failed.err.text)


ENDPOINTS = {
    "tcp": "tcp:0:interface=127.0.0.1",
    "tcp6": r"tcp:0:interface=\:\:1",
    "keywords": "tcp:port=0:interface=127.0.0.1:backlog=7",
    "own": r"asgid-tcp:port=0:interface=\:\:1",
}


@pytest.mark.parametrize("kind", ENDPOINTS)
def test_an_endpoint_string(serve, kind):
    server = serve(f"[listeners.raw]\nendpoint = '{ENDPOINTS[kind]}'\n")
    assert name_in_scope(server.first.place) == "raw"
    assert server.first.endpoint == ENDPOINTS[kind]


def test_a_unix_endpoint_string(serve, tmp_path):
    path = tmp_path / "raw.sock"
    server = serve(f"[listeners.raw]\nendpoint = 'unix:{path}:mode=600'\n")
    assert name_in_scope(str(path)) == "raw"
    assert server.stop() == 0
    assert not path.exists()


def test_a_list_of_endpoint_strings_is_one_listener(serve):
    server = serve(r"""[listeners.raw]
endpoint = ['tcp:0:interface=127.0.0.1', 'tcp:0:interface=\:\:1']
""")
    assert {name_in_scope(line.place) for line in server.listeners} == {"raw"}
    assert len(server.listeners) == 2


def test_an_older_version_of_tls_is_told_and_none_where_there_is_none(serve, tmp_path):
    certificate, key = self_signed(tmp_path)
    endpoint = f"ssl:0:interface=127.0.0.1:privateKey={key}:certKey={certificate}"
    server = serve(
        f"[listeners.secure]\nendpoint = '{endpoint}'\n[listeners.plain]\naddress = '127.0.0.1'\nport = 0\n"
    )
    places = {line.name: line.place for line in server.listeners}
    context = ssl.create_default_context(cafile=str(certificate))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256")
    with httpx.Client(verify=context, trust_env=False) as client:
        scope = client.get(f"https://127.0.0.1:{places['secure'][1]}/scope").json()
        assert scope["extensions"]["tls"]["tls_version"] == 0x0303
        assert scope["extensions"]["tls"]["cipher_suite"] in {0xC02B, 0xC02F}  # RFC 5289 3.2
        plain = client.get(f"http://127.0.0.1:{places['plain'][1]}/scope").json()
        assert "tls" not in plain["extensions"]


def test_an_ssl_endpoint_string_is_tls_through_twisted(serve, tmp_path):
    certificate, key = self_signed(tmp_path)
    endpoint = f"ssl:0:interface=127.0.0.1:privateKey={key}:certKey={certificate}"
    server = serve(f"[listeners.secure]\nendpoint = '{endpoint}'\n")
    port = server.first.place[1]
    context = ssl.create_default_context(cafile=str(certificate))
    with httpx.Client(verify=context, trust_env=False) as client:
        scope = client.get(f"https://127.0.0.1:{port}/scope").json()
        assert scope["scheme"] == "https"
        assert scope["extensions"]["asgid"]["listener"] == "secure"
        tls = scope["extensions"]["tls"]
        assert tls["server_cert"] == certificate.read_text()
        assert tls["tls_version"] == 0x0304
        assert tls["cipher_suite"] in {0x1301, 0x1302, 0x1303}  # RFC 8446 B.4
        assert tls["client_cert_chain"] == []
        assert (tls["client_cert_name"], tls["client_cert_error"]) == (None, None)
        large = client.get(f"https://127.0.0.1:{port}/large?size=3000000")
        assert len(large.content) == 3_000_000
        body = os.urandom(1_000_000)
        assert client.post(f"https://127.0.0.1:{port}/echo", content=body).content == body


@pytest.mark.parametrize("size", [1, 100_000])
def test_a_websocket_over_an_ssl_endpoint_string(serve, tmp_path, size):
    certificate, key = self_signed(tmp_path)
    endpoint = f"ssl:0:interface=127.0.0.1:privateKey={key}:certKey={certificate}"
    server = serve(f"[listeners.secure]\nendpoint = '{endpoint}'\n")
    port = server.first.place[1]
    context = ssl.create_default_context(cafile=str(certificate))

    async def echoes() -> None:
        # Not the client of threads: they read and write one TLS session at the same time, which Python does
        # not make safe before 3.13.
        url = f"wss://127.0.0.1:{port}/ws/echo"
        async with (
            asyncio.timeout(PATIENCE_S),
            websockets.asyncio.client.connect(url, ssl=context, proxy=None) as client,
        ):
            for message in ("x" * size, b"y" * size):
                await client.send(message)
                assert await client.recv() == message

    asyncio.run(echoes())


def test_a_stock_double_colon_takes_both_families(serve):
    port = free_port()
    serve(f"[listeners.raw]\nendpoint = 'tcp:{port}:interface=\\:\\:'\n")
    assert name_in_scope(("127.0.0.1", port)) == name_in_scope(("::1", port)) == "raw"


def test_freebind_takes_an_address_that_is_not_there_yet(serve):
    server = serve('[listeners.later]\naddress = "203.0.113.5"\nport = 0\nfreebind = true\n')
    assert server.first.place[0] == "203.0.113.5"


def test_headers_and_root_path_of_a_listener_are_its_own(serve):
    server = serve(
        IPV4.format(name="plain")
        + IPV4.format(name="special")
        + 'root_path = "/api"\nheaders = { strict-transport-security = "max-age=1" }\n'
    )
    with Raw(server.listener("special").place) as client:
        got = client.get("/scope/api/x")
        assert got.one("strict-transport-security") == "max-age=1"
        assert json.loads(got.body)["root_path"] == "/api"
    with Raw(server.listener("plain").place) as client:
        got = client.get("/scope")
        assert got.one("strict-transport-security") is None
        assert json.loads(got.body)["root_path"] == ""


def test_no_server_and_no_date_header_where_the_file_says_so(serve):
    server = serve(rest='[daemon]\nserver_header = ""\ndate_header = false\n')
    with Raw(server.first.place) as client:
        got = client.get("/hello")
    assert got.all("server") == got.all("date") == []


def test_forwarded_headers_are_believed_from_trusted_peers_alone(serve):
    trusted = '[listeners.near.proxy]\ntrusted = ["127.0.0.1/32"]\nforwarded = "x-forwarded"\n'
    distrusted = '[listeners.far.proxy]\ntrusted = ["192.0.2.0/24"]\nforwarded = "x-forwarded"\n'
    server = serve(
        IPV4.format(name="near") + trusted + IPV4.format(name="far") + distrusted + IPV4.format(name="plain")
    )
    headers = (
        "X-Forwarded-For: 198.51.100.9, 203.0.113.7",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Port: 4711",
    )
    seen = {}
    for name in ("near", "far", "plain"):
        with Raw(server.listener(name).place) as client:
            seen[name] = json.loads(client.get("/scope", *headers).body)
    assert (seen["near"]["client"], seen["near"]["scheme"]) == (["203.0.113.7", 4711], "https")
    for name in ("far", "plain"):
        assert seen[name]["client"][0] == "127.0.0.1"
        assert seen[name]["scheme"] == "http"
    assert not [key for key, _ in seen["far"]["headers"] if key.startswith("x-forwarded")]
    assert [key for key, _ in seen["plain"]["headers"] if key.startswith("x-forwarded")]


def test_the_soft_limit_of_open_files_is_raised(serve):
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    server = serve(prefix=("prlimit", f"--nofile=256:{hard}"))
    limits = Path(f"/proc/{server.pid}/limits").read_text()
    assert re.search(rf"Max open files\s+{hard}\s+{hard}", limits)


def test_many_clients_at_once_on_every_family(serve):
    server = serve('[listeners.here]\naddress = ["127.0.0.1", "::1"]\nport = 0\n')
    clients = [Raw(line.place) for line in server.listeners for _ in range(100)]
    try:
        for client in clients:
            client.request("/hello")
        assert all(client.response().body == b"hello\n" for client in clients)
    finally:
        for client in clients:
            client.close()
    assert socket.has_ipv6
