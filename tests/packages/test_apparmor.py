"""The AppArmor profile against what the service opens: nothing that it needs is left out.

Where the kernel has no AppArmor the profile cannot be loaded, so strace tells what is opened. What it says of
networks, capabilities and programs is not held to anything here.
"""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from support import apparmor
from support.packaged import packaging
from support.server import PATIENCE_S

FILE = "/etc/asgid/apparmor.toml"
PROFILE = packaging() / "debian" / "usr.bin.asgid"


def descendants(pid: int) -> list[int]:
    found = [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return found + [deeper for each in found for deeper in descendants(each)]


@pytest.fixture(scope="module")
def opened(machine, tmp_path_factory):
    """What the welcome service opens from its start to its end, run as its user with strace of this host."""
    trace = tmp_path_factory.mktemp("strace") / "trace"
    machine.write(FILE, machine.run("cat", "/etc/asgid/listeners.toml").replace("8000", "8098"))
    inside = machine.entered("setpriv", "--reuid=asgid", "--regid=asgid", "--init-groups", "/usr/bin/asgid")
    strace = ["strace", "-f", "-qq", "-y", "-e", "trace=openat,execve", "-o", str(trace)]
    process = subprocess.Popen([*strace, *inside, "--config", FILE])
    try:
        machine.shell("until grep -q :1FA2 /proc/net/tcp; do sleep 0.1; done")  # 8098
        machine.get("http://127.0.0.1:8098/")
    finally:
        os.kill(descendants(process.pid)[-1], signal.SIGTERM)
        process.wait(PATIENCE_S)
        machine.run("rm", FILE)
    return apparmor.opened(trace.read_text(), "/usr/bin/asgid")


def test_every_path_that_the_service_opens_is_allowed(opened):
    assert ("/usr/lib/asgid/pyvenv.cfg", "r") in opened
    assert any("/pydantic_core/" in path and path.endswith(".so") for path, _ in opened)
    profile = apparmor.Profile(PROFILE)
    assert [each for each in sorted(opened) if not profile.allows(*each)] == []


@pytest.mark.parametrize("rule", ["/etc/asgid/{,**} r", "@{PROC}/sys/net/** r", "<abstractions/nameservice>"])
def test_a_profile_without_a_rule_is_found_out(opened, rule, tmp_path):
    text = PROFILE.read_text()
    assert rule in text
    (tmp_path / "profile").write_text(text.replace(f"  {rule},", "").replace(f"  include {rule}", ""))
    profile = apparmor.Profile(tmp_path / "profile")
    assert [each for each in opened if not profile.allows(*each)]


@pytest.mark.parametrize(
    ("path", "modes"),
    [
        ("/etc/shadow", "r"),
        ("/etc/asgid/listeners.toml", "w"),
        ("/usr/lib/asgid/pyvenv.cfg", "w"),
        ("/root/.ssh/id_ed25519", "r"),
        ("/var/lib/other/file", "w"),
        ("/home/alice/file", "r"),
    ],
)
def test_the_profile_lets_nothing_through_that_is_no_business_of_asgids(path, modes):
    assert not apparmor.Profile(PROFILE).allows(path, modes)
