"""Writes a draft as TOML: tomli-w writes every key, and the comments are placed between them."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from asgid.config.convert.draft import Key

_ORDER: Final = (
    "application", "listeners", "proxy", "limits", "timeouts", "websocket", "daemon", "log",
)  # fmt: skip
_WIDTH: Final = 100


def write(values: Mapping[str, Any], comments: Mapping[Key, Iterable[str]]) -> str:
    """Return a whole file. The comments of ``()`` are its first lines; a table's stand under its header."""
    tables = sorted(values, key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))
    parts = ["".join(_comment(comments.get((), ())))]
    parts += ["".join(each) for name in tables for each in _tables((name,), values[name], comments)]
    return "\n".join(part for part in parts if part)


def _tables(key: Key, table: Mapping[str, Any], comments: Mapping[Key, Iterable[str]]) -> Iterator[list[str]]:
    """Yield the lines of a table, then those of the tables in it."""
    plain = {name: value for name, value in table.items() if not isinstance(value, dict)}
    inner = {name: value for name, value in table.items() if isinstance(value, dict)}
    if plain or key in comments or not inner:
        lines = [_header(key), *_comment(comments.get(key, ()))]
        for name, value in plain.items():
            lines += [*_comment(comments.get((*key, name), ())), _assignment(name, value)]
        yield lines
    for name, value in inner.items():
        yield from _tables((*key, name), value, comments)


def _header(key: Key) -> str:
    """Return ``[a.b]``, each part quoted where it has to be, as tomli-w writes it."""
    return f"[{'.'.join(_assignment(part, 0).rpartition(' = ')[0] for part in key)}]\n"


def _assignment(name: str, value: Any) -> str:
    """Return one line, or several where a list is too long for one."""
    import tomli_w  # noqa: PLC0415 - a millisecond, for wrong usage too

    text = tomli_w.dumps({name: value})
    if isinstance(value, (list, tuple)):
        left = tomli_w.dumps({name: 0}).removesuffix("0\n")
        line = f"{left}[{', '.join(tomli_w.dumps({'x': each})[4:].rstrip() for each in value)}]\n"
        return line if len(line) <= _WIDTH else text
    return text


def _comment(said: Iterable[str]) -> list[str]:
    lines = []
    for each in said:
        visible = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in each)
        visible = visible.encode("utf-8", "replace").decode()
        lines += [
            f"# {line}\n"
            for line in textwrap.wrap(visible, _WIDTH - 2, break_long_words=False, break_on_hyphens=False)
        ]
    return lines
