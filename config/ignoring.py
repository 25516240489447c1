"""Findings that a file asks not to hear of: ``[lint] ignore`` for all of it, a comment for its own line.

Only warnings and infos can be passed over. What is an error cannot serve, or contradicts what the file
declares: it stays one, whoever ignores it, and the attempt is a warning of its own, at the code that asks.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from asgid.config import codes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from asgid.config.diagnostics import Diagnostic
    from asgid.config.document import Document

_COMMENT = re.compile(r"#[ \t]*asgid:[ \t]*ignore\b[ \t:=]*(?P<codes>[^#\n]*)")
_WORD = re.compile(r"[^\s,;\[\]]+")
_CODE = re.compile(r"ASG[0-9]+", re.IGNORECASE)


@dataclass(frozen=True)
class Ignored:
    """What a document asks not to hear of. ``problems`` are the findings about that itself."""

    everywhere: frozenset[str] = frozenset()
    on_lines: dict[int, frozenset[str]] = field(default_factory=dict)
    problems: tuple[Diagnostic, ...] = ()

    def kept(self, diagnostics: Iterable[Diagnostic], file: str) -> Iterator[Diagnostic]:
        """Yield the findings without those about ``file`` that are not to be heard of; errors stay."""
        for each in diagnostics:
            here = self.on_lines.get(each.place.line, ()) if each.place.file == file else ()
            if each.severity == "error" or (each.code not in self.everywhere and each.code not in here):
                yield each


def ignored(document: Document) -> Ignored:
    """Return what ``document`` asks not to hear of."""
    listed = _listed(document)
    comments = list(_comments(document))
    if not listed and not comments:
        return Ignored()
    on_lines: dict[int, frozenset[str]] = {}
    problems = list(_unable_in_list(document, listed))
    for offset, text in comments:
        line, _ = document.position(offset)
        found = [match for match in _WORD.finditer(text) if _CODE.fullmatch(match[0])]
        on_lines[line] = on_lines.get(line, frozenset()) | {match[0].upper() for match in found}
        problems += _about_comment(document, offset, text)
    everywhere = frozenset(code for code in listed.values() if code.startswith("ASG"))
    kept = Ignored(everywhere, on_lines).kept(problems, document.name)
    return Ignored(everywhere, on_lines, tuple(kept))


def _listed(document: Document) -> dict[int, str]:
    table = document.values.get("lint")
    value = table.get("ignore") if isinstance(table, dict) else None
    return {
        i: each for i, each in enumerate(value if isinstance(value, list) else []) if isinstance(each, str)
    }


def _comments(document: Document) -> Iterator[tuple[int, str]]:
    """Yield where the codes of each comment begin, and their text; what stands in a string is no comment."""
    found = list(_COMMENT.finditer(document.text))
    if not found:
        return
    strings = sorted(
        span
        for spans in (document.source.values, document.source.keys)
        for span in spans.values()
        if document.text[span.start] in "\"'"
    )
    starts = [span.start for span in strings]
    for match in found:
        before = bisect_left(starts, match.start()) - 1
        if before < 0 or strings[before].end <= match.start():
            yield match.start("codes"), match["codes"]


def _unable_in_list(document: Document, listed: dict[int, str]) -> Iterator[Diagnostic]:
    from asgid.config.rules import RULES  # noqa: PLC0415 - only a file that ignores some pays for it

    for index, code in listed.items():
        if code in RULES and _is_always_error(code):
            message, advice = _unable(code)
            key = ("lint", "ignore", index)
            yield document.at_value(codes.ERROR_IGNORED, key, message, advice, severity="warning")


def _about_comment(document: Document, offset: int, text: str) -> Iterator[Diagnostic]:
    from asgid.config.rules import RULES  # noqa: PLC0415

    words = list(_WORD.finditer(text))
    if not words:
        yield document.at_offset(
            codes.UNKNOWN_CODE_IN_COMMENT,
            "the comment names no code, and nothing is ignored",
            "write # asgid: ignore ASG508, with the code of the finding",
            offset,
            offset + 1,
            severity="warning",
        )
    for match in words:
        start, end, code = offset + match.start(), offset + match.end(), match[0].upper()
        if code in RULES and _is_always_error(code):
            message, advice = _unable(code)
            yield document.at_offset(codes.ERROR_IGNORED, message, advice, start, end, severity="warning")
        elif code not in RULES and (_CODE.fullmatch(code) or match is words[0]):
            yield document.at_offset(
                codes.UNKNOWN_CODE_IN_COMMENT,
                f"there is no code {match[0]}, and nothing is ignored by it",
                "asgid rules lists them",
                start,
                end,
                severity="warning",
            )


def _unable(code: str) -> tuple[str, str]:
    message = f"{code} is an error, and stays one: what cannot serve cannot be ignored"
    return message, "put right what it finds; warnings can be ignored"


def _is_always_error(code: str) -> bool:
    from asgid.config.rules import RULES  # noqa: PLC0415

    return RULES[code].severity == "error" and not RULES[code].weaker
