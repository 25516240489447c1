"""Twenty hostile requests. A server that lets one through is not measured: it saved itself the checks."""

from __future__ import annotations

import re
import socket

import peers

HOST = b"Host: bench\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


def _get(headers: bytes, target: bytes = b"/", version: bytes = b"1.1") -> bytes:
    return b"GET " + target + b" HTTP/" + version + b"\r\n" + headers + b"\r\n"


def _post(headers: bytes, body: bytes, version: bytes = b"1.1") -> bytes:
    return b"POST / HTTP/" + version + b"\r\n" + HOST + headers + b"\r\n" + body


SMUGGLED = b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: bench\r\n\r\n"

# Each with the RFC section that calls it an error; lengths beyond config.md's defaults for the last three.
REQUESTS = {
    "Content-Length beside Transfer-Encoding (RFC 9112 6.1)": _post(
        CHUNKED + b"Content-Length: 4\r\n", SMUGGLED
    ),
    "two Content-Lengths that differ (RFC 9112 6.3)": _post(
        b"Content-Length: 4\r\nContent-Length: 5\r\n", b"abcde"
    ),
    "Content-Length with a sign (RFC 9110 8.6)": _post(b"Content-Length: +4\r\n", b"abcd"),
    "Content-Length that overflows (RFC 9110 8.6)": _post(
        b"Content-Length: 99999999999999999999\r\n", b"abcd"
    ),
    "an unknown transfer coding (RFC 9112 6.1)": _post(b"Transfer-Encoding: xchunked\r\n", SMUGGLED),
    "chunked that is not last (RFC 9112 6.3)": _post(b"Transfer-Encoding: chunked, identity\r\n", SMUGGLED),
    "Transfer-Encoding in HTTP/1.0 (RFC 9112 6.1)": _post(CHUNKED, SMUGGLED, version=b"1.0"),
    "a space before the colon (RFC 9112 5.1)": _post(b"Transfer-Encoding : chunked\r\n", SMUGGLED),
    "a folded header line (RFC 9112 5.2)": _get(HOST + b"X-Folded: one\r\n two\r\n"),
    "a bare CR in a value (RFC 9110 5.5)": _get(HOST + b"X-Bare: one\rTransfer-Encoding: chunked\r\n"),
    "NUL in a value (RFC 9110 5.5)": _get(HOST + b"X-Nul: one\x00two\r\n"),
    "a control byte in a name (RFC 9110 5.6.2)": _get(HOST + b"X-\x0bName: value\r\n"),
    "no Host (RFC 9112 3.2)": _get(b"X-Other: value\r\n"),
    "two Hosts (RFC 9112 3.2)": _get(HOST + b"Host: elsewhere\r\n"),
    "a chunk size that is no number (RFC 9112 7.1)": _post(CHUNKED, b"zz\r\nabc\r\n0\r\n\r\n"),
    "a chunk size that overflows (RFC 9112 7.1)": _post(CHUNKED, b"FFFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n"),
    "a chunk longer than it says (RFC 9112 7.1)": _post(CHUNKED, b"3\r\nabcdef\r\n0\r\n\r\n"),
    "a request line above 8 KiB": _get(HOST, target=b"/" + b"a" * 9000),
    "headers above 32 KiB": _get(HOST + b"".join(b"X-%d: %s\r\n" % (i, b"a" * 4000) for i in range(9))),
    "more than 128 headers": _get(HOST + b"".join(b"X-%d: a\r\n" % i for i in range(140))),
}


BROKEN_BODIES = tuple(what for what in REQUESTS if what.startswith("a chunk"))


def let_through(port: int, application: str) -> list[str]:
    """Which of the requests the server on ``port`` did not refuse.

    ``hello`` never reads the body, so it may rightly have answered before the body is seen to be broken; what
    follows must still not be taken for a request, and the connection must end.
    """
    found = []
    for what, request in REQUESTS.items():
        answered = application == "hello" and what in BROKEN_BODIES
        if not _refused(port, request, b"245" if answered else b"45"):
            found.append(what)
    return found


def _refused(port: int, request: bytes, classes: bytes) -> bool:
    # Refused: an answer of 400 to 599 or none, nothing after it, and then the end of the connection.
    answer = b""
    try:
        with socket.create_connection((peers.HOST, port), timeout=5) as client:
            client.sendall(request)
            while data := client.recv(65536):
                answer += data
    except ConnectionError:
        pass  # a reset once the answer is out: it had not read all that was sent
    except TimeoutError:
        return False
    statuses = re.findall(rb"^HTTP/1\.[01] (\d)", answer, re.MULTILINE)
    return len(statuses) <= 1 and all(status in classes for status in statuses)
