"""Forwarded headers: whose word is taken, and what is taken away from everyone else."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgid.config.spec import Proxy
from asgid.daemon.asgi.forwarded import Forwarding

TRUSTED = ("10.0.0.0/8", "2001:db8::/32", "192.0.2.1")
FOR, PROTO, PORT, ROOT = b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-port", b"daphne-root-path"


def apply(
    *headers: tuple[bytes, bytes],
    peer: tuple[str, int] | None = ("10.0.0.1", 4000),
    proxy: Proxy | None = None,
) -> dict[str, Any]:
    scope: dict[str, Any] = {
        "client": peer,
        "scheme": "http",
        "root_path": "/own",
        "headers": [(b"host", b"site"), *headers],
    }
    Forwarding("public", proxy or Proxy(trusted=TRUSTED, forwarded="x-forwarded")).apply(scope)
    return scope


@pytest.mark.parametrize(
    ("value", "client"),
    [
        (b"203.0.113.9", "203.0.113.9"),
        (b" 203.0.113.9\t", "203.0.113.9"),
        (b"6.6.6.6, 203.0.113.9", "203.0.113.9"),  # the left one may be a lie
        (b"6.6.6.6, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (b"6.6.6.6, 203.0.113.9, 10.0.0.2, 10.9.9.9", "203.0.113.9"),
        (b"10.0.0.3, 10.0.0.2", "10.0.0.3"),  # all trusted: the first of them asked
        (b"203.0.113.9,10.0.0.2", "203.0.113.9"),
        (b"2001:db9::1", "2001:db9::1"),
        (b"[2001:db9::1]", "2001:db9::1"),
        (b"[2001:db9::1]:4711", "2001:db9::1"),
        (b"203.0.113.9:4711", "203.0.113.9"),
        (b"6.6.6.6, 2001:db8::5", "6.6.6.6"),
        (b"2001:DB9:0::1", "2001:db9::1"),
        (b"6.6.6.6, unknown, 10.0.0.2", "10.0.0.2"),  # nothing left of what is no address is relied on
        (b"6.6.6.6, , 10.0.0.2", "10.0.0.2"),
        (b"6.6.6.6, ::ffff:10.0.0.2", "6.6.6.6"),  # IPv4 in IPv6 is that IPv4
    ],
)
def test_the_client_is_the_right_most_that_no_trusted_proxy_is(value, client):
    assert apply((FOR, value))["client"] == (client, 0)


@pytest.mark.parametrize(
    "value", [b"", b"unknown", b"_hidden", b"a, b", b"6.6.6.6, x", b"999.1.1.1", b"\xff", b","]
)
def test_where_the_last_entry_is_no_address_the_peer_is_the_client(value):
    assert apply((FOR, value))["client"] == ("10.0.0.1", 4000)


def test_several_lines_are_one_list():
    assert apply((FOR, b"6.6.6.6"), (FOR, b"203.0.113.9"), (FOR, b"10.0.0.2"))["client"] == ("203.0.113.9", 0)


@pytest.mark.parametrize(
    ("value", "port"),
    [
        (b"4711", 4711), (b" 4711 ", 4711), (b"0", 0), (b"65535", 65535), (b"65536", 0), (b"-1", 0),
        (b"x", 0), (b"", 0),
        (b"\xb2", 0), (b"1_0", 0), (b"9" * 5000, 0),
    ],
)  # fmt: skip
def test_the_port(value, port):
    assert apply((FOR, b"203.0.113.9"), (PORT, value))["client"] == ("203.0.113.9", port)


def test_a_port_without_a_client_changes_nothing():
    assert apply((PORT, b"4711"))["client"] == ("10.0.0.1", 4000)


@pytest.mark.parametrize(
    ("values", "scheme"),
    [
        ([b"https"], "https"), ([b"HTTPS"], "https"), ([b"http"], "http"), ([b"wss"], "https"), ([b"ws"],
        "http"),
        ([b"http, https"], "https"), ([b"https", b"http"], "http"), ([b"gopher"], "http"), ([b""], "http"),
        ([b"\xff"], "http"), ([b" https "], "https"),
    ],
)  # fmt: skip
def test_the_scheme_is_the_last_proxys_word(values, scheme):
    assert apply(*((PROTO, value) for value in values))["scheme"] == scheme


def test_the_root_path_of_a_trusted_peer_is_taken_and_removed():
    scope = apply((ROOT, b"/a%20b"))
    assert scope["root_path"] == "/a b"
    assert scope["headers"] == [(b"host", b"site")]


SPOOFED = ((FOR, b"203.0.113.9"), (PROTO, b"https"), (PORT, b"1"), (FOR, b"10.0.0.1"))


@pytest.mark.parametrize(
    "peer", [("203.0.113.5", 1), ("2001:db9::1", 1), ("11.0.0.1", 1), ("fe80::1%eth0", 1), None]
)
def test_what_another_peer_says_is_not_taken_and_not_seen(peer):
    scope = apply(*SPOOFED, (b"x", b"y"), (ROOT, b"/spoofed"), peer=peer)
    assert scope == {
        "client": peer,
        "scheme": "http",
        "root_path": "/own",
        "headers": [(b"host", b"site"), (b"x", b"y"), (ROOT, b"/spoofed")],
    }


def test_that_something_was_removed_is_said_once(caplog):
    forwarding = Forwarding("public", Proxy(trusted=("10.0.0.0/8",), forwarded="x-forwarded"))
    for headers in ([(b"x", b"y")], [(FOR, b"1.2.3.4")], [(FOR, b"1.2.3.4")]):
        forwarding.apply({"headers": headers, "client": ("203.0.113.5", 1)})
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 1
    assert "listener public" in said[0]
    assert "203.0.113.5" in said[0]


@pytest.mark.parametrize(
    "peer", [("10.0.0.1", 1), ("2001:db8::1", 1), ("192.0.2.1", 1), ("::ffff:10.0.0.1", 1)]
)
def test_peers_are_trusted_by_network_and_by_address(peer):
    assert apply((FOR, b"203.0.113.9"), peer=peer)["client"] == ("203.0.113.9", 0)


def test_unix_peers_are_trusted_where_unix_is():
    proxy = Proxy(trusted=("unix",), forwarded="x-forwarded")
    assert apply((FOR, b"203.0.113.9"), peer=None, proxy=proxy)["client"] == ("203.0.113.9", 0)
    assert apply((FOR, b"203.0.113.9"), peer=("10.0.0.1", 1), proxy=proxy)["client"] == ("10.0.0.1", 1)


def test_a_link_local_peer_is_trusted_with_its_zone():
    proxy = Proxy(trusted=("fe80::/10",), forwarded="x-forwarded")
    assert apply((FOR, b"203.0.113.9"), peer=("fe80::1%eth0", 1), proxy=proxy)["client"] == ("203.0.113.9", 0)


def test_other_header_names_are_looked_at_and_the_usual_ones_are_not():
    proxy = Proxy(
        trusted=TRUSTED, forwarded="x-forwarded", host_header=b"x-real-ip", port_header=b"x-real-port"
    )
    headers = ((b"x-real-ip", b"203.0.113.9"), (b"x-real-port", b"7"), (FOR, b"6.6.6.6"), (PORT, b"8"))
    assert apply(*headers, proxy=proxy)["client"] == ("203.0.113.9", 7)
    untrusted = apply(*headers, proxy=proxy, peer=("6.6.6.6", 1))["headers"]
    assert untrusted == [(b"host", b"site"), (FOR, b"6.6.6.6"), (PORT, b"8")]


addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6), st.ip_addresses(network="10.0.0.0/8")).map(
    str
)


@given(st.lists(addresses, max_size=6), st.ip_addresses(network="203.0.113.0/24"))
def test_what_stands_left_of_an_untrusted_entry_never_matters(lies, client):
    """However a client fills the header before the first trusted proxy adds to it, that entry is taken."""
    value = ", ".join([*lies, str(client), "10.1.1.1"]).encode()
    assert apply((FOR, value))["client"] == (str(client), 0)


@given(st.binary(max_size=60))
def test_any_bytes_give_an_address_or_the_peer(value):
    """Never an exception, and never a client that is no address."""
    client = apply((FOR, value), (PORT, value), (PROTO, value))["client"]
    ipaddress.ip_address(client[0])
    assert 0 <= client[1] < 65536
