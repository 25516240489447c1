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
HOST, PREFIX, FORWARDED = b"x-forwarded-host", b"x-forwarded-prefix", b"forwarded"


def apply(
    *headers: tuple[bytes, bytes],
    peer: tuple[str, int] | None = ("10.0.0.1", 4000),
    proxy: Proxy | None = None,
) -> dict[str, Any]:
    scope: dict[str, Any] = {
        "client": peer,
        "scheme": "http",
        "root_path": "/own",
        "path": "/own/é",
        "raw_path": b"/own/%C3%A9",
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
        (b"6.6.6.6, 2001:db8::5", "6.6.6.6"),
        (b"2001:DB9:0::1", "2001:db9::1"),
        (b"6.6.6.6, unknown, 10.0.0.2", "10.0.0.2"),  # nothing left of what is no address is relied on
        (b"6.6.6.6, , 10.0.0.2", "10.0.0.2"),
        (b"6.6.6.6, ::ffff:10.0.0.2", "6.6.6.6"),  # IPv4 in IPv6 is that IPv4
        (b"::ffff:6.6.6.6", "6.6.6.6"),
        (b"6.6.6.6, 9.9.9.9:99999, 10.0.0.2", "10.0.0.2"),
        (b"6.6.6.6, [9.9.9.9], 10.0.0.2", "10.0.0.2"),
        (b"6.6.6.6, [2001:db9::1]x, 10.0.0.2", "10.0.0.2"),
        (b"6.6.6.6, fe80::1%<script>, 10.0.0.2", "10.0.0.2"),
        (b'6.6.6.6, "9.9.9.9", 10.0.0.2', "10.0.0.2"),
        (b"6.6.6.6, unix:, 10.0.0.2", "10.0.0.2"),  # a unix socket, which is not trusted here
    ],
)
def test_the_client_is_the_right_most_that_no_trusted_proxy_is(value, client):
    assert apply((FOR, value))["client"] == (client, 0)


@pytest.mark.parametrize("value", [b"203.0.113.9:4711", b"[2001:db9::1]:4711"])
def test_the_clients_own_port_stands_behind_its_address(value):
    """As Azure's gateways write it; it counts before X-Forwarded-Port."""
    for headers in [(), ((PORT, b"443"),)]:
        assert apply((FOR, b"6.6.6.6:1, " + value + b", 10.0.0.2:99"), *headers)["client"][1] == 4711


def test_a_proxy_behind_a_unix_socket_is_passed_over_where_unix_is_trusted():
    proxy = Proxy(trusted=("unix", "10.0.0.0/8"), forwarded="x-forwarded")
    headers = ((FOR, b"6.6.6.6, 203.0.113.9, unix:, 10.0.0.2, unix:"),)
    assert apply(*headers, proxy=proxy)["client"] == ("203.0.113.9", 0)
    assert apply((FOR, b"unix:"), proxy=proxy)["client"] == ("10.0.0.1", 4000)


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


@pytest.mark.parametrize(
    ("value", "root"),
    [
        (b"", ""), (b"/", "/"), (b"/a/", "/a/"), (b"/caf%C3%A9", "/café"),
        (b"//evil.example", "/own"), (b"/%2Fevil.example", "/own"), (b"/\\evil.example", "/own"),
        (b"https://evil.example", "/own"), (b"evil.example", "/own"), (b"/a/../..", "/own"),
        (b"/a%0d%0aSet-Cookie:x", "/own"), (b"/a\xff%00", "/own"),
    ],
)  # fmt: skip
def test_a_root_path_that_would_lead_to_another_host_is_not_taken(value, root):
    scope = apply((ROOT, value))
    assert (scope["root_path"], scope["path"]) == (root, "/own/é")
    assert scope["headers"] == [(b"host", b"site")]


SPOOFED = (
    (FOR, b"203.0.113.9"), (PROTO, b"https"), (PORT, b"1"), (FOR, b"10.0.0.1"), (HOST, b"evil"),
    (PREFIX, b"/p"),
    (FORWARDED, b"for=10.0.0.1;host=evil;proto=https"), (b"x-real-ip", b"10.0.0.1"),
    (b"x-forwarded-user", b"root"), (b"x-forwarded-proto-version", b"1"),
    (b"x_forwarded_for", b"10.0.0.1"), (b"x-forwarded_host", b"evil"), (b"x_real-ip", b"10.0.0.1"),
)  # fmt: skip


@pytest.mark.parametrize(
    "peer", [("203.0.113.5", 1), ("2001:db9::1", 1), ("11.0.0.1", 1), ("fe80::1%eth0", 1), None]
)
def test_what_another_peer_says_is_not_taken_and_not_seen(peer):
    scope = apply(*SPOOFED, (b"x", b"y"), (ROOT, b"/spoofed"), peer=peer)
    assert scope == {
        "client": peer,
        "scheme": "http",
        "root_path": "/own",
        "path": "/own/é",
        "raw_path": b"/own/%C3%A9",
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


def test_a_tcp_peer_without_an_address_any_more_is_no_unix_peer():
    forwarding = Forwarding("public", Proxy(trusted=("unix",), forwarded="x-forwarded"))
    scope: dict[str, Any] = {"client": None, "server": ("192.0.2.1", 80), "headers": [(FOR, b"203.0.113.9")]}
    forwarding.apply(scope)
    assert scope == {"client": None, "server": ("192.0.2.1", 80), "headers": []}
    scope = {"client": None, "server": None, "headers": [(FOR, b"203.0.113.9")]}
    forwarding.apply(scope)
    assert scope["client"] == ("203.0.113.9", 0)


def test_a_link_local_peer_is_trusted_with_its_zone():
    proxy = Proxy(trusted=("fe80::/10",), forwarded="x-forwarded")
    assert apply((FOR, b"203.0.113.9"), peer=("fe80::1%eth0", 1), proxy=proxy)["client"] == ("203.0.113.9", 0)


def test_other_header_names_are_looked_at_and_the_usual_ones_are_not():
    proxy = Proxy(
        trusted=TRUSTED, forwarded="x-forwarded", host_header=b"x-real-ip", port_header=b"x-real-port"
    )
    headers = ((b"x-real-ip", b"203.0.113.9"), (b"x-real-port", b"7"), (FOR, b"6.6.6.6"), (PORT, b"8"))
    assert apply(*headers, proxy=proxy)["client"] == ("203.0.113.9", 7)
    assert apply(*headers, proxy=proxy, peer=("6.6.6.6", 1))["headers"] == [(b"host", b"site")]


def test_header_names_with_underscores_of_ones_own():
    proxy = Proxy(trusted=TRUSTED, forwarded="x-forwarded", host_header=b"client_ip")
    assert apply((b"client_ip", b"203.0.113.9"), proxy=proxy)["client"] == ("203.0.113.9", 0)
    assert apply((b"client_ip", b"1.2.3.4"), proxy=proxy, peer=None)["headers"] == [(b"host", b"site")]


def seen(*headers: tuple[bytes, bytes], **options: Any) -> list[tuple[bytes, bytes]]:
    """The headers that the application sees of those of a trusted peer, Host aside."""
    return sorted(header for header in apply(*headers, **options)["headers"] if header[0] != b"host")


def test_of_what_a_trusted_peer_sends_the_believed_part_is_left():
    chain = (FOR, b"6.6.6.6, 203.0.113.9:80"), (FOR, b" 10.0.0.3 , 10.0.0.2")
    assert seen(*chain) == [(FOR, b"203.0.113.9:80, 10.0.0.3, 10.0.0.2")]
    assert seen((FOR, b"6.6.6.6, nobody, 10.0.0.2")) == [(FOR, b"10.0.0.2")]
    assert (
        seen((FOR, b"6.6.6.6, nobody"), (PROTO, b"gopher"), (PORT, b"x"), (PREFIX, b"//x"), (HOST, b"a b"))
        == []
    )
    assert seen((PROTO, b"http, HTTPS"), (HOST, b"evil, site:81"), (PORT, b"1,2")) == [
        (HOST, b"site:81"), (PORT, b"2"), (PROTO, b"https"),
    ]  # fmt: skip


def test_a_trusted_peer_passes_headers_of_its_clients_on_that_it_does_not_write_itself():
    lies = ((FORWARDED, b"for=6.6.6.6"), (b"x_forwarded_for", b"6.6.6.6"), (b"x_forwarded_user", b"root"))
    own = ((b"x-forwarded-user", b"me"), (b"x-real-ip", b"203.0.113.9"))
    assert seen(*lies, *own) == sorted(own)
    other = Proxy(trusted=TRUSTED, forwarded="rfc7239")
    spoofed = ((FOR, b"6.6.6.6"), (HOST, b"evil"), (PREFIX, b"/evil"), (PROTO, b"https"), (PORT, b"1"))
    scope = apply(*spoofed, *own, (FORWARDED, b"for=203.0.113.9"), proxy=other)
    assert (scope["client"], scope["scheme"], scope["root_path"]) == (("203.0.113.9", 0), "http", "/own")
    assert scope["headers"] == [(b"host", b"site"), *own, (FORWARDED, b"for=203.0.113.9")]


@pytest.mark.parametrize(
    ("value", "host"),
    [
        (b"www.example.org", b"www.example.org"), (b"www.example.org:8443", b"www.example.org:8443"),
        (b"evil, www.example.org", b"www.example.org"), (b"[2001:db8::1]:80", b"[2001:db8::1]:80"),
        (b"192.0.2.1", b"192.0.2.1"), (b"", b"site"), (b"a b", b"site"), (b"evil/path", b"site"),
        (b"user@evil", b"site"), (b"a:b", b"site"), (b"a:", b"site"), (b"a, ", b"site"), (b"\xff", b"site"),
        (b"a:123456", b"site"),
    ],
)  # fmt: skip
def test_the_host_is_the_one_that_the_proxy_was_asked_for(value, host):
    assert apply((HOST, value))["headers"][0] == (b"host", host)
    assert apply((HOST, b"evil"), (HOST, value))["headers"][0] == (b"host", host)


def test_there_is_one_host_at_its_place_even_where_the_proxy_sent_none():
    scope: dict[str, Any] = {"client": ("10.0.0.1", 1), "headers": [(b"a", b"b"), (HOST, b"www")]}
    Forwarding("public", Proxy(trusted=TRUSTED, forwarded="x-forwarded")).apply(scope)
    assert scope["headers"] == [(b"host", b"www"), (b"a", b"b"), (HOST, b"www")]
    scope["headers"] = [(b"a", b"b"), (b"host", b"x"), (b"c", b"d"), (HOST, b"www")]
    Forwarding("public", Proxy(trusted=TRUSTED, forwarded="x-forwarded")).apply(scope)
    assert scope["headers"] == [(b"a", b"b"), (b"host", b"www"), (b"c", b"d"), (HOST, b"www")]


@pytest.mark.parametrize(
    ("value", "root", "raw"),
    [
        (b"/app", "/app", b"/app"), (b"/app/", "/app", b"/app"), (b"/a/b", "/a/b", b"/a/b"),
        (b"/caf%C3%A9", "/café", b"/caf%C3%A9"), (b"/evil, /app", "/app", b"/app"),
    ],
)  # fmt: skip
def test_the_prefix_that_the_proxy_cut_off_stands_before_the_path_again(value, root, raw):
    scope = apply((PREFIX, value))
    assert (scope["root_path"], scope["path"], scope["raw_path"]) == (
        root, root + "/own/é", raw + b"/own/%C3%A9",
    )  # fmt: skip


def test_the_whole_server_has_no_prefix():
    scope: dict[str, Any] = {"client": ("10.0.0.1", 1), "path": "*", "raw_path": b"*"}
    scope["headers"] = [(PREFIX, b"/app")]
    Forwarding("public", Proxy(trusted=TRUSTED, forwarded="x-forwarded")).apply(scope)
    assert (scope["root_path"], scope["path"], scope["raw_path"]) == ("/app", "*", b"*")


@pytest.mark.parametrize(
    "value",
    [
        b"", b"/", b"app", b"//evil.example", b"/a//b", b"/%2Fevil", b"/a/../b", b"/%2e%2e/b", b"/..",
        b"/a?b", b"/a#b", b"/a\\b", b"/a%5Cb", b"/a%0d%0aSet-Cookie:x", b"/a b", b"https://evil", b"/caf\xe9",
    ],
)  # fmt: skip
def test_a_prefix_that_is_none_changes_nothing(value):
    scope = apply((PREFIX, value))
    assert (scope["root_path"], scope["path"], scope["raw_path"]) == ("/own", "/own/é", b"/own/%C3%A9")
    assert scope["headers"] == [(b"host", b"site")]


def test_daphnes_flags_leave_host_and_prefix_to_the_application():
    proxy = Proxy(trusted=TRUSTED, forwarded="x-forwarded", rewrites=False)
    said = ((HOST, b"_"), (PREFIX, b"/app"))
    scope = apply(*said, (FOR, b"203.0.113.9"), (PROTO, b"https"), proxy=proxy)
    assert (scope["client"], scope["scheme"], scope["root_path"]) == (("203.0.113.9", 0), "https", "/own")
    assert scope["headers"][:3] == [(b"host", b"site"), *said]
    assert apply(*said, proxy=proxy, peer=None)["headers"] == [(b"host", b"site")]


CHAINS = {
    "for=203.0.113.9": ("203.0.113.9", 0),
    "For=203.0.113.9;Proto=https": ("203.0.113.9", 0),
    'for="203.0.113.9:4711"': ("203.0.113.9", 4711),
    "for=203.0.113.9:4711": ("203.0.113.9", 4711),  # no token, but it happens
    'for="[2001:DB9::1]"': ("2001:db9::1", 0),
    'for="[2001:db9::1]:4711"': ("2001:db9::1", 4711),
    "for=[2001:db9::1]": ("2001:db9::1", 0),
    'for="203.0.113.9:_port"': ("203.0.113.9", 0),
    'for="\\2\\03.0.113.9"': ("203.0.113.9", 0),  # quoted pairs (RFC 9110 5.6.4)
    "for=6.6.6.6, for=203.0.113.9": ("203.0.113.9", 0),
    "for=6.6.6.6,for=203.0.113.9,for=10.0.0.2": ("203.0.113.9", 0),
    "for=6.6.6.6, for=203.0.113.9, for=10.0.0.2, for=10.9.9.9": ("203.0.113.9", 0),
    "for=203.0.113.9, , for=10.0.0.2,": ("203.0.113.9", 0),  # empty elements of a list (RFC 9110 5.6.1)
    "for=10.0.0.3, for=10.0.0.2": ("10.0.0.3", 0),
    "by=_me;for=203.0.113.9 ; proto=http;": ("203.0.113.9", 0),
    "for=6.6.6.6, for=unknown, for=10.0.0.2": ("10.0.0.2", 0),  # who that was is not told
    "for=6.6.6.6, for=_hidden, for=10.0.0.2": ("10.0.0.2", 0),
    'for=6.6.6.6, for="_hidden:_port", for=10.0.0.2': ("10.0.0.2", 0),
    "for=6.6.6.6, proto=https, for=10.0.0.2": ("10.0.0.2", 0),
    "for=6.6.6.6, for=203.0.113.9;for=6.6.6.6, for=10.0.0.2": ("10.0.0.2", 0),  # twice is once too often
    'for=6.6.6.6, for="203.0.113.9, for=10.0.0.2': ("10.0.0.2", 0),
    'for=6.6.6.6;x="a, for=203.0.113.9", for=10.0.0.2': ("6.6.6.6", 0),
    "for=6.6.6.6, for = 203.0.113.9, for=10.0.0.2": ("10.0.0.2", 0),
    "for=6.6.6.6, for, for=10.0.0.2": ("10.0.0.2", 0),
    'for=6.6.6.6, for="2001:db9::1", for=10.0.0.2': ("10.0.0.2", 0),  # no brackets (RFC 7239 6)
    "for=6.6.6.6, for=[1.2.3.4], for=10.0.0.2": ("10.0.0.2", 0),
    'for=6.6.6.6, for="1.2.3.4:99999", for=10.0.0.2': ("10.0.0.2", 0),
    "for=6.6.6.6, for=name.example, for=10.0.0.2": ("10.0.0.2", 0),
    "for=unknown": ("10.0.0.1", 4000),
    "for=_hidden": ("10.0.0.1", 4000),
    "": ("10.0.0.1", 4000),
    ",": ("10.0.0.1", 4000),
    "for=6.6.6.6, nonsense": ("10.0.0.1", 4000),
    'for=6.6.6.6, for="': ("10.0.0.1", 4000),
}


@pytest.mark.parametrize("value", CHAINS)
def test_the_client_in_forwarded_is_the_right_most_that_no_trusted_proxy_is(value):
    proxy = Proxy(trusted=TRUSTED, forwarded="rfc7239")
    assert apply((FORWARDED, value.encode()), proxy=proxy)["client"] == CHAINS[value]
    if '"' not in value:  # several lines are one list
        lines = [(FORWARDED, part.encode()) for part in value.split(",")]
        assert apply(*lines, proxy=proxy)["client"] == CHAINS[value]


@pytest.mark.parametrize(
    ("value", "scheme", "host", "left"),
    [
        ("for=203.0.113.9;proto=https;host=www", "https", b"www", None),
        ('for=203.0.113.9;host="www:81";proto=WSS', "https", b"www:81", None),
        # What the proxy says that the client came to, not the one between; nothing that a client says.
        (
            "for=6.6.6.6;host=evil, for=203.0.113.9;proto=https;host=www, for=10.0.0.2;proto=http;host=b",
            "https", b"www", "for=203.0.113.9;proto=https;host=www, for=10.0.0.2;proto=http;host=b",
        ),
        ("for=203.0.113.9, for=10.0.0.2;proto=https;host=b", "https", b"b", None),
        ("for=6.6.6.6, for=_hidden;proto=https", "https", b"site", "for=_hidden;proto=https"),
        ('for=203.0.113.9;proto=gopher;host="a b"', "http", b"site", None),
        ("for=10.0.0.2;proto=https;host=a/b", "http", b"site", ""),  # "/" is in no token: malformed
    ],
)  # fmt: skip
def test_scheme_and_host_of_forwarded_are_of_the_proxy_that_the_client_came_to(value, scheme, host, left):
    scope = apply((FORWARDED, value.encode()), proxy=Proxy(trusted=TRUSTED, forwarded="rfc7239"))
    assert scope["scheme"] == scheme
    said = [] if left == "" else [(FORWARDED, (left or value).encode())]
    assert scope["headers"] == [(b"host", host), *said]


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
    apply((HOST, value), (PREFIX, value))


elements = st.lists(
    st.sampled_from(
        ["for=", '"', "\\", ",", ";", " ", "=", "_x", "6.6.6.6", "[2001:db8::1]", "proto=https", "\t"]
    )
).map("".join)


@given(elements, st.sampled_from([", ", ",", None]), st.sampled_from([
    "for=203.0.113.7;proto=http;host=site",
    'for="203.0.113.7:80";by="_x";host="a\\"b,for=9.9.9.9"',
    'host="x\\\\";for=203.0.113.7;ext="a, for=9.9.9.9;y=\\"z"',
]))  # fmt: skip
def test_no_beginning_of_a_client_changes_how_its_proxys_element_is_read(lies, comma, element):
    """Open quotes, backslashes and commas before what the proxy added: its element is read as if alone."""
    proxy = Proxy(trusted=TRUSTED, forwarded="rfc7239")
    headers = [(FORWARDED, f"{lies}{comma}{element}".encode())]
    if comma is None:
        headers = [(FORWARDED, lies.encode()), (FORWARDED, element.encode())]
    scope = apply(*headers, proxy=proxy)
    assert scope["client"][0] == "203.0.113.7"
    assert scope["scheme"] == "http"
    assert scope["headers"] == [(b"host", b"site"), (FORWARDED, element.encode())]


@given(st.one_of(st.binary(max_size=60), elements.map(str.encode)))
def test_any_bytes_of_forwarded_give_an_address_or_the_peer(value):
    """Never an exception, and never a client that is no address."""
    client = apply((FORWARDED, value), proxy=Proxy(trusted=TRUSTED, forwarded="rfc7239"))["client"]
    ipaddress.ip_address(client[0])
    assert 0 <= client[1] < 65536
