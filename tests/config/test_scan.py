"""The source map: every span, read by the standard library alone, gives the value that it is the place of."""

from __future__ import annotations

import re
import tomllib
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from asgid.config.reading import from_bytes
from asgid.config.scan import ScanError, Scanner, Span, characters, scan

if TYPE_CHECKING:
    from asgid.config.document import Document

BLANKS = st.sampled_from(["", "", " ", "\t", "  "])
LINES = st.sampled_from(["\n", "\n\n", "\r\n", '\n# [not] = "a" table 日\n', "\n\t\n"])
NAMES = st.text(st.sampled_from("ab-_1.\" 'é日\t\\#=[]"), max_size=5) | st.sampled_from(
    ["a", "b", "c", "port"]
)
ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def basic(text: str) -> str:
    return '"' + "".join(ESCAPES.get(c, c if c.isprintable() else f"\\U{ord(c):08x}") for c in text) + '"'


@st.composite
def strings(draw: st.DrawFn) -> str:
    """A TOML string in one of its spellings."""
    text = draw(
        st.text(st.characters(blacklist_categories=["Cs"]), max_size=12)
        | st.sampled_from(["''", '""', "]", "}"])
    )
    printable = all(c.isprintable() or c == "\t" for c in text)
    spellings = [basic(text), '"' + "".join(f"\\u{ord(c):04X}" if ord(c) < 65536 else c for c in text) + '"']
    if printable and "'" not in text:
        spellings += [f"'{text}'"]
    if printable:
        inside = text.replace("\\", "\\\\")
        spellings += [f'"""{inside.replace(chr(34) * 3, "x")}\\\n  x"""', f'"""\n{basic(text)[1:-1]}\n#"""']
        spellings += [f"'''\r\n{text.replace(chr(39) * 3, 'x')} ''" + "'''"]
    return draw(st.sampled_from(spellings))


ZONES = st.none() | st.integers(-840, 840).map(lambda minutes: timezone(timedelta(minutes=minutes)))
SCALARS = (
    strings()
    | st.integers(-(2**63), 2**63 - 1).map(str)
    | st.integers(0, 2**40).flatmap(lambda n: st.sampled_from([hex(n), oct(n), bin(n), f"{n:_}", f"+{n}"]))
    | st.floats().map(repr)
    | st.sampled_from(["true", "false", "inf", "-nan", "1e5", "6.626e-34"])
    | st.builds(datetime, st.integers(1, 9999), st.just(2), st.just(3), tzinfo=ZONES).map(
        lambda moment: moment.isoformat(sep=" ") if moment.year % 2 else moment.isoformat()
    )
    | st.dates().map(date.isoformat)
    | st.times(timezones=st.none()).map(time.isoformat)
)


@st.composite
def keys(draw: st.DrawFn, name: str) -> str:
    plain = name and all(c.isascii() and (c.isalnum() or c in "-_") for c in name)
    if plain and draw(st.booleans()):
        return name
    if "'" not in name and "\n" not in name and draw(st.booleans()):
        return f"'{name}'"
    return basic(name)


@st.composite
def arrays(draw: st.DrawFn, inside: st.SearchStrategy[str]) -> str:
    filler = st.sampled_from(["", " ", "\n", " # ], }\n", "\r\n\t"])
    items = draw(st.lists(inside, max_size=4))
    text = "".join(f"{draw(filler)}{item}{draw(filler)}," for item in items)
    return f"[{text[:-1] if items and draw(st.booleans()) else text}{draw(filler)}]"


@st.composite
def inline_tables(draw: st.DrawFn, inside: st.SearchStrategy[str]) -> str:
    names = draw(st.lists(NAMES, max_size=3, unique=True))
    pairs = [f"{draw(BLANKS)}{draw(keys(name))}{draw(BLANKS)}={draw(BLANKS)}{draw(inside)}" for name in names]
    return "{" + ",".join(pairs) + draw(BLANKS) + "}"


VALUES = st.recursive(SCALARS, lambda inside: arrays(inside) | inline_tables(inside), max_leaves=6)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """TOML text, mostly valid: headers, arrays of tables, dotted keys, every spelling of a value."""
    text = draw(st.sampled_from(["", "\n", "# é\n"]))
    for _ in range(draw(st.integers(0, 6))):
        path = [draw(keys(draw(NAMES))) for _ in range(draw(st.integers(1, 3)))]
        dotted = f"{draw(BLANKS)}.{draw(BLANKS)}".join(path)
        match draw(st.integers(0, 4)):
            case 0:
                text += f"{draw(BLANKS)}[{draw(BLANKS)}{dotted}{draw(BLANKS)}]"
            case 1:
                text += f"[[{dotted}]]"
            case _:
                text += f"{draw(BLANKS)}{dotted}{draw(BLANKS)}={draw(BLANKS)}{draw(VALUES)}"
        text += draw(BLANKS) + draw(st.sampled_from(["", "# ends"])) + draw(LINES)
    return text


def leaves(value: Any, path: tuple[str | int, ...] = ()):
    """Yield the path and value of everything inside ``value``, tables and lists included."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in items:
        yield (*path, key), each
        yield from leaves(each, (*path, key))


@settings(max_examples=400)
@given(documents())
@example("a = \"\"\"\"quoted\"\"\"\"\nb = ''''''''\n")
@example("[[a]]\nb.c = 1\n[a.d]\ne = 2\n[[a]]\n[[a.b]]\nx = [{y = 1}, {y = [2, {z = 3}]}]\n")
@example("[a]\r\nb = 1979-05-27 07:32:00 # x\r\nc = 1979-05-27\r\n")
def test_every_span_read_alone_gives_the_value_that_stands_there(text):
    """Invariant: each key that tomllib finds has a span, read alone to the same key and value."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    text = text.replace("\r\n", "\n")
    found = scan(text)
    everything = dict(leaves(values))
    assert found.values.keys() <= everything.keys()
    assert found.keys.keys() | found.headers.keys() | found.values.keys() == everything.keys()
    for path, span in found.values.items():
        alone = tomllib.loads(f"x = {text[span.start : span.end]}")["x"]
        assert repr(alone) == repr(everything[path])
    for path, span in found.keys.items():
        name = [part for part in path if isinstance(part, str)][-1]
        assert tomllib.loads(f"{text[span.start : span.end]} = 1") == {name: 1}
    for path, span in found.headers.items():
        header = tomllib.loads(text[span.start : span.end])
        assert [part for part in path if isinstance(part, str)] == [key for key, _ in named(header)]


def named(value: Any):
    while isinstance(value, dict) and value:
        ((key, value),) = value.items()
        yield key, value
        value = value[0] if isinstance(value, list) else value


@given(st.text(st.sampled_from("ab=.[]{},\"'#\n\r\t \\01:-é") | st.characters(), max_size=60))
def test_any_text_is_scanned_or_refused_and_what_tomllib_takes_is_scanned(text):
    """Invariant: the scanner ends, raises nothing but ScanError, and never refuses what tomllib accepts."""
    try:
        tomllib.loads(text)
        valid = True
    except (tomllib.TOMLDecodeError, ValueError):
        valid = False
    refused = None
    try:
        Scanner(text.replace("\r\n", "\n")).run()
    except ScanError as error:
        refused = error
    assert refused is None or (not valid and 0 <= refused.offset <= len(text))


def document(text: str) -> Document:
    read, found = from_bytes("f.toml", Path("/etc"), text.encode())
    assert not found
    return read


@pytest.mark.parametrize(
    ("text", "key", "line", "column"),
    [
        ("a = 1\n", ("a",), 1, 5),
        ("# é\r\n\r\nb\t= 'x'\r\n", ("b",), 3, 5),
        ("é = 1".replace("é", '"é日"'), ("é日",), 1, 8),
        ("\ta . b = 2", ("a", "b"), 1, 10),
        ("[t]\nx = {y = {z = 3}}", ("t", "x", "y", "z"), 2, 15),
        ("[[t]]\n[[t]]\nx = 1", ("t", 1, "x"), 3, 5),
        ("[[t]]\n[[t.u]]\nx = 1\n[[t]]\n[[t.u]]\nx = 2", ("t", 1, "u", 0, "x"), 6, 5),
        ("a = [\n  'x', # c\n  '日', 'y',\n]", ("a", 2), 3, 8),
        ('a = """\none\ntwo"""\nb = 1', ("b",), 4, 5),
        ("a = '''\n]'''\nb = [[1], [2, 3]]", ("b", 1, 1), 3, 15),
        ("\ufeffa = 1", ("a",), 1, 5),
        ("[listeners.x]\na = 1", ("listeners", "x"), 1, 1),
        ("[a.b]\n[a]\nc = 1", ("a",), 2, 1),
        ("a.b = 1\na.c = 2", ("a", "c"), 2, 7),
    ],
)
def test_a_place_is_the_line_and_column_of_the_value_in_characters(text, key, line, column):
    place = document(text).place(key)
    assert (place.file, place.line, place.column) == ("f.toml", line, column)


def test_what_is_not_there_has_the_place_of_its_table():
    read = document("[a]\nb = 1\n[c.d]\n")
    assert str(read.place(("c", "d", "e"))) == "f.toml:3:1"
    assert str(read.place(("x", "y"))) == "f.toml:1:1"


def stands_for(piece: str, quote: str) -> str:
    """What a piece of a string's source is, read by tomllib alone."""
    if quote == "'":
        return piece
    return tomllib.loads(f'a = """\n{piece}\\\n"""')["a"]


@given(strings())
def test_a_character_of_a_string_is_found_behind_its_escapes_and_joined_lines(written):
    """Invariant: each character's source stands for it, in order, and between them is what joins lines."""
    text = f"a = {written}\n".replace("\r\n", "\n")
    value = tomllib.loads(text)["a"]
    inside = characters(text, scan(text).values["a",])
    end = None
    for offset, character in enumerate(value):
        span = inside.between(offset, offset + 1)
        assert stands_for(text[span.start : span.end], written[0]) == character
        assert re.fullmatch(r"(\\[ \t]*\n\s*)*", text[span.start if end is None else end : span.start])
        end = span.end


@given(strings(), st.data())
def test_a_part_of_a_string_stands_for_that_part(written, data):
    text = f"a = {written}\n".replace("\r\n", "\n")
    value = tomllib.loads(text)["a"]
    start = data.draw(st.integers(0, len(value)))
    end = data.draw(st.integers(start, len(value)))
    span = characters(text, scan(text).values["a",]).between(start, end)
    if end > start:
        assert stands_for(text[span.start : span.end], written[0]) == value[start:end]
    else:
        assert span.end == span.start + 1


@pytest.mark.parametrize(
    ("source", "start", "end", "piece"),
    [
        ('"tcp:80"', 4, 6, "80"),
        ("'tcp:80'", 0, 3, "tcp"),
        ('"a\\u0041b"', 1, 2, "\\u0041"),
        ('"""x\\\n  y"""', 1, 2, "y"),
        ('"""x\\\n  y"""', 0, 2, "x\\\n  y"),
        ('"""\n\\\n\n x"""', 0, 1, "x"),
        ('"""x"""', 0, 1, "x"),
        ('"x"', 1, 1, '"'),
        ('"""x"""', 1, 1, '"'),
    ],
)
def test_a_part_of_a_string_is_found_in_every_spelling(source, start, end, piece):
    span = characters(source, Span(0, len(source))).between(start, end)
    assert source[span.start : span.end] == piece


def test_what_is_no_string_has_no_characters():
    assert characters("a = 80", Span(4, 6)) is None
