"""The options of another server, as a table; its words by name; and what becomes of the plain ones."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from asgid.config import writing
from asgid.config.convert.draft import ConvertError, Said, on_command_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from asgid.config.convert.draft import Draft, Settings

_NEGATIVE: Final = re.compile(r"-[0-9]+(?:\.[0-9]*)?")
_TRUE: Final = {"1", "true", "t", "yes", "y", "on"}
_FALSE: Final = {"0", "false", "f", "no", "n", "off", ""}
_LONGEST_S: Final = 3650 * 86400


@dataclass(frozen=True, slots=True)
class Put:
    """The setting is a key of the file; ``read`` makes its value, and None of it leaves the key out."""

    key: str
    read: Callable[[Said], Any]


@dataclass(frozen=True, slots=True)
class Lost:
    """asgid has no such setting; ``unless`` are values that ask for nothing."""

    why: str
    advice: str = ""
    unless: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Nothing is needed in its place."""

    why: str


@dataclass(frozen=True, slots=True)
class Later:
    """``key`` will say it."""

    key: str
    why: str
    unless: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Own:
    """The server's own module converts it, with others."""


Rule = Put | Lost | LeftOut | Later | Own
OWN: Final = Own()


@dataclass(frozen=True, slots=True)
class Option:
    """One setting: its name, how it is written, and what becomes of it.

    ``flag`` takes no value; ``off`` are the names that say the contrary; ``many`` may be given again;
    ``const`` is the value of an option whose own value may be left out.
    """

    dest: str
    names: tuple[str, ...]
    rule: Rule
    flag: bool = False
    off: tuple[str, ...] = ()
    many: bool = False
    const: str | None = None


def table(*options: Option) -> dict[str, Option]:
    """Return options by their names as settings."""
    return {each.dest: each for each in options}


def given(dest: str, names: str, rule: Rule = OWN, **more: Any) -> Option:
    """Return an option; ``names`` stand between blanks, those that turn it off behind ``/``."""
    on, _, off = names.partition("/")
    if off:
        more["flag"] = True
    return Option(dest, tuple(on.split()), rule, off=tuple(off.split()), **more)


class Words:
    """Reads the words behind a server's name, as argparse (with abbreviations) or click does."""

    def __init__(self, server: str, options: dict[str, Option], *, abbreviations: bool) -> None:
        self.server = server
        self.abbreviations = abbreviations
        self.by_name = {name: each for each in options.values() for name in (*each.names, *each.off)}

    def read(self, words: Sequence[str], origin: str = "") -> tuple[Settings, list[str]]:
        """Return the settings by name, and the words that belong to none. Raises :class:`ConvertError`.

        ``origin`` is what said them, where it is no command line.
        """
        found: Settings = {}
        plain: list[str] = []
        rest = list(words)
        while rest:
            word = rest.pop(0)
            if word == "--":
                plain += rest
                break
            if not word.startswith("-") or len(word) == 1:
                plain.append(word)
                continue
            self._take(word, rest, found, origin)
        return found, plain

    def _take(self, word: str, rest: list[str], found: Settings, origin: str) -> None:
        name, option, value = self._apart(word)
        if option.flag:
            if value is not None and word.startswith("--"):
                raise ConvertError(f"{self.server}: {name} takes no value")
            if value:
                rest.insert(0, f"-{value}")
            settled: Any = name not in option.off
        elif value is not None:
            settled = value
        elif option.const is not None and (not rest or rest[0].startswith("-") or ":" in rest[0]):
            settled = option.const
        else:
            if not rest or self._is_an_option(rest[0]):
                raise ConvertError(f"{self.server}: {name} needs a value")
            settled = rest.pop(0)
        place = on_command_line(origin or name)
        if option.many and option.dest in found:
            settled = [*found[option.dest].value, settled]
        elif option.many:
            settled = [settled]
        found[option.dest] = Said(settled, name, place)

    def _is_an_option(self, word: str) -> bool:
        """Tell whether argparse takes a word for an option; click takes any word for a value."""
        if not self.abbreviations or not word.startswith("-") or len(word) == 1:
            return False
        return _NEGATIVE.fullmatch(word) is None and " " not in word

    def _apart(self, word: str) -> tuple[str, Option, str | None]:
        if word in self.by_name:
            return word, self.by_name[word], None
        if not word.startswith("--"):
            option = self.by_name.get(word[:2])
            if option is None:
                raise self._unknown(word)
            text = word[2:]
            return word[:2], option, text.removeprefix("=") if self.abbreviations else text
        name, equals, value = word.partition("=")
        name = self._whole(name)
        return name, self.by_name[name], value if equals else None

    def _whole(self, name: str) -> str:
        if name in self.by_name:
            return name
        near = [each for each in self.by_name if each.startswith(name)] if self.abbreviations else []
        if len(near) == 1 or (near and len({self.by_name[each].dest for each in near}) == 1):
            return near[0]
        if near:
            raise ConvertError(f"{self.server}: {name} could be {' or '.join(sorted(near))}")
        raise self._unknown(name)

    def _unknown(self, word: str) -> ConvertError:
        import difflib  # noqa: PLC0415 - 5 ms, and only mistakes need it

        name = word.partition("=")[0]
        known = {each.replace("_", "-"): each for each in self.by_name}
        near = difflib.get_close_matches(name.replace("_", "-"), known, n=1, cutoff=0.6)
        advice = f"did you mean {known[near[0]]}?" if near else ""
        return ConvertError(f"{self.server} has no option {name:.60}", advice)


def from_environment(
    environment: dict[str, str], prefix: str, options: Iterable[Option], origin: str
) -> Settings:
    """Return the settings that click takes from variables ``PREFIX_NAME``, and take those out of them."""
    found: Settings = {}
    for option in options:
        name = f"{prefix}_{option.dest.upper()}"
        if not option.names or not environment.get(name):
            environment.pop(name, None)
            continue
        text: Any = environment.pop(name)
        said = Said(text, name, on_command_line(origin or name))
        if option.flag:
            said = Said(truth(said), name, said.place)
        elif option.many:
            said = Said(text.split(), name, said.place)
        found[option.dest] = said
    return found


def apply(draft: Draft, options: dict[str, Option], settings: Settings) -> None:
    """Convert every setting whose rule says all of it."""
    for dest, said in settings.items():
        rule = options[dest].rule
        asks = said.value not in (False, None, [], {}, "")
        if isinstance(rule, Put):
            value = rule.read(said)
            if value is not None:
                draft.put(rule.key, value)
        elif not asks or isinstance(rule, Own):
            continue
        elif isinstance(rule, LeftOut):
            draft.left_out(said, rule.why)
        elif str(said.value) in rule.unless:
            continue
        elif isinstance(rule, Later):
            draft.later(said, rule.key, rule.why)
        else:
            draft.lost(said, rule.why, rule.advice)


def text(said: Said) -> str:
    """Return a setting's text."""
    if not isinstance(said.value, str):
        raise said.wrong(f"must be a text, not {said.value!r:.60}")
    return said.value


def truth(said: Said) -> bool:
    """Return a setting that is true or false."""
    word = str(said.value).strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise said.wrong(f"must be true or false, not {said.value!r:.60}")


def whole(said: Said) -> int:
    """Return a setting that is a whole number."""
    value = said.value
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise said.wrong(f"must be a whole number, not {value!r:.60}")
    if isinstance(value, str):
        if not re.fullmatch(r"\s*[+-]?[0-9]{1,18}\s*", value):
            raise said.wrong(f"must be a whole number, not {value!r:.60}")
        value = int(value)
    return value


def count(said: Said) -> int:
    """Return a setting that is a whole number and not negative, and that the file can hold."""
    value = whole(said)
    if not 0 <= value < 2**31:
        raise said.wrong(f"must be a whole number from 0 to {2**31 - 1}, not {value}")
    return value


def port(said: Said) -> int:
    """Return a TCP port."""
    value = whole(said)
    if not 0 <= value <= 65535:
        raise said.wrong(f"{value} is no port: a port is 0 to 65535")
    return value


def number(said: Said) -> float:
    """Return a setting that is a number."""
    if isinstance(said.value, bool) or not isinstance(said.value, (int, float, str)):
        raise said.wrong(f"must be a number, not {said.value!r:.60}")
    try:
        value = float(said.value)
    except (ValueError, OverflowError):
        value = float("nan")
    if not -_LONGEST_S <= value <= _LONGEST_S:
        raise said.wrong(f"must be a number, not {said.value!r:.60}")
    return value


def duration(said: Said) -> str:
    """Return seconds as the file writes them."""
    value = number(said)
    if value < 0:
        raise said.wrong(f"must be a number of seconds, not {said.value}")
    return writing.duration(round(value, 3))


def size(said: Said) -> str:
    """Return bytes as the file writes them."""
    value = whole(said)
    if not 0 <= value <= 2**60:
        raise said.wrong(f"must be a number of bytes, not {value}")
    return writing.size(value)


def level(said: Said) -> str:
    """Return a log level by its name in the file."""
    word = text(said).lower()
    word = {"trace": "debug", "notset": "debug", "warn": "warning", "fatal": "critical"}.get(word, word)
    if word not in {"debug", "info", "warning", "error", "critical"}:
        raise said.wrong(f"{said.value!r:.40} is no log level")
    return word


def unless_empty(said: Said) -> str | None:
    """Return a text, or None for an empty one."""
    return text(said) or None
