"""The pid file and the limit of open files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from asgid.config import load
from asgid.config import plan as make_plan
from asgid.daemon.net import LinuxHost
from asgid.daemon.supervise.process import PidFile, with_pid_file


def test_the_pid_file_holds_this_process_and_goes_with_it(tmp_path):
    pid_file = PidFile(tmp_path / "asgid.pid")
    pid_file.write()
    assert pid_file.path.read_text() == f"{os.getpid()}\n"
    pid_file.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_stale_pid_file_is_replaced(tmp_path):
    path = tmp_path / "asgid.pid"
    path.write_text("999999999\n")
    PidFile(path).write()
    assert path.read_text() == f"{os.getpid()}\n"


@pytest.mark.parametrize("name", ["x" * 255, "é" * 127])
def test_the_pid_file_may_have_any_name_that_a_file_may_have(tmp_path, name):
    PidFile(tmp_path / name).write()
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_what_is_no_file_is_never_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    pid_file = PidFile(pipe)
    with pytest.raises(FileExistsError, match="no file"):
        pid_file.write()
    pid_file.remove()
    assert pipe.is_fifo()
    assert [each.name for each in tmp_path.iterdir()] == ["pipe"]


def test_a_pid_file_that_another_process_took_over_stays(tmp_path):
    pid_file = PidFile(tmp_path / "asgid.pid")
    pid_file.write()
    pid_file.path.write_text("4711\n")
    pid_file.remove()
    assert pid_file.path.read_text() == "4711\n"


def test_removing_what_was_never_written_touches_nothing(tmp_path):
    path = tmp_path / "asgid.pid"
    path.write_text("4711\n")
    PidFile(path).remove()
    assert path.read_text() == "4711\n"


def test_a_directory_that_is_not_there_is_an_oserror_and_leaves_nothing(tmp_path):
    with pytest.raises(FileNotFoundError):
        PidFile(tmp_path / "no" / "asgid.pid").write()
    assert list(tmp_path.iterdir()) == []


def test_a_pid_file_that_cannot_be_replaced_leaves_no_new_one_beside_it(tmp_path):
    (tmp_path / "asgid.pid").mkdir()
    with pytest.raises(OSError, match=r"."):
        PidFile(tmp_path / "asgid.pid").write()
    assert [path.name for path in tmp_path.iterdir()] == ["asgid.pid"]


def test_the_soft_limit_of_open_files_is_raised_to_the_hard_one():
    code = (
        "import resource as r\n"
        "from asgid.daemon.supervise.process import raise_open_files\n"
        "hard = r.getrlimit(r.RLIMIT_NOFILE)[1]\n"
        "r.setrlimit(r.RLIMIT_NOFILE, (64, hard))\n"
        "print(raise_open_files() == hard == r.getrlimit(r.RLIMIT_NOFILE)[0] != 64)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


@pytest.mark.parametrize(
    ("said", "named", "found"),
    [
        ("/run/asgid/mysite", "", "/run/asgid/mysite/asgid.pid"),
        ("/run/asgid/mysite:/run/other", "", "/run/asgid/mysite/asgid.pid"),
        ("/run/asgid/mysite", 'pid_file = "/run/own.pid"', "/run/own.pid"),
        ("", "", None),
        ("relative", "", None),
    ],
)
def test_a_units_runtime_directory_is_where_the_pid_file_lies_unless_the_file_says_so(
    tmp_path, said, named, found
):
    file = tmp_path / "listeners.toml"
    file.write_text(f'[application]\ntarget = "a:b"\n[listeners.a]\nfd = 3\n[daemon]\n{named}\n')
    plan = make_plan(load(file).config, LinuxHost())
    under = with_pid_file(plan, {"RUNTIME_DIRECTORY": said})
    assert under.daemon.pid_file == (Path(found) if found else None)


FAULTS = """
import resource, sys
from asgid.daemon.supervise.process import keep_freed_memory
keep_freed_memory(dict(each.split("=", 1) for each in sys.argv[1:]))
def use():
    held = [bytearray(256_000) for _ in range(16)]  # zeroed, so that every page is touched
for _ in range(3):
    use()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    use()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(*variables):
    done = subprocess.run(
        [sys.executable, "-c", FAULTS, *variables], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def test_memory_that_is_free_is_kept_for_the_next_request_unless_somebody_has_decided():
    pages = 20 * 16 * 256_000 // os.sysconf("SC_PAGE_SIZE")
    assert faults() < pages / 20
    assert faults("GLIBC_TUNABLES=glibc.malloc.check=1") > pages / 4
    assert faults("MALLOC_ARENA_MAX=1") > pages / 4
