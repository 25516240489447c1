"""Scopes: what the ASGI specification (HTTP and WebSocket 2.5) says of each key."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgid.config.spec import Proxy
from asgid.daemon.asgi.scope import ScopeMaker
from asgid.daemon.seam import Peer, RequestHead
from support.connections import Server, on_loop, settle, spec

PEER = Peer(("192.0.2.7", 5000), ("192.0.2.1", 80), "http")


def scope_of(
    target: bytes = b"/", *, state: Any = None, peer: Peer = PEER, version: str = "1.1", **options: Any
) -> Any:
    head = RequestHead("GET", target, version, [(b"host", b"site"), (b"x-a", b"b")], peer)
    return ScopeMaker(spec(**options), state).http(head)


def test_every_key_of_the_specification():
    assert scope_of(b"/a%20b?c=%20d") == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/a b",
        "raw_path": b"/a%20b",
        "query_string": b"c=%20d",
        "root_path": "",
        "headers": [(b"host", b"site"), (b"x-a", b"b")],
        "client": ("192.0.2.7", 5000),
        "server": ("192.0.2.1", 80),
        "extensions": {
            "asgid": {"listener": "public"},
            "http.response.early_hint": {},
            "http.response.pathsend": {},
            "http.response.trailers": {},
            "http.response.zerocopysend": {},
        },
    }


def test_an_old_client_is_told_no_extension_that_its_protocol_does_not_have():
    assert scope_of(version="1.0")["extensions"] == {
        "asgid": {"listener": "public"},
        "http.response.pathsend": {},
        "http.response.zerocopysend": {},
    }


@pytest.mark.parametrize(
    ("target", "path", "raw_path", "query"),
    [
        (b"/", "/", b"/", b""),
        (b"/?", "/", b"/", b""),
        (b"/a?b?c", "/a", b"/a", b"b?c"),
        (b"/a%2Fb", "/a/b", b"/a%2Fb", b""),
        (b"/%C3%A9", "/\u00e9", b"/%C3%A9", b""),
        (b"/%ff", "/\ufffd", b"/%ff", b""),
        (b"/%3Fa?%3F", "/?a", b"/%3Fa", b"%3F"),
        (b"/%zz%", "/%zz%", b"/%zz%", b""),
        (b"//a/../b/./c", "//a/../b/./c", b"//a/../b/./c", b""),
        (b"/a;b=c,d", "/a;b=c,d", b"/a;b=c,d", b""),
        (b"/a+b?c+d", "/a+b", b"/a+b", b"c+d"),
        (b"*", "*", b"*", b""),
    ],
)
def test_paths_are_decoded_once_and_queries_never(target, path, raw_path, query):
    scope = scope_of(target)
    assert (scope["path"], scope["raw_path"], scope["query_string"]) == (path, raw_path, query)


@given(st.text(max_size=20))
def test_any_text_comes_through_a_path(text):
    """What a client percent-encodes, the application reads."""
    from urllib.parse import quote

    assert scope_of(b"/" + quote(text.encode("utf-8", "replace")).encode())["path"] == "/" + text.encode(
        "utf-8", "replace"
    ).decode("utf-8", "replace")


def test_the_root_path_is_the_listeners_and_the_path_is_as_it_came():
    scope = scope_of(b"/api/users", root_path="/api")
    assert (scope["root_path"], scope["path"]) == ("/api", "/api/users")


def test_a_unix_socket_has_no_addresses():
    scope = scope_of(peer=Peer(None, None, "http"))
    assert (scope["client"], scope["server"]) == (None, None)


def test_the_version_is_the_requests():
    assert scope_of(version="1.0")["http_version"] == "1.0"


def test_the_state_is_a_copy_for_each_request_and_its_values_are_shared():
    shared: list[int] = []
    state = {"pool": shared}
    maker = ScopeMaker(spec(), state)
    head = RequestHead("GET", b"/", "1.1", [], PEER)
    first, second = maker.http(head), maker.http(head)
    first["state"]["user"] = "me"
    first["state"]["pool"].append(1)
    assert second["state"] == {"pool": [1]}
    assert state == {"pool": [1]}


def test_without_a_lifespan_there_is_no_state():
    assert "state" not in scope_of()


def test_scopes_share_nothing_that_an_application_might_change():
    first, second = scope_of(), scope_of()
    first["extensions"]["asgid"] = first["extensions"]["x"] = {"listener": "changed"}
    first["asgi"]["version"] = "changed"
    assert second["extensions"]["asgid"]["listener"] == "public"
    assert "x" not in second["extensions"]
    assert scope_of()["asgi"]["version"] == "3.0"


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said.__setitem__("a", 1),
        lambda said: said.__delitem__("listener"),
        lambda said: said.__ior__({"a": 1}),
        lambda said: said.clear(),
        lambda said: said.pop("listener"),
        lambda said: said.popitem(),
        lambda said: said.setdefault("a", 1),
        lambda said: said.update(a=1),
    ],
)
def test_what_is_said_of_an_extension_cannot_be_changed_for_the_next_request(change):
    with pytest.raises(TypeError):
        change(scope_of()["extensions"]["asgid"])
    assert scope_of()["extensions"]["asgid"] == {"listener": "public"}


def test_copies_of_a_scope_are_the_applications_own():
    for copied in (copy.deepcopy(scope_of()), pickle.loads(pickle.dumps(scope_of()))):
        assert copied == scope_of()
        copied["extensions"]["asgid"]["listener"] = "changed"
    assert json.loads(json.dumps(scope_of()["extensions"]))["asgid"] == {"listener": "public"}


def test_a_websockets_scope():
    head = RequestHead("GET", b"/chat?a", "1.1", [(b"host", b"site")], PEER, websocket=True)
    for scheme, told in (("http", "ws"), ("https", "wss")):
        head.peer = Peer(("192.0.2.7", 5000), ("192.0.2.1", 80), scheme)
        scope = ScopeMaker(spec(), None).websocket(head, ["chat", "superchat"])
        assert scope["type"] == "websocket"
        assert scope["scheme"] == told
        assert scope["subprotocols"] == ["chat", "superchat"]
        assert (scope["path"], scope["query_string"]) == ("/chat", b"a")
        assert "method" not in scope
        assert scope["extensions"] == {"asgid": {"listener": "public"}, "websocket.http.response": {}}


@on_loop
async def test_the_application_may_change_its_scope_and_the_next_request_sees_nothing_of_it():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope["path"], scope["headers"][:], dict(scope["state"]), "mine" in scope))
        scope["mine"] = scope["path"] = "changed"
        scope["headers"].append((b"x", b"y"))
        scope["state"]["x"] = "y"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    seen: list[Any] = []
    client = Server(app, state={"a": 1}).connect()
    client.send(b"GET /b HTTP/1.1\r\nHost: site\r\n\r\n" * 3)
    await settle()
    assert seen == [("/b", [(b"host", b"site")], {"a": 1}, False)] * 3


@on_loop
async def test_forwarded_headers_of_a_trusted_peer_are_in_the_scope():
    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope["client"], scope["scheme"]))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    seen: list[Any] = []
    proxy = Proxy(trusted=("192.0.2.0/24",), forwarded="x-forwarded")
    client = Server(app, proxy=proxy).connect()
    lines = b"X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n"
    client.send(b"GET / HTTP/1.1\r\nHost: site\r\n" + lines + b"\r\nGET / HTTP/1.1\r\nHost: site\r\n\r\n")
    await settle()
    assert seen == [(("203.0.113.9", 0), "https"), (("192.0.2.7", 5000), "http")]
