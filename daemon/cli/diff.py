"""``asgid diff OLD NEW``: what a reload would do, by listener, and what only a restart does."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from asgid.daemon.cli.status import FINDINGS, OK, USAGE, UsageError
from asgid.daemon.cli.words import given_words
from asgid.daemon.observe.findings import say
from asgid.daemon.observe.streams import write_file, write_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from asgid.config import Loaded
    from asgid.config.difference import Change, Difference, ListenerChange
    from asgid.daemon.cli.parsing import Parser

STDIN: Final = "-"
_MARKS: Final = {"added": "+", "removed": "-", "rebound": "~", "retuned": "="}


def parser() -> Parser:
    """Return the parser of ``asgid diff``."""
    from asgid.daemon.cli.parsing import command_parser  # noqa: PLC0415 - argparse takes 8 ms

    made = command_parser(
        "diff",
        "+ added, - removed, ~ rebound (some of its sockets go or come), = retuned (its sockets stay).\n"
        "NEW is read as if it stood in the place of OLD: relative paths of both are relative to OLD's\n"
        "directory (NEW's, where OLD is standard input). Nothing is changed: asgid itself takes a file over\n"
        "at a restart.\n"
        "Status 0: the same; 1: different; 2: wrong usage, or a file that cannot be read or has errors.",
    )
    made.word("old", "the file that runs; -: standard input")
    made.word("new", "the file that is to run; -: standard input")
    made.flag("--format", choices=("text", "json"), default="text", help="text or json (text)")
    return made


def run(words: Sequence[str]) -> int:
    """Print what changes."""
    given, (old, new) = _given(words)
    place = Path(new if old == STDIN else old).absolute().parent
    before, after = _loaded(old, place), _loaded(new, place)
    if before.config is None or after.config is None:
        say([*_errors(before), *_errors(after)])
        return USAGE
    from asgid.config import plan  # noqa: PLC0415 - not for wrong usage
    from asgid.config.difference import difference  # noqa: PLC0415
    from asgid.daemon.net import LinuxHost  # noqa: PLC0415

    host = LinuxHost()
    found = difference(plan(before.config, host), plan(after.config, host))
    if given.get("format") == "json":
        write_file(_json(found))
    else:
        write_out("".join(_text(found)))
    return OK if found.same else FINDINGS


def _given(words: Sequence[str]) -> tuple[dict[str, Any], tuple[str, str]]:
    """Return the flags, and the two files: ``-`` is one, though it begins as a flag does."""
    if list(words).count(STDIN) > 1:
        raise UsageError("standard input can be read once", "name - once")
    given, (old, new) = given_words(words, 2, "diff", parser)
    return given, (old, new)


def _loaded(file: str, directory: Path) -> Loaded:
    from asgid.config.loading import load, load_bytes  # noqa: PLC0415 - not for wrong usage

    if file == STDIN:
        return load_bytes(STDIN, directory, sys.stdin.buffer.read())
    try:
        data = Path(file).read_bytes()
    except (OSError, ValueError):
        return load(file)  # says what is wrong
    return load_bytes(file, directory, data)


def _errors(loaded: Loaded) -> list[Any]:
    return [each for each in loaded.diagnostics if each.severity == "error"]


def _text(found: Difference) -> Iterator[str]:
    for each in found.listeners:
        if each.kind != "unchanged":
            yield f"{_MARKS[each.kind]} {each.name}: {each.kind}\n"
            yield from (f"    {line}\n" for line in _lines(each))
    if found.restart:
        yield "! the process: only a restart takes over\n"
        yield from (f"    {_change(each)}\n" for each in found.restart)


def _lines(change: ListenerChange) -> Iterator[str]:
    for socket in change.closed:
        yield f"closes {socket}; {_farewell(change)}"
    for socket in change.opened:
        yield f"opens {socket}"
    if change.kind == "rebound":
        for socket in change.kept:
            yield f"keeps {socket} and its connections"
    for each in change.changes:
        yield _change(each)


def _farewell(change: ListenerChange) -> str:
    """Say what becomes of the connections of a socket that is closed."""
    drain_s = change.old.timeouts.drain_s if change.old else 0
    if drain_s == 0:
        return "its connections are cut"
    from asgid.config import writing  # noqa: PLC0415 - not without such a socket

    return f"its connections have {writing.duration(drain_s)} to finish, then they are cut"


def _change(change: Change) -> str:
    return f"{change.key}: {change.old or 'none'} -> {change.new or 'none'}"


def _json(found: Difference) -> str:
    import json  # noqa: PLC0415 - only this needs it

    listeners = [
        {
            "listener": each.name,
            "change": each.kind,
            "closed": each.closed,
            "opened": each.opened,
            "kept": each.kept,
            "keys": [_record(one) for one in each.changes],
        }
        for each in found.listeners
        if each.kind != "unchanged"
    ]
    record = {"listeners": listeners, "restart": [_record(each) for each in found.restart]}
    return json.dumps(record, indent=2, ensure_ascii=False) + "\n"


def _record(change: Change) -> dict[str, str | None]:
    return {"key": change.key, "old": change.old or None, "new": change.new or None}
