"""What surrounds the application: its directory, environment, virtual environment, logs and context."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import venv

import pytest

from support.files import SITE, write
from support.raw import Raw

SOURCE = (SITE / "surroundings.py").read_text().replace("from __future__ import annotations\n", "")
MAIN = '\n[listeners.main]\naddress = "127.0.0.1"\nport = 0\n'


@pytest.fixture
def surroundings(start, tmp_path):
    """Start asgid with this ``[application]`` table and return what the application says it runs in."""

    def asked(table: str, *, rest: str = "", **options):
        path = write(tmp_path / "listeners.toml", f"[application]\n{table}\n{MAIN}{rest}")
        server = start("--config", path, **options).wait_serving()
        with Raw(server.first.place) as client:
            return json.loads(client.get("/first").body), server

    return asked


IN_SITE = f'target = "surroundings:application"\ndirectory = "{SITE}"\n'


def test_the_directory_is_first_on_the_path_and_the_working_directory(surroundings, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    got, _ = surroundings(IN_SITE, cwd=tmp_path / "elsewhere")
    assert got["cwd"] == got["path"][0] == str(SITE)


def test_without_a_directory_it_is_the_files_own(surroundings, tmp_path):
    write(tmp_path / "mine.py", SOURCE)
    (tmp_path / "elsewhere").mkdir()
    got, _ = surroundings('target = "mine:application"', cwd=tmp_path / "elsewhere")
    assert got["cwd"] == got["path"][0] == str(tmp_path)


def test_environment_wins_over_its_file_and_that_over_the_process(surroundings, tmp_path):
    write(tmp_path / "site.env", "# a comment\nA=file\nB=\"file with spaces\"\nC='file'\n\n")
    table = IN_SITE + 'environment_file = "site.env"\nenvironment = { A = "table" }\n'
    got, _ = surroundings(table, env={"A": "process", "B": "process", "D": "process"})
    assert {key: got["environment"].get(key) for key in "ABCD"} == {
        "A": "table", "B": "file with spaces", "C": "file", "D": "process",
    }  # fmt: skip


def test_an_environment_file_that_is_not_there_is_told(run, tmp_path):
    text = f"[application]\n{IN_SITE}environment_file = 'nosuch.env'\n{MAIN}"
    failed = run("--config", write(tmp_path / "listeners.toml", text))
    assert failed.status in {1, 78}
    assert re.search(r":4:\d+: error\[ASG\d+\].*nosuch\.env", failed.err.text)


def test_a_factory_is_called(surroundings):
    got, _ = surroundings(IN_SITE.replace("application", "factory") + "factory = true\n")
    assert got["task"] is True


def test_a_factory_that_wants_an_argument_is_told(run, tmp_path):
    text = f"[application]\n{IN_SITE.replace('application', 'not_a_factory')}factory = true\n{MAIN}"
    failed = run("--config", write(tmp_path / "listeners.toml", text))
    assert failed.status == 1
    assert re.search(r":2:\d+: error\[ASG\d+\].*not_a_factory", failed.err.text)


def test_a_virtual_environments_python_and_packages_are_the_applications(surroundings, tmp_path):
    folder = tmp_path / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    packages = folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    write(packages / "library.py", "WHOSE = 'the virtual environment'\n")
    write(tmp_path / "mine.py", "import library\n" + SOURCE)
    got, server = surroundings('target = "mine:application"\nvirtualenv = "venv"\n')
    assert got["prefix"] == str(folder)
    assert got["library"] == "the virtual environment"
    assert server.stop() == 0


def test_a_virtual_environment_that_is_none_is_told(run, tmp_path):
    text = f'[application]\n{IN_SITE}virtualenv = "nosuch"\n{MAIN}'
    failed = run("--config", write(tmp_path / "listeners.toml", text))
    assert failed.status in {1, 78}
    assert re.search(r":\d+:\d+: error\[ASG\d+\].*nosuch", failed.err.text)


def test_a_dependency_of_asgids_that_is_too_old_there_is_told_with_both_versions(run, tmp_path):
    folder = tmp_path / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    packages = folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    write(
        packages / "twisted-16.0.0.dist-info" / "METADATA",
        "Metadata-Version: 2.1\nName: Twisted\nVersion: 16.0.0\n",
    )
    write(packages / "twisted" / "__init__.py", "")
    text = f'[application]\n{IN_SITE}virtualenv = "venv"\n{MAIN}'
    failed = run("--config", write(tmp_path / "listeners.toml", text))
    assert failed.status == 1
    assert re.search(r"error\[ASG\d+\].*[Tt]wisted.*16\.0\.0.*\d+\.\d+", failed.err.text, re.DOTALL)
    assert "Traceback" not in failed.err.text


@pytest.mark.parametrize(("level", "lines"), [("debug", 3), ("info", 2)])
def test_its_log_lines_come_out_at_the_level_of_the_file(surroundings, level, lines):
    _, server = surroundings(IN_SITE, rest=f'[log]\nlevel = "{level}"\n')
    assert server.stop() == 0
    assert len([line for line in server.err.lines if " surroundings: " in line]) == lines


def test_an_application_that_configures_logging_is_left_alone_and_asgid_still_speaks(start, tmp_path):
    write(
        tmp_path / "mine.py",
        "import logging.config\n"
        "logging.config.dictConfig({'version': 1, 'formatters': {'f': {'format': 'MINE %(message)s'}},\n"
        "  'handlers': {'h': {'class': 'logging.StreamHandler', 'formatter': 'f'}},\n"
        "  'root': {'handlers': ['h'], 'level': 'INFO'}})\n" + SOURCE,
    )
    path = write(tmp_path / "listeners.toml", f'[application]\ntarget = "mine:application"\n{MAIN}')
    server = start("--config", path).wait_serving()
    with Raw(server.first.place) as client:
        client.get("/mine")
    assert server.stop() == 0
    assert "MINE a warning about /mine" in server.err.lines


def test_each_request_has_a_context_of_its_own(start, tmp_path):
    path = write(tmp_path / "listeners.toml", f"[application]\n{IN_SITE}{MAIN}")
    server = start("--config", path).wait_serving()
    with Raw(server.first.place) as client:
        assert [json.loads(client.get(f"/{number}").body)["before"] for number in range(3)] == ["nothing"] * 3


@pytest.mark.usefixtures("port_8000")
def test_the_example_of_the_package_serves_its_three_listeners(start):
    from asgid.daemon import example

    path = f"{next(iter(example.__path__))}/listeners.toml"
    server = start("--config", path)
    said = server.err.wait_for(r"serves|\[ASG804\]")  # or port 8000 is somebody else's on this machine
    if "serves" in said[0]:
        assert [line.name for line in server.listeners] == ["loopback4", "loopback6", "local"]
        assert server.stop() == 0


def test_curl_speaks_to_every_kind_of_listener(serve, tmp_path):
    server = serve(
        '[listeners.four]\naddress = "127.0.0.1"\nport = 0\n[listeners.six]\naddress = "::1"\nport = 0\n'
        '[listeners.local]\nunix = "probe.sock"\n'
    )
    for name in ("four", "six"):
        said = subprocess.run(
            ["curl", "-sS", f"{server.listener(name).url}/hello"], capture_output=True, text=True, check=True
        )
        assert said.stdout == "hello\n"
    unix = ["curl", "-sS", "--unix-socket", tmp_path / "probe.sock", "http://localhost/hello"]
    assert subprocess.run(unix, capture_output=True, text=True, check=True).stdout == "hello\n"
