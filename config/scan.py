"""Where each key and value of a TOML text stands: a small scanner beside the standard library's parser.

Values come from tomllib and from nowhere else; this module only finds places. It is written here because
the alternative, tree-sitter with its TOML grammar, is a compiled dependency that takes some text tomllib
refuses, counts columns in bytes, and costs its import in every lint. What keeps this one honest is that it
runs over text that tomllib has accepted, so that it need not judge anything; its tests generate TOML in
every spelling and ask that each span, read by tomllib alone, gives the value that tomllib found at that
key.

Over text that tomllib has refused it goes as far as it can: what it saw last tells where a mistake began.
Offsets are in characters; lines end with a newline, the carriage return before it being part of the line's
end.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, field
from typing import NamedTuple

Key = tuple[str | int, ...]

# Loops are unrolled, not possessive: until 3.11.4 a possessive group gives up too early (CPython gh-106052).
_BLANK = re.compile(r"[ \t]*")
_FILLER = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"([^"\\\n]*(?:\\.[^"\\\n]*)*)"')
_LITERAL = re.compile(r"'([^'\n]*+)'")
_LONG_BASIC = re.compile(r'"""[^"\\]*(?:(?:\\.|"{1,2}(?!"))[^"\\]*)*"{3,5}', re.DOTALL)
_LONG_LITERAL = re.compile(r"'''[^']*(?:'{1,2}(?!')[^']*)*'{3,5}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ Tt][0-9]{2}:[^ \t\r\n,\]}#]*")
_SCALAR = re.compile(r"[^ \t\r\n,\]}#]+")
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_SIMPLE_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b", '"': '"', "\\": "\\"}


class ScanError(Exception):
    """The text is not TOML at ``offset``."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


class Span(NamedTuple):
    """From ``start`` up to ``end``, which is not part of it."""

    start: int
    end: int


@dataclass(slots=True)
class SourceMap:
    """The spans found: of keys (a table's last name in its header), of values, and of whole table headers."""

    keys: dict[Key, Span] = field(default_factory=dict)
    values: dict[Key, Span] = field(default_factory=dict)
    headers: dict[Key, Span] = field(default_factory=dict)


def scan(text: str) -> SourceMap:
    """Find every key and value of ``text``, which tomllib has accepted. Raises :class:`ScanError`."""
    scanner = Scanner(text)
    scanner.run()
    return scanner.map


class Scanner:
    """One pass over one text. After :class:`ScanError` its attributes say what was under way."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.map = SourceMap()
        self.opened: list[int] = []  # where the arrays and inline tables stand that are not closed yet
        self.statement: Key = ()  # the full path of the key or header read last
        self.statement_start = 0
        self.repeated: Span | None = None  # the first place of `statement`, where it had one already
        self.value_start = 0
        self._table: Key = ()
        self._arrays: dict[Key, int] = {}  # how many tables each array of tables has so far

    def run(self) -> None:
        """Read the whole text. Raises :class:`ScanError`."""
        position = self._filler(0)
        while position < len(self.text):
            if self.text[position] == "[":
                position = self._header(position)
            else:
                position = self._pair(position, self._table)
            position = self._filler(position)

    def _filler(self, position: int) -> int:
        match = _FILLER.match(self.text, position)
        return match.end() if match else position

    def _blank(self, position: int) -> int:
        match = _BLANK.match(self.text, position)
        return match.end() if match else position

    def _expect(self, literal: str, position: int) -> int:
        if not self.text.startswith(literal, position):
            raise ScanError(position)
        return position + len(literal)

    def _header(self, start: int) -> int:
        array = self.text.startswith("[[", start)
        names, position = self._names(self._blank(start + 1 + array))
        position = self._expect("]]" if array else "]", position)
        path: Key = ()
        for name, span in names[:-1]:
            path = self._inside((*path, name))
            self.map.keys.setdefault(path, span)
        name, span = names[-1]
        path = (*path, name)
        self.statement, self.statement_start = path, start
        if array:
            self.map.keys.setdefault(path, span)
            self.map.headers.setdefault(path, Span(start, position))
            index = self._arrays.get(path, 0)
            self._arrays[path] = index + 1
            path = (*path, index)
        self.repeated = self.map.headers.get(path) or self.map.values.get(path)
        self.map.headers.setdefault(path, Span(start, position))
        self.map.keys[path] = span
        self._table = path
        return position

    def _inside(self, path: Key) -> Key:
        """Return ``path``, or its last table so far where it names an array of tables."""
        count = self._arrays.get(path)
        return path if count is None else (*path, count - 1)

    def _names(self, position: int) -> tuple[list[tuple[str, Span]], int]:
        """Read a dotted key and the blanks after it; return its names and their spans, and where it ended."""
        names: list[tuple[str, Span]] = []
        while True:
            name, end = self._name(position)
            names.append((name, Span(position, end)))
            position = self._blank(end)
            if not self.text.startswith(".", position):
                return names, position
            position = self._blank(position + 1)

    def _name(self, position: int) -> tuple[str, int]:
        if match := _BARE_KEY.match(self.text, position):
            return match[0], match.end()
        if match := _BASIC.match(self.text, position):
            return unescape(match[1]), match.end()
        if match := _LITERAL.match(self.text, position):
            return match[1], match.end()
        raise ScanError(position)

    def _pair(self, position: int, table: Key) -> int:
        start = position
        names, position = self._names(position)
        path = table
        for name, span in names[:-1]:
            path = (*path, name)
            self.map.keys.setdefault(path, span)
        name, span = names[-1]
        path = (*path, name)
        self.statement, self.statement_start = path, start
        self.repeated = self.map.keys.get(path)
        self.map.keys[path] = span
        position = self._blank(self._expect("=", position))
        return self._value(position, path)

    def _value(self, position: int, path: Key) -> int:
        self.value_start = position
        first = self.text[position : position + 1]
        if first == "[":
            end = self._array(position, path)
        elif first == "{":
            end = self._inline_table(position, path)
        else:
            end = self._scalar(position)
        self.map.values[path] = Span(position, end)
        return end

    def _array(self, start: int, path: Key) -> int:
        self.opened.append(start)
        position = self._filler(start + 1)
        index = 0
        while not self.text.startswith("]", position):
            position = self._filler(self._value(position, (*path, index)))
            index += 1
            if not self.text.startswith("]", position):
                position = self._filler(self._expect(",", position))
        self.opened.pop()
        return position + 1

    def _inline_table(self, start: int, path: Key) -> int:
        """Read an inline table; newlines and a last comma are taken, as TOML 1.1 has them."""
        self.opened.append(start)
        position = self._filler(start + 1)
        while not self.text.startswith("}", position):
            position = self._filler(self._pair(position, path))
            if not self.text.startswith("}", position):
                position = self._filler(self._expect(",", position))
        self.opened.pop()
        return position + 1

    def _scalar(self, position: int) -> int:
        for start, pattern in _STRINGS:
            if self.text.startswith(start, position):
                match = pattern.match(self.text, position)
                break
        else:
            match = _DATE.match(self.text, position) or _SCALAR.match(self.text, position)
        if match is None:
            raise ScanError(position)
        return match.end()


_STRINGS = (('"""', _LONG_BASIC), ("'''", _LONG_LITERAL), ('"', _BASIC), ("'", _LITERAL))


def unescape(text: str) -> str:
    """Return what a basic string of one line stands for, given without its quotes."""
    return _ESCAPE.sub(_unescaped, text) if "\\" in text else text


def _unescaped(match: re.Match[str]) -> str:
    number = match[1] or match[2] or match[3]
    if number:
        return chr(int(number, 16))
    return _SIMPLE_ESCAPES.get(match[4], match[4])


_JOIN = re.compile(r"\\[ \t]*\n[ \t\n]*")
"""A backslash at a line's end: what it joins stands for nothing (TOML 1.0, multi-line basic strings)."""


class Characters:
    """Where each character of the value of a string of the text stands, in its source."""

    def __init__(self, text: str, span: Span) -> None:
        quoted = text[span.start : span.end]
        long = quoted.startswith(('"""', "'''"))
        self._first = span.start + (3 if long else 1)
        self._first += long and quoted[3] == "\n"  # a newline right behind the quotes is no part of it
        self._closing = span.end - (3 if long else 1)
        self._starts: array[int] | None = None
        if quoted[0] == '"' and "\\" in quoted:
            self._starts, self._ends = array("L"), array("L")
            self._read(text)

    def _read(self, text: str) -> None:
        starts, ends = self._starts, self._ends
        position = self._first
        while starts is not None and position < self._closing:
            match = _JOIN.match(text, position)
            if match is None:
                match = _ESCAPE.match(text, position)
                starts.append(position)
                ends.append(match.end() if match else position + 1)
            position = match.end() if match else position + 1

    def between(self, start: int, end: int) -> Span:
        """Return where the characters from ``start`` up to ``end`` stand; of none the quote that closes."""
        if self._starts is None:
            first, last = self._first + start, self._first + end
        elif start < len(self._starts):
            first = self._starts[start]
            last = self._ends[end - 1] if end > start else first
        else:
            first = last = self._closing
        return Span(first, last if last > first else first + 1)


def characters(text: str, span: Span) -> Characters | None:
    """Return where the characters of the string at ``span`` stand; None where there is no string."""
    return Characters(text, span) if text[span.start : span.start + 1] in {'"', "'"} else None
