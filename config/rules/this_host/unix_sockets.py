"""8xx: the paths of unix sockets, and whom these can be given to."""

from __future__ import annotations

from asgid.config import codes
from asgid.config.rules.base import Rule


class PathNotCreatable(
    Rule,
    code=codes.PATH_NOT_CREATABLE,
    severity="error",
    weaker=("warning",),
    title="a unix socket that cannot be made",
):
    """## What it does
    Finds unix sockets whose directory is not there, or that whoever runs asgid may not write into.

    ## Why is this bad
    The socket cannot be made, and the listener does not start.

    ## Example
    ```toml
    [listeners.proxy]
    unix = "/run/mysite/http.sock"
    ```
    where nobody makes /run/mysite.

    ## Use instead
    `RuntimeDirectory=mysite` in the systemd unit makes it, owned by the service's user.
    """


class PathServed(
    Rule,
    code=codes.PATH_SERVED,
    severity="error",
    weaker=("warning",),
    title="a unix socket that another process serves",
):
    """## What it does
    Finds unix sockets that somebody else serves. A stale socket, which nobody serves, is replaced. What this
    very service holds, which runs from the same file already, is no finding of `asgid lint --live`.

    ## Why is this bad
    To take the path would cut another service off from its clients.

    ## Example
    Two services whose listeners have the same path.

    ## Use instead
    A path for each, or stop the one that is in the way.
    """


class PathNotASocket(
    Rule,
    code=codes.PATH_NOT_A_SOCKET,
    severity="error",
    weaker=("warning",),
    title="a unix socket's path where something else is",
):
    """## What it does
    Finds paths of unix sockets at which there is a file or a directory.

    ## Why is this bad
    A stale socket is replaced without asking; somebody's file must not be.

    ## Example
    ```toml
    [listeners.proxy]
    unix = "/etc/hosts"
    ```

    ## Use instead
    ```toml
    [listeners.proxy]
    unix = "/run/mysite/http.sock"
    ```
    """


class NoSuchUser(
    Rule,
    code=codes.NO_SUCH_USER,
    severity="error",
    weaker=("warning",),
    title="a user that this host does not have",
):
    """## What it does
    Finds owners of unix sockets that this host does not know. With `required = false` it is a warning.

    ## Why is this bad
    The socket cannot be given to nobody.

    ## Example
    ```toml
    [listeners.proxy]
    unix = "/run/mysite/http.sock"
    owner = "nginx"
    ```
    on a host whose web server runs as www-data.

    ## Use instead
    ```toml
    [listeners.proxy]
    unix = "/run/mysite/http.sock"
    owner = "www-data"
    ```
    """


class NoSuchGroup(
    Rule,
    code=codes.NO_SUCH_GROUP,
    severity="error",
    weaker=("warning",),
    title="a group that this host does not have",
):
    """## What it does
    Finds groups of unix sockets that this host does not know. With `required = false` it is a warning.

    ## Why is this bad
    The socket cannot be given to nobody.

    ## Example
    ```toml
    [listeners.proxy]
    unix = "/run/mysite/http.sock"
    group = "nginx"
    ```
    on a host whose web server runs as www-data.

    ## Use instead
    ```toml
    [listeners.proxy]
    unix = "/run/mysite/http.sock"
    group = "www-data"
    ```
    """


class PathStale(
    Rule, code=codes.PATH_STALE, severity="info", title="a unix socket that nobody serves any more"
):
    """## What it does
    Finds unix sockets that a process which has gone, killed perhaps, left at a listener's path. Whether
    somebody still serves it the kernel's list of sockets tells; nobody is connected to.

    ## Why is this bad
    It is not: the start replaces it. It may be worth a question who left it there.

    ## Example
    ```toml
    [listeners.proxy]
    unix = "/run/mysite/http.sock"
    ```
    after the server was killed.

    ## Use instead
    `RuntimeDirectory=mysite` in the systemd unit, which is emptied whenever the service stops.
    """


class OwnerNotSettable(
    Rule,
    code=codes.OWNER_NOT_SETTABLE,
    severity="error",
    weaker=("warning",),
    title="a unix socket that cannot be given to its owner or group",
):
    """## What it does
    Finds owners and groups that whoever runs asgid may not give a file to: without CAP_CHOWN that is every
    other user, and every group that the process is not in (chown(2)).

    ## Why is this bad
    The socket would not have the owner that the file asks for, and the listener does not start.

    ## Example
    ```toml
    [listeners.proxy]
    unix = "/run/mysite/http.sock"
    group = "www-data"
    ```
    run by a user who is not in www-data.

    ## Use instead
    `SupplementaryGroups=www-data` in the systemd unit.
    """
