"""The corpus: in each file just the findings that its first lines say, at just their places."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from asgid.config import load
from asgid.config.rules import RULES

CORPUS = Path(__file__).parent / "corpus"
FILES = sorted(CORPUS.rglob("*.toml"))
EXPECTED = re.compile(r"^#! (ASG[0-9]{3}) ([a-z]+) ([0-9]+):([0-9]+)-([0-9]+):([0-9]+)\r?$", re.MULTILINE)


def expected(path: Path) -> list[tuple[object, ...]]:
    text = path.read_bytes().decode("utf-8-sig")
    found = EXPECTED.findall(text)
    assert len(found) == text.count("#! ")
    return [(code, severity, *map(int, place)) for code, severity, *place in found]


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(CORPUS)) for path in FILES])
def test_just_what_a_file_says_of_itself_is_found(path):
    found = [
        (each.code, each.severity, each.place.line, each.place.column, each.end_line, each.end_column)
        for each in load(path).diagnostics
    ]
    assert found == expected(path)


def test_the_corpus_is_large_and_what_its_cases_make_of_it():
    assert len(FILES) >= 250
    done = subprocess.run(
        [sys.executable, str(CORPUS / "make.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_rule_of_the_file_alone_is_in_it():
    there = {code for path in FILES for code, *_ in expected(path)}
    static = {code for code in RULES if code < "ASG8"}
    assert static - there == {"ASG001", "ASG002"}  # no text has them: a file that is not there, or not UTF-8
