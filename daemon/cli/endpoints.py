"""``asgid endpoints FILE``: the endpoint strings of a file's listeners. Opens nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asgid.daemon.cli.status import FINDINGS, OK, USAGE
from asgid.daemon.cli.words import one_file
from asgid.daemon.observe.findings import say
from asgid.daemon.observe.streams import write_file, write_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asgid.config import Plan
    from asgid.daemon.cli.parsing import Parser


def parser() -> Parser:
    """Return the parser of ``asgid endpoints``."""
    from asgid.daemon.cli.parsing import command_parser  # noqa: PLC0415 - argparse takes 8 ms

    made = command_parser("endpoints")
    made.word("file", "the file")
    made.flag("--format", choices=("text", "json"), default="text", help="text or json (text)")
    return made


def run(words: Sequence[str]) -> int:
    """Print NAME<TAB>STRING for each endpoint, or a JSON array of objects."""
    given, file = one_file(words, "endpoints", parser)
    from asgid.config import load, plan  # noqa: PLC0415 - not for wrong usage
    from asgid.config.diagnostics import has_errors  # noqa: PLC0415
    from asgid.daemon.net import LinuxHost  # noqa: PLC0415

    loaded = load(file)
    if loaded.config is None:
        say(loaded.diagnostics)
        return USAGE if loaded.unreadable else FINDINGS
    planned = plan(loaded.config, LinuxHost())
    if given.get("format") == "json":
        write_file(_json(planned))
    else:
        write_out(_text(planned))
    found = [*planned.diagnostics, *(each for listener in planned.listeners for each in listener.problems)]
    found = list(dict.fromkeys(found))
    say(found)
    return FINDINGS if has_errors(found) else OK


def _text(planned: Plan) -> str:
    return "".join(f"{each.name}\t{one.text}\n" for each in planned.listeners for one in each.endpoints)


def _json(planned: Plan) -> str:
    import json  # noqa: PLC0415 - only this needs it

    records = [
        {
            "listener": each.name,
            "endpoint": one.text,
            "file": one.place.file,
            "line": one.place.line,
            "column": one.place.column,
        }
        for each in planned.listeners
        for one in each.endpoints
    ]
    return json.dumps(records, indent=2, ensure_ascii=False) + "\n"
