"""``asgid lint``: statuses, formats, standard input, this host, fixes; and the table of codes."""

from __future__ import annotations

import io
import json
import socket
import subprocess
import sys

import pytest

from asgid.config import Diagnostic, Place, codes
from asgid.config.rules import RULES
from asgid.daemon.cli import lint
from asgid.daemon.cli.commands import run
from support.files import probe_file, write
from support.server import ASGID, clean_environment

WRONG = '[application]\ntarget = "a:b"\n[listeners.a]\nadress = "127.0.0.1"\nport = 1\n'
GOOD = '[application]\ntarget = "a:b"\n[listeners.a]\naddress = "127.0.0.1"\nport = 1\n'


@pytest.fixture
def wrong(tmp_path):
    return str(write(tmp_path / "wrong.toml", WRONG))


@pytest.fixture
def good(tmp_path):
    return str(write(tmp_path / "good.toml", GOOD))


@pytest.fixture
def stdin(monkeypatch):
    def give(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    return give


def findings(*severities):
    return [Diagnostic(codes.BAD_VALUE, each, "m", Place("f")) for each in severities]


@pytest.mark.parametrize(
    ("found", "plain", "strict"),
    [
        ([], False, False),
        (["info"], False, False),
        (["warning", "info"], False, True),
        (["warning", "error"], True, True),
    ],
)
def test_errors_count_warnings_where_it_is_strict_infos_never(found, plain, strict):
    assert lint.count(findings(*found), strict=False) is plain
    assert lint.count(findings(*found), strict=True) is strict


def test_several_files_are_all_checked_and_the_worst_status_wins(wrong, good, tmp_path, capsys):
    assert run(["lint", good, wrong]) == 1
    assert run(["lint", wrong, str(tmp_path / "gone.toml"), good]) == 2
    said = capsys.readouterr().out
    assert said.count("wrong.toml:4:1: error[ASG101]") == 2
    assert "gone.toml:1:1: error[ASG001]" in said
    assert "good.toml" not in said


def test_standard_input_is_a_file(stdin, good, capsys):
    stdin(WRONG)
    assert run(["lint", good, "-"]) == 1
    assert capsys.readouterr().out.startswith("-:4:1: error[ASG101]")
    stdin(GOOD)
    assert run(["lint", "-", "--strict"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("style", ["json", "sarif"])
def test_what_a_program_reads_is_whole_where_there_is_nothing_to_say(good, style, capsys):
    assert run(["lint", good, "--format", style]) == 0
    assert json.loads(capsys.readouterr().out) in ([], json.loads(lint._rendered([], style)))


def test_json_has_every_field(wrong, capsys):
    run(["lint", wrong, "--format", "json"])
    (found,) = json.loads(capsys.readouterr().out)
    place = ["file", "line", "column", "end_line", "end_column"]
    assert sorted(found) == sorted(["code", "severity", "message", *place, "key", "help", "fix"])


def test_github_has_a_command_for_each(wrong, capsys):
    run(["lint", wrong, "--format", "github"])
    assert capsys.readouterr().out.startswith("::error title=asgid ASG101,")


def test_only_a_terminal_has_colours(wrong, monkeypatch):
    def shown(**env):
        command = ["script", "-qec", f"'{ASGID}' lint '{wrong}'", "/dev/null"]
        environment = clean_environment({"TERM": "xterm", **env})
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False).stdout

    assert "\x1b[" in shown()
    assert "\x1b[" not in shown(NO_COLOR="1")
    assert "\x1b[" not in shown(TERM="dumb")
    piped = subprocess.run([ASGID, "lint", wrong], capture_output=True, text=True, check=False).stdout
    assert "\x1b[" not in piped


def test_a_name_that_is_no_utf8_can_be_told(tmp_path, capsys):
    name = str(tmp_path) + "/\udcff.toml"
    for style in lint.FORMATS:
        assert run(["lint", name, "--format", style]) == 2
        assert "ASG001" in capsys.readouterr().out


def test_the_host_is_asked_when_told_to(tmp_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        path = probe_file(tmp_path, f'[listeners.a]\naddress = ["127.0.0.1", "192.0.2.1"]\nport = {port}\n')
        assert run(["lint", str(path)]) == 0
        capsys.readouterr()
        assert run(["lint", str(path), "--live", "--format", "json"]) == 1
        found = json.loads(capsys.readouterr().out)
    (_, absent) = [each for each in found if each["code"] in {"ASG801", "ASG804"}]
    assert absent["end_column"] - absent["column"] == len('"192.0.2.1"')


def test_the_host_is_not_asked_about_a_file_with_errors(wrong, capsys):
    assert run(["lint", wrong, "--live"]) == 1
    assert capsys.readouterr().out.count("error[") == 1


def test_every_code_is_in_the_table_and_can_be_explained(capsys):
    assert run(["rules"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == sorted(listed)
    assert set(listed) == set(RULES)
    for said in ("ASG101", "asg101", "101"):
        assert run(["explain", said]) == 0
        assert capsys.readouterr().out.startswith("ASG101: ")


def test_what_a_file_ignores_is_ignored_of_what_the_host_says_too(tmp_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        text = f'[listeners.a]\naddress = "127.0.0.1"{{0}}\nport = {port}\nrequired = false\n[listeners.b]\n'
        text += 'address = "127.0.0.1"\nport = 0\n'
        path = probe_file(tmp_path, text.format(""))
        run(["lint", str(path), "--live"])
        assert "warning[ASG804]" in capsys.readouterr().out
        for ignoring in (text.format("  # asgid: ignore ASG804"), text + '[lint]\nignore = ["ASG804"]\n'):
            path = probe_file(tmp_path, ignoring.format(""))
            assert run(["lint", str(path), "--live", "--strict"]) == 0
            assert capsys.readouterr().out == ""


def test_an_ignored_error_stays_one_and_the_attempt_is_told_of(tmp_path, capsys):
    path = write(tmp_path / "l.toml", GOOD.replace("port = 1", "port = 70000  # asgid: ignore ASG206"))
    assert run(["lint", str(path)]) == 1
    said = capsys.readouterr().out
    assert "error[ASG206]" in said
    assert "warning[ASG112]: ASG206 is an error, and stays one" in said


def test_a_kind_that_twisted_does_not_have_is_told_of_once(tmp_path, capsys):
    path = probe_file(tmp_path, '[listeners.a]\nendpoint = "onion:80"\n')
    assert run(["lint", str(path)]) == 0
    assert capsys.readouterr().out.count("[ASG") == 1
    assert run(["lint", str(path), "--live"]) == 1
    said = capsys.readouterr().out
    assert "error[ASG816]" in said
    assert said.count("[ASG") == 1


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_terminal_of_any_encoding_is_written_to_and_a_program_reads_utf8(tmp_path, encoding):
    path = write(tmp_path / "é日.toml", f"{GOOD}é日 = 1\n".replace("é日 =", '"é日" ='))
    environment = clean_environment() | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}

    def linted(style):
        words = [ASGID, "lint", "--format", style, path.name]
        done = subprocess.run(words, env=environment, cwd=tmp_path, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (1, b"")
        return done.stdout

    (found,) = json.loads(linted("json").decode("utf-8"))
    assert (found["file"], found["key"]) == ("é日.toml", 'listeners.a."é日"')
    assert "é日" in linted("sarif").decode("utf-8")
    assert linted("github").decode("utf-8").startswith("::error ")
    shown = linted("text").decode(encoding).splitlines()
    assert shown[1].startswith(' 6 | "')
    assert shown[0].startswith(
        {"ascii": "??", "latin-1": "é?", "utf-8": "é日"}[encoding] + ".toml:6:1: error"
    )


def test_who_reads_no_more_of_what_is_fixed_is_no_error(tmp_path):
    # Far more than a pipe holds.
    words = f"'{ASGID}' lint --fix - | head -c 1"
    done = subprocess.run(
        ["/bin/sh", "-c", words],
        input=(GOOD + "# much\n" * 100_000).encode(),
        env=clean_environment(),
        capture_output=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == (b"[", b"")
