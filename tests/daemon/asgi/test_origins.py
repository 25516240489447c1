"""Which pages may open a WebSocket."""

from __future__ import annotations

import pytest

from asgid.daemon.asgi.origins import Origins


def objection(
    allowed: tuple[str, ...], *origins: bytes, host: bytes | None = b"chat.example", scheme: str = "ws"
) -> str:
    headers = [(b"origin", origin) for origin in origins]
    if host is not None:
        headers.append((b"host", host))
    return Origins(allowed).objection({"scheme": scheme, "headers": headers})


NAMED = ("https://chat.example", "http://[::1]:8000")


def test_a_client_that_is_no_page_is_let_in():
    assert objection(NAMED) == ""
    assert objection(("self",)) == ""


@pytest.mark.parametrize(
    "origin",
    [
        b"https://chat.example", b"https://chat.example:443", b"HTTPS://CHAT.example", b"http://[::1]:8000",
        b"http://[0:0::1]:8000",
    ],
)  # fmt: skip
def test_an_origin_that_is_named_is_let_in_however_it_is_written(origin):
    assert objection(NAMED, origin) == ""


@pytest.mark.parametrize(
    "origin",
    [
        b"http://chat.example", b"https://chat.example:8443", b"https://chat.example.", b"https://xchat.example",
        b"https://chat.example.evil.example", b"https://evil.example", b"null", b"", b"self", b"*",
        b"chat.example", b"https://chat.example/", b"https://chat.example https://evil.example",
        b"https://evil.example https://chat.example", b"https://chat.example@evil.example",
        b"https://evil.example#https://chat.example", b"https://ch\xe4t.example", b"https://chat.example\\.evil",
        b"http://[::1]", b"http://[::1]:80", b"http://[::1:8000", b"https://chat.example:443:443",
        b"https://chat.example:00443x", b"\xff\xfe",
    ],
)  # fmt: skip
def test_any_other_is_refused_and_named(origin):
    why = objection(NAMED, origin)
    assert ascii(origin.decode("latin-1")) in why


def test_several_origins_are_none_that_can_be_relied_on():
    assert objection(NAMED, b"https://chat.example", b"https://chat.example")
    assert objection(NAMED, b"https://chat.example", b"https://evil.example")


@pytest.mark.parametrize(
    ("scheme", "host", "origin", "same"),
    [
        ("ws", b"chat.example", b"http://chat.example", True),
        ("ws", b"chat.example:80", b"http://chat.example", True),
        ("ws", b"Chat.Example", b"http://chat.example:80", True),
        ("wss", b"chat.example", b"https://chat.example", True),
        ("wss", b"chat.example:443", b"https://chat.example", True),
        ("ws", b"[::1]:8000", b"http://[::1]:8000", True),
        ("ws", b"chat.example:8000", b"http://chat.example:8000", True),
        ("ws", b"chat.example", b"https://chat.example", False),  # another scheme
        ("wss", b"chat.example", b"http://chat.example", False),
        ("wss", b"chat.example:80", b"https://chat.example", False),
        ("ws", b"chat.example:8000", b"http://chat.example", False),
        ("ws", b"chat.example", b"http://evil.example", False),
        ("ws", b"", b"http://", False),
        ("ws", b"", b"null", False),
        ("ws", b"x/y", b"null", False),
        ("ws", None, b"http://chat.example", False),
    ],
)
def test_self_is_the_origin_that_the_request_was_made_to(scheme, host, origin, same):
    assert (objection(("self",), origin, host=host, scheme=scheme) == "") is same


def test_self_stands_beside_others():
    allowed = ("https://www.example", "self")
    assert objection(allowed, b"https://www.example") == ""
    assert objection(allowed, b"http://chat.example") == ""
    assert "http://chat.example" in objection(allowed, b"http://www.example")  # what would have been let in
