"""Request heads of HTTP/1.1 and HTTP/1.0, parsed by httptools (llhttp) and held to RFC 9110 and RFC 9112.

One parser serves every connection: it is given a head only when the whole of it is there, so it keeps nothing
between two calls, and an idle connection owns no parser. What llhttp lets pass and the RFCs do not is refused
in this module, each rule with its section.
"""

from __future__ import annotations

import re

import httptools

from asgid.daemon.seam import Headers, Peer, RequestHead

# The methods that are passed to the application (RFC 9110 9.3, RFC 5789, and WebDAV's). llhttp knows others,
# of RTSP and ICE among them, and refuses names that it does not know.
METHODS: dict[bytes, str] = {
    name.encode(): name
    for name in (
        "DELETE GET HEAD POST PUT OPTIONS TRACE PATCH QUERY COPY LOCK MKCOL MOVE PROPFIND PROPPATCH SEARCH UNLOCK "
        "BIND REBIND UNBIND ACL REPORT MKACTIVITY CHECKOUT MERGE M-SEARCH NOTIFY SUBSCRIBE UNSUBSCRIBE PURGE "
        "MKCALENDAR LINK UNLINK"
    ).split()
}

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VERSION = re.compile(rb"HTTP/([0-9])\.([0-9])")
# uri-host [ ":" port ] (RFC 9110 7.2, RFC 3986 3.2.2): a bracketed literal, or a name or IPv4 address; may be empty.
_HOST = re.compile(rb"(?:\[[0-9A-Fa-fvV:.%~_!$&'()*+,;=\-]+\]|[A-Za-z0-9\-._~%!$&'()*+,;=]*)(?::[0-9]*)?")
_ABSOLUTE = re.compile(rb"https?://([^/?#@]+)([/?].*)?", re.IGNORECASE)

_MAX_CONTENT_LENGTH = 2**63 - 1


class BadRequest(Exception):  # noqa: N818 - it is the name of the status
    """A request that is answered by the wire itself: ``status`` and, for the log, ``why``."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(f"{status}: {why}")
        self.status = status
        self.why = why


class ParsedHead:
    """A head and what its framing says."""

    __slots__ = ("chunked", "content_length", "expect_continue", "head", "keep_alive")

    def __init__(self, head: RequestHead) -> None:
        self.head = head
        self.content_length = 0  # bytes; 0 where chunked
        self.chunked = False
        self.keep_alive = head.version == "1.1"
        self.expect_continue = False


class HeadParser:
    """Turns whole heads into :class:`ParsedHead` values. Not for use from two threads."""

    def __init__(self, header_count: int) -> None:
        self._header_count = header_count or 1 << 30
        self._headers: Headers = []
        self._special: Headers = []
        self._target = b""
        self._complete = False
        self._parser = httptools.HttpRequestParser(self)

    def on_url(self, url: bytes) -> None:
        """Take the target (httptools)."""
        self._target = url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header (httptools)."""
        name = name.lower()
        self._headers.append((name, value))
        if name in _SPECIAL:
            self._special.append((name, value))

    def on_headers_complete(self) -> None:
        """Take note that the head is complete (httptools)."""
        self._complete = True

    def parse(self, data: bytes, peer: Peer) -> ParsedHead:
        """Parse ``data``, which ends with the first CR LF CR LF in it and does not begin with CR LF.

        Raises :class:`BadRequest`.
        """
        self._headers = headers = []
        self._special = special = []
        self._complete = False
        parser = self._parser
        fresh = False
        try:
            parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            fresh = True
        except httptools.HttpParserError as error:
            self._parser = httptools.HttpRequestParser(self)
            if not self._complete:
                raise BadRequest(*_refusal(data, str(error))) from None
            fresh = True  # an odd Transfer-Encoding: judged below, where the whole head is known
        if not self._complete:
            # PRI * HTTP/2.0, the preface of HTTP/2 (RFC 9113 3.4)
            self._parser = httptools.HttpRequestParser(self)
            raise BadRequest(505, "HTTP/2 preface")
        method_name = parser.get_method()
        target = self._target
        version = parser.get_http_version()
        if fresh or special or version != "1.1":
            # llhttp refuses to go on after a body, an upgrade or Connection: close; a new parser costs 0.3 us.
            self._parser = httptools.HttpRequestParser(self)
        method = METHODS.get(method_name)
        # llhttp takes any number of spaces, HTTP/0.9 and the protocols RTSP and ICE (RFC 9112 3: single SP, HTTP-name).
        if method is None or not data.startswith(b"%b %b HTTP/%b\r\n" % (method_name, target, version.encode())):
            raise BadRequest(*_refusal(data, "malformed request line"))
        if version != "1.1" and version != "1.0":  # noqa: PLR1714 - the common case is one comparison
            raise BadRequest(505, f"version {version}")
        if len(headers) > self._header_count:
            raise BadRequest(431, "too many headers")
        if b" \r\n" in data or b"\t\r\n" in data:
            # llhttp leaves trailing white space on a value (RFC 9110 5.5)
            headers = [(name, value.strip(b" \t")) for name, value in headers]
            special = [(name, value.strip(b" \t")) for name, value in special]
        if target[0] != 0x2F or b"#" in target:
            target, special, headers = _other_form(method, target, special, headers)
        head = RequestHead(method, target, version, headers, peer)
        parsed = ParsedHead(head)
        if len(special) == 1 and special[0][0] == b"host":
            host = special[0][1]
            if not _HOST.fullmatch(host):
                raise BadRequest(400, "malformed Host")
        else:
            _interpret(parsed, special)
        return parsed


_SPECIAL = frozenset((b"host", b"content-length", b"transfer-encoding", b"connection", b"expect", b"upgrade"))


def _refusal(data: bytes, why: str) -> tuple[int, str]:
    """Say what a head that cannot be parsed is answered with."""
    line = data.partition(b"\r\n")[0]
    words = line.split(b" ")
    if len(words) == 3:
        method, _, version = words
        match = _VERSION.fullmatch(version)
        if match and match[1] not in b"1":
            return 505, f"version {version.decode()}"
        if match and _TOKEN.fullmatch(method) and method not in METHODS and method.isupper():
            return 501, f"method {method.decode()}"
    return 400, why


def _other_form(method: str, target: bytes, special: Headers, headers: Headers) -> tuple[bytes, Headers, Headers]:
    """Judge a target that is not in origin form (RFC 9112 3.2)."""
    if b"#" in target:
        raise BadRequest(400, "fragment in the request target")  # RFC 9112 3.2.1: absolute-path [ "?" query ]
    if target == b"*" and method == "OPTIONS":
        return target, special, headers
    match = _ABSOLUTE.fullmatch(target)
    if match is None:
        raise BadRequest(400, "malformed request target")
    authority, rest = match.groups(b"")
    if not _HOST.fullmatch(authority):
        raise BadRequest(400, "malformed authority in the request target")
    if not rest.startswith(b"/"):
        rest = b"/" + rest
    # RFC 9112 3.2.2: an origin server ignores the Host that came, and uses the target's authority.
    if sum(name == b"host" for name, _ in special) > 1:
        raise BadRequest(400, "more than one Host")
    if not any(name == b"host" for name, _ in special):
        return rest, special, headers
    replaced = [(name, authority if name == b"host" else value) for name, value in headers]
    return rest, [(name, authority if name == b"host" else value) for name, value in special], replaced


def _interpret(parsed: ParsedHead, special: Headers) -> None:
    """Read the headers that frame the message and rule the connection. Raises :class:`BadRequest`."""
    seen: dict[bytes, bytes] = {}
    for name, value in special:
        if name in seen:
            if name in (b"host", b"content-length", b"transfer-encoding"):
                raise BadRequest(400, f"more than one {name.decode()}")  # RFC 9112 3.2, 6.3; RFC 9110 8.6
            value = seen[name] + b"," + value  # noqa: PLW2901 - RFC 9110 5.3: lists may come in several lines
        seen[name] = value
    version = parsed.head.version
    host = seen.get(b"host")
    if host is None:
        if version == "1.1":
            raise BadRequest(400, "no Host")  # RFC 9112 3.2
    elif not _HOST.fullmatch(host):
        raise BadRequest(400, "malformed Host")
    _framing(parsed, seen)
    tokens: list[bytes] = []
    if b"connection" in seen:
        tokens = [token.strip(b" \t").lower() for token in seen[b"connection"].split(b",")]
        if b"close" in tokens:
            parsed.keep_alive = False
        elif version == "1.0" and b"keep-alive" in tokens:
            parsed.keep_alive = True  # RFC 9112 9.3
    if b"expect" in seen and version == "1.1":  # RFC 9110 10.1.1: ignored in HTTP/1.0
        if seen[b"expect"].lower() != b"100-continue":
            raise BadRequest(417, "unknown expectation")
        parsed.expect_continue = parsed.chunked or parsed.content_length > 0
    if b"upgrade" in seen and b"upgrade" in tokens and version == "1.1" and parsed.head.method == "GET":
        protocols = [token.strip(b" \t").lower() for token in seen[b"upgrade"].split(b",")]
        parsed.head.websocket = b"websocket" in protocols  # RFC 6455 4.2.1


def _framing(parsed: ParsedHead, seen: dict[bytes, bytes]) -> None:
    """Read Content-Length and Transfer-Encoding (RFC 9112 6). Raises :class:`BadRequest`."""
    coding = seen.get(b"transfer-encoding")
    length = seen.get(b"content-length")
    if coding is not None:
        if length is not None:
            raise BadRequest(400, "Content-Length beside Transfer-Encoding")  # RFC 9112 6.1: smuggling
        if parsed.head.version == "1.0":
            raise BadRequest(400, "Transfer-Encoding in HTTP/1.0")  # RFC 9112 6.1: framing is faulty
        codings = [token.strip(b" \t").lower() for token in coding.split(b",")]
        if codings[-1] != b"chunked" or codings.count(b"chunked") > 1 or b"" in codings:
            raise BadRequest(400, "malformed Transfer-Encoding")  # RFC 9112 6.3
        if len(codings) > 1:
            raise BadRequest(501, "unknown transfer coding")  # RFC 9112 6.1
        parsed.chunked = True
    elif length is not None:
        if not length.isdigit():
            raise BadRequest(400, "malformed Content-Length")  # RFC 9110 8.6
        if len(length) > 19 and len(length.lstrip(b"0")) > 19:
            raise BadRequest(400, "Content-Length out of range")
        parsed.content_length = int(length)
        if parsed.content_length > _MAX_CONTENT_LENGTH:
            raise BadRequest(400, "Content-Length out of range")
