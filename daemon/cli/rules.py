"""``asgid rules``: every code; ``asgid explain CODE``: its page."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from asgid.daemon.cli.status import OK, UsageError
from asgid.daemon.cli.words import given_words
from asgid.daemon.observe.streams import write_file, write_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asgid.daemon.cli.parsing import Parser


class Row(NamedTuple):
    """One code: its usual severity, its title and its page, in Markdown."""

    code: str
    severity: str
    title: str
    page: str


def table() -> tuple[Row, ...]:
    """Return every code that a finding can carry, in order."""
    from asgid.config.rules import RULES  # noqa: PLC0415 - not for wrong usage

    return tuple(Row(each.code, each.severity, each.title, each.page()) for each in RULES.values())


def rules_parser() -> Parser:
    """Return the parser of ``asgid rules``."""
    from asgid.daemon.cli.parsing import command_parser  # noqa: PLC0415 - argparse takes 8 ms

    made = command_parser("rules")
    made.flag("--format", choices=("text", "json"), default="text", help="text or json (text)")
    return made


def explain_parser() -> Parser:
    """Return the parser of ``asgid explain``."""
    from asgid.daemon.cli.parsing import command_parser  # noqa: PLC0415 - argparse takes 8 ms

    made = command_parser("explain")
    made.word("code", "the code, as in ASG104; upper or lower case, with or without ASG")
    return made


def rules(words: Sequence[str]) -> int:
    """Print a line for each code: the code, its severity, its title."""
    given, _ = given_words(words, 0, "rules", rules_parser)
    if given.get("format") == "json":
        import json  # noqa: PLC0415 - only this needs it

        write_file(json.dumps([each._asdict() for each in table()], indent=2, ensure_ascii=False) + "\n")
        return OK
    wide = max(len(each.severity) for each in table())
    write_out("".join(f"{each.code}  {each.severity:<{wide}}  {each.title}\n" for each in table()))
    return OK


def explain(words: Sequence[str]) -> int:
    """Print the page of one code."""
    _, (said,) = given_words(words, 1, "explain", explain_parser)
    code = said.upper() if said.upper().startswith("ASG") else f"ASG{said}"
    row = next((each for each in table() if each.code == code), None)
    if row is None:
        raise UsageError(f"there is no code {said}", "asgid rules lists them")
    headline = f"{row.code}: {row.title} ({row.severity})"
    bold = sys.stdout.isatty()
    write_out((f"\x1b[1m{headline}\x1b[0m" if bold else headline) + f"\n\n{row.page}\n")
    return OK
