"""What starting costs, from the package and from a virtual environment with the same packages."""

from __future__ import annotations

import json
import re

import pytest

from support.packaged import packages

FILE = "/tmp/startup.toml"
VENV = "/opt/startup"  # on the file system of the package: /tmp is in memory on Debian 13
COMMANDS = {"package": "/usr/bin/asgid", "virtualenv": f"{VENV}/bin/asgid"}
ROUNDS = 10

MEASURE = """
import json, os, signal, socket, subprocess, sys, time
rounds, file, package, virtualenv = int(sys.argv[1]), *sys.argv[2:]
place = "/tmp/startup.notify"

def ended(*command):
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began

def serving(command):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(place)
        notified.settimeout(120)
        began = time.perf_counter()
        process = subprocess.Popen([command, "--config", file], env=os.environ | {"NOTIFY_SOCKET": place},
                                   stderr=subprocess.DEVNULL)
        while b"READY=1" not in notified.recv(4096).split(b"\\n"):
            pass
        took = time.perf_counter() - began
        process.terminate()
        while process.poll() is None:  # it goes on telling, and a full socket would hold it up
            notified.settimeout(0.05)
            try:
                notified.recv(4096)
            except TimeoutError:
                pass
    os.unlink(place)
    return took

measures = {
    "python": lambda: ended("/usr/bin/python3", "-c", "pass"),
    "package --version": lambda: ended(package, "--version"),
    "virtualenv --version": lambda: ended(virtualenv, "--version"),
    "package serves": lambda: serving(package),
    "virtualenv serves": lambda: serving(virtualenv),
}
found = {name: [] for name in measures}
for number in range(rounds):  # interleaved: what else the host does meets each of them
    first, *both = measures
    for pair in (both[:2], both[2:]):  # neither always comes second, and finds the caches full
        for name in (first, *pair) if number % 2 else (first, *reversed(pair)):
            found[name].append(measures[name]())
print(json.dumps({name: min(times) * 1000 for name, times in found.items()}))
"""


@pytest.fixture(scope="module")
def both(machine):
    """The installed package, and a virtual environment with the wheel and the same locked packages."""
    (wheel,) = packages().glob("asgid-*.whl")
    machine.write(FILE, machine.run("cat", "/etc/asgid/listeners.toml").replace("8000", "8097"))
    machine.run("/usr/bin/python3", "-m", "venv", VENV)
    machine.run(
        f"{VENV}/bin/pip", "install", "-q", "--no-index", "--find-links", "/locked", f"/packages/{wheel.name}"
    )
    return machine


def test_a_start_compiles_nothing(both):
    said = both.run("/usr/lib/asgid/bin/python3", "-Iv", "/usr/bin/asgid", "lint", "--live", FILE)
    loaded = re.findall(r"# code object from '?(/usr/lib/asgid/[^'\n]+)", said)
    assert any("/asgid/config/" in each for each in loaded)
    assert any("/pydantic/" in each for each in loaded)
    assert [each for each in loaded if not each.endswith(".pyc")] == []


def test_both_start_and_say_the_same_and_what_it_costs_is_printed(both, capsys):
    versions = {name: both.run(command, "--version") for name, command in COMMANDS.items()}
    assert versions["package"] == versions["virtualenv"]
    took = json.loads(both.python(MEASURE, str(ROUNDS), FILE, *COMMANDS.values()))
    assert len(took) == 5
    with capsys.disabled():
        times = took["package --version"] / took["python"]
        figures = ", ".join(f"{name} {ms:.0f} ms" for name, ms in took.items())
        print(f"\nstart-up on {both.release}, least of {ROUNDS}: {figures}; --version is {times:.1f} pythons")
