# ruff: noqa: E501 - a case of the table is a line or two
"""Cases about bodies, where they end, and what stands behind them (RFC 9112 6 to 9, RFC 9110 8.6)."""

from __future__ import annotations

from conformance.model import (
    BODY_BYTES,
    HEADER_BYTES,
    Case,
    Refused,
    Taken,
    Unfinished,
    chunked,
    get,
    post,
    shown,
)

BAD = (Refused((400,)),)
HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: site\r\n\r\n"


def body(data: bytes, **options) -> tuple[Taken, ...]:
    """A POST with this body."""
    return (Taken(method="POST", body=data, **options),)


CODINGS = [
    Case("9112-6.1a", "chunked", chunked(b"2\r\nab\r\n0\r\n\r\n"), body(b"ab")),
    *(Case("9112-6.1a", f"`{name.decode().strip()}`" + " in white space" * (b" " in name), post(b"Transfer-Encoding:" + name, body=b"2\r\nab\r\n0\r\n\r\n"), body(b"ab"))
      for name in (b"Chunked", b"CHUNKED", b"  chunked\t")),
    Case("9112-6.1a", "of a GET", get(b"Transfer-Encoding: chunked") + b"2\r\nab\r\n0\r\n\r\n", (Taken(body=b"ab"),)),
    *(Case("9112-6.1b", shown(value), post(b"Transfer-Encoding: " + value, body=b"0\r\n\r\n" + HIDDEN), (Refused((400, 501)),))
      for value in (b"", b"gzip", b"identity", b"chunked, gzip", b"chunked, identity", b"chunked, chunked", b"xchunked",
                    b"chunkedx", b"chunked;q=1", b"chunked chunked", b"chunk", b"chunked,", b",chunked", b"'chunked'", b"\xffchunked")),
    *(Case("9112-6.1b", f"`{value.decode()}`: not implemented", post(b"Transfer-Encoding: " + value, body=b"0\r\n\r\n" + HIDDEN), (Refused((501,)),))
      for value in (b"gzip, chunked", b"identity, chunked", b"cow, chunked")),
    Case("9112-6.1b", "chunked in two lines", post(*[b"Transfer-Encoding: chunked"] * 2, body=b"0\r\n\r\n" + HIDDEN), BAD),
    Case("9112-6.1b", "chunked, then identity in another line",
         post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", body=b"0\r\n\r\n" + HIDDEN), (Refused((400, 501)),)),
    Case("9112-6.1b", "gzip, then chunked in another line",
         post(b"Transfer-Encoding: gzip", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + HIDDEN), (Refused((400, 501)),)),
    Case("9112-6.1b", "an underscore is another name",
         post(b"Transfer_Encoding: chunked", b"Content-Length: 5", body=b"0\r\n\r\n"), body(b"0\r\n\r\n")),
    Case("9112-6.1c", "a length, then chunked", post(b"Content-Length: 5", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"), BAD),
    Case("9112-6.1c", "chunked, then a length", post(b"Transfer-Encoding: chunked", b"Content-Length: 5", body=b"0\r\n\r\n"), BAD),
    Case("9112-6.1c", "CL.TE with a hidden request",
         post(b"Content-Length: 43", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + HIDDEN), BAD),
    Case("9112-6.1c", "TE.CL with a hidden request",
         post(b"Content-Length: 4", b"Transfer-Encoding: chunked", body=b"26\r\n" + HIDDEN + b"\r\n0\r\n\r\n"), BAD),
    Case("9112-6.1c", "a length of 0 beside chunked",
         post(b"Content-Length: 0", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + HIDDEN), BAD),
    Case("9112-6.1c", "a length beside identity", post(b"Content-Length: 2", b"Transfer-Encoding: identity", body=b"ab"), BAD),
    Case("9112-6.1c", "an invalid length beside chunked",
         post(b"Content-Length: x", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"), BAD),
    Case("9112-6.1d", "chunked", get(b"Transfer-Encoding: chunked", start=b"POST / HTTP/1.0") + b"0\r\n\r\n" + HIDDEN, BAD),
    Case("9112-6.1d", "chunked and a length, kept alive",
         get(b"Transfer-Encoding: chunked", b"Content-Length: 5", b"Connection: keep-alive", start=b"POST / HTTP/1.0") + b"0\r\n\r\n", BAD),
]  # fmt: skip

_BAD_LENGTHS = (
    b"", b"+2", b"-2", b"-0", b"2_0", b"0x2", b"0b1", b"2, 2", b"2,2", b"2 2", b"2;", b"two", b"2.0", b"2e0", b'"2"', b"\xb2", b"\xd9\xa2",
    b"9223372036854775808", b"18446744073709551616", b"18446744073709551618", b"99999999999999999999999999",
)  # fmt: skip

LENGTHS = [
    Case("9112-6.2", "a body", post(b"Content-Length: 5", body=b"hello"), body(b"hello")),
    Case("9112-6.2", "a body that looks like a request", post(b"Content-Length: %d" % len(HIDDEN), body=HIDDEN), body(HIDDEN)),
    Case("9112-6.2", "a body of every byte", post(b"Content-Length: 256", body=bytes(range(256))), body(bytes(range(256)))),
    Case("9112-6.2", "none", post(b"Content-Length: 0"), body(b"")),
    Case("9112-6.2", "of a GET", get(b"Content-Length: 2") + b"ab", (Taken(body=b"ab"),)),
    Case("9112-6.2", "a request behind the body", post(b"Content-Length: 2", body=b"ab") + get(start=b"GET /next HTTP/1.1"),
         (*body(b"ab"), Taken("/next"))),
    Case("9112-6.2", "a body in HTTP/1.0", get(b"Content-Length: 2", start=b"POST / HTTP/1.0") + b"ab",
         body(b"ab", version="1.0", closes=True)),
    Case("9112-6.3", "differing lengths", post(b"Content-Length: 2", b"Content-Length: 3", body=b"ab"), BAD),
    Case("9112-6.3", "the same length twice (which may be refused)", post(*[b"Content-Length: 2"] * 2, body=b"ab"), BAD),
    Case("9112-6.3", "a length, then none", post(b"Content-Length: 2", b"Content-Length:", body=b"ab"), BAD),
    Case("9112-6.3", "lengths in different case", post(b"Content-Length: 2", b"content-length: 0", body=HIDDEN), BAD),
    *(Case("9112-6.3", shown(value), post(b"Content-Length: " + value, body=b"ab" + HIDDEN), BAD) for value in _BAD_LENGTHS),
    Case("9112-6.3a", "POST", post() + get(), (*body(b""), Taken())),
    Case("9112-6.3a", "0.CL: Content_Length is another field", post(b"Content_Length: 39") + HIDDEN, (*body(b""), Taken("/hidden"))),
    Case("9110-8.6", "leading zeros", post(b"Content-Length: 0002", body=b"ab"), body(b"ab")),
    Case("9110-8.6", "many leading zeros", post(b"Content-Length: " + b"0" * 300 + b"2", body=b"ab"), body(b"ab")),
    Case("9110-8.6", "white space around it", post(b"Content-Length: \t 2 \t", body=b"ab"), body(b"ab")),
    Case("9110-8.6a", "by its length", post(b"Content-Length: %d" % (BODY_BYTES + 1), body=b"ab"), (Refused((413,)),)),
    Case("9110-8.6a", "by 2^63 - 1", post(b"Content-Length: 9223372036854775807", body=b"ab"), (Refused((413,)),)),
    Case("9110-8.6a", "just the limit", post(b"Content-Length: %d" % BODY_BYTES, body=b"a" * BODY_BYTES), body(b"a" * BODY_BYTES)),
]  # fmt: skip

_BAD_SIZES = {
    "empty": b"\r\n", "only an extension": b";a\r\n", "plus": b"+2\r\n", "minus": b"-2\r\n", "0x": b"0x2\r\n", "x": b"x2\r\n",
    "underscore": b"0_2\r\n", "a space before it": b" 2\r\n", "a tab before it": b"\t2\r\n", "a space behind it": b"2 \r\n",
    "no hexadecimal": b"g\r\n", "digits of another script": b"\xd9\xa2\r\n", "full-width digits": b"\xef\xbc\x92\r\n",
    "17 digits": b"10000000000000002\r\n", "a comma": b"2,2\r\n", "two": b"2 2\r\n", "NUL behind it": b"2\0\r\n", "a vertical tab": b"2\x0b\r\n",
    "in quotes": b'"2"\r\n', "a point": b"2.0\r\n", "ends with LF": b"2\n", "ends with CR": b"2\r", "ends with CR CR LF": b"2\r\r\n",
    "ends with LF CR": b"2\n\r", "a colon": b"2:a\r\n",
}  # fmt: skip

CHUNKS = [
    Case("9112-7.1", "no chunk", chunked(b"0\r\n\r\n"), body(b"")),
    Case("9112-7.1", "two chunks", chunked(b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"), body(b"abc")),
    Case("9112-7.1", "lower-case digits", chunked(b"a\r\n0123456789\r\n0\r\n\r\n"), body(b"0123456789")),
    Case("9112-7.1", "upper-case digits", chunked(b"A\r\n0123456789\r\n0\r\n\r\n"), body(b"0123456789")),
    Case("9112-7.1", "leading zeros", chunked(b"002\r\nab\r\n000\r\n\r\n"), body(b"ab")),
    Case("9112-7.1", "thirty leading zeros", chunked(b"0" * 30 + b"2\r\nab\r\n0\r\n\r\n"), body(b"ab")),
    Case("9112-7.1", "data that looks like framing", chunked(b"7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n"), body(b"0\r\n\r\n\r\n")),
    Case("9112-7.1", "a request behind it", chunked(b"0\r\n\r\n") + get(start=b"GET /next HTTP/1.1"), (*body(b""), Taken("/next"))),
    Case("9112-7.1", "an empty line behind it", chunked(b"0\r\n\r\n") + b"\r\n" + get(start=b"GET /next HTTP/1.1"),
         (*body(b""), Taken("/next"))),
    *(Case("9112-7.1a", f"size: {name}", chunked(size + b"ab\r\n0\r\n\r\n" + HIDDEN), BAD) for name, size in _BAD_SIZES.items()),
    *(Case("9112-7.1a", f"size behind a chunk: {name}", chunked(b"1\r\nx\r\n" + _BAD_SIZES[name] + b"ab\r\n0\r\n\r\n" + HIDDEN), BAD)
      for name in ("empty", "minus", "17 digits", "ends with LF", "NUL behind it")),
    Case("9112-7.1a", "the data ends with LF", chunked(b"2\r\nab\n0\r\n\r\n" + HIDDEN), BAD),
    Case("9112-7.1a", "the data ends with CR", chunked(b"2\r\nab\r0\r\n\r\n" + HIDDEN), BAD),
    Case("9112-7.1a", "the data is longer", chunked(b"2\r\nabc\r\n0\r\n\r\n" + HIDDEN), BAD),
    Case("9112-7.1a", "the data is shorter", chunked(b"2\r\na\r\n0\r\n\r\n" + HIDDEN), BAD),
    Case("9112-7.1a", "no end of the data", chunked(b"2\r\nab0\r\n\r\n" + HIDDEN), BAD),
    Case("9112-7.1a", "two bytes behind the data that are no CR LF", chunked(b"2\r\nabXX0\r\n\r\n" + HIDDEN), BAD),
    Case("9112-7.1a", "the last line ends with LF", chunked(b"0\r\n\n" + HIDDEN), BAD),
    Case("9112-7.1a", "the last chunk ends with LF", chunked(b"0\n\r\n" + HIDDEN), BAD),
    Case("9112-7.1a", "a bare CR before the last line", chunked(b"0\r\n\r\r\n" + HIDDEN), BAD),
    Case("9112-7.1a", "TE.0: a size of 0 in front of more chunks", chunked(b"0\r\nab\r\n\r\n" + HIDDEN), BAD),
    Case("9112-7.1a", "a body above the limit", chunked(b"%x\r\n" % (BODY_BYTES + 1) + b"a" * (BODY_BYTES + 1) + b"\r\n0\r\n\r\n"),
         (Refused((413,)),)),
    Case("9112-7.1.1", "a name", chunked(b"2;a\r\nab\r\n0\r\n\r\n"), body(b"ab")),
    Case("9112-7.1.1", "a name and a value", chunked(b"2;a=b;c=d\r\nab\r\n0;e\r\n\r\n"), body(b"ab")),
    Case("9112-7.1.1", "a quoted value", chunked(b'2;a="b;\\"c"\r\nab\r\n0\r\n\r\n'), body(b"ab")),
    Case("9112-7.1.1", "bad white space", chunked(b"2 ; a = b\r\nab\r\n0\r\n\r\n"), body(b"ab")),
    *(Case("9112-7.1.1", f"malformed: {shown(extension)}", chunked(b"2" + extension + b"\r\nab\r\n0\r\n\r\n" + HIDDEN), BAD)
      for extension in (b";", b";a;", b";=b", b";a=", b";a[=b", b";\xff", b';a="b', b";a=b c", b";a ")),
    Case("9112-7.1.1", "LF in it", chunked(b"2;a\nb\r\nab\r\n0\r\n\r\n" + HIDDEN), BAD),
    Case("9112-7.1.1", "LF at its end, with a hidden request", chunked(b"2;\nxx\r\n%x\r\n0\r\n\r\n" % (len(HIDDEN) + 5) + HIDDEN + b"\r\n0\r\n\r\n"), BAD),
    Case("9112-7.1.1", "CR in it", chunked(b"2;a\rb\r\nab\r\n0\r\n\r\n" + HIDDEN), BAD),
    Case("9112-7.1.1", "NUL in it", chunked(b"2;a\0\r\nab\r\n0\r\n\r\n" + HIDDEN), BAD),
    Case("9112-7.1.1", "CR LF in a quoted value", chunked(b'2;a="\r\nab"\r\n0\r\n\r\n' + HIDDEN), BAD),
    Case("9112-7.1.1", "above the limit on headers", chunked(b"2;" + b"a" * (HEADER_BYTES + 20) + b"\r\nab\r\n0\r\n\r\n"), (Refused((400, 413, 431)),)),
    Case("9112-7.1.1", "above the limit on headers together",
         chunked((b"1;" + b"a" * 300 + b"\r\nx\r\n") * 20 + b"0\r\n\r\n"), (Refused((400, 413, 431)),)),
    Case("9112-7.1.2", "one", chunked(b"0\r\nX-Trailer: b\r\n\r\n"), body(b"", without=("x-trailer",))),
    Case("9112-7.1.2", "one that was announced", chunked(b"1\r\na\r\n0\r\nX-Trailer: b\r\n\r\n", b"Trailer: X-Trailer"),
         body(b"a", without=("x-trailer",))),
    Case("9112-7.1.2", "framing fields in them", chunked(b"0\r\nContent-Length: 43\r\nTransfer-Encoding: chunked\r\n\r\n") + get(start=b"GET /next HTTP/1.1"),
         (*body(b"", without=("content-length",)), Taken("/next"))),
    Case("9112-7.1.2", "Host in them", chunked(b"0\r\nHost: evil\r\n\r\n"), body(b"", fields=(("host", "site"),))),
    Case("9112-7.1.2", "one without a colon", chunked(b"0\r\nab\r\n\r\n" + HIDDEN), BAD),
    Case("9112-7.1.2", "one without a name", chunked(b"0\r\n: b\r\n\r\n" + HIDDEN), BAD),
    Case("9112-7.1.2", "white space before the colon", chunked(b"0\r\na : b\r\n\r\n" + HIDDEN), BAD),
    Case("9112-7.1.2", "a folded one", chunked(b"0\r\na: b\r\n c\r\n\r\n" + HIDDEN), BAD),
    Case("9112-7.1.2", "NUL in one", chunked(b"0\r\na: b\0\r\n\r\n" + HIDDEN), BAD),
    Case("9112-7.1.2", "one that ends with LF", chunked(b"0\r\na: b\n\r\n" + HIDDEN), BAD),
    Case("9112-7.1.2", "above the limit on headers", chunked(b"0\r\n" + b"a: " + b"b" * HEADER_BYTES + b"\r\n\r\n"), (Refused((400, 413, 431)),)),
    Case("9112-7.4", "TE: trailers", get(b"TE: trailers", b"Connection: TE"), (Taken(),)),
    Case("9112-7.4", "TE: deflate;q=0.5", get(b"TE: deflate;q=0.5", b"Connection: TE"), (Taken(),)),
]  # fmt: skip

ENDS = [
    Case("9112-8", "a body that is shorter than its length", post(b"Content-Length: 5", body=b"ab"), (Unfinished(),)),
    Case("9112-8", "no byte of a body", post(b"Content-Length: 5"), (Unfinished(),)),
    Case("9112-8", "a chunk that is shorter than its size", chunked(b"5\r\nab"), (Unfinished(),)),
    Case("9112-8", "no last chunk", chunked(b"2\r\nab\r\n"), (Unfinished(),)),
    Case("9112-8", "no empty line behind the last chunk", chunked(b"2\r\nab\r\n0\r\n"), (Unfinished(),)),
    Case("9112-8", "half of a trailer", chunked(b"2\r\nab\r\n0\r\na: b\r\n"), (Unfinished(),)),
    Case("9112-8", "a whole request before it", get() + post(b"Content-Length: 5", body=b"ab"), (Taken(), Unfinished())),
    Case("9112-9.3", "close", get(b"Connection: close"), (Taken(closes=True),)),
    Case("9112-9.3", "Close, among others", get(b"Connection: keep-alive, Close"), (Taken(closes=True),)),
    Case("9112-9.3", "close in a second line", get(b"Connection: keep-alive", b"Connection: close"), (Taken(closes=True),)),
    Case("9112-9.3", "keep-alive of HTTP/1.0", get(b"Connection: keep-alive", start=b"GET / HTTP/1.0"), (Taken(version="1.0"),)),
    Case("9112-9.3", "keep-alive and close of HTTP/1.0", get(b"Connection: keep-alive, close", start=b"GET / HTTP/1.0"),
         (Taken(version="1.0", closes=True),)),
    Case("9112-9.3", "Proxy-Connection is not Connection", get(b"Proxy-Connection: close"), (Taken(),)),
    Case("9112-9.3.2", "three", b"".join(get(start=b"GET /%d HTTP/1.1" % number) for number in range(3)),
         tuple(Taken(f"/{number}") for number in range(3))),
    Case("9112-9.3.2", "forty", b"".join(get(start=b"GET /%d HTTP/1.1" % number) for number in range(40)),
         tuple(Taken(f"/{number}") for number in range(40))),
    Case("9112-9.3.2", "with bodies of both kinds",
         post(b"Content-Length: 2", body=b"ab") + chunked(b"1\r\nc\r\n0\r\n\r\n") + get(), (*body(b"ab"), *body(b"c"), Taken())),
    Case("9112-9.3.2", "a refused one behind a good one", get() + get(host=b""), (Taken(), Refused((400,)))),
    Case("9112-9.6", "behind close", get(b"Connection: close") + get(start=b"GET /hidden HTTP/1.1"), (Taken(closes=True),)),
    Case("9112-9.6", "behind a body and close", post(b"Content-Length: 2", b"Connection: close", body=b"ab") + HIDDEN,
         body(b"ab", closes=True)),
]  # fmt: skip

CASES = [*CODINGS, *LENGTHS, *CHUNKS, *ENDS]
