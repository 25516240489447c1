"""The compiled writing of headers: whatever they are, the same comes of them as in Python alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgid.daemon.wire import compiled
from asgid.daemon.wire.response_head import render_any

pytestmark = pytest.mark.skipif(
    compiled.render is None, reason="asgid was installed without a C compiler, or with ASGID_PURE=1"
)

PLAIN = [
    (b"Content-Type", b"text/plain"),
    (b"content-length", b"14"),
    (b"Set-Cookie", b"\xe4=1"),
    (b"a", b""),
]


def render(headers: Any) -> Any:
    assert compiled.render is not None
    return compiled.render(headers)


def the_same(headers: Any) -> bool:
    """Whether it was taken; then as Python takes it. What is not may be taken there, or refused."""
    mine = render(headers)
    if mine is not None:
        assert mine == render_any(headers), headers
    return mine is not None


def test_plain_headers_are_written_here():
    lines = b"Content-Type: text/plain\r\ncontent-length: 14\r\nSet-Cookie: \xe4=1\r\na: \r\n"
    assert render(PLAIN) == (lines, 14, 0)
    assert render([]) == (b"", -1, 0)
    assert the_same(PLAIN)


@pytest.mark.parametrize(
    "name",
    [
        "connection",
        "transfer-encoding",
        "keep-alive",
        "proxy-connection",
        "upgrade",
        "te",
        "trailer",
        "date",
        "server",
    ],
)
def test_what_the_wire_has_to_know_of_is_left_to_python(name):
    for written in (name, name.title(), name.upper()):
        assert render([*PLAIN, (written.encode(), b"x")]) is None


@pytest.mark.parametrize("value", [b"", b"+1", b"-1", b"1 ", b"1,1", b"1_0", b"\xb2", b"1" * 19, b"0x1"])
def test_lengths_that_are_not_plain_are_left_to_python(value):
    assert render([(b"Content-Length", value)]) is None


def test_two_lengths_are_left_to_python():
    assert render([(b"content-length", b"1"), (b"Content-Length", b"1")]) is None


@pytest.mark.parametrize(
    "headers",
    [
        (), tuple(PLAIN), iter(PLAIN), None, 1, b"a", {b"a": b"b"}, [[b"a", b"b"]], [(b"a",)],
        [(b"a", b"b", b"c")],
        [("a", b"b")], [(b"a", "b")], [(b"a", bytearray(b"b"))], [(b"a", None)], [None], [()], [(b"", b"b")],
        [(b"a" * 65, b"b")],
    ],
)  # fmt: skip
def test_other_values_are_left_to_python(headers):
    assert render(headers) is None


class Pair(tuple):
    """A tuple that would run code."""

    __slots__ = ()

    def __iter__(self):
        raise AssertionError("it was asked")


def test_nothing_runs_code_of_the_application():
    assert render([Pair((b"a", b"b"))]) is None


def test_any_byte_in_a_name_and_in_a_value():
    for byte in range(256):
        one = bytes((byte,))
        for name in (one, b"a" + one, one + b"a", b"a" + one + b"a"):
            assert the_same([(name, b"v")]) == (not name.translate(None, _TOKEN)), name
        for value in (one, b"v" + one, one + b"v"):
            assert the_same([(b"a", value)]) == (byte == 9 or 32 <= byte != 127), value


_TOKEN = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"  # RFC 9110 5.6.2


@pytest.mark.parametrize("count", [1, 127, 128, 129, 1000])
def test_many_headers(count):
    headers = [(b"x-%d" % number, b"v" * number) for number in range(count)]
    assert the_same(headers) == (count <= 128)


def test_large_values():
    assert the_same([(b"a", b"v" * 1_000_000), (b"b" * 64, b"w" * 70_000)])


_names = st.sampled_from([b"content-length", b"Date", b"server", b"X-A", b"host", b"expect", b"Upgrade"])
_values = st.sampled_from([b"1", b"007", b"close", b"x" * 30]) | st.binary(max_size=4)


@settings(max_examples=1000, deadline=None)
@given(st.lists(st.tuples(_names | st.binary(max_size=4), _values), max_size=5))
def test_whatever_is_nearly_plain(headers):
    try:
        theirs = render_any(headers)
    except ValueError:
        assert render(headers) is None
    else:
        assert render(headers) in (None, theirs)
