"""The packages that ASGID_PACKAGES holds, and what the tests of them need besides."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from support.machine import Machine, roots

RELEASES = {"bookworm": ("~deb12", "3.11"), "trixie": ("~deb13", "3.13")}
APPLICATION = ("django>=5.1,<5.3", "channels>=4.2", "pydantic==2.11.10", "twisted[tls]==24.7.0")
"""What the project's own environment gets: other versions of two packages that asgid brings as well."""

PLATFORMS = [f"manylinux_2_{minor}_x86_64" for minor in (5, 12, 17, 24, 26, 27, 28, 31, 34)] + [
    "manylinux2014_x86_64"
]


def packages() -> Path:
    return Path(os.environ["ASGID_PACKAGES"])


def deb(release: str) -> Path:
    (found,) = packages().glob(f"asgid_*{RELEASES[release][0]}*.deb")
    return found


def wheels(release: str) -> Path:
    """A folder with the wheels of the application's environment, kept beside the roots."""
    version = RELEASES[release][1]
    folder = roots() / f"application-{version}"
    if not (folder / "complete").exists():
        abi = f"cp{version.replace('.', '')}"
        where = [f"--platform={each}" for each in PLATFORMS]
        command = [
            sys.executable, "-m", "pip", "download", "-q", "--only-binary=:all:", *where, "-d", folder,
            f"--python-version={version}", "--implementation=cp", f"--abi={abi}", "--abi=abi3", "--abi=none",
            *APPLICATION,
        ]  # fmt: skip
        subprocess.run(command, check=True)
        (folder / "complete").touch()
    return folder


def booted(release: str) -> Machine:
    site = Path(__file__).parent.parent / "packages" / "site"
    locked = roots() / f"wheels-{release}"  # .ci/packages has built with these
    binds = {"/packages": packages(), "/wheels": wheels(release), "/locked": locked, "/site": site}
    return Machine(release, binds)


def install(machine: Machine) -> str:
    said = machine.run("dpkg", "-i", f"/packages/{deb(machine.release).name}")
    machine.wait_for("asgid.service", "ActiveState", "active")
    return said
