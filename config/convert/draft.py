"""What is known so far of the file that comes out: values, comments above their keys, findings."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from asgid.config import codes
from asgid.config.diagnostics import COMMAND_LINE, Diagnostic
from asgid.config.spec import Place

if TYPE_CHECKING:
    from pathlib import Path

    from asgid.config.diagnostics import Severity

Key = tuple[str, ...]


class ConvertError(Exception):
    """What was given cannot be read at all; ``help`` says what to do. Its text is safe for a terminal."""

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in message))
        self.help = advice


@dataclass(frozen=True, slots=True)
class Said:
    """One setting: its value as it was given (text, or what a configuration file holds), and where.

    ``name`` is how its author calls it: ``--host``, ``keepalive``, ``UVICORN_HOST``.
    """

    value: Any
    name: str
    place: Place

    def wrong(self, message: str) -> ConvertError:
        """Return the error that the setting is not what it must be, with its place in a file."""
        at = "" if self.place.file.startswith(COMMAND_LINE) else f"{self.place}: "
        return ConvertError(f"{at}{self.name} {message}")

    def shown(self) -> str:
        """Return what the setting says, for a message."""
        value = self.value
        is_flag = value is True or value is None or (value is False and self.name.startswith("-"))
        if is_flag or "password" in self.name.lower():
            return self.name
        text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
        short = text if len(text) <= 60 else f"{text[:57]}..."
        return f"{self.name} {short}" if self.name.startswith("-") else f"{self.name} = {short}"


Settings = dict[str, Said]


def on_command_line(name: str) -> Place:
    """Return the place of a flag."""
    return Place(f"{COMMAND_LINE}: {name}" if name else COMMAND_LINE)


@dataclass
class Draft:
    """A file in the making. ``server`` is the other server's name, ``base`` where it is started (absolute).

    ``umask`` is what it is started with. ``comments`` stand above their key, a
    table's under its header.
    """

    server: str
    base: Path
    umask: int = 0o022
    values: dict[str, Any] = field(default_factory=dict)
    comments: dict[Key, list[str]] = field(default_factory=dict)
    findings: list[Diagnostic] = field(default_factory=list)

    def put(self, key: str | Key, value: Any, *comments: str) -> None:
        """Set a key, dotted or as a tuple, and say something above it."""
        parts = tuple(key.split(".")) if isinstance(key, str) else key
        table = self.values
        for part in parts[:-1]:
            table = table.setdefault(part, {})
        table[parts[-1]] = value
        for each in comments:
            self.comment(parts, each)

    def get(self, key: str) -> Any:
        """Return the value of a dotted key, or None."""
        found: Any = self.values
        for part in key.split("."):
            if not isinstance(found, dict) or part not in found:
                return None
            found = found[part]
        return found

    def comment(self, key: str | Key, text: str) -> None:
        """Say something above a key, or under a table's header (the table is made)."""
        parts = tuple(key.split(".")) if isinstance(key, str) else key
        said = self.comments.setdefault(parts, [])
        if text not in said:
            said.append(text)

    def remark(self, table: str, text: str) -> None:
        """Say something in a table that may have no key."""
        self.values.setdefault(table, {})
        self.comment((table,), text)

    def path(self, text: str) -> str:
        """Return a path of the other server's as an absolute one: it is relative to where that is started."""
        return os.path.normpath(self.base / text)

    def find(self, code: str, severity: Severity, said: Said | Place, message: str, advice: str = "") -> None:
        """Add a finding, once."""
        place = said.place if isinstance(said, Said) else said
        found = Diagnostic(code, severity, message, place, help=advice)
        if found not in self.findings:
            self.findings.append(found)

    def lost(self, said: Said, why: str, advice: str = "") -> None:
        """Report a setting that asgid does not have."""
        self.find(codes.CONVERT_LOST, "warning", said, f"{said.shown()} is lost: {why}", advice)

    def left_out(self, said: Said, why: str) -> None:
        """Report a setting that nothing is needed for."""
        self.find(codes.CONVERT_LEFT_OUT, "info", said, f"{said.shown()} is left out: {why}")

    def differs(self, said: Said | Place, message: str, advice: str = "") -> None:
        """Report what asgid does in another way."""
        self.find(codes.CONVERT_DIFFERS, "warning", said, message, advice)

    def later(self, said: Said, key: str, why: str) -> None:
        """Report a setting whose key is not available yet, and leave a comment in its table."""
        table, _, name = key.rpartition(".")
        message = f"{said.shown()} is lost: {key} is not available yet"
        self.find(codes.CONVERT_LATER, "warning", said, message, why)
        value = f" = {said.value}" if said.value is not True else ""
        self.remark(table, f"{name}{value}: not available yet; {why}")

    def refuse(self, said: Said | Place, message: str, advice: str = "") -> None:
        """Report what must not be left out without being asked for: no file is written."""
        self.find(codes.CONVERT_REFUSED, "error", said, message, advice)
