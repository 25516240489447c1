"""A file that a command writes over: whole or not at all, and otherwise as it was."""

from __future__ import annotations

import errno
import os
import resource
import subprocess

import pytest

from asgid.daemon.cli.commands import run
from asgid.daemon.cli.replacing import replace_file
from support.files import write
from support.server import ASGID

FIXED = '# kept\n[application]\ntarget = "a:b"\n[listeners.a]\naddress = "127.0.0.1"  # kept\nport = 1\n'
SLIP = FIXED.replace("address", "adress")


def names(folder):
    return sorted(each.name for each in folder.iterdir())


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o640, 0o4711])
def test_mode_stays_and_nothing_is_left_beside(tmp_path, mode):
    path = write(tmp_path / "l.toml", SLIP)
    path.chmod(mode)
    assert run(["lint", "--fix", str(path)]) == 0
    assert path.read_text() == FIXED
    assert path.stat().st_mode & 0o7777 == mode
    assert names(tmp_path) == ["l.toml"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_owner_stays(tmp_path):
    path = write(tmp_path / "l.toml", SLIP)
    os.chown(path, 1234, 2345)
    assert run(["lint", "--fix", str(path)]) == 0
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 2345)
    assert path.read_text() == FIXED


def test_attributes_stay(tmp_path):
    path = write(tmp_path / "l.toml", "old")
    try:
        os.setxattr(path, "user.note", b"kept")
    except OSError:
        pytest.skip("a file system without attributes of users")
    replace_file(str(path), b"new")
    assert os.getxattr(path, "user.note") == b"kept"


def test_a_link_stays_one_and_its_target_is_written(tmp_path):
    target = write(tmp_path / "real" / "l.toml", SLIP)
    link = tmp_path / "l.toml"
    link.symlink_to("real/l.toml")
    assert run(["lint", "--fix", str(link)]) == 0
    assert link.is_symlink()
    assert target.read_text() == FIXED
    assert names(target.parent) == ["l.toml"]


def test_hard_links_stay_one_file(tmp_path):
    path = write(tmp_path / "l.toml", SLIP)
    other = tmp_path / "other.toml"
    other.hardlink_to(path)
    assert run(["lint", "--fix", str(path)]) == 0
    assert other.read_text() == FIXED
    assert other.samefile(path)


@pytest.mark.parametrize("name", ["x" * 255, "é" * 127])
def test_the_file_may_have_any_name_that_a_file_may_have(tmp_path, name):
    path = write(tmp_path / name, "old")
    replace_file(str(path), b"new")
    assert path.read_text() == "new"
    assert names(tmp_path) == [name]


def test_whoever_has_the_old_file_open_reads_it_to_its_end(tmp_path):
    path = write(tmp_path / "l.toml", SLIP)
    with path.open() as reader:
        assert run(["lint", "--fix", str(path)]) == 0
        assert reader.read() == SLIP  # written where it stands, a part of it would be the new one's
    assert path.read_text() == FIXED


@pytest.mark.parametrize(
    "command", [["lint", "--fix"], ["convert", "--force", "-o"], ["init", "--force", "--application", "a:b"]]
)
def test_without_room_the_old_file_stays(tmp_path, command):
    path = write(tmp_path / "l.toml", SLIP)
    words = [*command, path, *(["--", "uvicorn", "main:app"] if "-o" in command else [])]
    none = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # noqa: E731
    done = subprocess.run(
        [ASGID, *words], cwd=tmp_path, preexec_fn=none, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert os.strerror(errno.EFBIG) in done.stderr
    assert path.read_text() == SLIP
    assert names(tmp_path) == ["l.toml"]


def test_a_pipe_is_not_fixed_and_not_waited_for(tmp_path, capsys):
    path = tmp_path / "l.toml"
    os.mkfifo(path)
    assert run(["lint", "--fix", str(path)]) == 2
    assert capsys.readouterr().err == f"asgid: {path} cannot be fixed: it is no regular file\n"


def test_a_device_is_written_as_it_stands():
    replace_file("/dev/null", b"text")
    assert run(["convert", "--force", "-o", "/dev/null", "--", "uvicorn", "main:app"]) == 0
