"""2xx: a unix socket's mode and owners, and the name of a socket that systemd passes."""

from __future__ import annotations

from asgid.config import codes
from asgid.config.rules.base import Rule


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
