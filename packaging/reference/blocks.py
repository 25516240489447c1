"""What a page is made of: a few kinds of block, with `code` between backticks, for Markdown and for man."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass


@dataclass(frozen=True)
class Heading:
    """A section's title; ``level`` 1 is a section, 2 one inside it."""

    level: int
    text: str


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Code:
    """Lines that are shown as they are."""

    text: str
    language: str = ""


@dataclass(frozen=True)
class Terms:
    """A list of terms, each explained. ``columns`` and ``cells`` are for a table, where there can be one."""

    terms: tuple[tuple[str, str], ...]
    columns: tuple[str, ...] = ()
    cells: tuple[tuple[str, ...], ...] = ()


Block = Heading | Text | Code | Terms


@dataclass(frozen=True)
class Page:
    """A manual page: ``name(section)``, what it is in a line, its blocks, and the pages to see as well."""

    name: str
    section: int
    about: str
    blocks: tuple[Block, ...]
    see: tuple[str, ...] = ()


def markdown(title: str, blocks: tuple[Block, ...]) -> str:
    """Return blocks as Markdown."""
    return "\n".join([f"# {title}\n", *map(_markdown, blocks)])


def _markdown(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"{'#' * (level + 1)} {text}\n"
        case Text(text):
            return f"{text}\n"
        case Code(text, language):
            return f"```{language}\n{text.rstrip()}\n```\n"
        case Terms(_, columns, cells) if columns:
            lines = (columns, tuple("---" for _ in columns), *cells)
            return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)
        case Terms(terms):
            return "".join(f"- {term}: {text}\n" for term, text in terms)


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def roff(page: Page, version: str) -> str:
    """Return a page in man(7)'s macros. It has no date, so that the same sources give the same page."""
    lines = [f'.TH {page.name.upper()} {page.section} "" "asgid {version}" "asgid"']
    lines += [".SH NAME", rf"{page.name} \- {_escaped(page.about)}"]
    after_heading = False
    for block in page.blocks:
        lines += _roff(block, first=after_heading)
        after_heading = isinstance(block, Heading)
    if page.see:
        lines.append(".SH SEE ALSO")
        for each in page.see:
            name, _, section = each.partition("(")
            lines.append(f".BR {name} ({section}{'' if each == page.see[-1] else ' ,'}")
    return "\n".join(lines) + "\n"


def _roff(block: Block, *, first: bool) -> list[str]:
    """Return a block's lines; ``first``: it stands right below a heading, where a paragraph begins anyway."""
    paragraph = [] if first else [".PP"]
    match block:
        case Heading(1, text):
            return [f'.SH "{_inline(text if text.startswith("[") else text.upper())}"']
        case Heading(_, text):
            return [f'.SS "{_inline(text)}"']
        case Text(text):
            return [*paragraph, *_lines(_filled(text))]
        case Code(text, _):
            shown = _lines([_escaped(line) for line in text.rstrip().split("\n")])
            return [*paragraph, ".in +4n", ".nf", *shown, ".fi", ".in"]
        case Terms(terms):
            return [
                line for term, text in terms for line in (".TP", *_lines([_inline(term), *_filled(text)]))
            ]


def _filled(text: str) -> list[str]:
    """Return text in lines of at most 80 characters, in roff; a newline in it stays one."""
    return [
        line
        for part in text.split("\n")
        for line in textwrap.wrap(_inline(part), 80, break_long_words=False, break_on_hyphens=False)
    ]


def _lines(lines: list[str]) -> list[str]:
    """Return lines none of which is taken for a request."""
    return [rf"\&{line}" if line[:1] in {".", "'"} else line for line in lines]


def _inline(text: str) -> str:
    """Return text with what stands between backticks in bold."""
    parts = re.split("`([^`]*)`", text)
    return "".join(
        rf"\fB{_escaped(part)}\fR" if odd % 2 else _escaped(part) for odd, part in enumerate(parts)
    )


def _escaped(text: str) -> str:
    """Return text that groff prints as it is (groff_char(7)); what is copied from a page is ASCII still."""
    for character, written in (("\\", r"\e"), ("-", r"\-"), ("^", r"\(ha"), ("~", r"\(ti"), ('"', r"\(dq")):
        text = text.replace(character, written)
    return text
