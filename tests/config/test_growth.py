"""What a lint costs grows with the file, and not with its pairs: counted in instructions and in memory.

Three files are measured, each twice as long as the one before. Where the cost grows with the file, the step
from the second to the third is twice the one before it; where it grows with the square, four times.
"""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from asgid.config import plan, render_text
from asgid.config.addresses import as_address
from asgid.config.endpoints import parse
from asgid.config.loading import Loaded, load_bytes
from asgid.config.sockets import claim
from support.host import Host

HERE = Path(__file__).parent
APPLICATION = '[application]\ntarget = "a:b"\n'
LISTENER = '[listeners.a]\naddress = "10.0.0.1"\nport = 8000\n'
FEW, MORE, MANY = 40, 80, 160
STEEPEST = 2.1
"""Counted are 2.00 to 2.05, for some words are longer than others."""
STEEPEST_IN_MEMORY = 2.5
"""Lists and tables grow by leaps."""

HOST = Host(addresses={f"eth{i}": ("10.1.0.1",) for i in range(MANY)}, ipv6=False)

Repeat = Callable[[int], str]


def listed(element: str, between: str = ", ") -> Callable[[int], str]:
    return lambda count: f"[{between.join(element.format(i) for i in range(count))}]"


def addresses(element: str, between: str = ", ") -> Repeat:
    made = listed(element, between)
    return lambda n: f"{APPLICATION}[listeners.a]\nport = 8000\naddress = {made(n)}\n"


def trusted(element: str, listeners: str = "") -> Repeat:
    made, others = listed(element), listeners_of(listeners)
    return lambda n: f'{others(n)}{LISTENER}[proxy]\nforwarded = "x-forwarded"\ntrusted = {made(n)}\n'


def endpoints(element: str) -> Repeat:
    made = listed(element)
    return lambda n: f"{APPLICATION}[listeners.a]\nendpoint = {made(n)}\n"


def listeners_of(body: str) -> Repeat:
    return lambda n: (
        APPLICATION + "".join(f"[listeners.l{i:03}]\n{body.format(i)}\n" for i in range(n) if body)
    )


def keys(table: str, name: str) -> Repeat:
    return lambda n: (
        f"{APPLICATION}{LISTENER}{table}\n" + "".join(f"{name.format(i)} = 1\n" for i in range(n))
    )


FILES: dict[str, Repeat] = {
    "addresses": addresses("'10.1.0.{}'"),
    "addresses on lines of their own": addresses("'10.1.0.{}'", ",\n"),
    "addresses for documentation": addresses("'192.0.2.{}'"),
    "no addresses": addresses("'no{:03}!'"),
    "numbers for addresses": addresses("1{:03}"),
    "one address many times": addresses("'10.0.0.1'"),
    "listeners": listeners_of("address = '10.1.0.{}'\nport = 8000"),
    "listeners on one address": listeners_of("address = '10.0.0.1'\nport = 8000"),
    "listeners on port 0": listeners_of("address = '0.0.0.0'\nport = 0"),
    "listeners for devices": listeners_of("endpoint = 'asgid-tcp:80:interface=0.0.0.0:device=e{:03}'"),
    "listeners on interfaces": listeners_of("interface = 'eth{}'\nport = 8000"),
    "listeners without a port": listeners_of("address = '10.0.0.!'"),
    "listeners with bad lists": listeners_of("address = ['10.1.0.{}', 'no!']\nport = 8000"),
    "listeners with unknown keys": listeners_of("unix = '/a{:03}'\nadress = 1"),
    "listeners that believe many": trusted("'10.1.{}.0/24'", "unix = '/run/{:03}'"),
    "descriptors": listeners_of("fd = 1{:03}"),
    "none required": listeners_of("fd = 1{:03}\nrequired = false"),
    "unknown keys": keys("", "key{:03}"),
    "unknown keys of a table": keys("[limits]", "request_lines{:03}"),
    "unknown tables": lambda n: APPLICATION + LISTENER + "".join(f"[t{i:03}]\n" for i in range(n)),
    "trusted networks": trusted("'10.1.{}.0/24'"),
    "trusted networks with a bit too many": trusted("'10.1.{}.1/24'"),
    "trusted that are none": trusted("'10.1.{}.!'"),
    "endpoint strings": endpoints("'tcp:8000:interface=10.1.0.{}'"),
    "endpoint strings of no kind": endpoints("'tcpp:{:03}'"),
    "endpoint strings of plugins": endpoints("'onion:{:03}'"),
    "arguments": lambda n: f"{APPLICATION}[listeners.a]\nendpoint = 'onion{':abcdefgh' * 4 * n}'\n",
    "backslashes": lambda n: (
        APPLICATION + f"[listeners.a]\nendpoint = 'onion:{'a' * 200}" + "\\a" * n + "'\n"
    ),
    "codes": lambda n: f"{APPLICATION}{LISTENER}# asgid: ignore {'ASG508 ' * n}\n",
    "comments": lambda n: APPLICATION + LISTENER + "# asgid: ignore ASG508\n" * n,
    "tables that are no TOML": listeners_of("fd == {:03}"),
    "whole tables beside one that is not": lambda n: listeners_of("fd = 1{:03}")(n) + "x = = 1\n",
}


def lint(text: str) -> Loaded:
    for remembered in (parse, claim, as_address):
        remembered.cache_clear()  # of a shorter file before
    loaded = load_bytes("listeners.toml", HERE, text.encode())
    render_text(loaded.diagnostics)
    return loaded


def instructions(call: Callable[[], object]) -> int:
    """Count the instructions of Python's machine that ``call`` takes."""
    count = 0

    def trace(frame, event, _):
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


def peak_bytes(call: Callable[[], object]) -> int:
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        gc.enable()


def steepness(
    measure: Callable[[Callable[[], object]], int], run: Callable[[str], object], file: Repeat
) -> float:
    few, more, many = (measure(partial(run, file(n))) for n in (FEW, MORE, MANY))
    return (many - more) / max(more - few, 1)


@pytest.fixture(autouse=True, scope="module")
def _warm():
    """Import what is imported late, so that it is not counted."""
    for file in FILES.values():
        lint(file(2))


@pytest.mark.parametrize("file", FILES.values(), ids=FILES)
def test_the_work_grows_with_the_file_and_not_with_its_pairs(file):
    assert steepness(instructions, lint, file) < STEEPEST


ON_ONE_LINE = (
    "no addresses",
    "one address many times",
    "trusted networks with a bit too many",
    "backslashes",
)


@pytest.mark.parametrize("name", ON_ONE_LINE)
def test_findings_on_one_line_share_its_text(name):
    assert steepness(peak_bytes, lint, FILES[name]) < STEEPEST_IN_MEMORY


@pytest.mark.parametrize("name", ["addresses", "listeners on one address", "listeners on interfaces"])
def test_a_plan_grows_with_the_file_too(name):
    def planned(text: str) -> None:
        config = lint(text.replace("'10.0.0.1'", "'10.1.0.1'")).config
        if config is not None:
            plan(config, HOST)

    assert steepness(instructions, planned, FILES[name]) < STEEPEST
