"""Bad input, each with its code, its line and its column, and all of it in one run."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgid.config import Place, codes, load, load_values
from asgid.config.rules import RULES

HEAD = '[application]\ntarget = "mysite.asgi:application"\n'  # two lines: what follows begins on the third
MAIN = '[listeners.main]\naddress = "127.0.0.1"\nport = 8000\n'


@pytest.fixture
def check(tmp_path):
    """``check(text)``: the findings of a file as (code, line, column) with the findings themselves."""

    def checked(text: str):
        path = tmp_path / "listeners.toml"
        path.write_bytes(text.encode())
        loaded = load(path)
        assert (loaded.config is None) == any(each.severity == "error" for each in loaded.diagnostics)
        assert all(each.place.file == str(path) for each in loaded.diagnostics)
        return loaded.diagnostics

    return checked


@dataclass(frozen=True)
class Bad:
    """What follows HEAD, the places of its findings, and a pattern that message and help must have."""

    text: str
    code: str
    line: int
    column: int
    words: str = ""


def main(*lines: str) -> str:
    """A listener whose header is line 3 and whose first key is line 4."""
    return "[listeners.main]\n" + "".join(f"{line}\n" for line in lines)


ADDRESS = ('address = "127.0.0.1"', "port = 8000")


def errors(found):
    return [each for each in found if each.severity == "error"]


CASES = {
    # structure
    "unknown table": Bad(MAIN + "[limit]\n", codes.UNKNOWN_KEY, 6, 1, "limit.*did you mean limits"),
    "unknown key": Bad(MAIN + "[limits]\n  bodysize = 1", codes.UNKNOWN_KEY, 7, 3, "did you mean body_size"),
    "unknown key of a listener": Bad(
        main(*ADDRESS, "backlogs = 1"), codes.UNKNOWN_KEY, 6, 1, "did you mean backlog"
    ),
    "a key that belongs elsewhere": Bad(
        main(*ADDRESS, 'keep_alive = "1s"'),
        codes.UNKNOWN_KEY,
        6,
        1,
        r"\[timeouts\].*\[listeners.main.timeouts\]",
    ),
    "unknown key in a dotted key": Bad(main(*ADDRESS, "limits . bodysize = 1"), codes.UNKNOWN_KEY, 6, 10),
    "unknown key in an inline table": Bad(
        main(*ADDRESS, "limits = { bodysize = 1 }"), codes.UNKNOWN_KEY, 6, 12
    ),
    "a string for a number": Bad(
        MAIN + '[websocket]\nqueue = "32"', codes.WRONG_TYPE, 7, 9, "write 32, without"
    ),
    "a boolean for a number": Bad(MAIN + "[websocket]\nqueue = true", codes.WRONG_TYPE, 7, 9, "not true"),
    "a float for a number": Bad(MAIN + "[websocket]\nqueue = 1.0", codes.WRONG_TYPE, 7, 9, "1.0"),
    "a number for a boolean": Bad(main(*ADDRESS, "required = 1"), codes.WRONG_TYPE, 6, 12, "true or false"),
    "a number for a string": Bad(MAIN + "[daemon]\nserver_header = 1", codes.WRONG_TYPE, 7, 17, "a string"),
    "a number for a table": Bad(main(*ADDRESS, "limits = 3"), codes.WRONG_TYPE, 6, 10, "a table"),
    "a listener without a name": Bad(
        "[listeners]\nport = 3", codes.WRONG_TYPE, 4, 8, r"\[listeners.public\]"
    ),
    "a number below the lowest": Bad(MAIN + "[websocket]\nqueue = 0", codes.BAD_VALUE, 7, 9, "from 1"),
    "a negative number": Bad(MAIN + "[limits]\nconnections = -1", codes.BAD_VALUE, 7, 15, "from 0"),
    "a word that is not one of them": Bad(
        MAIN + '[log]\nlevel = "warn"', codes.BAD_VALUE, 7, 9, 'did you mean "warning"'
    ),
    "a duration without a unit": Bad(
        MAIN + '[timeouts]\ndrain = "5"', codes.BAD_DURATION, 7, 9, 'write "5s"'
    ),
    "a duration with another unit": Bad(
        MAIN + '[timeouts]\ndrain = "5 min"', codes.BAD_DURATION, 7, 9, 'write "5m"'
    ),
    "a negative duration": Bad(MAIN + "[timeouts]\ndrain = -1", codes.BAD_DURATION, 7, 9, "-1"),
    "a duration that is no number": Bad(MAIN + "[timeouts]\ndrain = nan", codes.BAD_DURATION, 7, 9),
    "an endless duration": Bad(MAIN + "[timeouts]\ndrain = inf", codes.BAD_DURATION, 7, 9),
    "a boolean for a duration": Bad(MAIN + "[timeouts]\ndrain = true", codes.WRONG_TYPE, 7, 9, "a duration"),
    "a size with another unit": Bad(
        MAIN + '[limits]\nbody_size = "64k"', codes.BAD_SIZE, 7, 13, 'write "64KiB"'
    ),
    "a fraction of a byte": Bad(MAIN + "[limits]\nbody_size = 1.5", codes.WRONG_TYPE, 7, 13, "a size"),
    "a header's name": Bad(main(*ADDRESS, 'headers = { "a b" = "c" }'), codes.BAD_HEADER, 6, 13, "a b"),
    "a header's value": Bad(main(*ADDRESS, 'headers = { a = "b\\r\\nc" }'), codes.BAD_HEADER, 6, 17),
    "a header of the server's": Bad(main(*ADDRESS, 'headers.Content-Length = "1"'), codes.BAD_HEADER, 6, 9),
    "a header twice": Bad(main(*ADDRESS, 'headers = { a = "b", A = "c" }'), codes.BAD_HEADER, 6, 22, "twice"),
    "a log pattern": Bad(MAIN + '[log]\npattern = "%(nope)s"', codes.BAD_VALUE, 7, 11, "nope"),
    "an environment variable": Bad('environment = { "A=B" = "" }\n' + MAIN, codes.BAD_ENVIRONMENT, 3, 17),
    "an empty path": Bad('directory = ""\n' + MAIN, codes.BAD_PATH, 3, 13),
    # listeners
    "no listener": Bad("", codes.NO_LISTENER, 1, 1, "no listener"),
    "a listener's name": Bad('[listeners."b c"]\nfd = 3', codes.BAD_NAME, 3, 1, r"write \[listeners.b-c\]"),
    "a name that is too long": Bad(f"[listeners.{'a' * 64}]\nfd = 3", codes.BAD_NAME, 3, 1, "62"),
    "no way to listen": Bad(main("required = true"), codes.NOT_ONE_WAY, 3, 1, "address .*endpoint"),
    "two ways to listen": Bad(main(*ADDRESS, 'unix = "/x"'), codes.NOT_ONE_WAY, 6, 1, "address and unix"),
    "an address without a port": Bad(main('address = "::1"'), codes.NO_PORT, 3, 1, "port"),
    "an interface without a port": Bad(main('interface = "lo"'), codes.NO_PORT, 3, 1, "port"),
    "a mode beside an address": Bad(
        main(*ADDRESS, 'mode = "0600"'), codes.KEY_OF_OTHER_KIND, 6, 1, "belongs to unix"
    ),
    "a port beside a unix socket": Bad(
        main('unix = "/x"', "port = 1"), codes.KEY_OF_OTHER_KIND, 5, 1, "address"
    ),
    "a backlog beside an endpoint": Bad(
        main('endpoint = "tcp:80:interface=127.0.0.1"', "backlog = 1"),
        codes.KEY_OF_OTHER_KIND,
        5,
        1,
        "backlog=",
    ),
    "a family beside an address": Bad(
        main(*ADDRESS, 'family = "ipv4"'), codes.KEY_OF_OTHER_KIND, 6, 1, "interface"
    ),
    "a port too high": Bad(main('address = "::1"', "port = 65536"), codes.BAD_PORT, 5, 8, "65535"),
    "a negative port": Bad(main('address = "::1"', "port = -1"), codes.BAD_PORT, 5, 8),
    "a port in quotes": Bad(
        main('address = "::1"', 'port = "80"'), codes.BAD_PORT, 5, 8, "write 80, without"
    ),
    "a boolean for a port": Bad(main('address = "::1"', "port = true"), codes.BAD_PORT, 5, 8),
    "a host name": Bad(
        main('address = "localhost"', "port = 1"), codes.BAD_ADDRESS, 4, 11, '"127.0.0.1", "::1"'
    ),
    "an address with its port": Bad(main('address = "127.0.0.1:80"'), codes.BAD_ADDRESS, 4, 11, "port = 80"),
    "an address in brackets": Bad(
        main('address = "[::1]"', "port = 1"), codes.BAD_ADDRESS, 4, 11, 'write "::1"'
    ),
    "a short address": Bad(main('address = "127.1"', "port = 1"), codes.BAD_ADDRESS, 4, 11),
    "leading zeros": Bad(main('address = "010.0.0.1"', "port = 1"), codes.BAD_ADDRESS, 4, 11),
    "an interface's name": Bad(
        main('address = "eth1"', "port = 1"), codes.BAD_ADDRESS, 4, 11, 'interface = "eth1"'
    ),
    "a multicast address": Bad(
        main('address = "ff02::1"', "port = 1"), codes.MULTICAST_ADDRESS, 4, 11, "multicast"
    ),
    "a mapped address": Bad(
        main('address = "::ffff:10.0.0.1"', "port = 1"), codes.MAPPED_ADDRESS, 4, 11, '"10.0.0.1"'
    ),
    "the second of a list": Bad(main('address = ["::1", "x y"]', "port = 1"), codes.BAD_ADDRESS, 4, 19),
    "an empty list": Bad(main("address = []", "port = 1"), codes.BAD_VALUE, 4, 11),
    "a link-local address alone": Bad(
        main('address = "fe80::1"', "port = 1"), codes.BAD_ZONE, 4, 11, "fe80::1%eth0"
    ),
    "an empty zone": Bad(main('address = "fe80::1%"', "port = 1"), codes.BAD_ZONE, 4, 11),
    "a zone that is no interface": Bad(
        main('address = "fe80::1%a b"', "port = 1"), codes.BAD_ZONE, 4, 11, "a b"
    ),
    "a zone out of place": Bad(
        main('address = "2001:db8::1%eth0"', "port = 1"), codes.BAD_ZONE, 4, 11, "2001:db8::1"
    ),
    "a zone on IPv4": Bad(main('address = "10.0.0.1%eth0"', "port = 1"), codes.BAD_ZONE, 4, 11),
    "a bad interface": Bad(main('interface = "a/b"', "port = 1"), codes.BAD_INTERFACE, 4, 13),
    "an address as interface": Bad(
        main('interface = "::1"', "port = 1"), codes.BAD_INTERFACE, 4, 13, 'address = "::1"'
    ),
    "a mode that is a number": Bad(main('unix = "/x"', "mode = 660"), codes.BAD_MODE, 5, 8, 'write "0660"'),
    "a mode that is octal": Bad(main('unix = "/x"', "mode = 0o660"), codes.BAD_MODE, 5, 8, 'write "0660"'),
    "a mode in letters": Bad(main('unix = "/x"', 'mode = "rw-"'), codes.BAD_MODE, 5, 8, "octal"),
    "a user": Bad(main('unix = "/x"', 'owner = "a:b"'), codes.BAD_OWNER, 5, 9),
    "a path too long": Bad(main(f'unix = "/{"x" * 107}"'), codes.BAD_PATH, 4, 8, "107"),
    "a systemd name": Bad(main('systemd = "a:b"'), codes.BAD_SYSTEMD_NAME, 4, 11),
    "a negative descriptor": Bad(main("fd = -1"), codes.BAD_VALUE, 4, 6),
    # endpoint strings
    "an unescaped address": Bad(
        main('endpoint = "tcp:8005:interface=::1"'),
        codes.ENDPOINT_UNESCAPED,
        4,
        32,
        r"endpoint = 'tcp:8005:interface=\\:\\:1'",
    ),
    "behind escapes": Bad(main(r'endpoint = "unix:\\:\u0041:mod=1"'), codes.ENDPOINT_KEYWORD, 4, 28, "mod"),
    "in a list": Bad(
        main(r"""endpoint = ["tcp:1:interface=127.0.0.1", 'tcp:80\']"""),
        codes.ENDPOINT_GRAMMAR,
        4,
        49,
        "backslash",
    ),
    # exposure and proxies
    "wider than declared": Bad(
        main('address = "0.0.0.0"', "port = 1", 'exposure = "private"'),
        codes.WIDER_THAN_DECLARED,
        6,
        12,
        "0.0.0.0 is public",
    ),
    "wider than loopback": Bad(
        main('address = ["::1", "fd00::1"]', "port = 1", 'exposure = "loopback"'),
        codes.WIDER_THAN_DECLARED,
        6,
        12,
        "private",
    ),
    "everything is public": Bad(
        main('address = "*"', "port = 1", 'exposure = "private"'), codes.WIDER_THAN_DECLARED, 6, 12
    ),
    "an endpoint that is wider": Bad(
        main('endpoint = "tcp:80"', 'exposure = "loopback"'), codes.WIDER_THAN_DECLARED, 5, 12, "0.0.0.0"
    ),
    "an exposure nobody can tell": Bad(main("fd = 3", 'exposure = "private"'), codes.EXPOSURE_UNKNOWN, 5, 12),
    "forwarded without trusted": Bad(
        MAIN + '[proxy]\nforwarded = "x-forwarded"', codes.FORWARDED_WITHOUT_TRUSTED, 7, 13, "trusted = "
    ),
    "forwarded without trusted, there": Bad(
        main(*ADDRESS, 'proxy.forwarded = "x-forwarded"'), codes.FORWARDED_WITHOUT_TRUSTED, 6, 19
    ),
    "another forwarded header without trusted": Bad(
        MAIN + '[proxy]\nforwarded = "rfc7239"', codes.FORWARDED_WITHOUT_TRUSTED, 7, 13, "trusted = "
    ),
    "a forwarded header that is none": Bad(
        MAIN + '[proxy]\nforwarded = "forwarded"', codes.BAD_VALUE, 7, 13, "rfc7239"
    ),
    "the PROXY protocol without trusted": Bad(
        MAIN + '[proxy]\nprotocol = "v2"',
        codes.PROTOCOL_WITHOUT_TRUSTED,
        7,
        12,
        "nobody is trusted.*trusted = ",
    ),
    "the PROXY protocol without trusted, there": Bad(
        main(*ADDRESS, 'proxy.protocol = "any"'), codes.PROTOCOL_WITHOUT_TRUSTED, 6, 18
    ),
    "the PROXY protocol on a unix socket that is not trusted": Bad(
        main('unix = "x"', 'proxy = { protocol = "v1", trusted = ["10.0.0.0/8"] }'),
        codes.PROTOCOL_WITHOUT_TRUSTED,
        5,
        22,
        'add "unix"',
    ),
    "the PROXY protocol where nobody trusted can come": Bad(
        main(*ADDRESS, 'proxy = { protocol = "v1", trusted = ["unix"] }'),
        codes.PROTOCOL_WITHOUT_TRUSTED,
        6,
        22,
    ),
    "a version of the PROXY protocol that is none": Bad(
        MAIN + '[proxy]\nprotocol = "v3"\ntrusted = ["unix"]', codes.BAD_VALUE, 7, 12, "any"
    ),
    "the PROXY protocol before TLS": Bad(
        main("endpoint = 'ssl:443:privateKey=a:certKey=b:interface=10.0.0.1'")
        + '[proxy]\nprotocol = "any"\ntrusted = ["10.0.0.0/8"]',
        codes.PROTOCOL_NOT_FIRST,
        4,
        13,
        "ssl: reads TLS first",
    ),
    "trusting everybody": Bad(
        MAIN + '[proxy]\ntrusted = ["unix", "*"]', codes.BAD_TRUSTED, 7, 20, "0.0.0.0/0"
    ),
    "trusting an address with a zone": Bad(
        MAIN + '[proxy]\ntrusted = ["unix", "fe80::1%eth0"]', codes.BAD_TRUSTED, 7, 20, 'a zone.*"fe80::1"$'
    ),
    "trusting one string": Bad(
        MAIN + '[proxy]\ntrusted = "unix"', codes.WRONG_TYPE, 7, 11, r'write \["unix"\]'
    ),
    "another proxy's header": Bad(MAIN + '[proxy]\nhost_header = "a b"', codes.BAD_HEADER, 7, 15),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_mistake_is_one_finding_at_its_place(check, case):
    (found,) = check(HEAD + case.text)
    assert (found.code, found.place.line, found.place.column) == (case.code, case.line, case.column), found
    assert found.severity == "error"
    assert re.search(case.words, f"{found.message} | {found.help}", re.DOTALL), found


@pytest.mark.parametrize(
    ("target", "advice"),
    [
        ("mysite.asgi", '"mysite.asgi:application"'),
        ("mysite/asgi.py:app", '"mysite.asgi:app"'),
        ("mysite.asgi:", '"mysite.asgi:application"'),
        (":app", "module|mysite"),
        ("a:b:c", "mysite.asgi|a:application"),
        ("a b:c", "mysite.asgi:application"),
        ("", "mysite.asgi:application"),
    ],
)
def test_a_target_that_is_none_is_answered_with_one(check, target, advice):
    (found,) = check(f'[application]\ntarget = "{target}"\n{MAIN}')
    assert (found.code, found.place.line, found.place.column) == (codes.BAD_TARGET, 2, 10)
    assert re.search(advice, found.help)


@pytest.mark.parametrize(
    ("head", "line"), [("", 1), ("# x\n\n[application]\n", 3), ("\n[application]\nfactory = true\n", 2)]
)
def test_no_target_is_found_at_the_application(check, head, line):
    (found,) = check(head + MAIN)
    assert (found.code, found.place.line, found.place.column) == (codes.NO_TARGET, line, 1)


LO = '[listeners.lo]\ninterface = "lo"\nport = 1\n'
NOT_YET = {
    "timeouts.tls_handshake": '"5s"',
    "daemon.workers": '"auto"',
    "daemon.user": '"a"',
    "daemon.group": '"a"',
    "daemon.control": '"/x"',
    "log.format": '"json"',
    "log.access_format": '"json"',
    "admin.listener": '"main"',
    "listeners.lo.http2": "true",
    "listeners.lo.redirect": '"https"',
    "listeners.lo.wait": '"5s"',
    "listeners.lo.follow": "true",
    "listeners.lo.tls": "{}",
    "listeners.lo.tls.certificate": '"/x"',
}


def with_key(key: str, value: str) -> str:
    """A good file with one more key, under the interface's listener or at the top."""
    if key.startswith("listeners.lo."):
        return f"{HEAD}{MAIN}{LO}{key.removeprefix('listeners.lo.')} = {value}\n"
    return f"{key} = {value}\n{HEAD}{MAIN}{LO}"


@pytest.mark.parametrize("key", NOT_YET)
def test_what_is_not_available_yet_is_refused_and_never_ignored(check, key):
    (found,) = check(with_key(key, NOT_YET[key]))
    assert found.code == codes.NOT_AVAILABLE
    assert "not available yet" in found.message


DEFAULTS = {
    "timeouts.tls_handshake": '"10s"',
    "proxy.protocol": '"none"',
    "proxy.forwarded": '"none"',
    "daemon.workers": "1",
    "log.format": '"text"',
    "log.access_format": '"combined"',
    "lint.ignore": "[]",
    "listeners.lo.wait": "0",
    "listeners.lo.follow": "false",
    "listeners.lo.http2": "false",
}


@pytest.mark.parametrize("key", DEFAULTS)
def test_a_default_may_be_written_out_even_where_nothing_else_is_available(check, key):
    assert check(with_key(key, DEFAULTS[key])) == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (('address = "127.0.0.1"', "port = 1"), ('address = "127.0.0.1"', "port = 1")),
        (('address = "0.0.0.0"', "port = 1"), ('address = "127.0.0.1"', "port = 1")),
        (('address = "*"', "port = 1"), ('address = ["10.0.0.1"]', "port = 1")),
        (('address = "::"', "port = 1"), ('address = "::1"', "port = 1")),
        (('address = "::1"', "port = 1"), ('address = "0:0::1"', "port = 1")),
        (('endpoint = "tcp:1"',), ('address = "127.0.0.1"', "port = 1")),
        (('address = "::1"', "port = 1"), (r"endpoint = 'tcp:1:interface=\:\:'",)),
        # Stock Twisted's :: takes IPv4 as well, where no other listener has all of IPv4.
        (('address = "127.0.0.1"', "port = 1"), (r"endpoint = 'tcp:1:interface=\:\:'",)),
        (("endpoint = 'ssl:1'",), ('endpoint = "haproxy:tcp:1"',)),
        (('unix = "/run/x"',), ('unix = "/run/../run/x"',)),
        (('unix = "/run/x"',), ('endpoint = "unix:/run/x"',)),
        (('systemd = "http"',), ('systemd = "http"',)),
        (("fd = 3",), ("fd = 3",)),
        (("fd = 3",), ('endpoint = ["tcp:1", "fd:3"]',)),
    ],
)
def test_two_listeners_on_one_socket_are_found_at_the_second(check, one, other):
    first = HEAD + "[listeners.a]\n" + "\n".join(one) + "\n"
    (found,) = errors(check(first + "[listeners.b]\n" + "\n".join(other) + "\n"))
    assert (found.code, found.place.line, found.place.column) == (codes.COLLISION, first.count("\n") + 2, 1)
    assert "line 4" in found.message
    assert "listeners.a" in found.message or "listeners.a" in found.help
    assert ":4:" in found.help


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (('address = "127.0.0.1"', "port = 0"), ('address = "127.0.0.1"', "port = 0")),
        (('address = "0.0.0.0"', "port = 1"), ('address = "::"', "port = 1")),
        (('address = "0.0.0.0"', "port = 1"), (r"endpoint = 'tcp:1:interface=\:\:'",)),
        (('address = "fe80::1%eth0"', "port = 1"), ('address = "fe80::1%eth1"', "port = 1")),
        (('address = "127.0.0.1"', "port = 1"), ('address = "127.0.0.2"', "port = 1")),
        (('unix = "/run/x"',), ('unix = "/run/y"',)),
        (("endpoint = 'asgid-tcp:1:0.0.0.0:device=a'",), ("endpoint = 'asgid-tcp:1:0.0.0.0:device=b'",)),
    ],
)
def test_listeners_that_can_be_had_together_are_let_be(check, one, other):
    text = HEAD + "[listeners.a]\n" + "\n".join(one) + "\n[listeners.b]\n" + "\n".join(other) + "\n"
    assert errors(check(text)) == []


def found_at(diagnostics):
    return [(each.code, each.place.line, each.place.column) for each in diagnostics]


@pytest.mark.parametrize("bad", ['"224.0.0.1"', '"here"', "5"])
def test_a_bad_element_hides_nothing_that_the_others_of_its_list_say(check, bad):
    found = check(HEAD + MAIN + f'[listeners.b]\naddress = [{bad}, "127.0.0.1", "0.0.0.0"]\nport = 8000\n')
    others = [each for each in found_at(found) if each[0] not in {codes.UNDECLARED_EXPOSURE, codes.COLLISION}]
    assert others in [
        [(code, 7, 12)] for code in (codes.MULTICAST_ADDRESS, codes.BAD_ADDRESS, codes.WRONG_TYPE)
    ]
    collisions = {each.message for each in found if each.code == codes.COLLISION}
    assert any("127.0.0.1 port 8000, as listeners.main (line 4) does" in each for each in collisions)
    assert any("0.0.0.0 port 8000, which listeners.main (line 4) takes" in each for each in collisions)
    (exposed,) = [each for each in found if each.code == codes.UNDECLARED_EXPOSURE]
    assert (exposed.place.line, exposed.place.column) == (7, 12 + len(bad) + 2 + len('"127.0.0.1", '))


def test_a_bad_endpoint_string_hides_no_collision_of_another_one(check):
    text = HEAD + MAIN + """[listeners.b]\nendpoint = ["tpc:1", "tcp:8000:interface=127.0.0.1"]\n"""
    assert found_at(check(text)) == [
        (codes.COLLISION, 7, 1),
        (codes.ENDPOINT_UNKNOWN_KIND, 7, 14),
    ]


def test_the_same_collision_is_found_once(check):
    text = HEAD + MAIN + '[listeners.b]\naddress = ["127.0.0.1", "127.0.0.1"]\nport = 8000\n'
    assert found_at(check(text)) == [(codes.COLLISION, 7, 1), (codes.REPEATED, 7, 25)]
    bad = text.replace('", "127.0.0.1"]', '", "224.0.0.1", 5]')
    assert [each for each in found_at(check(bad)) if each[0] == codes.COLLISION] == [(codes.COLLISION, 7, 1)]


@pytest.mark.parametrize("line", ["this is = = not TOML", 'a = "b', "listeners.a]", "= 1"])
def test_that_there_is_no_listener_may_follow_from_what_is_not_toml(check, line):
    assert [each.code for each in check(f"{HEAD}\n{line}\n")] == [codes.SYNTAX]


@pytest.mark.parametrize(
    ("written", "line", "column"),
    [
        ("'''tcp:80:backlog=x'''", 4, 30),
        ("'''\ntcp:80:backlog=x'''", 5, 16),
        ('"""tcp:80:backlog=x"""', 4, 30),
        ('"""\ntcp:80:\\u0062acklog=x"""', 5, 21),
    ],
)
def test_a_mistake_inside_a_string_of_several_lines_is_found_where_it_is(check, written, line, column):
    found = check(HEAD + f"[listeners.a]\nendpoint = {written}\n")
    assert found_at(found) == [(codes.ENDPOINT_VALUE, line, column)]


def test_a_list_of_tables_is_told_how_one_table_is_written(check):
    (found,) = check(HEAD + '[[listeners.a]]\naddress = "127.0.0.1"\nport = 1\n')
    assert (found.code, found.place.line) == (codes.WRONG_TYPE, 3)
    assert found.help == "a table's header has one bracket on each side: [listeners.a]"


def test_a_number_of_hundreds_of_digits_is_not_shown_whole(check):
    (found,) = errors(check(HEAD + main('address = "127.0.0.1"', f"port = {'9' * 400}")))
    assert found.code == codes.BAD_PORT
    assert len(found.message) < 120


def test_a_misspelled_key_is_one_finding_and_not_a_missing_key_as_well(check):
    text = '[aplication]\ntarget = "a:b"\n[listener.a]\nadress = "::1"\nport = 1\n'
    assert [(each.code, each.place.line) for each in check(text)] == [
        (codes.UNKNOWN_KEY, 1),
        (codes.UNKNOWN_KEY, 3),
    ]
    text = '[application]\ntaget = "a:b"\n[listeners.a]\nadress = "::1"\nprt = 1\n'
    assert [(each.code, each.place.line) for each in check(text)] == [
        (codes.UNKNOWN_KEY, n) for n in (2, 4, 5)
    ]


def test_everything_that_is_wrong_is_found_in_one_run_in_the_order_of_the_file(check):
    text = (
        '[application]\ntarget = "a"\n'  # 2
        '[listeners.a]\naddress = "1.2.3"\nport = 1\n'  # 4
        "[listeners.b]\nport = 1\n"  # 6, 7 says nothing more
        '[listeners.c]\naddress = "10.0.0.1"\nport = 2\nexposure = "loopback"\n'  # 11
        '[listeners.d]\naddress = "0.0.0.0"\nport = 2\n'  # 13, two of them
        '[listeners.e]\nunix = "/x"\nmode = 1\nhttp2 = true\n'  # 17, 18
        '[limits]\nconnections = "many"\n'  # 20
    )
    assert [each.place.line for each in check(text)] == [2, 4, 6, 11, 13, 13, 17, 18, 20]


@pytest.mark.parametrize("name", ['"a b"', '"a.b"', '"é"', "'x\"y'", '"back\\\\slash"', '""', "1a"])
@pytest.mark.parametrize("keys", [[], ["port = 1"], ['address = "::1"'], ['unix = "x"', "fd = 3"]])
def test_a_name_that_is_none_is_found_whatever_else_is_wrong_with_its_listener(check, name, keys):
    found = check(HEAD + f"[listeners.{name}]\n" + "\n".join(keys))
    assert [codes.BAD_NAME, 3] in [[each.code, each.place.line] for each in found]
    assert len(found) == 2  # the name, and what is wrong with the keys


def test_values_of_a_command_line_have_their_places_there():
    values = {
        "application": {"target": "a:b"},
        "listeners": {
            "endpoint-1": {"endpoint": "tcp:8005:interface=::1"},
            "bind": {"endpoint": "tcp:99999"},
        },
    }
    places = {"listeners.endpoint-1.endpoint": Place("command line: -e")}
    first, second = load_values(values, places).diagnostics
    assert {str(first).split(": error")[0], str(second).split(": error")[0]} == {
        "command line",
        "command line: -e",
    }
    unescaped = first if first.code == codes.ENDPOINT_UNESCAPED else second
    assert unescaped.help == r"write -e 'tcp:8005:interface=\:\:1'"


def test_a_file_that_is_missing_is_unreadable_and_a_bad_one_is_not(tmp_path):
    assert load(tmp_path / "none").unreadable
    path = tmp_path / "bad"
    path.write_text("x")
    assert not load(path).unreadable


ODD = """
[listeners.a]
[[listeners.a]]
[listeners.a.tls]
[listeners."a b"]
[listeners."a.b"]
[listeners]
[application.environment]
[proxy]
[limits]
[daemon]
[x]
listeners = 3
x = "y"
"" = 1
address = 3
unix = "x"
fd = 3
interface = "lo"
endpoint = []
endpoint = "tcp:1"
limits = []
exposure = 1979-05-27
exposure = "private"
headers = {a = 1}
trusted = [[]]
certificates = [{}, {x = 1}]
environment = { a = {b = 1}}
port = 1e400
workers = true
umask = -1
mode = {}
"""
LINES = st.sampled_from([*HEAD.splitlines(), *MAIN.splitlines(), *ODD.split("\n")])


@given(st.lists(LINES, max_size=12))
def test_any_toml_gives_diagnostics_and_never_an_exception(tmp_path_factory, lines):
    """Invariant: load returns; a configuration is there just where no error is; places are in the file."""
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text("\n".join(lines))
    loaded = load(path)
    assert (loaded.config is None) == any(each.severity == "error" for each in loaded.diagnostics)
    for each in loaded.diagnostics:
        assert each.code in RULES
        assert 1 <= each.place.line <= max(1, len(lines))


@pytest.mark.parametrize(
    "line",
    [
        f"target = '{'a.' * 100_000}'",
        f"{'a' * 100_000} = 1",
        f"endpoint = 'tcp:80:{'a=b:' * 2000}'",
        f"endpoint = 'unix:/{'=b:/' * 2000}'",
        f"endpoint = 'unix:/{'x' * 300}{chr(92)}{'yz' * 2000}'",
        f"proxy = {{ forwarded = 'rfc7239', trusted = {[f'h{i}' for i in range(2000)]} }}",
    ],
    ids=["target", "key", "keywords", "equals", "backslashes", "trusted"],
)
def test_what_is_found_about_a_long_line_is_short_and_the_line_is_kept_once(check, line):
    found = check(HEAD + f'[listeners.main]\naddress = "0.0.0.0"\nport = 1\nexposure = "public"\n{line}\n')
    assert found
    assert max(len(each.message) for each in found) < 1100
    assert max(len(each.help) for each in found) < 1100
    assert len({id(each.source) for each in found if each.place.line == 7}) <= 1
