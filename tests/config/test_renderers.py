"""Findings for a terminal with colours, for GitHub and as SARIF."""

from __future__ import annotations

import json
import re

import pytest

from asgid.config import Diagnostic, Place, render_text
from asgid.config.diagnostics import Fix
from asgid.config.renderers import render_coloured, render_github, render_sarif

ERROR = Diagnostic(
    "ASG101",
    "error",
    "there is no key é",
    Place("a b/f.toml", 3, 5),
    "x.é",
    "write y",
    3,
    6,
    "k = é | = help: ",
)
WARNING = Diagnostic(
    "ASG502", "warning", "50%, or\nmore: yes", Place("f,1:2.toml", 9, 2), end_line=11, end_column=3
)
INFO = Diagnostic("ASG809", "info", "m", Place("/etc/f.toml"))
ALL = [ERROR, WARNING, INFO]


def test_colours_add_nothing_but_colours():
    coloured = render_coloured(ALL)
    assert coloured != render_text(ALL)
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render_text(ALL)


@pytest.mark.parametrize(("found", "colour"), [(ERROR, "31"), (WARNING, "33"), (INFO, "36")])
def test_each_severity_has_its_colour(found, colour):
    assert f"\x1b[1;{colour}m{found.severity}[{found.code}]\x1b[0m" in render_coloured([found])


def test_github_gets_one_command_a_line_with_what_would_end_it_escaped():
    first, second, third = render_github(ALL).splitlines()
    assert first.startswith("::error title=asgid ASG101,file=a b/f.toml,line=3,endLine=3,col=5,endColumn=6::")
    assert first.endswith("there is no key é (write y)")
    assert "file=f%2C1%3A2.toml,line=9,endLine=11::" in second
    assert second.endswith("50%25, or%0Amore: yes")
    assert third.startswith("::notice ")
    assert render_github([]) == ""


def test_sarif_has_a_result_for_each_finding_and_a_rule_for_each_code():
    (run,) = json.loads(render_sarif([*ALL, ERROR], "1.2.3"))["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == ["ASG101", "ASG502", "ASG809"]
    assert [rules[each["ruleIndex"]] for each in run["results"]] == ["ASG101", "ASG502", "ASG809", "ASG101"]
    assert [each["level"] for each in run["results"]] == ["error", "warning", "note", "error"]
    where = [each["locations"][0]["physicalLocation"] for each in run["results"]]
    assert where[0]["region"] == {"startLine": 3, "startColumn": 5, "endLine": 3, "endColumn": 6}
    assert [each["artifactLocation"]["uri"] for each in where[:3]] == [
        "a%20b/f.toml", "f%2C1%3A2.toml", "file:///etc/f.toml",
    ]  # fmt: skip


def test_sarif_of_a_clean_file_has_no_results():
    assert json.loads(render_sarif([], "1"))["runs"][0]["results"] == []


def test_sarif_carries_the_fix():
    found = Diagnostic("ASG101", "error", "m", Place("f", 1, 1), fix=Fix(1, 1, 1, 3, "port"))
    (result,) = json.loads(render_sarif([found], "1"))["runs"][0]["results"]
    (replacement,) = result["fixes"][0]["artifactChanges"][0]["replacements"]
    assert replacement["deletedRegion"] == {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 3}
    assert replacement["insertedContent"] == {"text": "port"}
