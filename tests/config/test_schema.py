"""The JSON Schema: it takes every file that the lint takes, and refuses what a schema can."""

from __future__ import annotations

import tomllib
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asgid.config import load, load_values, models
from asgid.config.keys import every_key
from asgid.config.loading import load_bytes
from asgid.config.schema import SHAPES, schema
from support.language import tree_with

SCHEMA = schema()
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
ROOT = Path(__file__).parents[2]
FILES = sorted(
    path
    for folder in ("tests", "daemon", "packaging")
    for path in (ROOT / folder).rglob("*.toml")
    if ".venv" not in path.parts and not path.is_symlink()
)
HEAD = '[application]\ntarget = "a:b"\n'
GOOD = '[listeners.a]\naddress = "127.0.0.1"\nport = 1\n'


def errors(text: str) -> list[str]:
    return [each.message for each in VALIDATOR.iter_errors(tomllib.loads(text))]


def test_it_is_a_schema_of_draft_07():
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"


def test_every_good_file_of_this_tree_is_valid():
    good = [path for path in FILES if (loaded := load(path)).config is not None and not loaded.unreadable]
    assert good
    for path in good:
        assert errors(path.read_text(encoding="utf-8-sig")) == [], path


GOOD_FILES = {
    "every way to listen": """
        [listeners.a]
        address = ["0.0.0.0", "::"]
        port = 0
        freebind = true
        [listeners.b]
        interface = "eth0"
        family = "ipv4"
        port = 65535
        bind_to_device = true
        [listeners.c]
        unix = "x.sock"
        mode = "660"
        owner = "www-data"
        group = "33"
        [listeners.d]
        systemd = "http"
        """,
    "descriptors and strings": """
        [listeners.a]
        fd = 3
        backlog = 1
        [listeners.b]
        endpoint = ["tcp:1", "unix:/x"]
        [listeners.c]
        endpoint = "tcp:2"
        exposure = "public"
        headers = { X-A = "b", "x!" = "" }
        root_path = "/x"
        required = false
        """,
    "quantities": """
        [listeners.a]
        fd = 3
        limits = { body_size = "1.5 MiB", header_size = 0, connections = 0 }
        timeouts.drain = 0.5
        timeouts.keep_alive = "250ms"
        websocket.origins = ["self"]
        proxy = { protocol = "any", trusted = ["unix", "::1"], forwarded = "rfc7239", host_header = "X" }
        [limits]
        request_line = "8KB"
        [timeouts]
        tls_handshake = 10
        request_head = "1d"
        """,
    "the rest": """
        [listeners.a]
        interface = "eth0"
        port = 1
        wait = "0s"
        follow = false
        [daemon]
        workers = 1
        umask = "027"
        pid_file = "x"
        server_header = ""
        [log]
        level = "debug"
        pattern = "%(message)s"
        access = ""
        """,
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD_FILES)
def test_what_the_lint_takes_is_valid(name):
    text = HEAD + "environment = { A = '', 'b c' = '1' }\nlifespan = 'on'\n" + GOOD_FILES[name]
    loaded = load_bytes("x", ROOT, text.encode())
    assert loaded.config is not None, loaded.diagnostics
    assert errors(text) == []


MISTAKES = {
    "no application": GOOD,
    "no target": "[application]\n" + GOOD,
    "no listener": HEAD,
    "listeners that are empty": f"{HEAD}[listeners]\n",
    "an unknown table": f"{HEAD}{GOOD}[limit]\n",
    "an unknown key": f"{HEAD}{GOOD}adress = 1\n",
    "an unknown key of a table in a listener": f"{HEAD}{GOOD}limits.body = 1\n",
    "no way to listen": f"{HEAD}[listeners.a]\nport = 1\n",
    "two ways": f"{HEAD}{GOOD}unix = '/x'\n",
    "an address without a port": f"{HEAD}[listeners.a]\naddress = '::1'\n",
    "an interface without a port": f"{HEAD}[listeners.a]\ninterface = 'eth0'\n",
    "a port of a unix socket": f"{HEAD}[listeners.a]\nunix = '/x'\nport = 1\n",
    "a mode of an address": f"{HEAD}{GOOD}mode = '0600'\n",
    "a family of an address": f"{HEAD}{GOOD}family = 'ipv4'\n",
    "a backlog of an endpoint": f"{HEAD}[listeners.a]\nendpoint = 'tcp:1'\nbacklog = 1\n",
    "a port too large": f"{HEAD}[listeners.a]\naddress = '::1'\nport = 65536\n",
    "a port in quotes": f"{HEAD}[listeners.a]\naddress = '::1'\nport = '1'\n",
    "an empty list of addresses": f"{HEAD}[listeners.a]\naddress = []\nport = 1\n",
    "a name that is none": f"{HEAD}[listeners.'a b']\nfd = 3\n",
    "a name that is too long": f"{HEAD}[listeners.{'a' * 64}]\nfd = 3\n",
    "a mode that is a number": f"{HEAD}[listeners.a]\nunix = '/x'\nmode = 660\n",
    "a mode that is none": f"{HEAD}[listeners.a]\nunix = '/x'\nmode = '0888'\n",
    "a duration without a unit": f"{HEAD}{GOOD}[timeouts]\ndrain = '10'\n",
    "a duration with a size's unit": f"{HEAD}{GOOD}[timeouts]\ndrain = '10MB'\n",
    "a negative duration": f"{HEAD}{GOOD}[timeouts]\ndrain = -1\n",
    "a size with another unit": f"{HEAD}{GOOD}[limits]\nbody_size = '10 megs'\n",
    "a size that is a fraction": f"{HEAD}{GOOD}[limits]\nbody_size = 1.5\n",
    "another word of a few": f"{HEAD}{GOOD}exposure = 'world'\n",
    "a boolean in quotes": f"{HEAD}{GOOD}required = 'false'\n",
    "a count below its least": f"{HEAD}{GOOD}backlog = 0\n",
    "a target without an attribute": f"[application]\ntarget = 'mysite'\n{GOOD}",
    "TLS, which is not available yet": f"{HEAD}{GOOD}tls = {{}}\n",
    "waiting, which is not available yet": f"{HEAD}{GOOD}wait = '5s'\n",
    "workers, which are not available yet": f"{HEAD}{GOOD}[daemon]\nworkers = 2\n",
    "a user, which is not available yet": f"{HEAD}{GOOD}[daemon]\nuser = 'asgid'\n",
    "trusted in one string": f"{HEAD}{GOOD}[proxy]\ntrusted = '::1'\n",
    "an address twice in its list": f"{HEAD}[listeners.a]\naddress = ['::1', '::1']\nport = 1\n",
    "a network twice in its list": f"{HEAD}{GOOD}[proxy]\ntrusted = ['unix', 'unix']\n",
    "a code that is none": f"{HEAD}{GOOD}[lint]\nignore = ['104']\n",
    "an empty list of origins": f"{HEAD}{GOOD}[websocket]\norigins = []\n",
    "a header that cannot be sent": f'{HEAD}{GOOD}headers = {{ a = "b\\nc" }}\n',
    "a header's name with a blank": f'{HEAD}{GOOD}headers = {{ "a b" = "c" }}\n',
    "an environment of numbers": f"[application]\ntarget = 'a:b'\nenvironment = {{ A = 1 }}\n{GOOD}",
}


def test_the_files_that_the_mistakes_are_made_in_are_good():
    assert errors(HEAD + GOOD) == []


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_refused_by_the_schema_as_by_the_lint(name):
    text = MISTAKES[name]
    assert load_bytes("x", ROOT, text.encode()).config is None
    assert errors(text)


KEYS = [
    key
    for key in every_key()
    if ".tls" not in key.dotted and (key.type, key.available) != ("duration", False)
]
NUMBERS = st.integers(-2, 70_000) | st.sampled_from(
    [65_535, 65_536, 2**31 - 1, 2**31, 2**60, 2**60 + 1, 0.5, 1e9, -0.5]
)
WORDS = st.from_regex(r"\A[0-9]{1,4}(\.[0-9]{1,3})? ?(ms|s|m|h|d|B|[kKMGT]i?B|x)?\Z") | st.sampled_from(
    [
        "auto", "on", "off", "none", "any", "v1", "unix", "self", "text", "", "0660", "027", "0888", "eth0.1",
        "a:b", "a.b:c.d", "a:", "::1", "::", "*", "10.0.0.0/8", "fe80::1%lo", "https://a.example", "tcp:1",
        "%(message)s",
        "ASG508", "loopback", "public", "www-data", "-", "/a b", "X-A", "info", "x-forwarded", "dual", "é",
    ]
) | st.text(max_size=17)  # fmt: skip
TEXTS = WORDS | st.lists(WORDS, max_size=3) | st.dictionaries(WORDS, WORDS, max_size=2)


@settings(max_examples=600, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from(KEYS), NUMBERS | st.booleans() | TEXTS)
def test_any_value_of_any_key_that_the_lint_takes_the_schema_takes(key, value):
    tree = tree_with(key, value)
    if load_values(tree).config is not None:
        assert [each.message for each in VALIDATOR.iter_errors(tree)] == []


def test_every_type_of_a_key_has_a_shape():
    for key in every_key():
        known = key.type in SHAPES or key.type.startswith(("whole number from", '"'))
        assert known or key.type in {"table", "array of tables"}, key


def test_it_has_the_properties_that_pydantic_sees_in_the_models():
    theirs = models.Root.model_json_schema()
    names = {"Limits": "limits", "Timeouts": "timeouts", "WebSocket": "websocket", "Proxy": "proxy"}
    for name, table in {**names, "Listener": "listener"}.items():
        assert set(SCHEMA["definitions"][table]["properties"]) == set(theirs["$defs"][name]["properties"])
    for name, table in {"Application": "application", "Daemon": "daemon", "Log": "log"}.items():
        assert set(SCHEMA["properties"][table]["properties"]) == set(theirs["$defs"][name]["properties"])
    assert set(SCHEMA["properties"]) == set(theirs["properties"])


def test_everything_has_a_description_and_no_object_is_open():
    def walk(at, path):
        if isinstance(at, dict):
            if at.get("type") == "object" and "description" in at:
                assert "additionalProperties" in at or "propertyNames" in at, path
            for name, each in at.get("properties", {}).items():
                assert "description" in each or "$ref" in each, (path, name)
            for name, each in at.items():
                walk(each, (*path, name))
        elif isinstance(at, list):
            for index, each in enumerate(at):
                walk(each, (*path, index))

    walk(SCHEMA, ())
