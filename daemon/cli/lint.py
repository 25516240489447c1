"""``asgid lint FILE...``: what is wrong with a file, before anything is bound."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from asgid.daemon.cli.status import FINDINGS, OK, USAGE, UsageError
from asgid.daemon.observe.streams import write_err, write_file, write_out

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from asgid.config import Diagnostic, Loaded
    from asgid.daemon.cli.parsing import Parser

STDIN: Final = "-"
FORMATS: Final = ("text", "json", "sarif", "github")


def parser() -> Parser:
    """Return the parser of ``asgid lint``."""
    from asgid.daemon.cli.parsing import command_parser  # noqa: PLC0415 - argparse takes 8 ms

    made = command_parser(
        "lint",
        "A clean file says nothing. Status 0: no error (with --strict: no warning either); 1: findings;\n"
        "2: wrong usage, or a file that cannot be read. Without --live nothing is asked of the host but the\n"
        "file itself.",
    )
    made.flag("files", nargs="*", metavar="FILE", help="a file; -: standard input")
    made.flag("--live", action="store_true", help="ask this host as well: addresses, ports, paths, users")
    made.flag("--strict", action="store_true", help="warnings make status 1 too, as errors always do")
    made.flag("--format", choices=FORMATS, default="text", help="text, json, sarif or github (text)")
    made.flag(
        "--fix", action="store_true",
        help="put right what needs no decision, and print the rest; standard input goes to standard output",
    )  # fmt: skip
    return made


def run(words: Sequence[str]) -> int:
    """Check files, and print what is found."""
    options: dict[str, object] = {}
    files = list(words)
    if not files or any(word.startswith("-") and word != STDIN for word in files):
        options, rest = parser().read(words)
        files = [*options.get("files", ()), *rest]  # type: ignore[misc]  # argparse's
    if not files or "" in files:
        raise UsageError("asgid lint needs a file", "asgid lint listeners.toml")
    if files.count(STDIN) > 1:
        raise UsageError("standard input can be read once", "name - once")
    checked = [_checked(file, live=bool(options.get("live")), fix=bool(options.get("fix"))) for file in files]
    found = [each for one, _ in checked for each in one]
    text = _rendered(found, str(options.get("format", "text")))
    if options.get("fix") and STDIN in files:
        write_err(text)
    elif options.get("format", "text") == "text":
        write_out(text)
    else:
        write_file(text)
    if any(unusable for _, unusable in checked):
        return USAGE
    return FINDINGS if count(found, strict=bool(options.get("strict"))) else OK


def count(found: Iterable[Diagnostic], *, strict: bool) -> bool:
    """Tell whether findings make status 1: errors do, warnings where it is ``strict``, infos never."""
    counted = {"error", "warning"} if strict else {"error"}
    return any(each.severity in counted for each in found)


def _checked(file: str, *, live: bool, fix: bool) -> tuple[list[Diagnostic], bool]:
    """Return what is found about a file, and whether it could not be read (or, to fix it, be written)."""
    from asgid.config import load  # noqa: PLC0415 - not for wrong usage

    if file == STDIN:
        loaded = _from_stdin(fix=fix)
    else:
        if fix and not _fix(file):
            return [], True
        loaded = load(file)
    return _live(loaded) if live else list(loaded.diagnostics), loaded.unreadable


def _from_stdin(*, fix: bool) -> Loaded:
    from asgid.config.loading import load_bytes  # noqa: PLC0415

    data = sys.stdin.buffer.read()
    here = Path.cwd()
    if fix:
        from asgid.config.fixing import fixed  # noqa: PLC0415

        data, _ = fixed(data, lambda each: load_bytes(STDIN, here, each).diagnostics)
        write_file(data)
    return load_bytes(STDIN, here, data)


def _fix(file: str) -> bool:
    """Fix ``file`` in its place; tell whether it could be written. The lint says what cannot be read."""
    from asgid.config.fixing import fixed  # noqa: PLC0415
    from asgid.config.loading import load_bytes  # noqa: PLC0415
    from asgid.daemon.cli.replacing import replace_file  # noqa: PLC0415 - only what is fixed pays for it

    path = Path(file)
    if path.exists() and not path.is_dir() and not path.is_file():
        write_err(f"asgid: {file} cannot be fixed: it is no regular file\n")
        return False
    try:
        data = path.read_bytes()
    except OSError:
        return True
    better, done = fixed(data, lambda each: load_bytes(file, path.absolute().parent, each).diagnostics)
    if not done:
        return True
    try:
        replace_file(file, better)
    except OSError as error:
        write_err(f"asgid: {file} cannot be written: {error.strerror}\n")
        return False
    write_err(f"{file}: {done} fixed\n")
    return True


def _live(loaded: Loaded) -> list[Diagnostic]:
    from asgid.config import plan  # noqa: PLC0415
    from asgid.daemon.net import LinuxHost  # noqa: PLC0415
    from asgid.daemon.supervise.live import by_hand  # noqa: PLC0415

    if loaded.config is None:
        return list(loaded.diagnostics)
    host = LinuxHost()
    return by_hand(loaded.config, plan(loaded.config, host), host, loaded.diagnostics)


def _rendered(found: list[Diagnostic], style: str) -> str:
    if style == "text":
        if found and _colours():
            from asgid.config.renderers import render_coloured  # noqa: PLC0415

            return render_coloured(found)
        from asgid.config import render_text  # noqa: PLC0415

        return render_text(found)
    if style == "json":
        from asgid.config import render_json  # noqa: PLC0415

        text = render_json(found) + "\n"
    elif style == "sarif":
        from asgid.config.renderers import render_sarif  # noqa: PLC0415
        from asgid.daemon import __version__  # noqa: PLC0415

        text = render_sarif(found, __version__) + "\n"
    else:
        from asgid.config.renderers import render_github  # noqa: PLC0415

        text = render_github(found)
    return text.encode("utf-8", "replace").decode()  # a file's name may hold bytes that are no UTF-8


def _colours() -> bool:
    """Tell whether standard output is a terminal that wants colours (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
