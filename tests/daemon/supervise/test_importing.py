"""Whether the application can be imported, found out in another process: each way in which it cannot."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from asgid.config import codes
from asgid.config.spec import ApplicationSpec, Place
from asgid.daemon.supervise import importing, virtualenv

PLACE = Place("listeners.toml", 2, 10)
MODULES = {
    "good": (
        "async def application(scope, receive, send): ...\nthing = 3\ndef make():\n    return application\n"
    ),
    "raises": "1 / 0\n",
    "exits": "import sys; sys.exit(3)\n",
    "leaves": "import os; os._exit(3)\n",
    "dies": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)\n",
    "needs": "import nosuchdependency\n",
    "broken": "def (:\n",
    "talks": "print('said on stdout', flush=True)\nimport os\nos.write(2, b'said on stderr')\n1 / 0\n",
    "reads": "input()\n",
    "surroundings": (
        "import os, pathlib\n"
        "names = ('EXTRA', 'LISTEN_FDS', 'NOTIFY_SOCKET')\n"
        "facts = [os.getcwd(), *map(os.environ.get, names)]\n"
        "pathlib.Path('facts').write_text(repr(facts))\nasync def application(scope, receive, send): ...\n"
    ),
    "leftover": (
        "import os, subprocess, sys, pathlib, threading\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "pathlib.Path('child').write_text(str(child.pid))\n"
        "threading.Thread(target=child.wait).start()\n"
        "async def application(scope, receive, send): ...\n"
    ),
    "never": "import time\ntime.sleep(600)\n",
}


@pytest.fixture
def spec(tmp_path):
    for name, text in MODULES.items():
        (tmp_path / f"{name}.py").write_text(text)

    def made(target, **options):
        return ApplicationSpec(target, PLACE, directory=tmp_path, **options)

    return made


def tried(spec, **options):
    return importing.problem(spec, virtualenv.command(spec), **options)


@pytest.mark.parametrize(
    ("target", "factory", "words"),
    [
        ("nosuch:application", False, "there is no module 'nosuch'"),
        ("good.sub:application", False, "there is no module 'good.sub'"),
        ("good:aplication", False, "'good' has no 'aplication'"),
        ("good:thing", False, "cannot be called"),
        ("good:make", False, "takes no arguments"),
        ("good:thing", True, "cannot be called"),
        ("raises:application", False, "ZeroDivisionError"),
        ("exits:application", False, "SystemExit"),
        ("leaves:application", False, "ended the process (with status 3)"),
        ("dies:application", False, "ended the process (by SIGKILL)"),
        ("needs:application", False, "nosuchdependency"),
        ("broken:application", False, "SyntaxError"),
        ("talks:application", False, "ZeroDivisionError"),
        ("reads:application", False, "EOFError"),
    ],
)
def test_each_way_to_fail_is_told_at_the_target(spec, capfd, target, factory, words):
    found = tried(spec(target, factory=factory))
    assert found is not None
    assert (found.code, found.severity) == (codes.APPLICATION_NOT_IMPORTED, "error")
    assert (found.place, found.key) == (PLACE, "application.target")
    assert words in found.message
    assert "\n" not in found.message
    assert capfd.readouterr() == ("", ""), "what it prints goes nowhere"


@pytest.mark.parametrize(("target", "factory"), [("good:application", False), ("good:make", True)])
def test_what_can_be_imported_is_no_finding(spec, target, factory):
    assert tried(spec(target, factory=factory)) is None
    assert "good" not in sys.modules, "it was not imported here"


def test_it_is_imported_in_its_own_surroundings(spec, tmp_path, monkeypatch):
    monkeypatch.setenv("LISTEN_FDS", "1")
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/nobody")
    assert tried(spec("surroundings:application", environment={"EXTRA": "extra"})) is None
    assert (tmp_path / "facts").read_text() == repr([str(tmp_path), "extra", None, None])


@pytest.mark.parametrize(
    "environment", [{"PYTHONHOME": "/nope"}, {"PYTHONIOENCODING": "bogus"}, {"LONG": "x" * 50_000}]
)
def test_what_only_a_python_that_begins_would_trip_over_is_no_finding(spec, environment):
    assert tried(spec("good:application", environment=environment)) is None


def test_what_a_python_path_leads_to_is_found(spec, tmp_path):
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "elsewhere.py").write_text("async def application(scope, receive, send): ...\n")
    assert tried(spec("elsewhere:application")) is not None
    assert tried(spec("elsewhere:application", environment={"PYTHONPATH": str(tmp_path / "more")})) is None


def test_a_process_that_cannot_be_started_is_told(spec):
    found = tried(spec("good:application", environment={"LONG": "x" * 200_000}))
    assert found is not None
    assert "no process could be started for it: Argument list too long" in found.message


def test_an_import_that_does_not_end_is_ended_and_told(spec):
    found = tried(spec("never:application"), patience_s=1.0)
    assert found is not None
    assert (found.code, found.severity) == (codes.IMPORT_TOO_LONG, "warning")


def test_nothing_that_it_started_is_left(spec, tmp_path):
    assert tried(spec("leftover:application")) is None
    pid = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 20
    while _runs(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not _runs(pid)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_another_environments_python_imports_it(spec, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    (packages,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    (packages / "only_there.py").write_text("async def application(scope, receive, send): ...\n")
    assert tried(spec("only_there:application", virtualenv=tmp_path / "venv")) is None
    assert tried(spec("only_there:application")) is not None
