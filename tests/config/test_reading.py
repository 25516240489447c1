"""Files that are no documents: what is wrong, and where it truly begins."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgid.config import codes
from asgid.config.loading import load_bytes
from asgid.config.reading import from_bytes, read


def only(data: bytes):
    document, found = from_bytes("f.toml", Path("/etc"), data)
    assert document.values == {}
    (diagnostic,) = found
    return diagnostic


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ('a = "abc\nb = 1\n', 1, 5, "the string is not closed"),
        ("a = 'abc", 1, 5, "the string is not closed"),
        ('x = 1\na = """\nabc\n', 2, 5, "the string is not closed"),
        ("a = [1,\n  2,\n", 1, 5, "the array is not closed"),
        ("a = [\n  [1, 2],\n  [3,\n", 3, 3, "the array is not closed"),
        ("a = {x = 1", 1, 5, "the inline table is not closed"),
        ("a = 1\n\nb = 2\na = 3\n", 4, 1, "the key a is there twice"),
        ("[t]\nx = 1\n[u]\n[t]\n", 4, 1, "the table [t] is there twice"),
        ("a = {b = 1, b = 2}", 1, 13, "the key a.b is there twice"),
        ("a.b = 1\na = 2", 2, 1, "the key a is there twice"),
        ("[[a]]\n[a]\n", 2, 1, "the table [a] is there twice"),
        ("[a]\nb = 1\n[a.b]\nc = 1\n", 3, 1, "the table [a.b] is there twice"),
        ("[a\nb = 1", 1, 3, "expected ']'"),
        ("\r\n\r\nthis is no TOML\r\n", 3, 6, "expected '='"),
        ("\tport = eth0\n", 1, 9, "eth0 has no quotes"),
        ('"日" = "本" x\n', 1, 11, "expected newline"),
        ("a = 08\n", 1, 5, "08 is neither"),
        ("port = 80a\n", 1, 8, "80a is neither"),
        ("a = [1 2]\n", 1, 8, "a comma is missing"),
        ('a = "\\:"\n', 1, 6, "unescaped"),
        ("a = \n", 1, 5, "invalid value"),
        ('a = "x\x01"\n', 1, 7, "illegal character"),
        ("a = 1\nb = " + "9" * 5000, 2, 5, "digits"),
        ("a = 2020-13-45", 1, 5, "2020-13-45 is neither"),
        ("a = 2020-02-30", 1, 5, "date"),
    ],
)
def test_a_syntax_error_stands_where_the_mistake_begins(text, line, column, words):
    found = only(text.encode())
    assert found.code == codes.SYNTAX
    assert (found.place.line, found.place.column) == (line, column)
    assert words in found.message


def test_a_key_that_is_there_twice_names_the_first_line():
    assert "line 2" in only(b"x = 1\na = 1\n\na = 2\n").help


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("a = TRUE", "write true"),
        ("a = eth0 # the lan", '"eth0"'),
        ("a = ", "missing"),
        ('a = "tcp:\\:"', "written twice"),
        ("word", "key = value"),
        ("a = = 1", "one = stands between a key and its value"),
    ],
)
def test_common_mistakes_are_answered_with_what_to_write(text, advice):
    assert advice in only(text.encode()).help


def test_nesting_beyond_all_measure_is_a_syntax_error():
    assert only(b"a = " + b"[" * 100_000).code == codes.SYNTAX


@pytest.mark.parametrize(
    ("value", "column"), [("[" * 5000 + "]" * 5000, 5), ("{a=" * 5000 + "1" + "}" * 5000, 5)]
)
def test_nesting_beyond_all_measure_has_the_place_of_the_outermost(value, column):
    found = only(f"# first\nb = 1\na = {value}\n".encode())
    assert (found.code, found.place.line, found.place.column) == (codes.SYNTAX, 3, column)


def test_a_key_of_parts_beyond_all_measure_costs_nothing():
    parts = ".".join("a" * 200_000)  # its tables and their places would take hundreds of gigabytes
    for line in (f"[{parts}]", f"{parts} = 1"):
        found = only(f"b = 1\n{line}\n".encode())
        assert (found.code, found.place.line, found.place.column) == (codes.SYNTAX, 2, 1)


@pytest.mark.parametrize(
    ("data", "line", "column"),
    [
        (b"a = '\xff'\n", 1, 6),
        ("# é日\r\n".encode() + b"b = '\xe9'\r\n", 2, 6),
        ("a = 1\n".encode("utf-16"), 1, 1),
        (b"a = '\xc3", 1, 6),
        (b"\xef\xbb\xbfa = '\xed\xa0\x80'", 1, 6),
    ],
)
def test_the_first_byte_that_is_not_utf8_has_its_place_in_characters(data, line, column):
    found = only(data)
    assert found.code == codes.NOT_UTF8
    assert (found.place.line, found.place.column) == (line, column)


def test_a_byte_order_mark_and_carriage_returns_are_part_of_no_value():
    document, found = from_bytes("f.toml", Path("/etc"), b'\xef\xbb\xbfa = "x"\r\nb = """\r\ny\r\n"""\r\n')
    assert not found
    assert document.values == {"a": "x", "b": "y\n"}
    assert document.line(1) == 'a = "x"'


@given(st.binary(max_size=80) | st.text(max_size=80).map(str.encode))
def test_any_bytes_are_a_document_or_one_error_inside_the_text(data):
    """Invariant: never an exception; an error's place lies in the text or right behind its end."""
    document, found = from_bytes("f.toml", Path("/etc"), data)
    for each in found:
        lines = (document.text or "").split("\n")
        if each.code == codes.SYNTAX:
            assert 1 <= each.place.line <= len(lines)
            assert 1 <= each.place.column <= len(lines[each.place.line - 1]) + 1


@given(st.text(st.sampled_from("ab=.[]{},\"'#\n\r\t \\01:-é"), max_size=40).map(str.encode))
def test_text_that_is_nearly_toml_is_a_document_or_one_error(data):
    """Invariant: never an exception, and at most one syntax error."""
    assert len(from_bytes("f.toml", Path("/etc"), data)[1]) <= 1


def test_what_cannot_be_read_is_one_error_that_says_why(tmp_path):
    for path in (tmp_path / "none.toml", tmp_path, "\0"):
        _, (found,) = read(path)
        assert found.code == codes.UNREADABLE
        assert found.place.file == str(path)


@pytest.mark.parametrize("end", ["", "\r"])
def test_lines_that_end_in_carriage_returns_alone_are_one_finding(end):
    data = b"[application]\rtarget = 'a:b'\r[listeners.a]\rfd = 3" + end.encode()
    (found,) = load_bytes("f.toml", Path("/etc"), data).diagnostics
    assert (found.code, found.place.line, found.place.column) == (codes.SYNTAX, 1, 14)
    assert "carriage return alone" in found.message
