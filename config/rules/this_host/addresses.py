"""8xx: addresses and interfaces that this host does not have."""

from __future__ import annotations

from asgid.config import codes
from asgid.config.rules.base import Rule


class AddressAbsent(
    Rule,
    code=codes.ADDRESS_ABSENT,
    severity="error",
    weaker=("warning",),
    title="an address that this host does not have",
):
    """## What it does
    Finds addresses that no interface of this host has now. With `required = false` it is a warning, and with
    `freebind = true`, which binds such an address all the same.

    ## Why is this bad
    The kernel refuses to bind it (EADDRNOTAVAIL), and the listener does not start.

    ## Example
    ```toml
    [listeners.office]
    address = "192.168.1.10"
    port = 8000
    ```
    on a host whose address is 192.168.1.11.

    ## Use instead
    ```toml
    [listeners.office]
    address = "192.168.1.11"
    port = 8000
    ```
    """


class InterfaceAbsent(
    Rule,
    code=codes.INTERFACE_ABSENT,
    severity="error",
    weaker=("warning",),
    title="an interface that this host does not have",
):
    """## What it does
    Finds interfaces that are not there, and names those that are. With `required = false` it is a warning.

    ## Why is this bad
    There is no address to listen on.

    ## Example
    ```toml
    [listeners.office]
    interface = "eth7"
    port = 8000
    exposure = "private"
    ```
    on a host that has lo and eth0.

    ## Use instead
    ```toml
    [listeners.office]
    interface = "eth0"
    port = 8000
    exposure = "private"
    ```
    """


class NoSuchFamily(
    Rule,
    code=codes.NO_SUCH_FAMILY,
    severity="error",
    weaker=("warning",),
    title="an interface without an address of the family asked for",
):
    """## What it does
    Finds interfaces that have no address, or none of the `family`. With `required = false` it is a warning.

    ## Why is this bad
    There is no address to listen on.

    ## Example
    ```toml
    [listeners.office]
    interface = "eth1"
    family = "ipv6"
    port = 8000
    exposure = "private"
    ```
    on a host whose eth1 has 10.0.0.5 alone.

    ## Use instead
    ```toml
    [listeners.office]
    interface = "eth1"
    family = "ipv4"
    port = 8000
    exposure = "private"
    ```
    """


class NoIpv6(Rule, code=codes.NO_IPV6, severity="error", weaker=("warning",), title="no IPv6 on this host"):
    """## What it does
    Finds IPv6 addresses on a host whose kernel has no IPv6. With `required = false` it is a warning, and for
    `*`, which is IPv4 alone then.

    ## Why is this bad
    No IPv6 socket can be made there.

    ## Example
    ```toml
    [listeners.main]
    address = "::1"
    port = 8000
    ```
    on a host started with `ipv6.disable=1`.

    ## Use instead
    ```toml
    [listeners.main]
    address = "127.0.0.1"
    port = 8000
    ```
    """
