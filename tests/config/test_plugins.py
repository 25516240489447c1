"""pydantic's plugins: none sees our models, and every one sees the application's."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from asgid.config.plugins import without_plugins

VARIABLE = "PYDANTIC_DISABLE_PLUGINS"
PLUGIN = """
class Plugin:
    def new_schema_validator(self, schema, schema_type, schema_type_path, schema_kind, config, settings):
        print("sees", schema_type.__module__, schema_type.__name__)
        return None, None, None

plugin = Plugin()
"""
APPLICATION = """
import os
from asgid.config import load_values
assert load_values({"application": {"target": "a:b"}, "listeners": {"a": {"fd": 3}}}).config
print("variable", os.environ.get("PYDANTIC_DISABLE_PLUGINS"))
from pydantic import BaseModel
class Item(BaseModel):
    name: str
assert Item(name="a").name == "a"
"""


@pytest.fixture
def installed(tmp_path):
    """Give a folder in which a distribution with a plugin is installed."""
    (tmp_path / "plug.py").write_text(PLUGIN)
    info = tmp_path / "plug-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plug\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[pydantic]\nplug = plug:plugin\n")
    return tmp_path


def run(folder, **environment):
    done = subprocess.run(
        [sys.executable, "-c", APPLICATION],
        capture_output=True,
        text=True,
        check=True,
        env={name: value for name, value in os.environ.items() if name != VARIABLE}
        | {"PYTHONPATH": str(folder)}
        | environment,
    )
    return done.stdout.splitlines()


def test_a_plugin_sees_the_models_of_the_application_and_none_of_ours(installed):
    assert run(installed) == ["variable None", "sees __main__ Item"]


def test_who_disabled_plugins_finds_them_disabled(installed):
    assert run(installed, **{VARIABLE: "other,plug"}) == ["variable other,plug"]


@pytest.mark.parametrize("before", [None, "", "some"])
def test_the_environment_is_as_it_was_whatever_happens_inside(monkeypatch, before):
    monkeypatch.delenv(VARIABLE, raising=False)
    if before is not None:
        monkeypatch.setenv(VARIABLE, before)
    with pytest.raises(ZeroDivisionError), without_plugins():
        raise ZeroDivisionError
    assert os.environ.get(VARIABLE) == before
