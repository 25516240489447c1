"""``asgid convert``: its words, its streams, its statuses, its file."""

from __future__ import annotations

import os
import subprocess
import tomllib
from pathlib import Path

import pytest

from asgid.daemon.cli.commands import run
from support.files import write
from support.server import ASGID, clean_environment

README = (Path(__file__).parents[3] / "README.md").read_text()


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_file_goes_to_standard_output_and_what_is_said_to_standard_error(capsys):
    assert run(["convert", "--", "uvicorn", "--workers", "4", "site:app"]) == 0
    out, err = capsys.readouterr()
    assert tomllib.loads(out)["application"]["target"] == "site:app"
    assert err.startswith("command line: --workers: warning[ASG954]: ")


@pytest.mark.parametrize(
    "words",
    [
        ["--", "daphne", "-b", "::", "site:app"],
        ["daphne", "-b", "::", "site:app"],
        ["daphne -b :: site:app"],
        ["--", "A=1", "/x/bin/daphne", "-b", "::", "site:app"],
    ],
)
def test_a_command_line_needs_no_dashes_before_it(words, capsys):
    assert run(["convert", *words]) == 0
    assert tomllib.loads(capsys.readouterr().out)["listeners"]["web"]["address"] == "*"


def test_a_file_is_not_written_over_unless_told_to(here, capsys):
    words = ["--", "daphne", "site:app"]
    assert run(["convert", "-o", "l.toml", *words]) == 0
    assert capsys.readouterr() == ("", "l.toml: written\n")
    first = (here / "l.toml").read_text()
    write(here / "l.toml", "mine\n" + "#" * 10_000)
    assert run(["convert", "-o", "l.toml", *words]) == 2
    assert (here / "l.toml").read_text().startswith("mine\n")
    assert "--force writes over it" in capsys.readouterr().err
    assert run(["convert", "--output=l.toml", "--force", *words]) == 0
    assert (here / "l.toml").read_text() == first
    assert run(["lint", "l.toml"]) == 0


def test_nothing_is_written_where_something_must_not_be_lost(here, capsys):
    words = ["--", "gunicorn", "--certfile", "c", "--cert-reqs", "2", "site:app"]
    assert run(["convert", "-o", "l.toml", *words]) == 1
    out, err = capsys.readouterr()
    assert (out, "error[ASG951]" in err) == ("", True)
    assert not (here / "l.toml").exists()


def test_units_with_flags_on_either_side(here, capsys):
    unit = str(write(here / "a.service", "[Service]\nExecStart=daphne --fd 3 site:app\n"))
    socket = str(write(here / "a.socket", "[Socket]\nListenStream=80\n"))
    assert run(["convert", unit]) == 0
    assert "fd = 3" in capsys.readouterr().out
    assert run(["convert", "-o", "l.toml", unit, socket]) == 0
    assert run(["convert", unit, socket, "--force", "-o", "l.toml"]) == 0
    assert tomllib.loads((here / "l.toml").read_text())["listeners"]["socket"]["systemd"] == "a.socket"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "needs a command line, or a unit"),
        (["--"], "needs a command line, or a unit"),
        (["--froce", "daphne", "a:b"], "did you mean --force?"),
        (["-o"], "expected one argument"),
        (["-o", "", "--", "daphne", "a:b"], "-o needs a file"),
        (["-o", "no/such/folder/f", "--", "daphne", "a:b"], "cannot be written"),
        (["nginx", "-t"], "nginx is none of them"),
        (["--", "daphne", "--bund", "::", "a:b"], "did you mean --bind?"),
        (["none.service"], "none.service cannot be read"),
        (["none.service", "other"], "'other' is no unit"),
        (["--", "daphne"], "there is no application"),
        (["--", "daphne", "mysite/asgi.py"], "module:attribute"),
    ],
)
def test_wrong_usage_is_one_message_and_status_2(words, said, capsys):
    assert run(["convert", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("asgid: ")
    assert said in err


@pytest.mark.parametrize(
    "word", [b"\xff:app", b"a:\x1b[31mb", b"-\xff", b"--root-path=\xff", b"-b=\n\n", b"\xff.service"]
)
def test_bytes_that_are_no_text_are_no_traceback(word):
    for words in (
        [b"daphne", word],
        [b"daphne", word, b"a:b"],
        [word],
        [b"uvicorn", b"--header", b"X:" + word, b"a:b"],
    ):
        done = subprocess.run(
            [os.fsencode(ASGID), b"convert", b"--", *words],
            env=clean_environment(),
            capture_output=True,
            check=False,
        )
        assert done.returncode in {0, 1, 2}
        assert b"Traceback" not in done.stderr
        assert b"\x1b" not in done.stderr + done.stdout


def test_the_readme(here, capsys):
    section = README[README.index("## From another server") :]
    command = section[section.index("$ asgid convert ") + 2 :].partition("\n")[0]
    shown = section[section.index("```toml\n") + 8 :].partition("```")[0]
    assert run(command.split()[1:]) == 0
    out, err = capsys.readouterr()
    assert out.replace(str(here), "/srv/mysite") == shown
    said = section[section.index("$ asgid convert ") :].partition("\n")[2].partition("```")[0]
    assert err == said
