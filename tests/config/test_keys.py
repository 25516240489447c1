"""The keys of the language as data: all of them, and as the models have them."""

from __future__ import annotations

import tomllib

import pytest

from asgid.config import about, load_values, models, shape
from asgid.config.keys import LISTENER, OVERRIDING, every_key
from support.language import tree_with

KEYS = {key.dotted: key for key in every_key()}


def test_every_key_is_told_of_and_nothing_else_is():
    assert set(about.KEYS) == set(KEYS)
    assert set(about.TABLES) == {key.table for key in KEYS.values()}
    assert set(about.SINCE) <= set(KEYS)


def test_every_field_of_the_models_is_a_key():
    expected = {f"{LISTENER}.{name}" for name in models.Listener.model_fields if name not in OVERRIDING}
    expected |= {f"{LISTENER}.tls.{name}" for name in models.Tls.model_fields}
    expected |= {f"{LISTENER}.tls.certificates.{name}" for name in models.Certificate.model_fields}
    for name in set(models.Root.model_fields) - {"listeners"}:
        model = models.Root.model_fields[name].annotation
        expected |= {f"{name}.{each}" for each in model.model_fields}
    assert set(KEYS) == expected


LOOKED_AT = [name for name, key in KEYS.items() if key.default and not name.startswith(f"{LISTENER}.tls.")]
"""The keys with a default that may be written: in a table that is not available yet none is looked at."""


@pytest.mark.parametrize("name", LOOKED_AT)
def test_the_default_is_written_as_a_file_may_write_it_and_means_the_default(name):
    key = KEYS[name]
    loaded = load_values(tree_with(key, tomllib.loads(f"value = {key.default}")["value"]))
    assert loaded.config is not None, loaded.diagnostics
    assert value_of(loaded, key) == value_of(load_values(tree_with(key)), key)


def value_of(loaded, key):
    at = loaded.config.tables
    for part in key.dotted.replace("NAME", "one").split("."):
        at = at[part] if isinstance(at, dict) else getattr(at, part)
    return at


def test_a_key_that_is_not_available_yet_takes_nothing_but_its_default():
    refused = [key for key in KEYS.values() if key.refused_but_default]
    assert {key.dotted for key in refused} >= {"listeners.NAME.tls", "daemon.workers", "log.format"}
    other = {"boolean": True, "duration": "7s", "table": {}, "list of strings": ["ASG101"]}
    for key in refused:
        value = other.get(key.type, key.type.rpartition('"json"')[1].strip('"') or "https")
        value = 7 if key.name == "workers" else value
        found = load_values(tree_with(key, value)).diagnostics
        assert [each.code for each in found] == ["ASG601"], (key, found)


def test_the_ways_of_a_key_are_those_that_the_language_holds_it_to():
    assert {key.name: key.ways for key in KEYS.values() if key.ways} == shape.BELONGS_TO
