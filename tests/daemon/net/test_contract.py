"""The native reactor keeps Twisted's contract: its own suites pass on it, but for a list with reasons."""

from __future__ import annotations

import json
import subprocess
import sys
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
    "twisted.internet.test.test_process",
    "twisted.internet.test.test_udp",
    "twisted.test.test_tcp",
    "twisted.test.test_unix",
)

_PREFIX = "Twisted names the protocol that it calls in log lines; uvloop calls it directly"
_STARTING = "it looks for the old log module's key; the line is a structured event, at debug level"
_REASSIGNED = "it gives a connected protocol another dataReceived; uvloop has the first one"
_SESSION = "it asks for a private attribute of Twisted's transport (the session number)"
_DESCRIPTORS = "uvloop's transports cannot send or receive descriptors (SCM_RIGHTS)"

_TCP, _UNIX = "internet.test.test_tcp", "internet.test.test_unix"

CANNOT_APPLY = {
    f"{_TCP}.TCP4ClientTestsBuilder.test_logPrefix": _PREFIX,
    f"{_TCP}.TCP6ClientTestsBuilder.test_logPrefix": _PREFIX,
    f"{_UNIX}.UNIXTestsBuilder.test_logPrefix": _PREFIX,
    f"{_TCP}.TCPPortTestsBuilder.test_startedListeningLogMessage": _STARTING,
    f"{_TCP}.TCPFDPortTestsBuilder.test_startedListeningLogMessage": _STARTING,
    f"{_UNIX}.UNIXPortTestsBuilder.test_startedListeningLogMessage": _STARTING,
    f"{_UNIX}.UNIXFDPortTestsBuilder.test_startedListeningLogMessage": _STARTING,
    f"{_TCP}.TCPTransportTestsBuilder.test_writeSequeceWithoutWrite": _REASSIGNED,
    f"{_TCP}.AdoptStreamConnectionTestsBuilder.test_writeSequeceWithoutWrite": _REASSIGNED,
    f"{_UNIX}.UNIXAdoptStreamConnectionTestsBuilder.test_writeSequeceWithoutWrite": _REASSIGNED,
    f"{_TCP}.TCPTransportTestsBuilder.test_serverAddressTCP4": _SESSION,
    f"{_TCP}.TCPTransportTestsBuilder.test_serverAddressTCP6": _SESSION,
    "test.test_tcp.ListeningTests.test_serverRepr": _SESSION,
    "test.test_tcp.LoopbackTests.test_tcpNoDelay": "uvloop turns Nagle's algorithm off from the start",
    "test.test_unix.UnixSocketTests.test_reprWithNewStyleFactory": "a native port has a repr of its own",
    f"{_UNIX}.UNIXTestsBuilder.test_avoidLeakingFileDescriptors": _DESCRIPTORS,
    f"{_UNIX}.UNIXTestsBuilder.test_descriptorDeliveredBeforeBytes": _DESCRIPTORS,
    f"{_UNIX}.UNIXTestsBuilder.test_fileDescriptorOverrun": _DESCRIPTORS,
    f"{_UNIX}.UNIXTestsBuilder.test_sendFileDescriptor": _DESCRIPTORS,
    f"{_UNIX}.UNIXTestsBuilder.test_sendFileDescriptorTriggersPauseProducing": _DESCRIPTORS,
    f"{_UNIX}.UNIXTestsBuilder.test_listenFailure": "it patches the base class of Twisted's ports",
}


# They want to be root, and a Python that everybody may read: they fail on Twisted's own reactors too.
NOT_OF_THE_REACTOR = tuple(
    f"internet.test.test_process.{builder}.test_change{what}"
    for builder in ("ProcessTestsBuilder", "PTYProcessTestsBuilder")
    for what in ("UID", "GID")
)


def run(folder: Path, *arguments: str) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", CONTRACT, *arguments],
        capture_output=True, text=True, timeout=900, check=False, cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    outcomes: dict[str, str] = json.loads(done.stdout)
    return outcomes


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory) -> dict[str, str]:
    left_out = (f"-{name}" for name in (*CANNOT_APPLY, *NOT_OF_THE_REACTOR))
    return run(tmp_path_factory.mktemp("trial"), *SUITES, *left_out)


@pytest.mark.parametrize("suite", SUITES)
def test_every_test_of_twisteds_suite_passes_that_can_apply(suite, outcomes):
    prefix = suite.removeprefix("twisted.") + "."
    here = {name: outcome for name, outcome in outcomes.items() if name.startswith(prefix)}
    assert here, "the suite has no tests any more"
    assert {name: outcome for name, outcome in here.items() if outcome != "passed"} == {}


def test_what_cannot_apply_does_not_pass_after_all(tmp_path):
    named = [f"twisted.{name.rsplit('.', 2)[0]}:{name}" for name in CANNOT_APPLY]
    found = run(tmp_path, *named)
    assert set(found) == set(CANNOT_APPLY), "a test of the list is not there any more"
    assert [name for name, outcome in found.items() if not outcome.startswith("failed")] == []
