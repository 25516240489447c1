"""8xx: limits of the kernel below what the file asks for."""

from __future__ import annotations

from asgid.config import codes
from asgid.config.rules.base import Rule


class OpenFilesLow(
    Rule, code=codes.OPEN_FILES_LOW, severity="warning", title="the limit of open files is too low"
):
    """## What it does
    Compares the limit of open files (RLIMIT_NOFILE, which asgid raises to the hard one) with
    `limits.connections` of each listener.

    ## Why is this bad
    Before the limit that the file sets is reached no connection can be accepted any more.

    ## Example
    ```toml
    [limits]
    connections = 200000
    ```
    with a hard limit of 65536.

    ## Use instead
    `LimitNOFILE=` in the systemd unit, or fewer connections.
    """


class BacklogCut(Rule, code=codes.BACKLOG_CUT, severity="warning", title="a backlog that the kernel cuts"):
    """## What it does
    Finds a `backlog` in the file above net.core.somaxconn, which the kernel cuts it to (listen(2)).

    ## Why is this bad
    In a burst clients are turned away earlier than the file says.

    ## Example
    ```toml
    [listeners.main]
    address = "127.0.0.1"
    port = 8000
    backlog = 65535
    ```
    where net.core.somaxconn is 4096, as it comes.

    ## Use instead
    `sysctl -w net.core.somaxconn=65535`, or a smaller backlog.
    """
