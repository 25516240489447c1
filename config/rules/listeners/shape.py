"""2xx: what a listener has to say, and what beside it it may not."""

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
