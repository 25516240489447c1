"""The table in tests/README.md is that of the cases, and every requirement has one."""

from __future__ import annotations

from conformance.cases import CASES
from conformance.matrix import README, written
from conformance.rules import RULES


def test_the_readme_is_up_to_date():
    """Else run tests/conformance/matrix.py."""
    text = README.read_text()
    assert written(text) == text


def test_every_requirement_has_requests_and_every_request_a_name_of_its_own():
    assert {case.rule for case in CASES} == set(RULES)
    assert len({case.ident for case in CASES}) == len(CASES) >= 150
