"""Socket activation by systemd's own tool, which needs no booted systemd."""

from __future__ import annotations

import shutil

import pytest

from support.files import free_port, probe_file
from support.raw import Raw
from support.server import ASGID, Process

TOOL = "systemd-socket-activate"


@pytest.mark.skipif(not shutil.which(TOOL), reason="systemd-socket-activate is not installed")
def test_the_first_connection_starts_it_and_is_served(tmp_path):
    ports = free_port(), free_port()
    text = '[listeners.web]\nsystemd = "http"\n[listeners.other]\nsystemd = "other"\n'
    listen = [part for port in ports for part in ("-l", f"127.0.0.1:{port}")]
    command = [TOOL, *listen, "--fdname=http:other", ASGID, "--config", probe_file(tmp_path, text)]
    process = Process(command)
    try:
        process.err.wait_for("Listening on", count=2)
        with Raw(("127.0.0.1", ports[0])) as client:
            assert client.get("/hello").body == b"hello\n"
        with Raw(("127.0.0.1", ports[1])) as client:
            assert client.get("/hello").body == b"hello\n"
        assert process.stop() == 0
    finally:
        process.kill()
