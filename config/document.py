"""A document: the values of a file, and where each of them stands in it."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from asgid.config.diagnostics import COMMAND_LINE, Diagnostic, Fix, Severity
from asgid.config.places import Place
from asgid.config.scan import Key, ScanError, SourceMap, Span, characters, scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from asgid.config.scan import Characters

_LONGEST_SENTENCE = 1000
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def dotted(key: Iterable[str | int]) -> str:
    """Return a key as it is written: ``listeners.public.address[1]``, quoted where TOML needs quotes."""
    text = ""
    for part in key:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            written = part if _BARE.fullmatch(part) else _quoted(part)
            text += f".{written}" if text else written
    return text


def _quoted(part: str) -> str:
    escaped = part.replace("\\", "\\\\").replace('"', '\\"')
    visible = "".join(c if c.isprintable() else f"\\U{ord(c):08X}" for c in escaped)
    return f'"{visible}"'


def _nearest(key: Key, *spans: Mapping[Key, Span]) -> Span | None:
    """Return where ``key`` stands in the first of ``spans`` that has it, or what is nearest around it."""
    while key:
        for each in spans:
            if key in each:
                return each[key]
        key = key[:-1]
    return None


def shortened(text: str) -> str:
    """Return a sentence that quotes something of a file: no more of it than somebody reads."""
    return text if len(text) <= _LONGEST_SENTENCE else f"{text[:_LONGEST_SENTENCE]}..."


@dataclass(frozen=True)
class Document:
    """The values of one file, or of a command line, and the place of each.

    ``name`` is the file as it was named; ``directory`` (absolute) is what relative paths in it are relative
    to. ``text`` is the file's text with newlines normalised and without a byte order mark; ``places``
    serves values that came from a command line. A document that could not be read has neither.
    """

    name: str
    directory: Path
    text: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)

    @cached_property
    def source(self) -> SourceMap:
        """Where the keys and values stand; made when it is first asked for."""
        try:
            return scan(self.text)
        except (ScanError, RecursionError):
            return SourceMap()

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    @cached_property
    def _shown(self) -> dict[int, str]:
        """The lines that a finding shows: all findings of one, which may be long, share its text."""
        return {}

    def position(self, offset: int) -> tuple[int, int]:
        """Return the 1-based line and column, in characters, of the character at ``offset``."""
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def offset(self, line: int, column: int) -> int:
        """Return the offset of the character at a 1-based line and column."""
        return self._line_starts[line - 1] + column - 1

    def line(self, number: int) -> str:
        """Return line ``number`` (1-based) without its newline; empty where there is none."""
        return self._line(number)

    @cached_property
    def _line(self) -> Callable[[int], str]:
        # A line may be long and have many findings: all of them show one string.
        return lru_cache(maxsize=8)(self._cut_out)

    def _cut_out(self, number: int) -> str:
        if not self.text or not 1 <= number <= len(self._line_starts):
            return ""
        shown = self._shown.get(number)
        if shown is None:
            start = self._line_starts[number - 1]
            end = self.text.find("\n", start)
            shown = self._shown[number] = self.text[start : len(self.text) if end < 0 else end]
        return shown

    def key_span(self, key: Key) -> Span | None:
        """Return where the key itself stands; for a table its header, for what is not there its parent."""
        source = self.source
        return _nearest(key, source.headers, source.keys, source.values)

    def value_span(self, key: Key) -> Span | None:
        """Return where the value stands; for a table its header, for what is not there its parent."""
        source = self.source
        return _nearest(key, source.values, source.headers, source.keys)

    def place(self, key: Key) -> Place:
        """Return the place of the value at ``key``, or of the nearest table around it."""
        span = self.value_span(key)
        if span is None:
            return self._given_place(key)
        return Place(self.name, *self.position(span.start))

    def _given_place(self, key: Key) -> Place:
        while key:
            found = self.places.get(dotted(key))
            if found:
                return found
            key = key[:-1]
        return Place(self.name)

    def at_value(
        self,
        code: str,
        key: Key,
        message: str,
        advice: str = "",
        *,
        severity: Severity = "error",
        part: tuple[int, int] | None = None,
        fix: str = "",
    ) -> Diagnostic:
        """Return a finding about the value at ``key``; ``part`` are characters of it, of a string.

        ``fix`` is the TOML that can stand in the whole value's place without a decision.
        """
        span = self._part(self.value_span(key), part)
        change = self._change(self.source.values.get(key), fix)
        return self._at(code, key, message, advice, severity, span=span, fix=change)

    def at_key(
        self,
        code: str,
        key: Key,
        message: str,
        advice: str = "",
        *,
        severity: Severity = "error",
        fix: str = "",
    ) -> Diagnostic:
        """Return a finding about the key itself, or about the table that it names.

        ``fix`` is the name that can stand in the place of the key's own, its last one, without a decision.
        """
        change = self._change(self.source.keys.get(key), fix)
        return self._at(code, key, message, advice, severity, span=self.key_span(key), fix=change)

    def _part(self, span: Span | None, part: tuple[int, int] | None) -> Span | None:
        """Return where characters of the string at ``span`` stand; all of it where there are none."""
        if span is None or part is None:
            return span
        inside = self._characters(span)
        return span if inside is None else inside.between(*part)

    @cached_property
    def _characters(self) -> Callable[[Span], Characters | None]:
        return lru_cache(maxsize=1)(lambda span: characters(self.text, span))

    def _change(self, span: Span | None, text: str) -> Fix | None:
        if span is None or not text:
            return None
        return Fix(*self.position(span.start), *self.position(span.end), text)

    def at_place(
        self,
        code: str,
        key: Key,
        place: Place,
        message: str,
        advice: str = "",
        *,
        severity: Severity = "error",
        part: tuple[int, int] | None = None,
    ) -> Diagnostic:
        """Return a finding about ``key`` at a place that is known; ``part`` is that of :meth:`at_value`."""
        if place.file != self.name or not self.text:
            return Diagnostic(code, severity, message, place, dotted(key), advice)
        start = self._line_starts[place.line - 1] + place.column - 1
        span = self._span_from.get(start) or Span(start, start + 1)
        return self._at(code, key, message, advice, severity, span=self._part(span, part))

    def in_full(self, found: Diagnostic) -> Diagnostic:
        """Return a finding that has a place alone with the text that it is about; others as they are."""
        if found.source or found.place.file != self.name or not self.text:
            return found
        there = self.at_place(found.code, (), found.place, found.message)
        return found._replace(end_line=there.end_line, end_column=there.end_column, source=there.source)

    @cached_property
    def _span_from(self) -> dict[int, Span]:
        """The spans of keys, headers and values by where they start."""
        source = self.source
        spans = (*source.keys.values(), *source.headers.values(), *source.values.values())
        return {span.start: span for span in spans}

    def at_offset(
        self,
        code: str,
        message: str,
        advice: str,
        start: int,
        end: int,
        *,
        severity: Severity = "error",
        fix: str = "",
    ) -> Diagnostic:
        """Return a finding about a piece of the text; ``fix`` can stand in its place."""
        span = Span(start, end)
        return self._at(code, (), message, advice, severity, span=span, fix=self._change(span, fix))

    def written(self, key: Key) -> str:
        """Return the value at ``key`` as it is written in the text; empty for what is not in a text."""
        span = self.source.values.get(key)
        return self.text[span.start : span.end] if span else ""

    def _at(
        self,
        code: str,
        key: Key,
        message: str,
        help_: str,
        severity: Severity,
        *,
        span: Span | None,
        fix: Fix | None = None,
    ) -> Diagnostic:
        name = dotted(key)
        message, help_ = shortened(message), shortened(help_)
        if span is None:
            place = self._given_place(key)
            return Diagnostic(code, severity, message, place, name, help_)
        line, column = self.position(span.start)
        end_line, end_column = self.position(span.end)
        return Diagnostic(
            code,
            severity,
            message,
            Place(self.name, line, column),
            name,
            help_,
            end_line,
            end_column,
            self.line(line),
            fix,
        )

    @property
    def is_command_line(self) -> bool:
        """Tell whether the values came from a command line."""
        return self.name.startswith(COMMAND_LINE)
