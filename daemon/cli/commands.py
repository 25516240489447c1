"""Tells which command a command line asks for, runs it, and returns its exit status."""

from __future__ import annotations

import os
import signal
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from asgid.daemon.cli.status import CONFIG, OK, USAGE, UsageError
from asgid.daemon.observe.findings import say
from asgid.daemon.observe.streams import write_err, write_out

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asgid.config import Diagnostic, Loaded

HOMES: Final = {
    "convert": "convert:run",
    "diff": "diff:run",
    "endpoints": "endpoints:run",
    "explain": "rules:explain",
    "init": "init:run",
    "lint": "lint:run",
    "rules": "rules:rules",
    "schema": "schema:run",
    "show": "show:run",
}
"""The module of each command, and its function there, which takes the words that follow."""

PARSERS: Final = {
    "convert": "convert:parser",
    "diff": "diff:parser",
    "endpoints": "endpoints:parser",
    "explain": "rules:explain_parser",
    "init": "init:parser",
    "lint": "lint:parser",
    "rules": "rules:rules_parser",
    "schema": "schema:parser",
    "show": "show:parser",
}
"""The module of each command, and the function there that makes its parser, for the manual."""


def run(words: Sequence[str]) -> int:
    """Run what ``words`` ask for and return the exit status."""
    try:
        if words and words[0] in HOMES:
            command: Callable[[Sequence[str]], int] = at_home(HOMES[words[0]])
            return command(words[1:])
        return serve(words)
    except UsageError as error:
        write_err(f"asgid: {error}\n" + (f"  = help: {error.help}\n" if error.help else ""))
        return USAGE
    except SystemExit as stop:  # argparse, after --help
        return stop.code if isinstance(stop.code, int) else OK


def at_home(home: str) -> Any:
    """Return what ``home``, as in ``lint:run``, names."""
    module, _, name = home.partition(":")
    return getattr(import_module(f"asgid.daemon.cli.{module}"), name)


def serve(words: Sequence[str]) -> int:
    """Serve what a file or a command line says, until it is told to stop."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # else one that comes before there is a handler ends it
    file = _only_a_file(words)
    if file is not None:
        _under_init()
        return _serve_file(file)
    from asgid.daemon.cli.parsing import serving_parser  # noqa: PLC0415 - argparse and every flag: 10 ms

    given, rest = serving_parser().read(words)
    if given.pop("version", False):
        return _version()
    application = given.pop("application", None)
    if application is None and rest:
        application = rest.pop(0)
    file = given.pop("config", None)
    if file is None and application is None:
        file = os.environ.get("ASGID_CONFIG") or None
    if file == "":
        raise UsageError("--config needs a file", "asgid --config listeners.toml")
    _check_usage(file, application, given)
    if rest:
        raise UsageError(f"{rest[0]!r} is one word too many", "asgid takes one application")
    _under_init()
    if file is not None:
        return _serve_file(file)
    return _serve_values(given, str(application))


def _only_a_file(words: Sequence[str]) -> str | None:
    """Return the file of a command line that says nothing else: the usual one, which needs no parser."""
    if len(words) == 2 and words[0] == "--config" and words[1] and not words[1].startswith("-"):
        return words[1]
    return None


def _under_init() -> None:
    if os.getpid() == 1:
        from asgid.daemon.supervise.init import fork_under_init  # noqa: PLC0415

        fork_under_init()  # before the rest is imported: the init stays small


def _check_usage(file: str | None, application: str | None, given: dict[str, Any]) -> None:
    from asgid.daemon.cli.values import listening_flags  # noqa: PLC0415

    if file is not None:
        flags = listening_flags(given)
        if application is not None:
            raise UsageError(
                f"--config and an application ({application}) do not go together",
                "the file names the application: [application] target",
            )
        if flags:
            from asgid.daemon.cli.parsing import flag_of  # noqa: PLC0415

            key = next(flag_of(dest).key for dest in given)
            raise UsageError(f"{flags[0]} does not go with a file", f"write it into {file}: {key}")
        return
    if application is None:
        raise UsageError("there is nothing to serve", "give --config FILE, or module:attribute")
    if ":" not in application:
        from asgid.daemon.cli.parsing import COMMANDS, did_you_mean  # noqa: PLC0415

        raise UsageError(
            f"{application!r} is neither a command nor an application",
            did_you_mean(application, COMMANDS, "an application is module:attribute"),
        )


def _serve_file(file: str) -> int:
    from asgid.config import load  # noqa: PLC0415

    return _serve(load(file), CONFIG)


def _serve_values(given: dict[str, Any], application: str) -> int:
    from asgid.config import load_values  # noqa: PLC0415
    from asgid.daemon.cli.flags import TRUSTED_BY_DEFAULT  # noqa: PLC0415
    from asgid.daemon.cli.values import values_of  # noqa: PLC0415

    values = values_of(given, application)
    notes = []
    if "proxy_headers" in given and "trusted" not in given:
        notes.append(
            f"--proxy-headers: forwarded headers are taken from {', '.join(TRUSTED_BY_DEFAULT)} alone; "
            "--trusted names others"
        )
    return _serve(load_values(values.tree, values.places), USAGE, notes, debug=given.get("verbosity", 1) >= 3)


def _serve(loaded: Loaded, wrong: int, notes: Sequence[str] = (), *, debug: bool = False) -> int:
    if loaded.config is None:
        _refuse(loaded)
        return wrong
    from asgid.daemon.supervise.start import start  # noqa: PLC0415 - twisted and uvloop

    return start(loaded.config, loaded.diagnostics, notes=notes, debug=debug)


def _refuse(loaded: Loaded) -> None:
    """Say what is wrong with a file, to the service manager too."""
    found: Sequence[Diagnostic] = loaded.diagnostics
    if os.environ.get("INVOCATION_ID"):
        from asgid.daemon.supervise.notify import Notifier  # noqa: PLC0415 - for those whom a manager started
        from asgid.daemon.supervise.sandbox import Sandbox  # noqa: PLC0415

        paths = {"": Path(loaded.document.name).absolute()} if loaded.unreadable else {}
        found = Sandbox.here().explained(found, paths)
        Notifier.of(os.environ).failed(found)
    say(found)


def _version() -> int:
    from asgid.daemon import __version__  # noqa: PLC0415

    write_out(f"asgid {__version__}\n")
    return OK
