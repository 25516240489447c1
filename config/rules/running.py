"""9xx: what fails at the start and while running."""

from __future__ import annotations

from asgid.config import codes
from asgid.config.rules.base import Rule


class ApplicationNotImported(
    Rule,
    code=codes.APPLICATION_NOT_IMPORTED,
    severity="error",
    title="an application that cannot be imported",
):
    """## What it does
    Says why the target could not be imported: the module is not there, it has no such attribute, it raised,
    or what came of it cannot be called.

    ## Why is this bad
    There is nothing to serve.

    ## Example
    ```toml
    [application]
    target = "mysite.asgi:aplication"
    ```

    ## Use instead
    ```toml
    [application]
    target = "mysite.asgi:application"
    directory = "/srv/mysite"
    virtualenv = "/srv/mysite/.venv"
    ```
    """


class LifespanFailed(
    Rule, code=codes.LIFESPAN_FAILED, severity="error", title="an application that did not start"
):
    """## What it does
    Says what the application answered to `lifespan.startup`, or how it failed there.

    ## Why is this bad
    The application says itself that it cannot serve.

    ## Example
    A start-up handler that connects to a database which is not there.

    ## Use instead
    Put right what it says. `lifespan = "off"` is for applications that know nothing of it.
    """


class ListenerFailed(
    Rule,
    code=codes.LISTENER_FAILED,
    severity="error",
    weaker=("warning",),
    title="a listener that did not open",
):
    """## What it does
    Says with what error a listener could not be opened, where it is none of those that have a code of their
    own.

    ## Why is this bad
    Nobody reaches the application there. With `required = false` the other listeners serve all the same.

    ## Example
    A socket unit or a sandbox that forbids the address family.

    ## Use instead
    Put right what the system says.
    """


class NothingServes(Rule, code=codes.NOTHING_SERVES, severity="error", title="no listener that serves"):
    """## What it does
    Finds that of all listeners, none of them required, not one could be opened.

    ## Why is this bad
    The process would run and nobody could reach it.

    ## Example
    Every listener has `required = false`, and the only interface is down.

    ## Use instead
    `required = true`, which is the default, for the listener that the service is there for.
    """


class VirtualenvUnusable(
    Rule,
    code=codes.VIRTUALENV_UNUSABLE,
    severity="error",
    title="a virtual environment that cannot be used",
):
    """## What it does
    Finds a `virtualenv` that is not there, is none, or has a Python that asgid does not run on.

    ## Why is this bad
    The application's packages are in there.

    ## Example
    ```toml
    [application]
    target = "mysite.asgi:application"
    virtualenv = "/srv/mysite"
    ```

    ## Use instead
    ```toml
    [application]
    target = "mysite.asgi:application"
    virtualenv = "/srv/mysite/.venv"
    ```
    """


class DependencyTooOld(
    Rule,
    code=codes.DEPENDENCY_TOO_OLD,
    severity="error",
    title="a package of the application's that is too old",
):
    """## What it does
    Finds packages in the application's virtual environment that are older than asgid, or what it needs,
    can run with, and names both versions.

    ## Why is this bad
    In one process there is one version of each package, and the application's own one wins.

    ## Example
    A virtual environment with pydantic 2.5.

    ## Use instead
    `pip install --upgrade pydantic` in that environment.
    """


class PidFile(Rule, code=codes.PID_FILE, severity="error", title="a pid file that cannot be written"):
    """## What it does
    Says why `pid_file` could not be written.

    ## Why is this bad
    What watches the service by that file would watch nothing, or another process.

    ## Example
    ```toml
    [daemon]
    pid_file = "/run/asgid.pid"
    ```
    run by an ordinary user, who may not write into /run.

    ## Use instead
    ```toml
    [daemon]
    pid_file = "/run/asgid/asgid.pid"
    ```
    with `RuntimeDirectory=asgid` in the systemd unit.
    """


class LogFile(Rule, code=codes.LOG_FILE, severity="error", title="a log file that cannot be written"):
    """## What it does
    Says why the file of `log.access` could not be opened.

    ## Why is this bad
    Requests would be served without a trace.

    ## Example
    ```toml
    [log]
    access = "/var/log/mysite/access.log"
    ```
    where there is no /var/log/mysite.

    ## Use instead
    `LogsDirectory=mysite` in the systemd unit, or `access = "-"` for standard output.
    """


class ApplicationDirectory(
    Rule,
    code=codes.APPLICATION_DIRECTORY,
    severity="error",
    title="an application's directory that cannot be entered",
):
    """## What it does
    Finds an `application.directory` that is not there, or that whoever runs asgid may not enter.

    ## Why is this bad
    The application is imported from there.

    ## Example
    ```toml
    [application]
    target = "mysite.asgi:application"
    directory = "/srv/my-site"
    ```

    ## Use instead
    ```toml
    [application]
    target = "mysite.asgi:application"
    directory = "/srv/mysite"
    ```
    """
