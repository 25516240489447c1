"""What a reload would do: each key of the language changed alone, and sockets that come and go."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgid.config import load_values, plan
from asgid.config.difference import HIDDEN, difference
from asgid.config.keys import every_key


@dataclass
class Host:
    """A host as a test wants it."""

    ipv6: bool = True
    addresses: dict = field(
        default_factory=lambda: {"eth0": ("192.0.2.1", "2001:db8::1"), "eth1": ("192.0.2.2",)}
    )

    def interfaces(self):
        return {name: tuple(map(ip_address, each)) for name, each in self.addresses.items()}

    def has_ipv6(self):
        return self.ipv6

    def user(self, _name):
        return 33

    group = user

    def read_bytes(self, path):
        return {"one": b"A=1\n", "two": b"A=2\n"}[path.name]


def planned(listeners, host=None, **tables):
    tables.setdefault("application", {"target": "a:a"})
    loaded = load_values({"listeners": listeners, **tables})
    assert loaded.config is not None, loaded.diagnostics
    return plan(loaded.config, host or Host())


def compared(old, new, host=None):
    return difference(planned(old, host), planned(new, host))


ADDRESS = {"address": "127.0.0.1", "port": 1}
INTERFACE = {"interface": "eth0", "port": 1}
UNIX = {"unix": "/run/a.sock"}

# The key; the listener that it stands in, or nothing where it stands in a table of its own; its value before
# (None: it is not written) and after; what happens to the listener; what is said to change, old and new.
RETUNED = {
    "required": (ADDRESS, None, False, "true", "false"),
    "root_path": (ADDRESS, None, "/a", '""', '"/a"'),
    "freebind": (ADDRESS, None, True, "false", "true"),
    "mode": (UNIX, "0600", "0666", '"0600"', '"0666"'),
    "owner": (UNIX, None, "www-data", "", '"www-data"'),
    "group": (UNIX, "a", "b", '"a"', '"b"'),
    "backlog": (ADDRESS, None, 1, "2048", "1"),
}
REBOUND = {
    "address": (ADDRESS, "127.0.0.1", "127.0.0.2"),
    "interface": (INTERFACE, "eth0", "eth1"),
    "unix": (UNIX, "/run/a.sock", "/run/b.sock"),
    "systemd": ({}, "a", "b"),
    "fd": ({}, 3, 4),
    "endpoint": ({}, "tcp:1", "tcp:2"),
    "port": (ADDRESS, 1, 2),
    "family": (INTERFACE, None, "ipv4"),
    "bind_to_device": (INTERFACE, None, True),
}
OPTIONS = {
    "proxy.protocol": ("none", "v1", '"none"', '"v1"'),
    "proxy.trusted": (["unix"], ["::1"], '["unix"]', '["::1/128"]'),
    "proxy.forwarded": (None, "rfc7239", '"none"', '"rfc7239"'),
    "proxy.host_header": (None, "X-Real", '"x-forwarded-for"', '"x-real"'),
    "proxy.port_header": (None, "X-Port", '"x-forwarded-port"', '"x-port"'),
    "limits.connections": (None, 5, "10000", "5"),
    "limits.request_line": (None, "1KiB", '"8KiB"', '"1KiB"'),
    "limits.header_size": (None, "64KiB", '"32KiB"', '"64KiB"'),
    "limits.header_count": (None, 7, "128", "7"),
    "limits.body_size": (None, "10MB", '"100MB"', '"10MB"'),
    "limits.concurrency": (None, 3, "0", "3"),
    "timeouts.request_head": (None, "1s", '"10s"', '"1s"'),
    "timeouts.request_body": (None, 0.25, '"60s"', '"250ms"'),
    "timeouts.keep_alive": (None, 0, '"15s"', '"0s"'),
    "timeouts.response_write": (None, "2h", '"60s"', '"2h"'),
    "timeouts.application": (None, 1, '"0s"', '"1s"'),
    "timeouts.application_close": (None, 1, '"10s"', '"1s"'),
    "timeouts.drain": (None, "5s", '"30s"', '"5s"'),
    "websocket.origins": (None, ["self"], "", '["self"]'),
    "websocket.message_size": (None, "2MiB", '"1MiB"', '"2MiB"'),
    "websocket.frame_size": (None, "512KiB", '"1MiB"', '"512KiB"'),
    "websocket.queue": (None, 1, "32", "1"),
    "websocket.ping_interval": (None, "1s", '"20s"', '"1s"'),
    "websocket.ping_timeout": (None, "1s", '"20s"', '"1s"'),
    "websocket.connect_timeout": (None, "1s", '"5s"', '"1s"'),
    "websocket.lifetime": (None, "1s", '"0s"', '"1s"'),
    "websocket.compression": (None, False, "true", "false"),
    "websocket.compression_threshold": (None, 1, '"1KiB"', '"1B"'),
}
RESTART = {
    "application.target": ("a:a", "b:b", '"a:a"', '"b:b"'),
    "application.directory": ("/a", "/b", '"/a"', '"/b"'),
    "application.virtualenv": (None, "/b", "", '"/b"'),
    "application.factory": (None, True, "false", "true"),
    "application.lifespan": (None, "on", '"auto"', '"on"'),
    "daemon.umask": (None, "027", "", '"0027"'),
    "daemon.pid_file": (None, "/run/a.pid", "", '"/run/a.pid"'),
    "daemon.server_header": (None, "", '"asgid"', '""'),
    "daemon.date_header": (None, False, "true", "false"),
    "log.level": (None, "debug", '"info"', '"debug"'),
    "log.pattern": (None, "%(message)s", '""', '"%(message)s"'),
    "log.access": (None, "", '"-"', '""'),
}
ELSEWHERE = {
    "listeners.NAME.headers", "listeners.NAME.exposure", "application.root_path", "application.environment",
    "application.environment_file", "lint.ignore",
}  # fmt: skip
"""The keys that have a test of their own."""


def test_each_key_that_is_available_is_changed_alone_in_one_of_these_tests():
    walked = {f"listeners.NAME.{name}" for name in (*RETUNED, *REBOUND)} | {*OPTIONS, *RESTART} | ELSEWHERE
    assert {key.dotted for key in every_key() if key.available} <= walked


def with_key(listener, name, value):
    return {"a": listener if value is None else {**listener, name: value}, "other": {"fd": 9}}


def the_change(found):
    """The one change to listener ``a``, where nothing else changes."""
    one, other = found.listeners
    assert (one.name, other.name, other.kind) == ("a", "other", "unchanged")
    assert found.restart == ()
    assert found.same is False
    return one


@pytest.mark.parametrize("name", RETUNED)
def test_a_key_that_leaves_the_socket_alone_retunes(name):
    listener, before, after, old, new = RETUNED[name]
    change = the_change(compared(with_key(listener, name, before), with_key(listener, name, after)))
    assert (change.kind, change.opened, change.closed) == ("retuned", (), ())
    assert [(each.key, each.old, each.new) for each in change.changes] == [(name, old, new)]
    assert len(change.kept) == 1


@pytest.mark.parametrize("name", REBOUND)
def test_a_key_that_says_where_rebinds(name):
    listener, before, after = REBOUND[name]
    change = the_change(compared(with_key(listener, name, before), with_key(listener, name, after)))
    assert change.kind == "rebound"
    assert change.closed
    assert change.changes == ()


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_of_a_listener_retunes_it_alone(name):
    before, after, old, new = OPTIONS[name]
    table, _, key = name.partition(".")
    proxy = {"proxy": {"trusted": ["::1"]}} if table == "proxy" and key != "trusted" else {}

    def said(value):
        own = {**proxy.get(table, {}), **({} if value is None else {key: value})}
        return {"a": {**ADDRESS, table: own}, "other": {"fd": 9}}

    change = the_change(compared(said(before), said(after)))
    assert (change.kind, change.kept, change.closed) == ("retuned", ("127.0.0.1:1",), ())
    assert [(each.key, each.old, each.new) for each in change.changes] == [(name, old, new)]


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_for_all_retunes_each_listener_that_does_not_override_it(name):
    before, after, old, new = OPTIONS[name]
    table, _, key = name.partition(".")
    proxy = {"trusted": ["::1"]} if table == "proxy" and key != "trusted" else {}
    listeners = {"a": ADDRESS, "own": {**ADDRESS, "port": 2, table: {key: after}}}

    def said(value):
        return planned(listeners, **{table: {**proxy, **({} if value is None else {key: value})}})

    found = difference(said(before), said(after))
    assert [each.kind for each in found.listeners] == ["retuned", "unchanged"]
    assert [(each.key, each.old, each.new) for each in found.listeners[0].changes] == [(name, old, new)]
    assert found.restart == ()


@pytest.mark.parametrize("name", RESTART)
def test_what_the_process_is_needs_a_restart(name):
    before, after, old, new = RESTART[name]
    table, _, key = name.partition(".")

    def said(value):
        tables = {"application": {"target": "a:a"}}
        if value is not None:
            tables.setdefault(table, {})[key] = value
        return planned({"a": ADDRESS}, **tables)

    found = difference(said(before), said(after))
    assert [each.kind for each in found.listeners] == ["unchanged"]
    assert [(each.key, each.old, each.new) for each in found.restart] == [(name, old, new)]
    assert not found.same


def test_headers_are_told_one_by_one():
    change = the_change(
        compared(
            with_key(ADDRESS, "headers", {"x-a": "1", "x-b": "2", "X-Same": "3"}),
            with_key(ADDRESS, "headers", {"x-b": "4", "x-c": "5", "x-same": "3"}),
        )
    )
    assert change.kind == "retuned"
    assert {(each.key, each.old, each.new) for each in change.changes} == {
        ("headers.x-a", '"1"', ""), ("headers.x-b", '"2"', '"4"'), ("headers.x-c", "", '"5"'),
    }  # fmt: skip


def test_what_is_only_declared_changes_nothing():
    found = compared({"a": ADDRESS}, {"a": {**ADDRESS, "exposure": "loopback"}})
    assert found.same
    assert [each.kind for each in found.listeners] == ["unchanged"]


def test_the_applications_root_path_retunes_the_listeners_that_have_none_of_their_own():
    listeners = {"a": ADDRESS, "own": {**ADDRESS, "port": 2, "root_path": "/own"}}
    found = difference(
        planned(listeners), planned(listeners, application={"target": "a:a", "root_path": "/x"})
    )
    assert [each.kind for each in found.listeners] == ["retuned", "unchanged"]
    assert found.restart == ()


def test_variables_of_the_environment_are_named_and_their_values_are_not_shown():
    def said(environment, file=None):
        more = {"environment_file": file} if file else {}
        return planned({"a": ADDRESS}, application={"target": "a:a", "environment": environment, **more})

    found = difference(
        said({"GONE": "x", "KEY": "secret", "S": "1"}), said({"KEY": "other", "S": "1", "a b": ""})
    )
    assert [(each.key, each.old, each.new) for each in found.restart] == [
        ("application.environment.GONE", HIDDEN, ""),
        ("application.environment.KEY", HIDDEN, HIDDEN),
        ('application.environment."a b"', "", HIDDEN),
    ]
    assert "secret" not in str(found.restart)
    found = difference(said({}, "/one"), said({}, "/two"))
    assert [each.key for each in found.restart] == ["application.environment.A"]


def test_listeners_are_compared_by_name_in_the_new_order_and_those_that_go_come_last():
    other = {"fd": 3}
    found = compared({"gone": ADDRESS, "stays": other}, {"new": {**ADDRESS, "port": 2}, "stays": other})
    assert [(each.name, each.kind) for each in found.listeners] == [
        ("new", "added"), ("stays", "unchanged"), ("gone", "removed"),
    ]  # fmt: skip
    added, _, removed = found.listeners
    assert (added.opened, added.closed, added.old) == (("127.0.0.1:2",), (), None)
    assert (removed.opened, removed.closed, removed.new) == ((), ("127.0.0.1:1",), None)
    assert removed.old is not None


def test_the_order_of_listeners_and_of_addresses_changes_nothing():
    one, two = {"fd": 3}, {"address": ["::1", "127.0.0.1"], "port": 1}
    turned = {"address": ["127.0.0.1", "::1"], "port": 1}
    assert compared({"a": one, "b": two}, {"b": turned, "a": one}).same


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"address": "::1", "port": 1}, {"address": "0:0::1", "port": 1}),
        (ADDRESS, {"endpoint": "tcp:1:interface=127.0.0.1:backlog=2048"}),
        ({"endpoint": r"tcp:1:interface=\:\:1"}, {"endpoint": r"tcp:1:interface=0\:0\:\:1"}),
        (ADDRESS, {"endpoint": "tcp:backlog=2048:interface=127.0.0.1:port=1"}),
        ({"address": "0.0.0.0", "port": 1}, {"endpoint": "tcp:1:backlog=2048"}),
        ({"address": ["0.0.0.0", "::"], "port": 1}, {"address": "*", "port": 1}),
        ({"interface": "eth1", "port": 1}, {"address": "192.0.2.2", "port": 1}),
        ({"unix": "/run/x"}, {"unix": "/run/../run/x", "mode": "660"}),
    ],
)
def test_the_same_socket_said_in_another_way_changes_nothing(old, new):
    assert compared({"a": old}, {"a": new}).same


def test_only_the_sockets_that_go_are_closed():
    found = compared(
        {"a": {"address": ["127.0.0.1", "::1"], "port": 1}},
        {"a": {"address": ["::1", "127.0.0.2"], "port": 1, "root_path": "/x"}},
    )
    change = found.listeners[0]
    assert change.kind == "rebound"
    assert (change.closed, change.opened, change.kept) == (("127.0.0.1:1",), ("127.0.0.2:1",), ("[::1]:1",))
    assert [each.key for each in change.changes] == ["root_path"]


def test_a_socket_that_only_comes_rebinds_and_closes_nothing():
    two = {"address": ["127.0.0.1", "127.0.0.2"], "port": 1}
    change = compared({"a": ADDRESS}, {"a": two}).listeners[0]
    assert (change.kind, change.closed, change.opened) == ("rebound", (), ("127.0.0.2:1",))


def test_a_stock_wildcard_is_two_sockets_unless_another_listener_has_one_of_them():
    stock = {"endpoint": r"tcp:1:interface=\:\:"}
    found = compared({"a": stock}, {"a": stock, "b": {"address": "0.0.0.0", "port": 1}})
    change, added = found.listeners
    assert (change.kind, change.closed, change.kept) == ("rebound", ("0.0.0.0:1",), ("[::]:1",))
    assert added.opened == ("0.0.0.0:1",)
    found = compared({"a": stock}, {"a": {"address": "::", "port": 1, "backlog": 50}})
    assert found.listeners[0].closed == ("0.0.0.0:1",)


@pytest.mark.parametrize(
    ("key", "value"), [("interface", "nosuch1"), ("port", 2), ("family", "ipv4"), ("bind_to_device", True)]
)
def test_an_interface_that_is_not_there_is_compared_all_the_same(key, value):
    listener = {"interface": "nosuch0", "port": 1}
    assert compared({"a": listener}, {"a": listener}).same
    change = compared({"a": listener}, {"a": {**listener, key: value}}).listeners[0]
    assert change.kind == "rebound"
    assert change.opened[0].endswith("(not on this host)")
    assert compared({"a": listener}, {"a": {**listener, "root_path": "/x"}}).listeners[0].kind == "retuned"


def test_ipv6_on_a_host_without_it_is_compared_all_the_same():
    host = Host(ipv6=False)
    listener = {"address": "::1", "port": 1}
    assert compared({"a": listener}, {"a": {**listener, "backlog": 5}}, host).same
    change = compared({"a": listener}, {"a": {**listener, "port": 2}}, host).listeners[0]
    assert change.kind == "rebound"


LISTENERS = st.dictionaries(
    st.sampled_from("abc"),
    st.fixed_dictionaries(
        {},
        optional={
            "root_path": st.sampled_from(["", "/x"]),
            "limits": st.fixed_dictionaries({"body_size": st.integers(0, 3)}),
        },
    ).flatmap(
        lambda said: st.sampled_from(
            [
                {"address": "127.0.0.1", "port": 0}, {"address": ["127.0.0.1", "::1"], "port": 0},
                {"interface": "eth0", "port": 0}, {"interface": "nosuch0", "port": 0},
                {"address": "*", "port": 0}, {"endpoint": r"tcp:0:interface=\:\:"}, {"endpoint": "x:y"},
            ]
        ).map(lambda where: {**where, **said})
    ),
    min_size=1,
)  # fmt: skip
MIRRORED = {"added": "removed", "removed": "added"}


@given(LISTENERS, LISTENERS)
def test_the_way_back_is_the_mirror_of_the_way_there(old, new):
    there, back = compared(old, new), compared(new, old)
    assert there.same is back.same
    one, other = ({each.name: each for each in found.listeners} for found in (there, back))
    assert set(one) == set(other) == {*old, *new}
    for name, change in one.items():
        mirror = other[name]
        assert MIRRORED.get(change.kind, change.kind) == mirror.kind
        assert (set(change.opened), set(change.kept)) == (set(mirror.closed), set(mirror.kept))
        assert {(each.key, each.old, each.new) for each in change.changes} == {
            (each.key, each.new, each.old) for each in mirror.changes
        }
    assert compared(old, old).same


def test_another_certificate_of_a_stock_tls_string_is_another_socket():
    old, new = (f"ssl:1:privateKey={each}" for each in ("a", "b"))
    change = compared({"a": {"endpoint": old}}, {"a": {"endpoint": new}}).listeners[0]
    assert (change.kind, change.closed, change.opened) == ("rebound", (old,), (new,))
