"""Starting a real application of the ecosystem under the real command."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.files import APPLICATION, write

HERE = Path(__file__).parent
LOOPBACK = '[listeners.main]\naddress = "127.0.0.1"\nport = 0\n'


@pytest.fixture
def serve_site(start, tmp_path):
    """``serve_site(folder, target, listeners)``: asgid with an application of this folder, once it serves."""

    def server(folder: str, target: str, listeners: str = LOOPBACK, **options):
        text = APPLICATION.format(target=target, directory=HERE / folder) + listeners
        path = write(tmp_path / "listeners.toml", text)
        return start("--config", path, **options).wait_serving()

    return server
