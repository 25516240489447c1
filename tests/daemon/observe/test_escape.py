"""What is escaped, and that what needs no escape is left alone."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from asgid.daemon.observe.escape import quoted, visible


@given(st.text())
def test_no_control_character_and_no_line_end_is_left(text):
    shown = visible(text)
    assert len(shown.splitlines()) <= 1
    assert not [each for each in shown if unicodedata.category(each) in {"Cc", "Zl", "Zp"}]


@given(st.text(st.characters(exclude_categories=["C", "Z"])))
def test_ordinary_text_stays_as_it_is(text):
    assert visible(text) == text


def test_blanks_and_umlauts_are_ordinary():
    assert visible("a b ü 漢") == "a b ü 漢"


@given(st.binary())
def test_between_quotes_only_printable_ascii_without_a_bare_quote_is_left(value):
    shown = quoted(value)
    assert shown.isascii()
    assert shown.isprintable()
    assert '"' not in shown.replace("\\\\", "").replace('\\"', "")


def test_ordinary_bytes_stay_as_they_are():
    assert quoted(b"/path?query=1&x=%20") == "/path?query=1&x=%20"
