"""The application's variables and directory, each set in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from asgid.config import codes

PROBE = """
import json, os, sys, time
from pathlib import Path
from asgid.config.spec import ApplicationSpec, Place
from asgid.daemon.supervise.environment import enter
said = json.loads(sys.argv[1])
directory = Path(said["directory"]) if said["directory"] else None
places = {"place": Place("f", 1), "directory_place": Place("f", 3, 4)}
spec = ApplicationSpec("a:b", **places, directory=directory, environment=said["environment"])
found = enter(spec)
found = found and [found.code, str(found.place), found.key, found.message]
print(json.dumps([found, os.getcwd(), sys.path[:2], dict(os.environ), time.tzname[0]]))
"""


def enter(directory, environment, cwd):
    said = json.dumps({"directory": directory and str(directory), "environment": environment})
    run = [sys.executable, "-P", "-c", PROBE, said]
    done = subprocess.run(run, capture_output=True, text=True, check=True, cwd=cwd)
    return json.loads(done.stdout)


def test_the_directory_is_entered_and_first_on_the_path(tmp_path):
    there = tmp_path / "site"
    there.mkdir()
    found, cwd, path, _, _ = enter(there, {}, tmp_path)
    assert found is None
    assert cwd == path[0] == str(there)


def test_without_a_directory_the_current_one_is_first_on_the_path_and_not_left(tmp_path):
    found, cwd, path, _, _ = enter(None, {}, tmp_path)
    assert found is None
    assert cwd == path[0] == os.path.realpath(tmp_path)


def test_the_variables_win_over_the_process_own(tmp_path):
    _, _, _, environment, _ = enter(None, {"HOME": "/elsewhere", "DJANGO_SETTINGS_MODULE": "a.b"}, tmp_path)
    assert environment["HOME"] == "/elsewhere"
    assert environment["DJANGO_SETTINGS_MODULE"] == "a.b"


def test_a_time_zone_among_the_variables_takes_effect(tmp_path):
    assert enter(None, {"TZ": "XYZ-3"}, tmp_path)[4] == "XYZ"


def test_a_directory_that_is_not_there_is_a_diagnostic_where_it_is_named(tmp_path):
    found, cwd, _, _, _ = enter(tmp_path / "gone", {}, tmp_path)
    assert found[:3] == [codes.APPLICATION_DIRECTORY, "f:3:4", "application.directory"]
    assert str(tmp_path / "gone") in found[3]
    assert cwd == os.path.realpath(tmp_path)


def test_a_python_path_among_the_variables_comes_after_the_directory(tmp_path):
    more = [str(tmp_path / "one"), str(tmp_path / "two")]
    variables = {"PYTHONPATH": ":".join([more[0], "", *more])}
    said = json.dumps({"directory": str(tmp_path), "environment": variables})
    probe = PROBE.replace("sys.path[:2]", "sys.path[:4]")
    run = [sys.executable, "-P", "-c", probe, said]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    path = json.loads(done.stdout)[2]
    assert path[:3] == [str(tmp_path), *more]
    assert path[3] not in more
