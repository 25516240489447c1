"""The table of rules: every code that a finding can carry, with its severity, its title and its page.

A page says in Markdown what the rule does, why that is bad, an example, and what to write instead. The
examples are tests: of a rule that looks at the file alone the first one is found, the second one is not.
Importing this takes a millisecond, so that only who lists or explains rules, or ignores some, does it.
"""

from __future__ import annotations

from typing import Final

from asgid.config.rules import (
    application,
    availability,
    conversion,
    endpoint_strings,
    exposure,
    limits,
    listeners,
    running,
    structure,
    text,
    this_host,
)
from asgid.config.rules.base import Rule, known

__all__ = ["RULES", "Rule"]

_HUNDREDS: Final = (
    text, structure, listeners, endpoint_strings, application, exposure, availability, limits, this_host,
    running, conversion,
)  # fmt: skip
"""In the order of their codes, 0xx to 9xx; importing them is what fills the table."""

RULES: Final[dict[str, type[Rule]]] = known()
"""Every rule by its code, in order."""
