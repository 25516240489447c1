"""The welcome service of a fresh installation, and what becomes of it when its file is wrong."""

from __future__ import annotations

import json
import re

import pytest

from support.packaged import RELEASES

FILE = "/etc/asgid/listeners.toml"


def test_a_fresh_installation_answers_on_both_loopback_addresses_and_nowhere_else(machine):
    for url in ("http://127.0.0.1:8000/", "http://[::1]:8000/"):
        assert FILE in machine.get(url)
    listening = machine.shell("cat /proc/net/tcp /proc/net/tcp6 | awk '$4 == \"0A\" {print $2}'").split()
    assert sorted(listening) == ["00000000000000000000000001000000:1F40", "0100007F:1F40"]


def test_the_manager_is_told_the_listeners(machine):
    assert "local (127.0.0.1:8000), local6 ([::1]:8000)" in machine.show("asgid.service", "StatusText")
    assert machine.show("asgid.service", "User") == "asgid"


def test_it_runs_with_the_releases_own_python_and_no_package_of_it(machine):
    script = "import sys, twisted, pydantic; print(sys.version_info[:2], twisted.__file__, pydantic.__file__)"
    said = machine.run("/usr/lib/asgid/bin/python3", "-Ic", script)
    major, minor = RELEASES[machine.release][1].split(".")
    assert said.startswith(f"({major}, {minor}) /usr/lib/asgid/")
    assert (
        machine.run("readlink", "-f", "/usr/lib/asgid/bin/python3").strip()
        == f"/usr/bin/python{major}.{minor}"
    )
    assert machine.fails("/usr/bin/python3", "-c", "import twisted")


def test_a_host_without_ipv6_is_served_as_well(machine):
    machine.shell("for i in all lo; do echo 1 > /proc/sys/net/ipv6/conf/$i/disable_ipv6; done")
    try:
        machine.run("systemctl", "restart", "asgid")
        assert FILE in machine.get("http://127.0.0.1:8000/")
        assert machine.show("asgid.service", "StatusText").endswith("; not on local6")
    finally:
        machine.shell("for i in all lo; do echo 0 > /proc/sys/net/ipv6/conf/$i/disable_ipv6; done")
        machine.run("systemctl", "restart", "asgid")
    assert FILE in machine.get("http://[::1]:8000/")


def test_a_broken_file_is_refused_once_and_the_diagnostic_is_in_the_journal_and_the_status(machine):
    kept = machine.run("cat", FILE)
    machine.write(FILE, kept.replace("port = 8000", "prot = 8000", 1))
    try:
        before = machine.show("asgid.service", "MainPID")
        assert "did you mean port?" in machine.run("asgid", "lint", FILE, check=False)
        assert machine.show("asgid.service", "MainPID") == before  # lint leaves the running service alone
        assert FILE in machine.get("http://127.0.0.1:8000/")
        cursor = machine.run("journalctl", "-q", "-n0", "--show-cursor").rpartition("cursor: ")[2].strip()
        assert machine.fails("systemctl", "restart", "asgid")
        machine.wait_for("asgid.service", "ActiveState", "failed")
        assert machine.show("asgid.service", "ExecMainStatus") == "78"
        assert "did you mean port?" not in machine.show("asgid.service", "StatusText")
        assert f"{FILE}:" in machine.run("systemctl", "status", "asgid", check=False)
        said = machine.journal("asgid", f"--after-cursor={cursor}")
        assert len(re.findall(r"error\[ASG101\]", said)) == 1, said
        records = map(
            json.loads, machine.journal("asgid", f"--after-cursor={cursor}", "-o", "json").splitlines()
        )
        assert [each["PRIORITY"] for each in records if "ASG101" in each["MESSAGE"]] == ["3"]
        assert machine.show("asgid.service", "NRestarts") == "0"
    finally:
        machine.write(FILE, kept)
        machine.run("systemctl", "reset-failed", "asgid")
        machine.run("systemctl", "start", "asgid")


def test_a_port_that_is_taken_is_tried_again_until_it_is_free(machine):
    machine.run("systemctl", "stop", "asgid")
    machine.run(
        "systemd-run", "--unit=squatter", "-p", "Type=exec", "/usr/bin/python3", "-Ic",
        "import socket, time; s = socket.create_server(('127.0.0.1', 8000)); "
        "print('taken', flush=True); time.sleep(600)",
    )  # fmt: skip
    try:
        machine.shell("until journalctl -q -u squatter -o cat | grep -q taken; do sleep 0.1; done")
        assert machine.fails("systemctl", "start", "asgid")
        assert "8000" in machine.show("asgid.service", "StatusText")
        assert machine.show("asgid.service", "ActiveState") == "activating"
    finally:
        machine.run("systemctl", "stop", "squatter")
    machine.wait_for("asgid.service", "ActiveState", "active")
    assert FILE in machine.get("http://127.0.0.1:8000/")


def test_the_templates_instance_of_that_file_is_refused_with_a_word_of_where_it_belongs(machine):
    assert machine.fails("systemctl", "start", "asgid@listeners")
    machine.wait_for("asgid@listeners.service", "ActiveState", "failed")
    assert "is served by asgid.service" in machine.journal("asgid@listeners")
    assert machine.show("asgid@listeners.service", "NRestarts") == "0"
    machine.run("systemctl", "reset-failed", "asgid@listeners")


def test_records_have_their_priorities(machine):
    records = machine.run("journalctl", "-q", "-u", "asgid", "-o", "json", "_COMM=asgid").splitlines()
    found = {json.loads(each)["PRIORITY"] for each in records if "serves asgid.daemon.welcome:app" in each}
    assert found == {"6"}
    assert not any("<6>" in json.loads(each)["MESSAGE"] for each in records)


def test_logrotate_has_the_access_log_opened_again(machine):
    kept = machine.run("cat", FILE)
    log = "/var/log/asgid/listeners/access.log"
    machine.write(FILE, f'{kept}\n[log]\naccess = "{log}"\n')
    try:
        machine.run("systemctl", "restart", "asgid")
        pid = machine.show("asgid.service", "MainPID")
        machine.get("http://127.0.0.1:8000/")
        machine.shell(f"until grep -q GET {log}; do sleep 0.1; done")
        machine.run("logrotate", "--force", "/etc/logrotate.d/asgid")
        machine.shell(f"until test -e {log}; do sleep 0.1; done")
        machine.get("http://[::1]:8000/")
        machine.shell(f"until grep -q ::1 {log}; do sleep 0.1; done")
        assert "127.0.0.1" in machine.run("cat", f"{log}.1")
        assert machine.show("asgid.service", "MainPID") == pid
    finally:
        machine.write(FILE, kept)
        machine.run("systemctl", "restart", "asgid")


def test_nothing_is_written_below_usr_even_by_root(machine):
    machine.shell("touch /tmp/before && sleep 0.1")
    machine.run("asgid", "--version")
    machine.run("asgid", "lint", "--live", FILE, check=False)
    machine.write("/tmp/as-root.toml", machine.run("cat", FILE).replace("8000", "8099"))
    machine.run(
        "systemd-run", "--unit=as-root", "-p", "Type=notify", "asgid", "--config", "/tmp/as-root.toml"
    )
    machine.get("http://127.0.0.1:8099/")
    # 'endpoint' asks Twisted for the plugins that it knows, which is what wrote its cache anew
    machine.run("asgid", "endpoints", "/tmp/as-root.toml")
    machine.run("systemctl", "stop", "as-root")
    assert machine.run("find", "/usr", "-newer", "/tmp/before", "-not", "-type", "l").split() == []


def test_the_units_expose_no_more_than_was_promised(machine):
    machine.run(
        "systemd-analyze", "security", "--no-pager", "--offline=true", "--threshold=20", "asgid.service"
    )
    machine.run(
        "systemd-analyze", "security", "--no-pager", "--offline=true", "--threshold=25", "asgid@.service"
    )
    said = machine.run(
        "systemd-analyze", "verify", "--man=no", "asgid.service", "asgid@mysite.service", check=False
    )
    assert "asgid" not in said, said


@pytest.mark.parametrize(
    "directory",
    ["/usr/bin", "/etc", "/home", "/var/lib/asgid", "/var/log/asgid", "/usr/lib/asgid"],
)
def test_the_service_cannot_write_where_it_is_not_to(machine, directory):
    pid = machine.show("asgid.service", "MainPID")
    script = f"import os; os.setgid({0}); open('{directory}/written', 'w')"
    assert machine.fails("nsenter", "-t", pid, "-m", "/usr/bin/python3", "-Ic", script)


def test_the_service_has_one_capability(machine):
    pid = machine.show("asgid.service", "MainPID")
    status = machine.run("cat", f"/proc/{pid}/status")
    found = dict(re.findall(r"^Cap(\w+):\s+([0-9a-f]+)$", status, re.MULTILINE))
    bind = f"{1 << 10:016x}"  # CAP_NET_BIND_SERVICE, capabilities(7)
    assert found == {"Inh": bind, "Prm": bind, "Eff": bind, "Bnd": bind, "Amb": bind}
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE)
    assert re.search(r"^Seccomp:\s+2$", status, re.MULTILINE)
