"""Request heads of HTTP/1.1 and HTTP/1.0, parsed by httptools (llhttp) and held to RFC 9110 and RFC 9112.

One parser serves every connection: it is given a head only when the whole of it is there, so it keeps nothing
between two calls, and an idle connection owns no parser. What llhttp lets pass and the RFCs do not is refused
in this module, each rule with its section.

Where it was compiled, ``_scan.c`` takes the plain heads apart, which are nearly all, in a quarter of the
time; it knows when a head is not plain, and leaves that one as it is to llhttp and to the rules here.
"""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING

import httptools

from asgid.daemon.seam import RequestHead
from asgid.daemon.wire import compiled

if TYPE_CHECKING:
    from collections.abc import Callable

    from asgid.daemon.seam import Headers, Peer
    from asgid.daemon.wire.compiled import Scan

# The methods that are passed to the application (RFC 9110 9.3, RFC 5789, and WebDAV's). llhttp knows others,
# of RTSP and ICE among them, and refuses names that it does not know.
METHODS: dict[bytes, str] = {
    name: name.decode()
    for name in (
        b"DELETE GET HEAD POST PUT OPTIONS TRACE PATCH QUERY COPY LOCK MKCOL MOVE PROPFIND PROPPATCH SEARCH "
        b"UNLOCK BIND REBIND UNBIND ACL REPORT MKACTIVITY CHECKOUT MERGE M-SEARCH NOTIFY SUBSCRIBE PURGE "
        b"UNSUBSCRIBE MKCALENDAR LINK UNLINK"
    ).split()
}

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # RFC 9110 5.6.2
_METHOD = re.compile(TOKEN)
_VERSION = re.compile(rb"HTTP/([0-9])\.([0-9])")
# uri-host [ ":" port ] (RFC 9110 7.2, RFC 3986 3.2.2): a bracketed literal, or a name or IPv4 address; may be
# empty. Clients that reach a link-local address send its zone too (RFC 6874), as http.client did. The group
# is an IPv6 address, which is looked at once more.
_HOST = re.compile(
    rb"(?:\[([0-9A-Fa-f:.]+)(?:%[0-9A-Za-z.\-_~%]+)?\]"
    rb"|\[[vV][0-9A-Fa-f]+\.[A-Za-z0-9\-._~!$&'()*+,;=:]+\]"
    rb"|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*)(?::[0-9]*)?"
)
_NAME_BYTES = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"
_ABSOLUTE = re.compile(rb"https?://([^/?#@]+)([/?].*)?", re.IGNORECASE)

_MAX_CONTENT_LENGTH = 2**63 - 1


class BadRequest(Exception):  # noqa: N818 - it is the name of the status
    """A request that is answered by the wire itself: ``status`` and, for the log, ``why``."""

    bodiless = False  # it was HEAD: the answer has no body (RFC 9110 9.3.2)

    def __init__(self, status: int, why: str) -> None:
        super().__init__(f"{status}: {why}")
        self.status = status
        self.why = why


class Framing:
    """What the headers of a head say beyond the plain case: a body, an expectation, the connection's fate."""

    __slots__ = ("chunked", "content_length", "expect_continue", "keep_alive", "plain")

    def __init__(self, version: str) -> None:
        self.content_length = 0  # bytes; 0 where chunked
        self.chunked = False
        self.keep_alive = version == "1.1"
        self.expect_continue = False
        self.plain = False  # a Content-Length and nothing else, and llhttp has not seen the body yet


class HeadParser:
    """Turns whole heads into :class:`RequestHead` values. Not for use from two threads."""

    def __init__(self, header_count: int, scan: Scan | None = compiled.scan) -> None:
        """Make a parser. ``header_count`` is the limit, 0 for none; without a ``scan`` llhttp reads all."""
        self._header_count = header_count or 1 << 30
        self._scan = scan
        self._headers: Headers = []
        self._special: Headers = []
        self.on_header = _collector(self._headers, self._special)
        self._feed = httptools.HttpRequestParser(self).feed_data
        self._used = False  # it has seen more than plain heads
        self._host = b"-"  # the last one that was found well formed: most requests have the same
        self.framing: Framing | None = None  # of the last head; None: no body, HTTP/1.1, nothing special

    def parse(self, data: bytes, peer: Peer) -> RequestHead:
        """Parse ``data``, which ends with the first CR LF CR LF in it and does not begin with CR LF.

        What the headers say of the body and the connection is in :attr:`framing` afterwards. Raises
        :class:`BadRequest`.
        """
        found = self._scan(data, self._header_count) if self._scan is not None else None
        if found is None:
            return self._parse_any(data, peer)
        method, target, headers, host, content_length, close = found
        if host != self._host:
            _check_host(host)
            self._host = host
        if content_length < 0 and not close:
            self.framing = None
        else:
            self.framing = framing = Framing("1.1")
            framing.content_length = max(0, content_length)
            framing.keep_alive = not close
        return RequestHead(method, target, "1.1", headers, peer)

    def _parse_any(self, data: bytes, peer: Peer) -> RequestHead:
        """Do it for any head, with llhttp."""
        if self._headers:
            self._headers.clear()
            self._special.clear()
        try:
            # llhttp takes any number of spaces, HTTP/0.9, and the protocols RTSP and ICE (RFC 9112 3).
            name, target, protocol = data[: data.index(b"\r\n")].split(b" ")
            method = METHODS[name]
            version = _VERSIONS[protocol]
        except (ValueError, KeyError):
            return self._parse_any(_with_known_version(data), peer)
        if self._used:
            # llhttp does not begin anew after an error, an upgrade, Connection: close, or a head whose body
            # it has not seen; and the next head may be another client's. A new parser costs 0.3 us.
            self._feed = httptools.HttpRequestParser(self).feed_data
        self._used = True
        try:
            self._feed(data)
        except httptools.HttpParserUpgrade:
            pass
        except httptools.HttpParserError as error:
            if str(error) != "Request has invalid `Transfer-Encoding`":  # that is judged below, as 400 or 501
                raise BadRequest(400, str(error)) from None
        headers = self._headers.copy()
        special = self._special
        if len(headers) > self._header_count:
            raise BadRequest(431, "too many headers")
        if target[0] != 0x2F or b"#" in target:
            target, special, headers = _other_form(method, target, version, special, headers)
        head = RequestHead(method, target, version, headers, peer)
        if version == "1.1":
            count = len(special)
            if count == 2 and special[1] == _KEEP_ALIVE:
                count = 1
            elif count > 1 and _KEEP_ALIVE in special:
                special = [header for header in special if header != _KEEP_ALIVE]
                count = len(special)
            if count == 1 and special[0][0] == b"host":
                self._used = False
                self.framing = None
                host = special[0][1]
                if host != self._host:
                    _check_host(host)
                    self._host = host
                return head
            if count == 2 and special[0][0] == b"host":
                framing = _usual(special[1])
                if framing is not None:
                    host = special[0][1]
                    if host != self._host:
                        _check_host(host)
                        self._host = host
                    self.framing = framing
                    return head
        self.framing = _interpret(head, special)
        return head

    def pass_body(self, body: bytes) -> None:
        """Show llhttp the whole body of the plain head that was parsed last.

        It can then go on to another head, which costs half as much as a new parser.
        """
        self._feed(body)
        self._used = False


def _collector(headers: Headers, special: Headers) -> Callable[[bytes, bytes], None]:
    """Return what httptools calls with each header."""
    take, take_special = headers.append, special.append

    def on_header(name: bytes, value: bytes) -> None:
        name = name.lower()
        header = (name, value.strip())  # llhttp leaves white space behind a value (RFC 9110 5.5)
        take(header)
        if name in _SPECIAL:
            take_special(header)

    return on_header


_KEEP_ALIVE = (b"connection", b"keep-alive")  # which browsers say, and which says nothing in HTTP/1.1
_VERSIONS = {b"HTTP/1.1": "1.1", b"HTTP/1.0": "1.0"}
# Proxy-Connection is no header of HTTP's, but llhttp takes it for Connection, and stops at its close.
_SPECIAL = frozenset(
    b"host content-length transfer-encoding connection proxy-connection expect upgrade".split()
)


def _with_known_version(data: bytes) -> bytes:
    """Return a head of a later HTTP/1 as one of HTTP/1.1, which it is read as (RFC 9110 2.5).

    Raises :class:`BadRequest` for every other request line: this is asked where it cannot be served.
    """
    words = data.partition(b"\r\n")[0].split(b" ")
    if len(words) == 3:
        method, target, protocol = words
        match = _VERSION.fullmatch(protocol)
        if match and match[1] > b"1":
            raise BadRequest(505, f"version {protocol.decode()}")
        if match and match[1] == b"1" and _METHOD.fullmatch(method) and method.upper() == method:
            if method not in METHODS:
                raise BadRequest(501, f"method {method.decode()}")
            if match[2] > b"1":
                return b" ".join((method, target, b"HTTP/1.1")) + data[data.index(b"\r\n") :]
    raise BadRequest(400, "malformed request line")


def _check_host(host: bytes) -> None:
    """Hold a Host to its grammar. Raises :class:`BadRequest`.

    The grammar lets it be empty, for what has no authority; an http URI has one (RFC 9110 4.2.1).
    """
    if not host or host[0] == 0x3A:
        raise BadRequest(400, "a Host without a host")
    rest = host.translate(None, _NAME_BYTES)
    if rest and (rest != b":" or not host.rpartition(b":")[2].isdigit()) and not _is_authority(host):
        raise BadRequest(400, "malformed Host")


def _is_authority(text: bytes) -> bool:
    """Whether this is uri-host [ ":" port ], or empty."""
    match = _HOST.fullmatch(text)
    if match is not None and match[1] is not None:
        try:
            socket.inet_pton(socket.AF_INET6, match[1].decode())
        except OSError:
            return False
    return match is not None


def _other_form(
    method: str, target: bytes, version: str, special: Headers, headers: Headers
) -> tuple[bytes, Headers, Headers]:
    """Judge a target that is not in origin form (RFC 9112 3.2)."""
    if b"#" in target:
        raise BadRequest(400, "fragment in the request target")  # RFC 9112 3.2.1: absolute-path [ "?" query ]
    if target == b"*" and method == "OPTIONS":
        return target, special, headers
    match = _ABSOLUTE.fullmatch(target)
    if match is None:
        raise BadRequest(400, "malformed request target")
    authority, rest = match.groups(b"")
    if authority.startswith(b":") or not _is_authority(authority):  # RFC 9110 4.2.1: an empty host is invalid
        raise BadRequest(400, "malformed authority in the request target")
    if not rest and method == "OPTIONS":
        rest = b"*"  # RFC 9112 3.2.4: what the last proxy would have made of it
    elif not rest.startswith(b"/"):
        rest = b"/" + rest
    # RFC 9112 3.2.2: an origin server ignores the Host that came, and uses the target's authority; but one
    # that is missing, repeated or invalid is still an error (3.2).
    hosts = [value for name, value in special if name == b"host"]
    if len(hosts) > 1:
        raise BadRequest(400, "more than one Host")
    if not hosts:
        if version == "1.1":
            raise BadRequest(400, "no Host")
        return rest, [(b"host", authority), *special], [(b"host", authority), *headers]
    if hosts[0] or version == "1.1":
        _check_host(hosts[0])
    replaced = [(name, authority if name == b"host" else value) for name, value in headers]
    return rest, [(name, authority if name == b"host" else value) for name, value in special], replaced


def _usual(header: tuple[bytes, bytes]) -> Framing | None:
    """Return what the one special header beside Host says in HTTP/1.1, None where a closer look is needed."""
    name, value = header
    if name == b"content-length":
        if not value.isdigit() or len(value) > 18:
            return None
        framing = Framing("1.1")
        framing.content_length = int(value)
        framing.plain = True
        return framing
    if name == b"connection" and value == b"close":
        framing = Framing("1.1")
        framing.keep_alive = False
        return framing
    return None


def _interpret(head: RequestHead, special: Headers) -> Framing:
    """Read the headers that frame the message and rule the connection. Raises :class:`BadRequest`."""
    seen: dict[bytes, bytes] = {}
    for name, value in special:
        if name in seen:
            if name in _SINGLE:
                raise BadRequest(400, f"more than one {name.decode()}")
            value = seen[name] + b"," + value  # noqa: PLW2901 - RFC 9110 5.3: a list may come in several lines
        seen[name] = value
    version = head.version
    if seen.get(b"host") or (version == "1.1" and b"host" in seen):  # an empty one is none in HTTP/1.0
        _check_host(seen[b"host"])
    elif version == "1.1":
        raise BadRequest(400, "no Host")  # RFC 9112 3.2
    framing = Framing(version)
    _measure(framing, seen, version)
    tokens: list[bytes] = []
    if b"connection" in seen:
        tokens = [token.strip(b" \t").lower() for token in seen[b"connection"].split(b",")]
        if b"close" in tokens:
            framing.keep_alive = False
        elif version == "1.0" and b"keep-alive" in tokens:
            framing.keep_alive = True  # RFC 9112 9.3
    if b"expect" in seen and version == "1.1":  # RFC 9110 10.1.1: ignored in HTTP/1.0
        expectations = {token.strip(b" \t").lower() for token in seen[b"expect"].split(b",")} - {b""}
        if expectations - {b"100-continue"}:
            raise BadRequest(417, "unknown expectation")
        framing.expect_continue = bool(expectations) and (framing.chunked or framing.content_length > 0)
    if b"upgrade" in seen and b"upgrade" in tokens and version == "1.1" and head.method == "GET":
        protocols = [token.strip(b" \t").lower() for token in seen[b"upgrade"].split(b",")]
        # RFC 6455 4.2.1; with a body it is an ordinary request: what came of the body would be read as frames
        head.websocket = b"websocket" in protocols and not framing.chunked and not framing.content_length
    return framing


# RFC 9112 3.2 and 6.3, RFC 9110 8.6
_SINGLE = frozenset((b"host", b"content-length", b"transfer-encoding"))


def _measure(framing: Framing, seen: dict[bytes, bytes], version: str) -> None:
    """Read Content-Length and Transfer-Encoding (RFC 9112 6). Raises :class:`BadRequest`."""
    coding = seen.get(b"transfer-encoding")
    length = seen.get(b"content-length")
    if coding is not None:
        if length is not None:
            raise BadRequest(400, "Content-Length beside Transfer-Encoding")  # RFC 9112 6.1: smuggling
        if version == "1.0":
            raise BadRequest(400, "Transfer-Encoding in HTTP/1.0")  # RFC 9112 6.1: framing is faulty
        codings = [token.strip(b" \t").lower() for token in coding.split(b",")]
        if codings[-1] != b"chunked" or codings.count(b"chunked") > 1 or b"" in codings:
            raise BadRequest(400, "malformed Transfer-Encoding")  # RFC 9112 6.3
        if len(codings) > 1:
            raise BadRequest(501, "unknown transfer coding")  # RFC 9112 6.1
        framing.chunked = True
    elif length is not None:
        if not length.isdigit():
            raise BadRequest(400, "malformed Content-Length")  # RFC 9110 8.6
        if len(length) > 19:
            length = length.lstrip(b"0") or b"0"  # int() refuses a long row of zeros
            if len(length) > 19:
                raise BadRequest(400, "Content-Length out of range")
        framing.content_length = int(length)
        if framing.content_length > _MAX_CONTENT_LENGTH:
            raise BadRequest(400, "Content-Length out of range")
