"""What the user reads: the two renderers."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgid.config import Diagnostic, Place, load, render_json, render_text
from asgid.config.diagnostics import in_order

PLACE = Place("listeners.toml", 3, 9)


def test_a_finding_is_its_place_its_line_with_a_caret_and_help():
    found = Diagnostic(
        "ASG206", "error", "no port", PLACE, "listeners.a.port", "write 80", 3, 14, source="port =  99999 # é"
    )
    assert render_text([found]) == (
        "listeners.toml:3:9: error[ASG206]: no port\n"
        " 3 | port =  99999 # é\n"
        "   |         ^^^^^\n"
        "  = help: write 80\n"
    )


def test_a_finding_without_a_source_is_one_line():
    assert render_text([Diagnostic("ASG904", "warning", "nothing", Place("command line: -e 2"))]) == (
        "command line: -e 2: warning[ASG904]: nothing\n"
    )


@pytest.mark.parametrize(
    ("source", "column", "end", "caret"),
    [
        ("\tport\t= x", 9, 10, "        ^"),
        ("'日本' = x", 8, 9, "         ^"),  # wide characters take two cells
        ("'e\N{COMBINING ACUTE ACCENT}' = x", 8, 9, "      ^"),
        ("a", 2, 3, " ^"),
        ("\x1b[31m x", 7, 8, "      ^"),
    ],
)
def test_the_caret_stands_under_the_text_it_names(source, column, end, caret):
    found = Diagnostic(
        "ASG101", "error", "m", Place("f", 1, column), end_line=1, end_column=end, source=source
    )
    _, line, below, *_ = render_text([found]).split("\n")
    assert below.partition("| ")[2] == caret
    assert line.partition("| ")[2].isprintable()


def test_a_span_of_several_lines_is_marked_to_the_end_of_its_first():
    found = Diagnostic("ASG101", "error", "m", Place("f", 1, 5), end_line=3, end_column=2, source="a = [")
    assert render_text([found]).split("\n")[2] == "   |     ^"


def test_a_very_long_line_is_cut_around_the_place():
    found = Diagnostic(
        "ASG101", "error", "m", Place("f", 1, 5001), end_line=1, end_column=9000, source="x" * 9999
    )
    _, line, below, *_ = render_text([found]).split("\n")
    assert len(line) < 200
    assert len(below) <= len(line)
    assert line.startswith(" 1 | ...")


@given(st.text(max_size=300), st.integers(1, 400), st.integers(0, 400))
def test_any_line_is_rendered(source, column, end):
    """Invariant: never an exception, at least one caret, and no control character reaches the terminal."""
    found = Diagnostic(
        "ASG101", "error", "m", Place("f", 1, column), end_line=1, end_column=end, source=source
    )
    text = render_text([found])
    assert all(c.isprintable() or c in "\n\N{REPLACEMENT CHARACTER}" for c in text)
    assert not source.strip() or "^" in text


def test_json_is_an_array_with_every_field(tmp_path):
    path = tmp_path / "l.toml"
    path.write_text('[application]\ntarget = "a:b"\n[listeners.a]\nfd = 3\n"é" = 1\n')
    (found,) = json.loads(render_json(load(path).diagnostics))
    assert "fd" in found.pop("help")
    assert found == {
        "severity": "error",
        "code": "ASG101",
        "message": 'there is no key "é" in [listeners.a]',
        "file": str(path),
        "line": 5,
        "column": 1,
        "end_line": 5,
        "end_column": 4,
        "key": 'listeners.a."é"',
        "fix": None,
    }
    assert json.loads(render_json([])) == []


def test_findings_are_in_the_order_of_the_file_and_each_once():
    late = Diagnostic("ASG101", "error", "m", Place("f", 10, 1))
    early = Diagnostic("ASG101", "error", "m", Place("f", 9, 2))
    assert in_order([late, early, late]) == (early, late)


def test_nothing_of_a_file_speaks_to_the_terminal(tmp_path):
    path = tmp_path / "odd\x1b[2J.toml"
    path.write_text(
        '[application]\ntarget = "a:b"\n[listeners.a]\naddress = "x\\r\\u001b[31m\\u202e\\""\nport = 1\n'
    )
    text = render_text(load(path).diagnostics)
    assert text.replace("\n", "").isprintable()
    assert r'"x\u000D\u001B[31m\u202E\""' in text
