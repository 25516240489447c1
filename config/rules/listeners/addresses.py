"""2xx: addresses, their kinds, ports and interfaces."""

from __future__ import annotations

from asgid.config import codes
from asgid.config.rules.base import Rule


class BadPort(Rule, code=codes.BAD_PORT, severity="error", title="a port that is none"):
    """## What it does
    Finds ports that are not a whole number from 0 to 65535.

    ## Why is this bad
    TCP has no others.

    ## Example
    ```toml
    [listeners.main]
    address = "127.0.0.1"
    port = 80000
    ```

    ## Use instead
    ```toml
    [listeners.main]
    address = "127.0.0.1"
    port = 8000
    ```
    """


class BadAddress(Rule, code=codes.BAD_ADDRESS, severity="error", title="an address that is none"):
    """## What it does
    Finds what is neither a literal IPv4 or IPv6 address nor `*`: host names, networks, addresses with their
    port, addresses in brackets.

    ## Why is this bad
    A host's name may come to mean another address, or several, between two starts. The others are not
    addresses.

    ## Example
    ```toml
    [listeners.main]
    address = "localhost"
    port = 8000
    ```

    ## Use instead
    ```toml
    [listeners.main]
    address = ["127.0.0.1", "::1"]
    port = 8000
    ```
    """


class BadZone(
    Rule, code=codes.BAD_ZONE, severity="error", title="a zone id that is wrong, missing or out of place"
):
    """## What it does
    Finds link-local addresses (fe80::/10) without a zone id, zone ids that are no interface's name, and zone
    ids behind other addresses (RFC 4007 11).

    ## Why is this bad
    Every interface has its own fe80::/10: without the zone the kernel does not know which is meant, and
    refuses.

    ## Example
    ```toml
    [listeners.main]
    address = "fe80::1"
    port = 8000
    ```

    ## Use instead
    ```toml
    [listeners.main]
    address = "fe80::1%eth0"
    port = 8000
    ```
    """


class BadInterface(
    Rule, code=codes.BAD_INTERFACE, severity="error", title="an interface's name that is none"
):
    """## What it does
    Finds names that no network interface of Linux can have: longer than 15 bytes, or with a blank, a `/` or a
    `:`. An address is none either.

    ## Why is this bad
    There can never be such an interface.

    ## Example
    ```toml
    [listeners.office]
    interface = "192.168.1.10"
    port = 8000
    ```

    ## Use instead
    ```toml
    [listeners.office]
    interface = "eth1"
    port = 8000
    ```
    """


class DocumentationAddress(
    Rule,
    code=codes.DOCUMENTATION_ADDRESS,
    severity="warning",
    title="an address for documentation",
):
    """## What it does
    Finds addresses that are set aside for examples: 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24 (RFC 5737),
    2001:db8::/32 (RFC 3849) and 3fff::/20 (RFC 9637).

    ## Why is this bad
    They stand in manuals, and on no host outside of a test.

    ## Example
    ```toml
    [listeners.main]
    address = "192.0.2.10"
    port = 8000
    ```

    ## Use instead
    ```toml
    [listeners.main]
    address = "10.0.0.5"
    port = 8000
    ```
    """


class MulticastAddress(Rule, code=codes.MULTICAST_ADDRESS, severity="error", title="a multicast address"):
    """## What it does
    Finds addresses in 224.0.0.0/4 and ff00::/8.

    ## Why is this bad
    TCP connects two hosts: no connection can arrive there (RFC 9293 3.9.2.3).

    ## Example
    ```toml
    [listeners.main]
    address = "224.0.0.1"
    port = 8000
    ```

    ## Use instead
    ```toml
    [listeners.main]
    address = "10.0.0.5"
    port = 8000
    ```
    """


class BroadcastAddress(Rule, code=codes.BROADCAST_ADDRESS, severity="error", title="the broadcast address"):
    """## What it does
    Finds 255.255.255.255.

    ## Why is this bad
    TCP connects two hosts: no connection can arrive there. Every address of this host is `0.0.0.0`.

    ## Example
    ```toml
    [listeners.main]
    address = "255.255.255.255"
    port = 8000
    ```

    ## Use instead
    ```toml
    [listeners.main]
    address = "10.0.0.5"
    port = 8000
    ```
    """


class MappedAddress(
    Rule, code=codes.MAPPED_ADDRESS, severity="error", title="an IPv4 address mapped into IPv6"
):
    """## What it does
    Finds addresses in ::ffff:0:0/96 (RFC 4291 2.5.5.2).

    ## Why is this bad
    Every IPv6 socket of asgid's is IPv6 alone (IPV6_V6ONLY), and the kernel refuses to bind it to an address
    that is IPv4.

    ## Example
    ```toml
    [listeners.main]
    address = "::ffff:127.0.0.1"
    port = 8000
    ```

    ## Use instead
    ```toml
    [listeners.main]
    address = "127.0.0.1"
    port = 8000
    ```
    """
