"""Owners and groups of sockets, and starts by somebody who may not do everything."""

from __future__ import annotations

import os
import pwd
import re
import stat
import subprocess
import sys

import pytest

from support.files import probe_file
from support.raw import Raw

NOBODY = pwd.getpwnam("nobody")


def test_a_unix_socket_gets_its_owner_group_and_mode(serve, tmp_path):
    serve('[listeners.local]\nunix = "probe.sock"\nowner = "nobody"\ngroup = "daemon"\nmode = "0640"\n')
    found = (tmp_path / "probe.sock").stat()
    assert found.st_uid == NOBODY.pw_uid
    assert found.st_gid == 1
    assert stat.S_IMODE(found.st_mode) == 0o640
    with Raw(str(tmp_path / "probe.sock")) as client:
        assert client.get("/hello").status == 200


@pytest.mark.parametrize("key", ["owner", "group"])
def test_a_user_or_group_that_is_not_there_is_told(run, tmp_path, key):
    path = probe_file(tmp_path, f'[listeners.local]\nunix = "probe.sock"\n{key} = "nosuchone"\n')
    failed = run("--config", path)
    assert failed.status == 1
    assert re.search(r":7:\d+: error\[ASG\d+\].*nosuchone", failed.err.text)
    assert not (tmp_path / "probe.sock").exists()


@pytest.fixture
def nobody(tmp_path):
    """What stands before a command so that ``nobody`` runs it; the test's folder is then readable to all."""
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.stat().st_uid == os.getuid() and str(folder).startswith("/tmp/pytest"):
            folder.chmod(0o755)
    prefix = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--inh-caps=-all")
    if subprocess.run([*prefix, sys.executable, "-c", ""], check=False).returncode:
        pytest.skip("nobody may not run this Python")
    return prefix


def test_a_file_that_may_not_be_read_is_78_at_start_and_2_for_lint(run, tmp_path, nobody):
    path = probe_file(tmp_path)
    path.chmod(0o600)
    failed = run("--config", path, prefix=nobody)
    assert failed.status == 78
    assert str(path) in failed.err.text
    assert "Traceback" not in failed.err.text
    assert run("lint", path, prefix=nobody).status == 2


def test_a_privileged_port_is_told_before_it_is_bound(run, here, tmp_path, nobody):
    path = probe_file(tmp_path, '[listeners.web]\naddress = "127.0.0.1"\nport = 81\n')
    failed = run("--config", path, prefix=(*here.prefix, *nobody))
    assert failed.status == 1
    assert re.search(r":\d+:\d+: error\[ASG\d+\].*\b81\b", failed.err.text)


def test_a_folder_that_may_not_be_written_is_told(run, tmp_path, nobody):
    path = probe_file(tmp_path, '[listeners.local]\nunix = "probe.sock"\n')
    failed = run("--config", path, prefix=nobody)
    assert failed.status == 1
    assert re.search(r":6:\d+: error\[ASG\d+\].*probe\.sock", failed.err.text)
