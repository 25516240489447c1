"""Every key of the language, read from the models: its type, its default, and where it may stand."""

from __future__ import annotations

import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from asgid.config import about, fields, models, origins, quantities, writing
from asgid.config.shape import BELONGS_TO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic.fields import FieldInfo

OVERRIDING: Final = ("proxy", "limits", "timeouts", "websocket")
"""The tables that may stand in a listener as well, and override the server-wide one key by key."""

LISTENER: Final = "listeners.NAME"
"""The table of one listener."""

_ONE: Final[dict[object, str]] = {
    quantities.duration: "duration",
    quantities.size: "size",
    quantities.mode: "file mode",
    quantities.workers: 'whole number from 1, or "auto"',
    fields.port: "whole number, 0 to 65535",
    fields.path: "path",
    fields.unix_path: "path",
    fields.account: "user or group",
    fields.header_name: "header name",
    fields.interface: "interface",
    fields.systemd_name: "systemd name",
    fields.target: "module:attribute",
    fields.address: "address, or a list of them",
    fields.endpoint: "endpoint string, or a list of them",
    fields.trusted: "list of networks",
    origins.check_origin: "list of origins",
    fields.rule_code: "list of codes",
    fields.own_header_name: "table of header fields",
    fields.variable_name: "table of variables",
}
_UNITS: Final = {
    "duration": "ms, s, m, h, d; a number is seconds",
    "size": "B, kB, MB, GB, TB, KiB, MiB, GiB, TiB; a number is bytes",
    "file mode": "octal, in quotes",
    "list of networks": 'as in "10.0.0.0/8", "192.0.2.7"; and "unix"',
    "list of origins": 'as in "https://example.org"; and "self"',
    "list of codes": 'as in "ASG508"',
    "systemd name": "printable ASCII without :",
    "module:attribute": "both may be dotted",
}


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """One key. ``places`` are the tables that it may stand in; ``default`` is as a file writes it, '' none.

    ``ways`` are the ways to listen that it belongs to, empty: all. ``available`` tells whether it does
    anything yet, and so does the table that it is in; where ``refused_but_default``, no other value is taken.
    """

    table: str
    name: str
    type: str
    unit: str
    default: str
    required: bool
    available: bool
    refused_but_default: bool
    places: tuple[str, ...]
    ways: tuple[str, ...]
    about: str
    since: str

    @property
    def dotted(self) -> str:
        """The key's whole name, as in ``listeners.NAME.port``."""
        return f"{self.table}.{self.name}"


def every_key() -> Iterator[KeyInfo]:
    """Yield every key, table by table, in the order of the models."""
    for name, info in models.Root.model_fields.items():
        if name == "listeners":
            yield from _keys(LISTENER, models.Listener)
        else:
            yield from _keys(name, _model(info.annotation))


def _keys(table: str, model: type[BaseModel], *, available: bool = True) -> Iterator[KeyInfo]:
    nested = []
    for name, info in model.model_fields.items():
        if table == LISTENER and name in OVERRIDING:
            continue
        inner = _model(info.annotation, optional=True)
        refused = any(_is_not_yet(each) for each in _validators(info))
        yield _key(table, name, info, "table" if inner else "", available=available, refused=refused)
        if inner is not None:
            nested.append((f"{table}.{name}", inner, available and not refused))
    for key, inner, here in nested:
        yield from _keys(key, inner, available=here)


def _key(table: str, name: str, info: FieldInfo, kind: str, *, available: bool, refused: bool) -> KeyInfo:
    dotted = f"{table}.{name}"
    if kind and get_origin(_plain(info.annotation)) is tuple:
        kind = "array of tables"
    kind = kind or type_of(info)
    return KeyInfo(
        table=table,
        name=name,
        type=kind,
        unit=_UNITS.get(kind, ""),
        default=_default(info, kind),
        required=info.is_required(),
        available=available and not refused,
        refused_but_default=refused,
        places=(table, f"{LISTENER}.{table}") if table in OVERRIDING else (table,),
        ways=BELONGS_TO.get(name, ()) if table == LISTENER else (),
        about=about.KEYS.get(dotted, ""),
        since=about.SINCE.get(dotted, about.FIRST),
    )


def type_of(info: FieldInfo) -> str:
    """Return in words what a key takes."""
    for function in _validators(info):
        if function in _ONE:
            return _ONE[function]
    return _by_annotation(_plain(info.annotation), info)


def _by_annotation(annotation: Any, info: FieldInfo) -> str:
    if get_origin(annotation) is Literal:
        return " | ".join(f'"{each}"' for each in get_args(annotation))
    if get_origin(annotation) is tuple:
        return "list of strings"
    if get_origin(annotation) is dict:
        return "table of strings"
    if annotation is int:
        lowest = max((getattr(each, "ge", None) or 0 for each in _metadata(info)), default=0)
        return f"whole number from {lowest}"
    return {bool: "boolean", str: "string"}[annotation]


def written(info: FieldInfo, value: Any) -> str:
    """Return a value of a key as a file writes it, empty for none."""
    return "" if value is None else _quoted(type_of(info), value)


def _written(kind: str, value: Any) -> str:
    if kind == "duration":
        return writing.duration(value)
    if kind == "size":
        return writing.size(value)
    if kind == "file mode":
        return writing.mode(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(writing.string(each) for each in value) + "]"
    if isinstance(value, dict):
        pairs = ", ".join(f"{writing.key(name)} = {writing.string(each)}" for name, each in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    return str(value) if isinstance(value, int) else writing.string(value)


def _default(info: FieldInfo, kind: str) -> str:
    value = info.default
    if value is None or value is PydanticUndefined or kind in {"table", "array of tables"}:
        return ""
    return _quoted(kind, value)


def _quoted(kind: str, value: Any) -> str:
    text = _written(kind, value)
    return f'"{text}"' if kind in {"duration", "size", "file mode"} else text


def _plain(annotation: Any) -> Any:
    """Return an annotation without ``None`` and without what is said of it."""
    if get_origin(annotation) in {Union, types.UnionType}:
        annotation = next(each for each in get_args(annotation) if each is not type(None))
    return get_args(annotation)[0] if hasattr(annotation, "__metadata__") else annotation


def _model(annotation: Any, *, optional: bool = False) -> Any:
    plain = _plain(annotation)
    if get_origin(plain) is tuple:
        plain = _plain(get_args(plain)[0])
    if isinstance(plain, type) and issubclass(plain, BaseModel):
        return plain
    if optional:
        return None
    raise TypeError(annotation)


def _metadata(info: FieldInfo) -> list[Any]:
    found = list(info.metadata)

    def walk(annotation: Any) -> None:
        found.extend(getattr(annotation, "__metadata__", ()))
        for each in get_args(annotation):
            walk(each)

    walk(info.annotation)
    for each in tuple(found):
        found.extend(getattr(each, "metadata", ()))
    return found


def _validators(info: FieldInfo) -> list[Callable[..., object]]:
    return [each.func for each in _metadata(info) if hasattr(each, "func")]


def _is_not_yet(function: Callable[..., object]) -> bool:
    return function.__qualname__.startswith("not_yet.")
