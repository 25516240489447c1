"""Where each value of a listener comes from."""

from __future__ import annotations

import tomllib

import pytest

from asgid.config import load
from asgid.config.keys import OVERRIDING, every_key
from asgid.config.settings import settings

FILE = """\
[application]
target = "a:b"
root_path = "/all"

[listeners.web]
address = "127.0.0.1"
port = 1
required = false
headers = { x-a = "b" }
timeouts.drain = 0.25

[listeners.web.limits]
body_size = "1MB"

[listeners.own]
unix = "x.sock"
root_path = ""

[listeners.passed]
fd = 3

[limits]
body_size = "10MB"
header_count = 7
"""


@pytest.fixture
def told(tmp_path):
    path = tmp_path / "l.toml"
    path.write_text(FILE)
    config = load(path).config

    def teller(name):
        return {each.key: each for each in settings(config, name)}

    return teller


def test_each_value_names_its_source_and_its_line(told):
    found = told("web")
    expected = {
        "required": ("false", "listener", 8),
        "headers": ('{ x-a = "b" }', "listener", 9),
        "timeouts.drain": ('"250ms"', "listener", 10),
        "limits.body_size": ('"1MB"', "listener", 13),
        "limits.header_count": ("7", "server-wide", 24),
        "root_path": ('"/all"', "server-wide", 3),
        "limits.request_line": ('"8KiB"', "default", None),
        "backlog": ("2048", "default", None),
        "exposure": ("", "default", None),
        "websocket.origins": ("", "default", None),
    }
    for key, (value, source, line) in expected.items():
        one = found[key]
        assert (one.value, one.source, one.place.line if one.place else None) == (value, source, line)


def test_a_listener_has_the_settings_that_belong_to_it(told):
    web, own, passed = told("web"), told("own"), told("passed")
    assert {"freebind", "backlog"} <= set(web)
    assert not {"mode", "owner", "family", "port", "address", "wait"} & set(web)
    assert (own["mode"].value, own["mode"].source) == ('"0660"', "default")
    assert (own["root_path"].value, own["root_path"].source, own["root_path"].place.line) == (
        '""',
        "listener",
        17,
    )
    assert (passed["backlog"].value, passed["backlog"].source) == ("", "default")
    assert (own["limits.body_size"].value, own["limits.body_size"].source) == ('"10MB"', "server-wide")


def test_every_available_key_of_the_tables_that_a_listener_overrides_is_told(told):
    expected = {key.dotted for key in every_key() if key.table in OVERRIDING and key.available}
    assert {each for each in told("web") if "." in each} == expected


def test_every_value_is_what_a_file_may_say(told):
    for one in told("web").values():
        if one.value:
            assert "value" in tomllib.loads(f"value = {one.value}")
