"""The welcome page, as an ASGI application by itself."""

from __future__ import annotations

import asyncio

import pytest

from asgid.daemon import __version__, welcome


def ask(path="/", method="GET", accept=b"*/*", root_path=""):
    sent = []
    scope = {
        "type": "http", "method": method, "path": path, "root_path": root_path,
        "headers": [(b"accept", accept)], "extensions": {"asgid": {"listener": "loop<back>"}},
    }  # fmt: skip

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request"}

    asyncio.run(welcome.app(scope, receive, send))
    start, body = sent
    headers = dict(start["headers"])
    assert int(headers[b"content-length"]) == len(body["body"])
    return start["status"], headers, body["body"].decode()


@pytest.fixture(autouse=True)
def started(monkeypatch):
    monkeypatch.setattr("sys.argv", ["asgid", "--config", "/etc/asgid/<site>.toml"])


def test_text_says_what_runs_where_its_file_is_and_what_to_do(started):
    status, headers, text = ask()
    assert (status, headers[b"content-type"]) == (200, b"text/plain; charset=utf-8")
    assert f"asgid {__version__}" in text
    assert "/etc/asgid/<site>.toml" in text
    assert "asgid lint --live" in text


def test_a_browser_gets_a_page_that_loads_nothing_and_holds_nothing_unescaped():
    status, headers, text = ask(accept=b"text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
    assert (status, headers[b"content-type"]) == (200, b"text/html; charset=utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert "/etc/asgid/&lt;site&gt;.toml" in text
    assert "<site>" not in text
    assert "<back>" not in text
    assert b"default-src 'none'" in headers[b"content-security-policy"]
    assert "http" not in text.replace("http-equiv", "")


@pytest.mark.parametrize(
    ("argv", "variable", "expected"),
    [
        (["asgid", "--config=/a.toml"], None, "/a.toml"),
        (["asgid"], "/b.toml", "/b.toml"),
        (["asgid", "--config", "/a.toml"], "/b.toml", "/a.toml"),
        (["asgid", "-p", "80", "x:y"], None, "the one that it was started with"),
    ],
)
def test_the_file_is_the_command_lines_or_the_variables(monkeypatch, argv, variable, expected):
    monkeypatch.setattr("sys.argv", argv)
    monkeypatch.delenv("ASGID_CONFIG", raising=False)
    if variable:
        monkeypatch.setenv("ASGID_CONFIG", variable)
    assert f"Its file is {expected}.\n" in ask()[2]


def test_other_paths_and_methods_are_refused():
    assert ask("/other")[0] == 404
    status, headers, _ = ask(method="POST")
    assert (status, headers[b"allow"]) == (405, b"GET, HEAD")


def test_behind_a_prefix_it_is_the_prefixs_root():
    assert ask("/here/", root_path="/here")[0] == 200
    assert ask("/", root_path="/here")[0] == 404
