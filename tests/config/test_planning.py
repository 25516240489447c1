"""From a configuration and a host to the endpoint strings that run, with every option settled."""

from __future__ import annotations

import pytest

from asgid.config import codes, endpoints, load, load_values, plan
from asgid.config.spec import Limits, Proxy, Timeouts, WebSocketOptions
from support.host import Host

HEAD = '[application]\ntarget = "mysite.asgi:application"\n'


OFFICE = Host(
    addresses={"lo": ("127.0.0.1", "::1"), "eth1": ("10.0.0.5", "2001:db8::5", "fe80::5%eth1"), "tun0": ()}
)


@pytest.fixture
def planned(tmp_path):
    """``planned(text, host)``: the plan of a good file."""

    def planner(text: str, host: Host = OFFICE, head: str = HEAD):
        path = tmp_path / "listeners.toml"
        path.write_text(head + text)
        loaded = load(path)
        assert loaded.config, loaded.diagnostics
        return plan(loaded.config, host)

    return planner


def strings(plan) -> list[str]:
    return [endpoint.text for listener in plan.listeners for endpoint in listener.endpoints]


def listener(*lines: str, name: str = "x") -> str:
    return f"[listeners.{name}]\n" + "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (('address = "127.0.0.1"', "port = 1"), ["tcp:port=1:interface=127.0.0.1:backlog=2048"]),
        (('address = "0.0.0.0"', "port = 0"), ["tcp:port=0:interface=0.0.0.0:backlog=2048"]),
        (('address = "::1"', "port = 1", "backlog = 9"), [r"tcp:port=1:interface=\:\:1:backlog=9"]),
        (('address = "0:0::1"', "port = 1"), [r"tcp:port=1:interface=\:\:1:backlog=2048"]),
        (('address = "fe80::1%eth1"', "port = 1"), [r"tcp:port=1:interface=fe80\:\:1%eth1:backlog=2048"]),
        (('address = "::"', "port = 1"), [r"asgid-tcp:port=1:interface=\:\::backlog=2048"]),
        (
            ('address = "*"', "port = 1"),
            ["tcp:port=1:interface=0.0.0.0:backlog=2048", r"asgid-tcp:port=1:interface=\:\::backlog=2048"],
        ),
        (
            ('address = ["10.0.0.5", "::1"]', "port = 1", "freebind = true"),
            [
                "asgid-tcp:port=1:interface=10.0.0.5:backlog=2048:freebind=1",
                r"asgid-tcp:port=1:interface=\:\:1:backlog=2048:freebind=1",
            ],
        ),
        (
            ('interface = "eth1"', "port = 1"),
            [
                "tcp:port=1:interface=10.0.0.5:backlog=2048",
                r"tcp:port=1:interface=2001\:db8\:\:5:backlog=2048",
                r"tcp:port=1:interface=fe80\:\:5%eth1:backlog=2048",
            ],
        ),
        (
            ('interface = "eth1"', "port = 1", 'family = "ipv4"', "bind_to_device = true"),
            ["asgid-tcp:port=1:interface=10.0.0.5:backlog=2048:device=eth1"],
        ),
        (('unix = "/run/a=b:c.sock"',), [r"asgid-unix:path=/run/a=b\:c.sock:mode=0660:backlog=2048"]),
        (
            ('unix = "/run/x"', 'mode = "600"', 'owner = "www-data"', 'group = "www-data"'),
            ["asgid-unix:path=/run/x:mode=0600:owner=www-data:group=www-data:backlog=2048"],
        ),
        (('systemd = "http"',), ["asgid-systemd:name=http"]),
        (("fd = 3",), ["fd:fileno=3"]),
        (("fd = 3", "backlog = 7"), ["fd:fileno=3:backlog=7"]),
        (('endpoint = ["tcp:1", "ssl:2:privateKey=k"]',), ["tcp:1", "ssl:2:privateKey=k"]),
    ],
)
def test_each_way_to_listen_becomes_its_endpoint_strings(planned, lines, expected):
    made = planned(listener(*lines))
    assert strings(made) == expected
    assert made.listeners[0].problems == made.diagnostics == ()
    for text in expected:
        endpoints.view(endpoints.parse(text))


def test_a_relative_path_is_relative_to_the_file(planned, tmp_path):
    made = planned(
        listener('unix = "run/x.sock"') + '[daemon]\npid_file = "../pid"\n[log]\naccess = "access.log"\n',
        head=HEAD + 'directory = "site"\nvirtualenv = "/srv/venv"\n',
    )
    assert strings(made) == [f"asgid-unix:path={tmp_path}/run/x.sock:mode=0660:backlog=2048"]
    assert made.daemon.pid_file == tmp_path.parent / "pid"
    assert made.log.access == f"{tmp_path}/access.log"
    assert made.application.directory == tmp_path / "site"
    assert str(made.application.virtualenv) == "/srv/venv"


def test_the_application_runs_in_the_files_directory_and_a_command_lines_where_it_is(planned, tmp_path):
    assert planned(listener("fd = 3")).application.directory == tmp_path
    values = {"application": {"target": "a:b"}, "listeners": {"fd": {"fd": 3}}}
    assert plan(load_values(values).config, OFFICE).application.directory is None


def test_every_endpoint_and_listener_has_its_place(planned, tmp_path):
    made = planned(
        listener('address = ["127.0.0.1",', '  "::1"]', "port = 1") + listener('systemd = "a"', name="y")
    )
    places = [(each.place.line, each.place.column) for x in made.listeners for each in x.endpoints]
    assert places == [(4, 12), (5, 3), (8, 11)]
    assert [(each.place.line, each.place.column) for each in made.listeners] == [(3, 1), (7, 1)]
    assert made.application.place.line == 2


def test_a_listeners_own_keys_override_the_defaults_one_by_one(planned):
    made = planned(
        listener(
            "fd = 3",
            "limits.connections = 5",
            "timeouts = {drain = 0}",
            'root_path = ""',
            "websocket.queue = 1",
        )
        + listener("fd = 4", name="y")
        + '[limits]\nconnections = 7\nbody_size = "1KiB"\n[timeouts]\ndrain = "1m"\nkeep_alive = 2.5\n'
        + '[websocket]\nlifetime = "1h"\n',
        head=HEAD + 'root_path = "/api"\n',
    )
    x, y = made.listeners
    assert (x.limits, y.limits) == (
        Limits(connections=5, body_bytes=1024),
        Limits(connections=7, body_bytes=1024),
    )
    assert (x.timeouts, y.timeouts) == (
        Timeouts(drain_s=0, keep_alive_s=2.5),
        Timeouts(drain_s=60, keep_alive_s=2.5),
    )
    assert (x.websocket, y.websocket) == (
        WebSocketOptions(queue=1, lifetime_s=3600),
        WebSocketOptions(lifetime_s=3600),
    )
    assert (x.root_path, y.root_path) == ("", "/api")


def test_an_empty_file_of_options_is_the_defaults_of_the_spec(planned):
    made = planned(listener("fd = 3"))
    (x,) = made.listeners
    assert (x.limits, x.timeouts, x.websocket, x.proxy) == (Limits(), Timeouts(), WebSocketOptions(), Proxy())
    assert (made.daemon.server_header, made.daemon.date_header, made.daemon.umask) == (b"asgid", True, None)
    assert (made.log.level, made.log.access) == ("info", "-")


def test_headers_and_proxies_are_ready_for_the_wire(planned):
    made = planned(
        listener("fd = 3", 'headers = { X-Frame-Options = "DENY" }', 'proxy.trusted = ["unix", "10.0.0.1"]')
        + '[proxy]\nforwarded = "x-forwarded"\ntrusted = ["2001:DB8::/32"]\nhost_header = "X-Real-IP"\n'
    )
    assert made.listeners[0].headers == ((b"x-frame-options", b"DENY"),)
    assert made.listeners[0].proxy == Proxy("none", ("unix", "10.0.0.1/32"), "x-forwarded", b"x-real-ip")


def test_ipv4_networks_mapped_into_ipv6_are_those_of_ipv4_that_peers_are_compared_with(planned):
    mapped = '"::ffff:10.0.0.0/104", "::FFFF:192.0.2.1", "::ffff:198.51.100.1/127", "::/80"'
    made = planned(listener("fd = 3") + f"[proxy]\ntrusted = [{mapped}]\n")
    plain = ("10.0.0.0/8", "192.0.2.1/32", "198.51.100.0/31", "::/80")
    assert made.listeners[0].proxy.trusted == plain


@pytest.mark.parametrize("protocol", ["v1", "v2", "any"])
@pytest.mark.parametrize("forwarded", ["none", "rfc7239"])
def test_both_ways_to_name_a_client_can_be_had(planned, protocol, forwarded):
    made = planned(
        listener("fd = 3", 'proxy.trusted = ["unix"]')
        + listener("fd = 4", 'proxy.protocol = "none"', 'proxy.forwarded = "none"', name="y")
        + f'[proxy]\nprotocol = "{protocol}"\nforwarded = "{forwarded}"\ntrusted = ["10.0.0.1"]\n'
    )
    assert made.listeners[0].proxy == Proxy(protocol, ("unix",), forwarded)
    assert made.listeners[1].proxy == Proxy("none", ("10.0.0.1/32",), "none")


def test_a_command_line_means_what_daphne_means_by_forwarded_headers():
    values = {
        "application": {"target": "a:b"},
        "listeners": {"bind": {"endpoint": "tcp:80"}},
        "proxy": {"forwarded": "x-forwarded", "trusted": ["unix"]},
    }
    made = plan(load_values(values).config, OFFICE)
    assert made.listeners[0].proxy == Proxy("none", ("unix",), "x-forwarded", rewrites=False)


@pytest.mark.parametrize(
    ("other", "only"),
    [
        ('address = "0.0.0.0"\nport = 1', True),
        ('endpoint = "tcp:1"', True),
        ('endpoint = "ssl:port=1:interface=0.0.0.0"', True),
        ('address = "0.0.0.0"\nport = 2', False),
        ("fd = 3", False),
    ],
)
def test_a_stock_wildcard_is_ipv6_only_where_another_listener_has_ipv4(planned, other, only):
    for mine in (r"endpoint = 'tcp:1:interface=\:\:'", r"endpoint = 'ssl:1:interface=\:\:'"):
        made = planned(listener(mine) + listener(other, name="y"))
        assert [each.ipv6_only for x in made.listeners for each in x.endpoints] == [only, False]


def test_a_host_without_ipv6_serves_everything_with_ipv4_and_a_warning(planned):
    made = planned(listener('address = "*"', "port = 1"), Host(ipv6=False))
    assert strings(made) == ["tcp:port=1:interface=0.0.0.0:backlog=2048"]
    (warning,) = made.diagnostics
    assert (warning.code, warning.severity, warning.place.line) == (codes.NO_IPV6, "warning", 4)
    assert made.listeners[0].problems == ()


@pytest.mark.parametrize(("required", "severity"), [("true", "error"), ("false", "warning")])
@pytest.mark.parametrize(
    "lacking",
    [
        (('interface = "eth9"', "port = 1"), codes.INTERFACE_ABSENT, 5, 0),
        (('interface = "tun0"', "port = 1"), codes.NO_SUCH_FAMILY, 5, 0),
        (('interface = "eth1"', "port = 1", 'exposure = "private"'), codes.WIDER_THAN_DECLARED, 7, 3),
        (('unix = "/x"', 'owner = "nobody-here"'), codes.NO_SUCH_USER, 6, 1),
        (('unix = "/x"', 'group = "nobody-here"'), codes.NO_SUCH_GROUP, 6, 1),
    ],
)
def test_what_the_host_lacks_is_the_listeners_problem(planned, required, severity, lacking):
    lines, code, line, left = lacking
    made = planned(listener(f"required = {required}", *lines))
    (problem,) = made.listeners[0].problems
    assert (problem.code, problem.severity, problem.place.line) == (code, severity, line)
    assert len(strings(made)) == left
    assert made.diagnostics == ()


def test_an_ipv6_address_on_a_host_without_ipv6_is_a_problem_and_the_rest_is_kept(planned):
    made = planned(listener('address = ["127.0.0.1", "::1"]', "port = 1"), Host(ipv6=False))
    assert strings(made) == ["tcp:port=1:interface=127.0.0.1:backlog=2048"]
    (problem,) = made.listeners[0].problems
    assert (problem.code, problem.place.column) == (codes.NO_IPV6, 25)


def test_an_interface_within_its_exposure_has_no_problem(planned):
    made = planned(listener('interface = "lo"', "port = 1", 'exposure = "loopback"'))
    assert made.listeners[0].problems == ()


def test_an_interface_whose_address_another_listener_has_is_a_problem(planned):
    made = planned(
        listener('interface = "lo"', "port = 1") + listener('address = "0.0.0.0"', "port = 1", name="y")
    )
    x, y = made.listeners
    assert x.problems == ()
    (problem,) = y.problems
    assert (problem.code, problem.place.line) == (codes.COLLISION, 7)
    assert "listeners.x" in problem.message


def test_the_tables_variables_win_over_the_environment_files(planned, tmp_path):
    (tmp_path / "env").write_text("A=file\nB='file'\nexport C=x\n")
    head = HEAD + 'environment = { A = "table" }\nenvironment_file = "env"\n'
    made = planned(listener("fd = 3"), head=head)
    assert made.application.environment == {"A": "table", "B": "file"}
    (warning,) = made.diagnostics
    assert (warning.code, warning.severity) == (codes.ENVIRONMENT_FILE_LINE, "warning")
    assert str(warning.place) == f"{tmp_path}/env:3:1"


@pytest.mark.parametrize("content", [None, b"A=\xff\n"])
def test_an_environment_file_that_cannot_be_read_is_an_error_at_its_name(planned, tmp_path, content):
    if content is not None:
        (tmp_path / "env").write_bytes(content)
    made = planned(listener("fd = 3"), head=HEAD + 'environment_file = "env"\n')
    (problem,) = made.diagnostics
    assert (problem.code, problem.severity) == (codes.ENVIRONMENT_FILE_UNREADABLE, "error")
    assert (problem.place.line, problem.place.column) == (3, 20)


def test_an_interface_with_a_public_address_is_told_of_as_such_an_address_is(planned):
    host = Host(addresses={"eth0": ("10.0.0.5", "8.8.8.8")})
    (found,) = planned(listener('interface = "eth0"', "port = 1"), host).diagnostics
    assert (found.code, found.severity, found.place.line, found.place.column) == ("ASG508", "warning", 4, 13)
    assert "8.8.8.8" in found.message
    for lines in (('exposure = "public"',), ('family = "ipv6"', "required = false")):
        assert planned(listener('interface = "eth0"', "port = 1", *lines), host).diagnostics == ()


def test_port_0_on_an_interface_with_several_addresses_is_told_of(planned):
    host = Host(addresses={"eth0": ("10.0.0.5", "fd00::5")})
    (found,) = planned(listener('interface = "eth0"', "port = 0"), host).diagnostics
    assert (found.code, found.place.line, found.place.column) == ("ASG214", 5, 8)
    assert planned(listener('interface = "eth0"', "port = 0", 'family = "ipv4"'), host).diagnostics == ()
