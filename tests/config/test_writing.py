"""What is written as a file writes it is, read back, the same."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgid.config import quantities, writing


@given(st.floats(0, quantities.LONGEST_S) | st.integers(0, int(quantities.LONGEST_S)).map(float))
def test_a_duration_read_back_is_the_same(seconds):
    assert quantities.duration(writing.duration(seconds)) == seconds


@given(st.integers(0, quantities.LARGEST_BYTES))
def test_a_size_read_back_is_the_same(count):
    assert quantities.size(writing.size(count)) == count


@given(st.integers(0, 0o777))
def test_a_mode_read_back_is_the_same(bits):
    assert quantities.mode(writing.mode(bits)) == bits


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_string_and_a_key_read_back_are_the_same(text):
    assert tomllib.loads(f"{writing.key(text)} = {writing.string(text)}") == {text: text}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"), (0.25, "250ms"), (1.5, "1500ms"), (60.0, "60s"), (3600.0, "1h"), (86400.0, "24h"),
        (1e-7, "0.0000001s"), (90.0, "90s"),
    ],
)  # fmt: skip
def test_a_duration_is_written_with_the_unit_that_makes_it_short(seconds, text):
    assert writing.duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0B"), (1, "1B"), (8192, "8KiB"), (100_000_000, "100MB"), (1024**2, "1MiB"), (1500, "1500B")],
)
def test_a_size_is_written_with_the_unit_that_makes_it_short(count, text):
    assert writing.size(count) == text
