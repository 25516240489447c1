"""Who reaches the unix sockets of the examples, and where a service may write: the examples' own drop-ins."""

from __future__ import annotations

import pytest

from support.packaged import EXAMPLES

PROBE = '[application]\ntarget = "probe:app"\ndirectory = "/site"\n'
PROXY = "www-data"
CONNECT = """
import os, pwd, socket, sys
who = pwd.getpwnam(sys.argv[1])
os.setgroups([]); os.setgid(who.pw_gid); os.setuid(who.pw_uid)
with socket.socket(socket.AF_UNIX) as client:
    try:
        client.connect(sys.argv[2])
    except PermissionError:
        sys.exit("refused")
    client.settimeout(60)
    client.sendall(b"GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n")
    print(client.recv(100).decode().partition("\\r\\n")[0])
"""


def connect(machine, user, path) -> str:
    """Return the status line that a user gets of a socket, or "refused"."""
    return machine.run("/usr/bin/python3", "-Ic", CONNECT, user, path, check=False).strip()


def drop_in(machine, name, text) -> None:
    machine.write(f"/etc/systemd/system/asgid@{name}.service.d/test.conf", text)
    machine.run("systemctl", "daemon-reload")


@pytest.fixture
def stopped(machine):
    """A machine whose services of this test are stopped and gone afterwards."""
    yield machine
    machine.shell(
        "systemctl stop asgid-local@grp.socket asgid@grp || true; systemctl reset-failed 'asgid@*' || true; "
        "cd /etc/systemd/system; rm -rf asgid-*@.socket asgid@grp.service.d /etc/asgid/grp.toml; "
        "systemctl daemon-reload"
    )


def test_the_socket_unit_lets_the_proxys_group_in_and_nobody_else(stopped):
    stopped.shell(f"cp {EXAMPLES}/systemd/asgid-local@.socket /etc/systemd/system/; systemctl daemon-reload")
    stopped.write("/etc/asgid/grp.toml", PROBE + '[listeners.local]\nsystemd = "local"\n')
    stopped.run("systemctl", "start", "asgid-local@grp.socket")
    path = "/run/asgid-grp.sock"
    assert stopped.run("stat", "-c", "%U %G %a", path).split() == ["root", PROXY, "660"]
    assert connect(stopped, PROXY, path) == "HTTP/1.1 200 OK"
    assert connect(stopped, "nobody", path) == "refused"
    stopped.run("systemctl", "restart", "asgid@grp")  # adopted again: neither mode nor group has changed
    assert connect(stopped, PROXY, path) == "HTTP/1.1 200 OK"
    assert stopped.run("stat", "-c", "%U %G %a", path).split() == ["root", PROXY, "660"]


def test_a_socket_of_asgids_own_has_the_group_that_supplementary_groups_gives(stopped):
    path = "/run/asgid/grp/http.sock"
    stopped.write(
        "/etc/asgid/grp.toml",
        PROBE + f'[listeners.nginx]\nunix = "{path}"\nmode = "0660"\ngroup = "{PROXY}"\n',
    )
    # Without it asgid says so, before the start and at it. The unit makes the directory when it starts.
    stopped.run("install", "-d", "-o", "asgid", "-g", "asgid", "/run/asgid/grp")
    said = stopped.run(
        "runuser", "-u", "asgid", "--", "asgid", "lint", "--live", "/etc/asgid/grp.toml", check=False
    )
    assert "ASG819" in said, said
    assert "SupplementaryGroups=" in said, said
    assert stopped.fails("systemctl", "start", "asgid@grp")
    assert "SupplementaryGroups=" in stopped.journal("asgid@grp")
    stopped.run("systemctl", "stop", "asgid@grp")
    drop_in(stopped, "grp", f"[Service]\nSupplementaryGroups={PROXY}\n")
    stopped.run("systemctl", "start", "asgid@grp")
    assert stopped.run("stat", "-c", "%U %G %a", path).split() == ["asgid", PROXY, "660"]
    assert connect(stopped, PROXY, path) == "HTTP/1.1 200 OK"
    assert connect(stopped, "nobody", path) == "refused"


def test_a_service_writes_where_the_examples_drop_in_lets_it_and_nowhere_else(stopped):
    stopped.shell("mkdir -p /srv/mysite/media && chown asgid: /srv/mysite/media")
    stopped.write("/etc/asgid/grp.toml", PROBE + '[listeners.one]\naddress = "127.0.0.1"\nport = 8040\n')
    url = "http://127.0.0.1:8040/write"
    stopped.run("systemctl", "start", "asgid@grp")
    with pytest.raises(AssertionError):
        stopped.get(url)
    assert "Read-only file system" in stopped.journal("asgid@grp")
    drop_in(stopped, "grp", stopped.run("cat", f"{EXAMPLES}/systemd/write.conf"))
    stopped.run("systemctl", "restart", "asgid@grp")
    assert stopped.get(url).startswith("one ")
    assert stopped.run("stat", "-c", "%U", "/srv/mysite/media/written").strip() == "asgid"
