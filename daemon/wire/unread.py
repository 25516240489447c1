"""What the kernel holds of a connection: who has asked only looks idle, and who reads may only be slow."""

from __future__ import annotations

import fcntl
import struct
import termios


def has_unread(descriptor: int) -> bool:
    """Tell whether bytes came that were not read yet (FIONREAD, ioctl_tty(2)); a lost connection has none.

    To close a socket that has some resets it, and what was asked goes unanswered (RFC 9112 9.6).
    """
    try:
        waiting: int = struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)))[0]
    except (OSError, ValueError):  # ValueError: -1
        return False
    return waiting > 0


def unacknowledged(descriptor: int) -> int:
    """Return how many bytes were written that the client does not have yet (TIOCOUTQ); 0 where it is lost.

    To reset a connection throws them away.
    """
    try:
        waiting: int = struct.unpack("i", fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(4)))[0]
    except (OSError, ValueError):  # ValueError: -1
        return 0
    return waiting
