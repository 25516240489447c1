"""A booted systemd: systemd-nspawn over a root of Debian's, changed in memory alone."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Self

from support.server import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Mapping

ENVIRONMENT = ("PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive")


def roots() -> Path:
    """Where the roots of the releases are kept, outside of the tree."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "asgid-roots"


class Machine:
    """One booted release; ``binds`` are folders of this host that it sees, read-only, by their place in it.

    Its network has nothing but a loopback interface.
    """

    def __init__(self, release: str, binds: Mapping[str, Path]) -> None:
        self.release = release
        self._binds = binds
        self._leader = ""

    def __enter__(self) -> Self:
        self._work = Path(tempfile.mkdtemp(prefix="asgid-machine-"))
        self._group = _unified() / self._work.name
        self._group.mkdir()
        self._log = (self._work / "console").open("wb")
        try:
            self._boot()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.run("systemctl", "--no-block", "poweroff", check=False)
        self._end()

    def _boot(self) -> None:
        notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with notified:
            address = str(self._work / "notify")
            notified.bind(address)
            command = [
                "systemd-nspawn", "-q", "-D", roots() / self.release, "--volatile=overlay", "--register=no",
                "--keep-unit", "--private-network", "--console=pipe", "--notify-ready=yes",
                "--kill-signal=SIGRTMIN+3", "--resolv-conf=off", f"--machine=asgid{uuid.uuid4().hex[:8]}",
                *(f"--bind-ro={path}:{place}" for place, path in self._binds.items()), "-b",
            ]  # fmt: skip
            shell = 'echo 0 > "$0/cgroup.procs" && exec "$@"'  # nspawn makes its groups below its own
            self._process = subprocess.Popen(
                ["sh", "-c", shell, self._group, *map(str, command)],
                env=os.environ | {"NOTIFY_SOCKET": address, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
                stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT,
            )  # fmt: skip
            ready = False
            notified.settimeout(4 * PATIENCE_S)
            while not (ready and self._leader):
                said = notified.recv(4096).decode().splitlines()
                ready |= "READY=1" in said
                for line in said:
                    if line.startswith("X_NSPAWN_LEADER_PID="):
                        self._leader = line.partition("=")[2]

    def _end(self) -> None:
        process = getattr(self, "_process", None)
        if process is not None:
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                (self._group / "cgroup.kill").write_text("1")
                process.wait()
        self._log.close()
        for group in sorted(self._group.rglob("*/"), reverse=True):
            group.rmdir()
        self._group.rmdir()
        shutil.rmtree(self._work)

    def entered(self, *words: str | Path) -> list[str]:
        """Return the command of this host that runs ``words`` in the machine."""
        return ["nsenter", "-t", self._leader, "-a", "env", "-i", *ENVIRONMENT, *map(str, words)]

    def run(self, *words: str | Path, check: bool = True, data: str = "") -> str:
        """Run a command in the machine; return what it wrote, standard error with it."""
        done = subprocess.run(
            self.entered(*words),
            input=data,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        assert not check or done.returncode == 0, (words, done.returncode, done.stdout)
        return done.stdout

    def fails(self, *words: str | Path) -> bool:
        """Tell whether a command ends with another status than 0."""
        return (
            subprocess.run(
                self.entered(*words), capture_output=True, stdin=subprocess.DEVNULL, check=False
            ).returncode
            != 0
        )

    def shell(self, script: str, *, check: bool = True) -> str:
        """Run a script of the shell in the machine."""
        return self.run("sh", "-ec", script, check=check)

    def write(self, path: str, text: str) -> None:
        """Write a file, and the folders above it."""
        self.shell(f"mkdir -p '{Path(path).parent}'")
        self.run("tee", path, data=text)

    def python(self, script: str, *arguments: str) -> str:
        """Run a script of Python in the machine."""
        return self.run("/usr/bin/python3", "-Ic", script, *arguments)

    def get(self, url: str, *, socket_path: str = "") -> str:
        """Return the body that a URL of the machine's answers with, or raise AssertionError."""
        return self.python(GET, url, socket_path)

    def show(self, unit: str, name: str) -> str:
        """Return a property of a unit (systemctl show)."""
        return self.run("systemctl", "show", "-P", name, unit).rstrip("\n")

    def wait_for(self, unit: str, name: str, wanted: str) -> None:
        """Wait until a unit's property has this value."""
        deadline = time.monotonic() + 4 * PATIENCE_S
        while (found := self.show(unit, name)) != wanted:
            assert time.monotonic() < deadline, (unit, name, found, wanted, self.journal(unit))
            time.sleep(0.2)

    def journal(self, unit: str, *options: str) -> str:
        """Return what a unit has written, one line for each record."""
        self.run("journalctl", "--sync", check=False)
        return self.run("journalctl", "-q", "--no-pager", "-o", "cat", "-u", unit, *options)


GET = """
import http.client, socket, sys
from urllib.parse import urlsplit
url, path = urlsplit(sys.argv[1]), sys.argv[2]
connection = http.client.HTTPConnection(url.hostname, url.port or 80, timeout=30)
if path:
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(path)
connection.request("GET", url.path or "/")
answer = connection.getresponse()
sys.stdout.write(answer.read().decode())
sys.exit(answer.status != 200)
"""


def _unified() -> Path:
    """Return where the unified hierarchy of control groups is mounted (cgroups(7))."""
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        _, place, kind, *_ = line.split(" ")
        if kind == "cgroup2":
            return Path(place)
    raise AssertionError("no unified hierarchy is mounted")
