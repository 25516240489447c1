"""Run Twisted's own reactor suites against the native reactor, in a process of their own.

``python contract.py [-TEST...] MODULE[:TEST]...`` runs the tests of the modules (or the one named), those
after a minus left out, and prints one JSON object: ``passed``, ``failed: ...`` or ``skipped: ...`` for each
test. The suites swap the global reactor's class and its signal handlers, so they are not run inside pytest's
process.
"""

from __future__ import annotations

import gc
import importlib
import json
import sys
import unittest

import uvloop
from twisted.internet.test.reactormixins import ReactorBuilder
from twisted.trial.unittest import SynchronousTestCase

from asgid.daemon.net.reactor import NativeReactor, install


def NativeReactorFactory(case: SynchronousTestCase) -> NativeReactor:
    loop = uvloop.new_event_loop()
    case.addCleanup(loop.close)
    return NativeReactor(loop)


def name_of(test: unittest.TestCase) -> str:
    """The suite's own name of a test, without the reactor's."""
    name = f"{type(test).__module__}.{type(test).__name__}.{test._testMethodName}"
    return name.removeprefix("twisted.").replace("_NativeReactorFactoryTests", "")


class Outcomes(unittest.TestResult):
    def __init__(self) -> None:
        super().__init__()
        self.outcomes: dict[str, str] = {}

    def _note(self, test: unittest.TestCase, outcome: str) -> None:
        name = name_of(test)
        if not self.outcomes.get(name, "passed").startswith("failed"):
            self.outcomes[name] = outcome

    def addSuccess(self, test):
        self._note(test, "passed")

    def addFailure(self, test, err):
        self._note(test, "failed: " + self._exc(err))

    addError = addFailure

    def addSkip(self, test, reason):
        self._note(test, f"skipped: {reason}")

    def addExpectedFailure(self, test, err, todo=None):
        self._note(test, "skipped: expected failure upstream")

    def addUnexpectedSuccess(self, test, todo=None):
        self._note(test, "passed")

    def _exc(self, err) -> str:
        if isinstance(err, tuple):
            return f"{err[0].__name__}: {err[1]}"
        return f"{err.type.__name__}: {err.getErrorMessage()}"


def cases(module):
    """Every case that the module has made for this reactor; older modules run on the global reactor."""
    built = [value for name, value in vars(module).items() if name.endswith("_NativeReactorFactoryTests")]
    if built:
        return built
    types = [value for value in vars(module).values() if isinstance(value, type)]
    own = [each for each in types if each.__module__ == module.__name__]
    return [each for each in own if issubclass(each, SynchronousTestCase)]


def tests_of(names: list[str]):
    for name in names:
        module, _, only = name.partition(":")
        for case in cases(importlib.import_module(module)):
            case.timeout = 10 if not only else 2  # seconds, in place of 120; what is named alone is to fail
            for test in unittest.TestLoader().getTestCaseNames(case):
                one = case(test)
                if only in ("", name_of(one)):
                    yield one


def main(names: list[str]) -> None:
    install()
    ReactorBuilder._reactors = [f"{__name__}.NativeReactorFactory"]
    result = Outcomes()
    left_out = {name[1:] for name in names if name.startswith("-")}
    for test in tests_of([name for name in names if not name.startswith("-")]):
        if name_of(test) not in left_out:
            test.run(result)
            gc.collect()  # an error in a Deferred that nobody waits for belongs to the test that made it
    json.dump(result.outcomes, sys.stdout, indent=1)


if __name__ == "__main__":
    main(sys.argv[1:])
