"""8xx: the application's environment file, and its import."""

from __future__ import annotations

from asgid.config import codes
from asgid.config.rules.base import Rule


class EnvironmentFileUnreadable(
    Rule,
    code=codes.ENVIRONMENT_FILE_UNREADABLE,
    severity="error",
    title="an environment file that cannot be read",
):
    """## What it does
    Finds an `environment_file` that is not there, that whoever runs asgid may not read, or that is not UTF-8.

    ## Why is this bad
    The application would start without its settings.

    ## Example
    ```toml
    [application]
    target = "mysite.asgi:application"
    environment_file = "/etc/default/mysite"
    ```
    where there is no such file.

    ## Use instead
    Make the file, or leave the key out.
    """


class EnvironmentFileLine(
    Rule,
    code=codes.ENVIRONMENT_FILE_LINE,
    severity="warning",
    title="a line of an environment file that is not taken",
):
    """## What it does
    Finds lines of an `environment_file` that systemd's grammar does not take (systemd.exec(5),
    EnvironmentFile=), and leaves them out, as systemd does.

    ## Why is this bad
    The variable is not set, and nobody is told but here.

    ## Example
    ```sh
    export DEBUG=1
    ```

    ## Use instead
    ```sh
    DEBUG=1
    ```
    """


class ImportTooLong(
    Rule,
    code=codes.IMPORT_TOO_LONG,
    severity="warning",
    title="an application whose import does not end",
):
    """## What it does
    With `--live` the application is imported in a process of its own, for 30 seconds at most.

    ## Why is this bad
    The start waits for the import, however long it takes, and nothing is served before.

    ## Example
    A module that waits for a database while it is imported.

    ## Use instead
    Wait in the lifespan's start-up, or where it is first needed.
    """
