"""Environment files in systemd's grammar.

The states and what each character does in them are those of systemd's parser (``parse_env_file_internal``
in src/basic/env-file.c, systemd.exec(5) EnvironmentFile=): single and double quotes, a backslash before a
newline continues the line, ``#`` and ``;`` begin comments, and quoted and unquoted pieces of one value are
joined.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field

_BLANKS = " \t\n\r"
_NEWLINES = "\n\r"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class _State(enum.Enum):
    BEFORE_KEY = enum.auto()
    KEY = enum.auto()
    BEFORE_VALUE = enum.auto()
    VALUE = enum.auto()
    ESCAPE = enum.auto()
    SINGLE = enum.auto()
    DOUBLE = enum.auto()
    DOUBLE_ESCAPE = enum.auto()
    COMMENT = enum.auto()
    COMMENT_ESCAPE = enum.auto()


@dataclass(frozen=True, slots=True)
class Problem:
    """A line (1-based) that is not taken, and why."""

    line: int
    message: str


@dataclass
class Parsed:
    """What a file says: the variables, the last of several of one name winning, and the lines not taken."""

    variables: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def parse(text: str) -> Parsed:
    """Read an environment file. What systemd would log and ignore is a :class:`Problem`."""
    reader = _Reader()
    for character in text.partition("\0")[0]:
        reader.take(character)
    reader.finish()
    return reader.parsed


class _Reader:
    def __init__(self) -> None:
        self.parsed = Parsed()
        self.state = _State.BEFORE_KEY
        self.line = 1
        self.started = 1
        self.key: list[str] = []
        self.value: list[str] = []
        self.kept = 0  # how much of the value is not blanks at its end
        self.steps = {
            _State.BEFORE_KEY: self._before_key,
            _State.KEY: self._in_key,
            _State.BEFORE_VALUE: self._before_value,
            _State.VALUE: self._in_value,
            _State.ESCAPE: self._escape,
            _State.SINGLE: self._single,
            _State.DOUBLE: self._double,
            _State.DOUBLE_ESCAPE: self._double_escape,
            _State.COMMENT: self._comment,
            _State.COMMENT_ESCAPE: self._comment_escape,
        }

    def take(self, c: str) -> None:
        self.state = self.steps[self.state](c)
        self.line += c == "\n"

    def finish(self) -> None:
        if self.state in {_State.SINGLE, _State.DOUBLE, _State.DOUBLE_ESCAPE}:
            self.parsed.problems.append(
                Problem(self.started, "the quotes are not closed before the end of the file")
            )
        if self.state is _State.KEY:
            self._no_assignment()
        elif self.state not in {_State.BEFORE_KEY, _State.COMMENT, _State.COMMENT_ESCAPE}:
            self._push()

    def _push(self) -> None:
        """Take one assignment; what systemd's env_assignment_is_valid refuses is a problem."""
        name = "".join(self.key).rstrip(_BLANKS)
        value = "".join(self.value[: self.kept] if self.state is _State.VALUE else self.value)
        if not _NAME.fullmatch(name):
            message = f"{name!r} is no variable's name"
            if name.startswith("export "):
                message += ": leave out export, this is no shell script"
            self.parsed.problems.append(Problem(self.started, message))
        elif _CONTROL.search(value):
            self.parsed.problems.append(
                Problem(self.started, f"the value of {name} holds a control character")
            )
        else:
            self.parsed.variables[name] = value
        self.key, self.value, self.kept = [], [], 0

    def _no_assignment(self) -> None:
        self.parsed.problems.append(Problem(self.started, "there is no = on this line"))
        self.key = []

    def _add(self, text: str) -> None:
        self.value.append(text)
        self.kept = len(self.value)

    def _before_key(self, c: str) -> _State:
        if c in "#;":
            return _State.COMMENT
        if c in _BLANKS:
            return _State.BEFORE_KEY
        self.started = self.line
        self.key.append(c)
        return _State.KEY

    def _in_key(self, c: str) -> _State:
        if c in _NEWLINES:
            self._no_assignment()
            return _State.BEFORE_KEY
        if c == "=":
            return _State.BEFORE_VALUE
        self.key.append(c)
        return _State.KEY

    def _before_value(self, c: str) -> _State:
        if c in _NEWLINES:
            self._push()
            return _State.BEFORE_KEY
        if c == "'":
            return _State.SINGLE
        if c == '"':
            return _State.DOUBLE
        if c == "\\":
            return _State.ESCAPE
        if c in _BLANKS:
            return _State.BEFORE_VALUE
        self._add(c)
        return _State.VALUE

    def _in_value(self, c: str) -> _State:
        if c in _NEWLINES:
            self._push()
            return _State.BEFORE_KEY
        if c == "\\":
            self.kept = len(self.value)
            return _State.ESCAPE
        self.value.append(c)
        if c not in _BLANKS:
            self.kept = len(self.value)
        return _State.VALUE

    def _escape(self, c: str) -> _State:
        if c not in _NEWLINES:
            self._add(c)
        return _State.VALUE

    def _single(self, c: str) -> _State:
        if c == "'":
            return _State.BEFORE_VALUE
        self._add(c)
        return _State.SINGLE

    def _double(self, c: str) -> _State:
        if c == '"':
            return _State.BEFORE_VALUE
        if c == "\\":
            return _State.DOUBLE_ESCAPE
        self._add(c)
        return _State.DOUBLE

    def _double_escape(self, c: str) -> _State:
        if c in '"\\`$':
            self._add(c)
        elif c != "\n":
            self._add("\\" + c)
        return _State.DOUBLE

    def _comment(self, c: str) -> _State:
        if c == "\\":
            return _State.COMMENT_ESCAPE
        return _State.BEFORE_KEY if c in _NEWLINES else _State.COMMENT

    def _comment_escape(self, c: str) -> _State:
        return _State.BEFORE_KEY if c in _NEWLINES else _State.COMMENT
