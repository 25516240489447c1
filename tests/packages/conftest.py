"""Booted systemds with the packages that ASGID_PACKAGES holds; .ci/packages builds them and runs this."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.packaged import RELEASES, booted, install

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.machine import Machine


@pytest.fixture(scope="session", params=RELEASES)
def release(request) -> str:
    return request.param


@pytest.fixture(scope="session")
def machine(release) -> Iterator[Machine]:
    """A machine with the package installed; tests leave it as they found it."""
    with booted(release) as machine:
        install(machine)
        yield machine


@pytest.fixture
def fresh(release) -> Iterator[Machine]:
    """A machine of a test's own, without the package."""
    with booted(release) as machine:
        yield machine
