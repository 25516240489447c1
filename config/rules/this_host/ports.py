"""8xx: ports that cannot be had, and endpoint strings that cannot be opened."""

from __future__ import annotations

from asgid.config import codes
from asgid.config.rules.base import Rule


class PortHeld(
    Rule, code=codes.PORT_HELD, severity="error", weaker=("warning",), title="a port that is held"
):
    """## What it does
    Finds ports that another process listens on, and names it where that can be known. A wildcard address
    holds the port of every address of its family, and `::` that of IPv4 too where its process left
    IPV6_V6ONLY off. What this very service holds, which runs from the same file already, is no finding of
    `asgid lint --live`. With `required = false` it is a warning.

    ## Why is this bad
    The kernel refuses to bind it (EADDRINUSE), and the listener does not start.

    ## Example
    Two services on one host that both listen on 127.0.0.1 port 8000.

    ## Use instead
    Another port for one of them, or stop the one that is in the way.
    """


class PortPrivileged(
    Rule,
    code=codes.PORT_PRIVILEGED,
    severity="error",
    weaker=("warning",),
    title="a port that needs a privilege",
):
    """## What it does
    Finds ports below net.ipv4.ip_unprivileged_port_start (1024) where the process has no
    CAP_NET_BIND_SERVICE.

    ## Why is this bad
    The kernel refuses to bind it (EACCES).

    ## Example
    ```toml
    [listeners.public]
    address = "0.0.0.0"
    port = 80
    exposure = "public"
    ```
    run by an ordinary user.

    ## Use instead
    `AmbientCapabilities=CAP_NET_BIND_SERVICE` in the systemd unit, a socket unit, or a port from 1024 on.
    """


class EndpointRefusedHere(
    Rule,
    code=codes.ENDPOINT_REFUSED_HERE,
    severity="error",
    weaker=("warning",),
    title="an endpoint string that Twisted refuses",
):
    """## What it does
    Finds endpoint strings that Twisted, or the plugin that brings their kind, does not take on this host: no
    plugin for the kind, a certificate that is not there.

    ## Why is this bad
    The listener does not start.

    ## Example
    ```toml
    [listeners.secure]
    endpoint = "ssl:8443:interface=127.0.0.1:privateKey=/etc/ssl/absent.pem"
    ```

    ## Use instead
    Put the certificate there, or install the plugin into the environment that asgid runs in.
    """
