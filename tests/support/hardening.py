"""The units' hardening, one directive at a time, with a project of Django Channels in a virtualenv.

A machine is given an instance of asgid@.service for each: the unit as it is shipped less every directive of
``mysite/probes.py``, and then with one of them. What it forbids is tried by the application, in its unit.
``tests/packages/each_directive.py`` prints the table of ``tests/packages/README.md`` by this.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from support.packaged import EXAMPLES, packaging, websocket_echo

if TYPE_CHECKING:
    from support.machine import Machine

SYSTEMD: Final = packaging() / "systemd"
FIRST: Final = "AmbientCapabilities"
"""In both units everything from here on hardens; so does UMask=, which stands elsewhere."""

GIVES: Final = "AmbientCapabilities"
"""The one that allows something, to a process that has no right to it otherwise."""

NOT_HERE: Final = {
    "DevicePolicy": "the container has no control group for devices, and none to forbid",
    "ProtectClock": "the container's own filter refuses the same calls",
    "RestrictRealtime": "the container has no right to real time, nor can it give any",
}
"""Those that a container hides: what they forbid is forbidden there without them as well, and why."""

COMPANIONS: Final = {"ProtectSystem": "PrivateTmp", "SystemCallErrorNumber": "SystemCallFilter"}
"""Without the other one the first leaves nowhere to put temporary files, and the second means nothing."""

PREPARE: Final = """
mkdir -p /opt/outside /home/alice /usr/lib/modules/some /dev/net
cp "$(readlink -f /usr/bin/python3)" /opt/outside/python
chown asgid: /opt/outside; chmod 4755 /opt/outside/python
touch /dev/kmsg 2>/dev/null || true
for each in /home/alice /tmp /dev; do echo hello > $each/readable; chmod 644 $each/readable; done
chmod 755 /home/alice; chmod 644 /dev/kmsg
"""


@dataclass(frozen=True)
class Tried:
    """What came of one: ``bare`` without any directive, ``alone`` with this one, ``filters`` what it adds."""

    directive: str
    bare: str
    alone: str
    filters: int

    @property
    def is_in_force(self) -> bool:
        """Tell whether it made the difference."""
        allowed, other = (self.alone, self.bare) if self.directive == GIVES else (self.bare, self.alone)
        return allowed == "done" != other


def directives() -> dict[str, list[str]]:
    """Return every hardening directive of the two units, with its lines, in the order they stand in."""
    found: dict[str, list[str]] = {}
    for unit in ("asgid@.service", "asgid.service"):
        lines = (SYSTEMD / unit).read_text(encoding="utf-8").split("[Install]")[0].splitlines()
        start = next(number for number, line in enumerate(lines) if line.startswith(FIRST))
        own: dict[str, list[str]] = {}
        for line in [*(each for each in lines if each.startswith("UMask=")), *lines[start:]]:
            if re.match(r"[A-Z]\w+=", line):
                own.setdefault(line.partition("=")[0], []).append(line)
        found |= {name: own[name] for name in own if name not in found}
    return found


class Bench:
    """A machine that has the package and the project, which tries what a unit forbids."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._outside = {
            kind: machine.run("readlink", f"/proc/1/ns/{kind}").strip() for kind in ("mnt", "uts", "ipc")
        }
        machine.run("systemctl", "stop", "asgid")  # it holds the user, and with it what RemoveIPC= takes
        machine.shell(PREPARE)

    def unit(self, name: str, port: int, *, without: set[str], with_lines: list[str]) -> None:
        """Start ``asgid@NAME`` with the shipped unit, less these directives, and with these lines more."""
        shipped = (SYSTEMD / "asgid@.service").read_text(encoding="utf-8").splitlines()
        kept = [line for line in shipped if line.partition("=")[0] not in without]
        # LimitRTPRIO= is what an unprivileged process needs to ask for real time at all.
        more = [*with_lines, "LimitRTPRIO=10", f"Environment=PROBE={name}"]
        text = "\n".join(kept).replace("[Service]\n", "[Service]\n" + "\n".join(more) + "\n")
        machine = self._machine
        machine.write(f"/etc/systemd/system/asgid@{name}.service", text)
        machine.run("systemctl", "daemon-reload")
        example = machine.run("cat", f"{EXAMPLES}/django-channels.toml")
        machine.write(f"/etc/asgid/{name}.toml", re.sub(r"\b800\d\b", str(port), example))
        machine.run("systemctl", "start", f"asgid@{name}")

    def stop(self, name: str) -> None:
        """Stop it, and take its files away."""
        self._machine.run("systemctl", "stop", f"asgid@{name}")
        self._machine.run("rm", f"/etc/systemd/system/asgid@{name}.service", f"/etc/asgid/{name}.toml")

    def served(self, port: int) -> None:
        """See to it that the project answers: a database, a temporary file, a child, and a WebSocket."""
        assert '"child": "42"' in self._machine.get(f"http://127.0.0.1:{port}/")
        assert websocket_echo(self._machine, port) == "hello"

    def tried(self, port: int, directive: str) -> tuple[str, int]:
        """Have the application try what this directive forbids; return what came of it, and its filters."""
        said, filters = self._machine.get(f"http://127.0.0.1:{port}/forbidden/{directive}").rsplit(" ", 1)
        kind = said.partition(":")[0]
        if kind in self._outside:
            said = "done" if said == self._outside[kind] else "a namespace of its own"
        return said, int(filters)

    def left(self, name: str, word: str) -> str:
        """Return what came of RemoveIPC=, which acts when the unit has stopped."""
        gone = self._machine.fails("test", "-e", f"/dev/shm/asgid-probe-{name}")
        return "removed" if word == "done" and gone else word


def each_alone(machine: Machine) -> list[Tried]:
    """Try every directive alone, each in a unit of its own, in which the project is served as well."""
    bench, found = Bench(machine), []
    everything = directives()
    bench.unit("bare", 8100, without=set(everything), with_lines=[])
    bench.served(8100)
    bare = {name: bench.tried(8100, name) for name in everything}
    bench.stop("bare")
    for number, (name, lines) in enumerate(everything.items(), 8101):
        instance = name.lower()
        more = everything[COMPANIONS[name]] if name in COMPANIONS else []
        bench.unit(instance, number, without=set(everything), with_lines=[*lines, *more])
        bench.served(number)
        word, filters = bench.tried(number, name)
        bench.stop(instance)
        if name == "RemoveIPC":
            word = bench.left(instance, word)
        found.append(Tried(name, bare[name][0], word, filters - bare[name][1]))
    return found


def table(found: list[Tried]) -> str:
    """Return the table for people, in Markdown."""
    lines = ["| directive | without it | with it alone | |", "|---|---|---|---|"]
    for each in found:
        said = "in force" if each.is_in_force else NOT_HERE.get(each.directive, "no difference")
        if not each.is_in_force and each.filters:
            said += f"; it adds {each.filters} filters of its own"
        lines.append(f"| `{each.directive}=` | {each.bare} | {each.alone} | {said} |")
    return "\n".join(lines)
