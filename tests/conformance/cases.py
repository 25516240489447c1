"""The table: every case, in the order of its section."""

from __future__ import annotations

from conformance import cases_bodies, cases_fields, cases_lines
from conformance.rules import RULES

_ORDER = {rule: place for place, rule in enumerate(RULES)}
CASES = sorted(
    [*cases_lines.CASES, *cases_fields.CASES, *cases_bodies.CASES], key=lambda case: _ORDER[case.rule]
)
