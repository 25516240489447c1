"""Command lines as they are written: variables, paths, python -m, shells, runners."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from asgid.config.convert.command import parse
from asgid.config.convert.draft import ConvertError

BASE = Path("/srv/base")


@pytest.mark.parametrize(
    ("line", "server", "words"),
    [
        ("daphne -b :: a:b", "daphne", "-b :: a:b"),
        ("exec daphne a:b", "daphne", "a:b"),
        ("/usr/bin/env uvicorn a:b", "uvicorn", "a:b"),
        ("/usr/bin/env -i -u X A=1 uvicorn a:b", "uvicorn", "a:b"),
        ("python -m uvicorn a:b", "uvicorn", "a:b"),
        ("python3.12 -u -X dev -W error -m hypercorn a:b", "hypercorn", "a:b"),
        ("python -mgranian a:b", "granian", "a:b"),
        ("python3 /usr/local/bin/gunicorn a:b", "gunicorn", "a:b"),
        ("sh -c 'exec uvicorn a:b --port 1'", "uvicorn", "a:b --port 1"),
        ("/bin/bash -lc 'cd /x && uvicorn a:b'", "uvicorn", "a:b"),
        ("poetry run uvicorn a:b", "uvicorn", "a:b"),
        ("uv run --frozen gunicorn a:b", "gunicorn", "a:b"),
    ],
)
def test_the_server_and_its_words(line, server, words):
    found = parse(shlex.split(line), BASE)
    assert (found.server, list(found.words)) == (server, words.split())


def test_one_word_is_a_line_of_a_shell():
    found = parse(["cd app; export A=1 B='two words' && C=3 daphne -b '::' x:y"], BASE)
    assert (found.server, found.words) == ("daphne", ("-b", "::", "x:y"))
    assert found.environment == {"A": "1", "B": "two words", "C": "3"}
    assert (found.base, found.moved) == (BASE / "app", True)


def test_variables_before_it():
    found = parse(["A=1", "B=", "uvicorn", "C=3"], BASE, {"A": "0", "D": "4"})
    assert found.environment == {"A": "1", "B": "", "D": "4"}
    assert found.words == ("C=3",)


def test_env_takes_variables_away():
    assert parse(["env", "-u", "A", "B=2", "uvicorn"], BASE, {"A": "1"}).environment == {"B": "2"}
    assert parse(["env", "-i", "B=2", "uvicorn"], BASE, {"A": "1"}).environment == {"B": "2"}


@pytest.mark.parametrize(
    ("line", "virtualenv"),
    [
        ("/srv/nowhere/.venv/bin/daphne a:b", "/srv/nowhere/.venv"),
        (".venv/bin/daphne a:b", "/srv/base/.venv"),
        ("../venv/bin/python -m daphne a:b", "/srv/venv"),
        ("/srv/nowhere/.venv/bin/python /srv/nowhere/.venv/bin/daphne a:b", "/srv/nowhere/.venv"),
        ("sh -c '. /srv/nowhere/env/bin/activate && daphne a:b'", "/srv/nowhere/env"),
        ("VIRTUAL_ENV=/srv/nowhere/v daphne a:b", "/srv/nowhere/v"),
        ("daphne a:b", ""),
        ("/usr/bin/daphne a:b", ""),
        ("/usr/local/bin/daphne a:b", ""),
        ("/home/me/.local/bin/daphne a:b", ""),
        ("/opt/daphne/daphne a:b", ""),
    ],
)
def test_the_virtual_environment(line, virtualenv):
    assert parse(shlex.split(line), BASE).virtualenv == virtualenv


def test_a_folder_that_is_there_is_one_where_it_says_so(tmp_path):
    (tmp_path / "bin").mkdir()
    program = str(tmp_path / "bin" / "daphne")
    assert parse([program, "a:b"], BASE).virtualenv == ""
    assert parse(["daphne", "a:b"], BASE, {"PATH": f"{tmp_path}/bin:/usr/bin"}).virtualenv == ""
    (tmp_path / "pyvenv.cfg").touch()
    assert parse([program, "a:b"], BASE).virtualenv == str(tmp_path)
    assert parse(["daphne", "a:b"], BASE, {"PATH": f"{tmp_path}/bin:/usr/bin"}).virtualenv == str(tmp_path)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nginx", "-g", "x"], "nginx is none of them"),
        (["python", "manage.py", "runserver"], "manage.py is none of them"),
        (["python", "-m", "http.server"], "http.server"),
        ([], "nothing is started"),
        (["A=1"], "nothing is started"),
        (["sh", "-c", "uvicorn a:b | tee log"], "does more"),
        (["sh", "-c", "uvicorn $(cat words)"], "does more"),
        (["sh", "-c", "uvicorn 'a:b"], "quote is not closed"),
        (["sh", "start.sh"], "start.sh is not read"),
        (["sh", "-c", "echo x y"], "echo is none of them"),
    ],
)
def test_what_starts_no_server_is_said(words, said):
    with pytest.raises(ConvertError, match=said):
        parse(words, BASE)


def test_a_shell_in_a_shell():
    line = "uvicorn a:b"
    for _ in range(4):
        line = f"sh -c {shlex.quote(line)}"
    assert parse([line], BASE).server == "uvicorn"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("A=1; daphne -p $A a:b", ["-p", "1", "a:b"]),
        ("export A='x y'; daphne $A \"$A\" '$A' a:b", ["x", "y", "x y", "$A", "a:b"]),
        ('A=\'x$y"\'; daphne "$A" a:b', ['x$y"', "a:b"]),
        (r'A=1; daphne "\$A \"\\" a:b', ['$A "\\', "a:b"]),
        ("daphne ${A:-8000} ${A-x} a:b", ["8000", "x", "a:b"]),
        ('A=; daphne $A "$A" a:b', ["", "a:b"]),
        (r"A=1; daphne \$A a\;b", ["$A", "a;b"]),
        ("export PATH=/srv/v/bin:$PATH && daphne a:b", ["a:b"]),
    ],
)
def test_a_shells_variables_are_put_in_their_place(line, words, tmp_path):
    assert list(parse(["sh", "-c", line], tmp_path).words) == words


@pytest.mark.parametrize("piece", ["$B", "${B}", "$@", "$1", "${B%x}", "$((1))"])
def test_what_a_shell_alone_knows_is_said(piece, tmp_path):
    with pytest.raises(ConvertError):
        parse(["sh", "-c", f"daphne -p {piece} a:b"], tmp_path)
