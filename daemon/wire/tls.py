"""What there is to say of a TLS session, asked of pyOpenSSL, on which Twisted's TLS stands."""

from __future__ import annotations

import ssl
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from asgid.daemon.seam import TLS


def session(transport: Any) -> TLS | None:
    """Return the facts of a transport's session (after its handshake); ``None`` where they cannot be had."""
    handle: Any = transport.getHandle() if hasattr(transport, "getHandle") else None
    if not hasattr(handle, "get_protocol_version"):
        return None
    chain = handle.get_peer_cert_chain() or ()
    return TLS(
        version=handle.get_protocol_version(),
        cipher=_numbers().get(handle.get_cipher_name() or ""),
        certificate=_pem(handle.get_certificate()),
        chain=tuple(_pem(each) or "" for each in chain),
        name=chain[0].to_cryptography().subject.rfc4514_string() if chain else None,
    )


def _pem(certificate: Any) -> str | None:
    """Return an OpenSSL certificate as text (RFC 7468)."""
    if certificate is None:
        return None
    return str(certificate.to_cryptography().public_bytes(Encoding.PEM).decode())


@cache
def _numbers() -> dict[str, int]:
    """Return the numbers of IANA's registry of TLS cipher suites by OpenSSL's names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    return {cipher["name"]: cipher["id"] & 0xFFFF for cipher in context.get_ciphers()}
