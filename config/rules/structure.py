"""1xx: keys and values, each by itself."""

from __future__ import annotations

from asgid.config import codes
from asgid.config.rules.base import Rule


class UnknownKey(Rule, code=codes.UNKNOWN_KEY, severity="error", title="a key that does not exist"):
    """## What it does
    Finds keys and tables that the language does not have, and names the one that was probably meant, or the
    table that the key belongs to.

    ## Why is this bad
    A key that nobody reads is a setting that somebody believes in.

    ## Example
    ```toml
    [listeners.main]
    adress = "127.0.0.1"
    port = 8000
    ```

    ## Use instead
    ```toml
    [listeners.main]
    address = "127.0.0.1"
    port = 8000
    ```
    """


class WrongType(Rule, code=codes.WRONG_TYPE, severity="error", title="a value of the wrong type"):
    """## What it does
    Finds values of another type than their key takes. No string stands for a number, and no number for true
    or false.

    ## Why is this bad
    What a value of another type should come to would be a guess.

    ## Example
    ```toml
    [websocket]
    queue = "32"
    ```

    ## Use instead
    ```toml
    [websocket]
    queue = 32
    ```
    """


class BadValue(Rule, code=codes.BAD_VALUE, severity="error", title="a value that is not accepted"):
    """## What it does
    Finds values of the right type that the key does not take: a word that is none of those it knows, a number
    out of its range, an empty list.

    ## Why is this bad
    There is nothing that such a value could mean.

    ## Example
    ```toml
    [log]
    level = "warn"
    ```

    ## Use instead
    ```toml
    [log]
    level = "warning"
    ```
    """


class MissingKey(Rule, code=codes.MISSING_KEY, severity="error", title="a key that must be there"):
    """## What it does
    Finds tables without a key that has no default. It points at the table's header, or at the beginning
    of the file where the table is missing, too.

    ## Why is this bad
    The table says nothing without that key.

    ## Example
    ```toml
    [listeners.main]
    address = "127.0.0.1"
    port = 8443

    [[listeners.main.tls.certificates]]
    certificate = "/etc/ssl/site.pem"
    ```

    ## Use instead
    ```toml
    [listeners.main]
    address = "127.0.0.1"
    port = 8443

    [[listeners.main.tls.certificates]]
    certificate = "/etc/ssl/site.pem"
    key = "/etc/ssl/site.key"
    ```
    """


class BadDuration(Rule, code=codes.BAD_DURATION, severity="error", title="a duration that is none"):
    """## What it does
    Finds durations without a unit, with one that is not known, or out of range. The units are ms, s, m, h and
    d; a number without quotes is seconds.

    ## Why is this bad
    "5" is five seconds to one reader and five minutes to the next.

    ## Example
    ```toml
    [timeouts]
    keep_alive = "5 min"
    ```

    ## Use instead
    ```toml
    [timeouts]
    keep_alive = "5m"
    ```
    """


class BadSize(Rule, code=codes.BAD_SIZE, severity="error", title="a size that is none"):
    """## What it does
    Finds sizes without a unit, with one that is not known, or out of range. The units are B, kB, MB, GB, TB
    (powers of 1000) and KiB, MiB, GiB, TiB (powers of 1024); a number without quotes is bytes.

    ## Why is this bad
    "64k" is one size to one reader and another to the next.

    ## Example
    ```toml
    [limits]
    body_size = "64k"
    ```

    ## Use instead
    ```toml
    [limits]
    body_size = "64KiB"
    ```
    """


class BadHeader(Rule, code=codes.BAD_HEADER, severity="error", title="a header that cannot be sent"):
    """## What it does
    Finds header names that are no token, values with control characters or beyond ASCII, a header given
    twice, and headers that only the server itself can send rightly, such as content-length (RFC 9110 5).

    ## Why is this bad
    Such a header would break every response that it is added to.

    ## Example
    ```toml
    [listeners.main]
    address = "127.0.0.1"
    port = 8000
    headers = { content-length = "100" }
    ```

    ## Use instead
    ```toml
    [listeners.main]
    address = "127.0.0.1"
    port = 8000
    headers = { x-frame-options = "DENY" }
    ```
    """


class BadPath(Rule, code=codes.BAD_PATH, severity="error", title="a path that cannot be one"):
    """## What it does
    Finds paths that are empty or hold a NUL, and paths of unix sockets that hold control characters or that,
    with the file's own directory before them, are longer than the 107 bytes that the kernel takes (unix(7)).

    ## Why is this bad
    No system call takes such a path.

    ## Example
    ```toml
    [listeners.main]
    unix = ""
    ```

    ## Use instead
    ```toml
    [listeners.main]
    unix = "/run/mysite/http.sock"
    ```
    """


class Repeated(Rule, code=codes.REPEATED, severity="error", title="the same thing twice in a list"):
    """## What it does
    Finds an address, an endpoint string, a trusted network, an origin or a code that is in its list twice,
    also where it is spelled in two ways.

    ## Why is this bad
    One of them was meant to be something else, or is left over.

    ## Example
    ```toml
    [listeners.main]
    address = ["::1", "0:0:0:0:0:0:0:1"]
    port = 8000
    ```

    ## Use instead
    ```toml
    [listeners.main]
    address = ["::1", "127.0.0.1"]
    port = 8000
    ```
    """


class UnknownCode(
    Rule, code=codes.UNKNOWN_CODE, severity="error", title="a code to ignore that does not exist"
):
    """## What it does
    Finds codes in `lint.ignore` that no rule has.

    ## Why is this bad
    Nothing is ignored by it, and whoever wrote it believes that something is.

    ## Example
    ```toml
    [lint]
    ignore = ["ASG999"]
    ```

    ## Use instead
    ```toml
    [lint]
    ignore = ["ASG508"]
    ```
    """


class UnknownCodeInComment(
    Rule,
    code=codes.UNKNOWN_CODE_IN_COMMENT,
    severity="warning",
    title="a comment that ignores a code that does not exist",
):
    """## What it does
    Finds comments `# asgid: ignore` with a code that no rule has, or with none.

    ## Why is this bad
    Nothing is ignored by it, and whoever wrote it believes that something is. It is a warning, for a comment
    never keeps a service from starting.

    ## Example
    ```toml
    [listeners.main]
    address = "127.0.0.1"  # asgid: ignore ASG999
    port = 8000
    ```

    ## Use instead
    ```toml
    [listeners.main]
    address = "0.0.0.0"  # asgid: ignore ASG508
    port = 8000
    ```
    """


class ErrorIgnored(
    Rule, code=codes.ERROR_IGNORED, severity="warning", title="an error that is asked to be ignored"
):
    """## What it does
    Finds codes of rules that find errors alone, in `lint.ignore` and in comments `# asgid: ignore`.

    ## Why is this bad
    An error stays one, whoever ignores it: what it is about cannot serve, or contradicts what the file
    declares. Warnings and infos can be ignored.

    ## Example
    ```toml
    [lint]
    ignore = ["ASG101"]
    ```

    ## Use instead
    ```toml
    [lint]
    ignore = []
    ```
    """
