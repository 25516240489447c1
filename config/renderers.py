"""Findings for other readers than a plain terminal: colours, GitHub's workflow commands, SARIF.

As the renderers of :mod:`asgid.config.diagnostics`, these get findings and give text, and open nothing.
"""

from __future__ import annotations

import os
from pathlib import PurePath
from typing import TYPE_CHECKING
from urllib.parse import quote

from asgid.config.diagnostics import render_text, where

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from asgid.config.diagnostics import Diagnostic
    from asgid.config.rules import Rule

_COLOURS = {"error": "31", "warning": "33", "info": "36"}
_GITHUB = {"error": "error", "warning": "warning", "info": "notice"}
_SARIF_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render_coloured(diagnostics: Iterable[Diagnostic]) -> str:
    """Return what ``render_text`` does, coloured with SGR sequences (ECMA-48 8.3.117)."""
    return "".join(_coloured(each) for each in diagnostics)


def _coloured(diagnostic: Diagnostic) -> str:
    colour = _COLOURS[diagnostic.severity]
    headline, *rest = render_text([diagnostic]).splitlines()
    tag = f": {diagnostic.severity}[{diagnostic.code}]: "
    place, _, message = headline.partition(tag)
    lines = [f"{_sgr('1', place)}: {_sgr(f'1;{colour}', tag[2:-2])}: {_sgr('1', message)}"]
    for line in rest:
        margin, bar, text = line.partition(" | ")
        if line.startswith("  = help: "):
            lines.append(f"  {_sgr('34', '=')} {_sgr('1;36', 'help')}{line.removeprefix('  = help')}")
        elif bar and not margin.strip():
            carets = text.lstrip(" ")
            lines.append(
                f"{margin}{_sgr('34', bar)}{text[: -len(carets) or None]}{_sgr(f'1;{colour}', carets)}"
            )
        else:
            lines.append(f"{_sgr('34', margin + bar)}{text}")
    return "\n".join(lines) + "\n"


def _sgr(attributes: str, text: str) -> str:
    return f"\x1b[{attributes}m{text}\x1b[0m" if text else ""


def render_github(diagnostics: Iterable[Diagnostic]) -> str:
    """Return a workflow command for each finding, which GitHub shows beside the line (its toolkit's grammar).

    A command has columns only where it ends on its own line, as annotations do.
    """
    return "".join(_command(each) for each in diagnostics)


def _command(diagnostic: Diagnostic) -> str:
    place = diagnostic.place
    told = {"title": f"asgid {diagnostic.code}", "file": place.file, "line": place.line}
    told["endLine"] = diagnostic.end_line or place.line
    if diagnostic.end_line in {0, place.line}:
        told["col"] = place.column
        told["endColumn"] = max(diagnostic.end_column, place.column + 1)
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in told.items())
    text = f"{where(place)}: {diagnostic.code} {diagnostic.message}"
    text += f" ({diagnostic.help})" if diagnostic.help else ""
    return f"::{_GITHUB[diagnostic.severity]} {properties}::{_data(text)}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def render_sarif(diagnostics: Sequence[Diagnostic], version: str) -> str:
    """Return a SARIF 2.1.0 log of one run by asgid ``version``; its columns are characters."""
    import json  # noqa: PLC0415 - costs 7 ms, and only this needs it

    from asgid.config.rules import RULES  # noqa: PLC0415 - only this needs it

    known = sorted({each.code for each in diagnostics})
    driver = {
        "name": "asgid",
        "semanticVersion": version,
        "rules": [_rule(RULES[code]) for code in known],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(each, known.index(each.code)) for each in diagnostics],
    }
    log = {"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False)


def _rule(rule: type[Rule]) -> dict[str, object]:
    return {
        "id": rule.code,
        "name": rule.__name__,
        "shortDescription": {"text": rule.title},
        "help": {"text": rule.page(), "markdown": rule.page()},
        "defaultConfiguration": {"level": _SARIF_LEVELS[rule.severity]},
    }


def _result(diagnostic: Diagnostic, index: int) -> dict[str, object]:
    place = diagnostic.place
    region = {"startLine": place.line, "startColumn": place.column}
    if diagnostic.end_line:
        region |= {"endLine": diagnostic.end_line, "endColumn": diagnostic.end_column}
    artifact = {"uri": _uri(place.file)}
    message = f"{diagnostic.message}. Help: {diagnostic.help}" if diagnostic.help else diagnostic.message
    found: dict[str, object] = {
        "ruleId": diagnostic.code,
        "ruleIndex": index,
        "level": _SARIF_LEVELS[diagnostic.severity],
        "message": {"text": message},
        "locations": [{"physicalLocation": {"artifactLocation": artifact, "region": region}}],
    }
    if diagnostic.key:
        found["properties"] = {"key": diagnostic.key}
    fix = diagnostic.fix
    if fix is not None:
        deleted = {
            "startLine": fix.line, "startColumn": fix.column,
            "endLine": fix.end_line, "endColumn": fix.end_column,
        }  # fmt: skip
        change = {
            "artifactLocation": artifact,
            "replacements": [{"deletedRegion": deleted, "insertedContent": {"text": fix.text}}],
        }
        found["fixes"] = [{"artifactChanges": [change]}]
    return found


def _uri(file: str) -> str:
    if file == "-":
        return "stdin"
    if PurePath(file).is_absolute():
        return f"file://{quote(os.fsencode(file))}"
    return quote(os.fsencode(file))
