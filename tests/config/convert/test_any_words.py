"""Whatever the words are, a conversion gives a file that lints without errors, or says why not."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgid.config.convert.command import SERVERS as NAMES
from asgid.config.convert.conversion import from_units, from_words, module_of
from asgid.config.convert.draft import ConvertError
from asgid.config.convert.text import write
from asgid.config.loading import load_bytes
from asgid.config.rules import RULES

SERVERS = {name: module_of(name) for name in NAMES}
VALUES = st.one_of(
    st.integers(-5, 70000).map(str),
    st.sampled_from(
        [
            *("", "::", "0.0.0.0", "[::1]:80", "unix:/x", "unix:", "@x", "fd://3", "fd://", "*", "a:b", "-"),
            *("1.5", "1e3", "nan", "007", "true", "X: y", "Server: \t", "a=b", "127.0.0.1,10.0.0.0/8"),
            *("224.0.0.1", "::ffff:1.2.3.4"),
        ]
    ),
    st.text(max_size=8),
    st.text(st.characters(codec="utf-8"), max_size=12),
)  # fmt: skip


def held(made, base):
    """The invariant: either a file that lints without errors, or an error among the findings."""
    for each in made.findings:
        assert each.code in RULES
        assert each.severity in {RULES[each.code].severity, *RULES[each.code].weaker}
    errors = [each for each in made.findings if each.severity == "error"]
    assert bool(errors) != bool(made.text)
    if made.text:
        again = load_bytes("listeners.toml", base, made.text.encode())
        assert not [each for each in again.diagnostics if each.severity == "error"], made.text
        assert made.text.startswith("# Converted from ")


def said(error):
    assert str(error)


def tried(words, base):
    try:
        made = from_words(words, base)
    except ConvertError as error:
        said(error)
        return
    held(made, base)


@pytest.mark.parametrize("server", SERVERS)
def test_options_with_any_values(server, tmp_path):
    options = list(SERVERS[server].OPTIONS.values())
    names = st.sampled_from([name for each in options for name in (*each.names, *each.off)])
    word = st.one_of(st.tuples(names, VALUES), st.tuples(names), st.tuples(VALUES))

    @settings(deadline=None, max_examples=150)
    @given(st.lists(word, max_size=6), st.sampled_from(["site:app", "site", "a.b:c.d", "x:y()", ""]))
    def check(parts, target):
        tried([server, *(each for part in parts for each in part), target], tmp_path)

    check()


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.one_of(VALUES, st.sampled_from([*SERVERS, "env", "sh", "-c", "python", "-m", "A=b", "exec"])))
)
def test_any_words(words):
    from pathlib import Path

    tried(words, Path("/"))


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="bindworkes=[]()'\"\\\n\t #:,1.0if", max_size=60))
def test_any_python_file(tmp_path_factory, text):
    base = tmp_path_factory.getbasetemp()
    (base / "any.py").write_text(text)
    tried(["gunicorn", "-c", "any.py", "site:app"], base)
    (base / "any.toml").write_text(text)
    tried(["hypercorn", "-c", "any.toml", "site:app"], base)


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=40), st.text(alphabet="ab \\'\"%$:{}ixnHuU0;\n", max_size=40))
def test_any_unit(tmp_path_factory, head, line):
    base = tmp_path_factory.getbasetemp()
    path = base / "any.service"
    for data in (
        head + line.encode(),
        f"[Service]\nEnvironment={line}\nExecStart=daphne a:b {line}\n".encode(),
    ):
        path.write_bytes(data)
        try:
            made = from_units([str(path)])
        except ConvertError as error:
            said(error)
            continue
        held(made, base)


PLAIN = st.one_of(
    st.text(st.characters(codec="utf-8")), st.integers(-(2**63), 2**63 - 1), st.booleans(),
    st.lists(st.text(st.characters(codec="utf-8"), max_size=30), max_size=5),
)  # fmt: skip
KEYS = st.text(st.characters(codec="utf-8"), max_size=12)


@settings(deadline=None)
@given(
    st.dictionaries(
        KEYS,
        st.dictionaries(KEYS, st.one_of(PLAIN, st.dictionaries(KEYS, PLAIN, max_size=3)), max_size=4),
        max_size=4,
    ),
    st.text(),
)
def test_what_is_written_reads_back_with_a_comment_above_every_key(values, comment):
    keys = [(), *((table,) for table in values), *((table, key) for table in values for key in values[table])]
    text = write(values, {key: [comment, "second"] for key in keys})
    assert tomllib.loads(text) == values
