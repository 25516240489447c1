"""Puts right in a file what can be put right without a decision: nothing else of it changes by a byte."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from asgid.config import codes
from asgid.config.reading import BOM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from asgid.config.diagnostics import Diagnostic, Fix

_MOST_ROUNDS = 200


def fixed(data: bytes, check: Callable[[bytes], Sequence[Diagnostic]]) -> tuple[bytes, int]:
    """Return a file's bytes with the fixes of its findings, and how many fixes that were.

    ``check`` gives the findings about some bytes. One fix may bring another mistake to light that has one,
    so it is asked again, for as long as the errors, or else the findings, become fewer, or the text can be
    read farther. Where all fixes together make nothing better, each is tried alone. A byte order mark and
    the file's newlines stay what they are.
    """
    done = 0
    found = check(data)
    for _ in range(_MOST_ROUNDS):
        fixes = _apart(each.fix for each in found if each.fix is not None)
        tries = [fixes, *([each] for each in fixes if len(fixes) > 1)] if fixes else []
        for chosen in tries:
            changed = _with(data, chosen)
            left = check(changed)
            if _weight(left) < _weight(found) and not _moved(found, left):
                data, found = changed, left
                done += len(chosen)
                break
        else:
            break
    return data, done


def _weight(found: Sequence[Diagnostic]) -> tuple[float, float, int, int]:
    """Return how bad it is. Where a text is no TOML all that counts is how far it can be read."""
    errors = sum(each.severity == "error" for each in found)
    syntax = next((each.place for each in found if each.code == codes.SYNTAX), None)
    if syntax is None:
        return -math.inf, -math.inf, errors, len(found)
    return -syntax.line, -syntax.column, errors, len(found)


def _moved(found: Sequence[Diagnostic], left: Sequence[Diagnostic]) -> bool:
    """Tell whether what was no TOML is wrong still, as a value: then it was meant as something else."""
    places = {each.place for each in found if each.code == codes.SYNTAX}
    return any(each.place in places and each.severity == "error" for each in left)


def _apart(fixes: Iterable[Fix]) -> list[Fix]:
    """Return the fixes in the order of the text, without those that overlap an earlier one."""
    kept: list[Fix] = []
    for fix in sorted(dict.fromkeys(fixes), key=lambda each: (each.line, each.column)):
        if not kept or (kept[-1].end_line, kept[-1].end_column) <= (fix.line, fix.column):
            kept.append(fix)
    return kept


def _with(data: bytes, fixes: Sequence[Fix]) -> bytes:
    mark = BOM if data.startswith(BOM) else b""
    text = data.removeprefix(BOM).decode()
    newline = "\r\n" if "\r\n" in text else "\n"
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    pieces: list[str] = []
    kept = 0
    for fix in fixes:
        pieces += [text[kept : starts[fix.line - 1] + fix.column - 1], fix.text.replace("\n", newline)]
        kept = starts[fix.end_line - 1] + fix.end_column - 1
    return mark + "".join([*pieces, text[kept:]]).encode()
