"""Files and ports for a test."""

from __future__ import annotations

import errno
import secrets
import socket
from contextlib import closing
from pathlib import Path

SITE = Path(__file__).with_name("site")
FIRST_PORT, LAST_PORT = 10_000, 32_000
APPLICATION = """\
[application]
target = "{target}"
directory = "{directory}"
"""


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody holds now. Use port 0 and read the start line wherever that will do.

    It is below those that the kernel gives to whoever asks for any (ip(7), ip_local_port_range): no test that
    runs at the same time is given it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    while True:
        port = FIRST_PORT + secrets.randbelow(LAST_PORT - FIRST_PORT)
        with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
            try:
                probe.bind((host, port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                return port


def write(path: Path, text: str | bytes) -> Path:
    """Write a file, and the folders above it, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def probe_file(
    folder: Path, listeners: str = "", *, target: str = "probe:application", rest: str = ""
) -> Path:
    """Write ``listeners.toml`` for the probe application; with a loopback listener ``main`` by default."""
    listeners = listeners or '[listeners.main]\naddress = "127.0.0.1"\nport = 0\n'
    application = APPLICATION.format(target=target, directory=SITE)
    return write(folder / "listeners.toml", f"{application}\n{listeners}\n{rest}")


def self_signed(folder: Path, host: str = "127.0.0.1") -> tuple[Path, Path]:
    """Make a self-signed certificate, valid for a day; return the certificate's and the key's path."""
    import datetime as dt
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())  # made in no time
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    return write(folder / "certificate.pem", public), write(folder / "key.pem", secret)
