"""Reads the command line with argparse, and says "did you mean" where argparse would not."""

from __future__ import annotations

import argparse
import difflib
from typing import TYPE_CHECKING, Any, Final, NoReturn

from asgid.daemon.cli.flags import FLAGS, GROUPS, Flag
from asgid.daemon.cli.status import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

COMMANDS: Final = {
    "init": "write a first file, from a few questions or flags",
    "lint": "check files, and print what is found",
    "explain": "print the page of a finding's code",
    "rules": "print the table of all codes",
    "endpoints": "print NAME<TAB>STRING for each endpoint string that a file's listeners become",
    "show": "print all there is to know of one listener, or a line for each",
    "diff": "print what a reload from one file to another would do, listener by listener",
    "schema": "print the JSON Schema of the file, for editors",
    "convert": "write another server's command line, or a unit that starts one, as a file",
}
_USAGE: Final = """asgid --config FILE
       asgid [flags] module:attribute
       asgid COMMAND ..."""
_EPILOG: Final = """ASGID_CONFIG in the environment stands in for --config where neither it nor an application
is given.

commands:
"""


class Parser(argparse.ArgumentParser):
    """argparse that raises :class:`UsageError` where it would exit, and takes no abbreviated flags."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=_Formatter, **options)
        self.known: list[str] = ["-h", "--help"]
        self.positionals: list[str] = []
        self.arguments: list[tuple[str, argparse.Action]] = []

    def flag(self, *names: str, **options: Any) -> None:
        """Add an argument, and remember its names for suggestions."""
        self.keep("", self.add_argument(*names, **options))

    def word(self, name: str, about: str, *, optional: bool = False) -> None:
        """Add a word that the command takes; that it is there is for :mod:`.words` to check."""
        if not optional:
            self.positionals.append(name)
        shown = f"[{name.upper()}]" if optional else name.upper()
        self.usage = f"{self.usage or f'{self.prog} [flags]'} {shown}"
        self.keep("", self.add_argument(name, nargs="?", metavar=name.upper(), help=about))

    def keep(self, group: str, argument: argparse.Action) -> None:
        """Remember an argument: its names for suggestions, and all of it, with its group, for the manual."""
        self.known += argument.option_strings
        self.arguments.append((group, argument))

    def error(self, message: str) -> NoReturn:
        """Raise :class:`UsageError`; argparse calls this for everything that it refuses."""
        raise UsageError(message)

    def read(self, words: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
        """Return what was given by name, and the words that belong to no flag. Raises :class:`UsageError`."""
        found, rest = self.parse_known_args(list(words))
        if rest[:1] == ["--"]:
            rest = rest[1:]
        for word in rest:
            if word.startswith("-") and len(word) > 1:
                name = word.partition("=")[0]
                raise UsageError(f"there is no flag {name}", did_you_mean(name, self.known))
        return vars(found), rest


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "asgid --help lists the flags") -> str:
    """Return the help that names the nearest of the ``known`` words, or ``otherwise``."""
    spelled = {each.replace("_", "-"): each for each in known}
    near = difflib.get_close_matches(word.replace("_", "-"), spelled, n=1, cutoff=0.6)
    return f"did you mean {spelled[near[0]]}?" if near else otherwise


def serving_parser() -> Parser:
    """Return the parser for everything that is no subcommand."""
    parser = Parser(
        prog="asgid",
        usage=_USAGE,
        description="An ASGI server that runs as a daemon from one file of named listeners.",
        epilog=_EPILOG + "".join(f"  {name:<22}{text}\n" for name, text in COMMANDS.items()),
    )
    parser.keep(
        "", parser.add_argument("application", nargs="?", help="the application, as module:attribute")
    )
    parser.flag("--config", metavar="FILE", help="serve what this file says", default=argparse.SUPPRESS)
    parser.flag("--version", action="store_true", help="print the version and end", default=argparse.SUPPRESS)
    for title, flags in GROUPS:
        group = parser.add_argument_group(title)
        for flag in flags:
            parser.keep(title, group.add_argument(*flag.names, **_options(flag)))
    return parser


def flag_of(dest: str) -> Flag:
    """Return the flag whose value is called ``dest``."""
    return next(flag for flag in FLAGS if flag.dest == dest)


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=34, width=100)


def command_parser(name: str, epilog: str = "", **options: Any) -> Parser:
    """Return a parser for ``asgid NAME``, which has no arguments yet."""
    description = f"{COMMANDS[name][:1].upper()}{COMMANDS[name][1:]}."
    return Parser(prog=f"asgid {name}", description=description, epilog=epilog or None, **options)


def _options(flag: Flag) -> dict[str, Any]:
    options: dict[str, Any] = {"dest": flag.dest, "help": flag.help, "default": argparse.SUPPRESS}
    if flag.action == "store_const":
        return options | {"action": flag.action, "const": flag.const}
    if flag.action != "store":
        options["action"] = flag.action
    if flag.action == "store_true":
        return options
    if flag.choices:
        options["choices"] = flag.choices
    if flag.read is not None:
        options["type"] = flag.read
    return options | {"metavar": flag.metavar} if flag.metavar else options
