"""Response heads: what is rendered, what is refused, and how often the date is made."""

from __future__ import annotations

import string
from email.utils import formatdate, parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgid.daemon.wire import compiled, response_head
from asgid.daemon.wire.response_head import HeadWriter, imf_date, render, status_line
from support.connections import Clock

TOKEN = (string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~").encode()
names = st.text(TOKEN.decode(), min_size=1, max_size=10).map(lambda name: b"x-" + name.encode())
values = st.binary(max_size=20)
CONTROLS = {*range(32), 127} - {ord("\t")}


RENDERS = {"python": None} | ({"compiled": compiled.render} if compiled.render else {})


@pytest.fixture(scope="module", autouse=True, params=RENDERS)
def how(request):
    """Every test here is run with and without what is compiled."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(response_head, "_render_plain", RENDERS[request.param])
        yield


def writer(
    *, server: bytes = b"asgid", date: bool = True, wall: float = 1_700_000_000.25
) -> tuple[HeadWriter, Clock]:
    clock = Clock(500.0)
    return HeadWriter(clock, server, date, lambda: wall + clock.now - 500.0), clock


@given(st.lists(st.tuples(names, values), max_size=6))
def test_headers_are_rendered_as_they_are_or_refused_and_never_split(headers):
    """A value with a control character is refused (RFC 9110 5.5); any other stands on one line of its own."""
    if any(set(value) & CONTROLS for _, value in headers):
        with pytest.raises(ValueError, match="CR, LF or NUL"):
            render(headers)
    else:
        assert render(headers)[0] == b"".join(name + b": " + value + b"\r\n" for name, value in headers)


@pytest.mark.parametrize("again", [1, 2])
def test_9110_5_1_a_name_is_a_token_whatever_the_byte(again):
    for _ in range(again):  # the second time names that are tokens are known
        for byte in range(256):
            name = b"y%b" % bytes((byte,))
            if byte in TOKEN:
                assert render([(name, b"v")])[0] == name + b": v\r\n"
            else:
                with pytest.raises(ValueError, match="not a header name"):
                    render([(name, b"v")])


@pytest.mark.parametrize(
    "name", ["x", "date", "server", "connection", "keep-alive", "te", "trailer", "upgrade"]
)
def test_9110_5_5_a_value_has_no_control_character_whatever_becomes_of_its_header(name):
    for byte in range(256):
        header = (name.encode(), b"a%bb" % bytes((byte,)))
        if byte in CONTROLS:
            with pytest.raises(ValueError, match=f"the header {name} has "):
                render([header])
        else:
            render([header])


def test_many_names_are_rendered_and_not_all_kept():
    for number in range(5000):
        name = b"x-n%d" % number
        assert render([(name, b"v")])[0] == name + b": v\r\n"
    assert len(response_head._known) <= 1024


@pytest.mark.parametrize(
    ("header", "error"),
    [
        ((b"a", "v"), TypeError), ((b"a", None), TypeError), ((b"a", 1), TypeError), (("a", b"v"), TypeError),
        ((b"date", "v"), TypeError), ((b"connection", "close"), TypeError),
        ((b"content-length", 5), TypeError),
        ((b"te", "x"), TypeError), ((["a"], b"v"), TypeError), ((b"", b"v"), ValueError),
    ],
)  # fmt: skip
def test_what_is_not_bytes_is_named(header, error):
    with pytest.raises(error, match=r"bytes|header name"):
        render([header])


def test_9110_8_6_content_length_is_read():
    assert render([(b"Content-Length", b"12"), (b"A", b"b")])[1] == 12
    assert render([(b"A", b"b")])[1] == -1
    assert render([(b"content-length", b"0")])[1] == 0


@pytest.mark.parametrize(
    "value", [b"", b"+1", b"-1", b" 1", b"1 ", b"1_0", b"0x1", b"1,1", b"\xb2", b"9" * 20]
)
def test_9110_8_6_a_malformed_content_length_is_refused(value):
    with pytest.raises(ValueError, match="Content-Length"):
        render([(b"content-length", value)])


def test_9112_6_3_two_content_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match="Content-Length"):
        render([(b"content-length", b"1"), (b"Content-Length", b"2")])


def test_9112_4_a_status_line_has_its_reason_or_an_empty_one():
    assert status_line(404) == b"HTTP/1.1 404 Not Found\r\n"
    assert status_line(599) == b"HTTP/1.1 599 \r\n"


def test_the_prefix_has_server_and_date():
    made, clock = writer()
    lines = made.prefix(200, clock()).split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 200 OK"
    assert b"server: asgid" in lines
    (date,) = (line[6:].decode() for line in lines if line.startswith(b"date: "))
    assert parsedate_to_datetime(date).timestamp() == 1_700_000_000


@given(st.integers(0, 253_402_300_799))  # until the year 9999 ends
def test_9110_5_6_7_a_date_is_what_the_standard_library_makes_of_it(seconds):
    assert imf_date(seconds + 0.999).decode() == formatdate(seconds, usegmt=True)


def test_9110_6_6_1_the_date_changes_with_the_second_of_the_wall():
    made, clock = writer()
    first = made.prefix(200, clock())
    assert made.prefix(200, clock.advance(0.74)) is first
    second = made.prefix(200, clock.advance(0.02))
    assert second != first
    assert made.prefix(404, clock()).split(b"\r\n")[1:] == second.split(b"\r\n")[1:]


def test_9110_10_2_4_server_and_date_can_be_absent():
    made, clock = writer(server=b"", date=False)
    assert made.prefix(200, clock()) == b"HTTP/1.1 200 OK\r\n"
    made.prefix(200, clock.advance(5))
    assert made.prefix(200, clock()) == b"HTTP/1.1 200 OK\r\n"


def test_what_the_application_set_itself_is_left_out():
    made, clock = writer()
    for header, absent in (((b"Date", b"d"), b"date:"), ((b"SERVER", b"s"), b"server:")):
        lines, _, bits = render([header])
        assert lines
        prefix = made.prefix(200, clock(), bits & 6)
        assert absent not in prefix
        assert prefix != made.prefix(200, clock())


@pytest.mark.parametrize("value", [b"a\rb", b"a\nb", b"a\0b", b"a\x7f", "text", None])
def test_a_value_that_cannot_be_written_is_named_by_its_header(value):
    with pytest.raises((ValueError, TypeError), match="x-second"):
        render([(b"x-first", b"fine"), (b"x-second", value), (b"x-third", b"fine")])
