"""Request heads: each rule of RFC 9110 and 9112 that a head can break, its section in the test's id."""

from __future__ import annotations

import string

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgid.daemon.seam import Peer, RequestHead
from asgid.daemon.wire import compiled
from asgid.daemon.wire.http1_head import METHODS, BadRequest, HeadParser

PEER = Peer(("192.0.2.7", 5000), ("192.0.2.1", 80), "http")
TOKEN = frozenset((string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~").encode())  # RFC 9110 5.6.2
PLAIN = b"GET / HTTP/1.1\r\nHost: site\r\n\r\n"


SCANS = {"python": None} | ({"compiled": compiled.scan} if compiled.scan else {})
_using: list = []


@pytest.fixture(scope="module", autouse=True, params=SCANS)
def scan(request):
    """Every test here is run with and without what is compiled."""
    _using[:] = [SCANS[request.param]]


def make_parser(count: int = 128) -> HeadParser:
    return HeadParser(count, *_using)


def parse(data: bytes, *, count: int = 128) -> RequestHead:
    return make_parser(count).parse(data, PEER)


def framing(*lines: bytes, start: bytes = b"POST / HTTP/1.1"):
    """The framing of a head; None where it says nothing."""
    parser = make_parser()
    parser.parse(b"\r\n".join((start, b"Host: site", *lines, b"", b"")), PEER)
    return parser.framing


def refused(data: bytes) -> int:
    with pytest.raises(BadRequest) as refusal:
        parse(data)
    assert refusal.value.why
    return refusal.value.status


def head(*lines: bytes, start: bytes = b"GET / HTTP/1.1", host: bool = True) -> bytes:
    return b"\r\n".join((start, *((b"Host: site",) if host else ()), *lines, b"", b""))


def test_a_plain_head_is_taken_as_it_stands():
    request = parse(head(b"Accept: */*", b"X-A:1", b"x-a: 2", start=b"GET /a%20b?c=d&e HTTP/1.1"))
    assert (request.method, request.target, request.version) == ("GET", b"/a%20b?c=d&e", "1.1")
    assert request.headers == [(b"host", b"site"), (b"accept", b"*/*"), (b"x-a", b"1"), (b"x-a", b"2")]
    assert request.peer is PEER
    assert request.websocket is False


@pytest.mark.parametrize("method", sorted(METHODS))
def test_known_methods_are_passed_on(method):
    assert parse(head(start=method + b" / HTTP/1.1")).method == method.decode()


REFUSED: list[tuple[str, int, bytes]] = [
    # The request line
    ("9112-3 two spaces before the target", 400, head(start=b"GET  / HTTP/1.1")),
    ("9112-3 two spaces before the version", 400, head(start=b"GET /  HTTP/1.1")),
    ("9112-3 space after the version", 400, head(start=b"GET / HTTP/1.1 ")),
    ("9112-3 space before the method", 400, head(start=b" GET / HTTP/1.1")),
    ("9112-3 tab for a space", 400, head(start=b"GET\t/ HTTP/1.1")),
    ("9112-3 no version (HTTP/0.9)", 400, head(start=b"GET /")),
    ("9112-3 no target", 400, head(start=b"GET HTTP/1.1")),
    ("9112-3 empty target", 400, head(start=b"GET  HTTP/1.1")),
    ("9112-3 a target with a space", 400, head(start=b"GET /a b HTTP/1.1")),
    ("9112-3 only a method", 400, b"GET\r\n\r\n"),
    ("9112-3 TLS", 400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    ("9110-9.1 methods are case-sensitive", 400, head(start=b"get / HTTP/1.1")),
    ("9110-9.1 unknown method", 501, head(start=b"BREW / HTTP/1.1")),
    ("9110-9.1 method that is no token", 400, head(start=b"G(T / HTTP/1.1")),
    ("9110-9.3.6 CONNECT", 501, head(start=b"CONNECT site:80 HTTP/1.1")),
    ("9110-9.1 a method of RTSP", 501, head(start=b"DESCRIBE / HTTP/1.1")),
    ("9112-2.3 version in lower case", 400, head(start=b"GET / http/1.1")),
    ("9112-2.3 version of another protocol", 400, head(start=b"GET / RTSP/1.0")),
    ("9112-2.3 version of ICE", 400, head(start=b"SOURCE / ICE/1.0")),
    ("9112-2.3 version with two digits", 400, head(start=b"GET / HTTP/1.10")),
    ("9112-2.3 version without a minor", 400, head(start=b"GET / HTTP/1")),
    ("9112-2.3 version with a comma", 400, head(start=b"GET / HTTP/1,1")),
    ("9112-2.3 HTTP/0.9", 400, head(start=b"GET / HTTP/0.9")),
    ("9110-15.6.6 HTTP/2.0", 505, head(start=b"GET / HTTP/2.0")),
    ("9110-15.6.6 HTTP/3.0", 505, head(start=b"GET / HTTP/3.0")),
    ("9113-3.4 the preface of HTTP/2", 505, b"PRI * HTTP/2.0\r\n\r\n"),
    # Targets
    ("9112-3.2.1 no slash", 400, head(start=b"GET index.html HTTP/1.1")),
    ("9112-3.2.1 fragment", 400, head(start=b"GET /a#b HTTP/1.1")),
    ("9112-3.2.4 asterisk with GET", 400, head(start=b"GET * HTTP/1.1")),
    ("9112-3.2.3 authority form without CONNECT", 400, head(start=b"GET site:80 HTTP/1.1")),
    ("9112-3.2.2 another scheme", 400, head(start=b"GET ftp://site/ HTTP/1.1")),
    ("9110-4.2.4 user information", 400, head(start=b"GET http://user@site/ HTTP/1.1")),
    ("9110-4.2.1 no host in the target", 400, head(start=b"GET http:/// HTTP/1.1")),
    ("9112-3.2.2 absolute form with a fragment", 400, head(start=b"GET http://site/#a HTTP/1.1")),
    ("9112-3.2.2 absolute form, bad port", 400, head(start=b"GET http://site:a/ HTTP/1.1")),
    # Fields
    ("9112-5.1 space before the colon", 400, head(b"A : b")),
    ("9112-5.1 tab before the colon", 400, head(b"A\t: b")),
    ("9112-5.1 space in a name", 400, head(b"A b: c")),
    ("9112-5 no colon", 400, head(b"A")),
    ("9112-5 empty name", 400, head(b": b")),
    ("9112-5.2 obs-fold with a space", 400, head(b"A: b", b" c")),
    ("9112-5.2 obs-fold with a tab", 400, head(b"A: b", b"\tc")),
    ("9112-5.2 obs-fold of nothing", 400, head(b"A: b", b" ")),
    ("9112-2.2 white space before the first field", 400, b"GET / HTTP/1.1\r\n Host: site\r\n\r\n"),
    ("9112-2.2 bare LF after the request line", 400, b"GET / HTTP/1.1\nHost: site\r\n\r\n"),
    ("9112-2.2 bare LF after a field", 400, head(b"A: b\nC: d")),
    ("9112-2.2 bare LF before the end", 400, head(b"A: b\n")),
    ("9112-2.2 bare CR in a value", 400, head(b"A: b\rC: d")),
    ("9112-2.2 bare CR before the end of a line", 400, head(b"A: b\r")),
    ("9112-2.2 bare CR in the request line", 400, head(start=b"GET /\r HTTP/1.1")),
    ("9110-5.5 NUL in a value", 400, head(b"A: b\0c")),
    # Host
    ("9112-3.2 no Host", 400, head(host=False)),
    ("9112-3.2 no Host beside an absolute target", 400, head(start=b"GET http://site/ HTTP/1.1", host=False)),
    ("9112-3.2 two Hosts", 400, head(b"Host: other")),
    ("9112-3.2 the same Host twice", 400, head(b"Host: site")),
    ("9112-3.2 two Hosts in HTTP/1.0", 400, head(b"Host: other", start=b"GET / HTTP/1.0")),
    ("9112-3.2 two Hosts and an absolute target", 400, head(b"Host: b", start=b"GET http://a/ HTTP/1.1")),
    *(
        (f"9110-7.2 Host {host!r}", 400, head(b"Host: " + host, start=start, host=False))
        for start in (b"GET / HTTP/1.1", b"GET / HTTP/1.0")
        for host in (
            b"a b", b"a/b", b"a@b", b"a:b", b"a:80:80", b"a?b", b"a#b", b"[::1", b"::1", b"[::1]a", b"[",
            b"[]", b"[%eth0]", b"[::1%]", b"a%zz", b"%", b"a%a", b"[1:2]",
            b"a\\b", b'"a"', b"a:80 ", b"http://a", b"<a>", b"\xe4.example",
        )
        if host != b"a:80 "  # white space around a value is no part of it
    ),
    # Content-Length and Transfer-Encoding
    *(
        (f"9110-8.6 Content-Length {value!r}", 400, head(b"Content-Length: " + value,
        start=b"POST / HTTP/1.1"))
        for value in (
            b"", b"+5", b"-5", b"5_0", b"0x5", b"5,5", b"5, 5", b"5 5", b"5;", b"five", b"5.0", b"1e1",
            b"\xb2",
            b"9223372036854775808", b"99999999999999999999", b"18446744073709551621",
        )
    ),
    ("9112-6.3 Content-Length twice, differing", 400, head(b"Content-Length: 5", b"Content-Length: 6")),
    ("9112-6.3 Content-Length twice, the same", 400, head(b"Content-Length: 5", b"Content-Length: 5")),
    *(
        (f"9112-6.1 {name}", 400, head(*lines, start=b"POST / HTTP/1.1"))
        for name, lines in {
            "length, then coding": (b"Content-Length: 5", b"Transfer-Encoding: chunked"),
            "coding, then length": (b"Transfer-Encoding: chunked", b"Content-Length: 5"),
            "length 0 beside the coding": (b"Content-Length: 0", b"Transfer-Encoding: chunked"),
            "length beside an unknown coding": (b"Content-Length: 5", b"Transfer-Encoding: gzip"),
            "length beside identity": (b"Content-Length: 5", b"Transfer-Encoding: identity"),
        }.items()
    ),
    *(
        (f"9112-6.3 Transfer-Encoding {value!r}", status, head(b"Transfer-Encoding: " + value,
        start=b"POST / HTTP/1.1"))
        for value, status in {
            b"": 400, b"gzip": 400, b"identity": 400, b"chunked, gzip": 400, b"chunked, chunked": 400,
            b"xchunked": 400, b"chunkedx": 400, b"chunked;q=1": 400, b'"chunked"': 400, b"chunked,": 400,
            b",chunked": 400, b"chunked chunked": 400, b"\x0bchunked": 400, b"chunked\x0b": 400,
            b"chunked\0": 400,
            b"gzip, chunked": 501, b"identity, chunked": 501, b"cow, chunked": 501,
        }.items()
    ),
    ("9112-6.3 Transfer-Encoding twice", 400, head(b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: chunked")),
    ("9112-6.3 codings in two lines", 400, head(b"Transfer-Encoding: gzip", b"Transfer-Encoding: chunked")),
    ("9112-6.1 a coding in HTTP/1.0", 400, head(b"Transfer-Encoding: chunked", start=b"POST / HTTP/1.0")),
    ("9112-5.1 a coding behind a space", 400, head(b"Transfer-Encoding : chunked", start=b"POST / HTTP/1.1")),
    ("9112-5.2 a coding in a folded line", 400, head(b"Transfer-Encoding:", b" chunked",
    start=b"POST / HTTP/1.1")),
    # Expectations
    ("9110-10.1.1 another expectation", 417, head(b"Expect: cake", b"Content-Length: 5",
    start=b"POST / HTTP/1.1")),
    ("9110-10.1.1 two", 417, head(b"Expect: 100-continue", b"Expect: cake", start=b"POST / HTTP/1.1")),
    ("9110-10.1.1 without a body", 417, head(b"Expect: 200-ok")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "data"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_refused(status, data):
    assert refused(data) == status


@pytest.mark.parametrize("data", [case[2] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_is_refused_leaves_nothing_to_the_next_head(data):
    """The parser is shared by all clients of a listener (RFC 9112 11.2: one's bytes never reach another)."""
    parser = make_parser()
    for _ in range(2):
        with pytest.raises(BadRequest):
            parser.parse(data, PEER)
        request = parser.parse(PLAIN, PEER)
        assert (request.headers, parser.framing) == ([(b"host", b"site")], None)


BODY_LINES = [b"Content-Length: 50", b"Transfer-Encoding: chunked", b"Connection: close", b"Upgrade: x"]


@pytest.mark.parametrize("line", BODY_LINES)
@pytest.mark.parametrize(
    ("why", "start", "lines"),
    [
        ("count", b"POST / HTTP/1.1", [b"A: b"] * 130),
        ("absolute", b"POST http://user@site/ HTTP/1.1", []),
        ("asterisk", b"POST * HTTP/1.1", []),
        ("fragment", b"POST /#a HTTP/1.1", []),
        ("host", b"POST / HTTP/1.1", [b"Host: a b"]),
        ("expect", b"POST / HTTP/1.1", [b"Expect: cake"]),
        ("accepted", b"POST / HTTP/1.1", []),
        ("accepted absolute", b"POST http://site/ HTTP/1.1", []),
        ("accepted asterisk", b"OPTIONS * HTTP/1.1", []),
    ],
)
def test_the_parser_never_waits_for_a_body_of_the_head_before(why, start, lines, line):
    parser = make_parser()
    for _ in range(2):
        try:
            parser.parse(head(*lines, line, start=start), PEER)
            assert why.startswith("accepted")
        except BadRequest:
            assert not why.startswith("accepted")
        assert parser.parse(PLAIN, PEER).headers == [(b"host", b"site")]


@pytest.mark.parametrize("name", [b"Connection", b"Proxy-Connection", b"PROXY-CONNECTION"])
@pytest.mark.parametrize("value", [b"close", b"upgrade", b"keep-alive", b"close, upgrade"])
def test_no_connection_header_of_one_client_ends_the_parser_for_the_next(name, value):
    """llhttp obeys Proxy-Connection too."""
    parser = make_parser()
    for lines in ([], [b"Content-Length: 0"], [b"Upgrade: x"]):
        parser.parse(head(name + b": " + value, *lines), PEER)
        assert parser.parse(PLAIN, PEER).headers == [(b"host", b"site")]


# Every byte in every place.


@pytest.mark.parametrize("place", [b"A%bb: v", b"%bb: v", b"A%b: v"])
def test_9110_5_1_a_name_is_a_token_whatever_the_byte(place):
    for byte in range(256):
        data = head(place % bytes((byte,)))
        if byte in TOKEN:
            assert parse(data).headers[1][0] == (place % bytes((byte,)))[:-3].lower()
        elif byte != ord(":") or place == b"%bb: v":
            assert refused(data) == 400, byte


@pytest.mark.parametrize("place", [b"v%bw", b"%bw", b"v%b", b"%b", b"v %b w"])
def test_9110_5_5_a_value_holds_no_control_byte(place):
    for byte in range(256):
        value = place % bytes((byte,))
        data = head(b"A: " + value)
        if byte == 9 or (byte >= 32 and byte != 127):
            assert parse(data).headers[1] == (b"a", value.strip(b" \t")), byte
        else:
            assert refused(data) == 400, byte


@pytest.mark.parametrize("place", [b"/%b", b"/a%bb", b"/a?%bb", b"/a?b%b"])
def test_9112_3_2_a_target_is_of_visible_ascii(place):
    for byte in range(256):
        target = place % bytes((byte,))
        data = head(start=b"GET " + target + b" HTTP/1.1")
        if 32 < byte < 127 and byte != ord("#"):
            assert parse(data).target == target
        else:
            assert refused(data) == 400, byte


def test_9112_2_3_every_version_of_one_digit_each():
    for major in range(10):
        for minor in range(10):
            data = head(start=b"GET / HTTP/%d.%d" % (major, minor))
            if major == 1:  # a higher minor is read as the highest that is known (RFC 9110 2.5)
                assert parse(data).version == ("1.0" if minor == 0 else "1.1")
            else:
                assert refused(data) == (505 if major > 1 else 400)


# What is accepted.


def test_9112_3_2_2_the_authority_of_an_absolute_target_replaces_host():
    request = parse(head(b"A: b", start=b"GET http://other:8080/a?b HTTP/1.1"))
    assert request.target == b"/a?b"
    assert request.headers == [(b"host", b"other:8080"), (b"a", b"b")]


@pytest.mark.parametrize(
    ("target", "origin"),
    [
        (b"http://other", b"/"), (b"HTTP://other/", b"/"), (b"https://other?a", b"/?a"),
        (b"http://[::1]:80/a", b"/a"), (b"http://192.0.2.1/a?http://b/", b"/a?http://b/"),
    ],
)  # fmt: skip
def test_9112_3_2_2_absolute_targets_become_origin_form(target, origin):
    assert parse(head(start=b"GET " + target + b" HTTP/1.1")).target == origin


def test_9112_3_2_4_asterisk_for_options():
    assert parse(head(start=b"OPTIONS * HTTP/1.1")).target == b"*"
    assert parse(head(start=b"OPTIONS http://site HTTP/1.1")).target == b"*"
    assert parse(head(start=b"OPTIONS http://site/ HTTP/1.1")).target == b"/"
    assert parse(head(start=b"OPTIONS http://site?a HTTP/1.1")).target == b"/?a"


def test_9112_3_2_2_http_1_0_gets_its_host_from_an_absolute_target():
    request = parse(head(b"A: b", start=b"GET http://other/ HTTP/1.0", host=False))
    assert request.headers == [(b"host", b"other"), (b"a", b"b")]


@pytest.mark.parametrize("host", [b"a b", b"a/b", b"[::g]"])
def test_9112_3_2_a_malformed_host_beside_an_absolute_target(host):
    assert refused(head(b"Host: " + host, start=b"GET http://site/ HTTP/1.1", host=False)) == 400


@pytest.mark.parametrize("authority", [b":", b":80", b"a:b", b"[1:2]", b"a%zz", b"a%", b"", b"a b"])
def test_9110_4_2_a_malformed_authority(authority):
    assert refused(head(start=b"GET http://" + authority + b"/ HTTP/1.1")) == 400


@pytest.mark.parametrize(
    "literal", [b"1:2", b"1.2.3.4", b":", b"::1::", b"1:2:3:4:5:6:7:8:9", b"12345::", b"v1", b"v.a", b"vg.a"]
)
def test_9110_7_2_a_bracketed_host_is_an_address(literal):
    for version in (b"1.0", b"1.1"):
        assert refused(head(b"Host: [" + literal + b"]", start=b"GET / HTTP/" + version, host=False)) == 400


def test_9110_2_5_a_higher_minor_version_is_held_to_the_rules_of_1_1():
    assert refused(head(start=b"GET / HTTP/1.2", host=False)) == 400
    assert refused(head(start=b"BREW / HTTP/1.2")) == 501
    assert refused(head(start=b"GET  / HTTP/1.2")) == 400
    parser = make_parser()
    parser.parse(head(b"Transfer-Encoding: chunked", start=b"POST / HTTP/1.7"), PEER)
    assert parser.framing is not None
    assert parser.framing.chunked


@pytest.mark.parametrize(
    "host",
    [
        b"site", b"site:", b"site:80", b"SITE.example", b"192.0.2.1", b"192.0.2.1:80", b"[::1]",
        b"[::1]:80",
        b"[fe80::1%25eth0]", b"[fe80::1%eth0]:80", b"xn--bcher-kva.example", b"a_b", b"a%20b",
        b"sub-delims!$&'()*+,;=", b"[v1.a]",
    ],
)  # fmt: skip
@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_9110_7_2_valid_hosts(host, version):
    request = parse(head(b"Host:  " + host + b"\t ", start=b"GET / HTTP/" + version, host=False))
    assert request.headers == [(b"host", host)]


@pytest.mark.parametrize("host", [b"", b":", b":80"])
def test_9110_4_2_1_a_host_without_a_host(host):
    """It is no better than none."""
    line = b"Host: " + host
    assert refused(head(line, host=False)) == 400
    assert refused(head(line, b"Content-Length: 1", host=False)) == 400
    assert refused(head(line, start=b"GET http://site/ HTTP/1.1", host=False)) == 400
    if host:
        assert refused(head(line, start=b"GET / HTTP/1.0", host=False)) == 400
    else:
        assert parse(head(line, start=b"GET / HTTP/1.0", host=False)).headers == [(b"host", b"")]
        absolute = parse(head(line, start=b"GET http://site/ HTTP/1.0", host=False))
        assert absolute.headers == [(b"host", b"site")]


def test_9112_3_2_http_1_0_needs_no_host():
    assert parse(head(start=b"GET / HTTP/1.0", host=False)).headers == []


@pytest.mark.parametrize(
    ("value", "length"),
    [
        (b"0", 0), (b"5", 5), (b" 5\t ", 5), (b"0005", 5), (b"0" * 40 + b"5", 5), (b"0" * 9000 + b"5", 5),
        (b"0" * 9000, 0),
        (b"9223372036854775807", 9223372036854775807),
    ],
)  # fmt: skip
def test_9110_8_6_content_length(value, length):
    found = framing(b"Content-Length:" + value)
    assert (found.content_length, found.chunked) == (length, False)


@pytest.mark.parametrize("value", [b"chunked", b"Chunked", b"CHUNKED", b" chunked\t"])
def test_9112_7_coding_names_are_case_insensitive(value):
    found = framing(b"Transfer-Encoding:" + value)
    assert (found.content_length, found.chunked) == (0, True)


@pytest.mark.parametrize(
    ("version", "lines", "keeps"),
    [
        (b"1.1", [], True), (b"1.1", [b"Connection: close"], False), (b"1.1", [b"Connection: Close"], False),
        (b"1.1", [b"Connection: keep-alive"], True), (b"1.1", [b"Connection: keep-alive, close"], False),
        (b"1.1", [b"Connection: a", b"Connection: close"], False), (b"1.1", [b"Connection: closed"], True),
        (b"1.1", [b"Connection: keep-alive", b"Connection: close"], False), (b"1.1", [b"Connection:"], True),
        (b"1.0", [], False), (b"1.0", [b"Connection: keep-alive"], True), (b"1.0",
        [b"Connection: Keep-Alive"], True),
        (b"1.0", [b"Connection: keep-alive, close"], False), (b"1.0", [b"Keep-Alive: 5"], False),
        (b"1.0", [b"Connection: a ,\tkeep-alive"], True),
    ],
)  # fmt: skip
def test_9112_9_3_persistence(version, lines, keeps):
    found = framing(*lines, start=b"GET / HTTP/" + version)
    assert (True if found is None else found.keep_alive) is keeps


@pytest.mark.parametrize(
    ("version", "lines", "expects"),
    [
        (b"1.1", [b"Expect: 100-continue", b"Content-Length: 5"], True),
        (b"1.1", [b"Expect: 100-Continue", b"Transfer-Encoding: chunked"], True),
        (b"1.1", [b"Expect: 100-continue", b"Content-Length: 0"], False),
        (b"1.1", [b"Expect: , 100-continue ,\t100-CONTINUE,", b"Content-Length: 5"], True),
        (b"1.1", [b"Expect: 100-continue", b"Expect: 100-continue", b"Content-Length: 5"], True),
        (b"1.1", [b"Expect: ,", b"Content-Length: 5"], False),
        (b"1.1", [b"Expect:", b"Content-Length: 5"], False),
        (b"1.1", [b"Expect: 100-continue"], False),
        (b"1.0", [b"Expect: 100-continue", b"Content-Length: 5"], False),
        (b"1.0", [b"Expect: cake", b"Content-Length: 5"], False),
    ],
)
def test_9110_10_1_1_expectations(version, lines, expects):
    assert framing(*lines, start=b"POST / HTTP/" + version).expect_continue is expects


UPGRADE = (b"Upgrade: websocket", b"Connection: Upgrade")


@pytest.mark.parametrize(
    ("start", "lines", "is_one"),
    [
        (b"GET / HTTP/1.1", UPGRADE, True),
        (b"GET / HTTP/1.1", (b"Upgrade: WebSocket", b"Connection: keep-alive, upgrade"), True),
        (b"GET / HTTP/1.1", (b"Upgrade: h2c, websocket", b"Connection: Upgrade"), True),
        (b"GET / HTTP/1.1", (b"Upgrade: websocket",), False),
        (b"GET / HTTP/1.1", (b"Connection: Upgrade",), False),
        (b"GET / HTTP/1.1", (b"Upgrade: h2c", b"Connection: Upgrade"), False),
        (b"GET / HTTP/1.1", (b"Upgrade: websockets", b"Connection: Upgrade"), False),
        (b"POST / HTTP/1.1", UPGRADE, False),
        (b"HEAD / HTTP/1.1", UPGRADE, False),
        (b"GET / HTTP/1.0", UPGRADE, False),
        (b"GET / HTTP/1.1", (*UPGRADE, b"Content-Length: 5"), False),
        (b"GET / HTTP/1.1", (*UPGRADE, b"Transfer-Encoding: chunked"), False),
        (b"GET / HTTP/1.1", (*UPGRADE, b"Content-Length: 0"), True),
    ],
)
def test_6455_4_2_1_what_is_a_websocket(start, lines, is_one):
    assert parse(head(*lines, start=start)).websocket is is_one


def test_9110_7_8_other_upgrades_are_ignored():
    found = framing(
        b"Upgrade: h2c", b"Connection: Upgrade, HTTP2-Settings", b"HTTP2-Settings: a", start=b"GET / HTTP/1.1"
    )
    assert found.keep_alive is True


def test_the_header_count_is_a_limit_and_zero_is_none():
    lines = [b"A: b"] * 127
    assert len(parse(head(*lines)).headers) == 128
    with pytest.raises(BadRequest) as refusal:
        parse(head(*lines, b"A: b"))
    assert refusal.value.status == 431
    assert len(parse(head(*lines * 10), count=0).headers) == 1271


# Properties.

names = st.text(alphabet=string.ascii_letters + string.digits + "-_", min_size=1, max_size=12).map(
    lambda name: b"x-" + name.encode()
)
values = st.binary(max_size=20).map(lambda value: bytes(byte for byte in value if 32 < byte != 127))


@given(st.lists(st.tuples(names, values), max_size=12), st.sampled_from([b"GET", b"DELETE", b"OPTIONS"]))
def test_fields_come_out_as_they_went_in(fields, method):
    """Names lower-cased, values as sent, order and duplicates kept."""
    request = parse(head(*(name + b": " + value for name, value in fields), start=method + b" /a HTTP/1.1"))
    assert request.headers == [(b"host", b"site"), *((name.lower(), value) for name, value in fields)]


pieces = st.sampled_from(
    [
        b"GET", b"POST", b" ", b"/", b"HTTP/1.1", b"HTTP/1.0", b"\r\n", b"\r", b"\n", b":", b": ",
        b"Host", b"site",
        b"Content-Length", b"5", b"Transfer-Encoding", b"chunked", b",", b"\t", b"a", b"\0", b"\xff",
        b"http://", b"*",
        b"Connection", b"close", b"Expect", b"100-continue", b"Upgrade", b"websocket",
        b"\r\nHost: site\r\n", b"@", b"#",
    ]
)  # fmt: skip


@given(st.lists(pieces, max_size=24).map(b"".join))
def test_whatever_comes_is_parsed_or_refused_and_never_taken_where_h11_refuses(data):
    """Never another exception than BadRequest, and never more lenient than h11."""
    data = data.strip(b"\r\n").split(b"\r\n\r\n")[0] + b"\r\n\r\n"
    if len(data) == 4:
        return
    parser = make_parser()
    request, status = None, 0
    try:
        request = parser.parse(data, PEER)
    except BadRequest as refusal:
        status = refusal.status
    assert parser.parse(PLAIN, PEER).headers == [(b"host", b"site")]
    if request is None:
        assert status in (400, 417, 431, 501, 505)
        return
    other = h11.Connection(h11.SERVER)
    other.receive_data(data)
    event = other.next_event()
    assert isinstance(event, h11.Request)
    assert event.method.decode() == request.method
    assert event.http_version.decode() == request.version
    assert [name for name, _ in event.headers] == [name for name, _ in request.headers]
