"""Starting a command with sockets that it inherits, as systemd and other supervisors do."""

from __future__ import annotations

import socket
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_EXEC = """\
import os, sys
names, sources, *command = sys.argv[1:]
numbers = [int(number) for number in sources.split(",")]
for at, number in enumerate(numbers):
    os.dup2(number, 100 + at)
for at in range(len(numbers)):
    os.dup2(100 + at, 3 + at)
    os.close(100 + at)
if names:
    os.environ["LISTEN_PID"] = str(os.getpid())
    os.environ["LISTEN_FDS"] = str(len(numbers))
    os.environ["LISTEN_FDNAMES"] = names
os.execv(command[0], command)
"""


def inheriting(sockets: Sequence[socket.socket], names: Sequence[str] = ()) -> dict[str, object]:
    """Options for ``start``: the command gets ``sockets`` from descriptor 3 on, named as systemd does or not.

    systemd's environment is LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES (sd_listen_fds(3)).
    """
    sources = ",".join(str(each.fileno()) for each in sockets)
    return {
        "prefix": (sys.executable, "-c", _EXEC, ":".join(names), sources),
        "pass_fds": [each.fileno() for each in sockets],
    }


@contextmanager
def listening(host: str = "127.0.0.1", *, path: Path | None = None) -> Iterator[socket.socket]:
    """A socket that listens on loopback, or on ``path``."""
    if path is None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.create_server((host, 0), family=family) as made:
            yield made
        return
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))
        made.listen()
        yield made
