"""``[application] virtualenv``: started again with the environment's Python, or told why not."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from asgid.config import codes
from support.raw import Raw

APPLICATION = """
import json, os, sys
import only_there
import pydantic, asgid
facts = {"prefix": sys.prefix, "only": only_there.__file__, "pid": os.getpid(), "argv": sys.argv,
         "path": sys.path, "extra": os.environ.get("EXTRA")}
async def application(scope, receive, send):
    if scope["type"] != "http":
        raise ValueError("http alone")
    body = json.dumps(facts).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
"""
FILE = """
[application]
target = "site_there:application"
virtualenv = "venv"
environment = { EXTRA = "extra" }
[listeners.main]
address = "127.0.0.1"
port = 0
"""


@pytest.fixture
def venv(tmp_path):
    """A virtual environment without pip, whose site-packages are returned."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    (packages,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    packages.joinpath("only_there.py").write_text("")
    tmp_path.joinpath("site_there.py").write_text(APPLICATION)
    tmp_path.joinpath("listeners.toml").write_text(FILE)
    return packages


def metadata(packages, name, number):
    folder = packages / f"{name}-{number}.dist-info"
    folder.mkdir()
    folder.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n")


def test_the_application_runs_with_the_environments_python_and_packages_first(start, venv, tmp_path):
    server = start("--config", "listeners.toml").wait_serving()
    with Raw(server.first.place) as client:
        facts = json.loads(client.get("/").body)
    assert facts["prefix"] == str(tmp_path / "venv")
    assert facts["only"] == str(venv / "only_there.py")
    assert facts["argv"] == ["asgid", "--config", "listeners.toml"]
    assert facts["extra"] == "extra"
    assert facts["pid"] == server.pid
    assert facts["path"][0] == str(tmp_path)
    assert facts["path"].index(str(venv)) < len(facts["path"]) - 1
    assert server.stop() == 0


def test_what_is_too_old_is_told_with_both_versions_before_anything_is_imported(run, venv):
    metadata(venv, "uvloop", "0.14.0")
    metadata(venv, "httptools", "0.1.0")
    venv.joinpath("uvloop.py").write_text("raise SystemExit('it was imported')\n")
    done = run("--config", "listeners.toml")
    assert done.status == 1
    for words in ("uvloop >=", "0.14.0", "httptools >=", "0.1.0", "listeners.toml:4:14", "pip install"):
        assert words in done.err.text
    assert "it was imported" not in done.err.text
    assert done.err.text.count(f"error[{codes.DEPENDENCY_TOO_OLD}]") == 2
    by_hand = run("lint", "--live", "listeners.toml")
    assert by_hand.status == 1
    for package in ("uvloop", "httptools"):
        assert re.search(
            rf"^listeners\.toml:4:14: error\[{codes.DEPENDENCY_TOO_OLD}\]: .*{package}",
            by_hand.out.text,
            re.MULTILINE,
        )


def test_an_environment_that_is_not_there_is_told(run, venv, tmp_path):
    (tmp_path / "venv").rename(tmp_path / "moved")
    done = run("--config", "listeners.toml")
    assert done.status == 1
    assert "venv/bin/python" in done.err.text
    assert "Traceback" not in done.err.text


def test_a_python_that_belongs_elsewhere_is_told_and_not_started_again_and_again(run, venv, tmp_path):
    (tmp_path / "venv" / "pyvenv.cfg").unlink()
    done = run("--config", "listeners.toml")
    assert done.status == 1
    assert "belongs to" in done.err.text


def test_something_that_is_no_python_is_told(run, venv, tmp_path):
    python = tmp_path / "venv" / "bin" / "python"
    python.unlink()
    python.write_text("#!/bin/sh\nexit 3\n")
    python.chmod(0o755)
    done = run("--config", "listeners.toml")
    assert done.status == 1
    assert "does not run" in done.err.text
