"""Interfaces by name, link-local addresses, devices, hosts without IPv6: each in a network namespace."""

from __future__ import annotations

import json
import re

import pytest

from support.files import SITE, probe_file
from support.raw import Raw


def listener_at(place) -> str:
    with Raw(place) as client:
        return json.loads(client.get("/scope").body)["extensions"]["asgid"]["listener"]


FOUR = {"10.9.0.1", "10.9.0.11"}
SIX = {"2001:db8:9::1", "fe80::9:1%wire0"}


@pytest.mark.parametrize(("family", "expected"), [("dual", FOUR | SIX), ("ipv4", FOUR), ("ipv6", SIX)])
def test_an_interface_is_all_its_addresses_of_the_family(serve, here, family, expected):
    text = f'[listeners.office]\ninterface = "wire0"\nport = 8001\nfamily = "{family}"\n'
    server = serve(text, prefix=here.prefix)
    assert {line.place[0] for line in server.listeners} == expected
    assert all(line.place[1] == 8001 for line in server.listeners)
    with here.entered():
        for address in expected:
            assert listener_at((address, 8001)) == "office"


def test_a_link_local_address_with_its_zone(serve, here, there):
    server = serve('[listeners.local]\naddress = "fe80::9:1%wire0"\nport = 0\n', prefix=here.prefix)
    port = server.first.place[1]
    assert server.first.place[0] == "fe80::9:1%wire0"
    with there.entered():
        assert listener_at((f"fe80::9:1%{here.peer}", port)) == "local"


def test_a_link_local_address_with_the_zone_of_another_interface_is_told(run, here, tmp_path):
    path = probe_file(tmp_path, '[listeners.local]\naddress = "fe80::9:1%nosuch0"\nport = 0\n')
    failed = run("--config", path, prefix=here.prefix)
    assert failed.status == 1
    assert re.search(r":6:\d+: error\[ASG\d+\].*nosuch0", failed.err.text)


def test_endpoints_of_an_interface_given_back_open_the_same_sockets(start, run, here, tmp_path):
    path = probe_file(tmp_path, '[listeners.office]\ninterface = "wire0"\nport = 8001\n')
    strings = [line.split("\t")[1] for line in run("endpoints", path, prefix=here.prefix).out.lines]
    assert len(strings) >= 4
    flags = [part for string in strings for part in ("-e", string)]
    server = start(*flags, "--app-dir", SITE, "probe:application", prefix=here.prefix).wait_serving()
    assert {line.place[0] for line in server.listeners} >= FOUR | SIX


def test_a_listener_bound_to_its_device_is_bound_to_it_and_reached_through_it(serve, here, there):
    text = '[listeners.office]\ninterface = "wire0"\nport = 8001\nfamily = "ipv4"\nbind_to_device = true\n'
    serve(text, prefix=here.prefix)
    with there.entered():
        assert listener_at(("10.9.0.1", 8001)) == "office"
    assert "10.9.0.1%wire0:8001" in here.run("ss", "--tcp", "--listening", "--numeric")


def test_freebind_serves_once_the_address_is_there(serve, here):
    text = '[listeners.later]\naddress = "10.9.0.77"\nport = 8001\nfreebind = true\n'
    serve(text, prefix=here.prefix)
    here.run("ip", "address", "add", "10.9.0.77/24", "dev", "wire0")
    with here.entered():
        assert listener_at(("10.9.0.77", 8001)) == "later"


def test_an_address_that_is_not_there_is_told_with_what_is(run, here, tmp_path):
    path = probe_file(tmp_path, '[listeners.office]\naddress = "10.9.0.99"\nport = 8001\n')
    failed = run("--config", path, prefix=here.prefix)
    assert failed.status == 1
    assert re.search(r":6:\d+: error\[ASG\d+\].*10\.9\.0\.99", failed.err.text)


def test_an_interface_without_an_address_of_the_family_is_told(run, here, tmp_path):
    here.run("ip", "address", "flush", "dev", "wire0", "scope", "global")
    path = probe_file(tmp_path, '[listeners.office]\ninterface = "wire0"\nport = 8001\nfamily = "ipv4"\n')
    failed = run("--config", path, prefix=here.prefix)
    assert failed.status == 1
    assert re.search(r"error\[ASG\d+\].*wire0", failed.err.text)


def test_a_star_serves_where_no_interface_has_ipv6(serve, here):
    here.run("sysctl", "-w", "net.ipv6.conf.all.disable_ipv6=1")
    serve('[listeners.all]\naddress = "*"\nport = 8001\n', prefix=here.prefix)
    with here.entered():
        assert listener_at(("10.9.0.1", 8001)) == "all"


def test_stock_strings_of_both_families_share_a_port(start, here):
    flags = ("-e", "tcp:8000:interface=0.0.0.0", "-e", r"tcp:8000:interface=\:\:")
    start(*flags, "--app-dir", SITE, "probe:application", prefix=here.prefix).wait_serving()
    with here.entered():
        for address in ("10.9.0.1", "2001:db8:9::1", "127.0.0.1", "::1"):
            with Raw((address, 8000)) as client:
                assert client.get("/hello").status == 200
