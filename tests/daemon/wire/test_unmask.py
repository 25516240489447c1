"""Unmasking against RFC 6455 5.3 byte by byte: in Python, by Autobahn's C functions, by its masker."""

from __future__ import annotations

import random
from types import SimpleNamespace

import pytest

from asgid.daemon.wire import websocket_engine
from asgid.daemon.wire.websocket_frames import XOR_BYTES, unmask

LENGTHS = (*range(40), *range(XOR_BYTES - 20, XOR_BYTES + 40), 1000, 4099, 16384, 70_001)


def by_the_rfc(mask: bytes, data: bytes) -> bytes:
    return bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))


def without_functions(mask, length):
    """Autobahn's masker as older ones are: nothing but ``process``."""
    masker = original(mask, length)
    return SimpleNamespace(process=masker.process)


original = websocket_engine._create_xor_masker


@pytest.mark.parametrize("older", [False, True])
def test_every_length_is_unmasked_as_the_rfc_says_and_the_masked_bytes_stay(monkeypatch, older):
    if older:
        monkeypatch.setattr(websocket_engine, "_create_xor_masker", without_functions)
    long = websocket_engine.unmasker()
    draw = random.Random(7)
    for length in LENGTHS:
        mask, data = draw.randbytes(4), draw.randbytes(length)
        kept = bytes(bytearray(data))
        assert unmask(mask, data, long) == by_the_rfc(mask, data)
        assert bytes(long(mask, memoryview(data))) == by_the_rfc(mask, data)
        assert data == kept
