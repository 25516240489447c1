# ruff: noqa: INP001 - a script beside .ci/run, not a package
"""Say how many tests each stage ran; fail where it was fewer than was committed, or where one was skipped.

Arguments: pytest's JUnit file, and a file with a line ``STAGE COUNT`` for each stage. The cases of the
Autobahn TestSuite are counted by its own command.
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

STAGES = {
    "config": "unit", "daemon": "unit", "blackbox": "blackbox", "apps": "apps", "system": "system",
    "conformance": "conformance", "fuzz": "fuzz", "hostile": "hostile", "soak": "soak",
}  # fmt: skip
ELSEWHERE = {"autobahn"}


def main(report: str, expected: str) -> int:
    """Compare, and return the exit status."""
    ran: Counter[str] = Counter()
    skipped: list[str] = []
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest has just written it
        name = case.get("classname", "")
        parts = name.split(".")
        stage = STAGES.get(parts[1] if parts[0] == "tests" else parts[0], "unit")
        if case.find("skipped") is not None:
            skipped.append(f"{name}::{case.get('name')}")
        else:
            ran[stage] += 1
    failed = bool(skipped)
    for line in Path(expected).read_text().splitlines():
        stage, count = line.split()
        if stage in ELSEWHERE:
            continue
        few = ran[stage] < int(count)
        failed |= few
        sys.stdout.write(f"{stage}: {ran[stage]} tests ran{f', fewer than {count}' if few else ''}\n")
    for name in skipped:
        sys.stdout.write(f"skipped: {name}\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
