"""Write the table of the cases into tests/README.md: ``python tests/conformance/matrix.py``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

HERE = Path(__file__).parent
if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent))

from conformance.cases import CASES  # noqa: E402 - as a script it has to be found first
from conformance.rules import RULES  # noqa: E402

if TYPE_CHECKING:
    from conformance.model import Case

README = HERE.parent / "README.md"
BEGIN = "<!-- The table is written by tests/conformance/matrix.py. -->"
END = "<!-- The end of the table. -->"


def matrix() -> str:
    """The table: a line for each requirement and outcome, with the requests that have it."""
    lines = [
        f"{len(CASES)} requests, {len(RULES)} requirements.",
        "",
        "| Section (RFC) | Requirement | Requests | Outcome |",
        "|---|---|---|---|",
    ]
    for rule, text in RULES.items():
        groups: dict[str, list[Case]] = {}
        for case in CASES:
            if case.rule == rule:
                groups.setdefault("; ".join(str(outcome) for outcome in case.outcome), []).append(case)
        number, _, section = rule.rstrip("abcde").partition("-")
        for outcome, cases in groups.items():
            names = "; ".join(case.name for case in cases)
            cells = (f"{number} {section}", text, f"{len(cases)}: {names}", outcome)
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
            text = '"'  # noqa: PLW2901 - it is said once
    return "\n".join(lines)


def written(readme: str) -> str:
    """The README with the table as it should be."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{README} has no place for the table")
    return f"{before}{BEGIN}\n{matrix()}\n{END}{after}"


if __name__ == "__main__":
    README.write_text(written(README.read_text()))
