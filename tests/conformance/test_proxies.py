"""Every case through HAProxy and nginx: what the server saw is what the proxy sent on, request by request.

A proxy may refuse more than the table does, and may mend what the table refuses (nginx takes a bare LF, and
sends CR LF on). What must hold is that both read the same requests: none swallowed by another's body, none
doubled, none answered with another's response.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from conformance.cases import CASES
from conformance.exchange import Seen, answers, play, seen, witness
from conformance.model import MARKER_TARGET, Case
from conformance.relay import Flow, Forwarded, Relay
from support.files import free_port, write
from support.raw import Raw
from support.server import PATIENCE_S

if TYPE_CHECKING:
    from pathlib import Path

HAPROXY = """
global
  maxconn 64
defaults
  mode http
  timeout connect 2s
  timeout client 700ms
  timeout server 1500ms
  timeout http-request 700ms
  timeout http-keep-alive 700ms
  retries 0
  http-reuse always
listen front
  bind 127.0.0.1:{front}
  server asgid 127.0.0.1:{back}
"""
NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  lingering_timeout 1s; client_header_timeout 700ms; client_body_timeout 700ms; keepalive_timeout 700ms;
  ignore_invalid_headers off; underscores_in_headers on;
  upstream asgid {{ server 127.0.0.1:{back}; keepalive 4; }}
  server {{
    listen 127.0.0.1:{front};
    location / {{
      proxy_pass http://asgid;
      proxy_http_version 1.1; proxy_request_buffering off;
      proxy_set_header Connection ""; proxy_set_header Host $http_host;
    }}
  }}
}}
"""


class Front:
    """A proxy, the relay behind it, the server behind that."""

    def __init__(self, folder: Path, kind: str, server) -> None:
        self.direct = server.first.place
        self.relay = Relay(self.direct)
        port = free_port()
        self.place = ("127.0.0.1", port)
        text = HAPROXY if kind == "haproxy" else NGINX
        path = write(folder / f"{kind}.cfg", text.format(front=port, back=self.relay.port, folder=folder))
        command = {
            "haproxy": ["haproxy", "-db", "-f", path],
            "nginx": ["nginx", "-e", "stderr", "-c", path, "-p", folder],
        }[kind]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                Raw(self.place).close()
            except ConnectionRefusedError:
                assert time.monotonic() < deadline
                assert self.process.poll() is None
            else:
                return

    def new(self) -> list[Seen]:
        """What the application saw since, whole."""
        entries = [entry for entry in seen(self.direct) if entry.body is not None]
        for entry in entries:
            flow = next(flow for flow in reversed(self.relay.flows) if flow.port == entry.connection)
            flow.saw.append(entry)
        return entries

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE_S)
        self.relay.close()


@pytest.fixture(scope="module", params=["haproxy", "nginx"])
def front(request, tmp_path_factory):
    if not shutil.which(request.param):
        pytest.skip(f"{request.param} is not installed")
    folder = tmp_path_factory.mktemp(request.param)
    with witness(folder) as server:
        made = Front(folder, request.param, server)
        try:
            yield made
        finally:
            made.close()
        assert server.stop() == 0
        assert "Traceback" not in server.err.text
    for flow in made.relay.flows:
        agree(flow, ended=True)


def agree(flow: Flow, *, ended: bool) -> None:
    """The server read the requests of a connection as they were sent on, or refused one and stopped there."""
    if flow.disagreed:
        return  # that was said already
    saw, forwarded = flow.saw, flow.read()
    flow.disagreed = True
    assert [(one.method, one.target, one.body.encode("latin-1")) for one in saw] == [
        (one.method, as_seen(one), one.body) for one in forwarded[: len(saw)]
    ]
    assert len(saw) <= len(forwarded)
    if ended and (len(saw) < len(forwarded) or flow.unreadable):
        statuses = [int(status) for status in re.findall(rb"HTTP/1\.1 ([2-5]\d\d) ", bytes(flow.answered))]
        assert len(saw) < len(statuses), (forwarded[len(saw) :], flow.unreadable)
        assert statuses[len(saw)] >= 400
    flow.disagreed = False


def as_seen(request: Forwarded) -> str:
    """A target as an application is told it: without an authority, and without an empty query's mark."""
    target = re.sub("^https?://[^/?]*", "", request.target, flags=re.IGNORECASE)
    return (target or ("*" if request.method == "OPTIONS" else "/")).removesuffix("?")


@pytest.mark.parametrize("case", CASES, ids=[case.ident for case in CASES])
def test_both_agree_where_each_request_ends(front: Front, case: Case):
    received = play(front.place, case, patient=True)
    entries = front.new()
    for flow in front.relay.flows:
        agree(flow, ended=False)
    targets = [entry.target for entry in entries]
    assert targets.count(MARKER_TARGET) <= 1
    if not received.startswith(b"HTTP/"):
        assert not entries  # nginx speaks HTTP/0.9 with who asks for it
        return
    responses = answers(case, received)
    good = [response for response in responses if response.status == 200]
    assert len(good) == len(entries)
    for response, entry in zip(good, entries, strict=True):
        if entry.method != "HEAD":
            assert json.loads(response.body)["target"] == entry.target
    if all(response.status == 200 for response in responses) and case.stays_open:
        assert [(entry.body or "").encode("latin-1") for entry in entries] == [
            *(taken.body for taken in case.taken),
            b"",
        ]
        assert targets[-1] == MARKER_TARGET
