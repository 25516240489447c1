"""``asgid diff``: what it prints, of which two files, and its statuses."""

from __future__ import annotations

import json
import subprocess

import pytest

from support.files import write
from support.server import ASGID

HEAD = '[application]\ntarget = "hello:app"\n'
OLD = (
    HEAD
    + """
[listeners.web]
address = ["127.0.0.1", "::1"]
port = 8080
[listeners.gone]
address = "127.0.0.1"
port = 8081
timeouts.drain = 0
[listeners.local]
unix = "a.sock"
[listeners.calm]
fd = 3
"""
)
NEW = (
    HEAD.replace("hello:app", "hello:other")
    + """
[listeners.web]
address = ["127.0.0.2", "::1"]
port = 8080
root_path = "/api"
[listeners.local]
unix = "a.sock"
mode = "0600"
[listeners.calm]
fd = 3
[listeners.admin]
address = "127.0.0.1"
port = 9000
"""
)
EXPECTED = """\
~ web: rebound
    closes 127.0.0.1:8080; its connections have 30s to finish, then they are cut
    opens 127.0.0.2:8080
    keeps [::1]:8080 and its connections
    root_path: "" -> "/api"
= local: retuned
    mode: "0660" -> "0600"
+ admin: added
    opens 127.0.0.1:9000
- gone: removed
    closes 127.0.0.1:8081; its connections are cut
! the process: only a restart takes over
    application.target: "hello:app" -> "hello:other"
"""


@pytest.fixture
def files(tmp_path):
    return write(tmp_path / "old.toml", OLD), write(tmp_path / "new.toml", NEW)


def test_each_listener_that_changes_is_told_by_its_mark_and_nothing_of_the_others(run, files):
    done = run("diff", *files)
    assert (done.status, done.out.lines, done.err.text) == (1, EXPECTED.splitlines(), "")


def test_json_says_the_same(run, files):
    done = run("diff", "--format", "json", *files)
    assert done.status == 1
    told = json.loads(done.out.text)
    assert [(each["listener"], each["change"]) for each in told["listeners"]] == [
        ("web", "rebound"), ("local", "retuned"), ("admin", "added"), ("gone", "removed"),
    ]  # fmt: skip
    assert told["listeners"][0]["closed"] == ["127.0.0.1:8080"]
    assert told["listeners"][1]["keys"] == [{"key": "mode", "old": '"0660"', "new": '"0600"'}]
    assert [each["key"] for each in told["restart"]] == ["application.target"]


@pytest.mark.parametrize("style", ["text", "json"])
def test_two_files_that_say_the_same_are_status_0(run, files, style):
    old, _ = files
    other = write(old.with_name("other.toml"), OLD.replace("8080", "8_080") + "# more\n")
    done = run("diff", old, other, "--format", style)
    assert (done.status, done.err.text) == (0, "")
    assert (
        done.out.text == ""
        if style == "text"
        else json.loads(done.out.text) == {"listeners": [], "restart": []}
    )


def test_the_new_file_is_read_as_if_it_stood_in_the_place_of_the_old(run, tmp_path):
    text = HEAD + '[listeners.local]\nunix = "a.sock"\n'
    old, new = write(tmp_path / "etc/l.toml", text), write(tmp_path / "elsewhere/l.toml", text)
    assert run("diff", old, new).status == 0
    write(new, text.replace("a.sock", "b.sock"))
    assert f"opens unix:{tmp_path}/etc/b.sock" in run("diff", old, new).out.text


def test_standard_input_is_one_of_the_two(files):
    old, new = files
    for words, given in ((("-", new), OLD), ((old, "-"), NEW)):
        done = subprocess.run(
            [ASGID, "diff", *words], input=given, capture_output=True, text=True, check=False, timeout=60
        )
        assert (done.returncode, done.stdout, done.stderr) == (1, EXPECTED, "")


def test_a_file_that_cannot_be_read_or_has_errors_is_status_2(run, files, tmp_path):
    old, _ = files
    wrong = write(tmp_path / "wrong.toml", OLD.replace("port", "prot"))
    for words in ((old, wrong), (wrong, old)):
        done = run("diff", *words)
        assert (done.status, done.out.text) == (2, "")
        assert "did you mean port?" in done.err.text
    done = run("diff", tmp_path / "none.toml", wrong)
    assert done.status == 2
    assert "none.toml" in done.err.text
    assert "wrong.toml:6:1" in done.err.text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "needs OLD and NEW"), (("a",), "needs NEW"), (("a", "b", "c"), "one word too many"),
        (("-", "-"), "standard input can be read once"), (("a", ""), "needs"),
        (("a", "b", "--formt", "json"), "did you mean --format?"),
        (("a", "b", "--format", "xml"), "invalid choice"),
    ],
)  # fmt: skip
def test_wrong_usage(run, words, said):
    done = run("diff", *words)
    assert done.status == 2
    assert said in done.err.text
    assert "Traceback" not in done.err.text
