"""A victim for each test. Where a package of the system's is missing a test is skipped; in CI none may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.victim import Victim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def victims(tmp_path: Path) -> Iterator[Callable[..., Victim]]:
    """``victims(...)``: asgid with short timeouts, ended after the test."""
    made: list[Victim] = []

    def make(**options) -> Victim:
        made.append(Victim(tmp_path, **options))
        return made[-1]

    yield make
    for victim in made:
        victim.server.kill()
