"""Whether asgid runs with an application's packages in front of its own, told from metadata alone."""

from __future__ import annotations

import sys
from importlib.metadata import version

import pytest

from asgid.daemon.supervise.closure import Closure


@pytest.fixture
def environment(tmp_path):
    """Put distributions that are metadata alone into a folder; ``path`` is the folder's."""

    def install(**versions):
        for name, (number, *needs) in versions.items():
            folder = tmp_path / f"{name}-{number}.dist-info"
            folder.mkdir()
            lines = ["Metadata-Version: 2.1", f"Name: {name.replace('_', '-')}", f"Version: {number}"]
            folder.joinpath("METADATA").write_text(
                "\n".join([*lines, *(f"Requires-Dist: {each}" for each in needs)])
            )
        return Closure([str(tmp_path)])

    return install


def test_an_empty_environment_is_served_with_our_own(environment):
    closure = environment()
    assert closure.misses == []
    assert list(closure.splits()) == []
    names = {dist.name.lower() for dist in closure.own}
    names = {name.replace("-", "_") for name in names}
    assert {"asgid", "twisted", "uvloop", "pydantic", "pydantic_core", "cryptography"} <= names


def test_what_has_nothing_to_do_with_us_is_nobodys_business(environment):
    assert environment(django=("1.0",), flask=("0.1", "werkzeug>=99")).misses == []


def test_a_floor_that_the_environment_is_below_names_both_versions(environment):
    (miss,) = environment(uvloop=("0.14.0",)).misses
    assert (miss.package, miss.found, miss.needed_by, miss.theirs) == ("uvloop", "0.14.0", "asgid", True)
    assert ">=" in miss.needed


def test_every_miss_is_told_and_each_once(environment):
    closure = environment(uvloop=("0.14.0",), httptools=("0.1",), zope_interface=("1.0",))
    assert sorted(miss.package for miss in closure.misses) == ["httptools", "uvloop", "zope-interface"]


def test_a_floor_deep_in_the_closure_counts(environment):
    misses = environment(attrs=("17.1.0",)).misses
    assert {miss.package for miss in misses} == {"attrs"}
    assert "asgid" not in {miss.needed_by for miss in misses}


def test_extras_are_followed(environment):
    (miss,) = [miss for miss in environment(service_identity=("14.0",)).misses if miss.theirs]
    assert miss.needed_by == "twisted"


def test_a_newer_version_and_a_prerelease_of_one_are_good(environment):
    assert environment(uvloop=("999.0rc1",)).misses == []


def test_the_environments_own_requirements_count_too(environment):
    (miss,) = environment(httptools=("999.0", "uvloop>=999")).misses
    assert (miss.package, miss.found, miss.needed_by) == ("uvloop", version("uvloop"), "httptools")
    assert not miss.theirs


def test_an_asgid_in_the_environment_is_not_the_one_that_runs(environment):
    closure = environment(asgid=("0.0.1", "nothing-like-it>=5"))
    assert closure.misses == []


@pytest.mark.parametrize(
    ("there", "absent"),
    [
        ("cryptography", "pyopenssl"),
        ("pyopenssl", "cryptography"),
        ("pydantic", "pydantic-core"),
        ("pydantic_core", "pydantic"),
    ],
)
def test_a_package_is_not_split_from_its_other_half(environment, there, absent):
    needs = ["pydantic-core"] if there == "pydantic" else []
    closure = environment(**{there: (version(there), *needs)})
    assert [split.absent for split in closure.splits()] == [absent]


def test_both_halves_from_the_environment_are_good(environment):
    closure = environment(
        cryptography=(version("cryptography"),), pyopenssl=(version("pyopenssl"), "cryptography>=1")
    )
    assert list(closure.splits()) == []


def test_our_own_compiled_packages_are_known():
    assert {"uvloop", "httptools"} <= set(Closure([]).compiled())
    assert "Twisted" not in Closure([]).compiled()


def test_the_environment_itself_has_everything():
    closure = Closure(sys.path)
    assert closure.misses == []
    assert [dist.name for dist in closure.own] in ([], ["asgid"])
