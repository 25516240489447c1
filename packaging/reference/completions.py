"""The completions of bash, zsh and fish, which shtab makes from the parsers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shtab

from asgid.daemon.cli.commands import PARSERS, at_home
from asgid.daemon.cli.parsing import COMMANDS, Parser, serving_parser

if TYPE_CHECKING:
    import argparse

_PLACES = {"FILE": shtab.FILE, "OLD": shtab.FILE, "NEW": shtab.FILE, "PATH": shtab.FILE}
_PLACES["DIRECTORY"] = shtab.DIRECTORY


def completions() -> dict[str, str]:
    """Return each shell's file, by the name under which the shell looks for it."""
    return {
        name: shtab.complete(_whole(), shell=shell)
        for name, shell in (("asgid", "bash"), ("_asgid", "zsh"), ("asgid.fish", "fish"))
    }


def _whole() -> Parser:
    """Return one parser of everything: asgid's own tells a command from an application by itself."""
    whole = Parser(prog="asgid", description="An ASGI server from one file of named listeners.")
    for _, action in serving_parser().arguments:
        if action.option_strings:
            _add(whole, action)
    commands = whole.add_subparsers(metavar="COMMAND", parser_class=Parser)
    for name, about in COMMANDS.items():
        command = commands.add_parser(name, help=about, description=about)
        for _, action in at_home(PARSERS[name])().arguments:
            _add(command, action)
    return whole


def _add(parser: argparse.ArgumentParser, action: argparse.Action) -> None:
    """Add ``action``, which another parser has too, with what its value is completed to."""
    takes_none = action.nargs == 0
    options = {"help": action.help, "action": "store_true"} if takes_none else {"help": action.help}
    if not takes_none:
        options |= {"metavar": action.metavar, "choices": action.choices, "nargs": action.nargs}
    added = parser.add_argument(*(action.option_strings or [action.dest]), **options)
    if action.metavar in _PLACES:
        added.complete = _PLACES[action.metavar]
