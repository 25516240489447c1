"""From a configuration and a host to a plan: endpoint strings and frozen options for every listener."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from asgid.config import codes
from asgid.config.addresses import Reach, is_documentation, reach
from asgid.config.cautions import port_zero
from asgid.config.collisions import Entry, check_collisions
from asgid.config.diagnostics import Diagnostic, Severity
from asgid.config.endpoints import AsgidUnix, parse, view
from asgid.config.exposure import undeclared, wider
from asgid.config.resolve import absolute, address_endpoint, file_endpoints, kind_of, merged
from asgid.config.sockets import TcpClaim, claim, takes_ipv4_wildcard
from asgid.config.spec import (
    ApplicationSpec,
    DaemonSpec,
    EndpointSpec,
    Limits,
    ListenerSpec,
    LogSpec,
    Place,
    Plan,
    Proxy,
    Timeouts,
    WebSocketOptions,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from asgid.config import models
    from asgid.config.addresses import Address
    from asgid.config.document import Document
    from asgid.config.host import HostView
    from asgid.config.loading import Config
    from asgid.config.resolve import Resolved
    from asgid.config.scan import Key


def plan(config: Config, host: HostView) -> Plan:
    """Return what ``config`` comes to on ``host``. Opens nothing and changes nothing.

    What the host cannot do for one listener is among that listener's ``problems``: errors, or warnings
    where the listener is not required. The plan's own ``diagnostics`` are about everything else: the
    environment file, and what is served with less than was asked for (``*`` without IPv6).
    """
    return _Planner(config, host).plan()


class _Planner:
    def __init__(self, config: Config, host: HostView) -> None:
        self.document = config.document
        self.tables = config.tables
        self.host = host
        self.diagnostics: list[Diagnostic] = []

    def plan(self) -> Plan:
        application = self._application()
        listeners = [self._listener(name, each) for name, each in self.tables.listeners.items()]
        listeners = self._without_collisions(_with_ipv6_only(listeners))
        return Plan(
            application,
            tuple(listeners),
            _daemon(self.document, self.tables.daemon),
            _log(self.document, self.tables.log),
            tuple(self.diagnostics),
        )

    @cached_property
    def _interfaces(self) -> Mapping[str, tuple[Address, ...]]:
        return self.host.interfaces()

    @cached_property
    def _has_ipv6(self) -> bool:
        return self.host.has_ipv6()

    def _application(self) -> ApplicationSpec:
        table = self.tables.application
        base = self.document.directory
        variables: dict[str, str] = {}
        if table.environment_file is not None:
            variables = self._environment_file(Path(absolute(base, table.environment_file)))
        directory = Path(absolute(base, table.directory)) if table.directory else base
        return ApplicationSpec(
            target=table.target,
            place=self.document.place(("application", "target")),
            directory=None if self.document.is_command_line and not table.directory else directory,
            virtualenv=Path(absolute(base, table.virtualenv)) if table.virtualenv else None,
            factory=table.factory,
            lifespan=table.lifespan,
            environment={**variables, **table.environment},
            directory_place=self.document.place(("application", "directory")),
            virtualenv_place=self.document.place(("application", "virtualenv")),
        )

    def _environment_file(self, path: Path) -> dict[str, str]:
        from asgid.config import environment  # noqa: PLC0415 - not without such a file

        key: Key = ("application", "environment_file")
        try:
            text = self.host.read_bytes(path).decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            message = f"the environment file {path} cannot be read: {reason}"
            self.diagnostics.append(self.document.at_value(codes.ENVIRONMENT_FILE_UNREADABLE, key, message))
            return {}
        parsed = environment.parse(text)
        for problem in parsed.problems:
            place = Place(str(path), problem.line)
            message = f"{problem.message}; the line is not taken"
            self.diagnostics.append(
                Diagnostic(
                    codes.ENVIRONMENT_FILE_LINE, "warning", message, place, "application.environment_file"
                )
            )
        return parsed.variables

    def _listener(self, name: str, table: models.Listener) -> ListenerSpec:
        kind = kind_of(table)
        problems: list[Diagnostic] = []
        if kind == "interface":
            specs = self._interface(name, table, problems)
            missing = [] if specs else [_unresolved(table)]
        else:
            wanted = file_endpoints(self.document, name, table)
            specs = self._on_this_host(name, table, wanted, problems)
            kept = set(specs)
            lost = [claim(endpoint) for spec, endpoint in wanted if spec not in kept]
            missing = [f"{each} (no IPv6 on this host)" for each in lost]
        root_path = table.root_path if table.root_path is not None else self.tables.application.root_path
        return ListenerSpec(
            name=name,
            kind=kind,
            place=self.document.place(("listeners", name)),
            endpoints=specs,
            required=table.required,
            root_path=root_path,
            headers=tuple((key.lower().encode(), value.encode()) for key, value in table.headers.items()),
            limits=_limits(merged(self.tables.limits, table.limits)),
            timeouts=_timeouts(merged(self.tables.timeouts, table.timeouts)),
            websocket=_websocket(merged(self.tables.websocket, table.websocket)),
            proxy=_proxy(self.document, merged(self.tables.proxy, table.proxy)),
            problems=tuple(problems),
            missing=tuple(missing),
        )

    def _interface(
        self, name: str, table: models.Listener, problems: list[Diagnostic]
    ) -> tuple[EndpointSpec, ...]:
        key: Key = ("listeners", name, "interface")
        device = table.interface or ""
        known = self._interfaces
        if device not in known:
            advice = f"this host has {', '.join(sorted(known)) or 'none'}"
            problems.append(
                self._problem(table, codes.INTERFACE_ABSENT, key, f"there is no interface {device}", advice)
            )
            return ()
        version = {"ipv4": 4, "ipv6": 6}.get(table.family)
        addresses = [each for each in known[device] if version is None or each.version == version]
        if not addresses:
            what = {"ipv4": "IPv4 address", "ipv6": "IPv6 address"}.get(table.family, "address")
            message = f"the interface {device} has no {what}"
            problems.append(self._problem(table, codes.NO_SUCH_FAMILY, key, message))
        if table.exposure not in {None, "public"}:
            problems += self._too_wide(name, table, addresses)
        place = self.document.place(key)
        self.diagnostics += self._hardly_meant(key, place, table, addresses)
        bound = device if table.bind_to_device else ""
        return tuple(
            EndpointSpec(str(address_endpoint(table, str(each), bound)), place) for each in addresses
        )

    def _hardly_meant(
        self, key: Key, place: Place, table: models.Listener, addresses: list[Address]
    ) -> Iterator[Diagnostic]:
        """Yield of an interface what the file alone tells of addresses."""
        public = [each for each in addresses if reach(each) is Reach.PUBLIC and not is_documentation(each)]
        if table.exposure is None and public:
            yield undeclared(self.document, key, place, TcpClaim(public[0], table.port or 0))
        if table.port == 0 and len(addresses) > 1:
            yield port_zero(self.document, key[:2], len(addresses))

    def _too_wide(self, name: str, table: models.Listener, addresses: list[Address]) -> Iterator[Diagnostic]:
        declared = Reach[str(table.exposure).upper()]
        for each in addresses:
            if reach(each) > declared:
                found = wider(self.document, name, declared, reach(each), TcpClaim(each, table.port or 0))
                yield found._replace(severity=_severity(table))
                return

    def _on_this_host(
        self, name: str, table: models.Listener, wanted: tuple[Resolved, ...], problems: list[Diagnostic]
    ) -> tuple[EndpointSpec, ...]:
        """Return the endpoints without those that this host cannot have, and say why."""
        kept = []
        for spec, endpoint in wanted:
            claimed = claim(endpoint)
            if isinstance(claimed, TcpClaim) and claimed.address.version == 6 and not self._has_ipv6:
                self._no_ipv6(name, table, spec, claimed, problems)
                continue
            seen = view(endpoint)
            if isinstance(seen, AsgidUnix):
                problems += self._unknown_accounts(name, table, seen)
            kept.append(spec)
        return tuple(kept)

    def _no_ipv6(
        self,
        name: str,
        table: models.Listener,
        spec: EndpointSpec,
        claimed: TcpClaim,
        problems: list[Diagnostic],
    ) -> None:
        key: Key = ("listeners", name, kind_of(table))
        found = self.document.at_place(
            codes.NO_IPV6, key, spec.place, f"this host has no IPv6: {claimed} cannot be listened on"
        )
        if "*" in (table.address or ()) and claimed.address.is_unspecified:
            message = f"this host has no IPv6: listeners.{name} serves IPv4 alone"
            self.diagnostics.append(found._replace(severity="warning", message=message))
        else:
            problems.append(found._replace(severity=_severity(table)))

    def _unknown_accounts(self, name: str, table: models.Listener, seen: AsgidUnix) -> Iterator[Diagnostic]:
        if seen.owner and self.host.user(seen.owner) is None:
            key: Key = ("listeners", name, "owner" if table.owner else "endpoint")
            yield self._problem(table, codes.NO_SUCH_USER, key, f"this host has no user {seen.owner}")
        if seen.group and self.host.group(seen.group) is None:
            key = ("listeners", name, "group" if table.group else "endpoint")
            yield self._problem(table, codes.NO_SUCH_GROUP, key, f"this host has no group {seen.group}")

    def _problem(
        self, table: models.Listener, code: str, key: Key, message: str, advice: str = ""
    ) -> Diagnostic:
        said = f"listener {key[1]}: {message}"
        return self.document.at_value(code, key, said, advice, severity=_severity(table))

    def _without_collisions(self, listeners: list[ListenerSpec]) -> list[ListenerSpec]:
        """Add what only shows with the interfaces' addresses: two listeners on the same address and port."""
        if not any(each.kind == "interface" for each in listeners):
            return listeners
        found: dict[str, list[Diagnostic]] = {}
        for one in check_collisions(self.document, _taken(listeners)):
            found.setdefault(one.key.split(".")[1], []).append(one)
        tables = self.tables.listeners
        return [
            each._replace(
                problems=each.problems
                + tuple(
                    one._replace(severity=_severity(tables[each.name])) for one in found.get(each.name, ())
                ),
            )
            for each in listeners
        ]


def _taken(listeners: list[ListenerSpec]) -> list[Entry]:
    """Return what each endpoint of the plan takes."""
    return [Entry(each.name, spec, claim(parse(spec.text))) for each in listeners for spec in each.endpoints]


def _unresolved(table: models.Listener) -> str:
    """Say what of an interface could not be resolved, so that two that differ say different things."""
    family = "" if table.family == "dual" else f"{table.family} of "
    bound = ", packets of it alone" if table.bind_to_device else ""
    return f"{family}interface {table.interface} port {table.port}{bound} (not on this host)"


def _severity(table: models.Listener) -> Severity:
    return "error" if table.required else "warning"


def _with_ipv6_only(listeners: list[ListenerSpec]) -> list[ListenerSpec]:
    """Mark the stock strings with an IPv6 wildcard beside an IPv4 wildcard on their port."""
    wildcards = {each.port for _, _, each in _taken(listeners) if takes_ipv4_wildcard(each)}

    def marked(spec: EndpointSpec) -> EndpointSpec:
        mine = claim(parse(spec.text))
        if not isinstance(mine, TcpClaim) or not mine.dual or mine.port == 0:
            return spec
        return spec._replace(ipv6_only=mine.port in wildcards)

    return [each._replace(endpoints=tuple(marked(spec) for spec in each.endpoints)) for each in listeners]


def _limits(table: models.Limits) -> Limits:
    return Limits(
        connections=table.connections,
        request_line_bytes=table.request_line,
        header_bytes=table.header_size,
        header_count=table.header_count,
        body_bytes=table.body_size,
        concurrency=table.concurrency,
    )


def _timeouts(table: models.Timeouts) -> Timeouts:
    return Timeouts(
        request_head_s=table.request_head,
        request_body_s=table.request_body,
        keep_alive_s=table.keep_alive,
        response_write_s=table.response_write,
        application_s=table.application,
        application_close_s=table.application_close,
        tls_handshake_s=table.tls_handshake,
        drain_s=table.drain,
    )


def _websocket(table: models.WebSocket) -> WebSocketOptions:
    return WebSocketOptions(
        origins=table.origins or (),
        message_bytes=table.message_size,
        frame_bytes=table.frame_size,
        queue=table.queue,
        ping_interval_s=table.ping_interval,
        ping_timeout_s=table.ping_timeout,
        connect_s=table.connect_timeout,
        lifetime_s=table.lifetime,
        compression=table.compression,
        compression_threshold_bytes=table.compression_threshold,
    )


def _proxy(document: Document, table: models.Proxy) -> Proxy:
    return Proxy(
        protocol=table.protocol,
        trusted=table.trusted,
        forwarded=table.forwarded,
        host_header=table.host_header.lower().encode(),
        port_header=table.port_header.lower().encode(),
        rewrites=not document.is_command_line,
    )


def _daemon(document: Document, table: models.Daemon) -> DaemonSpec:
    return DaemonSpec(
        workers=1,
        umask=table.umask,
        pid_file=Path(absolute(document.directory, table.pid_file)) if table.pid_file else None,
        server_header=table.server_header.encode(),
        date_header=table.date_header,
        pid_file_place=document.place(("daemon", "pid_file")),
    )


def _log(document: Document, table: models.Log) -> LogSpec:
    access = table.access
    return LogSpec(
        level=table.level,
        format=table.format,
        pattern=table.pattern,
        access=access if access in {"", "-"} else absolute(document.directory, access),
        access_format=table.access_format,
        access_place=document.place(("log", "access")),
    )
