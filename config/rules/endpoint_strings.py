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
    Finds endpoint strings without an argument that their kind cannot do without, and points at the kind.

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


class EndpointUnknownKind(
    Rule,
    code=codes.ENDPOINT_UNKNOWN_KIND,
    severity="error",
    title="an endpoint string of a kind that is nearly another",
):
    """## What it does
    Finds kinds that are one or two letters from one that Twisted or asgid has, and names that one; of a kind
    of up to three letters one letter.

    ## Why is this bad
    No plugin is known to bring a kind of that name: it is a slip of the fingers.

    ## Example
    ```toml
    [listeners.raw]
    endpoint = "tpc:8000:interface=127.0.0.1"
    ```

    ## Use instead
    ```toml
    [listeners.raw]
    endpoint = "tcp:8000:interface=127.0.0.1"
    ```
    """


class EndpointForeignKind(
    Rule,
    code=codes.ENDPOINT_FOREIGN_KIND,
    severity="warning",
    title="an endpoint string of a kind that a plugin has to bring",
):
    """## What it does
    Finds kinds that neither Twisted nor asgid has.

    ## Why is this bad
    It works where a package with that plugin is installed, which this file cannot tell. `asgid lint --live`
    asks Twisted.

    ## Example
    ```toml
    [listeners.raw]
    endpoint = "onion:80:controlPort=9051"
    ```

    ## Use instead
    ```toml
    [listeners.raw]
    endpoint = "onion:80:controlPort=9051"  # asgid: ignore ASG308
    ```
    """


class EndpointDeprecated(
    Rule,
    code=codes.ENDPOINT_DEPRECATED,
    severity="warning",
    title="an endpoint string of a kind that has a better one in its place",
):
    """## What it does
    Finds `haproxy:` and `tcp6:`.

    ## Why is this bad
    `haproxy:` fails on a PROXY header that arrives in pieces, and takes it from anybody. `tcp6:` is as old as
    IPv6 in Twisted, and its wildcard takes IPv4 as well.

    ## Example
    ```toml
    [listeners.proxied]
    endpoint = "haproxy:tcp:8000:interface=127.0.0.1"
    ```

    ## Use instead
    ```toml
    [listeners.proxied]
    endpoint = "tcp:8000:interface=127.0.0.1"
    proxy = { protocol = "any", trusted = ["127.0.0.1"] }
    ```
    """


class EndpointBothFamilies(
    Rule,
    code=codes.ENDPOINT_BOTH_FAMILIES,
    severity="warning",
    title="an endpoint string whose IPv6 wildcard takes IPv4 as well",
):
    r"""## What it does
    Finds stock strings with the interface `::`, where no other listener has every IPv4 address on that port.

    ## Why is this bad
    It looks like IPv6 alone. Twisted never sets IPV6_V6ONLY, so that it is both, and asgid keeps to that.
    `address = "::"` is IPv6 alone.

    ## Example
    ```toml
    [listeners.raw]
    endpoint = 'tcp:8000:interface=\:\:'
    exposure = "public"
    ```

    ## Use instead
    ```toml
    [listeners.both]
    address = "*"
    port = 8000
    exposure = "public"
    ```
    """


class EndpointBackslash(
    Rule,
    code=codes.ENDPOINT_BACKSLASH,
    severity="warning",
    title="an endpoint string with a backslash that is dropped",
):
    r"""## What it does
    Finds backslashes before other characters than `:`, `=` and a backslash.

    ## Why is this bad
    They escape nothing, and Twisted drops them: a path with one is another path. A backslash that is meant is
    written twice.

    ## Example
    ```toml
    [listeners.raw]
    endpoint = 'unix:/run/my\site/http.sock:mode=660'
    ```

    ## Use instead
    ```toml
    [listeners.raw]
    endpoint = 'unix:/run/my\\site/http.sock:mode=660'
    ```
    """
