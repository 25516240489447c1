"""How each server is started: one worker, its fastest usual options, access log as asked.

asgid runs as it is shipped: from a TOML file that names the application, the listeners and the access log,
and nothing else, so every check, limit, timeout and counter is on at its default.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

HERE = Path(__file__).parent
HOST = "127.0.0.1"
OWN = Path(sys.executable).with_name("asgid")
PACKAGE = Path("/usr/bin/asgid")
VIRTUALENV = Path("/usr/lib/asgid-bench")  # on the file system of the package: see package.py
IDLE_S = "120"  # how long peers keep idle connections, so that the memory of all of them can be read


@dataclass(frozen=True)
class Start:
    """What is to be started: an attribute of ``app``, where, and whether every request is logged."""

    application: str
    ports: tuple[int, ...]
    folder: Path  # for files of this start alone
    access_log: bool = False

    @property
    def target(self) -> str:
        return f"app:{self.application}"

    @property
    def port(self) -> int:
        return self.ports[0]


def asgid(start: Start, _tools: Path, command: Path = OWN) -> list[str]:
    """asgid by ``command``."""
    access = str(start.folder / "access.log") if start.access_log else ""
    text = f'[application]\ntarget = "{start.target}"\ndirectory = "{HERE}"\n\n[log]\naccess = "{access}"\n'
    for number, port in enumerate(start.ports, 1):
        text += f'\n[listeners.bench{number}]\naddress = "{HOST}"\nport = {port}\n'
    path = start.folder / "listeners.toml"
    path.write_text(text)
    return [str(command), "--config", str(path)]


def granian(start: Start, tools: Path) -> list[str]:
    log = "--access-log" if start.access_log else "--no-access-log"
    return [
        str(tools / "granian"), "--interface", "asgi", "--loop", "uvloop", "--http", "1", "--workers", "1",
        "--backlog", "2048", "--backpressure", "20000", "--host", HOST,
        "--port", str(start.port), "--log-level", "info", log, start.target,
    ]  # fmt: skip


def uvicorn(start: Start, tools: Path) -> list[str]:
    log = [] if start.access_log else ["--no-access-log", "--log-level", "warning"]
    return [
        str(tools / "uvicorn"), "--loop", "uvloop", "--http", "httptools", "--host", HOST,
        "--port", str(start.port), "--timeout-keep-alive", IDLE_S, *log, start.target,
    ]  # fmt: skip


def gunicorn(start: Start, tools: Path) -> list[str]:
    log = ["--access-logfile", "-"] if start.access_log else []
    return [
        str(tools / "gunicorn"), "--worker-class", "asgi", "--asgi-loop", "uvloop", "--http-parser", "fast",
        "--workers", "1", "--worker-connections", "20000", "--keep-alive", IDLE_S, "--log-level", "warning",
        "--bind", f"{HOST}:{start.port}", *log, start.target,
    ]  # fmt: skip


def hypercorn(start: Start, tools: Path) -> list[str]:
    log = ["--access-logfile", "-"] if start.access_log else []
    return [
        str(tools / "hypercorn"), "--worker-class", "uvloop", "--workers", "1", "--keep-alive", IDLE_S,
        "--log-level", "warning", "--bind", f"{HOST}:{start.port}", *log, start.target,
    ]  # fmt: skip


def daphne(start: Start, tools: Path) -> list[str]:
    log = ["--access-log", str(start.folder / "access.log")] if start.access_log else ["--verbosity", "0"]
    return [str(tools / "daphne"), "-b", HOST, "-p", str(start.port), *log, start.target]


SERVERS = {
    "asgid": asgid,
    "granian": granian,
    "uvicorn": uvicorn,
    "gunicorn": gunicorn,
    "hypercorn": hypercorn,
    "daphne": daphne,
}

INSTALLED = {
    "package": partial(asgid, command=PACKAGE),
    "virtualenv": partial(asgid, command=VIRTUALENV / "bin" / "asgid"),
}
