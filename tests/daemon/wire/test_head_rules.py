"""What a head is held to before it is parsed: sizes and line ends, whole and in parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgid.daemon.wire.head_rules import HeadRules
from asgid.daemon.wire.http1_head import BadRequest

HEAD = b"GET /abcdefgh HTTP/1.1\r\nHost: site\r\nA: b\r\n\r\n"
LINE = HEAD.index(b"\r\n")
REST = len(HEAD) - LINE


def status(check, *args) -> int:
    try:
        check(*args)
    except BadRequest as refusal:
        return refusal.status
    return 0


def test_a_request_line_of_just_the_limit_is_taken_and_a_longer_one_is_414():
    assert status(HeadRules(LINE, 1000).check_size, HEAD, len(HEAD)) == 0
    assert status(HeadRules(LINE - 1, 1000).check_size, HEAD, len(HEAD)) == 414


def test_headers_of_just_the_limit_are_taken_and_larger_ones_are_431():
    assert status(HeadRules(1000, REST).check_size, HEAD, len(HEAD)) == 0
    assert status(HeadRules(1000, REST - 1).check_size, HEAD, len(HEAD)) == 431


def test_a_head_up_to_unchecked_bytes_cannot_break_a_limit():
    for line, headers in ((30, 1000), (1000, 30), (0, 40), (40, 0)):
        rules = HeadRules(line, headers)
        data = HEAD[: rules.unchecked_bytes]
        assert status(rules.check_size, data, len(data)) == 0


def test_zero_is_no_limit():
    rules = HeadRules(0, 0)
    data = b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nA: " + b"a" * 1_000_000
    assert status(rules.check_partial, data) == 0
    assert status(rules.check_size, data + b"\r\n\r\n", len(data) + 4) == 0
    assert rules.unchecked_bytes > 1 << 40


@pytest.mark.parametrize("line", range(LINE - 3, LINE + 3))
@pytest.mark.parametrize("headers", range(REST - 3, REST + 3))
def test_a_part_is_never_judged_harder_than_the_whole(line, headers):
    rules = HeadRules(line, headers)
    whole = status(rules.check_size, HEAD, len(HEAD))
    parts = {status(rules.check_partial, HEAD[:end]) for end in range(len(HEAD))} - {0}
    assert parts <= {whole}


@pytest.mark.parametrize(
    "part",
    [
        b"GET /\n",
        b"GET / HTTP/1.1\nHost",
        b"G\rE",
        b"GET / HTTP/1.1\r\nA: b\n",
        b"GET / HTTP/1.1\r\nA: b\rc",
        b"\r\rG",
    ],
)
def test_9112_2_2_bare_cr_and_lf_are_refused_before_the_head_is_whole(part):
    assert status(HeadRules(1000, 1000).check_partial, part) == 400


@pytest.mark.parametrize(
    "part", [b"", b"G", b"GET / HTTP/1.1\r", b"GET / HTTP/1.1\r\nA: b\r", b"GET / HTTP/1.1\r\n"]
)
def test_a_part_that_can_become_a_head_is_waited_for(part):
    assert status(HeadRules(1000, 1000).check_partial, part) == 0


@pytest.mark.parametrize(
    ("data", "left"),
    [
        (b"\r\nGET", b"GET"),
        (b"\r\n\r\n\r\nGET", b"GET"),
        (b"\r\n", b""),
        (b"\r", b"\r"),
        (b"\r\n\r", b"\r"),
        (b"GET", b"GET"),
    ],
)
def test_9112_2_2_empty_lines_are_skipped(data, left):
    assert HeadRules(100, 100).skip_empty_lines(data) == left


@pytest.mark.parametrize("data", [b"\n", b"\nG", b"\r\r", b"\rG", b"\r\n\n", b"\r\n\rG", b"\n\r", b"\r\r\nG"])
def test_9112_2_2_what_is_no_empty_line_is_refused(data):
    assert status(HeadRules(100, 100).skip_empty_lines, data) == 400


def test_empty_lines_count_against_the_limit():
    assert status(HeadRules(100, 100).skip_empty_lines, b"\r\n" * 51 + b"G") == 431


def test_empty_lines_that_were_skipped_already_count_too():
    rules = HeadRules(100, 100)
    assert rules.skip_empty_lines(b"\r\n" * 10, 80) == b""
    assert status(rules.skip_empty_lines, b"\r\n" * 10, 81) == 431


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"G"]), max_size=6).map(b"".join), st.integers(0, 10))
def test_empty_lines_cut_anywhere_leave_the_same(data, cut):
    """Skipped in two parts, what is left is the same, or both are refused in the end."""

    def skip(*parts: bytes) -> bytes | int:
        rules = HeadRules(100, 100)
        ahead = b""
        for part in parts:
            ahead += part
            if ahead[:1] in (b"\r", b"\n"):
                try:
                    ahead = rules.skip_empty_lines(ahead)
                except BadRequest as refusal:
                    return refusal.status
        return ahead

    assert skip(data) == skip(data[:cut], data[cut:])
