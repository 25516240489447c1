"""What the kernel holds of a connection and nobody has read: a client that has asked only looks idle."""

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
