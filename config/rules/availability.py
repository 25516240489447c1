"""6xx: what the language has and this version does not do yet."""

from __future__ import annotations

from asgid.config import codes
from asgid.config.rules.base import Rule


class NotAvailable(Rule, code=codes.NOT_AVAILABLE, severity="error", title="a key that is not available yet"):
    """## What it does
    Finds keys whose behaviour this version does not have, where they have another value than their default,
    also one that they would not take either.

    ## Why is this bad
    They would be accepted and ignored.

    ## Example
    ```toml
    [listeners.main]
    address = "127.0.0.1"
    port = 8000
    http2 = true
    ```

    ## Use instead
    ```toml
    [listeners.main]
    address = "127.0.0.1"
    port = 8000
    ```
    """
