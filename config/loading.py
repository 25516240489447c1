"""From a file, or a command line's values, to a configuration that is right or all that is wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asgid.config import codes
from asgid.config.diagnostics import COMMAND_LINE, Diagnostic, has_errors, in_order
from asgid.config.document import Document, dotted
from asgid.config.reading import from_bytes, read

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from asgid.config.models import Root
    from asgid.config.places import Place
    from asgid.config.scan import Key

_LISTENER = re.compile(r'listeners\.(?:"(?:[^"\\]|\\.)*"|[^."]+)')
"""The dotted key of a listener, at the beginning of a longer one."""

_WHERE = frozenset({"address", "interface", "unix", "systemd", "fd", "endpoint", "port"})
"""The keys that say where a listener listens."""


@dataclass(frozen=True)
class Config:
    """A configuration that is right by itself: the tables, and the document that they came from."""

    tables: Root
    document: Document


@dataclass(frozen=True)
class Loaded:
    """What came of a file. ``config`` is None where ``diagnostics`` holds an error."""

    document: Document
    config: Config | None
    diagnostics: tuple[Diagnostic, ...]

    @property
    def unreadable(self) -> bool:
        """Tell whether the file is missing or could not be read at all."""
        return any(each.code == codes.UNREADABLE for each in self.diagnostics)


def load(path: str | os.PathLike[str]) -> Loaded:
    """Read and check the file at ``path``. Whatever is wrong with it is a diagnostic; nothing is raised."""
    return _checked(*read(path))


def load_bytes(name: str, directory: Path, data: bytes) -> Loaded:
    """Check ``data`` as the contents of a file ``name`` in ``directory``, which is absolute."""
    return _checked(*from_bytes(name, directory, data))


def load_values(values: Mapping[str, Any], places: Mapping[str, Place] | None = None) -> Loaded:
    """Check values that came from a command line.

    ``places`` gives the place of each dotted key that has one (``Place("command line: -e 2")``). Relative
    paths are relative to the current directory.
    """
    return check(Document(COMMAND_LINE, Path.cwd(), "", values, places or {}))


def check(document: Document) -> Loaded:
    """Check the values of ``document``."""
    diagnostics, root = _findings(document, frozenset())
    if has_errors(diagnostics) or root is None:
        return Loaded(document, None, diagnostics)
    return Loaded(document, Config(root, document), diagnostics)


def _checked(document: Document, found: tuple[Diagnostic, ...]) -> Loaded:
    """Check a document that has been read; of one that is not TOML the tables that are whole."""
    if not found:
        return check(document)
    (wrong,) = found
    if wrong.code != codes.SYNTAX or not document.text.strip():
        return Loaded(document, None, found)
    from asgid.config.partial import partial  # noqa: PLC0415 - only a mistake pays for it

    whole = partial(document, document.offset(wrong.place.line, wrong.place.column))
    others, _ = _findings(whole.document, whole.broken)
    return Loaded(document, None, in_order([wrong, *others]))


def _findings(document: Document, broken: AbstractSet[Key]) -> tuple[tuple[Diagnostic, ...], Root | None]:
    """Return what is wrong with the values, and the tables of what is right.

    ``broken`` are tables whose contents are not known, as in :class:`asgid.config.partial.Partial`: nothing
    is said of what may have stood there.
    """
    from pydantic import ValidationError  # noqa: PLC0415 - importing it takes longer than reading the file

    # They import pydantic.
    from asgid.config import cautions, checks, contradictions, models, shape  # noqa: PLC0415

    found: list[Diagnostic] = []
    reported: set[Key] = set()
    meant: set[Key] = set()
    try:
        root: Root | None = models.Root.model_validate(document.values)
    except ValidationError as error:
        from asgid.config import explain  # noqa: PLC0415 - only a mistake pays for it

        found += explain.explain(document, error)
        reported = {each["loc"] for each in error.errors(include_url=False)}
        meant = explain.meant(error)
        root = _without(document, reported, meant)
    found_shape = list(shape.check(document, reported, meant))
    if root is not None:
        bad = {match[0] for each in found_shape if (match := _LISTENER.match(each.key))}
        bad |= {dotted(key[:2]) for key in broken if len(key) == 2}
        good = {k: each for k, each in root.listeners.items() if dotted(("listeners", k)) not in bad}
        found += checks.check(document, root, good, _uncertain({*reported, *broken}, good))
    found += cautions.check(document)
    found += contradictions.check(document)
    found += found_shape
    if broken:
        found = [each for each in found if not _may_follow(each, document, broken)]
    return in_order([*heard_of(document, found), *_about_ignoring(document)]), root


def heard_of(document: Document, found: Iterable[Diagnostic]) -> Iterable[Diagnostic]:
    """Return findings without the warnings and infos that the file asks not to hear of."""
    if not _ignores(document):
        return found
    from asgid.config.ignoring import ignored  # noqa: PLC0415 - only a file that ignores some pays for it

    return ignored(document).kept(found, document.name)


def _about_ignoring(document: Document) -> Iterable[Diagnostic]:
    if not _ignores(document):
        return ()
    from asgid.config.ignoring import ignored  # noqa: PLC0415

    return ignored(document).problems


def _ignores(document: Document) -> bool:
    return "lint" in document.values or "asgid" in document.text


_ABOUT_ALL = frozenset({codes.NO_LISTENER, codes.NOTHING_REQUIRED, codes.ENDPOINT_BOTH_FAMILIES})
_ABOUT_A_LISTENER = frozenset({codes.NOT_ONE_WAY, codes.NO_PORT, codes.KEY_OF_OTHER_KIND})


def _may_follow(each: Diagnostic, document: Document, broken: AbstractSet[Key]) -> bool:
    """Tell whether a finding may be there only because of what is not known."""
    unnamed = () in broken
    if each.code == codes.NO_TARGET:
        return ("application",) in broken or (unnamed and "application" not in document.values)
    if each.code in _ABOUT_ALL:
        return True  # a line that is not TOML may have been meant as a listener's header
    if each.code in _ABOUT_A_LISTENER:
        match = _LISTENER.match(each.key)
        return match is not None and any(dotted(key) == match[0] for key in broken)
    if each.code == codes.MISSING_KEY:
        return True
    return each.severity != "error" and (unnamed or ("lint",) in broken)


def _without(document: Document, reported: AbstractSet[Key], meant: AbstractSet[Key]) -> Root | None:
    """Return the tables without what errors are about, so that all else is checked together.

    A listener that does not say rightly where it listens is left out; of any other the keys that are wrong.
    """
    from pydantic import ValidationError  # noqa: PLC0415

    from asgid.config import models  # noqa: PLC0415

    values = dict(document.values)
    listeners = values.get("listeners")
    if isinstance(listeners, dict):
        values["listeners"] = listeners = dict(listeners)
    for key in (*reported, *meant):
        if key[0] == "listeners" and isinstance(listeners, dict) and len(key) > 1:
            name = str(key[1])
            if len(key) == 4 and (good := _good_element(document, key, reported)) is not None:
                table = listeners.get(name)
                if isinstance(table, dict):  # and not left out for another of its keys
                    listeners[name] = _with_element(table, key, good)
            elif len(key) == 2 or key[2] in _WHERE:
                listeners.pop(name, None)
            elif isinstance(listeners.get(name), dict):
                # An exposure that cannot be read is not one that is missing.
                kept = {"exposure": "public"} if key[2] == "exposure" else {}
                listeners[name] = {k: v for k, v in listeners[name].items() if k != key[2]} | kept
        elif len(key) > 1 and isinstance(values.get(str(key[0])), dict):
            values[str(key[0])] = {k: v for k, v in values[str(key[0])].items() if k != key[1]}
        else:
            values.pop(str(key[0]), None)
    values["application"] = {"target": "a:a"} | values.get("application", {})
    try:
        return models.Root.model_validate(values)
    except ValidationError:
        return None


def _good_element(document: Document, key: Key, reported: AbstractSet[Key]) -> object:
    """Return an element of the list at ``key[:3]`` that can stand for the bad one at ``key``, or None."""
    there = document.values["listeners"][key[1]][key[2]] if key[2] in {"address", "endpoint"} else None
    if not isinstance(there, list):
        return None
    return next((each for index, each in enumerate(there) if (*key[:3], index) not in reported), None)


def _with_element(table: dict[str, Any], key: Key, element: object) -> dict[str, Any]:
    """Return a listener's table with ``element`` at ``key``: all others keep their index, and so their place.

    Twice the same in one list is no collision.
    """
    changed = [element if index == key[3] else each for index, each in enumerate(table[str(key[2])])]
    return table | {str(key[2]): changed}


def _uncertain(reported: AbstractSet[Key], names: Iterable[str]) -> set[str]:
    """Return the listeners of which it cannot be said whom they believe."""
    if any(key[:1] in {(), ("proxy",)} for key in reported):
        return set(names)
    return {str(key[1]) for key in reported if key[:1] == ("listeners",) and key[2:3] == ("proxy",)}
