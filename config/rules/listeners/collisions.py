"""2xx: sockets that cannot be together."""

from __future__ import annotations

from asgid.config import codes
from asgid.config.rules.base import Rule


class Collision(
    Rule,
    code=codes.COLLISION,
    severity="error",
    title="two listeners on the same socket",
    weaker=("warning",),
):
    """## What it does
    Finds listeners that want what an earlier one has: the same address and port, however it is spelled; a
    wildcard and an address of its family on one port; one unix socket's path; one descriptor; one systemd
    name. `0.0.0.0` and `::` are no such pair: `::` is IPv6 alone. It points at the later one, and names the
    line of the earlier one.

    Of an interface the addresses are known on the host only, so `asgid lint --live` and the start find those;
    with `required = false` they are warnings.

    ## Why is this bad
    The kernel gives a socket to the first one, and refuses the second.

    ## Example
    ```toml
    [listeners.main]
    address = "::1"
    port = 8000

    [listeners.other]
    address = "0:0:0:0:0:0:0:1"
    port = 8000
    ```

    ## Use instead
    ```toml
    [listeners.main]
    address = "::1"
    port = 8000

    [listeners.other]
    address = "::1"
    port = 8001
    ```
    """


class PortZeroSeveral(
    Rule,
    code=codes.PORT_ZERO_SEVERAL,
    severity="warning",
    title="port 0 with more than one address",
):
    """## What it does
    Finds listeners with port 0 and several addresses; `*` is two.

    ## Why is this bad
    Port 0 asks the system for a port that is free, for each address another one. Who wants one listener on
    several addresses hardly wants several ports.

    ## Example
    ```toml
    [listeners.main]
    address = ["127.0.0.1", "::1"]
    port = 0
    ```

    ## Use instead
    ```toml
    [listeners.main]
    address = ["127.0.0.1", "::1"]
    port = 8000
    ```
    """
