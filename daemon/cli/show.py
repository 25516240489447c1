"""``asgid show FILE NAME``: what a listener comes to on this host, and why. Opens nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asgid.daemon.cli.status import FINDINGS, OK, USAGE, UsageError
from asgid.daemon.observe.findings import say
from asgid.daemon.observe.streams import write_file, write_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from asgid.config import Config, ListenerSpec, Plan
    from asgid.config.settings import Setting
    from asgid.daemon.cli.parsing import Parser
    from asgid.daemon.cli.reached import Shown


def parser() -> Parser:
    """Return the parser of ``asgid show``."""
    from asgid.daemon.cli.parsing import command_parser  # noqa: PLC0415 - argparse takes 8 ms

    made = command_parser(
        "show",
        "Of one listener: its endpoint strings, the sockets that they become on this host with their\n"
        "options, who can reach them, and each setting with its value and where that comes from.\n"
        "Nothing is opened.\n"
        "Status 0; 1: the file has errors, or this host cannot serve it so; 2: wrong usage.",
    )
    made.word("file", "the file")
    made.word("name", "the listener's name; without it there is a line for each", optional=True)
    made.flag("--format", choices=("text", "json"), default="text", help="text or json (text)")
    return made


def run(words: Sequence[str]) -> int:
    """Print one listener, or a line for each."""
    file, name, style = _given(words)
    from asgid.config import load, plan  # noqa: PLC0415 - not for wrong usage
    from asgid.config.diagnostics import has_errors  # noqa: PLC0415
    from asgid.daemon.net import LinuxHost  # noqa: PLC0415

    loaded = load(file)
    if loaded.config is None:
        say(loaded.diagnostics)
        return USAGE if loaded.unreadable else FINDINGS
    planned = plan(loaded.config, LinuxHost())
    chosen = _chosen(planned, file, name)
    write = write_file if style == "json" else write_out
    write(_shown(loaded.config, planned, chosen, one=name is not None, style=style))
    found = [*planned.diagnostics, *(each for listener in chosen for each in listener.problems)]
    found = list(dict.fromkeys(found))
    say(found)
    return FINDINGS if has_errors(found) else OK


def _given(words: Sequence[str]) -> tuple[str, str | None, str]:
    """Return the file, the listener's name if there is one, and the format. Raises :class:`UsageError`."""
    given, rest = parser().read(words)
    found = [str(each) for each in (given.get("file"), given.get("name")) if each is not None]
    found += rest
    if not found or "" in found:
        raise UsageError("asgid show needs FILE", "asgid show FILE NAME")
    if len(found) > 2:
        raise UsageError(
            f"{found[2]!r} is one word too many", "asgid show takes a file and a listener's name"
        )
    return found[0], found[1] if len(found) > 1 else None, str(given["format"])


def _chosen(planned: Plan, file: str, name: str | None) -> list[ListenerSpec]:
    if name is None:
        return list(planned.listeners)
    chosen = [each for each in planned.listeners if each.name == name]
    if not chosen:
        from asgid.daemon.cli.parsing import did_you_mean  # noqa: PLC0415 - difflib

        names = [each.name for each in planned.listeners]
        raise UsageError(
            f"{file} has no listener {name}", did_you_mean(name, names, f"it has {', '.join(names)}")
        )
    return chosen


def _shown(config: Config, planned: Plan, chosen: list[ListenerSpec], *, one: bool, style: str) -> str:
    if style == "json":
        import json  # noqa: PLC0415 - only this needs it

        records = [_record(config, planned, each) for each in chosen]
        return json.dumps(records[0] if one else records, indent=2, ensure_ascii=False) + "\n"
    if one:
        return "".join(f"{line}\n" for line in _page(config, planned, chosen[0]))
    from asgid.daemon.cli.reached import reach_of_all, shown  # noqa: PLC0415 - not for wrong usage

    rows = []
    for each in chosen:
        sockets = [one for spec in each.endpoints for one in shown(spec)]
        where = ", ".join(one.name for one in sockets) or ", ".join(each.missing)
        rows.append((each.name, reach_of_all(sockets), where))
    return "".join(f"{line}\n" for line in _table(rows))


def _page(config: Config, planned: Plan, listener: ListenerSpec) -> Iterator[str]:
    from asgid.config.settings import settings  # noqa: PLC0415 - not for wrong usage
    from asgid.daemon.cli.reached import shown  # noqa: PLC0415

    place = listener.place
    yield f"listener {listener.name} ({place.file}:{place.line}) serves {planned.application.target}"
    for spec in listener.endpoints:
        yield f"\n  {spec.text}"
        for one in shown(spec):
            yield f"    {one.name}"
            yield f"      options: {', '.join(one.options)}"
            yield f"      reach: {one.reach}, {one.who}"
    for each in listener.missing:
        yield f"\n  {each}"
    yield ""
    rows = [(each.key, each.value or "none", _from(each)) for each in settings(config, listener.name)]
    yield from (f"  {line}" for line in _table(rows))


def _from(setting: Setting) -> str:
    if setting.place is None:
        return "default"
    where = f"{setting.place.file}:{setting.place.line}"
    return f"{where}, for every listener" if setting.source == "server-wide" else where


def _table(rows: list[tuple[str, str, str]]) -> Iterator[str]:
    """Yield lines of columns that stand under each other; a very wide value moves only its own line."""
    first = max((len(row[0]) for row in rows), default=0)
    second = max((len(row[1]) for row in rows if len(row[1]) <= 30), default=0)
    for key, value, rest in rows:
        yield f"{key:<{first}}  {value:<{second}}  {rest}"


def _record(config: Config, planned: Plan, listener: ListenerSpec) -> dict[str, object]:
    from asgid.config.settings import settings  # noqa: PLC0415 - not for wrong usage
    from asgid.daemon.cli.reached import shown  # noqa: PLC0415

    place = listener.place
    return {
        "listener": listener.name,
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "application": planned.application.target,
        "endpoints": [
            {"endpoint": each.text, "sockets": [_socket(one) for one in shown(each)]}
            for each in listener.endpoints
        ],
        "missing": list(listener.missing),
        "settings": [_setting(each) for each in settings(config, listener.name)],
    }


def _socket(one: Shown) -> dict[str, object]:
    return {"socket": one.name, "options": list(one.options), "reach": one.reach, "reached_by": one.who}


def _setting(setting: Setting) -> dict[str, object]:
    import tomllib  # noqa: PLC0415 - only this needs it

    place = setting.place
    return {
        "key": setting.key,
        "value": tomllib.loads(f"value = {setting.value}")["value"] if setting.value else None,
        "from": setting.source,
        "file": place.file if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
    }
