"""From pydantic's errors to findings: one clear sentence each, at the place of the key or value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from asgid.config import codes, models
from asgid.config.document import dotted
from asgid.config.quantities import RefusedError, found

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

    from asgid.config.diagnostics import Diagnostic
    from asgid.config.document import Document
    from asgid.config.scan import Key

_GOES_ON = re.compile("(?:must|is|holds) ")
_EXPECTED = {
    "string_type": "a string",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "tuple_type": "a list",
}


def explain(document: Document, error: ValidationError) -> list[Diagnostic]:
    """Return a finding for each of pydantic's errors about ``document``."""
    details = error.errors(include_url=False)
    unknown = {each["loc"]: _suggestion(each["loc"]) for each in details if each["type"] == "extra_forbidden"}
    echoes = {(*loc[:-1], name) for loc, name in unknown.items() if name}
    found = [
        _explain(document, each, unknown) for each in _each_mistake(details) if not _is_echo(each, echoes)
    ]
    around = not_available(error) - {each["loc"] for each in details}
    return found + [_not_available(document, key) for key in around]


def meant(error: ValidationError) -> set[Key]:
    """Return the keys that stand in the document misspelled."""
    unknown = (each["loc"] for each in error.errors(include_url=False) if each["type"] == "extra_forbidden")
    return {(*loc[:-1], name) for loc in unknown if (name := _suggestion(loc))}


def _each_mistake(details: Iterable[ErrorDetails]) -> Iterator[ErrorDetails]:
    """Yield pydantic's errors, and what else is wrong with the same value."""
    for each in details:
        yield each
        refused = each.get("ctx", {}).get("error")
        for other in refused.others if isinstance(refused, RefusedError) else ():
            yield each | {"ctx": {"error": other}}


def not_available(error: ValidationError) -> set[Key]:
    """Return the keys that are not available yet, and the tables whose keys are wrong besides."""
    found: set[Key] = set()
    for each in error.errors(include_url=False):
        refused = each.get("ctx", {}).get("error")
        if isinstance(refused, RefusedError) and refused.code == codes.NOT_AVAILABLE:
            found.add(each["loc"])
        elif each["loc"][:1] == ("listeners",) and each["loc"][2:3] == ("tls",):
            found.add(each["loc"][:3])
    return found


def _not_available(document: Document, key: Key) -> Diagnostic:
    name = dotted(key)
    return document.at_key(codes.NOT_AVAILABLE, key, f"{name} is not available yet", "leave it out")


def _is_echo(details: ErrorDetails, echoes: set[Key]) -> bool:
    """Tell whether a missing key is one that stands there misspelled, which is a finding of its own."""
    return details["type"] == "missing" and details["loc"] in echoes


def _explain(document: Document, details: ErrorDetails, unknown: dict[Key, str]) -> Diagnostic:
    key = _real(document, details["loc"])
    kind = details["type"]
    if kind == "extra_forbidden":
        meant = unknown[details["loc"]]
        advice = _unknown_help(key, meant)
        fix = meant if _is_slip(document, key, meant) else ""
        return document.at_key(codes.UNKNOWN_KEY, key, _unknown_message(key), advice, fix=fix)
    if kind == "missing":
        return _missing(document, details["loc"])
    refused = details.get("ctx", {}).get("error")
    if isinstance(refused, RefusedError):
        return _refused(document, details, key, refused)
    name = dotted(key)
    if kind == "literal_error":
        return _not_one_of(document, key, details)
    if kind in _EXPECTED:
        message = f"{name} must be {_EXPECTED[kind]}, not {found(details['input'])}"
        advice, fix = _type_help(key, kind, details["input"])
        return document.at_value(codes.WRONG_TYPE, key, message, advice, fix=fix)
    if kind in {"greater_than_equal", "less_than"}:
        low = _lowest(key)
        message = f"{name} must be a whole number from {low}, not {found(details['input'])}"
        return document.at_value(codes.BAD_VALUE, key, message)
    return document.at_value(
        codes.BAD_VALUE, key, f"{name}: {details['msg'][:1].lower()}{details['msg'][1:]}"
    )


def _refused(document: Document, details: ErrorDetails, key: Key, refused: RefusedError) -> Diagnostic:
    message = refused.message
    if _GOES_ON.match(message):
        message = f"{dotted(key)} {message}"
    if details["loc"][-1] == "[key]" or (
        refused.code == codes.NOT_AVAILABLE and refused.message.startswith("is ")
    ):
        return document.at_key(refused.code, key, message, refused.help)
    advice = _refused_help(document, key, refused)
    fix = refused.fix
    if refused.code == codes.BAD_MODE and not fix and advice.startswith('write "'):
        fix = advice.removeprefix("write ")
    return document.at_value(refused.code, key, message, advice, part=refused.part, fix=fix)


def _is_slip(document: Document, key: Key, meant: str) -> bool:
    """Tell whether a key is one slip of the fingers away from the one that was meant, which is not there."""
    from asgid.config.endpoint_check import slips  # noqa: PLC0415 - only a mistake pays for it

    table: Any = document.values
    for part in key[:-1]:
        table = table[part]
    return bool(meant) and meant not in table and slips(str(key[-1]).replace("-", "_"), meant) <= 1


def _refused_help(document: Document, key: Key, refused: RefusedError) -> str:
    if refused.written:
        if document.is_command_line:
            return f"write -e '{refused.written}'"
        name = f"{key[-1]} = " if isinstance(key[-1], str) else ""
        return f"write {name}'{refused.written}'"
    if refused.code == codes.BAD_MODE and not refused.help:
        digits = document.written(key).removeprefix("0o").rjust(4, "0")
        return f'write "{digits}"' if re.fullmatch("[0-7]{4}", digits) else 'write it in octal, as in "0660"'
    return refused.help


def _real(document: Document, loc: Iterable[int | str]) -> Key:
    """Return the part of ``loc`` that exists in the values: a single string stands where a list may."""
    key: Key = ()
    value: Any = document.values
    for part in loc:
        try:
            value = None if isinstance(value, str) else value[part]
        except (LookupError, TypeError):
            break
        if value is None:
            break
        key = (*key, part)
    return key


def _missing(document: Document, loc: Key) -> Diagnostic:
    if loc[0] == "application":
        advice = 'write target = "mysite.asgi:application" under [application]'
        message = "application.target is missing: nothing says what is served"
        return document.at_key(codes.NO_TARGET, ("application", "target"), message, advice)
    return document.at_key(codes.MISSING_KEY, loc, f"{dotted(loc)} must be there")


def _not_one_of(document: Document, key: Key, details: ErrorDetails) -> Diagnostic:
    expected = details["ctx"]["expected"].replace("'", '"')
    given = details["input"]
    if not isinstance(given, str):
        message = f"{dotted(key)} must be {expected}, not {found(given)}"
        return document.at_value(codes.WRONG_TYPE, key, message)
    guess = closest(given, re.findall(r'"([^"]*)"', expected))
    advice = f'did you mean "{guess}"?' if guess else ""
    return document.at_value(
        codes.BAD_VALUE, key, f"{dotted(key)} must be {expected}, not {found(given)}", advice
    )


def _type_help(key: Key, kind: str, given: object) -> tuple[str, str]:
    """Return what to write, and the same as a fix where nothing else could have been meant."""
    if kind == "int_type" and isinstance(given, str) and re.fullmatch("[0-9]{1,10}", given):
        return f"write {given}, without quotes", str(int(given))
    if kind == "bool_type" and isinstance(given, str) and given.lower() in _BOOLEANS:
        meant = _BOOLEANS[given.lower()]
        return f"write {meant}, without quotes", meant
    if kind == "string_type" and isinstance(given, (int, float)) and not isinstance(given, bool):
        return f'write "{given!r:.40}"', ""
    if kind == "model_type" and isinstance(given, list):
        return f"a table's header has one bracket on each side: [{dotted(key)}]", ""
    if kind == "model_type" and len(key) == 2 and key[0] == "listeners":
        return f"give the listener a name: [listeners.public], and {key[1]} below it", ""
    return "", ""


_BOOLEANS = {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}


def _lowest(key: Key) -> int:
    return 1 if key[-1] in {"backlog", "queue"} else 0


def table_of(loc: Iterable[int | str]) -> type[BaseModel] | None:
    """Return the model of the table at ``loc``, or None where that is no table of the language."""
    model: type[BaseModel] | None = models.Root
    parts = list(loc)
    if parts[:1] == ["listeners"]:
        if len(parts) == 1:
            return None
        model, parts = models.Listener, parts[2:]
    for part in parts:
        if isinstance(part, int):
            continue
        model = _TABLES.get(str(part))
    return model


_TABLES: dict[str, type[BaseModel]] = {
    "application": models.Application,
    "proxy": models.Proxy,
    "limits": models.Limits,
    "timeouts": models.Timeouts,
    "websocket": models.WebSocket,
    "daemon": models.Daemon,
    "log": models.Log,
    "admin": models.Admin,
    "lint": models.Lint,
    "tls": models.Tls,
    "certificates": models.Certificate,
}
_ELSEWHERE = ("limits", "timeouts", "websocket", "proxy", "log", "daemon", "application")
_OTHER_WORDS = {
    "host": "address",
    "bind": "address",
    "ip": "address",
    "listen": "address",
    "socket": "unix",
    "path": "unix",
    "uds": "unix",
    "device": "interface",
    "app": "target",
    "user": "owner",
    "permissions": "mode",
    "name": "systemd",
}


def _suggestion(loc: Key) -> str:
    """Return the key of the same table that was probably meant, or an empty string."""
    model = table_of(loc[:-1])
    if model is None:
        return ""
    written = str(loc[-1])
    other = _OTHER_WORDS.get(written.lower(), "")
    if other in model.model_fields:
        return other
    return closest(written.lower().replace("-", "_"), model.model_fields)


def closest(word: str, known: Iterable[str]) -> str:
    """Return the one of ``known`` that ``word`` is most like, or an empty string."""
    import difflib  # noqa: PLC0415 - only a mistake pays for it

    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)), "")


def _unknown_message(key: Key) -> str:
    table = dotted(key[:-1])
    name = dotted(key[-1:])
    return f"there is no key {name} in [{table}]" if table else f"there is no table or key {name}"


def _unknown_help(key: Key, suggestion: str) -> str:
    if suggestion:
        return f"did you mean {suggestion}?"
    name = str(key[-1])
    homes = [table for table in _ELSEWHERE if name in _TABLES[table].model_fields and table != key[0]]
    if homes and (key[0] != "listeners" or homes[0] not in {"log", "daemon", "application"}):
        below = f" or [{dotted(key[:2])}.{homes[0]}]" if key[0] == "listeners" else ""
        return f"{name} belongs in [{homes[0]}]{below}"
    if homes:
        return f"{name} belongs in [{homes[0]}], for all listeners"
    if len(key) == 1 and name in models.Listener.model_fields:
        return f"{name} belongs to a listener: [listeners.public], and {name} below it"
    model = table_of(key[:-1])
    return f"the keys are {', '.join(model.model_fields)}" if model else ""
