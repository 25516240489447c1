"""Endpoint strings: what Twisted reads is what is read here, and what nobody can open is refused in words."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.endpoints import quoteStringArgument, serverFromString
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactor

from asgid.config import codes, endpoints
from asgid.config.addresses import unbindable
from asgid.config.endpoints import AsgidTcp, AsgidUnix, Endpoint, EndpointSyntaxError, Fd, Foreign, Tcp, Unix

# Characters that the grammar gives a meaning, and some that it does not.
TEXT = st.text(
    st.sampled_from("\\:=abc /.%é日0") | st.characters(blacklist_categories=["Cc", "Cs"]), max_size=20
)
PATHS = TEXT.filter(lambda text: 0 < len(text.encode()) <= 107)
KINDS = st.sampled_from(["onion", "le", "x-plug_in"])
WORDS = r"""
    tcp unix tcp6 : : : = \ 80 99999 port= interface= backlog= mode= address= 127.0.0.1 \:\:1 ::1 0 7
    lockfile= /run/x 660 localhost [ ]
"""
PIECES = st.sampled_from([*WORDS.split(), "", " "])


def opened_by_twisted(text: str) -> tuple[str, object]:
    """Return what stock Twisted asks of the reactor for ``text``."""
    reactor = MemoryReactor()
    failures: list[object] = []
    serverFromString(reactor, text).listen(Factory()).addErrback(failures.append)
    assert not failures
    if reactor.tcpServers:
        port, _, backlog, interface = reactor.tcpServers[0]
        return "tcp", (port, interface, backlog)
    address, _, backlog, mode, lockfile = reactor.unixServers[0]
    return "unix", (address, mode, backlog, lockfile)


def opened_by_us(text: str) -> tuple[str, object] | None:
    match endpoints.view(endpoints.parse(text)):
        case Tcp(port, interface, backlog):
            return "tcp", (port, interface, backlog)
        case Unix(path, mode, backlog, lockfile):
            return "unix", (path, mode, backlog, lockfile)
    return None


@given(st.lists(PIECES, max_size=12).map("".join))
def test_what_is_accepted_means_what_twisted_makes_of_it(text):
    """Invariant: a stock tcp or unix string is refused, or opens what stock Twisted opens."""
    with suppress(EndpointSyntaxError):
        ours = opened_by_us(text)
        if ours is not None:
            assert opened_by_twisted(text) == ours


@given(PATHS)
def test_a_path_survives_twisted_as_an_argument_and_as_a_keyword(path):
    for endpoint in (Endpoint("unix", (path,)), Endpoint("unix", (), (("address", path),))):
        assert opened_by_twisted(str(endpoint)) == ("unix", (path, 0o666, 50, True))
        assert endpoints.parse(str(endpoint)) == endpoint


@given(TEXT)
def test_a_value_is_quoted_as_twisted_quotes_it(value):
    assert endpoints.quote(value) == quoteStringArgument(value)


@given(KINDS, st.lists(TEXT), st.dictionaries(TEXT.filter(bool), TEXT))
def test_every_endpoint_is_read_back_as_it_was_written(kind, args, kwargs):
    endpoint = Endpoint(kind, tuple(args), tuple(kwargs.items()))
    assert endpoints.parse(str(endpoint)) == endpoint
    assert endpoints.view(endpoint) == Foreign(endpoint)


@given(st.text(max_size=40) | st.lists(PIECES, max_size=12).map("".join))
def test_any_text_is_an_endpoint_or_a_syntax_error(text):
    """Invariant: parse returns, or raises EndpointSyntaxError; what it returns has a view and reads back."""
    refused = None
    try:
        endpoint = endpoints.parse(text)
    except EndpointSyntaxError as error:
        refused = error
    if refused is None:
        assert endpoints.parse(str(endpoint)) == endpoint
        endpoints.view(endpoint)
        return
    assert refused.message
    assert refused.code.startswith("ASG3")
    for each in (refused, *refused.others):
        assert each.message
        assert each.part is None or 0 <= each.part[0] < each.part[1] <= len(text)
        if each.suggestion:
            endpoints.parse(each.suggestion)
    assert len(
        {(each.part, each.message) for each in refused.others} | {(refused.part, refused.message)}
    ) == 1 + len(refused.others)


@given(
    st.integers(0, 65535),
    st.ip_addresses().filter(lambda each: unbindable(each, str(each)) is None).map(str)
    | st.just("fe80::1%eth0"),
    st.integers(1, 2**31 - 1),
    st.sampled_from(["", "eth0", "e:=\\"]),
    st.booleans(),
)
def test_tcp_strings_that_are_made_say_what_they_were_made_of(port, address, backlog, device, freebind):
    stock = endpoints.parse(str(endpoints.tcp(port, address, backlog)))
    assert endpoints.view(stock) == Tcp(port, address, backlog)
    own = endpoints.asgid_tcp(port, address, backlog, device=device, freebind=freebind)
    assert endpoints.view(endpoints.parse(str(own))) == AsgidTcp(port, address, backlog, device, freebind)


def test_a_plain_address_is_written_with_its_keywords_in_the_documented_order():
    assert str(endpoints.tcp(8005, "::1", 50)) == r"tcp:port=8005:interface=\:\:1:backlog=50"


@given(PATHS, st.integers(0, 0o777), st.sampled_from(["", "www-data"]), st.sampled_from(["", "1000"]))
def test_unix_strings_that_are_made_say_what_they_were_made_of(path, mode, owner, group):
    made = endpoints.asgid_unix(path, mode, 2048, owner=owner, group=group)
    assert endpoints.view(endpoints.parse(str(made))) == AsgidUnix(path, mode, owner, group, 2048)


@pytest.mark.parametrize(("text", "backlog"), [("fd:3", None), ("fd:fileno=3", None), ("fd:3:backlog=7", 7)])
def test_an_inherited_descriptor_keeps_its_own_backlog_unless_one_is_said(text, backlog):
    assert endpoints.view(endpoints.parse(text)) == Fd(3, backlog)


@pytest.mark.parametrize(
    ("text", "suggestion", "offset"),
    [
        ("tcp:8005:interface=::1", r"tcp:8005:interface=\:\:1", 19),
        ("tcp:8005:interface=::", r"tcp:8005:interface=\:\:", 19),
        (
            "tcp:port=80:interface=fe80::1%eth0:backlog=9",
            r"tcp:port=80:interface=fe80\:\:1%eth0:backlog=9",
            22,
        ),
        ("tcp:8005:interface=[::1]:backlog=5", r"tcp:8005:interface=\:\:1:backlog=5", 19),
        (r"tcp:8005:interface=[\:\:1]", r"tcp:8005:interface=\:\:1", 19),
        ("tcp:[::1]:80", r"tcp:80:interface=\:\:1", 4),
        ("tcp:80:2001:db8::1", r"tcp:80:interface=2001\:db8\:\:1", 7),
        ("tcp6:80:interface=::1", r"tcp6:80:interface=\:\:1", 18),
        # Twisted reads these without a murmur, and listens on every IPv4 address.
        ("ssl:443:interface=::", r"ssl:443:interface=\:\:", 18),
        ("ssl:443:interface=::1:privateKey=k.pem", r"ssl:443:interface=\:\:1:privateKey=k.pem", 18),
    ],
)
def test_an_unescaped_ipv6_address_is_answered_with_the_string_as_it_should_read(text, suggestion, offset):
    with pytest.raises(EndpointSyntaxError) as caught:
        endpoints.parse(text)
    assert caught.value.code == codes.ENDPOINT_UNESCAPED
    assert caught.value.suggestion == suggestion
    start, end = caught.value.part
    assert start == offset
    assert ip_address(text[start:end].replace("\\", "").strip("[]")).version == 6
    assert text[end : end + 1] in {"", ":"}
    endpoints.parse(suggestion)


@pytest.mark.parametrize(
    ("text", "code", "part", "words"),
    [
        ("", codes.ENDPOINT_KIND, None, "empty"),
        ("tcp", codes.ENDPOINT_MISSING, "tcp", "port="),
        ("tcp:", codes.ENDPOINT_VALUE, ":", "port"),
        ("tcp:80\\", codes.ENDPOINT_GRAMMAR, "\\", "backslash"),
        ("tcp:99999", codes.ENDPOINT_VALUE, "99999", "'99999'"),
        ("tcp:-1", codes.ENDPOINT_VALUE, "-1", "'-1'"),
        ("tcp:8_0", codes.ENDPOINT_VALUE, "8_0", "'8_0'"),
        ("tcp:٨٠", codes.ENDPOINT_VALUE, "٨٠", "٨٠"),
        ("tcp:port=80x", codes.ENDPOINT_VALUE, "80x", "'80x'"),
        ("tcp:80:interfase=x", codes.ENDPOINT_KEYWORD, "interfase", "interfase"),
        ("tcp:80:port=81", codes.ENDPOINT_KEYWORD, "port=81", "twice"),
        ("tcp:port=80:port=81", codes.ENDPOINT_KEYWORD, "port=81", "twice"),
        ("tcp:80:1.2.3.4:5:6", codes.ENDPOINT_KEYWORD, "6", "at most 3"),
        ("tcp:80:=x", codes.ENDPOINT_GRAMMAR, "=", "keyword"),
        ("tcp:80:interface=a b", codes.ENDPOINT_VALUE, "a b", "neither an address nor a host name"),
        ("tcp:80:interface=256.1.1.1", codes.ENDPOINT_VALUE, "256.1.1.1", "256.1.1.1"),
        (r"tcp:80:interface=a\:b\:c:backlog=1", codes.ENDPOINT_VALUE, r"a\:b\:c", "a:b:c"),
        ("unix:", codes.ENDPOINT_VALUE, ":", "empty"),
        ("unix:/x:mode=0999", codes.ENDPOINT_VALUE, "0999", "octal"),
        ("unix:" + "x" * 108, codes.ENDPOINT_VALUE, "x" * 108, "107"),
        ("unix:a\nb", codes.ENDPOINT_GRAMMAR, "\n", "control"),
        ("asgid-tcp:80:interface=localhost", codes.ENDPOINT_VALUE, "localhost", "localhost"),
        ("systemd:domain=INET", codes.ENDPOINT_MISSING, "systemd", "name="),
        ("systemd:domain=IPX:name=a", codes.ENDPOINT_VALUE, "IPX", "IPX"),
        ("fd:three", codes.ENDPOINT_VALUE, "three", "three"),
        ("haproxy:tcp:99999", codes.ENDPOINT_VALUE, "99999", "99999"),
        ("haproxy", codes.ENDPOINT_MISSING, "haproxy", "another endpoint"),
        ("haproxy:unix", codes.ENDPOINT_MISSING, "unix", "address="),
    ],
)
def test_what_cannot_be_opened_is_refused_at_what_is_wrong(text, code, part, words):
    with pytest.raises(EndpointSyntaxError) as caught:
        endpoints.parse(text)
    found = caught.value
    assert (found.code, found.others) == (code, ())
    # Counted from the end: each string ends in what is wrong, or has it once.
    start = text.rindex(part) if part else 0
    assert found.part == ((start, start + len(part)) if part else None)
    assert words in found.message


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("tcp:x:interface=239.0.0.1:foo=1:backlog=y", ["x", "239.0.0.1", "foo", "y"]),
        ("tpc:x:backlog=y", ["tpc", "x", "y"]),
        ("TCP:x:interface=::1:backlog=y", ["TCP", "x", "::1", "y"]),
        ("tcp:interface=::1:backlog=y", ["tcp", "::1", "y"]),
        ("tcp:8:ff02::1", ["ff02::1", "ff02::1"]),
        ("unix:/a=b:mode=999", ["=", "999"]),
        ("unix:/a\x01:mode=9\\", ["\x01", "9", "\\"]),
        # What follows from another mistake is none of its own.
        ("tcp:prt=80", ["prt"]),
        ("tcp:80:interface=::1", ["::1"]),
        ("systemd:INET:nme=http", ["nme"]),
        ("tcp:interface=a\x01b:80", ["\x01"]),
    ],
)
def test_all_that_is_wrong_with_a_string_is_told_and_nothing_that_follows_from_it(text, parts):
    with pytest.raises(EndpointSyntaxError) as caught:
        endpoints.parse(text)
    found = [caught.value, *caught.value.others]
    assert [text[slice(*each.part)] for each in found] == parts


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("8000", "tcp:8000"),
        (":8000", "tcp:8000"),
        ("127.0.0.1:80", "tcp:80:interface=127.0.0.1"),
        ("localhost:80", "tcp:80:interface=localhost"),
        ("[::1]:80", r"tcp:80:interface=\:\:1"),
        ("/run/x.sock", "unix:/run/x.sock"),
        ("TCP:80", "tcp:80"),
    ],
)
def test_what_is_no_endpoint_is_answered_with_the_one_that_was_meant(text, suggestion):
    with pytest.raises(EndpointSyntaxError) as caught:
        endpoints.parse(text)
    assert caught.value.code == codes.ENDPOINT_KIND
    assert caught.value.suggestion == suggestion


def test_a_host_name_is_left_to_stock_twisted():
    assert endpoints.view(endpoints.parse("tcp:80:interface=localhost")) == Tcp(80, "localhost", 50)
