"""systemd's unit files, as far as a server's start goes (systemd.syntax(7), systemd.exec(5))."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from asgid.config import codes, environment
from asgid.config.convert.command import SERVERS
from asgid.config.convert.draft import ConvertError, Said
from asgid.config.convert.sources import read as read_file
from asgid.config.diagnostics import Diagnostic
from asgid.config.spec import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ESCAPES: Final = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"',
    "'": "'", "s": " ",
}  # fmt: skip
_DIGITS: Final = {"x": (2, 16), "u": (4, 16), "U": (8, 16)}
_VARIABLE: Final = re.compile(r"\$(?:\$|\{([A-Za-z_][A-Za-z0-9_]*)\})")
_WHOLE_VARIABLE: Final = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_UMASK: Final = 0o022
_PREFIXES: Final = "-@:+!|"
_OF_THE_UNIT: Final = (
    "ExecStartPre", "ExecStartPost", "ExecStop", "ExecStopPost", "PassEnvironment", "SupplementaryGroups",
    "RootDirectory", "RootImage", "AmbientCapabilities", "LimitNOFILE", "LoadCredential", "SetCredential",
)  # fmt: skip
"""What a service may need that the file has no key for."""


@dataclass
class Started:
    """How a unit starts a server."""

    words: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)  # those of environment files, too
    environment: dict[str, str] = field(default_factory=dict)
    environment_files: list[tuple[str, Said]] = field(default_factory=list)
    directory: Path = Path("/")
    umask: int = _UMASK
    user: Said | None = None
    group: Said | None = None
    sockets: list[tuple[str, Said]] = field(default_factory=list)
    findings: list[Diagnostic] = field(default_factory=list)


Lines = list[Said]
"""The assignments of a section, in order: ``name`` is the key."""


def read(paths: Sequence[str]) -> Started:
    """Read a service unit, and socket units beside it. Raises :class:`ConvertError`."""
    services = [path for path in paths if not path.endswith(".socket")]
    if len(services) != 1:
        raise ConvertError("a conversion takes one service unit, and the socket units that belong to it")
    started = Started()
    lines = _with_drop_ins(services[0])
    specifiers = _Specifiers(services[0], started)
    _take_exec(started, lines, specifiers)
    for path in paths:
        if path.endswith(".socket"):
            _take_socket(started, path)
    return started


def sections(path: str, text: str) -> dict[str, Lines]:
    """Return the assignments of each section of a unit file."""
    found: dict[str, Lines] = {}
    section = ""
    for number, line in _logical_lines(text):
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
            continue
        name, equals, value = line.partition("=")
        if equals:
            found.setdefault(section, []).append(Said(value.strip(), name.strip(), Place(path, number)))
    return found


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield lines with their numbers: continued ones joined with a blank, comments taken out of them."""
    joined = ""
    first = 0
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip(" \t\r")
        if line.startswith(("#", ";")) or (not line and not joined):
            continue
        first = first if joined else number
        if line.endswith("\\"):
            joined += f"{line[:-1]} "
            continue
        yield first, f"{joined}{line}".strip()
        joined = ""
    if joined.strip():
        yield first, joined.strip()


def _with_drop_ins(path: str) -> Lines:
    """Return ``[Service]`` of a unit and of the drop-ins beside it."""
    lines = sections(path, read_file(path)).get("Service", [])
    try:
        extra = sorted(Path(f"{path}.d").glob("*.conf"))
    except (OSError, ValueError):
        extra = []
    for each in extra:
        lines += sections(str(each), read_file(str(each))).get("Service", [])
    return lines


def _last(lines: Lines, name: str) -> Said | None:
    """Return the last assignment of a key, or None where that is empty."""
    found = None
    for each in lines:
        if each.name == name:
            found = each if each.value else None
    return found


def _every(lines: Lines, name: str) -> Lines:
    """Return the assignments of a key that is a list; an empty one begins again."""
    found: Lines = []
    for each in lines:
        if each.name == name:
            found = [*found, each] if each.value else []
    return found


def _take_exec(started: Started, lines: Lines, specifiers: _Specifiers) -> None:
    for each in _every(lines, "Environment"):
        for word in _words(each):
            name, equals, value = specifiers.expand(word, each).partition("=")
            if equals:
                started.environment[name] = value
    from_files: dict[str, str] = {}
    for each in _every(lines, "EnvironmentFile"):
        path = specifiers.expand(str(each.value).removeprefix("-"), each)
        started.environment_files.append((path, each))
        from_files |= _environment_file(started, path, each)
    started.variables = started.environment | from_files
    for each in _every(lines, "UnsetEnvironment"):
        for word in _words(each):
            started.environment.pop(word, None)
            started.variables.pop(word, None)
    started.user, started.group = _last(lines, "User"), _last(lines, "Group")
    if (said := _last(lines, "WorkingDirectory")) is not None:
        _take_directory(started, said, specifiers.expand(str(said.value).removeprefix("-"), said))
    if (said := _last(lines, "UMask")) is not None and re.fullmatch("[0-7]{1,4}", str(said.value)):
        started.umask = int(str(said.value), 8) & 0o777
    commands = [(each, words) for each in _every(lines, "ExecStart") for words in _commands(each)]
    if not commands:
        raise ConvertError("the unit has no ExecStart= in [Service]")
    chosen = next(
        (each for each in commands if any(name in " ".join(each[1]) for name in SERVERS)), commands[0]
    )
    for said, words in commands:
        if words is not chosen[1]:
            message = f"one command is converted, and ExecStart={words[0]:.60} is another"
            started.findings.append(Diagnostic(codes.CONVERT_LOST, "warning", message, said.place))
    started.words = tuple(_expanded(started, *chosen, specifiers))
    for key in _OF_THE_UNIT:
        if (found := _last(lines, key)) is not None:
            message = f"{key}= is no key of the file: it belongs into asgid's unit"
            started.findings.append(Diagnostic(codes.CONVERT_LEFT_OUT, "info", message, found.place))


def _take_directory(started: Started, said: Said, text: str) -> None:
    if text == "~" and started.user is not None and started.user.value not in {"root", "0"}:
        message = f"WorkingDirectory=~ is the home of {started.user.value}, which only the host knows"
        advice = "write it as application.directory"
        started.findings.append(
            Diagnostic(codes.CONVERT_NOT_READ, "warning", message, said.place, help=advice)
        )
    started.directory = Path("/root" if text == "~" else os.path.normpath(Path("/") / text))


def _environment_file(started: Started, path: str, said: Said) -> dict[str, str]:
    """Return a file's variables, for those that the command line names."""
    try:
        text = read_file(path)
    except ConvertError as error:
        started.findings.append(
            Diagnostic(codes.CONVERT_NOT_READ, "info", f"{error}: its variables are not known", said.place)
        )
        return {}
    return environment.parse(text).variables


def _commands(said: Said) -> Iterator[list[str]]:
    """Yield the words of each command of one ExecStart=: a ``;`` that stands alone is between two."""
    words: list[str] = []
    for word in [*_words(said), ";"]:
        if word != ";":
            words.append(word)
        elif words:
            yield words
            words = []


def _expanded(started: Started, said: Said, words: list[str], specifiers: _Specifiers) -> Iterator[str]:
    """Yield a command's words: its prefixes, specifiers, then variables, as systemd does it."""
    variables = started.variables
    first = words[0].lstrip(_PREFIXES)
    prefixes = words[0].removesuffix(first)
    plain = ":" in prefixes  # no variables
    behind = words[2:] if "@" in prefixes else words[1:]  # behind an @ the second word is what it is called
    for count, word in enumerate([first, *behind]):
        expanded = specifiers.expand(word if word != "\\;" else ";", said)
        whole = _WHOLE_VARIABLE.fullmatch(expanded)
        if plain:
            yield expanded
        elif whole is not None and count:
            yield from _known(started, said, variables, whole[1]).split()
        elif count:
            yield _VARIABLE.sub(
                lambda match: _known(started, said, variables, match[1]) if match[1] else "$", expanded
            )
        else:
            yield expanded


def _known(started: Started, said: Said, variables: dict[str, str], name: str) -> str:
    if name not in variables:
        message = f"{said.name}= uses ${name}, and nothing read here sets it: it is empty"
        found = Diagnostic(codes.CONVERT_NOT_READ, "warning", message, said.place)
        if found not in started.findings:
            started.findings.append(found)
    return variables.get(name, "")


def _words(said: Said) -> list[str]:
    """Split a value as systemd does: blanks, both quotes, C's escapes. Raises :class:`ConvertError`."""
    text = str(said.value)
    words: list[str] = []
    current: list[str] | None = None
    quote = ""
    position = 0
    while position < len(text):
        c = text[position]
        position += 1
        if c == "\\" and position < len(text):
            made, position = _escape(text, position)
            current = [*(current or []), made]
        elif quote:
            if c == quote:
                quote = ""
            else:
                current = [*(current or []), c]
        elif c in "'\"":
            quote, current = c, current or []
        elif c in " \t":
            if current is not None:
                words.append("".join(current))
            current = None
        else:
            current = [*(current or []), c]
    if quote:
        raise ConvertError(f"{said.place}: {said.name}=: a quote is not closed")
    return words if current is None else [*words, "".join(current)]


def _escape(text: str, position: int) -> tuple[str, int]:
    """Return the character behind a backslash and where the text goes on; an unknown one stays as it is."""
    c = text[position]
    if c in _ESCAPES:
        return _ESCAPES[c], position + 1
    length, base = _DIGITS.get(c, (3, 8))
    start = position + 1 if c in _DIGITS else position
    digits = text[start : start + length]
    if re.fullmatch("[0-9A-Fa-f]+" if base == 16 else "[0-7]+", digits) and len(digits) == length:
        number = int(digits, base)
        if 0 < number < 0x110000 and not 0xD800 <= number < 0xE000:
            return chr(number), start + length
    return f"\\{c}", position + 1


class _Specifiers:
    """%-specifiers of a system's unit; one that only the host knows is reported and stays."""

    def __init__(self, path: str, started: Started) -> None:
        self.started = started
        name = Path(path).name
        whole = name.rpartition(".")[0] or name
        prefix, at, instance = whole.partition("@")
        self.values = {
            "%": "%", "n": name, "N": whole, "p": prefix, "t": "/run", "S": "/var/lib", "C": "/var/cache",
            "L": "/var/log", "E": "/etc", "T": "/tmp", "V": "/var/tmp", "h": "/root", "u": "root",  # noqa: S108
            "U": "0", "g": "root", "G": "0", "s": "/bin/sh", "j": prefix.rpartition("-")[2],
            "y": str(Path(path).absolute()), "Y": str(Path(path).absolute().parent),
        }  # fmt: skip
        if not at or instance:
            self.values |= {"i": instance, "I": instance.replace("-", "/")}

    def expand(self, text: str, said: Said) -> str:
        """Return ``text`` with its specifiers replaced."""
        return re.sub(r"%(.)", lambda match: self._one(match[1], said), text)

    def _one(self, letter: str, said: Said) -> str:
        if letter not in self.values:
            message = f"%{letter} in {said.name}= is known to systemd alone: write its value"
            found = Diagnostic(codes.CONVERT_NOT_READ, "warning", message, said.place)
            if found not in self.started.findings:
                self.started.findings.append(found)
        return self.values.get(letter, f"%{letter}")


def _take_socket(started: Started, path: str) -> None:
    lines = sections(path, read_file(path)).get("Socket", [])
    streams = _every(lines, "ListenStream")
    if not streams:
        raise ConvertError(f"{path} has no ListenStream= in [Socket]")
    named = _last(lines, "FileDescriptorName")
    name = str(named.value) if named is not None else Path(path).name
    started.sockets.append((name, streams[0]))
