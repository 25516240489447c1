"""websocket.origins: what a file may name, and when two origins are the same (RFC 6454 5, 6.2)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgid.config import codes, load, plan
from asgid.config.origins import check_origin, normal_origin
from asgid.config.quantities import RefusedError

FILE = """\
[application]
target = "a:b"
[listeners.main]
unix = "/x"
[websocket]
origins = {}
"""


@pytest.fixture
def read(tmp_path):
    def reader(value: str):
        path = tmp_path / "listeners.toml"
        path.write_text(FILE.format(value))
        return load(path)

    return reader


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("self", "self"),
        ("https://example.org", "https://example.org"),
        ("HTTPS://Example.ORG:443", "https://example.org"),
        ("http://example.org:80", "http://example.org"),
        ("http://example.org:443", "http://example.org:443"),
        ("https://example.org:80", "https://example.org:80"),
        ("http://example.org:08080", "http://example.org:8080"),
        ("http://[0:0::1]:8000", "http://[::1]:8000"),
        ("http://192.0.2.1", "http://192.0.2.1"),
        ("http://my_host", "http://my_host"),
        ("chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop"),
    ],
)
def test_an_origin_is_kept_in_the_form_that_is_compared(read, written, meant):
    loaded = read(f'["{written}"]')
    assert loaded.diagnostics == ()
    assert loaded.config.tables.websocket.origins == (meant,)


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ("*", "leave origins out"),
        ("null", "name the sites"),
        ("", "https://example.org"),
        ("example.org", 'write "https://example.org"'),
        ("example.org:8443", 'write "https://example.org:8443"'),
        ("https://example.org/", 'write "https://example.org", without path'),
        ("https://example.org:443/a?b#c", 'write "https://example.org", without path'),
        ("https://user:secret@example.org", 'write "https://example.org", without path and user'),
        ("wss://example.org", 'write "https://example.org"'),
        ("ws://example.org:8000", 'write "http://example.org:8000"'),
        ("https://*.example.org", "every host"),
        ("https://bücher.example", "xn--bcher-kva.example"),
        ("https://example.org:65536", "port"),
        ("https://example.org:", "port"),
        ("https://:443", "host"),
        ("https://", "host"),
        ("file://", "host"),
        ("https:/example.org", "scheme"),
        ("//example.org", "scheme"),
        ("https://a.example https://b.example", "scheme"),
        ("https://a,b", "host"),
        ("https://[::1", "host"),
        ("https://[fe80::1%25eth0]", "host"),
        ("https://1.2.3", "host"),
        (" https://example.org", "scheme"),
    ],
)
def test_what_no_page_can_have_is_a_finding_with_advice(read, written, advice):
    (found,) = read(f'["https://good.example", "{written}"]').diagnostics
    assert (found.code, found.severity) == (codes.BAD_ORIGIN, "error")
    assert (found.place.line, found.place.column) == (6, 36)
    assert re.search(re.escape(advice), found.help), found


@pytest.mark.parametrize(
    ("value", "code"),
    [('"self"', codes.WRONG_TYPE), ("[1]", codes.WRONG_TYPE), ("[]", codes.BAD_VALUE)],
)
def test_what_is_no_list_of_origins_is_a_finding(read, value, code):
    (found,) = read(value).diagnostics
    assert (found.code, found.place.line) == (code, 6)


def test_a_listener_has_its_own(tmp_path):
    path = tmp_path / "listeners.toml"
    text = FILE.format('["self"]') + '[listeners.other]\nunix = "/y"\n'
    path.write_text(text + '[listeners.other.websocket]\norigins = ["https://a.example:443"]\n')
    made = plan(load(path).config, None)
    assert [each.websocket.origins for each in made.listeners] == [("self",), ("https://a.example",)]
    path.write_text(text.replace('origins = ["self"]', ""))
    assert [each.websocket.origins for each in plan(load(path).config, None).listeners] == [(), ()]


@given(st.text(st.sampled_from("htps:/.@[]:0159aA%* \x00é-_?#"), max_size=24))
def test_any_text_is_an_origin_or_refused_and_its_normal_form_is_its_own(text):
    try:
        normal = check_origin(text)
    except RefusedError:
        return
    assert normal == check_origin(normal) == (normal_origin(normal) or "self")
