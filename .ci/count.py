# ruff: noqa: INP001 - a script beside .ci/run, not a package
"""Say how many tests each stage ran; fail where it was fewer than was committed, or where one was skipped.

Arguments: a file with a line ``STAGE COUNT`` for each stage, and pytest's JUnit files; ``--only STAGE`` where
they are of that stage alone. The packages' tests run apart; the Autobahn TestSuite's cases are counted by
its own command.
"""

from __future__ import annotations

import argparse
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

STAGES = {
    "config": "unit", "daemon": "unit", "blackbox": "blackbox", "apps": "apps", "system": "system",
    "conformance": "conformance", "fuzz": "fuzz", "hostile": "hostile", "soak": "soak",
    "packages": "packages",
}  # fmt: skip
ELSEWHERE = {"autobahn", "packages"}


def main() -> int:
    """Compare, and return the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only")
    parser.add_argument("expected", type=Path)
    parser.add_argument("reports", nargs="+")
    words = parser.parse_args()
    ran: Counter[str] = Counter()
    skipped: list[str] = []
    cases = (case for each in words.reports for case in ET.parse(each).iter("testcase"))  # noqa: S314 - pytest's own
    for case in cases:
        name = case.get("classname", "")
        parts = name.split(".")
        stage = STAGES.get(parts[1] if parts[0] == "tests" else parts[0], "unit")
        if case.find("skipped") is not None:
            skipped.append(f"{name}::{case.get('name')}")
        else:
            ran[stage] += 1
    failed = bool(skipped)
    for line in words.expected.read_text().splitlines():
        stage, count = line.split()
        if stage != words.only if words.only else stage in ELSEWHERE:
            continue
        few = ran[stage] < int(count)
        failed |= few
        sys.stdout.write(f"{stage}: {ran[stage]} tests ran{f', fewer than {count}' if few else ''}\n")
    for name in skipped:
        sys.stdout.write(f"skipped: {name}\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
