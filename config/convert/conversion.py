"""The whole way from words or unit files to the text of a file, and what is to be said about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from asgid.config import codes
from asgid.config.convert import command, common, sources, unit
from asgid.config.convert.draft import ConvertError, Draft, Said, on_command_line
from asgid.config.convert.options import Words, apply, from_environment, text
from asgid.config.convert.text import write
from asgid.config.diagnostics import Diagnostic, has_errors
from asgid.config.spec import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asgid.config.convert.command import Command
    from asgid.config.convert.draft import Settings
    from asgid.config.convert.unit import Started

_PREFIXES: Final = {"uvicorn": "UVICORN", "granian": "GRANIAN"}
_DIRECTORIES: Final = {"uvicorn": "app_dir", "granian": "working_dir", "gunicorn": "chdir"}
_SILENT: Final = {
    "PYTHONUNBUFFERED",
    "PYTHONDONTWRITEBYTECODE",
    "VIRTUAL_ENV",
    "PATH",
    "PWD",
    "SHLVL",
    "HOME",
}
"""Variables that say nothing to an application, or that its virtual environment says."""


@dataclass(frozen=True)
class Converted:
    """What came of it: the text (empty where a finding is an error), and the findings."""

    text: str
    findings: tuple[Diagnostic, ...] = field(default=())


def from_words(words: Sequence[str], base: Path) -> Converted:
    """Convert a command line that is given in ``base``. Raises :class:`~.draft.ConvertError`."""
    found = command.parse(words, base)
    return _converted(found, Draft(module_of(found.server).NAME, found.base), None)


def from_units(paths: Sequence[str]) -> Converted:
    """Convert a service, and the sockets that systemd passes to it. Raises :class:`~.draft.ConvertError`."""
    started = unit.read(paths)
    found = command.parse(started.words, started.directory, started.environment, started.variables)
    draft = Draft(module_of(found.server).NAME, found.base, started.umask)
    draft.findings += started.findings
    return _converted(found, draft, started)


def module_of(server: str) -> Any:
    """Return the module that knows one of :data:`~.command.SERVERS`."""
    return import_module(f"asgid.config.convert.{server}")


def _converted(found: Command, draft: Draft, started: Started | None) -> Converted:
    kind = module_of(found.server)
    settings, words = _settings(draft, found, kind)
    apply(draft, kind.OPTIONS, settings)
    moved = settings.get(_DIRECTORIES.get(found.server, ""))
    kind.convert(draft, settings, words)
    _application(draft, found, moved, started)
    if started is not None:
        _of_the_unit(draft, started)
    what = f"a systemd unit that starts {draft.server}" if started else f"a {draft.server} command line"
    draft.comment((), f"Converted from {what}. What needs a decision has a comment.")
    return _checked(draft)


def _settings(draft: Draft, found: Command, kind: Any) -> tuple[Settings, list[str]]:
    settings, words = Words(draft.server, kind.OPTIONS, abbreviations=kind.ABBREVIATIONS).read(found.words)
    environment = found.environment
    if (prefix := _PREFIXES.get(found.server)) is not None:
        if not words and (target := environment.pop(f"{prefix}_APP", "")):
            words = [target]
        settings = from_environment(environment, prefix, kind.OPTIONS.values(), "") | settings
    if found.server == "uvicorn":
        for name, variable in (
            ("workers", "WEB_CONCURRENCY"),
            ("forwarded_allow_ips", "FORWARDED_ALLOW_IPS"),
        ):
            if value := environment.pop(variable, ""):
                settings.setdefault(name, Said(value, variable, on_command_line(variable)))
    moved = settings.get(_DIRECTORIES.get(found.server, ""))
    if moved is not None and found.server != "uvicorn" and isinstance(moved.value, str):
        draft.base = Path(draft.path(moved.value))
    if found.server == "gunicorn":
        settings = kind.read_files(draft, settings, environment)
        if (inside := settings.get("chdir")) is not None and inside is not moved:
            draft.base = Path(draft.path(text(inside)))
    elif found.server == "hypercorn":
        settings = kind.read_files(draft, settings)
    return settings, words


def _application(draft: Draft, found: Command, moved: Said | None, started: Started | None) -> None:
    """Say where the application is, and which Python it has."""
    named = text(moved) if moved is not None and found.server == "uvicorn" else ""
    absolute = moved is not None and text(moved).startswith("/")
    common.directory(draft, draft.path(named), assumed=started is None and not found.moved and not absolute)
    if found.virtualenv:
        draft.put("application.virtualenv", draft.path(found.virtualenv))
    elif found.runner:
        message = f"{found.runner} knows the virtual environment: name it as application.virtualenv"
        draft.comment("application.directory", message)
        draft.differs(on_command_line(found.runner), message, f"{found.runner} tells where it is")
    variables = {name: value for name, value in found.environment.items() if name not in _SILENT}
    if path := variables.pop("PYTHONPATH", ""):
        here = Said(path, "PYTHONPATH", on_command_line("PYTHONPATH"))
        draft.lost(here, "application.directory alone is put on sys.path", "let the unit set it")
    for name, value in variables.items():
        draft.put(("application", "environment", name), value)


def _of_the_unit(draft: Draft, started: Started) -> None:
    """Add what a unit says beside its command line."""
    for index, (path, said) in enumerate(started.environment_files):
        if index == 0 and draft.get("application.environment_file") is None:
            draft.put("application.environment_file", path)
            continue
        draft.lost(said, "one environment file is read", "put them into one, or leave this one to the unit")
    for name, account in (("user", started.user), ("group", started.group)):
        if account is not None:
            why = f"keep {account.name}= in asgid's unit"
            draft.remark("daemon", f'{name} = "{account.value}": not available yet; {why}')
            draft.find(codes.CONVERT_LATER, "info", account, f"daemon.{name} is not available yet", why)
    if started.sockets:
        _sockets(draft, started)


def _sockets(draft: Draft, started: Started) -> None:
    """Take the sockets that systemd passes, in place of the descriptors that the command line names."""
    listeners = draft.values.get("listeners", {})
    named = [name for name, values in listeners.items() if "fd" in values]
    shared = dict(listeners[named[0]]) if named else {}
    for name in named:
        del listeners[name]
        for said in [each for each in draft.comments if each[:2] == ("listeners", name)]:
            del draft.comments[said]
    shared.pop("fd", None)
    if not named:
        question = "the command line takes no descriptor: does it serve the unit's sockets?"
        draft.differs(started.sockets[0][1], question, "delete the listener that is not")
    for count, (systemd, _) in enumerate(started.sockets, 1):
        key = "socket" if count == 1 else f"socket-{count}"
        draft.put(("listeners", key, "systemd"), systemd)
        for each, value in shared.items():
            draft.put(("listeners", key, each), value)
    draft.comment(("listeners", "socket", "systemd"), "the socket unit says where it listens")


def _checked(draft: Draft) -> Converted:
    """Write the file, and lint it: what is written has no errors, or is not written."""
    from asgid.config.loading import load_bytes  # noqa: PLC0415 - it imports pydantic

    if has_errors(draft.findings):
        return Converted("", sources.in_full(draft.findings))
    try:
        made = write(draft.values, draft.comments)
        data = made.encode()
    except (UnicodeEncodeError, ValueError):
        raise ConvertError("a word is no text in UTF-8") from None
    name = "the converted file"
    found = load_bytes(name, draft.base, data).diagnostics
    if has_errors(found):
        errors = [each for each in found if each.severity == "error"]
        shown = [
            Diagnostic(
                codes.CONVERT_REFUSED, "error", f"{each.message} ({each.code})",
                Place(f"{name}", each.place.line, each.place.column), each.key, each.help,
                each.end_line, each.end_column, each.source,
            )
            for each in errors
        ]  # fmt: skip
        return Converted("", (*sources.in_full(draft.findings), *shown))
    return Converted(made, sources.in_full(draft.findings))
