"""How connections over TLS end: each with a closure alert (RFC 9112 9.8), and none waits for its client's."""

from __future__ import annotations

import socket
import ssl

import pytest

from support.files import self_signed
from support.raw import Raw
from support.server import PATIENCE_S
from support.websocket import frame, frames

POST = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
UPGRADE = (
    b"GET /ws/echo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class Secure(Raw):
    """A client over TLS that takes a FIN without a closure alert for the error that it is."""

    def __init__(self, server) -> None:
        super().__init__(server.first.place)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 1 << 7)  # Python 3.12 has the name
        self.socket = context.wrap_socket(self.socket, suppress_ragged_eofs=False)

    def _more(self) -> bytes:
        return self.socket.recv(65536)  # a reset is not an end

    def read_below(self) -> bytes:
        """Read to the end of the TCP connection without a look at what it is, as a client that is idle."""
        with socket.socket(fileno=self.socket.detach()) as connection:
            connection.settimeout(PATIENCE_S)
            return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.fixture
def secure(serve, tmp_path):
    certificate, key = self_signed(tmp_path)
    endpoint = f"ssl:0:interface=127.0.0.1:privateKey={key}:certKey={certificate}"
    return lambda rest="": serve(f"[listeners.tls]\nendpoint = '{endpoint}'\n", rest=rest)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", 200),
        (b"GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200),
        (b"GET\r\n\r\n", 400),
        (POST % 100_001, 413),
        (POST % 10_000_000 + bytes(10_000_000), 413),
        (POST % 9, 408),
        (b"GET /hang HTTP/1.1\r\nHost: x\r\n\r\n", 503),
    ],
    ids=["keep-alive", "close", "400", "413", "413 and ten megabytes", "408", "503"],
)
def test_an_answer_is_whole_and_its_end_is_announced(secure, sent, status):
    server = secure(
        "[limits]\nbody_size = 100000\n"
        '[timeouts]\nkeep_alive = "300ms"\nrequest_body = "300ms"\napplication = "300ms"\n'
    )
    with Secure(server) as client:
        client.send(sent)
        assert client.response().status == status
        assert client.read_to_end() == b""
    assert "did not read" not in server.err.text


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_an_answer_that_is_cut_does_not_look_whole(secure, version):
    with Secure(secure('[timeouts]\napplication = "300ms"\n')) as client:
        client.request("/steps", version=version)
        assert client.read_until(b"first\n")
        with pytest.raises(OSError, match=r"EOF|reset"):
            client.read_to_end()


def test_a_websocket_that_is_failed_ends_with_an_alert_too(secure):
    with Secure(secure()) as client:
        client.send(UPGRADE)
        assert client.response().status == 101
        client.send(frame(3))
        ((_, payload),) = frames(client.read_to_end())
        assert payload[:2] == (1002).to_bytes(2, "big")


def test_a_client_that_was_told_of_the_close_and_never_looks_is_not_waited_for(secure):
    with Secure(secure()) as client:
        assert client.get("/hello", "Connection: close").status == 200
        assert client.read_below()


def test_a_long_last_answer_is_whole(secure):
    size = 20_000_000
    with Secure(secure()) as client:
        client.request(f"/large?size={size}", "Connection: close")
        client.read_until(b"\r\n\r\n")
        assert len(client.read_to_end()) == size


def test_an_idle_client_that_never_looks_is_closed_when_its_time_is_over(secure):
    with Secure(secure('[timeouts]\nkeep_alive = "300ms"\n')) as client:
        assert client.get("/hello").status == 200
        assert client.read_below()  # the alert, and then the FIN


def test_a_stop_does_not_wait_for_an_idle_client_that_never_looks(secure):
    server = secure('[timeouts]\nkeep_alive = "1h"\ndrain = "1h"\n')
    with Secure(server) as client:
        assert client.get("/hello").status == 200
        assert server.stop() == 0
        assert client.read_below()
