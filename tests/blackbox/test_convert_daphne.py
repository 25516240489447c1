"""What ``asgid convert`` makes of a Daphne command line listens as real Daphne does: both run, and the kernel
is asked what each of them listens on.
"""

from __future__ import annotations

import ipaddress
import socket
import stat
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.files import SITE, free_port, self_signed
from support.inherit import inheriting, listening
from support.server import ASGID, PATIENCE_S, Process, Server, clean_environment

DAPHNE = Path(sys.executable).with_name("daphne")
APP = "probe:application"
LISTEN = "0A"  # TCP_LISTEN in /proc/net/tcp
ACCEPTS = 0x10000  # __SO_ACCEPTCON in /proc/net/unix
TRIES = int(PATIENCE_S * 20)


def sockets_of(pid: int) -> set[tuple[str, str, int]]:
    """What a process listens on: family, address and port; for a unix socket the path and its mode."""
    inodes = set()
    for name in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(name.readlink())
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    found = set()
    for family in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{family}").read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == LISTEN and rest[5] in inodes:
                host, _, port = local.partition(":")
                found.add((family, address(host), int(port, 16)))
    for line in Path(f"/proc/{pid}/net/unix").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[3], 16) & ACCEPTS and fields[6] in inodes:
            found.add(("unix", fields[7], stat.S_IMODE(Path(fields[7]).stat().st_mode)))
    return found


def address(text: str) -> str:
    """An address as /proc writes it: words of 32 bits in the byte order of the host."""
    raw = bytes.fromhex(text)
    words = [
        int.from_bytes(raw[at : at + 4], "big").to_bytes(4, sys.byteorder) for at in range(0, len(raw), 4)
    ]
    return str(ipaddress.ip_address(b"".join(words)))


def reach(process: Process, count: int) -> set[tuple[str, str, int]]:
    """What a process listens on once it has ``count`` sockets; an IPv6 wildcard that takes IPv4 is both."""
    for _ in range(TRIES):
        assert process.running, process.err.text
        found = sockets_of(process.pid)
        if len(found) >= count:
            break
        time.sleep(0.05)
    else:
        raise AssertionError(f"{found}\n{process.err.text}")
    both = {("tcp", "0.0.0.0", port) for _, host, port in found if host == "::" and takes_ipv4(port)}
    return found | both


def takes_ipv4(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S).close()
    except ConnectionRefusedError:
        return False
    return True


def converted(folder: Path, *words: str) -> Path:
    file = folder / "listeners.toml"
    done = subprocess.run(
        [ASGID, "convert", "-o", file, "--", "daphne", *words],
        cwd=SITE, env=clean_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    linted = subprocess.run([ASGID, "lint", file], capture_output=True, text=True, check=False)
    assert linted.returncode == 0, linted.stdout
    return file


LINES = {
    "nothing": [],
    "a port": ["-p", "{p}"],
    "an address and a port": ["-b", "127.0.0.2", "-p", "{p}"],
    "every IPv4 address": ["-b", "0.0.0.0", "-p", "{p}"],
    "every address": ["-b", "::", "-p", "{p}"],
    "every address, in brackets": ["-b", "[::]", "-p", "{p}"],
    "an IPv6 address": ["-b", "::1", "-p", "{p}"],
    "localhost": ["-b", "localhost", "-p", "{p}"],
    "an IPv4-mapped address": ["-b", "127.0.0.1", "--port={p}"],
    "a unix socket": ["-u", "{d}/d.sock"],
    "a descriptor": ["--fd", "3"],
    "a string": ["-e", "tcp:{p}:interface=127.0.0.3"],
    "a string without an address": ["-e", "tcp:{p}"],
    "an IPv6 string": ["-e", r"tcp:port={p}:interface=\:\:1"],
    "an IPv6 wildcard string": ["-e", r"tcp:{p}:interface=\:\:"],
    "a unix string": ["-e", "unix:{d}/s.sock:mode=600"],
    "TLS": ["-e", "ssl:{p}:interface=127.0.0.1:privateKey={d}/key.pem:certKey={d}/certificate.pem"],
    "a shortened flag": ["--bin", "127.0.0.2", "-p{p}"],
    "all of it": [
        *("-b", "127.0.0.1", "-p", "{p}", "-u", "{d}/d.sock", "--fd", "3"),
        *("-e", r"tcp:{q}:interface=\:\:1", "-e", "tcp:{q}:interface=127.0.0.1"),
    ],
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_it_listens_as_daphne_does(line, tmp_path, request):
    self_signed(tmp_path)
    if not line and taken(request.getfixturevalue("port_8000")):
        pytest.skip("somebody else on this machine listens on port 8000")
    swaps = {"p": free_port(), "q": free_port(), "d": tmp_path}
    words = [*(word.format(**swaps) for word in line), APP]
    count = max(1, sum(word in {"-b", "-u", "--fd", "-e"} for word in line))
    with ExitStack() as stack:
        options = {}
        if "--fd" in line:
            given = stack.enter_context(listening())
            options = inheriting([given])
        prefix = options.pop("prefix", ())
        daphne = Process([*prefix, DAPHNE, *words], cwd=SITE, **options)
        stack.callback(daphne.kill)
        expected = reach(daphne, count)
        daphne.stop()
        file = converted(tmp_path, *words)
        server = Server([*prefix, ASGID, "--config", file], cwd=tmp_path, **options)
        stack.callback(server.kill)
        server.wait_serving()
        assert reach(server, count) == expected
        assert server.stop() == 0


def taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def test_where_daphne_dies_of_both_families_the_file_serves_both(tmp_path, start):
    port = free_port()
    words = ["-b", "::", "-p", str(port), "-e", f"tcp:{port}:interface=0.0.0.0", APP]
    daphne = Process([DAPHNE, *words], cwd=SITE)
    assert daphne.wait() != 0
    server = start("--config", converted(tmp_path, *words)).wait_serving()
    assert sockets_of(server.pid) == {("tcp", "0.0.0.0", port), ("tcp6", "::", port)}
