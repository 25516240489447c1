"""Daphne's rules: what a command line means, told in the values of the file."""

from __future__ import annotations

import pytest

from asgid.config import load_values
from asgid.daemon.cli.flags import FLAGS
from asgid.daemon.cli.parsing import serving_parser
from asgid.daemon.cli.status import UsageError
from asgid.daemon.cli.values import values_of


def values(*words):
    given, rest = serving_parser().read([*words, "mysite.asgi:application"])
    given.pop("application", None)
    assert not rest or rest == ["mysite.asgi:application"]
    return values_of(given, "mysite.asgi:application")


def listeners(*words):
    return values(*words).tree["listeners"]


def tcp(port, interface):
    return {"endpoint": f"tcp:port={port}:interface={interface}"}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], {"bind": tcp(8000, "127.0.0.1")}),
        (["-b", "0.0.0.0"], {"bind": tcp(8000, "0.0.0.0")}),
        (["-p", "9000"], {"bind": tcp(9000, "127.0.0.1")}),
        (["-p", "0"], {"bind": tcp(0, "127.0.0.1")}),
        (["-b", "0.0.0.0", "-p", "80"], {"bind": tcp(80, "0.0.0.0")}),
        (["-b", ""], {"bind": tcp(8000, "127.0.0.1")}),
        (["-b", "::", "-p", "80"], {"bind": tcp(80, r"\:\:")}),
        (["-b", "[::1]"], {"bind": tcp(8000, r"\:\:1")}),
        (["-b", "fe80::1%eth0"], {"bind": tcp(8000, r"fe80\:\:1%eth0")}),
        (["-b", "localhost"], {"bind": tcp(8000, "localhost")}),
        (["-u", "/run/a=b.sock"], {"unix": {"unix": "/run/a=b.sock", "mode": "0666"}}),
        (["--fd", "0"], {"fd": {"fd": 0}}),
        (["-e", "tcp:1"], {"endpoint-1": {"endpoint": "tcp:1"}}),
        (
            ["-e", "tcp:1", "-e", "tcp:2", "-u", "/s", "--fd", "3", "-p", "4"],
            {
                "bind": tcp(4, "127.0.0.1"),
                "unix": {"unix": "/s", "mode": "0666"},
                "fd": {"fd": 3},
                "endpoint-1": {"endpoint": "tcp:1"},
                "endpoint-2": {"endpoint": "tcp:2"},
            },
        ),
    ],
)
def test_the_bind_rules(words, expected):
    assert listeners(*words) == expected


@pytest.mark.parametrize(
    ("words", "key", "expected"),
    [
        ([], "websocket.lifetime", 86400),
        (["--websocket_timeout", "-1"], "websocket.lifetime", 0),
        (["--websocket_timeout", "0"], "websocket.lifetime", 0.001),
        ([], "websocket.connect_timeout", 5),
        (["--websocket_connect_timeout", "-1"], "websocket.connect_timeout", 0),
        ([], "log.level", "info"),
        (["-v", "0"], "log.level", "warning"),
        (["-v", "3"], "log.level", "debug"),
        ([], "log.access", "-"),
        (["-v", "0"], "log.access", ""),
        (["-v", "0", "--access-log", "-"], "log.access", "-"),
        (["--access-log", "a.log"], "log.access", "a.log"),
        ([], "log.pattern", "%(asctime)-15s %(levelname)-8s %(message)s"),
        ([], "timeouts.application", 0),
        (["-t", "30"], "timeouts.application", 30),
        ([], "websocket.ping_interval", 20),
        ([], "websocket.ping_timeout", 30),
        ([], "websocket.message_size", 1048576),
        (["--websocket-max-message-size", "0"], "websocket.message_size", 0),
        ([], "websocket.frame_size", 1048576),
        ([], "timeouts.application_close", 10),
        (["--application-close-timeout", "0"], "timeouts.application_close", 0.001),
        ([], "application.root_path", ""),
        (["--root-path", "/x"], "application.root_path", "/x"),
        ([], "daemon.server_header", "asgid"),
        (["-s", "mine"], "daemon.server_header", "mine"),
        (["--no-server-name"], "daemon.server_header", ""),
        (["-s", "a", "--no-server-name"], "daemon.server_header", ""),
        (["--proxy-headers"], "proxy.forwarded", "x-forwarded"),
        (["--proxy-headers"], "proxy.host_header", "X-Forwarded-For"),
        (["--proxy-headers", "--proxy-headers-host", "X-Real-IP"], "proxy.host_header", "X-Real-IP"),
        (["--proxy-headers", "--proxy-headers-port", "X-Port"], "proxy.port_header", "X-Port"),
        (["--proxy-headers"], "proxy.trusted", ["127.0.0.0/8", "::1/128", "unix"]),
        (["--proxy-headers", "--trusted", "10.0.0.0/8, unix"], "proxy.trusted", ["10.0.0.0/8", "unix"]),
        (["--lifespan", "on"], "application.lifespan", "on"),
        (["--factory"], "application.factory", True),
        (["--drain", "1.5"], "timeouts.drain", 1.5),
    ],
)
def test_every_flag_has_daphnes_default_and_meaning(words, key, expected):
    found = values(*words).tree
    for part in key.split("."):
        found = found[part]
    assert found == expected


def test_without_proxy_headers_nobody_is_believed():
    assert "proxy" not in values().tree


@pytest.mark.parametrize(
    "words", [["--proxy-headers-host", "X"], ["--proxy-headers-port", "X"], ["--trusted", "10.0.0.0/8"]]
)
def test_what_needs_proxy_headers_says_so(words):
    with pytest.raises(UsageError, match=f"{words[0]} needs --proxy-headers"):
        values(*words)


@pytest.mark.parametrize(
    ("host", "advice"),
    [("127.0.0.1:80", "-b 127.0.0.1 -p 80"), ("[::1]:80", "-b ::1 -p 80"), ("a:b", "-p PORT")],
)
def test_a_port_in_the_address_is_told_apart(host, advice):
    with pytest.raises(UsageError) as caught:
        values("-b", host)
    assert advice in caught.value.help


SAMPLES = {
    "bind": "127.0.0.1",
    "port": "8000",
    "unix_socket": "/tmp/x.sock",
    "fd": "3",
    "endpoint": "tcp:1",
    "websocket_timeout": "1",
    "websocket_connect_timeout": "1",
    "verbosity": "2",
    "http_timeout": "1",
    "access_log": "-",
    "log_fmt": "%(message)s",
    "ping_interval": "1",
    "ping_timeout": "1",
    "websocket_max_message_size": "1",
    "websocket_max_frame_size": "1",
    "application_close_timeout": "1",
    "root_path": "/x",
    "proxy_headers_host": "X-A",
    "proxy_headers_port": "X-B",
    "trusted": "unix",
    "server_name": "x",
    "app_dir": "/",
    "lifespan": "off",
    "drain": "1",
    "pid_file": "/tmp/x.pid",
}


@pytest.mark.parametrize("flag", FLAGS, ids=lambda flag: flag.names[-1])
def test_every_flag_makes_values_that_the_file_accepts(flag):
    words = ["--proxy-headers"] if flag.key.startswith("proxy.") else []
    for name in flag.names:
        taken = [name] if flag.action in {"store_true", "store_const"} else [name, SAMPLES[flag.dest]]
        made = values(*words, *taken)
        loaded = load_values(made.tree, made.places)
        assert loaded.config is not None, loaded.diagnostics


def test_a_wrong_value_is_told_with_the_flag_that_said_it():
    made = values("-e", "tcp:1", "-e", "tcp:8005:interface=::1")
    (found,) = load_values(made.tree, made.places).diagnostics
    assert "-e 2" in found.place.file
    assert r"tcp:8005:interface=\:\:1" in found.message + found.help
