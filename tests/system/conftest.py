"""What needs root: network namespaces, process 1, other users, nginx. Skipped where that is not to be had."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.namespaces import Namespace

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mine = [item for item in items if HERE in item.path.parents]
    if os.geteuid() != 0:
        for item in mine:
            item.add_marker(pytest.mark.skip(reason="this needs root"))


@pytest.fixture
def here() -> Iterator[Namespace]:
    """A network namespace with an interface ``wire0``: two IPv4 addresses and two IPv6 ones."""
    with namespace() as made:
        made.wire()
        yield made


@pytest.fixture
def there(here: Namespace) -> Iterator[Namespace]:
    """The other end of ``wire0``, in a namespace of its own, with addresses of the same networks."""
    with namespace() as made:
        here.run("ip", "link", "set", here.peer, "netns", made.name)
        made.run("ip", "address", "add", "10.9.0.2/24", "dev", here.peer)
        made.run("ip", "address", "add", "2001:db8:9::2/64", "dev", here.peer, "nodad")
        made.run("ip", "address", "add", "fe80::9:2/64", "dev", here.peer, "nodad")
        made.run("ip", "link", "set", here.peer, "up")
        yield made


def namespace() -> Namespace:
    return Namespace(f"asgid-{uuid.uuid4().hex[:8]}")


@pytest.fixture
def nginx(tmp_path: Path):
    """``nginx(configuration)``: nginx with this server configuration, ended after the test."""
    if not shutil.which("nginx"):
        pytest.skip("nginx is not installed")
    started = []

    def starter(servers: str) -> None:
        text = f"""
daemon off; master_process off; pid {tmp_path}/nginx.pid; error_log stderr;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_max_body_size 0;
  client_body_temp_path {tmp_path}/body; proxy_temp_path {tmp_path}/proxy;
  fastcgi_temp_path {tmp_path}/fastcgi;
  uwsgi_temp_path {tmp_path}/uwsgi; scgi_temp_path {tmp_path}/scgi;
  {servers}
}}
"""
        (tmp_path / "nginx.conf").write_text(text)
        process = subprocess.Popen(
            ["nginx", "-e", "stderr", "-c", tmp_path / "nginx.conf", "-p", tmp_path],
            stderr=subprocess.DEVNULL,
        )
        started.append(process)

    yield starter
    for process in started:
        process.terminate()
        process.wait(20)
