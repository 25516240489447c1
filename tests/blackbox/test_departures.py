"""Clients that leave, half or whole, and clients and applications that are slow."""

from __future__ import annotations

import os
import re
import socket
import ssl

import pytest

from support.files import self_signed
from support.memory import MEBIBYTE, UPGRADE, at_rest_kib, resident_kib
from support.raw import Raw


@pytest.fixture
def server(serve):
    return serve()


@pytest.fixture
def observer(server):
    """A second connection, to ask the application what it saw."""
    with Raw(server.first.place) as connection:
        yield connection


def event(observer: Raw, start: str) -> str:
    return observer.get(f"/wait?event={start}").body.decode()


def last_count(observer: Raw, start: str) -> int:
    """The highest number the application recorded behind ``start``."""
    return max(int(number) for number in re.findall(rf"{start} (\d+)", observer.get("/seen").body.decode()))


def test_a_half_closed_client_gets_its_answer(server):
    with Raw(server.first.place) as client:
        client.request("/hello")
        client.half_close()
        assert client.response().body == b"hello\n"
        assert client.closed()


def test_a_fin_is_a_disconnect_but_what_is_sent_then_is_written(server, observer):
    with Raw(server.first.place) as client:
        client.request("/departure")
        event(observer, "departure:called")
        client.half_close()
        assert event(observer, "departure:http") == "departure:http.disconnect"
        assert client.response().body == b"late answer\n"
        assert event(observer, "departure:answered")
        assert client.closed()


@pytest.mark.parametrize("message", [b"", b"\x81\x81\0\0\0\0m", b"\x81\x81\0"])
def test_a_fin_that_came_while_another_request_was_served_ends_a_websocket(server, observer, message):
    with Raw(server.first.place) as client:
        client.request("/departure")
        event(observer, "departure:called")
        client.request("/ws/echo", *UPGRADE)
        client.send(message)
        client.half_close()
        assert client.response().body == b"late answer\n"
        assert b"\x89\x00" not in client.read_to_end()  # nobody is asked whether he is still there


def test_after_a_reset_send_raises_oserror(server, observer):
    client = Raw(server.first.place)
    client.request("/departure")
    event(observer, "departure:called")
    client.reset()
    assert event(observer, "departure:http") == "departure:http.disconnect"
    assert event(observer, "departure:OSError")


@pytest.mark.parametrize("how", ["close_notify", "a record that is none"])
def test_the_end_of_a_tls_session_is_a_departure(serve, tmp_path, how):
    certificate, key = self_signed(tmp_path)
    endpoint = f"ssl:0:interface=127.0.0.1:privateKey={key}:certKey={certificate}"
    server = serve(
        f"[listeners.plain]\naddress = '127.0.0.1'\nport = 0\n[listeners.tls]\nendpoint = '{endpoint}'\n"
    )
    places = {line.name: line.place for line in server.listeners}
    context = ssl.create_default_context(cafile=str(certificate))
    with Raw(places["plain"]) as observer, socket.create_connection(places["tls"]) as connection:
        client = context.wrap_socket(connection, server_hostname="127.0.0.1", suppress_ragged_eofs=False)
        client.sendall(b"GET /departure HTTP/1.1\r\nHost: x\r\n\r\n")
        event(observer, "departure:called")
        if how == "close_notify":
            assert client.unwrap().recv(1) == b""
        else:
            os.write(client.fileno(), b"\x17\x03\x03\x00\x10" + bytes(16))
        assert event(observer, "departure:http") == "departure:http.disconnect"
        assert event(observer, "departure:OSError")
        client.close()


def test_a_reset_ends_a_stream_with_oserror(server, observer):
    client = Raw(server.first.place)
    client.request("/endless")
    client.read_exactly(MEBIBYTE)
    client.reset()
    assert event(observer, "endless:ended") == "endless:ended OSError"


def test_a_client_that_closes_while_it_is_sent_to_ends_the_stream_with_oserror(server, observer):
    client = Raw(server.first.place)
    client.request("/endless")
    client.read_exactly(MEBIBYTE)
    client.close()
    assert event(observer, "endless:ended") == "endless:ended OSError"


def test_an_upload_that_breaks_off_is_a_disconnect(server, observer):
    with Raw(server.first.place) as client:
        client.request("/upload", "Content-Length: 1000", method="POST")
        client.send(b"only this")
    assert event(observer, "upload:")


def test_an_upload_that_is_reset_is_a_disconnect(server, observer):
    client = Raw(server.first.place)
    client.request("/upload", "Content-Length: 1000", method="POST")
    client.send(b"only this")
    client.reset()
    assert event(observer, "upload:")


def test_send_waits_for_a_client_that_does_not_read(server, observer):
    before = at_rest_kib(server)
    with Raw(server.first.place, receive_buffer=4096) as client:
        client.request("/endless")
        client.read_until(b"\r\n\r\n")
        event(observer, "endless:sent")
        taken = -1
        while (now := last_count(observer, "endless:sent")) != taken:
            taken = now
            assert taken < 32 * MEBIBYTE, "send never waited"
            assert observer.silent(0.3)
        assert resident_kib(server.pid) - before < 16 * 1024
        client.read_exactly(8 * MEBIBYTE)  # and once it reads, it goes on
        assert last_count(observer, "endless:sent") > taken


def test_reading_stops_when_the_application_does_not_take_the_body(server, observer):
    before = at_rest_kib(server)
    body = b"b" * (64 * MEBIBYTE)
    with Raw(server.first.place) as client:
        client.request("/late", f"Content-Length: {len(body)}", method="POST")
        sent = client.send_what_fits(body)
        assert sent < 32 * MEBIBYTE
        assert resident_kib(server.pid) - before < 16 * 1024
        observer.get("/set?event=read+on")
        client.send(body[sent:])
        assert client.response().body == b"%d\n" % len(body)


def test_a_reset_while_reading_is_paused_is_found(server, observer):
    client = Raw(server.first.place)
    client.request("/hang", f"Content-Length: {64 * MEBIBYTE}", method="POST")
    event(observer, "hang:softly")
    client.send_what_fits(b"b" * (64 * MEBIBYTE))
    client.reset()
    # application_close is 10 s by default: then an application that stays is cancelled.
    assert event(observer, "hang:cancelled")


def test_a_fin_while_reading_is_paused_is_found(server, observer):
    client = Raw(server.first.place)
    client.request("/departure")
    event(observer, "departure:called")
    client.send(b"GET /hello HTTP/1.1\r\nHost: t\r\n\r\n" * 2_000)  # more than is read, less than a window
    client.half_close()
    assert event(observer, "departure:http") == "departure:http.disconnect"
    client.close()


@pytest.mark.parametrize("how", ["reset", "close", "half_close"])
def test_an_application_is_cancelled_after_its_client_has_gone(serve, how):
    server = serve(rest='[timeouts]\napplication_close = "200ms"\n')
    with Raw(server.first.place) as observer:
        client = Raw(server.first.place)
        client.request("/hang")
        event(observer, "hang:softly")
        getattr(client, how)()
        assert event(observer, "hang:cancelled")
        server.err.wait_for(r"listener main.*cancelled")
        client.close()


def test_pipelined_requests_do_not_pile_up_in_memory(server, observer):
    before = at_rest_kib(server)
    with Raw(server.first.place) as client:
        client.request("/hang")
        event(observer, "hang:softly")
        request = b"GET /hello HTTP/1.1\r\nHost: t\r\n\r\n" * 2000
        sent = client.send_what_fits(request * 800)
        assert sent < 32 * MEBIBYTE
        assert resident_kib(server.pid) - before < 16 * 1024


def test_answers_that_are_not_read_do_not_pile_up_in_memory(server):
    before = at_rest_kib(server)
    with Raw(server.first.place, receive_buffer=4096) as client:
        client.send_what_fits(b"GET /large?size=1000000 HTTP/1.1\r\nHost: t\r\n\r\n" * 100_000)
        assert resident_kib(server.pid) - before < 16 * 1024
