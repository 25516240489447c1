"""The native reactor keeps Twisted's contract: Twisted's own suites run on it, but for a list with reasons."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

CONTRACT = Path(__file__).with_name("contract.py")

SUITES = (
    "twisted.internet.test.test_tcp",
    "twisted.internet.test.test_unix",
    "twisted.internet.test.test_endpoints",
    "twisted.internet.test.test_core",
    "twisted.internet.test.test_time",
    "twisted.internet.test.test_threads",
    "twisted.internet.test.test_fdset",
    "twisted.internet.test.test_socket",
    "twisted.internet.test.test_udp",
    "twisted.test.test_tcp",
    "twisted.test.test_unix",
)

_PREFIX = "a log line of Twisted's own transports names the protocol that is called; uvloop calls it directly"
_STARTING = "it looks for the old log module's key; the line is a structured event, at debug level"
_REASSIGNED = "it puts another dataReceived on a connected protocol; the one that was there is called directly"
_SESSION = "it asks for a private attribute of Twisted's transport (the session number)"
_DESCRIPTORS = "uvloop's transports cannot send or receive descriptors (SCM_RIGHTS)"

CANNOT_APPLY = {
    "internet.test.test_tcp.TCP4ClientTestsBuilder.test_logPrefix": _PREFIX,
    "internet.test.test_tcp.TCP6ClientTestsBuilder.test_logPrefix": _PREFIX,
    "internet.test.test_unix.UNIXTestsBuilder.test_logPrefix": _PREFIX,
    "internet.test.test_tcp.TCPPortTestsBuilder.test_startedListeningLogMessage": _STARTING,
    "internet.test.test_tcp.TCPFDPortTestsBuilder.test_startedListeningLogMessage": _STARTING,
    "internet.test.test_unix.UNIXPortTestsBuilder.test_startedListeningLogMessage": _STARTING,
    "internet.test.test_unix.UNIXFDPortTestsBuilder.test_startedListeningLogMessage": _STARTING,
    "internet.test.test_tcp.TCPTransportTestsBuilder.test_writeSequeceWithoutWrite": _REASSIGNED,
    "internet.test.test_tcp.AdoptStreamConnectionTestsBuilder.test_writeSequeceWithoutWrite": _REASSIGNED,
    "internet.test.test_unix.UNIXAdoptStreamConnectionTestsBuilder.test_writeSequeceWithoutWrite": _REASSIGNED,
    "internet.test.test_tcp.TCPTransportTestsBuilder.test_serverAddressTCP4": _SESSION,
    "internet.test.test_tcp.TCPTransportTestsBuilder.test_serverAddressTCP6": _SESSION,
    "test.test_tcp.ListeningTests.test_serverRepr": _SESSION,
    "test.test_tcp.LoopbackTests.test_tcpNoDelay": "uvloop turns Nagle's algorithm off from the start",
    "test.test_unix.UnixSocketTests.test_reprWithNewStyleFactory": "a native port has a repr of its own",
    "internet.test.test_unix.UNIXTestsBuilder.test_avoidLeakingFileDescriptors": _DESCRIPTORS,
    "internet.test.test_unix.UNIXTestsBuilder.test_descriptorDeliveredBeforeBytes": _DESCRIPTORS,
    "internet.test.test_unix.UNIXTestsBuilder.test_fileDescriptorOverrun": _DESCRIPTORS,
    "internet.test.test_unix.UNIXTestsBuilder.test_sendFileDescriptor": _DESCRIPTORS,
    "internet.test.test_unix.UNIXTestsBuilder.test_sendFileDescriptorTriggersPauseProducing": _DESCRIPTORS,
    "internet.test.test_unix.UNIXTestsBuilder.test_listenFailure": "it patches the base class of Twisted's ports",
}


def run(*arguments: str) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", CONTRACT, *arguments],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    outcomes: dict[str, str] = json.loads(done.stdout)
    return outcomes


@cache
def outcomes() -> dict[str, str]:
    return run(*SUITES, *(f"-{name}" for name in CANNOT_APPLY))


@pytest.mark.parametrize("suite", SUITES)
def test_every_test_of_twisteds_suite_passes_that_can_apply(suite):
    prefix = suite.removeprefix("twisted.") + "."
    here = {name: outcome for name, outcome in outcomes().items() if name.startswith(prefix)}
    assert here, "the suite has no tests any more"
    assert {name: outcome for name, outcome in here.items() if outcome != "passed"} == {}


def test_what_cannot_apply_does_not_pass_after_all():
    named = [f"twisted.{name.rsplit('.', 2)[0]}:{name}" for name in CANNOT_APPLY]
    found = run(*named)
    assert set(found) == set(CANNOT_APPLY), "a test of the list is not there any more"
    assert [name for name, outcome in found.items() if not outcome.startswith("failed")] == []
