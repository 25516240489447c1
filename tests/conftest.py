"""Fixtures for every test that starts the real command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from support.files import probe_file
from support.server import ASGID, Process, Server

if TYPE_CHECKING:
    from pathlib import Path

Serve = Callable[..., Server]
Run = Callable[..., Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Serve]:
    """``start(*arguments, ...)``: an asgid process in a folder of its own, ended after the test."""
    with ExitStack() as stack:

        def starter(*arguments: str | Path, **options) -> Server:
            options.setdefault("cwd", tmp_path)
            server = Server([*options.pop("prefix", ()), ASGID, *arguments], **options)
            stack.callback(server.kill)
            return server

        yield starter


@pytest.fixture
def serve(start: Serve, tmp_path: Path) -> Serve:
    """``serve(listeners, rest=...)``: asgid from a file with the probe application, once it serves."""

    def server(
        listeners: str = "", *, rest: str = "", target: str = "probe:application", **options
    ) -> Server:
        path = probe_file(tmp_path, listeners, target=target, rest=rest)
        return start("--config", path, **options).wait_serving()

    return server


@pytest.fixture
def run(start: Serve) -> Callable[..., Process]:
    """``run(*arguments)``: asgid until it ends by itself; ``status``, ``out`` and ``err`` are then known."""

    def runner(*arguments: str | Path, **options) -> Server:
        process = start(*arguments, **options)
        process.wait()
        return process

    return runner
