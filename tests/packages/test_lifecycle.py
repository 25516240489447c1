"""What the maintainer scripts leave, and that an administrator's word is kept."""

from __future__ import annotations

import re
import subprocess

import pytest

from support.packaged import deb, install, packages

FILE = "/etc/asgid/listeners.toml"


@pytest.fixture(scope="session")
def older(release):
    """The same package as an earlier version, whose listeners.toml said something else."""
    work = packages() / f"older-{release}"
    target = packages() / f"older-{release}.deb"
    subprocess.run(["dpkg-deb", "-R", deb(release), work], check=True)
    control = work / "DEBIAN" / "control"
    control.write_text(re.sub(r"^Version: .*$", "Version: 0.0.9-1", control.read_text(), flags=re.MULTILINE))
    with (work / FILE.removeprefix("/")).open("a") as file:
        file.write("# an older default\n")
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Znone", "-b", work, target], check=True, capture_output=True
    )
    subprocess.run(["rm", "-r", work], check=True)
    return f"/packages/{target.name}"


def newer(machine) -> str:
    return f"/packages/{deb(machine.release).name}"


def test_an_upgrade_restarts_what_runs_and_keeps_the_administrators_file(fresh, older):
    fresh.run("dpkg", "-i", older)
    fresh.wait_for("asgid.service", "ActiveState", "active")
    fresh.write("/etc/asgid/second.toml", fresh.run("cat", FILE).replace("8000", "8001"))
    fresh.run("systemctl", "enable", "--now", "asgid@second")
    fresh.shell(f"echo '# mine' >> {FILE}")
    before = [fresh.show(unit, "MainPID") for unit in ("asgid", "asgid@second")]
    fresh.run("dpkg", "--force-confdef", "-i", newer(fresh))
    for unit in ("asgid", "asgid@second"):
        fresh.wait_for(unit, "ActiveState", "active")
    after = [fresh.show(unit, "MainPID") for unit in ("asgid", "asgid@second")]
    assert not set(before) & set(after)
    assert "# mine" in fresh.run("cat", FILE)
    assert fresh.get("http://127.0.0.1:8001/")
    fresh.run("dpkg", "--force-confdef", "-i", older)  # and back
    fresh.wait_for("asgid.service", "ActiveState", "active")
    assert fresh.show("asgid", "MainPID") not in after
    assert "# mine" in fresh.run("cat", FILE)
    assert "0.0.9-1" in fresh.run("dpkg-query", "-W", "asgid")
    assert fresh.get("http://127.0.0.1:8000/")


def test_a_file_that_nobody_touched_is_the_new_one_after_an_upgrade(fresh, older):
    fresh.run("dpkg", "-i", older)
    assert "# an older default" in fresh.run("cat", FILE)
    fresh.run("dpkg", "-i", newer(fresh))
    assert "# an older default" not in fresh.run("cat", FILE)


@pytest.mark.parametrize("word", ["disabled", "masked"])
def test_what_an_administrator_disabled_or_masked_stays_so(fresh, older, word):
    fresh.run("dpkg", "-i", older)
    fresh.run("systemctl", {"disabled": "disable", "masked": "mask"}[word], "--now", "asgid")
    for package in (newer(fresh), older, newer(fresh)):
        fresh.run("dpkg", "--force-confdef", "-i", package)
        assert fresh.run("systemctl", "is-enabled", "asgid", check=False).strip() == word
        assert fresh.show("asgid.service", "ActiveState") == "inactive"
    fresh.run("dpkg", "-r", "asgid")
    install_again = fresh.run("dpkg", "-i", newer(fresh))
    assert fresh.run("systemctl", "is-enabled", "asgid", check=False).strip() == word, install_again
    assert fresh.show("asgid.service", "ActiveState") == "inactive"


def test_remove_keeps_the_configuration_and_purge_leaves_nothing(fresh):
    before = _files(fresh)
    install(fresh)
    fresh.write("/etc/asgid/second.toml", fresh.run("cat", FILE).replace("8000", "8001"))
    fresh.run("systemctl", "enable", "--now", "asgid@second")
    fresh.run("dpkg", "-r", "asgid")
    assert not fresh.fails("test", "-e", FILE)
    assert fresh.fails("test", "-e", "/usr/lib/asgid")
    assert (
        fresh.show("asgid.service", "ActiveState")
        == fresh.show("asgid@second.service", "ActiveState")
        == "inactive"
    )
    fresh.run("rm", "/etc/asgid/second.toml")  # the administrator's own, which no package takes away
    fresh.run("dpkg", "-P", "asgid")
    assert _files(fresh) - before == set()
    assert "asgid" in fresh.run(
        "getent", "passwd", "asgid"
    )  # Debian's way: a number is not given to somebody else


def _files(machine) -> set[str]:
    """Return every path but those that the system changes by itself, and the accounts' backups."""
    ignored = (
        r"^/(proc|sys|dev|run|tmp|packages|wheels|locked|site)(/|$)|^/var/(log/journal|log/(dpkg|apt)|lib/dpkg/|lib/systemd|cache)"
        r"|^/etc/(passwd|group|shadow|gshadow)-?$|^/etc/\.(pwd|updated)|^/var/(tmp|\.updated)|^/root"
    )
    found = (
        machine.run("find", "/", "-xdev").splitlines()
        + machine.run("find", "/run", "-name", "*asgid*").splitlines()
    )
    return {each for each in found if not re.search(ignored, each) or "asgid" in each} - {"/etc/machine-id"}
