"""8xx: sockets that systemd, or whoever starts asgid, should have passed."""

from __future__ import annotations

from asgid.config import codes
from asgid.config.rules.base import Rule


class DescriptorUnusable(
    Rule,
    code=codes.DESCRIPTOR_UNUSABLE,
    severity="error",
    weaker=("warning",),
    title="a descriptor that is not a listening socket",
):
    """## What it does
    Finds inherited descriptors that are not open, are no socket, or are one that cannot be listened on.

    ## Why is this bad
    There is nothing to accept connections from.

    ## Example
    ```toml
    [listeners.inherited]
    fd = 3
    ```
    started from a shell, which passes no descriptor 3.

    ## Use instead
    `systemd-socket-activate -l 8000 asgid --config listeners.toml`, or a socket unit.
    """


class SystemdNameAbsent(
    Rule,
    code=codes.SYSTEMD_NAME_ABSENT,
    severity="error",
    weaker=("warning", "info"),
    title="a systemd socket that was not passed",
):
    """## What it does
    Finds names under which systemd passed no socket (LISTEN_FDNAMES, sd_listen_fds(3)), and says which ones
    it did pass. `asgid lint --live` by hand, where systemd has passed none at all, only mentions it.

    ## Why is this bad
    There is nothing to accept connections from.

    ## Example
    ```toml
    [listeners.activated]
    systemd = "http"
    ```
    beside a socket unit without `FileDescriptorName=`, whose sockets have the unit's own name.

    ## Use instead
    `FileDescriptorName=http` in the socket unit.
    """
