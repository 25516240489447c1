"""The rpm's scriptlets, run by rpm on a booted Debian that has rpm: bookworm, whose Python it is made for.

systemd's helper and file triggers belong to Fedora's package of systemd. What they do is written down in
systemd.macros(5) and daemon(7), and done here by a stand-in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.machine import Machine
from support.packaged import packages, packaging

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = "/etc/asgid/listeners.toml"

HELPER = """#!/bin/sh
verb=$1
shift
case $verb in
install-system-units) systemctl --no-reload preset "$@" ;;
remove-system-units) systemctl --no-reload disable --now "$@" ;;
mark-restart-system-units) for unit; do systemctl set-property "$unit" Markers=+needs-restart; done ;;
*) exit 3 ;;
esac
"""

TRIGGERS = "systemctl daemon-reload && systemctl reload-or-restart --marked"

OLDER = """
mkdir -p /tmp/older/stage && cd /tmp/older
rpm -ql asgid | sed 's,^/,,' | tar -C / --no-recursion -T - -cf - | tar -C stage -xf -
echo '# an older default' >> stage/etc/asgid/listeners.toml
sed '/^@REQUIRES@$/d' /packaging/rpm/asgid.spec > asgid.spec
rpmbuild --quiet -bb asgid.spec --define '_topdir /tmp/older' --define 'stage /tmp/older/stage' \
    --define 'asgid_version 0.0.9' --define 'python python3.11' --define 'python_version 3.11' \
    --define "sysusers $(cat /packaging/systemd/asgid.sysusers)" \
    --define 'changelog_date Thu Jan 01 2026' --define '_binary_payload w0.ufdio'
"""


@pytest.fixture(scope="module", params=["bookworm"])
def machine(request) -> Iterator[Machine]:
    """A machine with the rpm installed, an older one in /tmp/older, and Fedora's helper for scriptlets."""
    (rpm,) = packages().glob("*.rpm")
    with Machine(f"{request.param}-build", {"/packages": packages(), "/packaging": packaging()}) as machine:
        machine.write("/usr/lib/systemd/systemd-update-helper", HELPER)
        machine.run("chmod", "755", "/usr/lib/systemd/systemd-update-helper")
        machine.rpm = f"/packages/{rpm.name}"
        handle(machine, "-i", machine.rpm)
        machine.shell(OLDER)
        machine.older = machine.shell("echo /tmp/older/RPMS/*/*.rpm").strip()
        yield machine


def handle(machine, *words) -> str:
    """Run rpm, and then what systemd's triggers run; return what rpm and the scriptlets said."""
    said = machine.run("rpm", "--nodeps", *words)
    assert "scriptlet failed" not in said, said
    assert "lobs are not supported" not in said, said
    machine.shell(TRIGGERS)
    return said


def pid(machine, unit) -> str:
    machine.wait_for(unit, "ActiveState", "active")
    return machine.show(unit, "MainPID")


def test_it_installs_and_serves(machine):
    # Debian's preset is to enable; Fedora's is not
    assert machine.run("systemctl", "is-enabled", "asgid").strip() == "enabled"
    assert machine.run("id", "-un", "asgid").strip() == "asgid"
    assert machine.run("stat", "-c", "%U %a", "/var/lib/asgid").split() == ["root", "755"]
    machine.run("systemctl", "start", "asgid")
    assert FILE in machine.get("http://127.0.0.1:8000/")


def test_upgrade_and_downgrade_restart_what_runs_and_keep_the_administrators_file(machine):
    machine.write("/etc/asgid/second.toml", machine.run("cat", FILE).replace("8000", "8001"))
    machine.run("systemctl", "enable", "--now", "asgid@second")
    machine.run("systemctl", "start", "asgid")
    machine.shell(f"echo '# mine' >> {FILE}")
    seen = [pid(machine, unit) for unit in ("asgid.service", "asgid@second.service")]
    for words in (("-U", "--oldpackage", machine.older), ("-U", machine.rpm)):
        handle(machine, *words)
        now = [pid(machine, unit) for unit in ("asgid.service", "asgid@second.service")]
        assert not set(now) & set(seen), (words, now, seen)
        seen += now
        assert "# mine" in machine.run("cat", FILE)
    assert machine.get("http://127.0.0.1:8001/")
    machine.shell(f"sed -i '/^# mine/d' {FILE}; rm -f {FILE}.rpm*; systemctl disable --now asgid@second")


@pytest.mark.parametrize("word", ["disabled", "masked"])
def test_what_an_administrator_disabled_or_masked_stays_so(machine, word):
    machine.run("systemctl", {"disabled": "disable", "masked": "mask"}[word], "--now", "asgid")
    for words in (("-U", "--oldpackage", machine.older), ("-U", machine.rpm)):
        handle(machine, *words)
        assert machine.run("systemctl", "is-enabled", "asgid", check=False).strip() == word
        assert machine.show("asgid.service", "ActiveState") == "inactive"
    machine.run("systemctl", "unmask", "asgid")
    machine.run("systemctl", "enable", "asgid")


def test_erasing_it_stops_every_service_and_leaves_no_link(machine):
    machine.run("systemctl", "unmask", "asgid")
    machine.run("systemctl", "start", "asgid")
    machine.run("systemctl", "enable", "--now", "asgid@second")
    pids = [pid(machine, unit) for unit in ("asgid.service", "asgid@second.service")]
    machine.shell(f"echo '# mine' >> {FILE}")
    assert "Failed" not in handle(machine, "-e", "asgid")
    for each in pids:
        assert machine.fails("test", "-e", f"/proc/{each}")
    assert machine.fails("test", "-e", "/usr/lib/asgid")
    assert machine.run("find", "/etc/systemd", "/usr/bin", "/usr/lib/systemd", "-name", "*asgid*") == ""
    assert "# mine" in machine.run("cat", f"{FILE}.rpmsave")
    assert "asgid" in machine.run("getent", "passwd", "asgid")  # Fedora's way, too
