"""A random configuration: all six ways to listen, with and without what is wrong with each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tomli_w

from hosts.world import PORTS

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random
    from typing import Any

    from hosts.world import World

HERE = ("127.0.0.1", "127.0.0.5", "10.9.0.1", "10.9.0.11", "0.0.0.0", "::1", "2001:db8:9::1", "::", "*")
ZONED = ("fe80::9:1%wire0",)
ABSENT = ("10.9.0.99", "198.18.0.7", "2001:db8:9::99", "fe80::7%wire0", "fe80::9:1%lo", "fe80::9:1%nosuch0")
PATHS = (
    "new.sock", "new2.sock", "sub/new.sock", "link/new.sock", "stale.sock", "sub/stale.sock",
    "link/stale.sock", "sticky/stale.sock", "sticky/new.sock",
)  # fmt: skip
BAD_PATHS = (
    "live.sock", "sub/live.sock", "link/live.sock", "ro/new.sock", "ro/stale.sock", "gone/new.sock", "file",
    "sub", "dangling", "loop", "loop/x.sock", "file/x.sock", "sub/to.sock", "/proc/new.sock", "/sys/new.sock",
    "locked/new.sock",
)  # fmt: skip
STRINGS = (
    "tcp:{port}", "tcp:{port}:interface=127.0.0.1", r"tcp:{port}:interface=\:\:1",
    r"tcp:{port}:interface=\:\:", "tcp:{port}:interface=localhost", "tcp:port={port}:backlog=100",
    "tcp:0:interface=10.9.0.1", r"tcp:{port}:interface=fe80\:\:9\:1%wire0",
    "unix:{folder}/{path}", "unix:{folder}/{path}:mode=600", "asgid-unix:path={folder}/{path}:mode=0600",
    "asgid-unix:path={folder}/{path}:owner={user}:group={group}",
    r"asgid-tcp:port={port}:interface=\:\:", "asgid-tcp:port={port}:interface=10.9.0.1:device=wire0",
    "asgid-tcp:port={port}:interface=10.9.0.99:freebind=1", "asgid-systemd:name=http", "fd:fileno=3",
    "fd:fileno=4", "haproxy:tcp:{port}", "haproxy:unix:{folder}/{path}",
    "haproxy:unix:{folder}/{path}:lockfile=0", "tcp6:{port}", r"tcp6:{port}:interface=\:\:1",
    "systemd:domain=INET:name=http", "systemd:domain=INET:index=0",
    "ssl:{port}:privateKey={folder}/nosuch.pem", "ssl:{port}:privateKey={pem}", "nosuch:{port}", "stdio:",
)  # fmt: skip
USABLE = ("tcp", "tcp6", "unix")
USERS = ("", "", "root", "nobody", "0", "65534")
GROUPS = ("", "", "root", "nogroup", "0", "65534", "daemon")
_LETTERS = ":=\\01aZ.%-/"


class Drawing:
    """Draws configurations; ``pem`` is a key with its certificate, ``hazard`` how often a part is wrong."""

    def __init__(self, random: Random, world: World, folder: Path, pem: Path) -> None:
        self.random = random
        self.world = world
        self.folder = folder
        self.pem = pem
        self.hazard = random.choice((0.0, 0.02, 0.05, 0.1, 0.3))

    def text(self) -> str:
        """Return a file's text."""
        listeners = {f"l{at}": self._listener() for at in range(self.random.choice((1, 1, 2, 3, 4)))}
        tables: dict[str, Any] = {"application": self._application(), "listeners": listeners}
        if self._is_wrong():
            tables["daemon"] = {
                "pid_file": self._path(),
                "umask": self.random.choice(("022", "077", "777")),
            }
        if self._is_wrong():
            tables["log"] = {"access": self._path()}
        if self._is_wrong():
            tables["limits"] = {"connections": 10_000_000}
        return tomli_w.dumps(tables)

    def _is_wrong(self) -> bool:
        return self.random.random() < self.hazard

    def _application(self) -> dict[str, Any]:
        target = "stub:application"
        if self._is_wrong():
            target = self.random.choice(
                (
                    "stub:nosuch",
                    "nosuch:application",
                    "raises:application",
                    "stub:holder.inner",
                    "stub:factory",
                )
            )
        made: dict[str, Any] = {"target": target, "directory": "app", "lifespan": "off"}
        if self.random.random() < 0.1:
            made |= {"target": "stub:factory", "factory": True}
        if self._is_wrong():
            made["directory"] = self.random.choice((".", "gone", "file", "locked", "link"))
        if self.random.random() < self.hazard / 4:
            made["virtualenv"] = self.random.choice(("sub", "gone"))
        return made

    def _listener(self) -> dict[str, Any]:
        ways = ["address", "address", "interface", "unix", "unix", "endpoint"]
        ways += ["systemd", "fd"] if self.world.passed or self._is_wrong() else []
        way = self.random.choice(ways)
        made: dict[str, Any] = getattr(self, f"_{way}")()
        if self.random.random() < 0.2:
            made["required"] = False
        if way != "endpoint" and self.random.random() < 0.1:
            made["backlog"] = self.random.choice((1, 100, 4096, 100_000, 2_000_000_000))
        return made

    def _address(self) -> dict[str, Any]:
        choices = ABSENT if self._is_wrong() else HERE + ZONED
        addresses = self.random.sample(choices, self.random.choice((1, 1, 1, 2)))
        made: dict[str, Any] = {
            "address": addresses if len(addresses) > 1 else addresses[0],
            "port": self._port(),
        }
        if self.random.random() < 0.1:
            made["freebind"] = True
        return made

    def _interface(self) -> dict[str, Any]:
        names = ("nosuch0", "peer0") if self._is_wrong() else ("lo", "wire0")
        made: dict[str, Any] = {"interface": self.random.choice(names), "port": self._port()}
        for key, values in (
            ("family", ("ipv4", "ipv6", "dual")), ("bind_to_device", (True,)), ("freebind", (True,)),
        ):  # fmt: skip
            if self.random.random() < 0.3:
                made[key] = self.random.choice(values)
        return made

    def _unix(self) -> dict[str, Any]:
        made: dict[str, Any] = {"unix": self._path()}
        if self.random.random() < 0.3:
            made["mode"] = self.random.choice(("0600", "0666", "0000", "0777"))
        if self.random.random() < 0.3:
            made |= {"owner": self._user()}
        if self.random.random() < 0.3:
            made |= {"group": self._group()}
        return {key: value for key, value in made.items() if value}

    def _systemd(self) -> dict[str, Any]:
        passed = [each.name for each in self.world.passed if each.kind in USABLE]
        if self._is_wrong() or not passed:
            return {"systemd": self.random.choice(("http", "admin", "web"))}
        return {"systemd": self.random.choice(passed)}

    def _fd(self) -> dict[str, Any]:
        passed = [3 + at for at, each in enumerate(self.world.passed) if each.kind in USABLE]
        if self._is_wrong() or not passed:
            return {"fd": self.random.choice((1, 3, 4, 5, 77))}
        return {"fd": self.random.choice(passed)}

    def _endpoint(self) -> dict[str, Any]:
        strings = [self._string() for _ in range(self.random.choice((1, 1, 1, 2)))]
        return {"endpoint": strings if len(strings) > 1 else strings[0]}

    def _string(self) -> str:
        text = self.random.choice(STRINGS).format(
            port=self._port(), folder=self.folder, path=self._path(), user=self._user() or "root",
            group=self._group() or "root", pem=self.pem,
        )  # fmt: skip
        if self._is_wrong():
            text = self._mutated(text)
        return text

    def _mutated(self, text: str) -> str:
        at = self.random.randrange(len(text))
        letter = self.random.choice(_LETTERS)
        return self.random.choice(
            (text[:at] + text[at + 1 :], text[:at] + letter + text[at:], text[:at] + letter + text[at + 1 :])
        )

    def _port(self) -> int:
        if self._is_wrong():
            return 81
        if self.random.random() < 0.4:
            return self.random.choice(PORTS[:5])
        return self.random.choice((0, self.random.randrange(20000, 30000)))

    def _path(self) -> str:
        return self.random.choice(BAD_PATHS if self._is_wrong() else PATHS)

    def _user(self) -> str:
        return self.random.choice(("nosuchuser", "12345")) if self._is_wrong() else self.random.choice(USERS)

    def _group(self) -> str:
        return (
            self.random.choice(("nosuchgroup", "54321")) if self._is_wrong() else self.random.choice(GROUPS)
        )
