"""What the application finds of the process that imports it."""

from __future__ import annotations

from urllib.request import urlopen

from support.files import write

APPLICATION = """
import gc

at_import = gc.isenabled()
gc.disable()

async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        raise NotImplementedError
    said = f"import {at_import}, request {gc.isenabled()}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": said})
"""


def test_the_collector_runs_when_the_application_is_imported_and_is_its_own_to_turn_off(start, tmp_path):
    write(tmp_path / "collecting.py", APPLICATION)
    server = start("-p", "0", "collecting:application").wait_serving()
    with urlopen(server.first.url, timeout=30) as answer:
        assert answer.read() == b"import True, request False"
