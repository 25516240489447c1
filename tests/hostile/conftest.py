"""A victim for one attack after another. Where a package of the system's is missing a test is skipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.victim import Victim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="module")
def victims(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[int, str], Victim]]:
    """``victims(open_files, rest)``: asgid, the same one of its kind while each attack leaves it calm."""
    made: dict[tuple[int, str], list[Victim]] = {}

    def get(open_files: int, rest: str) -> Victim:
        those = made.setdefault((open_files, rest), [])
        if not those or not those[-1].calm:
            those.append(Victim(tmp_path_factory.mktemp("victim"), open_files=open_files, rest=rest))
        return those[-1]

    yield get
    all_of_them = [victim for those in made.values() for victim in those]
    try:
        for victim in all_of_them:
            if victim.calm:
                victim.stop()
    finally:
        for victim in all_of_them:
            victim.server.kill()
