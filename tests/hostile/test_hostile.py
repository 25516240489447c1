"""Hostile clients, a bounded form of each: another client polls all the while, and nothing is left behind.

``python tests/hostile/run.py`` is the long form. What is printed is measured. What is asserted is far from
it, for machines are busy: bounds that only a leak, a spin or a blocked loop breaks.
"""

from __future__ import annotations

import resource
import shutil

import pytest
from hostile.cases import cases
from hostile.judging import judge

CASES = cases(long=False)


@pytest.fixture(scope="module", autouse=True)
def _many_descriptors():
    """This process holds the other end of 9,000 connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 10_000:
        pytest.skip("the limit of open files is below 10,000")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_another_client_is_served_all_the_while_and_nothing_is_left(victims, capsys, case):
    if case.name.startswith("slowhttptest") and not shutil.which("slowhttptest"):
        pytest.skip("slowhttptest is not installed")
    seen = victims(case.open_files, case.rest).suffer(case.name, case.attack)
    with capsys.disabled():
        print(f"\n  {seen}")
    assert not judge(seen, case)
