"""What needs root: network namespaces, process 1, other users, proxies. Skipped where it is not there."""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import fronts
from support.namespaces import Namespace

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from support.raw import Place

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
    """``nginx(servers, place, streams)``: nginx once it accepts at ``place``, ended after the test."""
    if not shutil.which("nginx"):
        pytest.skip("nginx is not installed")
    started = []

    def starter(servers: str, place: Place, streams: str = "") -> None:
        if streams and not fronts.NGINX_STREAM.exists():
            pytest.skip("nginx's stream module is not installed")
        started.append(fronts.nginx(tmp_path, servers, streams))
        fronts.wait_accepting(place, started[-1])

    yield starter
    end(started)


@pytest.fixture
def haproxy(tmp_path: Path):
    """``haproxy(proxies, place)``: HAProxy once it accepts at ``place``, ended after the test."""
    if not shutil.which("haproxy"):
        pytest.skip("HAProxy is not installed")
    started = []

    def starter(proxies: str, place: Place) -> None:
        started.append(fronts.haproxy(tmp_path, proxies))
        fronts.wait_accepting(place, started[-1])

    yield starter
    end(started)


def end(started: list[subprocess.Popen[bytes]]) -> None:
    for process in started:
        process.terminate()
        process.wait(20)
