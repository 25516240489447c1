"""Of a text that is not TOML, the tables that are whole, so that all that is wrong is said in one run.

The tables in which the syntax goes wrong are blanked out, character by character, so that all else stays
where it is. What was in them is not known: nothing is said of a key that may have stood there.
"""

from __future__ import annotations

import itertools
import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asgid.config.document import Document
from asgid.config.scan import ScanError, Scanner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asgid.config.scan import Key

_HEADER = re.compile(r"^[ \t]*\[(?P<name>[^\n#]*)", re.MULTILINE)
_WHOLE_HEADER = re.compile(
    r"""[ \t]*\[\[?[ \t]*(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
    r"""(?:[ \t]*\.[ \t]*(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*'))*[ \t]*\]\]?[ \t]*(?:\#[^\n]*)?"""
)
_COORDINATES = re.compile(r"\(at line ([0-9]+), column ([0-9]+)\)$")
_MOST_ROUNDS = 50


@dataclass(frozen=True)
class Partial:
    """``document`` has the values of the whole tables; ``broken`` are the keys of those that are not.

    An empty key among them stands for a table of which not even the name is known.
    """

    document: Document
    broken: frozenset[Key]


def partial(document: Document, offset: int) -> Partial:
    """Return the whole tables of ``document``, whose text goes wrong for the first time at ``offset``."""
    text = document.text
    broken: set[Key] = set()
    for _ in range(_MOST_ROUNDS):
        start, end, name = _piece(text, offset)
        broken.add(name)
        text = text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]
        try:
            values = tomllib.loads(text)
        except RecursionError:
            break
        except ValueError as error:
            offset = _place(text, error)
            if not text[start:].strip() and not text[:start].strip():
                break
            continue
        return Partial(_with(document, text, values), frozenset(broken))
    return Partial(_with(document, "", {}), frozenset({()}))


def _with(document: Document, text: str, values: dict[str, Any]) -> Document:
    """Return a document that shows the lines as they were, and knows the places of what is whole."""
    made = Document(document.name, document.directory, document.text, values)
    scanner = Scanner(text)
    try:
        scanner.run()
    except (ScanError, RecursionError):
        return made
    made.__dict__["source"] = scanner.map  # what would be found in the text as it was written
    return made


def _piece(text: str, offset: int) -> tuple[int, int, Key]:
    """Return from where to where the table goes in which ``offset`` stands, and its name."""
    begin, name = 0, ("",)
    statement = _statement(text, offset)
    for match in _headers(text):
        if match.start() > statement:
            return begin, match.start(), _key(name)
        begin, name = match.start(), (match["name"],)
    return begin, len(text), _key(name)


def _statement(text: str, offset: int) -> int:
    """Return where the statement begins that goes wrong at ``offset``: a string or list may be long."""
    scanner = Scanner(text[: offset + 1])
    try:
        scanner.run()
    except (ScanError, RecursionError):
        pass
    else:
        return offset
    line = text.rfind("\n", 0, offset) + 1
    return min(line, scanner.statement_start) if scanner.opened or _is_long(text, scanner) else line


def _is_long(text: str, scanner: Scanner) -> bool:
    return text[scanner.value_start : scanner.value_start + 3] in {'"""', "'''"}


def _headers(text: str) -> Iterator[re.Match[str]]:
    for match in _HEADER.finditer(text):
        end = text.find("\n", match.start())
        line = text[match.start() : len(text) if end < 0 else end]
        if _WHOLE_HEADER.fullmatch(line.rstrip()) or not line.rstrip().endswith((",", "]")):
            yield match


def _key(name: tuple[str]) -> Key:
    """Return the key that a header names, as far as it can be read; empty for none."""
    parts = itertools.takewhile(
        lambda part: part != "]", re.findall(r"""[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*'|\]""", name[0])
    )
    return tuple(part.strip("\"'") for part in parts)


def _place(text: str, error: ValueError) -> int:
    match = _COORDINATES.search(str(error))
    if match is None:
        return len(text)
    start = 0
    for _ in range(int(match[1]) - 1):
        start = text.index("\n", start) + 1
    return start + int(match[2]) - 1
