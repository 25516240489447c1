"""Endpoint strings: what Twisted reads is what is read here, and what nobody can open is refused in words."""

from __future__ import annotations

from contextlib import suppress

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
    assert 0 <= refused.offset <= len(text)
    if refused.suggestion:
        endpoints.parse(refused.suggestion)


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
    assert (caught.value.suggestion, caught.value.offset) == (suggestion, offset)
    endpoints.parse(suggestion)


@pytest.mark.parametrize(
    ("text", "code", "offset", "words"),
    [
        ("", codes.ENDPOINT_KIND, 0, "empty"),
        ("tcp", codes.ENDPOINT_MISSING, 3, "port="),
        ("tcp:", codes.ENDPOINT_VALUE, 4, "port"),
        ("tcp:80\\", codes.ENDPOINT_GRAMMAR, 6, "backslash"),
        ("tcp:99999", codes.ENDPOINT_VALUE, 4, "'99999'"),
        ("tcp:-1", codes.ENDPOINT_VALUE, 4, "'-1'"),
        ("tcp:8_0", codes.ENDPOINT_VALUE, 4, "'8_0'"),
        ("tcp:٨٠", codes.ENDPOINT_VALUE, 4, "٨٠"),
        ("tcp:port=80x", codes.ENDPOINT_VALUE, 9, "'80x'"),
        ("tcp:80:interfase=x", codes.ENDPOINT_KEYWORD, 7, "interfase"),
        ("tcp:80:port=81", codes.ENDPOINT_KEYWORD, 7, "twice"),
        ("tcp:port=80:port=81", codes.ENDPOINT_KEYWORD, 12, "twice"),
        ("tcp:80:1.2.3.4:5:6", codes.ENDPOINT_KEYWORD, 17, "at most 3"),
        ("tcp:80:=x", codes.ENDPOINT_GRAMMAR, 7, "keyword"),
        ("tcp:80:interface=a b", codes.ENDPOINT_VALUE, 17, "neither an address nor a host name"),
        ("tcp:80:interface=256.1.1.1", codes.ENDPOINT_VALUE, 17, "256.1.1.1"),
        ("unix:", codes.ENDPOINT_VALUE, 5, "empty"),
        ("unix:/x:mode=0999", codes.ENDPOINT_VALUE, 13, "octal"),
        ("unix:" + "x" * 108, codes.ENDPOINT_VALUE, 5, "107"),
        ("unix:a\nb", codes.ENDPOINT_GRAMMAR, 6, "control"),
        ("asgid-tcp:80:interface=localhost", codes.ENDPOINT_VALUE, 23, "localhost"),
        ("systemd:domain=INET", codes.ENDPOINT_MISSING, 19, "name="),
        ("systemd:domain=IPX:name=a", codes.ENDPOINT_VALUE, 15, "IPX"),
        ("fd:three", codes.ENDPOINT_VALUE, 3, "three"),
        ("haproxy:tcp:99999", codes.ENDPOINT_VALUE, 12, "99999"),
        ("haproxy", codes.ENDPOINT_MISSING, 7, "another endpoint"),
    ],
)
def test_what_cannot_be_opened_is_refused_where_it_goes_wrong(text, code, offset, words):
    with pytest.raises(EndpointSyntaxError) as caught:
        endpoints.parse(text)
    assert (caught.value.code, caught.value.offset) == (code, offset)
    assert words in caught.value.message


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
