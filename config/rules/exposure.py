"""5xx: who can reach a listener, and whose word about a client is taken."""

from __future__ import annotations

from asgid.config import codes
from asgid.config.rules.base import Rule


class WiderThanDeclared(
    Rule,
    code=codes.WIDER_THAN_DECLARED,
    severity="error",
    weaker=("warning",),
    title="a listener that is reachable from farther than its exposure says",
):
    """## What it does
    Compares `exposure` with the addresses that a listener has. `loopback` is 127.0.0.0/8, ::1 and unix
    sockets; `private` is RFC 1918, 100.64.0.0/10, fc00::/7 and link-local ones; all else, and every
    wildcard, is `public`. The addresses of an interface are known on the host only; with `required = false`
    what is found there is a warning.

    ## Why is this bad
    The file says who is meant to reach the listener, and others can.

    ## Example
    ```toml
    [listeners.admin]
    address = "0.0.0.0"
    port = 8000
    exposure = "private"
    ```

    ## Use instead
    ```toml
    [listeners.admin]
    address = "10.0.0.5"
    port = 8000
    exposure = "private"
    ```
    """


class ExposureUnknown(
    Rule, code=codes.EXPOSURE_UNKNOWN, severity="error", title="an exposure that cannot be checked"
):
    """## What it does
    Finds `exposure` beside a descriptor, a systemd socket, a host's name or the endpoint of a plugin.

    ## Why is this bad
    Who reaches those is decided elsewhere. A declaration that nobody checks gives false comfort.

    ## Example
    ```toml
    [listeners.activated]
    systemd = "http"
    exposure = "private"
    ```

    ## Use instead
    ```toml
    [listeners.activated]
    systemd = "http"
    ```
    """


class ForwardedWithoutTrusted(
    Rule,
    code=codes.FORWARDED_WITHOUT_TRUSTED,
    severity="error",
    title="forwarded headers asked for with nobody trusted",
):
    """## What it does
    Finds `forwarded` where `trusted` is empty or missing.

    ## Why is this bad
    Whoever may connect can write such headers, so that they are believed from proxies that are named and
    from nobody else. With none named they would never be.

    ## Example
    ```toml
    [proxy]
    forwarded = "x-forwarded"
    ```

    ## Use instead
    ```toml
    [proxy]
    forwarded = "x-forwarded"
    trusted = ["10.0.0.5"]
    ```
    """


class BadTrusted(
    Rule,
    code=codes.BAD_TRUSTED,
    severity="error",
    title="a trusted peer that is neither a network nor unix",
):
    """## What it does
    Finds what is neither an IPv4 or IPv6 network, nor a single address, nor `unix` (who connects to a unix
    socket), and an address with a zone: a peer's zone is not looked at.

    ## Why is this bad
    A host's name may come to mean another machine, whose word would be taken then.

    ## Example
    ```toml
    [proxy]
    trusted = ["proxy.example.org"]
    ```

    ## Use instead
    ```toml
    [proxy]
    trusted = ["10.0.0.5"]
    ```
    """


class ProtocolWithoutTrusted(
    Rule,
    code=codes.PROTOCOL_WITHOUT_TRUSTED,
    severity="error",
    title="the PROXY protocol on a listener where nobody who connects is trusted",
):
    """## What it does
    Finds listeners with the PROXY protocol where `trusted` is empty, lacks `unix` on a unix socket, or holds
    nothing else on an address.

    ## Why is this bad
    Every connection would be refused.

    ## Example
    ```toml
    [listeners.main]
    unix = "/run/mysite/http.sock"
    proxy = { protocol = "v2", trusted = ["10.0.0.5"] }
    ```

    ## Use instead
    ```toml
    [listeners.main]
    unix = "/run/mysite/http.sock"
    proxy = { protocol = "v2", trusted = ["unix"] }
    ```
    """


class ProtocolNotFirst(
    Rule,
    code=codes.PROTOCOL_NOT_FIRST,
    severity="error",
    title="the PROXY protocol on an endpoint that reads something else first",
):
    """## What it does
    Finds `protocol` on endpoint strings of the kinds `ssl:` and `haproxy:`.

    ## Why is this bad
    The header of the PROXY protocol is the first thing on a connection, before TLS, and there is one of it.

    ## Example
    ```toml
    [listeners.secure]
    endpoint = "ssl:8443:interface=127.0.0.1:privateKey=/etc/ssl/site.pem"
    proxy = { protocol = "v2", trusted = ["127.0.0.1"] }
    ```

    ## Use instead
    ```toml
    [listeners.plain]
    endpoint = "tcp:8080:interface=127.0.0.1"
    proxy = { protocol = "v2", trusted = ["127.0.0.1"] }
    ```
    """


class BadOrigin(Rule, code=codes.BAD_ORIGIN, severity="error", title="an origin that no page can have"):
    """## What it does
    Finds what is neither scheme, host and, where it is not the default, port, nor `self`: paths, wildcards,
    the WebSocket's own address (RFC 6454).

    ## Why is this bad
    A browser never sends such an origin, so that its page would never be let in.

    ## Example
    ```toml
    [websocket]
    origins = ["https://example.org/chat"]
    ```

    ## Use instead
    ```toml
    [websocket]
    origins = ["https://example.org"]
    ```
    """


class UndeclaredExposure(
    Rule,
    code=codes.UNDECLARED_EXPOSURE,
    severity="warning",
    title="a listener that anybody may reach and that does not say so",
):
    """## What it does
    Finds wildcards and public addresses on listeners without `exposure`, and says who can reach them.

    ## Why is this bad
    Most services that are found open on the internet were not meant to be. `exposure = "public"` says that
    this one is.

    ## Example
    ```toml
    [listeners.main]
    address = "0.0.0.0"
    port = 8000
    ```

    ## Use instead
    ```toml
    [listeners.main]
    address = "0.0.0.0"
    port = 8000
    exposure = "public"
    ```
    """


class TrustOfEveryone(Rule, code=codes.TRUST_OF_EVERYONE, severity="warning", title="trust of everyone"):
    """## What it does
    Finds 0.0.0.0/0 and ::/0 in `trusted`, and ::ffff:0:0/96, which is all of IPv4 as well.

    ## Why is this bad
    Any client can then write down an address of its choice, and the application, its rate limits and its logs
    believe it.

    ## Example
    ```toml
    [proxy]
    forwarded = "x-forwarded"
    trusted = ["0.0.0.0/0"]
    ```

    ## Use instead
    ```toml
    [proxy]
    forwarded = "x-forwarded"
    trusted = ["10.0.0.5"]
    ```
    """


class HostBits(Rule, code=codes.HOST_BITS, severity="warning", title="a network with bits beyond its mask"):
    """## What it does
    Finds networks in `trusted` whose address is not the network's first, such as 10.0.0.1/8. They are taken
    for the whole network.

    ## Why is this bad
    It looks like one host, and is a network.

    ## Example
    ```toml
    [proxy]
    trusted = ["10.0.0.1/8"]
    ```

    ## Use instead
    ```toml
    [proxy]
    trusted = ["10.0.0.0/8"]
    ```
    """


class ForwardedOnPublic(
    Rule,
    code=codes.FORWARDED_ON_PUBLIC,
    severity="warning",
    title="forwarded headers trusted on a public listener",
):
    """## What it does
    Finds listeners on a wildcard or a public address that believe forwarded headers of anybody but `unix`.

    ## Why is this bad
    A listener behind a proxy that the internet reaches as well can be reached past the proxy: without its
    access rules, and, from any host within a network that is trusted, in the name of any client.

    ## Example
    ```toml
    [listeners.main]
    address = "0.0.0.0"
    port = 8000
    exposure = "public"
    proxy = { forwarded = "x-forwarded", trusted = ["10.0.0.5"] }
    ```

    ## Use instead
    ```toml
    [listeners.main]
    address = "10.0.0.2"
    port = 8000
    exposure = "private"
    proxy = { forwarded = "x-forwarded", trusted = ["10.0.0.5"] }
    ```
    """


class SocketOpenToAll(
    Rule, code=codes.SOCKET_OPEN_TO_ALL, severity="warning", title="a unix socket open to all"
):
    """## What it does
    Finds modes of unix sockets that let others write, such as 0666, in `mode` and in endpoint strings; stock
    `unix:` has 0666 where it says none.

    ## Why is this bad
    Who may write to a unix socket may connect (unix(7)): every user and every service of the host.

    ## Example
    ```toml
    [listeners.proxy]
    unix = "/run/mysite/http.sock"
    mode = "0666"
    ```

    ## Use instead
    ```toml
    [listeners.proxy]
    unix = "/run/mysite/http.sock"
    mode = "0660"
    group = "www-data"
    ```
    """
