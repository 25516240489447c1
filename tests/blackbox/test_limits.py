"""Limits and timeouts, with small values in the file."""

from __future__ import annotations

import pytest

from support.raw import Raw


def limited(serve, table: str, **values: str | int):
    text = "".join(
        f"{key} = {value if isinstance(value, int) else repr(value)}\n" for key, value in values.items()
    )
    return serve(rest=f"[{table}]\n{text}")


def test_a_long_request_line_is_414(serve):
    server = limited(serve, "limits", request_line=100)
    with Raw(server.first.place) as client:
        assert client.get("/hello?" + "q" * 60).status == 200
        assert client.get("/hello?" + "q" * 200).status == 414
        assert client.closed()


def test_a_request_line_without_an_end_is_414(serve):
    server = limited(serve, "limits", request_line="1KiB")
    with Raw(server.first.place) as client:
        client.send(b"GET /" + b"a" * 20_000)
        assert client.response().status == 414
        assert client.closed()


def test_too_large_headers_are_431(serve):
    server = limited(serve, "limits", header_size="1KiB")
    with Raw(server.first.place) as client:
        assert client.get("/hello", "X-A: " + "a" * 600).status == 200
        assert client.get("/hello", "X-A: " + "a" * 2000).status == 431
        assert client.closed()


def test_headers_without_an_end_are_431(serve):
    server = limited(serve, "limits", header_size="1KiB")
    with Raw(server.first.place) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: t\r\nX-A: " + b"a" * 50_000)
        assert client.response().status == 431
        assert client.closed()


def test_too_many_headers_are_431(serve):
    server = limited(serve, "limits", header_count=5)
    with Raw(server.first.place) as client:
        assert client.get("/hello", *["X-A: a"] * 4).status == 200
        assert client.get("/hello", *["X-A: a"] * 5).status == 431
        assert client.closed()


def test_a_body_that_is_announced_too_long_is_413_before_the_application_sees_it(serve):
    server = limited(serve, "limits", body_size=10)
    with Raw(server.first.place) as client:
        client.request("/echo", method="POST", body=b"0123456789")
        assert client.response().status == 200
        client.request("/echo", "Content-Length: 11", method="POST")
        assert client.response().status == 413
        assert client.closed()


def test_a_chunked_body_that_grows_too_long_is_413(serve):
    server = limited(serve, "limits", body_size=10)
    with Raw(server.first.place) as client:
        client.request(
            "/echo", "Transfer-Encoding: chunked", method="POST", body=b"b\r\n01234567890\r\n0\r\n\r\n"
        )
        assert client.response().status == 413
        assert client.closed()


def test_zero_is_no_limit(serve):
    server = limited(serve, "limits", body_size=0, header_count=0, header_size=0, request_line=0)
    with Raw(server.first.place) as client:
        assert client.get("/hello?" + "q" * 30_000, *["X-A: " + "a" * 1000] * 300).status == 200


def test_at_the_limit_of_connections_new_ones_wait_and_are_served_later(serve):
    server = limited(serve, "limits", connections=2)
    with Raw(server.first.place) as first, Raw(server.first.place) as second:
        assert first.get("/hello").status == second.get("/hello").status == 200
        with Raw(server.first.place) as third:
            third.request("/hello")
            assert third.silent(0.5)
            first.close()
            assert third.response().body == b"hello\n"
        assert second.get("/hello").status == 200


def test_a_new_connection_that_says_nothing_is_closed_silently(serve):
    server = limited(serve, "timeouts", request_head="300ms")
    with Raw(server.first.place) as client:
        assert client.read_to_end() == b""


def test_a_head_that_does_not_end_is_408(serve):
    server = limited(serve, "timeouts", request_head="300ms")
    with Raw(server.first.place) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: t\r\nX-Slow: ")
        assert client.response().status == 408
        assert client.closed()


def test_a_trickle_of_header_bytes_does_not_hold_the_connection(serve):
    server = limited(serve, "timeouts", request_head="300ms")
    with Raw(server.first.place) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: t\r\n")
        while client.silent(0.05):
            client.send(b"X-A: a\r\n")
        assert client.response().status == 408


def test_a_second_head_that_does_not_end_is_408_too(serve):
    server = limited(serve, "timeouts", request_head="300ms", keep_alive="30s")
    with Raw(server.first.place) as client:
        assert client.get("/hello").status == 200
        client.send(b"GET / HT")
        assert client.response().status == 408


def test_an_idle_connection_is_closed_after_keep_alive(serve):
    server = limited(serve, "timeouts", keep_alive="300ms")
    with Raw(server.first.place) as client:
        assert client.get("/hello").status == 200
        assert client.closed()


def test_keep_alive_zero_closes_after_each_answer(serve):
    server = limited(serve, "timeouts", keep_alive="0s")
    with Raw(server.first.place) as client:
        assert client.get("/hello").one("connection") == "close"
        assert client.closed()


def test_a_body_that_stops_coming_is_408(serve):
    server = limited(serve, "timeouts", request_body="300ms")
    with Raw(server.first.place) as client, Raw(server.first.place) as observer:
        client.request("/upload", "Content-Length: 100", method="POST")
        client.send(b"a little")
        assert client.response().status == 408
        assert client.closed()
        # Told by http.disconnect or by a cancellation: the application does not wait for ever.
        assert observer.get("/wait?event=upload:").status == 200


def test_a_client_that_does_not_read_is_cut(serve):
    server = limited(serve, "timeouts", response_write="300ms")
    with Raw(server.first.place, receive_buffer=4096) as client, Raw(server.first.place) as observer:
        client.request("/endless")
        ended = observer.get("/wait?event=endless:ended").body
        assert ended in {b"endless:ended OSError", b"endless:ended CancelledError"}


def test_an_application_that_does_not_begin_to_answer_is_503(serve):
    server = limited(serve, "timeouts", application="300ms")
    with Raw(server.first.place) as client, Raw(server.first.place) as observer:
        client.request("/hang")
        assert client.response().status == 503
        assert observer.get("/wait?event=hang:cancelled").status == 200


def test_an_application_that_does_not_finish_is_cut(serve):
    server = limited(serve, "timeouts", application="300ms")
    with Raw(server.first.place) as client:
        client.request("/steps")
        said = client.read_to_end()
        assert b"first\n" in said
        assert not said.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("table", ["limits", "timeouts"])
def test_a_listener_has_its_own_values(serve, table):
    value = "body_size = 3" if table == "limits" else 'keep_alive = "0s"'
    server = serve(
        f'[listeners.strict]\naddress = "127.0.0.1"\nport = 0\n[listeners.strict.{table}]\n{value}\n'
        '[listeners.loose]\naddress = "127.0.0.1"\nport = 0\n'
    )
    outcomes = {}
    for name in ("strict", "loose"):
        with Raw(server.listener(name).place) as client:
            client.request("/echo", method="POST", body=b"four")
            got = client.response()
            outcomes[name] = (got.status, got.one("connection") == "close")
    assert outcomes["loose"] == (200, False)
    assert outcomes["strict"] == ((413, True) if table == "limits" else (200, True))
