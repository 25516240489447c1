"""Fixtures for every test that starts the real command."""

from __future__ import annotations

import fcntl
import os
import signal
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


def pytest_configure() -> None:
    """What a shell starts in the background ignores SIGINT, and so would every process that a test starts."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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


@pytest.fixture
def port_8000(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port where none is given, for one test at a time where tests run in parallel."""
    shared = os.open(tmp_path_factory.getbasetemp().parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(shared, fcntl.LOCK_EX)
        yield 8000
    finally:
        os.close(shared)
