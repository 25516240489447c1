"""The grammar of the command line: what is refused, and what is suggested instead."""

from __future__ import annotations

import pytest

from asgid.daemon.cli.lint import parser as lint_parser
from asgid.daemon.cli.parsing import did_you_mean, serving_parser
from asgid.daemon.cli.status import UsageError


def read(*words):
    given, rest = serving_parser().read(words)
    return given, rest


@pytest.mark.parametrize(
    "order", [["app:app", "-p", "80"], ["-p", "80", "app:app"], ["-p", "80", "--", "app:app"]]
)
def test_the_application_may_stand_anywhere(order):
    given, rest = read(*order)
    assert given["port"] == 80
    assert (given.get("application") or rest[0]) == "app:app"


def test_a_flag_that_was_not_given_leaves_nothing_behind():
    assert read("app:app") == ({"application": "app:app"}, [])


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("--prot", "--port"),
        ("--websocket-timeout", "--websocket_timeout"),
        ("--confg", "--config"),
        ("--acess-log=x", "--access-log"),
        ("--no-server-nam", "--no-server-name"),
    ],
)
def test_an_unknown_flag_is_answered_with_the_nearest(word, near):
    with pytest.raises(UsageError) as caught:
        read(word, "1", "app:app")
    assert f"did you mean {near}?" in caught.value.help


def test_an_unknown_flag_without_a_near_one_points_to_the_help():
    with pytest.raises(UsageError) as caught:
        read("--qqqqqqqqq", "app:app")
    assert "--help" in caught.value.help


@pytest.mark.parametrize("word", ["--por", "--web", "--access"])
def test_an_abbreviation_is_not_taken(word):
    with pytest.raises(UsageError):
        read(word, "1", "app:app")


@pytest.mark.parametrize(
    "words",
    [
        ["-p", "65536"],
        ["-p", "-1"],
        ["-p", "http"],
        ["-p", "\uff18\uff10"],
        ["-p", "8_104"],
        ["-p", " 80"],
        ["-p", "9" * 5000],
        ["-p"],
        ["-t", "nan"],
        ["-t", "inf"],
        ["-t", "-2"],
        ["-v", "4"],
        ["--fd", "-1"],
        ["--fd", "1_0"],
        ["--ping-interval", "-1"],
        ["--lifespan", "maybe"],
        ["--drain", "soon"],
    ],
)
def test_a_value_that_means_nothing_is_wrong_usage(words):
    with pytest.raises(UsageError) as caught:
        read(*words)
    assert words[0] in str(caught.value)


def test_lint_takes_its_formats_alone():
    given = lint_parser().read(["f.toml", "--format", "json"])[0]
    assert (given["files"], given["format"]) == (["f.toml"], "json")
    with pytest.raises(UsageError, match="--format"):
        lint_parser().read(["f.toml", "--format", "xml"])


def test_the_help_names_every_flag():
    text = serving_parser().format_help()
    for name in serving_parser().known:
        assert name in text


def test_nothing_is_suggested_for_nothing_like_it():
    assert did_you_mean("zzz", ["lint", "endpoints"], "otherwise") == "otherwise"
