"""The command as it is run: exit statuses, what goes to which stream, and what is imported for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from asgid.daemon import __version__
from support.files import probe_file, write
from support.server import ASGID, clean_environment

WRONG_KEY = '[listeners.a]\nadress = "127.0.0.1"\nport = 1\n'


@pytest.mark.parametrize(
    "command", [[ASGID], [sys.executable, "-m", "asgid"], [sys.executable, "-m", "asgid.daemon"]]
)
def test_the_version_is_printed_by_every_way_to_start(command, tmp_path):
    run = [*command, "--version"]
    done = subprocess.run(
        run, capture_output=True, text=True, check=True, cwd=tmp_path, env=clean_environment()
    )
    assert (done.stdout, done.stderr) == (f"asgid {__version__}\n", "")


def imported(*words, cwd):
    code = (
        "import sys\nfrom asgid.daemon.cli import main\nstatus = main(sys.argv[1:])\n"
        "print('modules:', *sys.modules, file=sys.stderr)\nsys.exit(status)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False, cwd=cwd
    )
    return set(done.stderr.rpartition("modules:")[2].split())


def test_the_version_needs_nothing(tmp_path):
    found = imported("--version", cwd=tmp_path)
    assert not found & {"argparse", "pydantic", "twisted", "asyncio", "uvloop", "logging", "re"}


def test_lint_and_endpoints_need_no_reactor(tmp_path):
    path = str(probe_file(tmp_path))
    for command in ("lint", "endpoints", "show"):
        assert not imported(command, path, cwd=tmp_path) & {"twisted", "asyncio", "uvloop", "autobahn"}


def test_the_other_commands_about_files_need_no_reactor_either(tmp_path):
    path = str(probe_file(tmp_path))
    for words in (("diff", path, path), ("schema",), ("init", "-", "--application", "a:b")):
        assert not imported(*words, cwd=tmp_path) & {"twisted", "asyncio", "uvloop", "autobahn"}


def test_wrong_usage_of_a_command_needs_no_pydantic(tmp_path):
    for words in (("show",), ("diff", "a"), ("schema", "x"), ("init", "a", "b"), ("init",)):
        assert not imported(*words, cwd=tmp_path) & {"pydantic", "twisted", "asyncio"}


@pytest.mark.parametrize(
    "words", [("schema",), ("show", "FILE", "main"), ("init", "-", "--application", "a:b")]
)
def test_a_reader_that_has_gone_is_no_error(tmp_path, words):
    path = str(probe_file(tmp_path))
    command = [ASGID, *(path if word == "FILE" else word for word in words)]
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False, timeout=60
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_file_alone_needs_no_parser(tmp_path):
    path = str(tmp_path / "none.toml")
    for words in (["--config", path], ["lint", path], ["endpoints", path]):
        assert "argparse" not in imported(*words, cwd=tmp_path)


def test_wrong_usage_needs_nothing_but_argparse(tmp_path):
    assert not imported("--prot", "80", cwd=tmp_path) & {"pydantic", "twisted", "asyncio", "uvloop"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "nothing to serve"),
        (["lnt", "x.toml"], "did you mean lint?"),
        (["endpoint", "x.toml"], "did you mean endpoints?"),
        (["mysite"], "module:attribute"),
        (["a:b", "c:d"], "one word too many"),
        (["--config", "f.toml", "a:b"], "do not go together"),
        (["--config", "f.toml", "-p", "80"], "listeners.NAME.port"),
        (["--config", "f.toml", "-v", "2"], "log.level"),
        (["--config"], "expected one argument"),
        (["--config", "-p"], "expected one argument"),
        (["--config", "a.toml", "b.toml"], "do not go together"),
        (["lint", ""], "needs a file"),
        (["lint", "--fromat"], "did you mean --format?"),
        (["lint"], "needs a file"),
        (["endpoints", "a", "b"], "one word too many"),
        (["lint", "-", "-"], "standard input can be read once"),
        (["explain", "ASG000"], "asgid rules lists them"),
        (["explain"], "asgid explain CODE"),
        (["lint", "a", "--fromat", "json"], "did you mean --format?"),
        (["--proxy-headers-host", "X", "a:b"], "needs --proxy-headers"),
        (["-e", "tcp:99999", "a:b"], "99999"),
    ],
)
def test_wrong_usage_is_status_2_with_a_line_of_help_and_never_a_traceback(run, words, said):
    done = run(*words)
    assert done.status == 2
    assert said in done.err.text
    assert "Traceback" not in done.err.text
    assert done.out.text == ""


def test_the_environment_names_the_file_where_nothing_else_does(run, tmp_path):
    path = write(tmp_path / "broken.toml", WRONG_KEY)
    assert run(env={"ASGID_CONFIG": str(path)}).status == 78
    done = run("asgid_nowhere:app", env={"ASGID_CONFIG": str(path)})
    assert done.status == 1
    assert "asgid_nowhere" in done.err.text


def test_a_listener_flag_beside_the_environments_file_is_wrong_usage(run, tmp_path):
    done = run("-p", "80", env={"ASGID_CONFIG": str(probe_file(tmp_path))})
    assert done.status == 2


def test_findings_go_to_standard_output_and_make_status_1(run, tmp_path):
    done = run("lint", write(tmp_path / "f.toml", WRONG_KEY))
    assert done.status == 1
    assert "f.toml:2:1" in done.out.text
    assert done.err.text == ""


def test_a_good_file_is_status_0_and_says_nothing(run, tmp_path):
    done = run("lint", probe_file(tmp_path))
    assert (done.status, done.out.text, done.err.text) == (0, "", "")


@pytest.mark.parametrize("extra", [[], ["--format", "text"], ["--format", "json"]])
def test_a_file_that_cannot_be_read_is_status_2(run, tmp_path, extra):
    done = run("lint", tmp_path / "gone.toml", *extra)
    assert done.status == 2
    assert "gone.toml" in done.out.text


def test_json_findings_are_an_array(run, tmp_path):
    done = run("lint", write(tmp_path / "f.toml", WRONG_KEY), "--format", "json")
    for found in json.loads(done.out.text):
        assert {"severity", "code", "message", "file", "line", "column", "key"} <= set(found)
    assert json.loads(run("lint", probe_file(tmp_path), "--format", "json").out.text) == []


def test_a_reader_that_leaves_early_is_no_traceback(tmp_path):
    path = write(tmp_path / "f.toml", "".join(f"[listeners.a{n}]\nadress = 1\n" for n in range(3000)))
    line = f"'{ASGID}' lint '{path}' | head -1 > /dev/null"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_endpoints_of_a_broken_file_go_nowhere_and_say_why(run, tmp_path):
    done = run("endpoints", write(tmp_path / "f.toml", WRONG_KEY))
    assert (done.status, done.out.text) == (1, "")
    assert "f.toml:2:1" in done.err.text
