"""Any file at all: what is valid survives being written, nothing raises, places point at what they name."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import tomli_w
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from asgid.config import writing
from asgid.config.loading import load_bytes
from asgid.config.rules import RULES

HERE = Path(__file__).parent
SLOW = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], deadline=None)


def load(text: str | bytes):
    return load_bytes(
        "any.toml", HERE, text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    )


# A valid configuration, written by tomli-w, is read as the same configuration.

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,20}", fullmatch=True)
DURATIONS = st.sampled_from([0, 1, 2.5, "250ms", "1.5h", "10d", 30, "0s"])
SIZES = st.sampled_from([0, 1, "64KiB", "1.5MiB", 4096, "16MB", "1 kB"])
PRINTABLE = st.text(
    st.characters(min_codepoint=0x20, exclude_categories=["C", "Z"]) | st.just("'"), min_size=1
)
NETWORKS = st.sampled_from(["10.0.0.0/8", "fd00::/8", "192.168.1.1", "unix", "0.0.0.0/0", "2001:db8::/32"])
HEADERS = st.dictionaries(
    st.sampled_from(["x-frame-options", "X-A", "Strict-Transport-Security", "é".encode().hex()]),
    st.sampled_from(["", "a", "max-age=1; b", '"q" \\ x']),
)


def table(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keys)


LIMITS = table(
    connections=st.integers(0, 2**31 - 1),
    request_line=SIZES,
    header_size=SIZES,
    header_count=st.integers(0, 500),
    body_size=SIZES,
    concurrency=st.integers(0, 9),
)
TIMEOUTS = table(
    request_head=DURATIONS,
    request_body=DURATIONS,
    keep_alive=DURATIONS,
    response_write=DURATIONS,
    application=DURATIONS,
    application_close=DURATIONS,
    drain=DURATIONS,
)
WEBSOCKET = table(
    origins=st.lists(
        st.sampled_from(["self", "https://a.example", "http://[::1]:81"]), min_size=1, unique=True
    ),
    message_size=SIZES,
    frame_size=SIZES,
    queue=st.integers(1, 99),
    ping_interval=DURATIONS,
    ping_timeout=DURATIONS,
    connect_timeout=DURATIONS,
    lifetime=DURATIONS,
    compression=st.booleans(),
    compression_threshold=SIZES,
)
PROXY = table(trusted=st.lists(NETWORKS, unique=True), host_header=st.sampled_from(["X-Real-IP", "a"]))
ABOUT = {
    "required": st.booleans(),
    "root_path": st.sampled_from(["", "/api", "/é"]),
    "headers": HEADERS,
    "limits": LIMITS,
    "timeouts": TIMEOUTS,
    "websocket": WEBSOCKET,
    "proxy": PROXY,
}
COMMON = table(**ABOUT)


@st.composite
def listeners(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    made = {}
    for number, name in enumerate(draw(st.lists(NAMES, min_size=1, max_size=5, unique=True))):
        port = draw(st.sampled_from([0, 8000 + number]))
        where: dict[str, Any] = draw(
            st.sampled_from(
                [
                    {"address": "127.0.0.1", "port": port},
                    {"address": ["0:0::1", f"10.0.0.{number}"], "port": port, "freebind": True},
                    {"address": "*", "port": 8000 + number, "exposure": "public"},
                    {"address": "fe80::1%eth0", "port": 8000 + number, "backlog": 7, "exposure": "private"},
                    {"interface": "eth0", "port": port, "family": "ipv6", "bind_to_device": True},
                    {"unix": f"/run/é {number}'\\x", "mode": draw(st.sampled_from(["0600", "666"]))},
                    {"unix": f"r/{number}", "owner": "www-data", "group": "1000"},
                    {"systemd": f"s{number}"},
                    {"fd": 3 + number},
                    {"endpoint": rf"tcp:{8000 + number}:interface=\:\:1"},
                    {"endpoint": [f"unix:/run/{number}", f"onion:{number}"]},
                ]
            )
        )
        made[name] = where | draw(COMMON)
    return made


FILES = st.fixed_dictionaries(
    {
        "application": st.fixed_dictionaries(
            {"target": st.sampled_from(["a:b", "a.b:c.d"])},
            optional={
                "directory": PRINTABLE,
                "factory": st.booleans(),
                "lifespan": st.sampled_from(["auto", "on", "off"]),
                "environment": st.dictionaries(
                    st.sampled_from(["A", "é b", "x.y"]),
                    st.text(max_size=9).filter(lambda text: "\0" not in text),
                ),
            },
        ),
        "listeners": listeners(),
    },
    optional={
        "limits": LIMITS,
        "timeouts": TIMEOUTS,
        "websocket": WEBSOCKET,
        "proxy": PROXY,
        "daemon": table(
            umask=st.just("027"), server_header=st.sampled_from(["", "x"]), date_header=st.booleans()
        ),
        "log": table(level=st.sampled_from(["debug", "error"]), access=PRINTABLE),
        "lint": table(ignore=st.lists(st.sampled_from(["ASG508", "ASG701"]), unique=True)),
    },
)


def written(value: Any, key: str = "") -> Any:
    """What a model holds, as a file says it."""
    if isinstance(value, dict):
        return {name: written(each, name) for name, each in value.items() if each is not None}
    if isinstance(value, tuple):
        return [written(each) for each in value]
    return writing.mode(value) if key in {"mode", "umask"} else value


@SLOW
@given(FILES)
def test_a_valid_configuration_written_out_is_the_same_when_it_is_read(values):
    """Invariant: write, read, write what was read, read: the tables are the same, and none is lost."""
    first = load(tomli_w.dumps(values))
    assert first.config, first.diagnostics
    said = first.config.tables.model_dump(exclude_unset=True)
    assert {name: set(each) for name, each in said.items()} == {
        name: set(each) for name, each in values.items()
    }
    for name, keys in values["listeners"].items():
        assert set(said["listeners"][name]) == set(keys)
    second = load(tomli_w.dumps(written(said)))
    assert second.config, second.diagnostics
    assert second.config.tables == first.config.tables


# Whatever the text is, it is answered with findings in it.

PIECES = st.sampled_from(
    [
        "[application]\n",
        'target = "a:b"\n',
        "[listeners.a]\n",
        "[listeners.b]\r\n",
        "[[listeners.a]]\n",
        "[listeners]\n",
        "[listeners.a.limits]\n",
        "[lint]\n",
        'ignore = ["ASG508", "ASG207"]\n',
        "# asgid: ignore ASG508, é\n",
        "[",
        "]",
        'address = "127.0.0.1"\n',
        "address = 127.0.0.1\n",
        'address = ["::1", "::1",\n',
        "port = 8000\n",
        "port = \n",
        "port = 1e400\n",
        'unix = """/run/\\\n  x"""\n',
        "unix = '''\n",
        '"',
        "'''",
        '"""',
        "\\",
        "\x00",
        "é",
        "日",
        "\t",
        "\r",
        "\n",
        " ",
        "#",
        "=",
        ".",
        ",",
        "{",
        "}",
        "a.b = { c = 1 }\n",
        "required = false\n",
        'mode = "0666"\n',
        "endpoint = 'tcp:80:interface=\\:\\:'\n",
        'endpoint = "tcp:80:interface=::1"\n',
        "fd = 3\n",
        'exposure = "private"\n',
        "[proxy]\n",
        'trusted = ["0.0.0.0/0", "10.0.0.1/8"]\n',
        "[timeouts]\n",
        "drain = 1\n",
        "request_body = 2\n",
        "1979-05-27T07:32:00Z",
        "inf",
        "[application\n",
        f"x = {'9' * 5000}\n",
    ]
)


def check_answer(data: bytes) -> None:
    loaded = load(data)
    lines = data.decode("utf-8-sig", "replace").replace("\r\n", "\n").split("\n")
    assert (loaded.config is None) == any(each.severity == "error" for each in loaded.diagnostics)
    for each in loaded.diagnostics:
        rule = RULES[each.code]
        assert each.severity in {rule.severity, *rule.weaker}
        assert 1 <= each.place.line <= len(lines)
        assert 1 <= each.place.column <= len(lines[each.place.line - 1]) + 1
        if each.end_line:
            assert (each.place.line, each.place.column) <= (each.end_line, each.end_column)
        assert each.source in {"", lines[each.place.line - 1], lines[each.place.line - 1].removesuffix("\r")}


@SLOW
@given(st.lists(PIECES, max_size=25).map("".join))
def test_any_pieces_of_a_file_are_answered_with_findings(text):
    """Invariant: no exception; no configuration beside an error; every place is in the file."""
    check_answer(text.encode())


@SLOW
@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_answered_with_findings(data):
    """Invariant: as above."""
    check_answer(data)


# Every place points at the text that its finding names.

BAD: dict[tuple[str, ...], list[str]] = {
    ("listeners", "NAME", "address"): [
        '"localhost"',
        '["::1", "é"]',
        '[\n "::1", # é\n\t"x y",\n]',
        '"0.0.0.0"',
    ],
    ("listeners", "NAME", "adress"): ['"::1"'],
    ("listeners", "NAME", "port"): ["-1", '"80"', "70_000", "true"],
    ("listeners", "NAME", "mode"): ["660", "'rw'"],
    ("listeners", "NAME", "exposure"): ['"""pub\\\n  lic"""', "'''é'''", "1979-05-27"],
    ("listeners", "NAME", "headers"): ['{ "a b" = "é", date = "x" }', '{ x = "\\u0007" }'],
    ("listeners", "NAME", "limits", "body_size"): ['"64k"', "-1"],
    ("listeners", "NAME", "proxy"): ['{ trusted = ["é", "10.0.0.1/8"] }'],
    ("listeners", "NAME", "tls", "certificate"): ['"x"'],
    ("timeouts", "drain"): ['"5 min"', "nan"],
    ("websocket", "origins"): ['["https://a.example/x", "self", "self"]'],
    ("application", "lifespan"): ['"yes"'],
    ("log", "level"): ['"日本"'],
    ("daemon", "workers"): ["9"],
    ("limits", "sizes"): ["{ a = 1 }"],
}
BLANKS = st.sampled_from(["", " ", "\t", "  "])
FILLERS = st.sampled_from(["", "# é日本\n", "\n", "\t# x = 1\n"])


@st.composite
def spelled(draw: st.DrawFn) -> str:
    """A file with mistakes, each table written in one of the ways that TOML has."""
    chosen = draw(st.lists(st.sampled_from(sorted(BAD)), min_size=1, max_size=6, unique=True))
    trees: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for path in chosen:
        text = draw(st.sampled_from(BAD[path]))
        parts = tuple(draw(st.sampled_from(["a", "b"])) if part == "NAME" else part for part in path)
        trees.setdefault(parts[0], []).append((parts[1:], text))
    blocks = [draw(one_table(name, keys)) for name, keys in trees.items()]
    top = [each for each in blocks if not each.lstrip().startswith(("[", "#"))]
    text = "".join([*top, *(each for each in blocks if each not in top)])
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


@st.composite
def one_table(draw: st.DrawFn, name: str, keys: list[tuple[tuple[str, ...], str]]) -> str:
    def key(parts: tuple[str, ...]) -> str:
        dot = f"{draw(BLANKS)}.{draw(BLANKS)}"
        return dot.join(draw(st.sampled_from([part, f'"{part}"', f"'{part}'"])) for part in parts)

    def pair(parts: tuple[str, ...], text: str) -> str:
        return f"{draw(BLANKS)}{key(parts)}{draw(BLANKS)}={draw(BLANKS)}{text}{draw(BLANKS)}"

    way = draw(st.sampled_from(["table", "dotted", "inline", "deep"]))
    if way == "dotted":
        return "".join(f"{pair((name, *parts), text)}\n" for parts, text in keys)
    if way == "inline" and not any("\n" in text for _, text in keys):
        return f"{key((name,))} = {{ {', '.join(pair(parts, text) for parts, text in keys)} }}\n"
    if way == "deep":
        return "".join(
            f"{draw(FILLERS)}[{draw(BLANKS)}{key((name, *parts[:-1]))}]\n{pair(parts[-1:], text)}\n"
            for parts, text in keys
        )
    body = "".join(f"{draw(FILLERS)}{pair(parts, text)} # é\n" for parts, text in keys)
    return f"{draw(FILLERS)}[{draw(BLANKS)}{key((name,))}{draw(BLANKS)}]\n{body}"


def lookup(values: Any, dotted: str) -> Any:
    for part in re.findall(r'"[^"]*"|[^.\[\]]+|\[[0-9]+\]', dotted):
        name: Any = int(part[1:-1]) if part.startswith("[") else part.strip('"')
        values = values[name]
    return values


@SLOW
@given(spelled())
def test_every_place_points_at_what_its_finding_names(text):
    """Invariant: a span, read by tomllib alone, is the value, the key or the header that is named."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assume(False)
    plain = text.replace("\r\n", "\n")
    starts = [0, *(match.end() for match in re.finditer("\n", plain))]
    for each in load(text).diagnostics:
        if not each.end_line:  # about a table that is not there
            assert (each.place.line, each.place.column) == (1, 1)
            continue
        start = starts[each.place.line - 1] + each.place.column - 1
        span = plain[start : starts[each.end_line - 1] + each.end_column - 1]
        parts = [part.strip('"') for part in re.findall(r'"[^"]*"|[^.\[\]]+', each.key)]
        if span.startswith("[") and is_header(plain, start):
            (named,) = names(tomllib.loads(span))
            assert parts[: len(named)] == named
        elif is_key(plain, start + len(span)):
            assert list(tomllib.loads(f"{span} = 1")) == [parts[-1]] or parts[-2:-1] == list(
                tomllib.loads(f"{span} = 1")
            )
        else:
            assert repr(tomllib.loads(f"v = {span}")["v"]) == repr(lookup(values, each.key))  # nan


def is_header(text: str, start: int) -> bool:
    return not text[text.rfind("\n", 0, start) + 1 : start].strip()


def is_key(text: str, end: int) -> bool:
    return re.match(r"[ \t]*[.=]", text[end:]) is not None


def names(tree: dict[str, Any]) -> list[list[str]]:
    path = []
    while tree:
        ((name, tree),) = tree.items()
        path.append(name)
    return [path]
