# ruff: noqa: E501 - scripts for the machine stand as they are
"""The template: applications in their own environments, in homes, and what the watchdog and sockets do."""

from __future__ import annotations

import json
import re

import pytest

from support import hardening
from support.packaged import EXAMPLES, RELEASES, make_project, websocket_echo

PROBE = """
[application]
target = "probe:app"
directory = "/site"
"""


@pytest.fixture(scope="module")
def project(machine):
    """A project of Django Channels, with other versions of pydantic and Twisted than asgid's."""
    make_project(machine)
    machine.run("cp", f"{EXAMPLES}/django-channels.toml", "/etc/asgid/mysite.toml")

    machine.run("systemctl", "start", "asgid@mysite")
    yield machine
    machine.run("systemctl", "stop", "asgid@mysite")


def test_a_project_is_served_with_its_own_versions_and_our_packages_behind_them(project):
    said = json.loads(project.get("http://127.0.0.1:8001/"))
    assert said["pydantic"] == "2.11.10"
    assert said["twisted"] == "24.7.0"
    assert said["prefix"] == "/srv/mysite/.venv"
    assert said["child"] == "42"
    assert said["uvloop"].startswith("/usr/lib/asgid/")
    own = project.run(
        "/usr/lib/asgid/bin/python3",
        "-Ic",
        "import twisted, pydantic; print(twisted.__version__, pydantic.VERSION)",
    )
    assert "24.7.0" not in own
    assert "2.11.10" not in own


def test_the_process_that_systemd_started_is_the_one_that_serves(project):
    pid = project.show("asgid@mysite.service", "MainPID")
    assert project.run("cat", f"/proc/{pid}/comm").startswith("python")
    assert (
        project.run("readlink", f"/proc/{pid}/exe").strip()
        == f"/usr/bin/python{RELEASES[project.release][1]}"
    )
    assert "mysite.asgi:application" in project.show("asgid@mysite.service", "StatusText")
    assert project.show("asgid@mysite.service", "WatchdogUSec") == "30s"


def test_its_websockets_work(project):
    assert websocket_echo(project, 8001) == "hello"


def test_the_shipped_unit_forbids_the_application_what_its_directives_are_for(project):
    project.shell(hardening.PREPARE)
    project.run("systemctl", "restart", "asgid@mysite")  # what it does not see is decided at its start
    url = "http://127.0.0.1:8001/forbidden/"
    # RemoveIPC= acts at the stop, and MemoryDenyWriteExecute= is asgid.service's alone
    names = set(hardening.directives()) - {"RemoveIPC", "MemoryDenyWriteExecute"}
    outside = {project.run("readlink", f"/proc/1/ns/{kind}").strip() for kind in ("mnt", "uts", "ipc")}
    found = {name: project.get(url + name).rsplit(" ", 1)[0] for name in names}
    allowed = {name for name, word in found.items() if word == "done" or word in outside}
    assert allowed == {hardening.GIVES}
    assert not any(word.startswith("ended") for word in found.values()), found


def test_each_instance_has_directories_and_a_pid_file_of_its_own(project):
    pid = project.show("asgid@mysite.service", "MainPID")
    assert project.run("cat", "/run/asgid/mysite/asgid.pid").strip() == pid
    assert project.run("stat", "-c", "%U %a", "/var/lib/asgid/mysite").split() == ["asgid", "750"]
    other = project.show("asgid.service", "MainPID")
    assert project.run("cat", "/run/asgid/listeners/asgid.pid").strip() == other
    project.run("systemctl", "restart", "asgid")
    assert (
        project.run("cat", "/run/asgid/mysite/asgid.pid").strip() == pid
    )  # the other's stop took nothing along


def test_an_application_in_a_home_is_hidden_and_the_documented_drop_in_shows_it(project):
    project.shell(
        "mkdir -p /home/alice/mysite && chmod 700 /home/alice && cp /site/probe.py /home/alice/mysite/"
    )
    project.write(
        "/etc/asgid/home.toml",
        PROBE.replace("/site", "/home/alice/mysite")
        + '[listeners.home]\naddress = "127.0.0.1"\nport = 8010\n',
    )
    assert project.fails("systemctl", "start", "asgid@home")
    said = project.show("asgid@home.service", "StatusText")
    assert "/home/alice/mysite" in said
    journal = project.journal("asgid@home")
    assert "ProtectHome=" in journal, journal
    project.run("systemctl", "stop", "asgid@home")
    folder = "/etc/systemd/system/asgid@home.service.d"
    project.shell(
        f"mkdir -p {folder} && cp {EXAMPLES}/systemd/home.conf {folder}/ && systemctl daemon-reload"
    )
    project.run("systemctl", "start", "asgid@home")
    assert project.get("http://127.0.0.1:8010/").startswith("home 127.0.0.1")
    project.run("systemctl", "stop", "asgid@home")


def test_the_watchdog_restarts_a_process_whose_application_blocks_the_loop(machine):
    machine.write("/etc/asgid/blocked.toml", PROBE + '[listeners.one]\naddress = "127.0.0.1"\nport = 8020\n')
    machine.write(
        "/etc/systemd/system/asgid@blocked.service.d/soon.conf",
        "[Service]\nWatchdogSec=2s\nRestartSec=100ms\n",
    )
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "start", "asgid@blocked")
    before = machine.show("asgid@blocked.service", "MainPID")
    assert before in machine.get("http://127.0.0.1:8020/")
    machine.shell(
        "curl() { :; }; /usr/bin/python3 -Ic \"import socket; s = socket.create_connection(('127.0.0.1', 8020)); s.sendall(b'GET /block HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n'); s.recv(1)\"",
        check=False,
    )
    machine.wait_for("asgid@blocked.service", "NRestarts", "1")
    machine.wait_for("asgid@blocked.service", "ActiveState", "active")
    after = machine.get("http://127.0.0.1:8020/")
    assert after.split()[2] == machine.show("asgid@blocked.service", "MainPID") != before
    journal = machine.journal("asgid@blocked")
    assert re.search(r"Watchdog timeout", journal)
    assert re.search(r"probe\.py.*in app", journal), journal  # where it hung
    machine.run("systemctl", "stop", "asgid@blocked")


@pytest.fixture
def sockets(machine):
    """The example's sockets, started in the order that a test says, and the application behind them."""
    machine.shell(
        f"cp {EXAMPLES}/systemd/*.socket /etc/systemd/system/; "
        "sed -i 's/:80$/:8030/; s/^SocketGroup=.*//' /etc/systemd/system/asgid-*@.socket; "
        "systemctl daemon-reload"
    )
    machine.write(
        "/etc/asgid/act.toml",
        PROBE + '[listeners.http]\nsystemd = "http"\n[listeners.local]\nsystemd = "local"\n',
    )
    yield machine
    machine.shell(
        "systemctl stop asgid-http@act.socket asgid-local@act.socket asgid@act; rm /etc/systemd/system/asgid-*@.socket; systemctl daemon-reload"
    )


@pytest.mark.parametrize("order", [("http", "local"), ("local", "http")])
def test_activation_by_two_named_sockets_in_either_order(sockets, order):
    for name in order:
        sockets.run("systemctl", "start", f"asgid-{name}@act.socket")
    assert sockets.show("asgid@act.service", "ActiveState") == "inactive"
    assert sockets.get("http://127.0.0.1:8030/").startswith("http 127.0.0.1 ")
    assert sockets.get("http://[::1]:8030/").startswith("http ::1 ")  # two descriptors of one name
    assert sockets.get("http://localhost/", socket_path="/run/asgid-act.sock").startswith("local ")
    assert sockets.run("stat", "-c", "%a", "/run/asgid-act.sock").strip() == "660"


def test_a_restart_under_load_refuses_no_connection(sockets):
    sockets.run("systemctl", "start", "asgid-http@act.socket", "asgid-local@act.socket")
    first = sockets.get("http://127.0.0.1:8030/").split()[2]
    load = """
import http.client, subprocess, threading, time
seen, failed = set(), []
stop = threading.Event()
def ask(host, path):
    while not stop.is_set():
        try:
            connection = http.client.HTTPConnection(host, 8030, timeout=60)
            connection.request("GET", path, headers={"Connection": "close"})
            answer = connection.getresponse()
            assert answer.status == 200, answer.status
            seen.add(answer.read().split()[2])
        except Exception as error:
            failed.append(repr(error))
        finally:
            connection.close()
threads = [threading.Thread(target=ask, args=each) for each in
           [("127.0.0.1", "/"), ("::1", "/"), ("127.0.0.1", "/slow"), ("::1", "/slow")] * 2]
for each in threads:
    each.start()
for _ in range(3):
    time.sleep(0.5)
    subprocess.run(["systemctl", "restart", "asgid@act"], check=True)
time.sleep(0.5)
stop.set()
for each in threads:
    each.join()
print(len(seen), failed)
"""
    count, failed = sockets.python(load).split(" ", 1)
    assert failed.strip() == "[]"
    assert int(count) == 4
    assert sockets.get("http://127.0.0.1:8030/").split()[2] != first


def test_every_example_lints_clean_as_installed(machine):
    machine.shell("mkdir -p /srv/mysite /srv/api; getent group www-data >/dev/null || groupadd www-data")
    found = machine.shell(f"find {EXAMPLES} -name '*.toml*'").split()
    assert len(found) == 6
    for example in found:
        copy = "/etc/asgid/example.toml"
        machine.shell(f"case {example} in *.gz) gunzip -c {example};; *) cat {example};; esac > {copy}")
        said = machine.run("asgid", "lint", copy, check=False)
        assert said == "", (example, said)
    machine.run("rm", "/etc/asgid/example.toml")
    machine.run("asgid", "lint", "/etc/asgid/listeners.toml")
