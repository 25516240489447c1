"""Configuration files of Gunicorn and Hypercorn: plain values are taken, nothing is run."""

from __future__ import annotations

import tomllib

import pytest

from asgid.config.convert.conversion import from_words
from asgid.config.convert.draft import ConvertError
from support.files import write


def gunicorn(base, *words):
    return from_words(["gunicorn", *words, "site.asgi:app"], base)


def test_plain_values_are_taken(tmp_path):
    write(
        tmp_path / "conf.py",
        'bind = ["0.0.0.0:80", "[::1]:81"]\nkeepalive: int = 75\nworker_class = "asgi"\naccesslog = "-"\n'
        "raw_env = ['A=1']\nproxy_protocol = True\nunused = object()\ngraceful_timeout, timeout = 9, 30\n",
    )
    made = gunicorn(tmp_path, "-c", "conf.py")
    found = tomllib.loads(made.text)
    assert found["listeners"] == {
        "web": {"address": "0.0.0.0", "port": 80}, "web-2": {"address": "::1", "port": 81},
    }  # fmt: skip
    assert found["timeouts"] == {"keep_alive": "75s", "drain": "9s"}
    assert found["proxy"]["protocol"] == "any"
    assert found["application"]["environment"] == {"A": "1"}
    assert made.findings == ()


def test_nothing_of_it_is_run(tmp_path):
    mark = tmp_path / "ran"
    write(
        tmp_path / "conf.py",
        f"import os\nopen({str(mark)!r}, 'w')\n"
        f"bind = os.environ.get('BIND') or open({str(mark)!r}, 'w').name\n"
        f"class worker_class:\n    open({str(mark)!r}, 'w')\n",
    )
    made = gunicorn(tmp_path, "-c", "conf.py")
    assert not mark.exists()
    assert {(each.code, each.place.line) for each in made.findings} >= {("ASG955", 3), ("ASG952", 4)}


def test_what_is_computed_is_said_at_its_place_and_left_out(tmp_path):
    write(
        tmp_path / "conf.py",
        "import multiprocessing\nkeepalive = 5\nworkers = multiprocessing.cpu_count() * 2 + 1\n"
        "if True:\n    backlog = 64\nkeepalive += 1\n"
        "def post_fork(server, worker):\n    pass\nworker_class = 'asgi'\n",
    )
    made = gunicorn(tmp_path, "-c", "conf.py")
    said = [(each.code, each.place.line, each.message.split()[0]) for each in made.findings]
    assert said == [
        ("ASG955", 3, "workers"), ("ASG955", 5, "backlog"), ("ASG955", 6, "keepalive"),
        ("ASG952", 7, "post_fork"),
    ]  # fmt: skip
    assert all(each.place.file == str(tmp_path / "conf.py") for each in made.findings)
    assert tomllib.loads(made.text)["timeouts"]["keep_alive"] == "2s"
    assert "backlog" not in made.text


def test_words_win_over_variables_and_those_over_the_file(tmp_path):
    write(tmp_path / "gunicorn.conf.py", "bind = '127.0.0.1:1'\nkeepalive = 1\ngraceful_timeout = 1\n")
    made = from_words(
        ["GUNICORN_CMD_ARGS=--keep-alive 2 --graceful-timeout 2", "gunicorn", "--graceful-timeout=3", "a:b"],
        tmp_path,
    )
    found = tomllib.loads(made.text)
    assert found["listeners"]["web"]["port"] == 1
    assert found["timeouts"] == {"keep_alive": "2s", "drain": "3s"}
    assert "environment" not in found["application"]


def test_the_application_of_the_file(tmp_path):
    write(tmp_path / "conf.py", "wsgi_app = 'site.asgi:app'\nchdir = 'src'\n")
    made = from_words(["gunicorn", "-k", "asgi", "-c", "conf.py"], tmp_path)
    found = tomllib.loads(made.text)["application"]
    assert found == {"target": "site.asgi:app", "directory": str(tmp_path / "src")}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bind = (", "conf.py:1: not Python"),
        ("bind = '\0'", "conf.py"),
        (b"bind = '\xff'", "not UTF-8"),
        ("bind = " + "-" * 5000 + "1", "conf.py|must be"),
        ("keepalive = [1]", "must be a number"),
        ("loglevel = 5", "must be a text"),
        ("pidfile = 5", "must be a text"),
        ("backlog = 'x'", "whole number"),
        ("bind = 5", "fd://|no port"),
    ],
)
def test_a_bad_file_is_said(text, said, tmp_path):
    write(tmp_path / "conf.py", text)
    try:
        made = gunicorn(tmp_path, "-c", "conf.py")
    except ConvertError as error:
        assert any(each in str(error) for each in said.split("|"))  # noqa: PT017
    else:
        assert "ASG9" in repr(made.findings)
        assert "bind" in text


def hypercorn(base, *words):
    return from_words(["hypercorn", *words, "site.asgi:app"], base)


def test_hypercorn_reads_toml(tmp_path):
    write(
        tmp_path / "h.toml",
        'bind = "0.0.0.0:80"\nkeep_alive_timeout = 9.5\nloglevel = "WARNING"\ninclude_server_header = false\n'
        'websocket_max_message_size = 2048\nalt_svc_headers = ["h3=\\":443\\""]\nmistyped = 1\nworkers = 2\n',
    )
    made = hypercorn(tmp_path, "-c", "h.toml", "--keep-alive", "8")
    found = tomllib.loads(made.text)
    assert found["listeners"] == {
        "web": {"address": "0.0.0.0", "port": 80, "headers": {"alt-svc": 'h3=":443"'}},
    }  # fmt: skip
    assert found["timeouts"]["keep_alive"] == "8s"
    assert found["log"]["level"] == "warning"
    assert found["daemon"] == {"server_header": ""}
    assert found["websocket"]["message_size"] == "2KiB"
    assert [(each.code, each.severity) for each in made.findings] == [
        ("ASG956", "info"),
        ("ASG954", "warning"),
    ]


def test_hypercorn_reads_python_without_running_it(tmp_path):
    write(tmp_path / "h.py", "bind = ['127.0.0.1:81']\nworkers = len('abc')\n")
    made = hypercorn(tmp_path, "-c", "file:h.py")
    assert tomllib.loads(made.text)["listeners"]["web"]["port"] == 81
    assert [each.code for each in made.findings] == ["ASG955"]
    assert [each.code for each in hypercorn(tmp_path, "-c", "python:h").findings] == ["ASG953"]


@pytest.mark.parametrize("text", ["bind = ", "bind = 2020-01-01", "a = " + "[" * 5000])
def test_bad_toml_is_said(text, tmp_path):
    write(tmp_path / "h.toml", text)
    with pytest.raises(ConvertError, match=r"h\.toml"):
        hypercorn(tmp_path, "-c", "h.toml")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_what_is_said_of_toml_stands_at_its_place_and_shows_its_line(newline, tmp_path):
    lines = ("# é", 'bind = "127.0.0.1:80"', '  ciphers = "ALL"', "nothing = 3", "[logconfig_dict]", "a = 1")
    (tmp_path / "conf.toml").write_bytes(newline.join(lines).encode())
    findings = hypercorn(tmp_path, "-c", "conf.toml").findings
    name = str(tmp_path / "conf.toml")
    assert {(each.place, each.end_column, each.source) for each in findings} == {
        ((name, 3, 3), 10, '  ciphers = "ALL"'),
        ((name, 4, 1), 8, "nothing = 3"),
        ((name, 5, 1), 17, "[logconfig_dict]"),
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('\nbind = "a:b"\n', ":2:1: bind a:b: b is no port"),
        ('\n keep_alive_timeout = "x"\n', ":2:2: keep_alive_timeout must be a number, not 'x'"),
        ("bind = 2020-01-01\n", ":1:1: bind is a date"),
        ('a = 1\nb = "x\n', ":2:5: the string is not closed"),
    ],
)
def test_what_is_wrong_in_toml_has_its_place(text, said, tmp_path):
    write(tmp_path / "conf.toml", text)
    with pytest.raises(ConvertError) as refused:
        hypercorn(tmp_path, "-c", "conf.toml")
    assert f"{tmp_path}/conf.toml{said}" in str(refused.value)


def test_a_place_in_python_counts_characters(tmp_path):
    write(tmp_path / "conf.py", 'x = "é"; timeout = 99; worker_class = "asgi"\n')
    (found,) = gunicorn(tmp_path, "-c", "conf.py").findings
    assert (found.place.line, found.place.column) == (1, 10)
    assert found.source.startswith('x = "é"; timeout')


def test_a_flag_has_no_line(tmp_path):
    found = hypercorn(tmp_path, "--ciphers", "ALL").findings
    assert [(each.place.file, each.source) for each in found] == [("command line: --ciphers", "")]
