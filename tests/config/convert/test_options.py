"""Every option of the servers that are installed is one of the tables', written and read in the same way."""

from __future__ import annotations

import argparse
import contextlib
import sys
from importlib import import_module

import click
import pytest
import twisted.internet

from asgid.config.convert import daphne, gunicorn, hypercorn, uvicorn
from asgid.config.convert.command import SERVERS as NAMES
from asgid.config.convert.conversion import from_words, module_of
from asgid.config.convert.draft import ConvertError
from asgid.config.convert.options import Later, LeftOut, Lost, Own, Put, Words

SERVERS = {name: module_of(name) for name in NAMES}


def by_argparse(parser: argparse.ArgumentParser) -> dict[str, tuple[bool, bool]]:
    """Each name with whether it takes no value, and whether it adds up."""
    found = {}
    for action in parser._actions:
        if not action.option_strings or isinstance(action, argparse._HelpAction | argparse._VersionAction):
            continue
        for name in action.option_strings:
            found[name] = (action.nargs == 0, isinstance(action, argparse._AppendAction))
    return found


def by_click(command: click.Command) -> dict[str, tuple[bool, bool]]:
    found = {}
    for option in command.params:
        if isinstance(option, click.Option):
            for name in (*option.opts, *option.secondary_opts):
                found[name] = (option.is_flag, option.multiple)
    return found


def names_of(server: str) -> dict[str, tuple[bool, bool]]:
    if server == "daphne":
        return by_argparse(daphne_parser())
    if server == "uvicorn":
        return by_click(import_module("uvicorn.main").main)
    if server == "granian":
        return by_click(import_module("granian.cli").cli)
    if server == "gunicorn":
        return by_argparse(import_module("gunicorn.config").Config().parser())
    return by_argparse(hypercorn_parser())


def daphne_parser() -> argparse.ArgumentParser:
    """Daphne installs a reactor when it is imported: one that other tests brought is put back."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delitem(sys.modules, "twisted.internet.reactor", raising=False)
        patch.delattr(twisted.internet, "reactor", raising=False)
        parser: argparse.ArgumentParser = import_module("daphne.cli").CommandLineInterface().parser
    return parser


def hypercorn_parser() -> argparse.ArgumentParser:
    """Hypercorn makes its parser in main: it is taken from there before a word is read."""

    class MadeError(Exception):
        pass

    def taken(parser, *_):
        raise MadeError(parser)

    main = import_module("hypercorn.__main__")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_args", taken)
        with pytest.raises(MadeError) as caught:
            main.main(["app"])
    parser: argparse.ArgumentParser = caught.value.args[0]
    return parser


@pytest.mark.parametrize("server", SERVERS)
def test_every_option_is_known_and_none_is_made_up(server):
    theirs = names_of(server)
    ours = {
        name: (option.flag, option.many)
        for option in SERVERS[server].OPTIONS.values()
        for name in (*option.names, *option.off)
    }
    assert len(theirs) > 20
    assert ours == theirs


@pytest.mark.parametrize("server", SERVERS)
def test_every_option_has_a_rule_with_a_reason(server):
    for option in SERVERS[server].OPTIONS.values():
        assert isinstance(option.rule, Put | Lost | LeftOut | Later | Own)
        if isinstance(option.rule, Lost | LeftOut | Later):
            assert len(option.rule.why) > 5


def test_settings_are_called_as_click_calls_their_variables():
    for server, command in (("uvicorn", "uvicorn.main:main"), ("granian", "granian.cli:cli")):
        module, _, name = command.partition(":")
        params = getattr(import_module(module), name).params
        theirs = {each.name for each in params if isinstance(each, click.Option)}
        assert set(SERVERS[server].OPTIONS) == theirs


def test_settings_are_called_as_a_configuration_file_calls_them():
    settings = {each.name for each in import_module("gunicorn.config").KNOWN_SETTINGS}
    assert set(gunicorn.OPTIONS) == settings
    config = import_module("hypercorn.config").Config
    names = {name for name in dir(config) if not name.startswith("_") and not callable(getattr(config, name))}
    methods = {"log", "ssl_enabled"}  # no settings
    assert names - methods - set(hypercorn.OPTIONS) == set()
    assert set(hypercorn.OPTIONS) - names == {"config", "application_path", "logger_class"}


ON_UNIX = ["-b", "unix:/y.sock"]
BEFORE = {
    "daphne": [["--proxy-headers"]],
    "uvicorn": [[]],
    "hypercorn": [
        [], ["--certfile", "c.pem"], ["--certfile", "c.pem", "--keyfile", "k.pem"], ON_UNIX,
        [*ON_UNIX, "-u", "3"], [*ON_UNIX, "-g", "3"],
    ],
    "granian": [["--interface", "rsgi"], ["--uds", "/y.sock"]],
    "gunicorn": [[], ["-c", "conf.py"], ON_UNIX],
}  # fmt: skip
"""What has to be said for some of the options to mean anything; one of these has to do."""
VALUES = (
    "7", "2", "127.0.0.9", "none", "unix:/x.sock", "v2", "asgi", "off", "debug", "a:b", "false", "X-Y", "1s",
    "wsgi", "A=b", "conf.py",
)  # fmt: skip


def outcome(server, words, base):
    made = from_words([server, *words, "site.asgi:app"], base)
    return made.text, [(each.severity, each.message) for each in made.findings]


def changes(server, words, base) -> bool:
    """Whether words make another file, or other findings, in one of the contexts."""
    for before in BEFORE[server]:
        with contextlib.suppress(ConvertError):
            if outcome(server, [*before, *words], base) != outcome(server, before, base):
                return True
    return False


@pytest.mark.parametrize("server", SERVERS)
def test_no_option_is_accepted_and_ignored(server, tmp_path):
    """With each option that can be given the file or the findings are others than without it."""
    (tmp_path / "conf.py").write_text('loglevel = "debug"\n')
    ignored = {
        name
        for option in SERVERS[server].OPTIONS.values()
        for name in (*option.names, *option.off)
        if not any(
            changes(server, words, tmp_path)
            for words in ([[name]] if option.flag else [[name, value] for value in VALUES])
        )
    }
    assert ignored == DEFAULTS[server]


DEFAULTS = {
    "daphne": {"--proxy-headers"},  # said before
    "uvicorn": {"--no-use-colors", "--proxy-headers", "--server-header", "--date-header"},
    "hypercorn": set(),
    "granian": {
        *("--ws", "--log", "--http1-keep-alive", "--no-access-log", "--no-ssl-client-verify", "--no-factory"),
        *("--no-http1-pipeline-flush", "--no-http2-adaptive-window", "--no-respawn-failed-workers"),
        *("--no-metrics", "--no-reload", "--no-reload-ignore-worker-failure"),
    },
    "gunicorn": set(),
}
"""The flags that say what is so anyway."""


FILE_VALUES = (
    "7", '"127.0.0.9"', '"off"', "True", "False", '["a=b"]', '"v2"', '{"a": "b"}', '"debug"', '"asgi"',
)  # fmt: skip


@pytest.mark.parametrize("server", ["hypercorn", "gunicorn"])
def test_no_setting_of_a_configuration_file_is_accepted_and_ignored(server, tmp_path):
    file = tmp_path / "other.py"
    (tmp_path / "conf.py").write_text("")
    ignored = set()
    for option in SERVERS[server].OPTIONS.values():
        if not any(
            file.write_text(f"{option.dest} = {value}\n")
            and changes(server, ["-c", f"file:{file}"], tmp_path)
            for value in FILE_VALUES
        ):
            ignored.add(option.dest)
    assert ignored == {"hypercorn": {"config"}, "gunicorn": {"config", "wsgi_app"}}[server]


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (["-p80"], "80"),
        (["-p", "80"], "80"),
        (["--port=80"], "80"),
        (["--por", "80"], "80"),
        (["-p=80"], "80"),
        (["-p", "-1"], "-1"),
    ],
)
def test_words_are_read_as_argparse_reads_them(words, value):
    settings, rest = Words("Daphne", daphne.OPTIONS, abbreviations=True).read([*words, "app:app"])
    assert (settings["port"].value, rest) == (value, ["app:app"])
    parser = daphne_parser()
    assert str(parser.parse_args([*words, "app:app"]).port) == value


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--hots", "a"], "did you mean --host?"),
        (["--port"], "--port needs a value"),
        (["--reload=yes"], "--reload takes no value"),
        (["--por", "80"], "did you mean --port?"),  # click knows no abbreviations
        (["-x"], "has no option -x"),
    ],
)
def test_what_is_no_option_is_said(words, said):
    with pytest.raises(ConvertError) as caught:
        Words("Uvicorn", uvicorn.OPTIONS, abbreviations=False).read(words)
    assert said in f"{caught.value} {caught.value.help}"


def test_an_abbreviation_of_several_is_said():
    with pytest.raises(ConvertError, match="--ping could be --ping-interval or --ping-timeout"):
        Words("Daphne", daphne.OPTIONS, abbreviations=True).read(["--ping", "3"])


def test_a_value_is_not_an_option_for_argparse_and_may_be_one_for_click():
    with pytest.raises(ConvertError, match="needs a value"):
        Words("Daphne", daphne.OPTIONS, abbreviations=True).read(["--root-path", "--bind"])
    settings, _ = Words("Uvicorn", uvicorn.OPTIONS, abbreviations=False).read(["--root-path", "--host"])
    assert settings["root_path"].value == "--host"


def test_a_flag_is_named_without_a_value_and_several_values_without_brackets(tmp_path):
    words = ["granian", "--interface", "asgi", "--no-ws", "--static-path-mount", "/x", "a:b"]
    said = [each.message for each in from_words(words, tmp_path).findings]
    assert any(each.startswith("--no-ws is lost: ") for each in said)
    assert any(each.startswith("--static-path-mount /x is lost: ") for each in said)
