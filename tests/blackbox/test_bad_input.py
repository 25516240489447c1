"""Bad files and bad flags: one clear diagnostic with its place, the right status, never a traceback."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import pytest

from support.files import write

GOOD = '[application]\ntarget = "probe:application"\n\n'
MAIN = '[listeners.main]\naddress = "127.0.0.1"\nport = 0\n'


@dataclass(frozen=True)
class Bad:
    """A file, the line its error stands on, and a word that the message must have."""

    text: str | bytes
    line: int
    words: str
    found: int = 1


def listener(*lines: str, name: str = "main") -> str:
    return f"{GOOD}[listeners.{name}]\n" + "".join(f"{line}\n" for line in lines)


# The header of a listener stands on line 4, its first key on line 5.
FILES = {
    "not TOML": Bad(GOOD + "this is = = not TOML\n", 4, "TOML"),
    "an unclosed string": Bad(GOOD + 'a = "b\n', 4, "TOML|string"),
    "not UTF-8": Bad(GOOD.encode() + b"# \xff\n", 4, "UTF-8"),
    "a key that stands twice": Bad(listener('address = "::1"', "port = 0", "port = 1"), 7, "port"),
    "an unknown table": Bad(GOOD + MAIN + "[limit]\nbody_size = 1\n", 7, "did you mean.*limits"),
    "an unknown key": Bad(GOOD + MAIN + "[limits]\nbody_sise = 1\n", 8, "did you mean.*body_size"),
    "an unknown key of a listener": Bad(
        listener('adress = "::1"', "port = 0"), 5, "did you mean.*address", 2
    ),
    "a key of the wrong type": Bad(listener('address = "127.0.0.1"', 'port = "http"'), 6, "port"),
    "a table that is a number": Bad("limits = 3\n" + GOOD + MAIN, 1, "limits"),
    "a bool for a number": Bad(listener('address = "127.0.0.1"', "port = true"), 6, "port"),
    "a banana for a duration": Bad(GOOD + MAIN + '[timeouts]\nkeep_alive = "banana"\n', 8, "banana"),
    "a negative duration": Bad(GOOD + MAIN + "[timeouts]\nkeep_alive = -1\n", 8, "keep_alive"),
    "a banana for a size": Bad(GOOD + MAIN + '[limits]\nbody_size = "banana"\n', 8, "banana"),
    "two ways to listen": Bad(listener('address = "127.0.0.1"', "port = 0", 'unix = "x.sock"'), 0, "unix"),
    "no way to listen": Bad(listener("backlog = 5"), 4, "address.*interface.*unix"),
    "a bad name": Bad(listener('address = "127.0.0.1"', "port = 0", name='"1 bad"'), 4, "1 bad"),
    "a port too high": Bad(listener('address = "127.0.0.1"', "port = 99999"), 6, "99999"),
    "a negative port": Bad(listener('address = "127.0.0.1"', "port = -1"), 6, "-1"),
    "no port": Bad(listener('address = "127.0.0.1"'), 0, "port"),
    "a host name": Bad(listener('address = "localhost"', "port = 0"), 5, "localhost"),
    "a bad IPv4 address": Bad(listener('address = "127.0.0.300"', "port = 0"), 5, "127.0.0.300"),
    "a bad address in a list": Bad(listener('address = ["127.0.0.1",\n  "::zz"]', "port = 0"), 6, "::zz"),
    "an empty list of addresses": Bad(listener("address = []", "port = 0"), 5, "address"),
    "a link-local address without its zone": Bad(listener('address = "fe80::1"', "port = 0"), 5, "zone|%"),
    "an empty zone": Bad(listener('address = "fe80::1%"', "port = 0"), 5, "zone"),
    "a bad mode": Bad(listener('unix = "x.sock"', 'mode = "rw-rw----"'), 6, "rw-rw----"),
    "a mode that is a number": Bad(listener('unix = "x.sock"', "mode = 660"), 6, "mode"),
    "a mode with a 9": Bad(listener('unix = "x.sock"', 'mode = "0690"'), 6, "0690"),
    "a mode beside an address": Bad(listener('address = "::1"', "port = 0", 'mode = "0600"'), 7, "mode"),
    "a backlog beside an endpoint": Bad(listener('endpoint = "tcp:0"', "backlog = 5"), 6, "backlog"),
    "a unix path that is too long": Bad(listener(f'unix = "/tmp/{"x" * 120}"'), 5, "10[78]"),
    "an unescaped endpoint": Bad(listener('endpoint = "tcp:8005:interface=::1"'), 5, r"interface=\\+:\\+:1"),
    "an endpoint with an unknown keyword": Bad(listener('endpoint = "tcp:80:interfase=x"'), 5, "interfase"),
    "an endpoint with a port too high": Bad(listener('endpoint = "tcp:99999"'), 5, "99999"),
    "an endpoint with a trailing backslash": Bad(listener("endpoint = 'tcp:80\\'"), 5, "backslash"),
    "an endpoint without a port": Bad(listener('endpoint = "tcp:"'), 5, "port"),
    "an empty endpoint": Bad(listener('endpoint = ""'), 5, "endpoint"),
    "no target": Bad("[application]\n" + MAIN, 1, "target"),
    "no application": Bad(MAIN, 1, "application"),
    "a target without a colon": Bad('[application]\ntarget = "probe"\n' + MAIN, 2, "module:attribute|:"),
    "no listener": Bad(GOOD, 1, "listener"),
    "what is not available yet": Bad(GOOD + MAIN + "[daemon]\nworkers = 4\n", 8, "not available yet"),
    "forwarded headers without trusted": Bad(
        GOOD + MAIN + '[proxy]\nforwarded = "x-forwarded"\n', 8, "trusted"
    ),
    "another kind of forwarded headers without trusted": Bad(
        GOOD + MAIN + '[proxy]\nforwarded = "rfc7239"\n', 8, "trusted"
    ),
    "the PROXY protocol without trusted": Bad(GOOD + MAIN + '[proxy]\nprotocol = "v2"\n', 8, "trusted"),
    "the PROXY protocol before TLS": Bad(
        listener('endpoint = "ssl:0:privateKey=a"', 'proxy = { protocol = "v1", trusted = ["::1"] }'),
        5,
        "TLS first",
    ),
    "a bad network": Bad(GOOD + MAIN + '[proxy]\ntrusted = ["10.0.0.0/99"]\n', 8, "10.0.0.0/99"),
    "two listeners in one place": Bad(
        GOOD
        + '[listeners.a]\naddress = "127.0.0.1"\nport = 8077\n'
        + '[listeners.b]\naddress = "127.0.0.1"\nport = 8077\n',
        0,
        "8077",
    ),
    "an exposure that is wider": Bad(
        listener('address = "0.0.0.0"', "port = 0", 'exposure = "loopback"'), 0, "loopback"
    ),
    "a header that is none": Bad(
        listener('address = "::1"', "port = 0", 'headers = {"a b" = "c"}'), 7, "a b"
    ),
}


@pytest.mark.parametrize("what", FILES)
def test_a_start_says_what_is_wrong_and_where_with_status_78(run, tmp_path, what):
    bad = FILES[what]
    path = write(tmp_path / "listeners.toml", bad.text)
    failed = run("--config", path)
    assert failed.status == 78, failed.err.text
    assert "Traceback" not in failed.err.text
    errors = re.findall(
        rf"^{re.escape(str(path))}:(\d+):(\d+): error\[(ASG\d+)\]", failed.err.text, re.MULTILINE
    )
    assert 1 <= len(errors) <= bad.found, failed.err.text
    if bad.line:
        assert str(bad.line) in {line for line, *_ in errors}, failed.err.text
    assert re.search(bad.words, failed.err.text, re.DOTALL), failed.err.text


@pytest.mark.parametrize("what", FILES)
def test_lint_finds_the_same_with_status_1_on_standard_output(run, tmp_path, what):
    bad = FILES[what]
    path = write(tmp_path / "listeners.toml", bad.text)
    found = run("lint", path, "--format", "json")
    assert found.status == 1, found.err.text
    assert found.err.lines == []
    errors = [each for each in json.loads(found.out.text) if each["severity"] == "error"]
    assert 1 <= len(errors) <= bad.found
    for each in errors:
        assert {"severity", "code", "message", "file", "line", "column", "key"} <= each.keys()
        assert each["file"] == str(path)
    if bad.line:
        assert bad.line in {each["line"] for each in errors}


def test_lint_of_a_good_file_is_silent_with_status_0(run, tmp_path):
    path = write(tmp_path / "listeners.toml", GOOD + MAIN)
    found = run("lint", path)
    assert (found.status, found.out.lines, found.err.lines) == (0, [], [])
    assert json.loads(run("lint", path, "--format", "json").out.text) == []


def test_a_byte_order_mark_is_no_error_and_columns_are_characters(run, tmp_path):
    text = "\ufeff" + GOOD + MAIN + '[limits]\n"bödy_sise" = 1\n'
    path = write(tmp_path / "listeners.toml", text)
    assert f"{path}:8:1:" in run("lint", path).out.text


@pytest.mark.parametrize("what", ["missing", "a folder"])
def test_a_file_that_cannot_be_read_is_78_at_start_and_2_for_lint(run, tmp_path, what):
    path = tmp_path / "nosuch.toml" if what == "missing" else tmp_path
    failed = run("--config", path)
    assert failed.status == 78
    assert str(path) in failed.err.text
    assert "Traceback" not in failed.err.text
    assert run("lint", path).status == 2
    assert run("endpoints", path).status in {1, 2}


def test_several_mistakes_are_told_at_once_in_the_order_of_the_file(run, tmp_path):
    text = (
        GOOD + MAIN + '[limits]\nbody_sise = 1\n[timeouts]\nkeep_alive = "banana"\n[websockets]\nqueue = 1\n'
    )
    path = write(tmp_path / "listeners.toml", text)
    lines = re.findall(rf"^{re.escape(str(path))}:(\d+):", run("--config", path).err.text, re.MULTILINE)
    assert lines == ["8", "10", "11"]


def test_an_endpoint_of_a_kind_that_nothing_here_opens_fails_the_start_in_one_line(run, tmp_path):
    # A package that is not installed here may bring the kind: the file is not wrong, this host lacks it.
    path = write(tmp_path / "listeners.toml", listener('endpoint = "nosuchkind:1"'))
    for arguments, place in (
        (["--config", path], f"{path}:5:12"),
        (["-e", "nosuchkind:1", "a:b"], "command line"),
    ):
        failed = run(*arguments)
        assert failed.status == 1
        assert re.search(rf"^{re.escape(place)}.*error\[ASG\d+\].*nosuchkind", failed.err.text)
        assert "Traceback" not in failed.err.text


FLAGS = {
    "an unknown flag": (["--prot", "8000", "probe:application"], "did you mean.*--port"),
    "no application": (["-p", "8000"], "module:attribute"),
    "a port that is none": (["-p", "http", "probe:application"], "http"),
    "a port too high": (["-p", "99999", "probe:application"], "99999"),
    "an application without a colon": (["probe"], "probe"),
    "an unescaped endpoint": (["-e", "tcp:8005:interface=::1", "a:b"], r"tcp:8005:interface=\\:\\:1"),
    "a trailing backslash": (["-e", "tcp:8005\\", "a:b"], "backslash"),
    "an endpoint without a port": (["-e", "tcp:", "a:b"], "port"),
    "an endpoint with an unknown keyword": (["-e", "tcp:80:interfase=x", "a:b"], "interfase"),
    "an endpoint with a port too high": (["-e", "tcp:99999", "a:b"], "99999"),
    "a bind that is no address": (["-b", "not an address", "a:b"], "not an address"),
    "a file beside an application": (["--config", "x.toml", "a:b"], "--config"),
    "a file beside a listener flag": (["--config", "x.toml", "-p", "80"], "--port.*file"),
    "a file without a name": (["--config", ""], "--config needs a file"),
    "two applications": (["a:b", "c:d"], "c:d"),
    "proxy header names without proxy headers": (["--proxy-headers-host", "X", "a:b"], "--proxy-headers"),
    "proxy headers of nobody": (["--proxy-headers", "--trusted", "", "a:b"], "nobody is trusted"),
    "an unknown verbosity": (["-v", "9", "a:b"], "9"),
}


@pytest.mark.parametrize("what", FLAGS)
def test_wrong_usage_is_status_2_and_says_what_to_write(run, what):
    arguments, words = FLAGS[what]
    failed = run(*arguments)
    assert failed.status == 2, failed.err.text
    assert "Traceback" not in failed.err.text
    assert re.search(words, failed.err.text, re.DOTALL), failed.err.text
    assert failed.out.lines == []


def test_asgid_config_in_the_environment_stands_in_for_the_flag(run, tmp_path):
    path = write(tmp_path / "listeners.toml", "nonsense")
    assert run(env={"ASGID_CONFIG": str(path)}).status == 78


def test_version_and_module(run, start, tmp_path):
    import subprocess
    import sys

    said = run("--version")
    assert said.status == 0
    assert re.fullmatch(r"asgid \d+\.\d+.*", said.out.text)
    same = subprocess.run(
        [sys.executable, "-m", "asgid", "--version"], capture_output=True, text=True, check=False
    )
    assert same.stdout.strip() == said.out.text
