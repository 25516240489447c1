"""Starting a real application of the ecosystem under the real command."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.files import APPLICATION, write

HERE = Path(__file__).parent
LOOPBACK = '[listeners.main]\naddress = "127.0.0.1"\nport = 0\n'
PROXIED = LOOPBACK + '[proxy]\nforwarded = "{}"\ntrusted = ["127.0.0.0/8"]\n'


TRUTH = 'for=203.0.113.9;proto=https;host="www.example.org:8443"'
SAID = {  # by a proxy, with what its client made up
    "x-forwarded": {
        "Forwarded": "for=6.6.6.6;host=evil.example", "X_Forwarded_For": "6.6.6.6",
        "X-Forwarded-For": "6.6.6.6, 203.0.113.9", "X-Forwarded-Host": "www.example.org:8443",
        "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/app",
    },
    "rfc7239": {
        "X-Forwarded-For": "6.6.6.6", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http",
        "X-Forwarded-Prefix": "/evil", "Forwarded": f"for=6.6.6.6;host=evil.example, {TRUTH}",
    },
}  # fmt: skip


@pytest.fixture(params=["x-forwarded", "rfc7239"])
def behind_proxy(request, serve_site):
    """``behind_proxy(folder, target)``: asgid as for a proxy, and the headers that it sends."""

    def server(folder: str, target: str):
        return serve_site(folder, target, PROXIED.format(request.param)), SAID[request.param]

    return server


@pytest.fixture
def serve_site(start, tmp_path):
    """``serve_site(folder, target, listeners)``: asgid with an application of this folder, once it serves."""

    def server(folder: str, target: str, listeners: str = LOOPBACK, **options):
        text = APPLICATION.format(target=target, directory=HERE / folder) + listeners
        path = write(tmp_path / "listeners.toml", text)
        return start("--config", path, **options).wait_serving()

    return server
