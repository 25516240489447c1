"""WebSockets over a memory transport: the same frames however they are cut, and every way to end."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import tracemalloc
from functools import partial

import pytest
from autobahn.twisted.websocket import WebSocketServerProtocol
from hypothesis import given, settings
from hypothesis import strategies as st

from support.connections import end_of_pair, kernel_holds
from support.websocket import (
    ACCEPT,
    BINARY,
    CLOSE,
    CONTINUATION,
    HEADERS,
    PING,
    PONG,
    TEXT,
    MemoryWebSocket,
    close_frame,
    frame,
)


def header(name: bytes, value: bytes | None) -> list[tuple[bytes, bytes]]:
    """The headers of a handshake with one of them changed, or left out."""
    rest = [pair for pair in HEADERS if pair[0] != name]
    return rest if value is None else [*rest, (name, value)]


# The handshake.


def test_the_handshake_is_the_one_of_the_rfc():
    answer = MemoryWebSocket().handshake
    assert answer.startswith(b"HTTP/1.1 101 Switching Protocols\r\nserver: asgid\r\ndate: ")
    assert b"\r\nSec-WebSocket-Accept: " + ACCEPT + b"\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")
    assert b"sec-websocket-protocol" not in answer.lower()
    assert b"sec-websocket-extensions" not in answer.lower()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (header(b"sec-websocket-version", b"8"), b"426"),
        (header(b"sec-websocket-version", b"14"), b"426"),
        (header(b"sec-websocket-version", b"thirteen"), b"400"),
        *(
            (header(b"sec-websocket-version", it), b"400")
            for it in (b"+13", b"1_3", b"013", b"", b"1" * 5000)
        ),
        *(
            (header(b"sec-websocket-protocol", it), b"400")
            for it in (b"a b", b"a;b", b'"a"', b"a, \xe9", b"a, a")
        ),
        (header(b"sec-websocket-version", None), b"400"),
        ([*HEADERS, (b"sec-websocket-version", b"13")], b"400"),
        (header(b"sec-websocket-key", None), b"400"),
        (header(b"sec-websocket-key", b"c2hvcnQ="), b"400"),
        (header(b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ!!"), b"400"),
        ([*HEADERS, (b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ==")], b"400"),
        (header(b"upgrade", b"h2c"), b"400"),
        (header(b"connection", b"close"), b"400"),
    ],
)
def test_a_bad_handshake_gets_a_whole_answer_and_never_reaches_the_application(headers, status):
    peer = MemoryWebSocket(accept=False, headers=headers)
    head, _, body = peer.written().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 " + status)
    assert b"\r\nserver: asgid\r\ndate: " in head
    assert b"\r\ncontent-length: %d\r\n" % len(body) in head
    assert b"\r\nconnection: close" in head
    assert not peer.asked
    assert peer.transport.write_ended
    assert peer.factory.counters.bad_requests == 1


@pytest.mark.parametrize("name", [b"sec-websocket-key", b"sec-websocket-version", b"sec-websocket-protocol"])
def test_a_client_does_not_choose_how_long_a_line_of_the_log_is(name, caplog):
    caplog.set_level("INFO")
    assert not MemoryWebSocket(accept=False, headers=header(name, b"a b" * 10_000)).asked
    assert 100 < len(caplog.text) < 600


def test_a_version_that_is_not_spoken_is_told_which_is():
    answer = MemoryWebSocket(accept=False, headers=header(b"sec-websocket-version", b"8")).written()
    assert b"\r\nsec-websocket-version: 13\r\n" in answer
    assert b"\r\nupgrade: websocket\r\n" in answer
    assert b"\r\nconnection: close, upgrade\r\n" in answer


@pytest.mark.parametrize("byte", [b"\x0b", b"\x0c", b"\x1c", b"\x1d", b"\x1e", b"\x85"])
@pytest.mark.parametrize("name", [b"upgrade", b"connection"])
def test_a_byte_that_would_split_a_header_of_the_handshake_is_refused(name, byte):
    value = dict(HEADERS)[name] + b", a" + byte + b"sec-websocket-key: x"
    peer = MemoryWebSocket(accept=False, headers=header(name, value))
    assert peer.written().startswith(b"HTTP/1.1 400")
    assert not peer.asked


def test_what_other_headers_hold_is_nothing_to_the_handshake():
    peer = MemoryWebSocket(headers=[*HEADERS, (b"cookie", "name=Åsa".encode()), (b"x", b"\x85" * 100)])
    assert peer.handshake.startswith(b"HTTP/1.1 101")


def test_empty_members_of_a_list_of_subprotocols_are_none():
    offered = [(b"sec-websocket-protocol", value) for value in (b",, a ,,,b,", b"", b" ,c")]
    for chosen in ("a", "b", "c"):
        peer = MemoryWebSocket(accept=False, headers=[*HEADERS, *offered])
        with pytest.raises(ValueError, match="not asked for"):
            peer.application.port.accept("", [])
        peer.application.port.accept(chosen, [])
        assert f"\r\nSec-WebSocket-Protocol: {chosen}\r\n".encode() in peer.written()


def test_headers_and_subprotocol_of_the_accept_are_carried_as_they_are():
    offered = [*HEADERS, (b"sec-websocket-protocol", b"chat, v1"), (b"sec-websocket-protocol", b"v2")]
    peer = MemoryWebSocket(accept=False, headers=offered)
    peer.application.port.accept(
        "v2", [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=\xe9"), (b"Server", b"mine")]
    )
    answer = peer.written()
    assert b"\r\nset-cookie: a=1\r\nset-cookie: b=\xe9\r\n" in answer
    assert b"\r\nSec-WebSocket-Protocol: v2\r\n" in answer
    assert answer.lower().count(b"\r\nserver:") == 1


@pytest.mark.parametrize(
    ("subprotocol", "headers"),
    [
        ("chat", []),
        (None, [(b"x", b"a\r\nb: c")]),
        (None, [(b"x y", b"a")]),
        (None, [(b"Sec-WebSocket-Accept", b"mine")]),
        (None, [(b"sec-websocket-protocol", b"chat")]),
    ],
)
def test_an_accept_that_cannot_be_written_raises_and_leaves_the_handshake_undecided(subprotocol, headers):
    peer = MemoryWebSocket(accept=False)
    with pytest.raises(ValueError):
        peer.application.port.accept(subprotocol, headers)
    assert peer.written() == b""
    peer.application.port.refuse(500, [], b"sorry")
    assert peer.written().startswith(b"HTTP/1.1 500 ")


def test_a_refusal_is_a_whole_response_and_tells_the_application_once():
    peer = MemoryWebSocket(accept=False)
    peer.application.port.refuse(403, [(b"x-why", b"closed")], b"no")
    answer = peer.written()
    assert answer.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert b"\r\nx-why: closed\r\n" in answer
    assert answer.endswith(b"content-length: 2\r\nconnection: close\r\n\r\nno")
    peer.lose()
    assert len(peer.application.ends) == 1
    assert [finished.status for finished in peer.finished] == [403]
    assert not peer.factory.connections


@pytest.mark.parametrize(
    ("status", "length", "lines"),
    [
        (204, None, []),
        (204, b"2", []),
        (205, b"2", [b"content-length: 0"]),
        (304, b"2", [b"content-length: 2"]),
        (304, None, []),
    ],
)
def test_a_refusal_whose_status_has_no_body_has_none(status, length, lines):
    peer = MemoryWebSocket(accept=False)
    headers = [] if length is None else [(b"Content-Length", length)]
    peer.application.port.refuse(status, iter([*headers, (b"x", b"y")]), b"no")
    head, _, body = peer.written().partition(b"\r\n\r\n")
    assert body == b""
    found = head.lower().split(b"\r\n")
    assert [line for line in found if line.startswith(b"content-length")] == lines
    assert b"x: y" in found


def test_what_the_server_alone_may_send_is_left_out_of_a_refusal_and_told(caplog):
    peer = MemoryWebSocket(accept=False)
    peer.application.port.refuse(403, [(b"transfer-encoding", b"chunked")], b"no")
    assert b"transfer-encoding" not in peer.written()
    assert "transfer-encoding, which the server alone may: left out" in caplog.text


def test_what_comes_before_the_accept_is_kept_for_after_it():
    peer = MemoryWebSocket(accept=False, ahead=frame(TEXT, b"early"))
    peer.receive(frame(TEXT, b"bird"))
    assert peer.application.messages == []
    peer.application.port.accept(None, [])
    peer.turns()
    assert peer.application.messages == ["early", "bird"]
    assert peer.transport.reading


def test_reading_stops_where_too_much_comes_before_the_accept():
    peer = MemoryWebSocket(accept=False)
    peer.receive(frame(BINARY, bytes(100_000)))
    assert not peer.transport.reading
    peer.application.port.accept(None, [])
    peer.turns()
    assert peer.transport.reading
    assert peer.application.messages == [bytes(100_000)]


def test_an_application_that_does_not_decide_in_time_costs_the_client_a_refusal():
    peer = MemoryWebSocket(accept=False, connect_s=5.0)
    peer.pass_time(4.9)
    assert peer.written() == b""
    peer.pass_time(0.2)
    assert peer.written().startswith(b"HTTP/1.1 403 ")
    assert peer.application.too_late
    with pytest.raises(OSError):
        peer.application.port.accept(None, [])


# Messages.

SIZES = (0, 1, 3, 125, 126, 127, 1535, 1536, 1537, 4096, 65_535, 65_536, 70_000)


@pytest.mark.parametrize("size", SIZES)
def test_messages_of_every_size_come_in_and_go_out_whole(size):
    def echo(application, data):
        application.port.send(data)

    peer = MemoryWebSocket(on_message=echo)
    payload = bytes(i * 7 & 0x7F for i in range(size))
    peer.receive(frame(BINARY, payload) + frame(TEXT, payload))
    assert peer.application.messages == [payload, payload.decode()]
    assert peer.sent() == [(0x82, payload), (0x81, payload)]


SCRIPT = (
    frame(TEXT, "grüße".encode())
    + frame(PING, b"p1")
    + frame(BINARY, b"\x00\xff" * 70)
    + frame(TEXT, b"one ", fin=False)
    + frame(PING, b"between")
    + frame(CONTINUATION, b"\xe2\x82", fin=False)
    + frame(CONTINUATION, b"\xac", fin=True)
    + frame(PONG, b"unasked")
    + frame(TEXT, b"")
    + frame(BINARY, b"")
    + frame(BINARY, b"z" * 300, mask=b"\0\0\0\0")
    + close_frame(3001, "bye")
)
MESSAGES = ["grüße", b"\x00\xff" * 70, "one €", "", b"", b"z" * 300]
ANSWERS = [(0x8A, b"p1"), (0x8A, b"between"), (0x88, b"\x0b\xb9bye")]


def verdict(peer: MemoryWebSocket) -> None:
    assert peer.application.messages == MESSAGES
    assert peer.sent() == ANSWERS
    assert peer.application.ends == [(3001, "bye")]
    assert peer.transport.disconnecting


def test_frames_cut_in_two_anywhere_say_the_same():
    for cut in range(1, len(SCRIPT)):
        peer = MemoryWebSocket()
        peer.receive(SCRIPT[:cut])
        peer.receive(SCRIPT[cut:])
        verdict(peer)


def test_frames_that_come_byte_by_byte_say_the_same():
    peer = MemoryWebSocket()
    for i in range(len(SCRIPT)):
        peer.receive(SCRIPT[i : i + 1])
    verdict(peer)


def test_frames_that_come_with_the_handshake_say_the_same():
    peer = MemoryWebSocket(accept=False, ahead=SCRIPT)
    peer.application.port.accept(None, [])
    peer.written()
    peer.turns()
    verdict(peer)


FRAMES = st.builds(
    frame,
    st.sampled_from((0, 1, 1, 1, 2, 2, 3, 8, 9, 10, 11)),
    st.one_of(st.binary(max_size=200), st.text(max_size=60).map(str.encode), st.just(b"x" * 2000)),
    fin=st.sampled_from((True, True, True, False)),
    rsv=st.sampled_from((0, 0, 0, 0, 0, 0, 4)),
    mask=st.sampled_from((b"\x01\x02\x03\x04", b"\0\0\0\0", b"\xff\xfe\xfd\xfc", None)),
)


def outcome(pieces: list[bytes]) -> tuple[object, ...]:
    peer = MemoryWebSocket(message_bytes=1500, frame_bytes=1200)
    for piece in pieces:
        peer.receive(piece)
    return peer.application.messages, peer.sent(), peer.application.ends, peer.transport.disconnecting


@settings(max_examples=300, deadline=None)
@given(st.lists(FRAMES, max_size=8), st.binary(max_size=20), st.data())
def test_lane_and_autobahn_read_the_same_however_bytes_are_cut(some, tail, data):
    # Invariant: messages, answers and the end depend on the bytes alone, not on where they were cut.
    stream = b"".join(some) + tail
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=12)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    whole = outcome([stream])
    assert outcome([piece for piece in pieces if piece]) == whole
    assert outcome([stream[i : i + 1] for i in range(len(stream))]) == whole


# What breaks the protocol.


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(TEXT, b"x", mask=None), 1002),
        (frame(TEXT, b"x", rsv=4), 1002),
        (frame(3, b"x"), 1002),
        (frame(11, b"x"), 1002),
        (frame(PING, b"x", fin=False), 1002),
        (frame(PING, b"x" * 126), 1002),
        (frame(CONTINUATION, b"x"), 1002),
        (frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"), 1002),
        (b"\x82\xfe\x00\x05maskhello", 1002),
        (b"\x82\xff" + (200).to_bytes(8, "big") + b"mask" + b"x" * 200, 1002),
        (b"\x82\xff" + (1 << 63).to_bytes(8, "big") + b"mask", 1002),
        (frame(CLOSE, b"x"), 1002),
        (close_frame(999), 1002),
        (close_frame(1005), 1002),
        (close_frame(5000), 1002),
        (close_frame(1015), 1002),
        (close_frame(1016), 1002),
        (close_frame(2999), 1002),
        (frame(TEXT, b"\xff"), 1007),
        (frame(TEXT, b"\xed\xa0\x80"), 1007),
        (frame(TEXT, b"\xe2\x82"), 1007),
        (frame(TEXT, b"\xe2\x82", fin=False) + frame(CONTINUATION, b"x"), 1007),
        (frame(CLOSE, b"\x03\xe8\xff"), 1007),
    ],
)
def test_a_broken_frame_ends_the_connection_with_its_code_after_the_messages_before_it(data, code):
    peer = MemoryWebSocket()
    peer.receive(frame(TEXT, b"before") + data + frame(TEXT, b"after"))
    assert peer.application.messages == ["before"]
    [(first, payload)] = peer.sent()
    assert (first, int.from_bytes(payload[:2], "big")) == (0x88, code)
    assert [end[0] for end in peer.application.ends] == [code]
    peer.receive(frame(TEXT, b"later"))
    assert peer.application.messages == ["before"]


def test_a_failure_behind_which_the_clients_fin_has_come_waits_for_nothing_more():
    peer = MemoryWebSocket()
    peer.application.port.hold()
    peer.receive(frame(TEXT, b"a") + frame(3))
    peer.connection.readConnectionLost()
    peer.application.port.read()
    peer.turns()
    assert peer.application.messages == ["a"]
    assert [pair[1][:2] for pair in peer.sent()] == [(1002).to_bytes(2, "big")]
    assert peer.transport.disconnecting


def breaks_a_rule_too_early(mistake: bytes = frame(3)):
    """A peer whose client has broken a rule before the application has answered its message."""
    peer = MemoryWebSocket(headers=[*HEADERS, (b"sec-websocket-extensions", b"permessage-deflate")])
    peer.application.owes = True
    peer.receive(frame(TEXT, b"a") + frame(PING, b"p") + mistake + frame(TEXT, b"b"))
    assert peer.sent() == [(0x8A, b"p")]
    assert not peer.transport.reading
    assert not peer.application.ends
    return peer


@pytest.mark.parametrize(
    ("mistake", "code"),
    [(frame(3), 1002), (frame(TEXT, b"\xff"), 1007), (frame(TEXT, b"x" * 23, rsv=4), 1007)],
)
def test_a_failure_waits_for_the_answers_to_what_came_before_it(mistake, code):
    peer = breaks_a_rule_too_early(mistake)
    peer.application.port.hold()
    peer.application.port.read()
    peer.receive(frame(TEXT, b"c"))
    peer.pass_time(19)
    peer.application.port.send("answer")
    assert peer.sent() == [(0x81, b"answer")]
    peer.application.settled()
    assert [pair[1][:2] for pair in peer.sent()] == [code.to_bytes(2, "big")]
    assert peer.transport.write_ended
    assert peer.transport.reading
    assert peer.application.messages == ["a"]
    assert [end[0] for end in peer.application.ends] == [code]
    assert peer.factory.counters.bad_requests == 1


def test_a_failure_waits_for_an_application_that_never_asks_as_long_as_for_a_pong():
    peer = breaks_a_rule_too_early()
    for _ in range(3):
        peer.pass_time(6)
        peer.application.port.send("more")
    assert [pair[0] for pair in peer.sent()] == [0x81] * 3
    peer.pass_time(3)
    assert [pair[1][:2] for pair in peer.sent()] == [(1002).to_bytes(2, "big")]
    assert [end[0] for end in peer.application.ends] == [1002]
    peer.pass_time(6)
    assert peer.transport.aborted


@pytest.mark.parametrize(
    "end", [lambda peer: peer.application.port.close(1000, ""), lambda peer: peer.connection.drain()]
)
def test_a_close_completes_a_failure_that_waits(end):
    peer = breaks_a_rule_too_early()
    end(peer)
    assert [pair[1][:2] for pair in peer.sent()] == [(1002).to_bytes(2, "big")]
    peer.application.settled()
    assert peer.sent() == []
    assert [end[0] for end in peer.application.ends] == [1002]


@pytest.mark.parametrize(
    "end",
    [
        lambda peer: peer.connection.readConnectionLost(),
        lambda peer: peer.connection.departed(reset=False),
        lambda peer: peer.connection.departed(reset=True),
        lambda peer: peer.lose(),
        lambda peer: peer.connection.cut(),
    ],
)
def test_a_client_that_goes_is_not_told_of_a_failure_that_waits(end):
    peer = breaks_a_rule_too_early()
    end(peer)
    peer.application.settled()
    assert peer.sent() == []
    assert [end[0] for end in peer.application.ends] == [1006]


def test_invalid_utf8_is_found_before_its_frame_is_whole():
    peer = MemoryWebSocket()
    peer.receive(frame(TEXT, b"\xff" + b"x" * 1000)[:60])
    assert peer.sent()[0][1][:2] == b"\x03\xef"


@pytest.mark.parametrize(
    ("options", "data"),
    [
        ({"message_bytes": 100}, frame(TEXT, b"x" * 101)),
        ({"frame_bytes": 100}, frame(TEXT, b"x" * 101)),
        ({"message_bytes": 100}, frame(TEXT, b"x" * 60, fin=False) + frame(CONTINUATION, b"x" * 60)),
        ({"frame_bytes": 100}, frame(TEXT, b"x", fin=False) + frame(CONTINUATION, b"x" * 101)),
        ({}, frame(BINARY, bytes(1024 * 1024 + 1))[:14]),
    ],
)
def test_a_message_above_the_limit_is_never_delivered_and_closes_with_1009(options, data):
    peer = MemoryWebSocket(**options)
    peer.receive(data)
    assert peer.application.messages == []
    assert peer.sent()[0][1][:2] == (1009).to_bytes(2, "big")


def test_messages_at_the_limit_are_delivered():
    peer = MemoryWebSocket(message_bytes=100, frame_bytes=100)
    peer.receive(frame(TEXT, b"x" * 100) + frame(TEXT, b"x" * 50, fin=False) + frame(CONTINUATION, b"x" * 50))
    assert peer.application.messages == ["x" * 100] * 2


def test_empty_fragments_without_end_take_no_memory():
    peer = MemoryWebSocket()
    peer.receive(frame(TEXT, b"", fin=False))
    flood = frame(CONTINUATION, b"", fin=False) * 1000
    peer.receive(flood)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(10):
            peer.receive(flood)
        assert tracemalloc.get_traced_memory()[0] - before < 10_000
    finally:
        tracemalloc.stop()
    peer.receive(frame(CONTINUATION, b"end"))
    assert peer.application.messages == ["end"]


@pytest.mark.parametrize("cut", ["many fragments", "many pieces of one frame"])
def test_a_message_that_comes_in_tiny_pieces_takes_not_much_more_memory_than_its_bytes(cut):
    peer = MemoryWebSocket()
    peer.receive(frame(TEXT, b"", fin=False))
    if cut == "many fragments":
        pieces = [frame(CONTINUATION, b"xy", fin=False)] * 20_000 + [frame(CONTINUATION, b"xy")]
    else:
        data = frame(CONTINUATION, b"xy" * 20_001, mask=bytes(4))
        pieces = [data[:8], *(data[at : at + 2] for at in range(8, len(data), 2))]
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for piece in pieces[:-1]:
            peer.receive(piece)
        assert tracemalloc.get_traced_memory()[0] - before < 3 * 40_000
    finally:
        tracemalloc.stop()
    peer.receive(pieces[-1])
    assert peer.application.messages == ["xy" * 20_001]


def test_an_idle_websocket_keeps_nothing_of_autobahn():
    def engines() -> int:
        return sum(isinstance(each, WebSocketServerProtocol) for each in gc.get_referents(peer.connection))

    peer = MemoryWebSocket()
    peer.receive(frame(PING, b"x") + frame(TEXT, b"a", fin=False))
    assert engines() == 1
    peer.receive(frame(CONTINUATION, b"b"))
    assert engines() == 0


def test_autobahn_is_imported_by_preload_and_not_before():
    script = (
        "import sys\n"
        "from asgid.daemon.wire import factory, websocket\n"
        "assert not any(name.startswith(('autobahn', 'txaio')) for name in sys.modules)\n"
        "from asgid.daemon.wire.websocket_shared import preload\n"
        "preload()\n"
        "assert 'autobahn.twisted.websocket' in sys.modules\n"
        "assert 'twisted.internet.reactor' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_without_limits_a_large_message_passes():
    peer = MemoryWebSocket(message_bytes=0, frame_bytes=0)
    peer.receive(frame(BINARY, bytes(3_000_000)))
    assert peer.application.messages == [bytes(3_000_000)]


def test_after_a_failure_input_is_thrown_away_up_to_a_bound():
    peer = MemoryWebSocket()
    peer.receive(frame(3))
    assert peer.transport.write_ended
    for _ in range(10):  # as much as a client sends that has no other limit in mind
        peer.receive(bytes(1024 * 1024))
    assert not peer.transport.aborted
    for _ in range(55):
        peer.receive(bytes(1024 * 1024))
    assert peer.transport.aborted


# A frame budget, backpressure.


def test_a_flood_of_pings_is_answered_in_many_turns_with_the_socket_paused():
    peer = MemoryWebSocket()
    flood = frame(PING, b"x") * (256 * 1024 // 7)
    peer.connection.dataReceived(flood)
    answered = len(peer.sent())
    assert 0 < answered < 1000
    assert not peer.transport.reading
    turns = peer.turns()
    assert turns > 30
    assert peer.transport.reading
    assert peer.sent() == [(0x8A, b"x")] * (256 * 1024 // 7 - answered)


def test_a_held_connection_reads_and_parses_nothing_until_it_is_read_again():
    def hold(application, data):
        if data == "stop":
            application.port.hold()

    peer = MemoryWebSocket(on_message=hold)
    peer.receive(frame(TEXT, b"a") + frame(TEXT, b"stop") + frame(TEXT, b"b") + frame(PING, b"p"))
    assert peer.application.messages == ["a", "stop"]
    assert not peer.transport.reading
    assert peer.sent() == []
    peer.receive(frame(TEXT, b"c"))  # was on its way
    peer.application.port.read()
    assert peer.application.messages == ["a", "stop"]
    peer.turns()
    assert peer.application.messages == ["a", "stop", "b", "c"]
    assert peer.sent() == [(0x8A, b"p")]
    assert peer.transport.reading


def test_send_waits_while_the_transport_is_full():
    async def main() -> None:
        peer = MemoryWebSocket()
        port = peer.application.port
        assert port.send("free") is None
        peer.connection.pauseProducing()
        waits = [port.send("full"), port.send("fuller")]
        assert not any(wait.done() for wait in waits)
        peer.connection.resumeProducing()
        assert await asyncio.gather(*waits) == [None, None]
        assert port.send("free again") is None

    asyncio.run(main())


@pytest.mark.parametrize("message", ["", "tick", b"x" * 100_000])
def test_an_application_that_sends_without_end_lets_the_loop_have_its_turn(message):
    """A transport whose write has failed pauses nobody, and neither does a client that reads fast enough."""

    async def main() -> None:
        peer = MemoryWebSocket()
        port = peer.application.port
        for _ in range(2):
            wait = next(wait for wait in (port.send(message) for _ in range(10_000)) if wait is not None)
            assert not wait.done()
            peer.turns()
            await wait

    asyncio.run(main())


def test_a_wait_ends_with_oserror_when_the_connection_is_lost():
    async def main() -> None:
        peer = MemoryWebSocket()
        peer.connection.pauseProducing()
        wait = peer.application.port.send("x")
        peer.lose()
        with pytest.raises(OSError):
            await wait
        with pytest.raises(OSError):
            peer.application.port.send("y")

    asyncio.run(main())


def test_pings_that_come_while_writing_is_paused_get_one_pong_for_the_last():
    peer = MemoryWebSocket()
    peer.connection.pauseProducing()
    peer.receive(b"".join(frame(PING, b"%d" % n) for n in range(1000)))
    assert peer.sent() == []
    peer.connection.resumeProducing()
    assert peer.sent() == [(0x8A, b"999")]


def test_a_client_that_does_not_read_is_cut():
    peer = MemoryWebSocket(ping_interval_s=0)
    peer.connection.pauseProducing()
    peer.pass_time(59)
    assert not peer.transport.aborted
    peer.pass_time(2)
    assert peer.transport.aborted
    assert peer.application.ends[0][0] == 1006
    assert peer.finished[0].cut


def test_a_client_that_reads_slowly_is_cut_only_when_it_stops():
    peer = MemoryWebSocket(ping_interval_s=0)
    peer.transport.get_write_buffer_size = lambda: 100
    peer.connection.pauseProducing()
    for left in (99, 50, 1):
        peer.transport.get_write_buffer_size = partial(int, left)
        peer.pass_time(60)
        assert not peer.transport.aborted
    peer.pass_time(60)
    assert peer.transport.aborted
    assert peer.factory.counters.write_timeouts == 1


def test_a_client_that_reads_what_the_kernel_has_is_not_cut():
    """The kernel takes nothing more until much of it has left."""
    peer = MemoryWebSocket(ping_interval_s=0)
    with kernel_holds(4) as (descriptor, theirs):
        peer.transport.descriptor = descriptor
        peer.transport.get_write_buffer_size = lambda: 100
        peer.connection.pauseProducing()
        for _ in range(3):
            theirs.recv(1000)
            peer.pass_time(60)
            assert not peer.transport.aborted
        peer.pass_time(60)
        assert peer.transport.aborted
        assert peer.factory.counters.write_timeouts == 1


def refuse_at_length(peer):
    peer.application.port.refuse(403, [], b"no")


def complete_the_closing_handshake(peer):
    peer.receive(close_frame(1000))


def break_a_rule(peer):
    peer.receive(frame(3))


@pytest.mark.parametrize("end", [refuse_at_length, complete_the_closing_handshake, break_a_rule])
def test_what_is_written_last_reaches_a_client_that_reads_slowly(end):
    peer = MemoryWebSocket(accept=end is not refuse_at_length, ping_interval_s=0)
    peer.transport.get_write_buffer_size = lambda: 1000
    peer.connection.pauseProducing()
    end(peer)
    for left in range(900, 0, -100):
        peer.transport.get_write_buffer_size = partial(int, left)
        peer.pass_time(30)
        peer.pass_time(0)  # each time a sweep looks at one deadline
    assert not peer.transport.aborted
    peer.transport.get_write_buffer_size = partial(int, 0)
    peer.pass_time(6)
    assert peer.transport.aborted
    assert peer.factory.counters.write_timeouts == 0


@pytest.mark.parametrize("end", [refuse_at_length, complete_the_closing_handshake, break_a_rule])
def test_a_client_that_does_not_read_what_is_written_last_is_cut(end):
    peer = MemoryWebSocket(accept=end is not refuse_at_length, ping_interval_s=0)
    peer.transport.get_write_buffer_size = lambda: 1000
    end(peer)
    for _ in range(59):
        peer.pass_time(1)
    assert not peer.transport.aborted
    peer.pass_time(1)
    peer.pass_time(0)
    assert peer.transport.aborted
    assert peer.factory.counters.write_timeouts == 1


# Pings, lifetime, ends.


def test_a_silent_client_is_pinged_and_then_cut():
    peer = MemoryWebSocket(ping_interval_s=20, ping_timeout_s=10)
    peer.pass_time(19)
    assert peer.sent() == []
    peer.pass_time(1)
    assert peer.sent() == [(0x89, b"")]
    peer.pass_time(9)
    assert not peer.transport.aborted
    peer.pass_time(1)
    assert peer.transport.aborted
    assert [end[0] for end in peer.application.ends] == [1006]
    assert peer.factory.counters.timeouts == 1


@pytest.mark.parametrize("sign", [frame(PONG), frame(TEXT, b"still here"), frame(BINARY, bytes(50))[:20]])
def test_any_sign_of_life_answers_a_ping(sign):
    peer = MemoryWebSocket(ping_interval_s=20, ping_timeout_s=10)
    peer.pass_time(20)
    peer.pass_time(5)
    peer.receive(sign)
    peer.pass_time(5)
    peer.pass_time(15)
    assert not peer.transport.aborted
    assert peer.sent() == [(0x89, b"")]


def test_an_answer_that_came_while_the_server_was_busy_is_in_time():
    peer = MemoryWebSocket(ping_interval_s=20, ping_timeout_s=10)
    ours, theirs = end_of_pair()
    peer.transport.descriptor = ours.fileno()
    peer.pass_time(20)
    theirs.send(b"?")
    peer.pass_time(60)
    assert not peer.transport.aborted
    ours.recv(1)  # as if it had been read, but to no effect
    peer.pass_time(0.9)
    assert not peer.transport.aborted
    peer.pass_time(0.2)
    assert peer.transport.aborted
    assert peer.factory.counters.ping_timeouts == 1
    ours.close()
    theirs.close()


def test_a_client_that_is_not_read_is_not_blamed_for_its_silence():
    peer = MemoryWebSocket(ping_interval_s=20, ping_timeout_s=10)
    peer.pass_time(20)
    peer.application.port.hold()
    peer.pass_time(100)
    peer.application.port.read()
    peer.turns()
    peer.pass_time(1)
    assert not peer.transport.aborted


def test_without_a_ping_interval_nothing_is_sent():
    peer = MemoryWebSocket(ping_interval_s=0)
    peer.pass_time(1e6)
    assert peer.sent() == []


def test_the_longest_life_ends_with_1001():
    peer = MemoryWebSocket(lifetime_s=3600, ping_interval_s=0)
    peer.pass_time(3599)
    assert peer.sent() == []
    peer.pass_time(1)
    assert peer.sent()[0][1][:2] == (1001).to_bytes(2, "big")


def test_a_close_is_carried_both_ways_and_tells_the_code_of_the_client():
    peer = MemoryWebSocket()
    peer.application.port.close(4000, "ä" * 100)
    [(first, payload)] = peer.sent()
    assert first == 0x88
    assert payload == (4000).to_bytes(2, "big") + ("ä" * 61).encode()
    peer.receive(frame(TEXT, b"too late") + frame(PING, b"x") + close_frame(4000, "ok"))
    assert peer.application.messages == []
    assert peer.application.ends == [(4000, "ok")]
    assert peer.sent() == []
    assert peer.transport.disconnecting
    assert not peer.finished[0].cut


def test_a_close_without_a_code_is_1005():
    peer = MemoryWebSocket()
    peer.receive(frame(CLOSE))
    assert peer.application.ends == [(1005, "")]
    assert peer.sent() == [(0x88, b"")]


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 5000])
def test_a_code_that_may_not_be_sent_is_refused_to_the_application(code):
    peer = MemoryWebSocket()
    with pytest.raises(ValueError):
        peer.application.port.close(code, "")
    assert peer.sent() == []


def test_a_client_that_does_not_answer_a_close_is_cut():
    peer = MemoryWebSocket()
    peer.application.port.close(1000, "")
    peer.pass_time(6)
    assert peer.transport.aborted
    assert [end[0] for end in peer.application.ends] == [1006]


@pytest.mark.parametrize("end", [lambda peer: peer.application.port.close(1000, ""), break_a_rule])
def test_a_client_that_takes_slowly_what_came_before_the_close_is_waited_for_as_long_as_it_does(end):
    peer = MemoryWebSocket()
    with kernel_holds(4) as (descriptor, theirs):
        peer.transport.descriptor = descriptor
        end(peer)
        for _ in range(3):
            peer.pass_time(6)
            assert not peer.transport.aborted
            theirs.recv(1000)
        peer.pass_time(6)
        assert not peer.transport.aborted
        peer.pass_time(6)
        assert peer.transport.aborted


def test_a_client_that_has_all_and_does_not_answer_the_close_is_cut():
    peer = MemoryWebSocket()
    with kernel_holds(1) as (descriptor, theirs):
        peer.transport.descriptor = descriptor
        peer.application.port.close(1000, "")
        theirs.recv(1000)
        peer.pass_time(6)
        assert peer.transport.aborted


def test_a_close_reads_on_for_the_answer_even_where_the_application_held():
    peer = MemoryWebSocket()
    peer.application.port.hold()
    peer.receive(frame(TEXT, b"x"))
    peer.application.port.close(1000, "")
    peer.turns()
    assert peer.transport.reading
    peer.receive(close_frame(1000))
    assert peer.application.messages == []
    assert peer.application.ends == [(1000, "")]


def test_an_application_that_closes_inside_a_message_hears_nothing_of_the_next():
    def close(application, _data):
        application.port.close(1000, "")

    for first in (frame(TEXT, b"a"), frame(TEXT, b"", fin=False) + frame(CONTINUATION, b"a")):
        peer = MemoryWebSocket(on_message=close)
        peer.receive(first + frame(TEXT, b"b") + close_frame(1000))
        assert peer.application.messages == ["a"]
        assert peer.application.ends == [(1000, "")]


def test_a_drain_closes_with_1012_and_refuses_what_is_undecided():
    peer = MemoryWebSocket()
    peer.connection.drain()
    assert peer.sent() == [(0x88, (1012).to_bytes(2, "big"))]
    peer = MemoryWebSocket(accept=False)
    peer.connection.drain()
    assert peer.written().startswith(b"HTTP/1.1 503 ")
    assert len(peer.application.ends) == 1


def test_a_cut_ends_at_once_and_is_counted():
    peer = MemoryWebSocket()
    peer.connection.cut()
    peer.lose()
    assert peer.transport.aborted
    assert [end[0] for end in peer.application.ends] == [1006]
    assert peer.factory.counters.cut == 1
    assert len(peer.finished) == 1


def test_a_fin_ends_the_websocket_after_what_came_before_it():
    peer = MemoryWebSocket()
    peer.application.port.hold()
    peer.receive(frame(TEXT, b"last") + frame(TEXT, b"cut off")[:4])
    peer.connection.readConnectionLost()
    assert peer.application.ends == []
    peer.application.port.read()
    peer.turns()
    assert peer.application.messages == ["last"]
    assert [end[0] for end in peer.application.ends] == [1006]
    assert peer.transport.disconnecting


def test_a_fin_without_anything_before_it_ends_the_websocket_at_once():
    for peer in (MemoryWebSocket(), MemoryWebSocket(accept=False)):
        peer.connection.readConnectionLost()
        assert [end[0] for end in peer.application.ends] == [1006]
        assert peer.transport.disconnecting


@pytest.mark.parametrize(
    "piece", [frame(TEXT, b"cut off")[:4], frame(TEXT, b"cut off")[:1], frame(9, b"x")[:3]]
)
def test_a_fin_behind_a_part_of_a_frame_ends_the_websocket_at_once(piece):
    peer = MemoryWebSocket()
    peer.receive(frame(TEXT, b"whole") + piece)
    peer.connection.readConnectionLost()
    assert peer.application.messages == ["whole"]
    assert [end[0] for end in peer.application.ends] == [1006]
    assert peer.transport.disconnecting


def test_every_end_leaves_the_listener_and_is_told_once():
    peer = MemoryWebSocket()
    peer.receive(close_frame(1000))
    peer.lose()
    peer.connection.cut()
    assert not peer.factory.connections
    assert peer.application.ends == [(1000, "")]
    assert [(finished.status, finished.cut) for finished in peer.finished] == [(101, False)]


def test_the_bytes_of_messages_are_counted_for_the_log():
    peer = MemoryWebSocket()
    peer.application.port.send("grüße")
    peer.application.port.send(bytes(1000))
    peer.now += 2.5
    peer.receive(close_frame(1000))
    assert (peer.finished[0].body_bytes, peer.finished[0].duration_s) == (1007, 2.5)


@pytest.mark.parametrize("code", [1000, 1011, 1012, 1013, 1014, 3000, 4999])
@pytest.mark.parametrize("first", [False, True])
def test_registered_codes_are_taken_told_and_sent_back(code, first):
    peer = MemoryWebSocket()
    if first:
        peer.application.port.close(code, "bye")
    peer.receive(close_frame(code, "bye"))
    assert peer.sent() == [(0x88, code.to_bytes(2, "big") + b"bye")]
    assert peer.application.ends == [(code, "bye")]


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000])
def test_an_application_does_not_send_reserved_codes(code):
    peer = MemoryWebSocket()
    with pytest.raises(ValueError, match=f"the close code {code} may not be sent"):
        peer.application.port.close(code, "")
    assert peer.sent() == []
