from __future__ import annotations

import ipaddress
import os
import shutil
import socket
import subprocess
import sys

import pytest

from asgid.daemon.net import LinuxHost

HOST = LinuxHost()


def test_loopback_is_there_with_its_addresses():
    assert ipaddress.ip_address("127.0.0.1") in HOST.interfaces()["lo"]


@pytest.mark.skipif(shutil.which("ip") is None, reason="iproute2 is not installed")
def test_it_sees_what_ip_sees():
    shown = {}
    text = subprocess.run(["ip", "-o", "addr"], capture_output=True, text=True, check=True).stdout
    for line in text.splitlines():
        _, name, _, address = line.split()[:4]
        shown.setdefault(name, set()).add(address.partition("/")[0])
    seen = {
        name: {str(address).partition("%")[0] for address in addresses}
        for name, addresses in HOST.interfaces().items()
        if addresses
    }
    assert seen == shown


def test_every_interface_is_listed_also_without_an_address():
    assert set(HOST.interfaces()) == {name for _, name in socket.if_nameindex()}


def test_link_local_addresses_carry_their_interface_as_zone_and_no_others_do():
    for name, addresses in HOST.interfaces().items():
        for address in addresses:
            if address.version == 6:
                assert address.scope_id == (name if address.is_link_local else None)


def test_users_and_groups_are_found_by_name_and_numbers_stand_for_themselves():
    assert (HOST.user("root"), HOST.group("root")) == (0, 0)
    assert (HOST.user("12345"), HOST.group("54321")) == (12345, 54321)
    for absent in ("no-such-user", "", "-1", "4294967295", "root\0x", "\N{ARABIC-INDIC DIGIT ONE}"):
        assert HOST.user(absent) is None
        assert HOST.group(absent) is None


def test_ipv6_is_told_as_it_is():
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::", 0))
    except OSError:
        assert not HOST.has_ipv6()
    else:
        assert HOST.has_ipv6()


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs a network namespace")
def test_interfaces_of_another_namespace_are_those_of_that_namespace():
    script = (
        "ip addr add 198.51.100.7/32 dev lo; "
        f"{sys.executable} -c 'from asgid.daemon.net import LinuxHost; print(LinuxHost().interfaces())'"
    )
    done = subprocess.run(["unshare", "-n", "sh", "-ec", script], capture_output=True, text=True, check=False)
    if "unshare" in done.stderr:
        pytest.skip("no network namespaces here")
    assert "198.51.100.7" in done.stdout, done.stderr
    assert "198.51.100.7" not in str(HOST.interfaces())
