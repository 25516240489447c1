"""HAProxy in front: the PROXY protocol in both versions, its health checks, and its headers."""

from __future__ import annotations

import json
import socket
import time

import httpx
import pytest
import websockets.sync.client

from support.files import free_port, self_signed
from support.fronts import states
from support.server import PATIENCE_S

TCP = '[listeners.main]\naddress = "127.0.0.1"\nport = 0\n'
UNIX = '[listeners.main]\nunix = "main.sock"\n'
PROTOCOL = '[proxy]\nprotocol = "any"\ntrusted = ["127.0.0.1", "unix"]\n'
HEADERS = '[proxy]\nforwarded = "{}"\ntrusted = ["127.0.0.1", "unix"]\n'
ME = "127.0.0.7"  # the address of the client, another one than HAProxy's


@pytest.fixture(params=["tcp", "unix"])
def behind(request, serve, haproxy, tmp_path):
    """``behind(rest, frontend, options)``: asgid behind HAProxy; the place of the frontend, and asgid."""

    def fronted(rest: str, frontend: str, options: str = "", bind: str = ""):
        server = serve(TCP if request.param == "tcp" else UNIX, rest=rest)
        address = server.first.address if request.param == "tcp" else f"unix@{tmp_path / 'main.sock'}"
        port = free_port()
        lines = (
            "listen front",
            f"bind 127.0.0.1:{port} {bind}",
            frontend,
            f"server asgid {address} {options}\n",
        )
        haproxy("\n  ".join(lines), ("127.0.0.1", port))
        return ("127.0.0.1", port), server

    return fronted


def client_of(place, **options):
    scheme = "https" if "verify" in options else "http"
    transport = httpx.HTTPTransport(local_address=ME, **options)
    return httpx.Client(base_url=f"{scheme}://{place[0]}:{place[1]}", transport=transport, trust_env=False)


def scope_of_websocket(place) -> dict[str, object]:
    with socket.create_connection(place, PATIENCE_S, source_address=(ME, 0)) as sock:
        port = sock.getsockname()[1]
        url = f"ws://{place[0]}:{place[1]}/ws/scope"
        with websockets.sync.client.connect(url, sock=sock, proxy=None) as client:
            return {"port": port, **json.loads(client.recv())}


@pytest.mark.parametrize(
    ("mode", "version"),
    [
        ("tcp", "send-proxy"), ("http", "send-proxy-v2"),
        ("tcp", "send-proxy-v2 proxy-v2-options crc32c,unique-id"),
    ],
)  # fmt: skip
def test_requests_and_websockets_come_from_the_client_and_to_the_front(behind, mode, version):
    place, server = behind(PROTOCOL, f"mode {mode}", version)
    with client_of(place) as client:
        for _ in range(3):
            scope = client.get("/scope").json()
            assert (scope["client"][0], scope["server"], scope["scheme"]) == (ME, list(place), "http")
        body = b"x" * 300_000
        assert client.post("/echo", content=body).content == body
    scope = scope_of_websocket(place)
    assert (scope["client"], scope["server"]) == ([ME, scope["port"]], list(place))
    assert server.stop() == 0
    server.out.wait_for(rf'^{ME} .*"POST /echo ')
    assert "refused" not in server.err.text


def test_a_client_that_came_by_tls_is_told_apart(behind, tmp_path):
    certificate, key = self_signed(tmp_path)
    both = tmp_path / "both.pem"
    both.write_bytes(certificate.read_bytes() + key.read_bytes())
    place, _ = behind(PROTOCOL, "mode tcp", "send-proxy-v2-ssl-cn", bind=f"ssl crt {both}")
    with client_of(place, verify=False) as client:
        scope = client.get("/scope").json()
    assert (scope["client"][0], scope["scheme"]) == (ME, "https")


@pytest.mark.parametrize("version", ["send-proxy", "send-proxy-v2"])
def test_its_health_checks_are_answered_and_are_its_own(behind, version, tmp_path):
    _, server = behind(
        PROTOCOL, "mode http\n  option httpchk GET /hello", f"{version} check inter 100ms fastinter 100ms"
    )
    server.out.wait_for('"GET /hello ', count=3)
    deadline = time.monotonic() + PATIENCE_S
    while (state := states(tmp_path)["asgid"])["check_status"] != "L7OK":
        assert time.monotonic() < deadline, state
        time.sleep(0.05)
    assert state["status"] == "UP"
    assert server.stop() == 0
    checks = [line for line in server.out.lines if '"GET /hello ' in line]
    assert {line.split()[0] for line in checks} <= {"127.0.0.1", "-"}
    assert "refused" not in server.err.text


def test_a_front_that_sends_no_header_is_refused_and_said_so(behind):
    place, server = behind(PROTOCOL, "mode http")
    with client_of(place) as client:
        assert client.get("/hello").status_code == 502
    server.err.wait_for(r"WARNING.*listener main, .*: refused: no PROXY header \(v1 or v2\) came")


def test_its_forwarded_headers_are_the_clients(behind):
    place, server = behind(
        HEADERS.format("x-forwarded"),
        "mode http\n  option forwardfor\n"
        "  http-request set-header X-Forwarded-Proto https\n"
        "  http-request set-header X-Forwarded-Host www.example.org:8443\n"
        "  http-request set-header X-Forwarded-Prefix /scope\n",
    )
    spoofed = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Host": "evil", "Forwarded": "for=6.6.6.6"}
    with client_of(place) as client:
        scope = client.get("/app", headers=spoofed).json()
    headers = dict(scope["headers"])
    assert (scope["client"], scope["scheme"], scope["root_path"]) == ([ME, 0], "https", "/scope")
    assert (scope["path"], headers["host"], headers["x-forwarded-for"]) == (
        "/scope/app", "www.example.org:8443", ME,
    )  # fmt: skip
    assert "forwarded" not in headers
    assert server.stop() == 0
    server.out.wait_for(rf'^{ME} .*"GET /app ')


def test_its_forwarded_header_of_rfc_7239_is_the_clients(behind):
    element = r"for=\"%[src]:%[src_port]\";proto=https;host=\"%[req.hdr(host)]\""
    place, _ = behind(
        HEADERS.format("rfc7239"), f'mode http\n  http-request add-header Forwarded "{element}"'
    )
    for spoofed in ('for="6.6.6.6', "for=6.6.6.6;host=evil", 'for=6.6.6.6;x="\\'):
        with client_of(place) as client:
            scope = client.get("/scope", headers={"Forwarded": spoofed, "X-Forwarded-For": "6.6.6.6"}).json()
        assert (scope["client"][0], scope["scheme"]) == (ME, "https")
        assert scope["client"][1] > 1023
        names = [name for name, _ in scope["headers"]]
        assert (names.count("forwarded"), names.count("x-forwarded-for")) == (1, 0)
    scope = scope_of_websocket(place)
    assert (scope["client"], scope["scheme"]) == ([ME, scope["port"]], "wss")
