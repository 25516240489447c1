"""Files as answers on every kind of listener: plain, a unix socket, TLS."""

from __future__ import annotations

import hashlib
import ssl

import pytest

from support.files import self_signed
from support.memory import MEBIBYTE, resident_kib
from support.raw import Raw

SIZE = 8 * MEBIBYTE


@pytest.fixture
def server(serve, tmp_path):
    certificate, key = self_signed(tmp_path)
    endpoint = f"ssl:0:interface=127.0.0.1:privateKey={key}:certKey={certificate}"
    return serve(
        "[listeners.plain]\naddress = '127.0.0.1'\nport = 0\n"
        f"[listeners.local]\nunix = '{tmp_path / 'socket'}'\n"
        f"[listeners.tls]\nendpoint = '{endpoint}'\n"
    )


class Secure(Raw):
    """The same over TLS."""

    def __init__(self, place, context: ssl.SSLContext) -> None:
        super().__init__(place)
        self.socket = context.wrap_socket(self.socket, server_hostname="127.0.0.1")


def connect(server, name: str, tmp_path) -> Raw:
    place = server.listener(name).place
    if name != "tls":
        return Raw(place)
    return Secure(place, ssl.create_default_context(cafile=str(tmp_path / "certificate.pem")))


@pytest.mark.parametrize("how", ["pathsend", "zerocopysend"])
@pytest.mark.parametrize("name", ["plain", "local", "tls"])
def test_a_file_arrives_as_it_is(server, tmp_path, name, how):
    with connect(server, name, tmp_path) as client:
        for size in (SIZE, 4096, 0):
            got = client.get(f"/file?size={size}&how={how}")
            assert len(got.body) == size
            assert got.one("content-length") == str(size)
            assert hashlib.sha256(got.body).hexdigest() == got.one("x-sha256")


@pytest.mark.parametrize("name", ["plain", "local", "tls"])
def test_a_client_that_leaves_a_file_ends_it(server, tmp_path, name):
    with Raw(server.listener("plain").place) as observer:
        client = connect(server, name, tmp_path)
        client.request(f"/file?size={64 * MEBIBYTE}")
        client.read_until(b"\r\n\r\n")
        client.socket.close()
        assert observer.get("/wait?event=file").body == b"file:OSError"


@pytest.mark.parametrize("name", ["plain", "tls"])
def test_files_for_slow_readers_do_not_pile_up_in_memory(server, tmp_path, name):
    before = resident_kib(server.pid)
    clients = []
    for _ in range(10):
        clients.append(connect(server, name, tmp_path))
        clients[-1].request(f"/file?size={32 * MEBIBYTE}")
    for client in clients:
        client.read_until(b"\r\n\r\n")
    with Raw(server.listener("plain").place) as other:
        assert other.get("/hello").body == b"hello\n"  # and everybody else is served
    # Making the files took the application 32 MiB twice at a time, which is not held.
    assert resident_kib(server.pid) - before < 10 * 16 * 1024
    for client in clients:
        client.close()
