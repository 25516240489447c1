"""The language as a JSON Schema, for editors: completion, hover, and most mistakes as one types.

It is draft-07, because taplo, which is what Even Better TOML runs, validates with a library that stops there;
every other editor's validator takes it as well. What a schema cannot say (collisions, an address that is
none, what two tables say together) is left to the lint. So whatever the lint takes, the schema takes, but for
the duration of a key that is not available yet, which it knows as written in one way alone.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any, Final

from asgid.config import about, quantities
from asgid.config.keys import LISTENER, OVERRIDING, KeyInfo, every_key
from asgid.config.shape import WAYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Schema = dict[str, Any]

_DRAFT: Final = "http://json-schema.org/draft-07/schema#"
_NUMBER: Final = r"^[0-9]+(\.[0-9]+)? ?"
_FIELD_NAME: Final = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"
_DOTTED: Final = r"[^\s:.]+(\.[^\s:.]+)*"
_NOT_EMPTY: Final[Schema] = {"type": "string", "minLength": 1}
_MANY: Final[Schema] = {"type": "array", "items": _NOT_EMPTY, "uniqueItems": True}
_ONE_OR_MANY: Final[Schema] = {"anyOf": [_NOT_EMPTY, _MANY | {"minItems": 1}]}

SHAPES: Final[Mapping[str, Schema]] = {
    "duration": {
        "anyOf": [
            {"type": "string", "pattern": f"{_NUMBER}({'|'.join(quantities.SECONDS)})$"},
            {"type": "number", "minimum": 0, "maximum": quantities.LONGEST_S},
        ]
    },
    "size": {
        "anyOf": [
            {"type": "string", "pattern": f"{_NUMBER}({'|'.join(quantities.BYTES)})$"},
            {"type": "integer", "minimum": 0, "maximum": quantities.LARGEST_BYTES},
        ]
    },
    "file mode": {"type": "string", "pattern": "^0?[0-7]{3}$"},
    'whole number from 1, or "auto"': {"anyOf": [{"type": "integer", "minimum": 1}, {"const": "auto"}]},
    "whole number, 0 to 65535": {"type": "integer", "minimum": 0, "maximum": 65535},
    "path": _NOT_EMPTY,
    "user or group": {"type": "string", "pattern": r"^[^\s:/,-][^\s:/,]*$", "maxLength": 255},
    "header name": {"type": "string", "pattern": _FIELD_NAME},
    "interface": {"type": "string", "pattern": r"^[^\s/:%]{1,15}$"},
    "systemd name": {"type": "string", "pattern": "^[ -9;-~]{1,255}$"},
    "module:attribute": {"type": "string", "pattern": f"^{_DOTTED}:{_DOTTED}$"},
    "address, or a list of them": _ONE_OR_MANY,
    "endpoint string, or a list of them": _ONE_OR_MANY,
    "list of networks": _MANY,
    "list of origins": _MANY | {"minItems": 1},
    "list of codes": _MANY | {"items": {"type": "string", "pattern": "^ASG[0-9]{3}$"}},
    "list of strings": {"type": "array", "items": {"type": "string"}},
    "table of header fields": {
        "type": "object",
        "propertyNames": {"pattern": _FIELD_NAME},
        "additionalProperties": {"type": "string", "pattern": r"^([!-~]([\t -~]*[!-~])?)?$"},
    },
    "table of variables": {
        "type": "object",
        "propertyNames": {"pattern": r"^[^=\u0000]+$"},
        "additionalProperties": {"type": "string"},
    },
    "boolean": {"type": "boolean"},
    "string": {"type": "string"},
}
"""What a value of each type looks like; of the types that are not here, :func:`_shape` tells."""


def schema() -> Schema:
    """Return the schema of a whole file."""
    tables: dict[str, list[KeyInfo]] = {}
    for key in every_key():
        tables.setdefault(key.table, []).append(key)
    properties: Schema = {}
    for table, keys in tables.items():
        if table.startswith(LISTENER):
            properties["listeners"] = _listeners()
        elif table in OVERRIDING:
            properties[table] = _reference(table)
        else:
            properties[table] = _table(table, keys)
    definitions = {table: _table(table, tables[table]) for table in OVERRIDING}
    definitions["listener"] = _listener(tables)
    return {
        "$schema": _DRAFT,
        "title": "asgid's configuration",
        "description": "Named listeners and the ASGI application that they serve.",
        "type": "object",
        "properties": properties,
        "required": ["application", "listeners"],
        "additionalProperties": False,
        "definitions": definitions,
    }


def _table(name: str, keys: Iterable[KeyInfo]) -> Schema:
    made: Schema = {
        "description": about.TABLES[name],
        "type": "object",
        "properties": {key.name: _property(key) for key in keys},
        "additionalProperties": False,
    }
    required = [key.name for key in keys if key.required]
    return made | ({"required": required} if required else {})


def _listeners() -> Schema:
    return {
        "description": about.TABLES[LISTENER],
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": "^[A-Za-z][A-Za-z0-9_-]{0,62}$"},
        "additionalProperties": _reference("listener"),
    }


def _listener(tables: Mapping[str, list[KeyInfo]]) -> Schema:
    """Return the schema of one listener: exactly one way to listen, and only the keys that go with it."""
    keys = tables[LISTENER]
    made = _table(LISTENER, keys)
    made["properties"] |= {table: _reference(table) for table in OVERRIDING}
    made["properties"]["tls"] |= _tls(tables)
    made["oneOf"] = [{"required": [way]} for way in WAYS]
    made["dependencies"] = {
        "address": ["port"],
        "interface": ["port"],
        **{key.name: {"anyOf": [{"required": [way]} for way in key.ways]} for key in keys if key.ways},
    }
    return made


def _tls(tables: Mapping[str, list[KeyInfo]]) -> Schema:
    name = f"{LISTENER}.tls"
    made = _table(name, tables[name])
    several = _table(f"{name}.certificates", tables[f"{name}.certificates"])
    made["properties"]["certificates"] |= {"type": "array", "items": several}
    return {each: made[each] for each in ("type", "properties", "additionalProperties")}


def _reference(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


def _property(key: KeyInfo) -> Schema:
    made: Schema = {"description": key.about if key.available else f"Not available yet. {key.about}"}
    default = tomllib.loads(f"value = {key.default}")["value"] if key.default else None
    made |= _only(default, key.type) if key.refused_but_default else _shape(key.type)
    return made | ({"default": default} if default is not None else {})


def _only(default: Any, kind: str) -> Schema:
    """Return the schema of a key that takes its default alone."""
    if default is None:
        return {"not": {}}
    return {"enum": [default, int(quantities.duration(default))] if kind == "duration" else [default]}


def _shape(kind: str) -> Schema:
    if kind in SHAPES:
        return dict(SHAPES[kind])
    if kind in {"table", "array of tables"}:
        return {}
    counted = re.fullmatch(r"whole number from (\d+)", kind)
    if counted is not None:
        return {"type": "integer", "minimum": int(counted[1]), "maximum": 2**31 - 1}
    return {"enum": re.findall('"([^"]*)"', kind)}
