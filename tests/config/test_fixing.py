"""Fixes put a file right and leave every other byte of it alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgid.config import Diagnostic, Place
from asgid.config.diagnostics import Fix
from asgid.config.fixing import fixed
from asgid.config.loading import load_bytes


def words(data: bytes, wrong: dict[str, str]) -> list[Diagnostic]:
    """A finding for each of the ``wrong`` words, with the right one as its fix."""
    text = data.decode("utf-8-sig").replace("\r\n", "\n")
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        for hit in re.finditer("|".join(wrong), line):
            fix = Fix(number, hit.start() + 1, number, hit.end() + 1, wrong[hit[0]])
            found.append(Diagnostic("ASG101", "error", "m", Place("f", number, hit.start() + 1), fix=fix))
    return found


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_the_mark_the_newlines_and_the_comments_stay(newline, mark):
    before = newline.join(["# é adress", "\tadress = 1  # adress", "", "adress = 2"])
    data, done = fixed((mark + before).encode(), lambda each: words(each, {"adress": "address"}))
    assert data.decode() == mark + before.replace("adress", "address")
    assert done == 4


def test_one_fix_may_bring_out_another():
    def check(data):
        return [Diagnostic("ASG102", "error", "n", Place("f"))] * (2 if b"a" in data else 0) + words(
            data, {"a": "b"} if b"a" in data else {"b": "c"}
        )

    assert fixed(b"x = a", check) == (b"x = c", 2)


def test_a_fix_that_makes_nothing_better_is_not_made():
    assert fixed(b"a", lambda each: words(each, {"a": "b", "b": "a"})) == (b"a", 0)


def test_of_two_fixes_of_one_place_the_first_is_made():
    both = [
        Diagnostic("ASG101", "error", "m", Place("f"), fix=Fix(1, 1, 1, 4, "port")),
        Diagnostic("ASG101", "error", "n", Place("f"), fix=Fix(1, 2, 1, 3, "X")),
    ]
    assert fixed(b"prt = 1\n", lambda data: both if data.startswith(b"prt") else []) == (b"port = 1\n", 1)


def test_a_fix_may_add_and_remove_lines():
    added = [Diagnostic("ASG104", "error", "m", Place("f"), fix=Fix(1, 4, 2, 1, "\nport = 1\n"))]
    data, _ = fixed(b"[a]\r\nx", lambda data: [] if b"port" in data else added)
    assert data == b"[a]\r\nport = 1\r\nx"


@given(st.text(alphabet="ab é\t\n#", max_size=60))
def test_only_what_a_fix_names_changes(text):
    """Invariant: the result is the text with every wrong word replaced, whatever stands around it."""
    data, _ = fixed(text.encode(), lambda each: words(each, {"ab": "É"}))
    assert data.decode() == text.replace("ab", "É")


HEAD = '[application]\ntarget = "a:b" # é\n\n[listeners.a]\n'
MAIN = 'address = "127.0.0.1"\nport = 1\n'


def lint(data: bytes):
    return load_bytes("f.toml", Path("/"), data).diagnostics


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ('adress\t=  "::1" # adress\nport = 1', 'address\t=  "::1" # adress\nport = 1'),
        (f'{MAIN}"bcklog" = 5', f"{MAIN}backlog = 5"),
        ('address = "::1"\nport = "8000"', 'address = "::1"\nport = 8000'),
        (f"{MAIN}required = 'false' # no", f"{MAIN}required = false # no"),
        ("address = 127.0.0.1\nport = 1", 'address = "127.0.0.1"\nport = 1'),
        (
            'address = "::1"\nport = 1\ntimeouts.drain = 10 s',
            'address = "::1"\nport = 1\ntimeouts.drain = "10 s"',
        ),
        ('address = "[::1]"\nport = 1', 'address = "::1"\nport = 1'),
        ('address = ["::ffff:10.0.0.1"]\nport = 1', 'address = ["10.0.0.1"]\nport = 1'),
        ('unix = "/x"\nmode = 660', 'unix = "/x"\nmode = "0660"'),
        ('unix = "/x"\nmode = 0o600', 'unix = "/x"\nmode = "0600"'),
        ('endpoint = "tcp:1:interface=::1"', "endpoint = 'tcp:1:interface=\\:\\:1'"),
        ('endpoint = "unix:/a=b"', "endpoint = 'unix:/a\\=b'"),
        ("endpoint = 'TCP:1:interface=127.0.0.1'", 'endpoint = "tcp:1:interface=127.0.0.1"'),
        (f'{MAIN}proxy.trusted = "10.0.0.1/8"', f'{MAIN}proxy.trusted = ["10.0.0.0/8"]'),
        (f'{MAIN}timeouts = {{ drain = "5 min" }}', f'{MAIN}timeouts = {{ drain = "5m" }}'),
        (f'{MAIN}[lint]\nignore = ["asg508"]', f'{MAIN}[lint]\nignore = ["ASG508"]'),
        # Text without quotes, which is no TOML: each makes the next one seen.
        (f"{MAIN}exposure = loopback", f'{MAIN}exposure = "loopback"'),
        (f"{MAIN}exposure=loopback\t# loopback", f'{MAIN}exposure="loopback"\t# loopback'),
        ("unix = /run/a b\nmode = 0660", 'unix = "/run/a b"\nmode = "0660"'),
        ("endpoint = tcp:1:interface=\\:\\:1 # é", "endpoint = 'tcp:1:interface=\\:\\:1' # é"),
        ("address = ::1\nport = 1\nrequired = Yes", 'address = "::1"\nport = 1\nrequired = true'),
        (
            f"{MAIN}proxy = {{ forwarded = none, trusted = [unix , 10.0.0.0/8,\n  ::1 # v6\n] }}",
            f'{MAIN}proxy = {{ forwarded = "none", trusted = ["unix" , "10.0.0.0/8",\n  "::1" # v6\n] }}',
        ),
        (f"{MAIN}log.level = info\nadress = x", f'{MAIN}log.level = "info"\nadress = "x"'),
        (
            "address = ::1\nport = 1\n" + "".join(f"[listeners.b{i}]\nunix = /x{i}\n" for i in range(30)),
            'address = "::1"\nport = 1\n' + "".join(f'[listeners.b{i}]\nunix = "/x{i}"\n' for i in range(30)),
        ),
        # What is in quotes then is wrong still: it was meant as something else.
        (f"{MAIN}exposure = publik", f"{MAIN}exposure = publik"),
        ("address = '::1'\nport = 8_", "address = '::1'\nport = 8_"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_what_a_lint_fixes_of_a_file_and_what_it_leaves(wrong, right, newline):
    before, after = ((HEAD + each + "\n# end").replace("\n", newline).encode() for each in (wrong, right))
    assert fixed(before, lint)[0] == after


def test_where_all_fixes_together_make_nothing_better_each_is_tried_alone():
    def check(data):
        both = words(data, {"a": "A", "b": "BB"})
        worse = [Diagnostic("ASG101", "error", "m", Place("f"))] * (3 * data.count(b"BB"))
        return [*both, *worse]

    assert fixed(b"a b a", check) == (b"A b A", 2)


@pytest.mark.parametrize(
    "decision",
    [
        'address = "127.0.0.1:80"',
        'address = "0.0.0.0"\nport = 1',
        'address = "fe80::1"\nport = 1',
        f'{MAIN}timeouts.drain = "5"',
        f'{MAIN}limits.body_size = "64k"',
        'address = ["::1", "::1"]\nport = 1',
        'endpoint = "onion:1"',
        'endpoint = "8000"',
        f"{MAIN}nothing = 1",
        f"{MAIN}limit = 1",
        f"{MAIN}root_path = None",
        f"{MAIN}root_path = a = b",
        f"{MAIN}root_path = /a, /b",
        f'{MAIN}root_path = /a"b',
        f'{MAIN}root_path = "/a',
        f'{MAIN}headers = {{ x = max-age=3, y = "1" }}',
        f'{MAIN}headers = {{ x = a b, y = "1" }}',
    ],
)
def test_what_needs_a_decision_is_left_alone(decision):
    data = (HEAD + decision).encode()
    assert fixed(data, lint) == (data, 0)
    assert lint(data)
