"""The logs: a handler before the application, lines that cannot be forged, Twisted's events among them."""

from __future__ import annotations

import logging
import logging.config
import subprocess
import sys

import pytest

from asgid.config.spec import LogSpec
from asgid.daemon.observe import logs


@pytest.fixture(autouse=True)
def root():
    """Put the root logger back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:], root.level = handlers, level
    logging.getLogger("asgid").disabled = False


def python(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    return done.stderr


def test_there_is_one_handler_however_often_it_is_configured(root):
    before = len(root.handlers)
    for _ in range(3):
        logs.configure(LogSpec())
    assert len(root.handlers) == before + 1


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error", "critical"])
def test_the_level_is_the_specs(capsys, level):
    logs.configure(LogSpec(level=level))
    for each in ("debug", "info", "warning", "error", "critical"):
        getattr(logging.getLogger("somebody"), each)("said at %s", each)
    said = [line.rpartition(" ")[2] for line in capsys.readouterr().err.splitlines()]
    levels = ["debug", "info", "warning", "error", "critical"]
    assert said == levels[levels.index(level) :]


def test_the_pattern_is_the_specs(capsys):
    logs.configure(LogSpec(pattern="%(levelname)s|%(message)s"))
    logging.getLogger("somebody").info("hello")
    assert capsys.readouterr().err == "INFO|hello\n"


def test_nothing_goes_to_standard_output(capsys):
    logs.configure(LogSpec(level="debug"))
    logging.getLogger("somebody").error("hello")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "evil", ["a\nCRITICAL forged", "a\rforged", "\x1b[2Jcleared", "\x9b2J", "a\u2028forged", "\0"]
)
def test_what_a_client_puts_into_a_message_of_ours_stays_on_its_line(capsys, evil):
    logs.configure(LogSpec(pattern="%(message)s"))
    logging.getLogger("asgid.wire").warning("refused: %s", evil)
    (line,) = capsys.readouterr().err.split("\n")[:-1]
    assert line.isprintable()


def test_an_applications_own_lines_are_left_as_they_are(capsys):
    logs.configure(LogSpec(pattern="%(message)s"))
    logging.getLogger("mysite").warning("two\nlines")
    assert capsys.readouterr().err == "two\nlines\n"


def test_a_traceback_keeps_its_lines(capsys):
    logs.configure(LogSpec())
    try:
        int("inside")
    except ValueError:
        logging.getLogger("asgid.application").exception("it failed")
    assert "\nValueError: invalid literal" in capsys.readouterr().err


def test_an_application_that_configures_logging_has_the_last_word(capsys):
    logs.configure(LogSpec())
    logging.config.dictConfig(
        {
            "version": 1,
            "formatters": {"own": {"format": "OWN %(message)s"}},
            "handlers": {"own": {"class": "logging.StreamHandler", "formatter": "own"}},
            "root": {"handlers": ["own"], "level": "ERROR"},
        }
    )
    logs.revive()
    logging.getLogger("othersite").warning("below its level")
    logging.getLogger("othersite").error("hello")
    assert capsys.readouterr().err == "OWN hello\n"


def test_an_application_that_disables_existing_loggers_does_not_silence_the_daemon(capsys):
    logs.configure(LogSpec(pattern="%(message)s"))
    logging.config.dictConfig({"version": 1, "disable_existing_loggers": True})
    assert logging.getLogger("asgid").disabled
    logs.revive()
    logging.getLogger("asgid").info("still here")
    assert capsys.readouterr().err == "still here\n"


def test_twisteds_events_come_out_with_their_levels_and_failures_with_their_tracebacks():
    said = python(
        "from asgid.config.spec import LogSpec\n"
        "from asgid.daemon.observe import logs\n"
        "logs.configure(LogSpec(level='info', pattern='%(levelname)s %(name)s %(message)s'))\n"
        "logs.route_twisted()\n"
        "from twisted.logger import Logger\n"
        "log = Logger('some.where')\n"
        "log.debug('not {x}', x=1)\nlog.info('told {x}', x=2)\nlog.warn('warned {x}', x=3)\n"
        "try: 1/0\nexcept ZeroDivisionError: log.failure('failed {x}', x=4)\n"
    )
    lines = said.splitlines()
    assert lines[:3] == ["INFO twisted told 2", "WARNING twisted warned 3", "CRITICAL twisted failed 4"]
    assert lines[-1].endswith("ZeroDivisionError: division by zero")


def test_autobahns_events_come_out_too():
    said = python(
        "from asgid.config.spec import LogSpec\n"
        "from asgid.daemon.observe import logs\n"
        "logs.configure(LogSpec(pattern='%(levelname)s %(name)s %(message)s'))\n"
        "logs.route_twisted()\n"
        "import txaio; txaio.use_twisted()\n"
        "txaio.make_logger().warn('from Autobahn {x}', x=5)\n"
    )
    assert said == "WARNING twisted from Autobahn 5\n"


def test_what_nobody_handled_is_logged_with_where_and_why(caplog):
    error = ValueError("nobody")
    logs.unhandled(
        None, {"message": "Task exception was never retrieved", "exception": error, "task": "the task"}
    )
    (record,) = caplog.records
    assert "never retrieved (task: 'the task')" in record.getMessage()
    assert record.exc_info[1] is error


def test_a_context_without_a_message_or_an_exception_is_logged_too(caplog):
    logs.unhandled(None, {})
    assert len(caplog.records) == 1


def test_flushing_closed_streams_raises_nothing():
    assert (
        python(
            "import sys\nfrom asgid.config.spec import LogSpec\nfrom asgid.daemon.observe import logs\n"
            "logs.configure(LogSpec())\nsys.stdout.close()\nsys.stdout = None\nlogs.flush()\n"
        )
        == ""
    )
