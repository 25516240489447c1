"""A Daphne command line as a file is what asgid's own flags make of it, key by key."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgid.config.convert.conversion import from_words
from asgid.config.convert.draft import ConvertError
from asgid.config.loading import load_bytes, load_values
from asgid.daemon.cli.parsing import serving_parser
from asgid.daemon.cli.values import values_of

APP = "mysite.asgi:application"


def by_flags(words, base):
    given_, _ = serving_parser().read([*words, APP])
    values = values_of({name: value for name, value in given_.items() if name != "application"}, APP)
    return load_values(values.tree, values.places).config.tables


def by_file(words, base):
    text = from_words(["daphne", *words, APP], base).text
    return load_bytes("listeners.toml", base, text.encode()).config.tables


LINES = (
    [],
    ["--websocket_timeout", "60"],
    ["--websocket_timeout", "-1"],
    ["--websocket_timeout", "0"],
    ["--websocket_connect_timeout", "3"],
    ["--websocket_connect_timeout", "-1"],
    ["--application-close-timeout", "0"],
    ["--application-close-timeout", "25"],
    ["-t", "30"],
    ["--ping-interval", "7"],
    ["--ping-timeout", "9"],
    ["--ping-interval", "5", "--ping-timeout", "0"],
    ["--websocket-max-message-size", "0", "--websocket-max-frame-size", "4096"],
    ["--root-path", "/app"],
    ["-v", "0"],
    ["-v", "2"],
    ["-v", "0", "--access-log", "-"],
    ["--access-log", "/var/log/a.log"],
    ["-s", "mine"],
    ["--no-server-name"],
    ["--proxy-headers"],
    ["--proxy-headers", "--proxy-headers-host", "X-Real-IP", "--proxy-headers-port", "X-Real-Port"],
    ["--log-fmt", "%(levelname)s %(message)s"],
)


@pytest.mark.parametrize("words", LINES, ids=" ".join)
def test_the_file_says_what_the_flags_say(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flags, file = by_flags(words, tmp_path), by_file(words, tmp_path)
    for table in ("proxy", "limits", "timeouts", "websocket", "daemon"):
        assert getattr(file, table) == getattr(flags, table), table
    if "--log-fmt" in words:
        assert file.log == flags.log
    else:  # Daphne's own pattern is the flags' alone: a file has asgid's
        assert file.log == flags.log.model_copy(update={"pattern": ""})
    assert file.application.root_path == flags.application.root_path
    assert file.application.directory == str(tmp_path)


@pytest.mark.parametrize(
    ("words", "listeners"),
    [
        ([], {"web": {"address": "127.0.0.1", "port": 8000}}),
        (["-p", "80"], {"web": {"address": "127.0.0.1", "port": 80}}),
        (["-b", "0.0.0.0"], {"web": {"address": "0.0.0.0", "port": 8000}}),
        (["-b", "[::1]", "-p", "0"], {"web": {"address": "::1", "port": 0}}),
        (["-b", "::"], {"web": {"address": "*", "port": 8000}}),
        (["-b", "fe80::1%eth0"], {"web": {"address": "fe80::1%eth0", "port": 8000}}),
        (["-b", "::ffff:10.0.0.1"], {"web": {"address": "10.0.0.1", "port": 8000}}),
        (["-b", "example.org"], {"web": {"endpoint": "tcp:port=8000:interface=example.org:backlog=2048"}}),
        (["-u", "/run/x.sock"], {"local": {"unix": "/run/x.sock", "mode": "0666"}}),
        (["--fd", "3"], {"inherited": {"fd": 3}}),
        (
            ["-e", "tcp:1", "-e", "tcp:2"],
            {"endpoint": {"endpoint": "tcp:1"}, "endpoint-2": {"endpoint": "tcp:2"}},
        ),
        (
            ["-b", "::", "-e", "tcp:8000"],
            {"web": {"address": "::", "port": 8000}, "endpoint": {"endpoint": "tcp:8000"}},
        ),
        (
            ["-b", "::", "-e", "tcp:8001:interface=0.0.0.0"],
            {"web": {"address": "*", "port": 8000}, "endpoint": {"endpoint": "tcp:8001:interface=0.0.0.0"}},
        ),
    ],
    ids=str,
)
def test_where_it_listens(words, listeners, tmp_path):
    assert tomllib.loads(from_words(["daphne", *words, APP], tmp_path).text)["listeners"] == listeners


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-p", "x"], "whole number"),
        (["-p", "65536"], "0 to 65535"),
        (["-v", "4"], "0 to 3"),
        (["--proxy-headers-host", "X"], "needs --proxy-headers"),
        (["--ping-timeout", "-5"], "seconds"),
        (["other:app"], "takes one application"),
    ],
)
def test_what_daphne_itself_refuses(words, said, tmp_path):
    with pytest.raises(ConvertError, match=said):
        from_words(["daphne", *words, APP], tmp_path)


def test_a_bad_string_is_refused_as_the_flag_refuses_it(tmp_path):
    made = from_words(["daphne", "-e", "tcp:8005:interface=::1", APP], tmp_path)
    assert made.text == ""
    (found,) = made.findings
    assert (found.code, found.severity) == ("ASG951", "error")
    assert r"tcp:8005:interface=\:\:1" in found.help


def test_what_daphne_believes_of_everybody_needs_a_decision(tmp_path):
    made = from_words(["daphne", "--proxy-headers", APP], tmp_path)
    assert [each.code for each in made.findings] == ["ASG953"]
    lines = made.text.splitlines()
    assert lines[lines.index('trusted = ["127.0.0.0/8", "::1/128", "unix"]') - 1].startswith(
        "# Daphne believes"
    )


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.one_of(
            st.tuples(
                st.just("-b"), st.sampled_from(["::", "0.0.0.0", "::1", "127.0.0.1", "[::]", "localhost"])
            ),
            st.tuples(st.just("-p"), st.integers(0, 65535).map(str)),
            st.tuples(st.just("--websocket_timeout"), st.integers(-1, 10**6).map(str)),
            st.tuples(st.just("--ping-interval"), st.integers(0, 10**5).map(str)),
            st.tuples(st.just("--ping-timeout"), st.integers(0, 10**5).map(str)),
            st.tuples(st.just("-e"), st.sampled_from(["tcp:1", r"tcp:2:interface=\:\:", "unix:/x"])),
            st.tuples(st.just("--root-path"), st.text(st.characters(categories=["L", "N"]), max_size=9)),
        ),
        max_size=6,
    )
)
def test_any_of_its_lines_lints_and_says_what_the_flags_say(tmp_path_factory, parts):
    base = tmp_path_factory.getbasetemp()
    words = [word for part in parts for word in part]
    try:
        flags = by_flags(words, base)
    except AttributeError:  # the flags are refused: two strings on one socket, say
        return
    file = by_file(words, base)
    if not flags.websocket.ping_interval:  # then the file leaves out what waits for an answer
        assert "ping_timeout" not in file.websocket.model_fields_set
        flags = flags.model_copy(
            update={"websocket": flags.websocket.model_copy(update={"ping_timeout": 20.0})}
        )
    assert (file.websocket, file.timeouts, file.limits) == (flags.websocket, flags.timeouts, flags.limits)
    assert file.application.root_path == flags.application.root_path
