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

EXAMPLES = "/usr/share/doc/asgid/examples"

ECHO = """
import base64, os, socket, sys
port = int(sys.argv[1])
s = socket.create_connection(("127.0.0.1", port), 30)
key = base64.b64encode(os.urandom(16)).decode()
s.sendall(f"GET /echo HTTP/1.1\\r\\nHost: 127.0.0.1:{port}\\r\\nOrigin: http://127.0.0.1:{port}\\r\\n"
          f"Upgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Version: 13\\r\\n"
          f"Sec-WebSocket-Key: {key}\\r\\n\\r\\n".encode())
got = b""
while b"\\r\\n\\r\\n" not in got:
    more = s.recv(4096)
    assert more, got
    got += more
assert got.startswith(b"HTTP/1.1 101"), got
s.sendall(bytes([0x81, 0x85, 0, 0, 0, 0]) + b"hello")
data = got.partition(b"\\r\\n\\r\\n")[2]
while len(data) < 7:
    more = s.recv(4096)
    assert more, data
    data += more
print(data[2:].decode())
"""
"""A message to the project's WebSocket, which comes back."""

PLATFORMS = [f"manylinux_2_{minor}_x86_64" for minor in (5, 12, 17, 24, 26, 27, 28, 31, 34)] + [
    "manylinux2014_x86_64"
]


def packages() -> Path:
    return Path(os.environ["ASGID_PACKAGES"])


def packaging() -> Path:
    """The folder of the tree that packages are made from."""
    return Path(__file__).parents[2] / "packaging"


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


def websocket_echo(machine: Machine, port: int) -> str:
    """Return what came back of "hello"."""
    return machine.python(ECHO, str(port)).strip()


def make_project(machine: Machine) -> None:
    """Make /srv/mysite, with its own environment: see APPLICATION."""
    machine.shell("mkdir -p /srv/mysite && cp -a /site/mysite /srv/mysite/")
    machine.run("/usr/bin/python3", "-m", "venv", "/srv/mysite/.venv")
    machine.run(
        "/srv/mysite/.venv/bin/pip", "install", "-q", "--no-index", "--find-links", "/wheels",
        "django", "channels", "pydantic", "twisted[tls]",
    )  # fmt: skip
