"""From a file, or a command line's values, to a configuration that is right or all that is wrong with it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from asgid.config import codes
from asgid.config.diagnostics import COMMAND_LINE, Diagnostic, has_errors, in_order
from asgid.config.document import Document, dotted
from asgid.config.pruning import Known
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


class Config(NamedTuple):
    """A configuration that is right by itself: the tables, and the document that they came from."""

    tables: Root
    document: Document


class Loaded(NamedTuple):
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
    later: set[Key] = set()
    try:
        root: Root | None = models.Root.model_validate(document.values)
    except ValidationError as error:
        from asgid.config import explain, pruning  # noqa: PLC0415 - only a mistake pays for it

        found += explain.explain(document, error)
        reported = {each["loc"] for each in error.errors(include_url=False)}
        meant, later = explain.meant(error), explain.not_available(error)
        root = pruning.pruned(document, reported)
    found_shape = list(shape.check(document, reported, meant, later))
    if root is not None:
        found += checks.check(document, root, Known(frozenset({*reported, *meant}), frozenset(broken)))
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
