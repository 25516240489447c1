"""2xx: listeners, where they listen, and which cannot be together."""

from __future__ import annotations

from asgid.config import codes
from asgid.config.rules.base import Rule


class NoListener(Rule, code=codes.NO_LISTENER, severity="error", title="no listener"):
    """## What it does
    Finds files without a listener.

    ## Why is this bad
    There is nothing to serve on.

    ## Example
    ```toml
    [application]
    target = "mysite.asgi:application"
    ```

    ## Use instead
    ```toml
    [application]
    target = "mysite.asgi:application"

    [listeners.main]
    address = "127.0.0.1"
    port = 8000
    ```
    """


class BadName(Rule, code=codes.BAD_NAME, severity="error", title="a listener's name that is none"):
    """## What it does
    Finds listeners' names that are not a letter followed by up to 62 letters, digits, `-` and `_`.

    ## Why is this bad
    The name stands in logs, in the scope and on command lines, where other characters would have to be
    quoted, each time in another way.

    ## Example
    ```toml
    [listeners."public http"]
    address = "127.0.0.1"
    port = 8000
    ```

    ## Use instead
    ```toml
    [listeners.public-http]
    address = "127.0.0.1"
    port = 8000
    ```
    """


class NotOneWay(
    Rule,
    code=codes.NOT_ONE_WAY,
    severity="error",
    title="a listener that says in no way, or in several, where it listens",
):
    """## What it does
    Finds listeners that have none of `address`, `interface`, `unix`, `systemd`, `fd` and `endpoint`, or more
    than one of them.

    ## Why is this bad
    Each way has keys of its own, and a listener is started, reported and stopped as one thing. Several
    listeners serve the same application anyway.

    ## Example
    ```toml
    [listeners.main]
    address = "127.0.0.1"
    port = 8000
    unix = "/run/mysite/http.sock"
    ```

    ## Use instead
    ```toml
    [listeners.main]
    address = "127.0.0.1"
    port = 8000

    [listeners.proxy]
    unix = "/run/mysite/http.sock"
    ```
    """


class NoPort(Rule, code=codes.NO_PORT, severity="error", title="an address or interface without a port"):
    """## What it does
    Finds listeners with an address or an interface and no port. There is no default; port 0 asks the system
    for one that is free.

    ## Why is this bad
    Half an address is none.

    ## Example
    ```toml
    [listeners.main]
    address = "127.0.0.1"
    ```

    ## Use instead
    ```toml
    [listeners.main]
    address = "127.0.0.1"
    port = 8000
    ```
    """


class KeyOfOtherKind(
    Rule,
    code=codes.KEY_OF_OTHER_KIND,
    severity="error",
    title="a key that does not belong to this kind of listener",
):
    """## What it does
    Finds keys that mean nothing in the way in which a listener listens: a `mode` beside an address, a `port`
    beside a unix socket, a `backlog` beside an endpoint string, which says it itself.

    ## Why is this bad
    It would be accepted and ignored.

    ## Example
    ```toml
    [listeners.proxy]
    unix = "/run/mysite/http.sock"
    port = 8000
    ```

    ## Use instead
    ```toml
    [listeners.proxy]
    unix = "/run/mysite/http.sock"
    ```
    """


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


class BadMode(Rule, code=codes.BAD_MODE, severity="error", title="a file mode that is none"):
    """## What it does
    Finds file modes that are not three octal digits in quotes, with or without a 0 before them.

    ## Why is this bad
    TOML's numbers are decimal: 660 without quotes would be 01224.

    ## Example
    ```toml
    [listeners.proxy]
    unix = "/run/mysite/http.sock"
    mode = 660
    ```

    ## Use instead
    ```toml
    [listeners.proxy]
    unix = "/run/mysite/http.sock"
    mode = "0660"
    ```
    """


class BadOwner(Rule, code=codes.BAD_OWNER, severity="error", title="a user's or group's name that is none"):
    """## What it does
    Finds names that no user or group can have: empty ones, those with blanks, `:`, `/` or `,`, or that begin
    with a `-`.

    ## Why is this bad
    There can never be such a user or group. Whether there is one is asked by `asgid lint --live`.

    ## Example
    ```toml
    [listeners.proxy]
    unix = "/run/mysite/http.sock"
    owner = "www-data:www-data"
    ```

    ## Use instead
    ```toml
    [listeners.proxy]
    unix = "/run/mysite/http.sock"
    owner = "www-data"
    group = "www-data"
    ```
    """


class BadSystemdName(
    Rule, code=codes.BAD_SYSTEMD_NAME, severity="error", title="a systemd socket's name that is none"
):
    """## What it does
    Finds names that `FileDescriptorName=` cannot give: up to 255 characters of printable ASCII without `:`
    (systemd.socket(5)).

    ## Why is this bad
    systemd can never pass a socket of that name.

    ## Example
    ```toml
    [listeners.activated]
    systemd = "http:main"
    ```

    ## Use instead
    ```toml
    [listeners.activated]
    systemd = "http-main"
    ```
    """


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


class NothingRequired(
    Rule, code=codes.NOTHING_REQUIRED, severity="warning", title="no listener that is required"
):
    """## What it does
    Finds files in which every listener has `required = false`, and points at each.

    ## Why is this bad
    `required = false` lets the others serve where one cannot be opened. Where it is everywhere the service
    counts as started when any one of them serves, whichever that is.

    ## Example
    ```toml
    [listeners.main]
    address = "127.0.0.1"
    port = 8000
    required = false
    ```

    ## Use instead
    ```toml
    [listeners.main]
    address = "127.0.0.1"
    port = 8000

    [listeners.vpn]
    address = "10.8.0.1"
    port = 8000
    required = false
    ```
    """
