"""``asgid init``: what it asks, what it takes, and that what it writes lints clean and serves."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import tomllib

import pytest

from asgid.config.addresses import Reach
from asgid.config.loading import load_bytes
from asgid.config.starter import Answers, starter
from support.files import SITE, write
from support.server import ASGID, PATIENCE_S, clean_environment

FLAGS = ("--application", "probe:application")


def init(folder, *words, stdin=subprocess.DEVNULL):
    return subprocess.run(
        [ASGID, "init", *words], cwd=folder, stdin=stdin, capture_output=True, text=True, check=False,
        timeout=PATIENCE_S, env=clean_environment(),
    )  # fmt: skip


def strict(folder, file="listeners.toml"):
    return subprocess.run(
        [ASGID, "lint", "--strict", file],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )


def on_terminal(folder, answers, *words):
    """Run it on a terminal of its own, type the answers; return its status and what stood on the terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [ASGID, "init", *words], cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs,
        env=clean_environment(), start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    os.write(ours, answers.encode())
    shown = b""
    try:
        while data := os.read(ours, 4096):
            shown += data
    except OSError:  # EIO: the other end is closed
        pass
    finally:
        os.close(ours)
    return process.wait(PATIENCE_S), shown.decode()


ALL_FLAGS = [
    (),
    ("--port", "0"),
    ("--listen", "all", "--port", "443"),
    ("--listen", "unix"),
    ("--unix", "/run/asgid/a b.sock"),
    ("--interface", "lo", "--port", "9"),
    ("--listen", "interface", "--interface", "nosuch0"),
    ("--proxy", "10.0.0.5,192.0.2.0/24 , 2001:db8::/32"),
    ("--unix", "x.sock", "--proxy", "none"),
    ("--listen", "loopback", "--app-dir", str(SITE)),
]


@pytest.mark.parametrize("flags", ALL_FLAGS, ids=" ".join)
def test_what_flags_say_is_written_and_lints_clean_with_strict(tmp_path, flags):
    done = init(tmp_path, *FLAGS, *flags)
    assert (done.returncode, done.stdout) == (0, "")
    assert "listeners.toml is written" in done.stderr
    assert (strict(tmp_path).returncode, strict(tmp_path).stdout) == (0, "")
    values = tomllib.loads((tmp_path / "listeners.toml").read_text())
    listener = values["listeners"]["web"]
    given = dict(zip(flags[::2], flags[1::2], strict=True))
    assert values["application"]["target"] == "probe:application"
    if "--port" in given:
        assert listener["port"] == int(given["--port"])
    assert listener.get("unix") == given.get(
        "--unix", "http.sock" if given.get("--listen") == "unix" else None
    )
    assert listener.get("interface") == given.get("--interface")
    assert values["application"].get("directory") == given.get("--app-dir")


def test_the_proxies_that_are_named_are_trusted_and_without_any_nobody_is(tmp_path):
    def trusted(*flags):
        return tomllib.loads(init(tmp_path, "-", *FLAGS, *flags).stdout).get("proxy", {}).get("trusted")

    assert trusted("--proxy", "10.0.0.5, unix") == ["10.0.0.5/32", "unix"]
    assert trusted() is None
    assert trusted("--listen", "unix") == ["unix"]
    assert trusted("--listen", "unix", "--proxy", "none") is None


def test_what_is_written_serves(tmp_path, start):
    done = init(tmp_path, *FLAGS, "--port", "0", "--app-dir", str(SITE))
    assert done.returncode == 0
    server = start("--config", tmp_path / "listeners.toml").wait_serving()
    assert {line.name for line in server.listeners} == {"web"}
    assert server.stop() == 0


def test_each_example_in_a_comment_is_right_as_it_stands(tmp_path):
    (tmp_path / "x").mkdir()
    for answers in (
        Answers("a:b"), Answers("a:b", where="unix"), Answers("a:b", where="interface", interface="eth0"),
        Answers("a:b", trusted=("10.0.0.1/32",), ipv6=False),
    ):  # fmt: skip
        text = starter(answers, "listeners.toml").replace("/srv/mysite", str(tmp_path / "x"))
        shown = re.sub(r"^# (?=\[|[a-z_]+ = )", "", text, flags=re.MULTILINE)
        assert shown.count("# [") == 0
        assert {"limits", "timeouts", "proxy"} <= set(tomllib.loads(shown))
        loaded = load_bytes("x", tmp_path, shown.encode())
        assert [each for each in loaded.diagnostics if each.severity != "info"] == []


def test_every_comment_behind_a_value_begins_in_the_same_column():
    lines = [line for line in starter(Answers("a:b"), "x").splitlines() if re.search(r"\S  +#", line)]
    assert len({line.rindex("# ") for line in lines}) == 1


def test_an_interface_is_declared_as_far_as_its_addresses_reach(tmp_path):
    text = init(tmp_path, "-", *FLAGS, "--interface", "lo").stdout
    assert tomllib.loads(text)["listeners"]["web"]["exposure"] == Reach.LOOPBACK.name.lower()
    assert "exposure" not in init(tmp_path, "-", *FLAGS, "--interface", "nosuch0").stdout


def test_a_file_that_is_there_is_left_alone_unless_forced(tmp_path):
    path = write(tmp_path / "listeners.toml", "mine")
    done = init(tmp_path, *FLAGS)
    assert done.returncode == 2
    assert "--force" in done.stderr
    assert path.read_text() == "mine"
    assert init(tmp_path, "--force", *FLAGS).returncode == 0
    assert "probe:application" in path.read_text()
    dangling = tmp_path / "dangling.toml"
    dangling.symlink_to(tmp_path / "elsewhere")
    done = init(tmp_path, "dangling.toml", *FLAGS)
    assert (done.returncode, "--force" in done.stderr) == (2, True)
    assert not (tmp_path / "elsewhere").exists()


def test_a_dash_is_standard_output_and_writes_no_file(tmp_path):
    done = init(tmp_path, "-", *FLAGS)
    assert (done.returncode, done.stderr) == (0, "")
    assert load_bytes("-", tmp_path, done.stdout.encode()).diagnostics == ()
    assert list(tmp_path.iterdir()) == []


def test_without_a_terminal_and_without_flags_the_flags_are_named(tmp_path):
    done = init(tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    for flag in ("--application", "--listen", "--port"):
        assert flag in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--application", "mysite"), "no module:attribute"),
        ((*FLAGS, "--port", "65536"), "a port is 0 to 65535"),
        ((*FLAGS, "--port", "x"), "a port is 0 to 65535"),
        ((*FLAGS, "--listen", "everywhere"), "invalid choice"),
        ((*FLAGS, "--listen", "interface"), "--interface eth0"),
        ((*FLAGS, "--interface", "a/b"), "no network interface's name"),
        ((*FLAGS, "--unix", ""), "the path is empty"),
        ((*FLAGS, "--unix", "x", "--port", "1"), "has no port"),
        ((*FLAGS, "--unix", "x", "--listen", "all"), "--unix does not go with all"),
        ((*FLAGS, "--proxy", "proxy.example"), 'neither a network nor "unix"'),
        ((*FLAGS, "--proxy", "10.0.0.1,::/0"), "::/0 is everyone"),
        ((*FLAGS, "--proxy", "10.0.0.5", "--listen", "all"), "--proxy does not go with all"),
        ((*FLAGS, "--app-dir", "nosuch"), "there is no directory"),
        ((*FLAGS, "--aplication", "a:b"), "did you mean --application?"),
        ((*FLAGS, "a.toml", "b.toml"), "one word too many"),
        (("", *FLAGS), "needs a name"),
        ((*FLAGS, "nosuch/l.toml"), "there is no directory nosuch"),
        ((*FLAGS, "--interface", "\udcff"), "not UTF-8"),
        ((*FLAGS, "--unix", "x" * 200), "107 bytes"),
    ],
    ids=ascii,
)  # fmt: skip
def test_a_wrong_answer_is_said_and_nothing_is_written(tmp_path, flags, said):
    done = init(tmp_path, *flags)
    assert done.returncode == (1 if said == "107 bytes" else 2)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert (done.stdout, list(tmp_path.iterdir())) == ("", [])


def test_on_a_terminal_it_asks_and_asks_again_for_what_cannot_be(tmp_path):
    answers = "mysite\nprobe:application\nnosuch\n\nlopback\nloopback\nhttp\n8123\nx.example\n10.0.0.5\n"
    status, shown = on_terminal(tmp_path, answers)
    assert status == 0, shown
    for said in (
        "The application", "is no module:attribute", "there is no directory", "did you mean loopback?",
        "a port is 0 to 65535", "is neither a network", "listeners.toml is written",
    ):  # fmt: skip
        assert said in shown
    values = tomllib.loads((tmp_path / "listeners.toml").read_text())
    assert values["application"] == {"target": "probe:application"}
    listener = values["listeners"]["web"]
    assert "127.0.0.1" in listener["address"]
    assert listener["port"] == 8123
    assert values["proxy"]["trusted"] == ["10.0.0.5/32"]
    assert strict(tmp_path).returncode == 0


def test_on_a_terminal_an_empty_answer_is_the_default_and_flags_are_not_asked_for(tmp_path):
    status, shown = on_terminal(tmp_path, "a:b\n\n\n", "--unix", "x.sock")
    assert status == 0, shown
    assert "Listen on" not in shown
    assert "The port" not in shown
    values = tomllib.loads((tmp_path / "listeners.toml").read_text())
    assert values["listeners"]["web"]["unix"] == "x.sock"
    assert values["proxy"]["trusted"] == ["unix"]


def test_every_address_is_declared_public_and_no_proxy_is_asked_for(tmp_path):
    status, shown = on_terminal(tmp_path, "a:b\n\nall\n\n")
    assert status == 0, shown
    assert "Proxies" not in shown
    values = tomllib.loads((tmp_path / "listeners.toml").read_text())
    assert values["listeners"]["web"]["address"] in {"*", "0.0.0.0"}
    assert (values["listeners"]["web"]["exposure"], values.get("proxy")) == ("public", None)
    assert strict(tmp_path).returncode == 0


def test_an_interface_is_asked_for_with_those_that_are_there(tmp_path):
    status, shown = on_terminal(tmp_path, "a:b\n\ninterface\nlo\n\n\n")
    assert status == 0, shown
    assert re.search(r"this host has .*\blo\b", shown)
    assert tomllib.loads((tmp_path / "listeners.toml").read_text())["listeners"]["web"]["interface"] == "lo"


@pytest.mark.parametrize("typed", ["\x04", "a:b\n\x04"])
def test_the_end_of_the_answers_writes_nothing(tmp_path, typed):
    status, shown = on_terminal(tmp_path, typed)
    assert status == 2, shown
    assert "nothing is written" in shown
    assert list(tmp_path.iterdir()) == []
