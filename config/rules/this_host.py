"""8xx: what this host cannot do now; `asgid lint --live` and the start find them."""

from __future__ import annotations

from asgid.config import codes
from asgid.config.rules.base import Rule


class AddressAbsent(
    Rule,
    code=codes.ADDRESS_ABSENT,
    severity="error",
    weaker=("warning",),
    title="an address that this host does not have",
):
    """## What it does
    Finds addresses that no interface of this host has now. With `required = false` it is a warning, and with
    `freebind = true`, which binds such an address all the same.

    ## Why is this bad
    The kernel refuses to bind it (EADDRNOTAVAIL), and the listener does not start.

    ## Example
    ```toml
    [listeners.office]
    address = "192.168.1.10"
    port = 8000
    ```
    on a host whose address is 192.168.1.11.

    ## Use instead
    ```toml
    [listeners.office]
    address = "192.168.1.11"
    port = 8000
    ```
    """


class InterfaceAbsent(
    Rule,
    code=codes.INTERFACE_ABSENT,
    severity="error",
    weaker=("warning",),
    title="an interface that this host does not have",
):
    """## What it does
    Finds interfaces that are not there, and names those that are. With `required = false` it is a warning.

    ## Why is this bad
    There is no address to listen on.

    ## Example
    ```toml
    [listeners.office]
    interface = "eth7"
    port = 8000
    exposure = "private"
    ```
    on a host that has lo and eth0.

    ## Use instead
    ```toml
    [listeners.office]
    interface = "eth0"
    port = 8000
    exposure = "private"
    ```
    """


class NoSuchFamily(
    Rule,
    code=codes.NO_SUCH_FAMILY,
    severity="error",
    weaker=("warning",),
    title="an interface without an address of the family asked for",
):
    """## What it does
    Finds interfaces that have no address, or none of the `family`. With `required = false` it is a warning.

    ## Why is this bad
    There is no address to listen on.

    ## Example
    ```toml
    [listeners.office]
    interface = "eth1"
    family = "ipv6"
    port = 8000
    exposure = "private"
    ```
    on a host whose eth1 has 10.0.0.5 alone.

    ## Use instead
    ```toml
    [listeners.office]
    interface = "eth1"
    family = "ipv4"
    port = 8000
    exposure = "private"
    ```
    """


class PortHeld(
    Rule, code=codes.PORT_HELD, severity="error", weaker=("warning",), title="a port that is held"
):
    """## What it does
    Finds ports that another process listens on, and names it where that can be known. A wildcard address
    holds the port of every address of its family, and `::` that of IPv4 too where its process left
    IPV6_V6ONLY off. What this very service holds, which runs from the same file already, is no finding of
    `asgid lint --live`. With `required = false` it is a warning.

    ## Why is this bad
    The kernel refuses to bind it (EADDRINUSE), and the listener does not start.

    ## Example
    Two services on one host that both listen on 127.0.0.1 port 8000.

    ## Use instead
    Another port for one of them, or stop the one that is in the way.
    """


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


class DescriptorUnusable(
    Rule,
    code=codes.DESCRIPTOR_UNUSABLE,
    severity="error",
    weaker=("warning",),
    title="a descriptor that is not a listening socket",
):
    """## What it does
    Finds inherited descriptors that are not open, are no socket, or are one that cannot be listened on.

    ## Why is this bad
    There is nothing to accept connections from.

    ## Example
    ```toml
    [listeners.inherited]
    fd = 3
    ```
    started from a shell, which passes no descriptor 3.

    ## Use instead
    `systemd-socket-activate -l 8000 asgid --config listeners.toml`, or a socket unit.
    """


class SystemdNameAbsent(
    Rule,
    code=codes.SYSTEMD_NAME_ABSENT,
    severity="error",
    weaker=("warning", "info"),
    title="a systemd socket that was not passed",
):
    """## What it does
    Finds names under which systemd passed no socket (LISTEN_FDNAMES, sd_listen_fds(3)), and says which ones
    it did pass. `asgid lint --live` by hand, where systemd has passed none at all, only mentions it.

    ## Why is this bad
    There is nothing to accept connections from.

    ## Example
    ```toml
    [listeners.activated]
    systemd = "http"
    ```
    beside a socket unit without `FileDescriptorName=`, whose sockets have the unit's own name.

    ## Use instead
    `FileDescriptorName=http` in the socket unit.
    """


class PortPrivileged(
    Rule,
    code=codes.PORT_PRIVILEGED,
    severity="error",
    weaker=("warning",),
    title="a port that needs a privilege",
):
    """## What it does
    Finds ports below net.ipv4.ip_unprivileged_port_start (1024) where the process has no
    CAP_NET_BIND_SERVICE.

    ## Why is this bad
    The kernel refuses to bind it (EACCES).

    ## Example
    ```toml
    [listeners.public]
    address = "0.0.0.0"
    port = 80
    exposure = "public"
    ```
    run by an ordinary user.

    ## Use instead
    `AmbientCapabilities=CAP_NET_BIND_SERVICE` in the systemd unit, a socket unit, or a port from 1024 on.
    """


class NoIpv6(Rule, code=codes.NO_IPV6, severity="error", weaker=("warning",), title="no IPv6 on this host"):
    """## What it does
    Finds IPv6 addresses on a host whose kernel has no IPv6. With `required = false` it is a warning, and for
    `*`, which is IPv4 alone then.

    ## Why is this bad
    No IPv6 socket can be made there.

    ## Example
    ```toml
    [listeners.main]
    address = "::1"
    port = 8000
    ```
    on a host started with `ipv6.disable=1`.

    ## Use instead
    ```toml
    [listeners.main]
    address = "127.0.0.1"
    port = 8000
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


class EndpointRefusedHere(
    Rule,
    code=codes.ENDPOINT_REFUSED_HERE,
    severity="error",
    weaker=("warning",),
    title="an endpoint string that Twisted refuses",
):
    """## What it does
    Finds endpoint strings that Twisted, or the plugin that brings their kind, does not take on this host: no
    plugin for the kind, a certificate that is not there.

    ## Why is this bad
    The listener does not start.

    ## Example
    ```toml
    [listeners.secure]
    endpoint = "ssl:8443:interface=127.0.0.1:privateKey=/etc/ssl/absent.pem"
    ```

    ## Use instead
    Put the certificate there, or install the plugin into the environment that asgid runs in.
    """


class OpenFilesLow(
    Rule, code=codes.OPEN_FILES_LOW, severity="warning", title="the limit of open files is too low"
):
    """## What it does
    Compares the limit of open files (RLIMIT_NOFILE, which asgid raises to the hard one) with
    `limits.connections` of each listener.

    ## Why is this bad
    Before the limit that the file sets is reached no connection can be accepted any more.

    ## Example
    ```toml
    [limits]
    connections = 200000
    ```
    with a hard limit of 65536.

    ## Use instead
    `LimitNOFILE=` in the systemd unit, or fewer connections.
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


class BacklogCut(Rule, code=codes.BACKLOG_CUT, severity="warning", title="a backlog that the kernel cuts"):
    """## What it does
    Finds a `backlog` in the file above net.core.somaxconn, which the kernel cuts it to (listen(2)).

    ## Why is this bad
    In a burst clients are turned away earlier than the file says.

    ## Example
    ```toml
    [listeners.main]
    address = "127.0.0.1"
    port = 8000
    backlog = 65535
    ```
    where net.core.somaxconn is 4096, as it comes.

    ## Use instead
    `sysctl -w net.core.somaxconn=65535`, or a smaller backlog.
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
