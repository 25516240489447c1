"""Checks, from metadata alone, that asgid runs with an application's packages in front of its own.

Nothing is imported. Each package of the closure of asgid's dependencies comes from the application's
environment where that has it, and from asgid's own folders otherwise; every requirement of that mixture has
to hold.
"""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from importlib.metadata import Distribution

HALVES: Final = (("pydantic", "pydantic-core"), ("pyopenssl", "cryptography"))
"""Packages that come from one side, for one is the compiled half of the other."""


@dataclass(frozen=True, slots=True)
class Miss:
    """A package that is not as another needs it. ``found`` is its version, empty where it is not there."""

    package: str
    found: str
    needed: str
    needed_by: str
    theirs: bool


@dataclass(frozen=True, slots=True)
class Split:
    """A package of the environment's whose compiled half, or other half, is not there."""

    there: str
    version: str
    absent: str


class Closure:
    """The closure of what ``root`` needs. ``path`` is the environment's ``sys.path``."""

    def __init__(self, path: Sequence[str], root: str = "asgid") -> None:
        self.theirs = _by_name(importlib.metadata.distributions(path=list(path)))
        self.ours = _by_name(importlib.metadata.distributions())
        self.misses: list[Miss] = []
        self._chosen: dict[str, Distribution] = {}
        self._walk(root)

    @property
    def own(self) -> list[Distribution]:
        """The packages of the closure that come from asgid's own folders."""
        return [dist for name, dist in self._chosen.items() if name not in self.theirs]

    def splits(self) -> Iterator[Split]:
        """Give every pair of :data:`HALVES` of which the environment has one."""
        for one, other in HALVES:
            for there, absent in ((one, other), (other, one)):
                if there in self.theirs and absent not in self.theirs and absent in self._chosen:
                    yield Split(there, self.theirs[there].version, absent)

    def compiled(self) -> list[str]:
        """Return the names of our own packages that only run on our own version of Python."""
        mark = "Root-Is-Purelib: false"  # the wheel format's word for it (PEP 427)
        return sorted(dist.name for dist in self.own if mark in (dist.read_text("WHEEL") or ""))

    def _walk(self, root: str) -> None:
        seen: set[tuple[str, str]] = set()
        waiting = [(root, "")]
        while waiting:
            name, extra = waiting.pop()
            dist = self._choose(name)
            if dist is None or (name, extra) in seen:
                continue
            seen.add((name, extra))
            for requirement in _requirements(dist, extra):
                needed = canonicalize_name(requirement.name)
                self._check(requirement, name, needed)
                waiting += [(needed, each) for each in ("", *requirement.extras)]

    def _choose(self, name: str) -> Distribution | None:
        dist = self.theirs.get(name) or self.ours.get(name)
        if name == "asgid":
            dist = self.ours.get(name)  # the one that was started, whatever the environment has
        if dist is not None:
            self._chosen[name] = dist
        return dist

    def _check(self, requirement: Requirement, by: str, needed: str) -> None:
        dist = self._choose(needed)
        found = dist.version if dist is not None else ""
        if dist is None or not requirement.specifier.contains(found, prereleases=True):
            miss = Miss(needed, found, str(requirement.specifier), by, needed in self.theirs)
            if miss not in self.misses:
                self.misses.append(miss)


def _requirements(dist: Distribution, extra: str) -> Iterator[Requirement]:
    for line in dist.requires or ():
        requirement = Requirement(line)
        if requirement.marker is None:
            if not extra:
                yield requirement
        elif requirement.marker.evaluate({"extra": extra}) and (
            not extra or not requirement.marker.evaluate({"extra": ""})
        ):
            yield requirement


def _by_name(found: Iterable[Distribution]) -> dict[str, Distribution]:
    """Return distributions by canonical name; the first on the path wins, as it does for an import."""
    named: dict[str, Distribution] = {}
    for dist in found:
        name = dist.metadata["Name"]
        if name:
            named.setdefault(canonicalize_name(name), dist)
    return named
