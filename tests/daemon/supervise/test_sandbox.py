"""What a unit hides is said where it bites. The unit's view is a copy of /proc; what is hidden is real."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from asgid.config import Diagnostic
from asgid.config.spec import Place
from asgid.daemon.supervise.sandbox import Sandbox
from support.files import write

HIDDEN = Path("/home/nobody-of-this-name/site")
INVOKED = {"INVOCATION_ID": "0" * 32}
MOUNTS = """\
22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/root rw
31 22 0:27 / {} ro,nosuid - tmpfs tmpfs ro
"""


@pytest.fixture
def proc(tmp_path):
    write(tmp_path / "cgroup", "0::/system.slice/system-asgid.slice/asgid@site.service\n")
    write(tmp_path / "mountinfo", MOUNTS.format("/home"))
    return tmp_path


def test_a_path_in_a_hidden_home_names_the_unit_and_the_directive(proc):
    hint = Sandbox.here(INVOKED, proc).hint(HIDDEN)
    assert "(ProtectHome=)" in hint
    assert 'systemctl edit asgid@site.service, and below [Service] write "ProtectHome=read-only"' in hint


@pytest.mark.parametrize("mounted", ["/", "/homes", "/home/other", "/root"])
def test_a_home_that_is_not_hidden_is_not_blamed(proc, mounted):
    write(proc / "mountinfo", MOUNTS.format(mounted))
    assert Sandbox.here(INVOKED, proc).hint(HIDDEN) == ""


def test_what_can_be_seen_is_not_hidden(proc, tmp_path):
    write(proc / "mountinfo", MOUNTS.format("/root"))
    assert Sandbox.here(INVOKED, proc).hint(tmp_path) == ""


def test_outside_of_a_unit_nothing_is_blamed(proc):
    assert Sandbox.here({}, proc).hint(HIDDEN) == ""
    write(proc / "cgroup", "0::/user.slice/session-3\n")
    assert Sandbox.here(INVOKED, proc).hint(HIDDEN) == ""
    assert Sandbox.here(INVOKED, proc / "gone").hint(HIDDEN) == ""


@pytest.mark.parametrize("read_only", [True, False])
def test_a_read_only_place_is_told_by_the_directive_that_opens_it(monkeypatch, tmp_path, read_only):
    flags = os.ST_RDONLY if read_only else 0
    monkeypatch.setattr("os.statvfs", lambda _: os.statvfs_result((0,) * 8 + (flags, 255)))
    hint = Sandbox("asgid.service", ()).hint(tmp_path / "asgid.sock")
    wanted = f'write "ReadWritePaths={tmp_path}"'
    assert (wanted in hint) if read_only else (hint == "")
    assert Sandbox("", ()).hint(tmp_path / "asgid.sock") == ""


def test_only_the_finding_whose_path_it_is_gets_the_help(proc):
    def found(key):
        return Diagnostic("ASG909", "error", "it cannot be entered", Place("f", 1, 1), key, "as before")

    first, second = Sandbox.here(INVOKED, proc).explained(
        [found("application.directory"), found("log.access")], {"application.directory": HIDDEN}
    )
    assert "ProtectHome" in first.help
    assert second == found("log.access")
