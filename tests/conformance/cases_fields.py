# ruff: noqa: E501 - a case of the table is a line or two
"""Cases about field lines (RFC 9112 5, RFC 9110 5, 7.8 and 10.1.1)."""

from __future__ import annotations

from conformance.model import HEADER_BYTES, HEADER_COUNT, Case, Refused, Taken, get, post

BAD = (Refused((400,)),)
OK = (Taken(),)


def a(value: str, name: str = "a") -> tuple[Taken, ...]:
    """The request with a field ``a`` of this value."""
    return (Taken(fields=((name, value),)),)


FIELD_LINES = [
    Case("9112-5", "no space behind the colon", get(b"A:b"), a("b")),
    Case("9112-5", "spaces and tabs around the value", get(b"A: \t b \t "), a("b")),
    Case("9112-5", "an empty value", get(b"A:"), a("")),
    Case("9112-5", "a value of white space", get(b"A: \t "), a("")),
    Case("9112-5", "colons in the value", get(b"A: b:c: d"), a("b:c: d")),
    Case("9112-5", "no colon", get(b"A"), BAD),
    Case("9112-5", "no name", get(b": b"), BAD),
    Case("9112-5", "only a colon", get(b":"), BAD),
    Case("9112-5.1", "a space", get(b"A : b"), BAD),
    Case("9112-5.1", "a tab", get(b"A\t: b"), BAD),
    Case("9112-5.1", "a vertical tab", get(b"A\x0b: b"), BAD),
    Case("9112-5.1", "before Content-Length's", post(b"Content-Length : 2", body=b"ab"), BAD),
    Case("9112-5.1", "before Transfer-Encoding's", post(b"Transfer-Encoding : chunked", body=b"0\r\n\r\n"), BAD),
    Case("9112-5.1", "before Transfer-Encoding's, a tab", post(b"Transfer-Encoding\t:chunked", body=b"0\r\n\r\n"), BAD),
    Case("9112-5.2", "with a space", get(b"A: b", b" c"), BAD),
    Case("9112-5.2", "with a tab", get(b"A: b", b"\tc"), BAD),
    Case("9112-5.2", "with nothing else in it", get(b"A: b", b" "), BAD),
    Case("9112-5.2", "of Host", b"GET / HTTP/1.1\r\nHost:\r\n site\r\n\r\n", BAD),
    Case("9112-5.2", "of Transfer-Encoding", post(b"Transfer-Encoding:", b" chunked", body=b"0\r\n\r\n"), BAD),
    Case("9112-5.2", "of Content-Length", post(b"Content-Length: 1", b" 0", body=b"a"), BAD),
    Case("9112-5.2", "a name of another field in it", get(b"A: b", b" Transfer-Encoding: chunked"), BAD),
    Case("9110-5.1", "in upper case", get(b"X-NAME: b"), a("b", "x-name")),
    Case("9110-5.1", "Host in lower case", get(host=b"host: site"), OK),
    Case("9110-5.1", "CONTENT-LENGTH", post(b"CONTENT-LENGTH: 2", body=b"ab"), (Taken(method="POST", body=b"ab"),)),
    Case("9110-5.2", "twice", get(b"A: b", b"A: c"), (Taken(fields=(("a", "b"), ("a", "c"))),)),
    Case("9110-5.2", "twice, in different case", get(b"A: b", b"a: c"), (Taken(fields=(("a", "b"), ("a", "c"))),)),
    Case("9110-5.3", "three times, with another between", get(b"A: 1", b"B: x", b"A: 2", b"A: 3"),
         (Taken(fields=(("a", "1"), ("b", "x"), ("a", "2"), ("a", "3"))),)),
    Case("9110-5.3", "Cookie in two lines", get(b"Cookie: a=b", b"Cookie: c=d"),
         (Taken(fields=(("cookie", "a=b"), ("cookie", "c=d"))),)),
    Case("9110-5.4", "as many as may be", get(*[b"A: b"] * (HEADER_COUNT - 2)), OK),
    Case("9110-5.4", "one more", get(*[b"A: b"] * HEADER_COUNT), (Refused((431,)),)),
    Case("9110-5.4", "large ones within the limit", get(b"A: " + b"b" * (HEADER_BYTES - 600)), OK),
    Case("9110-5.4", "larger ones", get(b"A: " + b"b" * HEADER_BYTES), (Refused((431,)),)),
    Case("9110-5.4", "a larger name", get(b"A" * HEADER_BYTES + b": b"), (Refused((431,)),)),
    *(Case("9110-5.5", f"byte {byte:#04x} in the middle", get(b"A: b%bc" % bytes((byte,))), BAD)
      for byte in (0x00, 0x01, 0x07, 0x08, 0x0B, 0x0C, 0x0E, 0x1B, 0x1F, 0x7F)),
    Case("9110-5.5", "NUL at the beginning", get(b"A: \0b"), BAD),
    Case("9110-5.5", "NUL at the end", get(b"A: b\0"), BAD),
    Case("9110-5.5", "NUL in Host", get(host=b"Host: si\0te"), BAD),
    Case("9110-5.5", "a vertical tab before chunked", post(b"Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n"), BAD),
    Case("9110-5.5", "a form feed behind a length", post(b"Content-Length: 2\x0c", body=b"ab"), BAD),
    Case("9110-5.5a", "UTF-8", get("A: caf\u00e9".encode()), a("caf\u00c3\u00a9")),
    Case("9110-5.5a", "octets above 127", get(b"A: \x80\xff"), a("\x80\xff")),
    Case("9110-5.5a", "a no-break space is no white space", get(b"A: \xa0b\xa0"), a("\xa0b\xa0")),
    Case("9110-5.5a", "a next line is no line's end", get(b"A: b\x85c"), a("b\x85c")),
    Case("9110-5.5a", "a tab in the middle stays", get(b"A: b\tc"), a("b\tc")),
    Case("9110-5.6.1", "of Connection", get(b"Connection: , close, ,"), (Taken(closes=True),)),
    Case("9110-5.6.1", "of Expect", post(b"Expect: ,100-continue, ,", b"Content-Length: 2", body=b"ab"),
         (Taken(method="POST", body=b"ab"),)),
    Case("9110-5.6.1", "in Accept-Encoding are left to the application", get(b"Accept-Encoding: ,gzip,,"),
         a(",gzip,,", "accept-encoding")),
    *(Case("9110-5.6.2", f"`{chr(byte)}`" if 32 < byte < 127 else f"byte {byte:#04x}", get(b"A%bB: c" % bytes((byte,))), BAD)
      for byte in b'"(),/;<=>?@[\\]{} \t\0\x7f\x80\xad\xff'),
    Case("9110-5.6.2", "every byte of a token", get(b"!#$%&'*+-.^_`|~09AZaz: b"), a("b", "!#$%&'*+-.^_`|~09azaz")),
    Case("9110-5.6.2", "a name of digits", get(b"1: b"), a("b", "1")),
    Case("9110-5.6.3", "a tab behind the colon", get(b"A:\tb"), a("b")),
    Case("9110-5.6.3", "tabs around a length", post(b"Content-Length:\t2\t", body=b"ab"), (Taken(method="POST", body=b"ab"),)),
    Case("9110-5.6.3", "around list elements", get(b"Connection: a ,\tclose\t"), (Taken(closes=True),)),
    Case("9110-5.6.4", "a comma in quotes", get(b'A: "b, c", d'), a('"b, c", d')),
    Case("9110-5.6.4", "chunked in quotes is no chunked", post(b'Transfer-Encoding: "chunked"', body=b"0\r\n\r\n"),
         (Refused((400, 501)),)),
    Case("9110-5.6.4", "a parameter's quotes hide a comma", post(b'Transfer-Encoding: a;b=", chunked"', body=b"0\r\n\r\n"),
         (Refused((400, 501)),)),
]  # fmt: skip

UPGRADES = [
    Case("9110-7.8", "h2c", get(b"Upgrade: h2c", b"Connection: Upgrade, HTTP2-Settings", b"HTTP2-Settings: AAMAAABkAAQAAP__"), OK),
    Case("9110-7.8", "h2c with a body", post(b"Upgrade: h2c", b"Connection: Upgrade", b"Content-Length: 2", body=b"ab"),
         (Taken(method="POST", body=b"ab"),)),
    Case("9110-7.8", "TLS", get(b"Upgrade: TLS/1.0", b"Connection: Upgrade", start=b"OPTIONS * HTTP/1.1"),
         (Taken("*", method="OPTIONS"),)),
    Case("9110-7.8", "websocket of a POST", post(b"Upgrade: websocket", b"Connection: Upgrade", b"Content-Length: 2", body=b"ab"),
         (Taken(method="POST", body=b"ab"),)),
    Case("9110-7.8", "websocket without Connection", get(b"Upgrade: websocket"), OK),
    Case("9110-7.8", "websocket of HTTP/1.0", get(b"Upgrade: websocket", b"Connection: Upgrade", start=b"GET / HTTP/1.0"),
         (Taken(version="1.0", closes=True),)),
    Case("9110-7.8", "a protocol and pipelined requests", get(b"Upgrade: foo", b"Connection: Upgrade") + get(), OK * 2),
]  # fmt: skip

EXPECTATIONS = [
    Case("9110-10.1.1", "is answered when the application reads",
         post(b"Expect: 100-continue", b"Content-Length: 5"), (Taken(method="POST", body=b"hello"),), waits=b"hello"),
    Case("9110-10.1.1", "with a chunked body",
         post(b"Expect: 100-continue", b"Transfer-Encoding: chunked"), (Taken(method="POST", body=b"hello"),),
         waits=b"5\r\nhello\r\n0\r\n\r\n"),
    Case("9110-10.1.1", "in mixed case",
         post(b"Expect: 100-Continue", b"Content-Length: 5"), (Taken(method="POST", body=b"hello"),), waits=b"hello"),
    Case("9110-10.1.1", "with the body at once", post(b"Expect: 100-continue", b"Content-Length: 2", body=b"ab"),
         (Taken(method="POST", body=b"ab"),)),
    Case("9110-10.1.1", "twice, in two lines", post(*[b"Expect: 100-continue"] * 2, b"Content-Length: 5"),
         (Taken(method="POST", body=b"hello"),), waits=b"hello"),
    Case("9110-10.1.1", "without a body", get(b"Expect: 100-continue"), OK),
    Case("9110-10.1.1", "another one", post(b"Expect: cake", b"Content-Length: 2", body=b"ab"), (Refused((417,)),)),
    Case("9110-10.1.1", "two", post(b"Expect: 100-continue", b"Expect: cake", b"Content-Length: 2", body=b"ab"),
         (Refused((417,)),)),
    Case("9110-10.1.1", "another one without a body", get(b"Expect: 200-ok"), (Refused((417,)),)),
    Case("9110-10.1.1", "one with a parameter", post(b"Expect: 100-continue;a=b", b"Content-Length: 2", body=b"ab"),
         (Refused((417,)),)),
    Case("9110-10.1.1", "in HTTP/1.0 it is ignored",
         get(b"Expect: 100-continue", b"Content-Length: 2", start=b"POST / HTTP/1.0") + b"ab",
         (Taken(method="POST", body=b"ab", version="1.0", closes=True),)),
    Case("9110-9.3.2", "an answer to HEAD", get(start=b"HEAD / HTTP/1.1"), (Taken(method="HEAD"),)),
    Case("9110-9.3.2", "HEAD, then GET", get(start=b"HEAD / HTTP/1.1") + get(), (Taken(method="HEAD"), Taken())),
    Case("9110-9.3.2", "a refused HEAD", get(start=b"HEAD / HTTP/1.1", host=b""), BAD),
    Case("9110-9.3.2", "HEAD with a body", get(b"Content-Length: 2", start=b"HEAD / HTTP/1.1") + b"ab",
         (Taken(method="HEAD", body=b"ab"),)),
]  # fmt: skip

CASES = [*FIELD_LINES, *UPGRADES, *EXPECTATIONS]
