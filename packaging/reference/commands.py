"""The manual pages of the commands, from their parsers."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from blocks import Block, Code, Heading, Page, Terms, Text

from asgid.daemon.cli.commands import PARSERS, at_home
from asgid.daemon.cli.parsing import COMMANDS, Parser, serving_parser

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

_STATUSES = (
    ("`0`", "Served, and stopped calmly; or the command has found nothing."),
    ("`1`", "At start: this host, or the application, cannot do it now. Of a command: findings."),
    ("`2`", "Wrong usage, or a command's file that cannot be read."),
    (
        "`78`",
        "At start: the file is missing, cannot be read or is wrong; a restart does not help (EX_CONFIG).",
    ),
    ("`130`, `143`", "Interrupted, or terminated once more, while it stopped."),
)


def pages() -> tuple[Page, ...]:
    """Return asgid(1) and asgid-lint(1)."""
    return (
        Page(
            "asgid",
            1,
            "an ASGI server that runs as a daemon from one file of named listeners",
            tuple(_asgid()),
            ("asgid.toml(5)", "asgid-lint(1)", "systemd.socket(5)"),
        ),
        Page(
            "asgid-lint",
            1,
            "check asgid's configuration files before anything is bound",
            tuple(_lint()),
            ("asgid(1)", "asgid.toml(5)"),
        ),
    )


def _asgid() -> Iterator[Block]:
    yield Heading(1, "Synopsis")
    yield Code("asgid --config FILE\nasgid [flags] module:attribute\nasgid COMMAND ...")
    yield Heading(1, "Description")
    yield Text(
        "`asgid` serves one ASGI application on every listener that a file names: HTTP/1.1, WebSocket and "
        "the lifespan protocol. asgid.toml(5) describes the file. It is checked, with what this host can and "
        "cannot do, before anything is bound."
    )
    yield Text(
        "Without a file the flags say where to listen, and the application is `module:attribute`. They are "
        "Daphne's, with a few more: a command line of Daphne's works as it is."
    )
    yield Text(
        "SIGTERM and SIGINT stop accepting, let requests finish, close WebSockets with 1012, and end with "
        "status 0. SIGHUP opens the log files anew."
    )
    yield Heading(1, "Commands")
    yield Terms(
        tuple((f"`asgid {name}`", f"{text[:1].upper()}{text[1:]}.") for name, text in COMMANDS.items())
    )
    yield Heading(1, "Options")
    yield from _options(serving_parser())
    for name in COMMANDS:
        yield from _command(name)
    yield Heading(1, "Environment")
    yield Terms((("`ASGID_CONFIG`", "The file, where neither `--config` nor an application is given."),))
    yield Heading(1, "Exit status")
    yield Terms(_STATUSES)
    yield Heading(1, "Examples")
    yield Code(
        "asgid init listeners.toml\n"
        "asgid lint --live --strict listeners.toml\n"
        "asgid --config listeners.toml\n"
        "asgid -b 127.0.0.1 -p 8000 mysite.asgi:application\n"
        "asgid -e 'tcp:8000:interface=\\:\\:' mysite.asgi:application"
    )


def _lint() -> Iterator[Block]:
    parser: Parser = at_home(PARSERS["lint"])()
    yield Heading(1, "Synopsis")
    yield Code(_usage("lint", parser))
    yield Heading(1, "Description")
    yield Text(
        "`asgid lint` prints what is wrong with each file: where it stands, the code of the rule, what was "
        "found, what is accepted and what to write instead. Every mistake of a file is reported in one run. "
        "`asgid explain CODE` prints a rule's page, `asgid rules` all of them."
    )
    yield Text(
        "Without `--live` nothing is asked of the host but the file itself, so that a file gives the same "
        "findings on every machine. asgid checks the same, and the host, when it starts: a service needs no "
        "lint before it."
    )
    yield Heading(1, "Options")
    yield from _options(parser)
    yield Heading(1, "Exit status")
    yield Terms(
        (
            ("`0`", "No error; with `--strict` no warning either."),
            ("`1`", "Findings."),
            ("`2`", "Wrong usage, or a file that cannot be read."),
        )
    )
    yield Heading(1, "Examples")
    yield Code(
        "asgid lint listeners.toml\n"
        "asgid lint --format github conf/*.toml\n"
        "asgid lint --fix - < listeners.toml"
    )


def _command(name: str) -> Iterator[Block]:
    parser: Parser = at_home(PARSERS[name])()
    yield Heading(1, f"asgid {name}")
    yield Code(_usage(name, parser))
    yield Text(f"{parser.description}")
    if parser.epilog:
        yield Text(parser.epilog.strip())
    yield from _options(parser)


def _usage(name: str, parser: Parser) -> str:
    words = [action for _, action in parser.arguments if not action.option_strings]
    flags = "[flags] " if len(words) < len(parser.arguments) else ""
    return f"asgid {name} {flags}{' '.join(_word(each) for each in words)}".rstrip()


def _word(action: argparse.Action) -> str:
    return f"{action.metavar}..." if action.nargs == "*" else str(action.metavar or action.dest.upper())


def _options(parser: Parser) -> Iterator[Block]:
    for title, arguments in groupby(parser.arguments, key=lambda each: each[0]):
        if title:
            yield Heading(2, f"{title[:1].upper()}{title[1:]}")
        yield Terms(tuple((_names(action), f"{action.help}") for _, action in arguments))


def _names(action: argparse.Action) -> str:
    if not action.option_strings:
        return f"`{action.metavar or action.dest.upper()}`"
    names = ", ".join(f"`{each}`" for each in action.option_strings)
    if action.nargs == 0:
        return names
    return f"{names} {action.metavar or '|'.join(map(str, action.choices or [action.dest.upper()]))}"
