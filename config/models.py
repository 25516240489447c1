"""The configuration language as pydantic models: what may be written, and what each key is when it is not.

Every key of the language is here. One whose behaviour is not there yet has :func:`not_yet`, and any value
but its default is refused: nothing is accepted and ignored. The models are strict: no string stands for a
number and no number for a boolean. What spans several keys is in :mod:`asgid.config.shape` and
:mod:`asgid.config.checks`.
"""

from typing import Annotated, Literal

from asgid.config import codes, fields, origins, quantities
from asgid.config.plugins import without_plugins
from asgid.config.postponing import put_off
from asgid.config.quantities import RefusedError

with put_off("secrets"):  # only to compare them: a hundredth of a start
    from pydantic import (
        AfterValidator,
        BaseModel,
        BeforeValidator,
        ConfigDict,
        Field,
        PlainValidator,
        ValidationError,
        ValidatorFunctionWrapHandler,
        WrapValidator,
    )

Duration = Annotated[float, PlainValidator(quantities.duration, json_schema_input_type=str | float)]
Workers = Annotated[
    int | str, PlainValidator(quantities.workers, json_schema_input_type=int | Literal["auto"])
]
Size = Annotated[int, PlainValidator(quantities.size, json_schema_input_type=str | int)]
Mode = Annotated[int, PlainValidator(quantities.mode, json_schema_input_type=str)]
Port = Annotated[int, PlainValidator(fields.port, json_schema_input_type=int)]
Path = Annotated[str, AfterValidator(fields.path)]
UnixPath = Annotated[str, AfterValidator(fields.unix_path)]
RootPath = Annotated[str, AfterValidator(fields.root_path)]
Account = Annotated[str, AfterValidator(fields.account)]
HeaderName = Annotated[str, AfterValidator(fields.header_name)]
Headers = dict[
    Annotated[str, AfterValidator(fields.own_header_name)],
    Annotated[str, AfterValidator(fields.header_value)],
]
VariableName = Annotated[str, AfterValidator(fields.variable_name)]
VariableValue = Annotated[str, AfterValidator(fields.variable_value)]
Count = Annotated[int, Field(ge=0, lt=2**31)]
Positive = Annotated[int, Field(ge=1, lt=2**31)]
Strings = Annotated[tuple[str, ...], BeforeValidator(fields.many, json_schema_input_type=list[str])]
Addresses = Annotated[
    tuple[Annotated[str, AfterValidator(fields.address)], ...],
    BeforeValidator(fields.one_or_many, json_schema_input_type=str | list[str]),
]
Endpoints = Annotated[
    tuple[Annotated[str, AfterValidator(fields.endpoint)], ...],
    BeforeValidator(fields.one_or_many, json_schema_input_type=str | list[str]),
]
Trusted = Annotated[
    tuple[Annotated[str, AfterValidator(fields.trusted)], ...],
    BeforeValidator(fields.many, json_schema_input_type=list[str]),
]


Origins = Annotated[
    tuple[Annotated[str, AfterValidator(origins.check_origin)], ...],
    BeforeValidator(fields.some, json_schema_input_type=list[str]),
]


def not_yet(default: object) -> WrapValidator:
    """Return a validator that refuses all but ``default``, for a key whose behaviour is not there yet.

    A value that the key would not take either is refused as that alone, for no other value would do. What is
    wrong within a table is said of its keys, and :mod:`asgid.config.explain` says the same of the table.
    """

    def refuse(value: object, handler: ValidatorFunctionWrapHandler) -> object:
        try:
            checked = handler(value)
        except ValidationError:
            if isinstance(value, dict):
                raise
        else:
            if checked == default:
                return checked
        raise RefusedError(codes.NOT_AVAILABLE, "is not available yet", "leave it out") from None

    return WrapValidator(refuse)


class Table(BaseModel):
    """A table of the language."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class Application(Table):
    """``[application]``: what is served, and the environment that it runs in."""

    target: Annotated[str, AfterValidator(fields.target)]
    directory: Path | None = None
    virtualenv: Path | None = None
    factory: bool = False
    lifespan: Literal["auto", "on", "off"] = "auto"
    root_path: RootPath = ""
    environment: dict[VariableName, VariableValue] = {}
    environment_file: Path | None = None


class Limits(Table):
    """``[limits]``: what a client may do; zero means no limit."""

    connections: Count = 10_000
    request_line: Size = 8 * 1024
    header_size: Size = 32 * 1024
    header_count: Count = 128
    body_size: Size = 100_000_000
    concurrency: Count = 0


class Timeouts(Table):
    """``[timeouts]``: how long things may take; zero means for ever, but in ``keep_alive`` and ``drain``."""

    request_head: Duration = 10.0
    request_body: Duration = 60.0
    keep_alive: Duration = 15.0
    response_write: Duration = 60.0
    application: Duration = 0.0
    application_close: Duration = 10.0
    tls_handshake: Annotated[Duration, not_yet(10.0)] = 10.0
    drain: Duration = 30.0


class WebSocket(Table):
    """``[websocket]``."""

    origins: Origins | None = None
    message_size: Size = 1024 * 1024
    frame_size: Size = 1024 * 1024
    queue: Positive = 32
    ping_interval: Duration = 20.0
    ping_timeout: Duration = 20.0
    connect_timeout: Duration = 5.0
    lifetime: Duration = 0.0
    compression: bool = True
    compression_threshold: Size = 1024


class Proxy(Table):
    """``[proxy]``: whose word about a client is taken.

    ``trusted`` are networks, single addresses and ``unix`` (who connects to a unix socket); others are not
    believed, whatever they say. Either of the next two needs it.

    ``protocol`` is the version of the PROXY protocol that every connection must begin with. Whoever is not
    trusted, or sends no such header, is refused. Its addresses become the request's client and server, and it
    is by that client that forwarded headers are judged then: a proxy that passes bytes on did not write them.

    ``forwarded`` is what the proxies speak. ``x-forwarded``: the client from ``host_header`` (the right-most
    entry that no trusted proxy wrote) and, where that has no port, ``port_header``; the scheme from
    X-Forwarded-Proto, the host from X-Forwarded-Host, the root path from X-Forwarded-Prefix, which stands
    before the path then. ``rfc7239``: client, scheme and host from Forwarded. With both Daphne-Root-Path is
    the root path, as in Daphne. A proxy has to set or delete every one of them, for what it passes on
    untouched is its client's word. Of another peer all forwarded headers are removed from what the
    application sees, of a trusted one what is not believed.
    """

    protocol: Literal["none", "v1", "v2", "any"] = "none"
    trusted: Trusted = ()
    forwarded: Literal["none", "x-forwarded", "rfc7239"] = "none"
    host_header: HeaderName = "X-Forwarded-For"
    port_header: HeaderName = "X-Forwarded-Port"


class Certificate(Table):
    """``[[listeners.NAME.tls.certificates]]``: one of several, chosen by the name the client asks for."""

    certificate: Path
    key: Path
    key_password_file: Path | None = None
    names: Strings = ()


class Tls(Table):
    """``[listeners.NAME.tls]``."""

    certificate: Path | None = None
    key: Path | None = None
    key_password_file: Path | None = None
    certificates: Annotated[tuple[Certificate, ...], BeforeValidator(fields.many)] = ()
    client_ca: Path | None = None
    client_auth: Literal["none", "optional", "required"] = "none"
    minimum_version: Literal["1.2", "1.3"] = "1.2"
    ciphers: str = ""
    reload: bool = True


class Listener(Table):
    """``[listeners.NAME]``: one way to listen, and what is said for this listener alone."""

    address: Addresses | None = None
    interface: Annotated[str, AfterValidator(fields.interface)] | None = None
    unix: UnixPath | None = None
    systemd: Annotated[str, AfterValidator(fields.systemd_name)] | None = None
    fd: Count | None = None
    endpoint: Endpoints | None = None

    port: Port | None = None
    family: Literal["ipv4", "ipv6", "dual"] = "dual"
    bind_to_device: bool = False
    freebind: bool = False
    required: bool = True
    wait: Annotated[Duration, not_yet(0.0)] = 0.0
    follow: Annotated[bool, not_yet(False)] = False
    mode: Mode = 0o660
    owner: Account | None = None
    group: Account | None = None
    backlog: Positive = 2048

    exposure: Literal["loopback", "private", "public"] | None = None
    root_path: RootPath | None = None
    headers: Headers = {}
    http2: Annotated[bool, not_yet(False)] = False
    redirect: Annotated[Literal["https"] | None, not_yet(None)] = None
    tls: Annotated[Tls | None, not_yet(None)] = None

    proxy: Proxy | None = None
    limits: Limits | None = None
    timeouts: Timeouts | None = None
    websocket: WebSocket | None = None


class Daemon(Table):
    """``[daemon]``: the process."""

    workers: Annotated[Workers, not_yet(1)] = 1
    user: Annotated[Account | None, not_yet(None)] = None
    group: Annotated[Account | None, not_yet(None)] = None
    umask: Mode | None = None
    pid_file: Path | None = None
    control: Annotated[Path | None, not_yet(None)] = None
    server_header: Annotated[str, AfterValidator(fields.header_value)] = "asgid"
    date_header: bool = True


class Log(Table):
    """``[log]``."""

    level: Literal["debug", "info", "warning", "error", "critical"] = "info"
    format: Annotated[Literal["text", "json"], not_yet("text")] = "text"
    pattern: Annotated[str, AfterValidator(fields.log_pattern)] = ""
    access: str = "-"
    access_format: Annotated[Literal["combined", "json"], not_yet("combined")] = "combined"


class Admin(Table):
    """``[admin]``."""

    listener: Annotated[str | None, not_yet(None)] = None


class Lint(Table):
    """``[lint]``."""

    ignore: Annotated[
        tuple[Annotated[str, AfterValidator(fields.rule_code)], ...],
        BeforeValidator(fields.many, json_schema_input_type=list[str]),
    ] = ()


class Root(Table):
    """A whole file."""

    application: Application
    listeners: dict[str, Listener] = {}
    proxy: Proxy = Proxy.model_construct()
    limits: Limits = Limits.model_construct()
    timeouts: Timeouts = Timeouts.model_construct()
    websocket: WebSocket = WebSocket.model_construct()
    daemon: Daemon = Daemon.model_construct()
    log: Log = Log.model_construct()
    admin: Admin = Admin.model_construct()
    lint: Lint = Lint.model_construct()


with (
    without_plugins(),
    put_off("importlib.metadata", "entry_points"),
):  # that finds them: a twentieth of a start
    Root.model_rebuild()  # while the import is locked; its tables are built as parts of it
