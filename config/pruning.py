"""The tables of a file without what is wrong in them, so that all else is checked in the same run.

Each error takes away the very value that it is about and nothing around it. What was taken away is not known
from then on: a rule that needs it is silent, every other one says its word.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from asgid.config.document import Document
    from asgid.config.models import Root
    from asgid.config.scan import Key

_GONE = object()
_PLACED = frozenset({"address", "endpoint"})
"""The lists whose elements have findings of their own: each keeps its index, and so its place."""


@dataclass(frozen=True)
class Known:
    """Which values of a file are known.

    ``unknown`` are the keys of those that are not, ``broken`` those of the tables in which the syntax goes
    wrong: an empty one for a table of which not even the name is known.
    """

    unknown: frozenset[Key] = frozenset()
    broken: frozenset[Key] = frozenset()

    @property
    def partial(self) -> bool:
        """Tell whether there are tables that could not be read."""
        return bool(self.broken)

    @property
    def unnamed(self) -> bool:
        """Tell whether one of them has no name."""
        return () in self.broken

    @cached_property
    def _at(self) -> frozenset[Key]:
        # What the keys of [listeners] are about is not in the tables that are whole.
        return self.unknown | (self.broken - {(), ("listeners",)})

    @cached_property
    def _around(self) -> frozenset[Key]:
        return frozenset(key[:end] for key in self._at for end in range(1, len(key)))

    def __contains__(self, key: Key) -> bool:
        """Tell whether the value at ``key``, there or missing, is known, and all that is in it."""
        if not self._at:
            return True
        return key not in self._around and not any(key[:end] in self._at for end in range(1, len(key) + 1))


def pruned(document: Document, wrong: Iterable[Key]) -> Root | None:
    """Return the tables without the values that errors are about; None where that is not enough."""
    from pydantic import ValidationError  # noqa: PLC0415 - importing it takes longer than reading the file

    from asgid.config import models  # noqa: PLC0415

    values: Any = _less(document.values, [_existing(document.values, key) for key in wrong], ())
    values = {} if values is _GONE else values
    values["application"] = {"target": "a:a"} | values.get("application", {})
    try:
        return models.Root.model_validate(values)
    except ValidationError:
        return None


def _existing(values: Mapping[str, Any], key: Key) -> Key:
    """Return the part of ``key`` that is there, up to a value that is no table and no list.

    A table from which something is missing is wrong itself, but for ``[application]``.
    """
    value: Any = values
    part: Any
    for depth, part in enumerate(key):
        if not isinstance(value, (dict, list)):
            return key[:depth]
        try:
            value = value[part]
        except (LookupError, TypeError):
            return key[:depth] if depth > 1 else key
    return key


def _less(value: Any, wrong: list[Key], at: Key) -> Any:
    """Return ``value``, which stands at ``at``, without what is at the keys that go on from there."""
    below: dict[str | int, list[Key]] = {}
    for key in wrong:
        if not key:
            return _GONE
        below.setdefault(key[0], []).append(key[1:])
    if isinstance(value, dict):
        left = {k: _less(v, below[k], (*at, k)) if k in below else v for k, v in value.items()}
        return {k: v for k, v in left.items() if v is not _GONE}
    if not isinstance(value, list):
        return value
    kept = [_less(each, below[i], (*at, i)) if i in below else each for i, each in enumerate(value)]
    good = [each for each in kept if each is not _GONE]
    if len(at) == 3 and at[2] in _PLACED:
        # Twice the same in one list is no collision.
        return [good[0] if each is _GONE else each for each in kept] if good else _GONE
    return good
