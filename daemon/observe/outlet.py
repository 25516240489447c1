"""Lines on their way to a descriptor that nobody may read: never waited for, and held up to a bound.

Standard output is most often a pipe, whose flags belong to everybody who has it open, so that O_NONBLOCK is
not ours to set: a terminal's shell, or our own standard error, would find itself non-blocking. poll(2) tells
whether a pipe has room for a page, and a write of no more than that does not wait (pipe(7)).
"""

from __future__ import annotations

import os
import select
import stat
from typing import Final

HELD_BYTES: Final = 1024 * 1024
_PIECE_BYTES: Final = 4096  # PIPE_BUF: written as one, or not at all
_CLOSING_S: Final = 1.0


class Outlet:
    """Writes whole lines to ``fd``, which it does not own, in order and without waiting.

    What is not taken is held, up to :data:`HELD_BYTES`; what is more is dropped and counted in ``dropped``
    (lines). A file on a disk is written to at once.
    """

    __slots__ = ("_held", "_waits", "dropped", "fd")

    def __init__(self, fd: int) -> None:
        self.dropped = 0
        self._held = b""
        self.use(fd)

    def use(self, fd: int) -> None:
        """Write to ``fd`` from now on, what is held too."""
        self.fd = fd
        self._waits = not stat.S_ISREG(os.fstat(fd).st_mode)

    @property
    def held(self) -> int:
        """How many bytes wait."""
        return len(self._held)

    def write(self, lines: bytes) -> None:
        """Write ``lines``, whole ones, or hold them. Raises :class:`OSError`, and they are lost."""
        room = HELD_BYTES - len(self._held)
        if len(lines) > room:
            end = lines.rfind(b"\n", 0, room) + 1
            self.dropped += lines.count(b"\n", end)
            lines = lines[:end]
        self._held = self._held + lines if self._held else lines
        self.push()

    def push(self, wait_s: float = 0.0) -> None:
        """Write what is taken of what is held, waiting ``wait_s`` for each piece. Raises :class:`OSError`."""
        data, self._held = self._held, b""
        if not self._waits:
            at = 0
            while at < len(data):
                at += os.write(self.fd, data[at:] if at else data)
            return
        ready = select.poll()
        ready.register(self.fd, select.POLLOUT)
        at = 0
        while at < len(data) and ready.poll(wait_s * 1000):
            end = data.rfind(b"\n", at, at + _PIECE_BYTES) + 1 or at + _PIECE_BYTES
            try:
                at += os.write(self.fd, data[at:end])
            except BlockingIOError:  # somebody has made it non-blocking, and it is full
                break
        self._held = data[at:]

    def finish(self) -> None:
        """Write what is held, give up on it after a second; ``dropped`` counts it then."""
        self.push(_CLOSING_S)
        self.dropped += self._held.count(b"\n")
        self._held = b""
