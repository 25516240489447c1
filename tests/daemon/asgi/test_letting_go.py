"""What belongs to a request is let go of when its application returns, however its client left."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

from support.connections import Server, on_loop, settle

POST = b"POST / HTTP/1.1\r\nHost: site\r\nContent-Length: 10\r\n\r\n12345"


async def reads(scope: Any, receive: Any, send: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@pytest.mark.parametrize("leave", ["reset", "finish"])
@on_loop
async def test_nothing_of_a_request_outlives_its_application(leave):
    server = Server(reads)
    client = server.connect()
    client.send(POST)
    await settle()
    connection = weakref.ref(client.protocol)
    getattr(client, leave)()
    await settle()
    client.reset()
    await settle()
    assert not server.gateway.running
    del client
    gc.collect()
    assert connection() is None, "it is held until timeouts.application_close"
