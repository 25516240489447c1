"""The reference of the language: every key, from the models."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from blocks import Block, Code, Heading, Page, Terms, Text

from asgid.config import about
from asgid.config.keys import LISTENER, OVERRIDING, KeyInfo, every_key

if TYPE_CHECKING:
    from collections.abc import Iterator

_COLUMNS = ("key", "type", "unit", "default", "stands", "since", "what it says")
_MEASURED = {"duration", "size"}
_DURATION = (
    'A string with a unit, `ms`, `s`, `m`, `h` or `d`, as in `"250ms"`, `"30s"`, `"5m"`; '
    "or a number of seconds."
)
_SIZE = (
    "A string with a unit, `B`, `kB`, `MB`, `GB`, `TB` or `KiB`, `MiB`, `GiB`, `TiB`, "
    'as in `"64KiB"`; or a number of bytes.'
)
_EXAMPLE = """\
[application]
target = "mysite.asgi:application"
directory = "/srv/mysite"

[listeners.public]
address = ["192.0.2.10", "2001:db8::10"]
port = 8000
exposure = "public"

[listeners.proxy]
unix = "/run/asgid/http.sock"
group = "www-data"
proxy = { forwarded = "x-forwarded", trusted = ["unix"] }

[limits]
body_size = "10MB"

[listeners.public.limits]
body_size = "1MB"
"""
_EDITOR = """\
#:schema ./listeners.schema.json
"""
_TAPLO = """\
[[rule]]
include = ["**/listeners.toml"]
schema = { path = "listeners.schema.json", enabled = true }
"""
_CODE = """\
"evenBetterToml.schema.associations": {
    "listeners\\\\.toml$": "file:///usr/share/asgid/listeners.schema.json"
}
"""


def page() -> Page:
    """Return the manual page asgid.toml(5)."""
    return Page(
        "asgid.toml", 5, "the configuration file of asgid", tuple(blocks()), ("asgid(1)", "asgid-lint(1)")
    )


def blocks() -> Iterator[Block]:
    """Yield the reference's blocks."""
    yield Heading(1, "Description")
    yield Text(
        "One file of TOML, UTF-8, says what `asgid --config FILE` serves and where it listens. By custom it "
        "is called `listeners.toml`. `asgid lint FILE` checks it, `asgid init` writes a first one, and "
        "`asgid show FILE NAME` says what each value of a listener is and where it comes from."
    )
    yield Terms(
        (
            ("`unknown keys`", "are errors, and so is a value of another type."),
            ("`duration`", _DURATION),
            ("`size`", _SIZE),
            ("`zero`", "means no limit, except where a key says otherwise."),
            ("`path`", "A relative one is relative to the directory of the file that names it."),
            (
                "`not available yet`",
                "A key that is known, and of which no value but its default is taken yet.",
            ),
        )
    )
    yield Text(
        "The tables "
        + ", ".join(f"`[{each}]`" for each in OVERRIDING)
        + " are each listener's defaults. The same table in a listener, as in "
        "`[listeners.NAME.limits]`, overrides them key by key."
    )
    for table, keys in groupby(every_key(), key=lambda key: key.table):
        yield from _table(table, list(keys))
    yield Heading(1, "Example")
    yield Code(_EXAMPLE, "toml")
    yield Heading(1, "Editors")
    yield Text(
        "`asgid schema` prints a JSON Schema of this language (draft-07). taplo, and Even Better TOML in VS "
        "Code, complete and check a file whose first line names it:"
    )
    yield Code(_EDITOR, "toml")
    yield Text("For every `listeners.toml` of a tree, in `.taplo.toml`:")
    yield Code(_TAPLO, "toml")
    yield Text("In VS Code's settings:")
    yield Code(_CODE, "json")


def _table(table: str, keys: list[KeyInfo]) -> Iterator[Block]:
    yield Heading(1, f"[[{table}]]" if table.endswith(".certificates") else f"[{table}]")
    yield Text(about.TABLES[table])
    if table in OVERRIDING:
        yield Text(f"It may stand in a listener as well: `[{LISTENER}.{table}]`.")
    yield Terms(
        tuple((f"`{key.name}` = {_takes(key)}", _explained(key)) for key in keys),
        _COLUMNS,
        tuple(_cells(key) for key in keys),
    )


def _takes(key: KeyInfo) -> str:
    return key.type if key.type.startswith('"') else f"<{key.type}>"


def _explained(key: KeyInfo) -> str:
    text = [_about(key)]
    if key.unit:
        text.append(
            f"Unit: {key.unit}." if key.type in _MEASURED else f"{key.unit[:1].upper()}{key.unit[1:]}."
        )
    if key.ways:
        text.append(f"Belongs to a listener with {_either(key.ways)}.")
    text.append("It must be there." if key.required else f"Default: {_default(key)}.")
    text.append(f"Since {key.since}.")
    return "\n".join(text)


def _cells(key: KeyInfo) -> tuple[str, ...]:
    stands = f"with {_either(key.ways)}" if key.ways else ", ".join(f"`[{each}]`" for each in key.places)
    default = "must be there" if key.required else _default(key)
    return (f"`{key.name}`", key.type, key.unit, default, stands, key.since, _about(key))


def _about(key: KeyInfo) -> str:
    return key.about if key.available else f"Not available yet. {key.about}"


def _default(key: KeyInfo) -> str:
    return f"`{key.default}`" if key.default else "none"


def _either(ways: tuple[str, ...]) -> str:
    return " or ".join([", ".join(ways[:-1]), ways[-1]] if len(ways) > 1 else ways)
