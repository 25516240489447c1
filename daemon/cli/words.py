"""What the commands about files share: one file among the words, nothing imported early."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgid.daemon.cli.status import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asgid.daemon.cli.parsing import Parser


def given_words(words: Sequence[str], count: int, command: str, parser: Callable[[], Parser]) -> Any:
    """Return the flags by name and the ``count`` words that a command takes. Raises :class:`UsageError`.

    A command line of these words alone needs no parser.
    """
    if len(words) == count and all(word and not word.startswith("-") for word in words):
        return {}, list(words)
    made = parser()
    given, rest = made.read(words)
    named = [given.get(name) for name in made.positionals]
    found = [*(str(each) for each in named if each is not None), *rest]
    if len(found) < count or "" in found[:count]:
        missing = " and ".join(each.upper() for each in made.positionals[len(found) :])
        shape = " ".join(each.upper() for each in made.positionals)
        raise UsageError(f"asgid {command} needs {missing}", f"asgid {command} {shape}")
    if len(found) > count:
        raise UsageError(f"{found[count]!r} is one word too many", f"asgid {command} takes {_many(count)}")
    return given, found


def _many(count: int) -> str:
    return {0: "no word", 1: "one word", 2: "two words"}[count]


def one_file(words: Sequence[str], command: str, parser: Callable[[], Parser]) -> tuple[dict[str, Any], str]:
    """Return the flags by name, and the one file of a command. Raises :class:`UsageError`."""
    given, (file,) = given_words(words, 1, command, parser)
    return given, file
