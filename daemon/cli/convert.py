"""``asgid convert``: another server's command line, or a unit that starts one, as a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from asgid.daemon.cli.replacing import replace_file
from asgid.daemon.cli.status import FINDINGS, OK, UsageError
from asgid.daemon.observe.findings import say
from asgid.daemon.observe.streams import write_err, write_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asgid.config.convert.conversion import Converted
    from asgid.daemon.cli.parsing import Parser

_UNITS = (".service", ".socket")


def parser() -> Parser:
    """Return the parser of ``asgid convert``."""
    from asgid.daemon.cli.parsing import command_parser  # noqa: PLC0415 - argparse takes 8 ms

    made = command_parser(
        "convert",
        "The command line is daphne's, uvicorn's, hypercorn's, granian's or gunicorn's, as it is typed:\n"
        "variables before it, python -m, a path, one quoted shell line. UNIT is a systemd unit that starts\n"
        "one of them, with the .socket units that belong to it. Nothing of it is run. What is lost, or\n"
        "differs, is said on standard error. Status 0: written; 1: it cannot be; 2: wrong usage, or a file\n"
        "that cannot be read.",
    )
    made.usage = (
        "asgid convert [-o FILE] [--force] -- COMMAND...\n       asgid convert [-o FILE] [--force] UNIT..."
    )
    made.add_argument(
        "words", nargs="*", metavar="WORD", help="a command line, behind --; or the files of systemd units"
    )
    made.flag("-o", "--output", metavar="FILE", help="write to this file, which must not be there")
    made.flag("--force", action="store_true", help="write over a file that is there")
    return made


def run(words: Sequence[str]) -> int:
    """Convert, print or write what comes of it, and say what needs to be known."""
    from asgid.config.convert.draft import ConvertError  # noqa: PLC0415 - not for other commands

    given, rest = _own_words(list(words))
    output = given.get("output")
    if output == "":
        raise UsageError("-o needs a file")
    try:
        made = _made(rest)
    except ConvertError as error:
        raise UsageError(str(error), error.help) from None
    say(made.findings)
    if not made.text:
        return FINDINGS
    if output is None:
        write_file(made.text)
        return OK
    return _write(str(output), made.text, force=bool(given.get("force")))


def _own_words(words: list[str]) -> tuple[dict[str, Any], list[str]]:
    """Return convert's own flags, and the words behind them; ``--`` may stand between."""
    split = 0
    while split < len(words) and words[split].startswith("-") and words[split] not in {"-", "--"}:
        split += 2 if words[split] in {"-o", "--output"} else 1
    rest = words[split:]
    if rest and _is_unit(rest[0]):
        return _around(words)
    given: dict[str, Any] = {}
    if split:
        given, _ = parser().read(words[:split])
    rest = rest[1:] if rest[:1] == ["--"] else rest
    if not rest:
        raise UsageError(
            "asgid convert needs a command line, or a unit",
            "asgid convert -- daphne -b :: mysite.asgi:application",
        )
    return given, rest


def _around(words: list[str]) -> tuple[dict[str, Any], list[str]]:
    """Return the flags that stand before and behind unit files."""
    given, rest = parser().read(words)
    units = [*given.pop("words", ()), *rest]
    for each in units:
        if not _is_unit(each):
            raise UsageError(f"{each!r} is no unit: its name ends in .service or .socket")
    return given, units


def _is_unit(word: str) -> bool:
    return word.endswith(_UNITS) and not any(c.isspace() for c in word)


def _made(words: list[str]) -> Converted:
    from asgid.config.convert.conversion import from_units, from_words  # noqa: PLC0415 - not for wrong usage

    return from_units(words) if _is_unit(words[0]) else from_words(words, Path.cwd())


def _write(path: str, text: str, *, force: bool) -> int:
    """Write the file, and never over another one unless told to."""
    try:
        if force:
            replace_file(path, text.encode())
        else:
            with Path(path).open("x", encoding="utf-8") as file:
                file.write(text)
    except FileExistsError:
        raise UsageError(f"{path} is there already", "--force writes over it") from None
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise UsageError(f"{path} cannot be written: {reason}") from None
    write_err(f"{path}: written\n")
    return OK
