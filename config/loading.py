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
    from collections.abc import Mapping

    from pydantic import ValidationError

    from asgid.config.models import Root
    from asgid.config.scan import Key
    from asgid.config.spec import Place

_LISTENER = re.compile(r'listeners\.(?:"(?:[^"\\]|\\.)*"|[^."]+)')
"""The dotted key of a listener, at the beginning of a longer one."""


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
    document, found = read(path)
    if found:
        return Loaded(document, None, found)
    return check(document)


def load_bytes(name: str, directory: Path, data: bytes) -> Loaded:
    """Check ``data`` as the contents of a file ``name`` in ``directory``, which is absolute."""
    document, found = from_bytes(name, directory, data)
    return Loaded(document, None, found) if found else check(document)


def load_values(values: Mapping[str, Any], places: Mapping[str, Place] | None = None) -> Loaded:
    """Check values that came from a command line.

    ``places`` gives the place of each dotted key that has one (``Place("command line: -e 2")``). Relative
    paths are relative to the current directory.
    """
    return check(Document(COMMAND_LINE, Path.cwd(), "", values, places or {}))


def check(document: Document) -> Loaded:
    """Check the values of ``document``."""
    from pydantic import ValidationError  # noqa: PLC0415 - importing it takes longer than reading the file

    from asgid.config import checks, models, shape  # noqa: PLC0415 - they import pydantic

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
        root = _without(document, error)
    found_shape = list(shape.check(document, reported, meant))
    if root is not None:
        bad = {match[0] for each in found_shape if (match := _LISTENER.match(each.key))}
        good = {k: each for k, each in root.listeners.items() if dotted(("listeners", k)) not in bad}
        found += checks.check(document, root, good)
    diagnostics = in_order(found + found_shape)
    if has_errors(diagnostics) or root is None:
        return Loaded(document, None, diagnostics)
    return Loaded(document, Config(root, document), diagnostics)


def _without(document: Document, error: ValidationError) -> Root | None:
    """Return the tables without those that ``error`` is about, so that the others are checked together."""
    from pydantic import ValidationError as AnyError  # noqa: PLC0415

    from asgid.config import models  # noqa: PLC0415

    bad = {each["loc"][:2] if each["loc"][0] == "listeners" else each["loc"][:1] for each in error.errors()}
    values = {key: value for key, value in document.values.items() if (key,) not in bad}
    values.setdefault("application", {"target": "a:a"})
    listeners = values.get("listeners")
    if isinstance(listeners, dict):
        values["listeners"] = {k: v for k, v in listeners.items() if ("listeners", k) not in bad}
    try:
        return models.Root.model_validate(values)
    except AnyError:
        return None
