"""Daphne's command line, with its meanings and its defaults."""

from __future__ import annotations

import json
import re
import stat

import pytest
import websockets.sync.client
from websockets.exceptions import ConnectionClosed

from support.files import SITE, free_port
from support.inherit import inheriting, listening
from support.raw import Raw

APP = "probe:application"


@pytest.fixture
def flags(start):
    """Start asgid with these flags in the probe application's folder, as a Daphne user does."""

    def starter(*arguments, **options):
        return start(*arguments, APP, cwd=SITE, **options).wait_serving()

    return starter


def scope_at(place, *headers, path="/scope"):
    with Raw(place) as client:
        return json.loads(client.get(path, *headers).body)


@pytest.mark.usefixtures("port_8000")
def test_nothing_given_is_127_0_0_1_port_8000(start):
    server = start(APP, cwd=SITE)
    server.err.wait_for(
        r"127\.0\.0\.1:8000"
    )  # served, or held by somebody else on this machine: named either way


def test_bind_and_port(flags):
    port = free_port()
    server = flags("-b", "127.0.0.1", "-p", str(port))
    assert [line.place for line in server.listeners] == [("127.0.0.1", port)]
    assert server.first.endpoint == f"tcp:port={port}:interface=127.0.0.1"


def test_a_port_alone_is_on_127_0_0_1(flags):
    assert flags("-p", "0").first.place[0] == "127.0.0.1"


@pytest.mark.parametrize("text", ["::1", "[::1]"])
def test_an_ipv6_address_may_have_brackets(flags, text):
    server = flags("-b", text, "-p", "0")
    assert server.first.place[0] == "::1"
    assert server.first.endpoint == r"tcp:port=0:interface=\:\:1"


def test_a_double_colon_takes_ipv4_too(flags):
    port = free_port()
    flags("-b", "::", "-p", str(port))
    assert scope_at(("127.0.0.1", port))["type"] == scope_at(("::1", port))["type"] == "http"


def test_a_unix_socket_alone_has_mode_0666_and_no_tcp_beside_it(flags, tmp_path):
    path = tmp_path / "daphne.sock"
    server = flags("-u", str(path))
    assert [line.place for line in server.listeners] == [str(path)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o666
    scope = scope_at(str(path))
    assert scope["client"] is None
    assert scope["server"] is None


def test_a_descriptor(flags):
    with listening() as given:
        server = flags("--fd", "3", **inheriting([given]))
        assert [line.place for line in server.listeners] == [given.getsockname()]


def test_all_kinds_add_up(flags, tmp_path):
    with listening() as given:
        server = flags(
            "-b", "127.0.0.1", "-p", "0", "-u", str(tmp_path / "x.sock"), "--fd", "3",
            "-e", "tcp:0:interface=127.0.0.1", "-e", r"tcp:0:interface=\:\:1", **inheriting([given]),
        )  # fmt: skip
        assert len(server.listeners) == 5
        for line in server.listeners:
            assert scope_at(line.place)["extensions"]["asgid"]["listener"] == line.name


def test_both_families_on_one_port(flags):
    port = free_port()
    flags("-e", f"tcp:{port}:interface=0.0.0.0", "-e", rf"tcp:{port}:interface=\:\:")
    assert scope_at(("127.0.0.1", port))["type"] == scope_at(("::1", port))["type"] == "http"


def test_bind_double_colon_beside_an_ipv4_wildcard(flags):
    port = free_port()
    flags("-b", "::", "-p", str(port), "-e", f"tcp:{port}:interface=0.0.0.0")
    assert scope_at(("127.0.0.1", port))["type"] == scope_at(("::1", port))["type"] == "http"


def test_the_server_name(flags):
    with Raw(flags("-p", "0").first.place) as client:
        assert client.get("/hello").one("server") == "asgid"
    with Raw(flags("-p", "0", "-s", "mine").first.place) as client:
        assert client.get("/hello").one("server") == "mine"
    with Raw(flags("-p", "0", "--no-server-name").first.place) as client:
        assert client.get("/hello").one("server") is None


def test_the_root_path_is_as_it_is(flags):
    assert scope_at(flags("-p", "0", "--root-path", "/app").first.place)["root_path"] == "/app"


def test_an_http_timeout_is_503(flags):
    server = flags("-p", "0", "-t", "1")
    with Raw(server.first.place) as client:
        assert client.get("/hang").status == 503


def test_the_access_log_is_a_file_that_is_appended_to(flags, tmp_path):
    log = tmp_path / "access.log"
    log.write_text("before\n")
    server = flags("-p", "0", "--access-log", str(log))
    scope_at(server.first.place)
    assert server.stop() == 0
    assert re.match(r'before\n.*"GET /scope HTTP/1\.1" 200 ', log.read_text())
    assert server.out.lines == []


@pytest.mark.parametrize("verbosity", ["1", "2", "3"])
def test_the_access_log_is_on_standard_output_from_verbosity_1_on(flags, verbosity):
    server = flags("-p", "0", "-v", verbosity)
    scope_at(server.first.place)
    assert server.stop() == 0
    assert '"GET /scope HTTP/1.1" 200' in server.out.text


def test_verbosity_0_says_nothing_of_what_goes_well(start):
    port = free_port()
    server = start("-p", str(port), "-v", "0", APP, cwd=SITE)
    server.err.wait_for("the probe started up")
    while True:
        try:
            assert scope_at(("127.0.0.1", port))["type"] == "http"
            break
        except ConnectionRefusedError:
            assert server.running
    assert server.stop() == 0
    assert server.out.lines == []
    assert not [line for line in server.err.lines if "INFO" in line]


def test_the_log_format(flags):
    server = flags("-p", "0", "--log-fmt", "LOG<%(levelname)s|%(message)s>")
    assert any(line.startswith("LOG<INFO|") for line in server.err.lines)


def test_a_websocket_timeout_is_its_longest_life(flags):
    server = flags("-p", "0", "--websocket_timeout", "1")
    with (
        websockets.sync.client.connect(f"ws://{server.first.address}/ws/echo") as client,
        pytest.raises(ConnectionClosed),
    ):
        client.recv(timeout=20)


def test_an_application_that_does_not_accept_in_time(flags):
    server = flags("-p", "0", "--websocket_connect_timeout", "1")
    with pytest.raises(websockets.exceptions.InvalidStatus) as caught:
        websockets.sync.client.connect(f"ws://{server.first.address}/ws/undecided")
    assert caught.value.response.status_code in {403, 503}


def test_a_message_that_is_too_large_is_never_delivered(flags):
    server = flags("-p", "0", "--websocket-max-message-size", "100")
    with websockets.sync.client.connect(f"ws://{server.first.address}/ws/echo") as client:
        client.send("x" * 100)
        assert client.recv() == "x" * 100
        client.send("x" * 101)
        with pytest.raises(ConnectionClosed) as caught:
            client.recv()
    assert caught.value.rcvd.code == 1009


def test_a_frame_that_is_too_large_is_refused(flags):
    server = flags("-p", "0", "--websocket-max-frame-size", "100")
    with websockets.sync.client.connect(f"ws://{server.first.address}/ws/echo", compression=None) as client:
        client.send("x" * 101)
        with pytest.raises(ConnectionClosed):
            client.recv()


def test_a_client_that_does_not_answer_pings_is_closed(flags):
    server = flags("-p", "0", "--ping-interval", "1", "--ping-timeout", "1")
    with Raw(server.first.place) as client:
        upgrade = (
            "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        )  # fmt: skip
        client.request("/ws/echo", *upgrade)
        assert client.response().status == 101
        assert client.read_exactly(1)[0] == 0x89  # a ping, which stays unanswered
        client.read_to_end()


def test_the_application_is_cancelled_after_the_close_timeout(flags):
    server = flags("-p", "0", "--application-close-timeout", "1")
    with Raw(server.first.place) as observer:
        client = Raw(server.first.place)
        client.request("/hang")
        observer.get("/wait?event=hang:softly")
        client.reset()
        assert observer.get("/wait?event=hang:cancelled").status == 200


FORWARDED = ("X-Forwarded-For: 203.0.113.7", "X-Forwarded-Port: 4711", "X-Forwarded-Proto: https")


def test_forwarded_headers_are_not_believed_unless_asked_for(flags):
    scope = scope_at(flags("-p", "0").first.place, *FORWARDED)
    assert scope["client"][0] == "127.0.0.1"
    assert ["x-forwarded-for", "203.0.113.7"] in scope["headers"]


def test_proxy_headers_are_believed_from_loopback_and_that_is_said(flags):
    server = flags("-p", "0", "--proxy-headers")
    scope = scope_at(server.first.place, *FORWARDED)
    assert (scope["client"], scope["scheme"]) == (["203.0.113.7", 4711], "https")
    assert re.search(r"127\.0\.0\.0/8", server.err.text)


def test_proxy_headers_of_others_are_removed_and_that_is_said_once(flags):
    server = flags("-p", "0", "--proxy-headers", "--trusted", "192.0.2.0/24")
    for _ in range(3):
        scope = scope_at(server.first.place, *FORWARDED)
        assert scope["client"][0] == "127.0.0.1"
        assert not [name for name, _ in scope["headers"] if name.startswith("x-forwarded")]
    assert server.stop() == 0
    assert len([line for line in server.err.lines if "WARNING" in line and "127.0.0.1" in line]) == 1


def test_proxy_header_names_of_ones_own(flags):
    server = flags(
        "-p",
        "0",
        "--proxy-headers",
        "--proxy-headers-host",
        "X-Real-IP",
        "--proxy-headers-port",
        "X-Real-Port",
    )
    scope = scope_at(server.first.place, "X-Real-IP: 203.0.113.9", "X-Real-Port: 99")
    assert scope["client"] == ["203.0.113.9", 99]


def test_proxy_headers_are_believed_on_a_unix_socket(flags, tmp_path):
    server = flags("-u", str(tmp_path / "x.sock"), "--proxy-headers")
    assert scope_at(server.first.place, *FORWARDED)["client"] == ["203.0.113.7", 4711]


def test_proxy_headers_leave_the_host_to_the_application(flags):
    """As Daphne does: documented configurations of nginx send the name of a server block."""
    said = ("X-Forwarded-Host: _", "X-Forwarded-Prefix: /app", "X-Forwarded-For: 203.0.113.7")
    scope = scope_at(flags("-p", "0", "--proxy-headers").first.place, *said)
    headers = dict(scope["headers"])
    assert (headers["host"], headers["x-forwarded-host"], headers["x-forwarded-prefix"]) == (
        "test",
        "_",
        "/app",
    )
    assert (scope["root_path"], scope["path"], scope["client"]) == ("", "/scope", ["203.0.113.7", 0])


def test_daphne_root_path_is_taken_from_a_trusted_proxy_and_hidden(flags):
    scope = scope_at(flags("-p", "0", "--proxy-headers").first.place, "Daphne-Root-Path: /caf%C3%A9")
    assert scope["root_path"] == "/café"
    assert not [name for name, _ in scope["headers"] if name == "daphne-root-path"]


def test_daphne_root_path_is_a_header_like_any_other_otherwise(flags):
    scope = scope_at(flags("-p", "0").first.place, "Daphne-Root-Path: /evil")
    assert scope["root_path"] == ""
    assert ["daphne-root-path", "/evil"] in scope["headers"]


def test_an_asgi_2_application_is_wrapped(start):
    server = start("-p", "0", "asgi2:application", cwd=SITE).wait_serving()
    with Raw(server.first.place) as client:
        assert client.get("/").body == b"double callable\n"


def test_a_dotted_attribute(start):
    server = start("-p", "0", "asgi2:holder.inner", cwd=SITE).wait_serving()
    with Raw(server.first.place) as client:
        assert client.get("/").body == b"double callable\n"
