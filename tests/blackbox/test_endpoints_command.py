"""``asgid endpoints``: what it prints opens the same sockets again, under asgid and under stock Twisted."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from support.files import SITE, free_port, probe_file
from support.raw import Raw

STOCK = """\
import sys
from twisted.internet import reactor, endpoints, protocol
def opened(port):
    print(port.getHost(), flush=True)
    port.stopListening().addBoth(lambda _: reactor.stop())
endpoints.serverFromString(reactor, sys.argv[1]).listen(protocol.Factory()).addCallbacks(
    opened, lambda failure: (print("failed:", failure.value, flush=True), reactor.stop()))
reactor.run()
"""


def lines(process) -> list[tuple[str, str]]:
    return [tuple(line.split("\t")) for line in process.out.lines]


@pytest.fixture
def file(tmp_path):
    text = "".join(
        f"[listeners.{name}]\n{how}\nport = {free_port()}\n"
        for name, how in {
            "four": 'address = "127.0.0.1"',
            "six": 'address = "::1"',
            "several": 'address = ["127.0.0.2", "::1"]',
            "only6": 'address = "::"',
            "star": 'address = "*"',
            "inner": 'interface = "lo"',
        }.items()
    )
    text += '[listeners.local]\nunix = "a=b:c.sock"\nmode = "0600"\n'
    text += f"[listeners.raw]\nendpoint = 'tcp:{free_port()}:interface=127.0.0.1'\n"
    return probe_file(tmp_path, text)


def test_each_listener_is_told_in_the_order_of_the_file_and_nothing_is_opened(run, file, tmp_path):
    said = run("endpoints", file)
    assert said.status == 0, said.err.text
    assert said.err.lines == []
    names = list(dict.fromkeys(name for name, _ in lines(said)))
    assert names == ["four", "six", "several", "only6", "star", "inner", "local", "raw"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["listeners.toml"]


def test_it_needs_neither_the_descriptors_nor_the_sockets_that_the_file_names(run, tmp_path):
    path = probe_file(tmp_path, '[listeners.a]\nfd = 77\n[listeners.b]\nsystemd = "http"\n')
    assert lines(run("endpoints", path)) == [("a", "fd:fileno=77"), ("b", "asgid-systemd:name=http")]


def test_plain_addresses_become_stock_strings(run, file):
    said = dict(lines(run("endpoints", file)))
    assert said["four"].startswith("tcp:port=")
    assert ":interface=127.0.0.1:backlog=" in said["four"]
    assert r":interface=\:\:1:backlog=" in said["six"]
    assert said["only6"].startswith("asgid-tcp:")


def test_each_string_opens_the_same_socket_when_given_back(run, start, file):
    served = start("--config", file).wait_serving()
    expected = sorted((line.endpoint, line.address) for line in served.listeners)
    assert served.stop() == 0
    strings = [string for _, string in lines(run("endpoints", file))]
    flags = [part for string in strings for part in ("-e", string)]
    again = start(*flags, "--app-dir", SITE, "probe:application").wait_serving()
    assert sorted((line.endpoint, line.address) for line in again.listeners) == expected
    for line in again.listeners:
        with Raw(line.place) as client:
            assert client.get("/hello").status == 200


def test_stock_twisted_opens_every_string_of_a_stock_kind_on_the_same_socket(run, file):
    stock = [string for _, string in lines(run("endpoints", file)) if string.startswith("tcp:")]
    assert len(stock) >= 5
    for string in stock:
        said = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", STOCK, string], capture_output=True, text=True, check=False
        )
        port = string.split("port=")[-1].split(":")[0] if "port=" in string else string.split(":")[1]
        assert "Address(" in said.stdout, (string, said.stdout, said.stderr)
        assert f"port={port}" in said.stdout


def test_a_file_with_errors_is_told_on_standard_error_or_output_with_status_1(run, tmp_path):
    path = probe_file(tmp_path, '[listeners.a]\naddress = "nonsense"\nport = 1\n')
    said = run("endpoints", path)
    assert said.status == 1
    assert "nonsense" in said.out.text + said.err.text


def test_an_interface_that_is_not_there_is_a_finding(run, tmp_path):
    path = probe_file(tmp_path, '[listeners.a]\ninterface = "nosuch0"\nport = 1\n')
    said = run("endpoints", path)
    assert said.status == 1
    assert "nosuch0" in said.out.text + said.err.text


def test_strings_survive_a_path_with_every_special_character(run, start, tmp_path):
    path = probe_file(tmp_path, '[listeners.local]\nunix = "a=b:c\\\\d e.sock"\n')
    ((_, string),) = lines(run("endpoints", path))
    server = start("-e", string, "--app-dir", SITE, "probe:application").wait_serving()
    with Raw(str(tmp_path / "a=b:c\\d e.sock")) as client:
        assert json.loads(client.get("/scope").body)["type"] == "http"
    assert server.stop() == 0
