"""4xx: the application."""

from __future__ import annotations

from asgid.config import codes
from asgid.config.rules.base import Rule


class NoTarget(Rule, code=codes.NO_TARGET, severity="error", title="no application"):
    """## What it does
    Finds files that do not say what is served.

    ## Why is this bad
    Listeners without an application have nothing to answer with.

    ## Example
    ```toml
    [listeners.main]
    address = "127.0.0.1"
    port = 8000
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


class BadTarget(Rule, code=codes.BAD_TARGET, severity="error", title="an application's target that is none"):
    """## What it does
    Finds targets that are not `module:attribute`, with dots allowed on both sides: paths of files, modules
    without an attribute.

    ## Why is this bad
    It is imported as a module. Whether that works, `asgid lint --live` and the start tell.

    ## Example
    ```toml
    [application]
    target = "mysite/asgi.py"
    ```

    ## Use instead
    ```toml
    [application]
    target = "mysite.asgi:application"
    ```
    """


class BadEnvironment(
    Rule,
    code=codes.BAD_ENVIRONMENT,
    severity="error",
    title="an environment variable that cannot be one",
):
    """## What it does
    Finds names of variables that are empty or hold an `=`, and names and values with a NUL (environ(7)).

    ## Why is this bad
    No process can have such a variable.

    ## Example
    ```toml
    [application]
    target = "mysite.asgi:application"
    environment = { "DEBUG=1" = "" }
    ```

    ## Use instead
    ```toml
    [application]
    target = "mysite.asgi:application"
    environment = { DEBUG = "1" }
    ```
    """


class NoDirectory(
    Rule,
    code=codes.NO_DIRECTORY,
    severity="warning",
    title="an application's directory that is not there",
):
    """## What it does
    Finds an `application.directory` that is not there, or is none. It is all that a lint asks of the host
    without `--live`.

    ## Why is this bad
    The application is imported from there, so that the start will fail. It is a warning, for the file may be
    meant for another host.

    ## Example
    ```toml
    [application]
    target = "mysite.asgi:application"
    directory = "/srv/my-site-that-is-not-there"
    ```

    ## Use instead
    ```toml
    [application]
    target = "mysite.asgi:application"
    directory = "/"
    ```
    """
