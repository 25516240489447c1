"""3xx: endpoint strings."""

from __future__ import annotations

from asgid.config import codes
from asgid.config.rules.base import Rule


class EndpointGrammar(
    Rule, code=codes.ENDPOINT_GRAMMAR, severity="error", title="an endpoint string that does not parse"
):
    r"""## What it does
    Finds strings that Twisted's grammar does not take: a backslash at the end, an `=` without a keyword
    before it, a control character.

    ## Why is this bad
    Twisted answers such a string with a traceback.

    ## Example
    ```toml
    [listeners.raw]
    endpoint = 'tcp:8000:interface=127.0.0.1\'
    ```

    ## Use instead
    ```toml
    [listeners.raw]
    endpoint = 'tcp:8000:interface=127.0.0.1'
    ```
    """


class EndpointKind(
    Rule, code=codes.ENDPOINT_KIND, severity="error", title="an endpoint string without a kind"
):
    """## What it does
    Finds endpoint strings that do not begin with a kind, such as a bare port, an address or a path.

    ## Why is this bad
    The kind says how the rest is read.

    ## Example
    ```toml
    [listeners.raw]
    endpoint = "127.0.0.1:8000"
    ```

    ## Use instead
    ```toml
    [listeners.raw]
    endpoint = "tcp:8000:interface=127.0.0.1"
    ```
    """


class EndpointKeyword(
    Rule,
    code=codes.ENDPOINT_KEYWORD,
    severity="error",
    title="an endpoint string with an argument too many, unknown or given twice",
):
    """## What it does
    Finds keywords that the kind does not have, arguments beyond those it takes, and arguments given twice.

    ## Why is this bad
    Twisted answers an unknown keyword with a traceback, and of one that is given twice it takes the last one
    without a word.

    ## Example
    ```toml
    [listeners.raw]
    endpoint = "tcp:8000:host=127.0.0.1"
    ```

    ## Use instead
    ```toml
    [listeners.raw]
    endpoint = "tcp:8000:interface=127.0.0.1"
    ```
    """


class EndpointMissing(
    Rule,
    code=codes.ENDPOINT_MISSING,
    severity="error",
    title="an endpoint string without an argument that must be there",
):
    """## What it does
    Finds endpoint strings without an argument that their kind cannot do without.

    ## Why is this bad
    Twisted answers such a string with a traceback.

    ## Example
    ```toml
    [listeners.raw]
    endpoint = "tcp:interface=127.0.0.1"
    ```

    ## Use instead
    ```toml
    [listeners.raw]
    endpoint = "tcp:8000:interface=127.0.0.1"
    ```
    """


class EndpointValue(
    Rule,
    code=codes.ENDPOINT_VALUE,
    severity="error",
    title="an endpoint string with an argument that is not accepted",
):
    """## What it does
    Finds arguments that cannot be opened: port 99999, a mode that is not octal, an address that is none.

    ## Why is this bad
    Twisted takes some of them when it reads the string, and fails when it opens it.

    ## Example
    ```toml
    [listeners.raw]
    endpoint = "tcp:99999:interface=127.0.0.1"
    ```

    ## Use instead
    ```toml
    [listeners.raw]
    endpoint = "tcp:9999:interface=127.0.0.1"
    ```
    """


class EndpointUnescaped(
    Rule,
    code=codes.ENDPOINT_UNESCAPED,
    severity="error",
    title="an endpoint string with an unescaped IPv6 address",
):
    r"""## What it does
    Finds IPv6 addresses whose colons are not escaped, and shows the whole string as it should read.

    ## Why is this bad
    Colons separate arguments, so that `interface=::1` is an empty interface and two arguments more. In a
    string in double quotes TOML wants each backslash twice; in single quotes once.

    ## Example
    ```toml
    [listeners.raw]
    endpoint = "tcp:8005:interface=::1"
    ```

    ## Use instead
    ```toml
    [listeners.raw]
    endpoint = 'tcp:8005:interface=\:\:1'
    ```
    """
