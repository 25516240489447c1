"""What the user reads: one frozen value for each finding, and its renderers.

A renderer gets findings and gives text; it opens nothing. The line of source that a caret points into travels
with the finding, so that what is shown is what was read.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asgid.config.places import Place

Severity = Literal["error", "warning", "info"]

_LONGEST_LINE = 160

COMMAND_LINE = "command line"
"""The ``file`` of a place that is not in a file."""


class Fix(NamedTuple):
    """A change that is safe to make without asking: the text from a place to its end (exclusive), replaced.

    Lines and columns are 1-based, columns in characters. ``text`` is what stands there afterwards.
    """

    line: int
    column: int
    end_line: int
    end_column: int
    text: str


class Diagnostic(NamedTuple):
    """One finding. ``key`` is dotted; ``end_line`` and ``end_column`` (exclusive, 0: not known) end it.

    ``source`` is the line of text that ``place`` points into, without its newline; empty where there is none.
    ``fix`` is there where the file can be put right without a decision.
    """

    code: str
    severity: Severity
    message: str
    place: Place
    key: str = ""
    help: str = ""
    end_line: int = 0
    end_column: int = 0
    source: str = ""
    fix: Fix | None = None

    def __str__(self) -> str:
        return f"{where(self.place)}: {self.severity}[{self.code}]: {self.message}"


def where(place: Place) -> str:
    """Return ``FILE:LINE:COLUMN``, or the bare words for a place that is not in a file."""
    return place.file if place.file.startswith(COMMAND_LINE) else str(place)


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Tell whether any finding is an error."""
    return any(each.severity == "error" for each in diagnostics)


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return the findings in the order of the file, each once."""
    return tuple(sorted(dict.fromkeys(diagnostics), key=_position))


def _position(diagnostic: Diagnostic) -> tuple[str, int, int, str]:
    place = diagnostic.place
    return place.file, place.line, place.column, diagnostic.code


def render_text(diagnostics: Iterable[Diagnostic]) -> str:
    """Return the findings for a person: a headline each, the line with a caret, and a line of help."""
    return "".join(f"{_block(each)}\n" for each in diagnostics)


def _block(diagnostic: Diagnostic) -> str:
    lines = [_visible(str(diagnostic))]
    if diagnostic.source and not diagnostic.source.isspace():
        number = str(diagnostic.place.line)
        margin = " " * len(number)
        shown, caret = _excerpt(diagnostic)
        lines += [f" {number} | {shown}", f" {margin} | {caret}"]
    if diagnostic.help:
        lines.append(f"  = help: {_visible(diagnostic.help)}")
    return "\n".join(lines)


def _visible(line: str) -> str:
    """Return ``line`` safe for a terminal: a tab is one blank, control characters are shown as U+FFFD."""
    return "".join(" " if c == "\t" else c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)


def _excerpt(diagnostic: Diagnostic) -> tuple[str, str]:
    """Return the line, cut where it is very long, and the line below it with carets under the span."""
    source = diagnostic.source
    start = min(diagnostic.place.column - 1, len(source))
    end = start + 1
    if diagnostic.end_line == diagnostic.place.line:
        end = max(end, diagnostic.end_column - 1)
    elif diagnostic.end_line > diagnostic.place.line:
        end = max(end, len(source))
    first = 0 if start < _LONGEST_LINE - 20 else start - 40
    last = first + _LONGEST_LINE
    before = ("..." if first else "") + _visible(source[first:start])
    marked = _visible(source[start : min(end, last)])
    after = _visible(source[end:last]) + ("..." if last < len(source) else "")
    return before + marked + after, " " * _cells(before) + "^" * max(1, _cells(marked))


def _cells(text: str) -> int:
    """Return how many terminal cells ``text`` takes: wide characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


def render_json(diagnostics: Iterable[Diagnostic]) -> str:
    """Return the findings for a program: a JSON array of objects.

    Each has ``severity``, ``code``, ``message``, ``file``, ``line``, ``column``, ``key``, ``help``,
    ``end_line`` and ``end_column`` (exclusive; null where not known), and ``fix`` (null, or an object of
    ``line``, ``column``, ``end_line``, ``end_column`` and the ``text`` that belongs there).
    """
    import json  # noqa: PLC0415 - costs 7 ms, and only this needs it

    return json.dumps([_record(each) for each in diagnostics], indent=2, ensure_ascii=False)


def _record(diagnostic: Diagnostic) -> dict[str, object]:
    return {
        "severity": diagnostic.severity,
        "code": diagnostic.code,
        "message": diagnostic.message,
        "file": diagnostic.place.file,
        "line": diagnostic.place.line,
        "column": diagnostic.place.column,
        "end_line": diagnostic.end_line or None,
        "end_column": diagnostic.end_column or None,
        "key": diagnostic.key,
        "help": diagnostic.help,
        "fix": diagnostic.fix._asdict() if diagnostic.fix else None,
    }
