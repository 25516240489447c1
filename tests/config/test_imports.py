"""What the configuration package imports, and when: a lint runs in editors and is asked often."""

from __future__ import annotations

import subprocess
import sys

import pytest

NEVER = ("twisted", "asyncio", "uvloop", "asgid.daemon", "autobahn", "httptools")
LATER = ("pydantic", "tomllib", "ipaddress", "json", "difflib", "logging")


def imported(code: str) -> set[str]:
    result = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(result.stdout.split())


def test_importing_the_package_imports_next_to_nothing():
    assert not imported("import asgid.config") & {*NEVER, *LATER}


def test_a_diagnostic_and_an_endpoint_string_need_no_pydantic():
    modules = imported("from asgid.config import Diagnostic, endpoints; endpoints.parse('tcp:1')")
    assert not modules & {*NEVER, "pydantic"}


def test_loading_and_planning_never_import_the_daemon_or_a_loop(tmp_path):
    path = tmp_path / "l.toml"
    path.write_text('[application]\ntarget = "a:b"\n[listeners.a]\nfd = 3\n')
    code = f"from asgid.config import load, plan; assert plan(load({str(path)!r}).config, None).listeners"
    assert not imported(code) & {*NEVER, "importlib.metadata", "secrets"}


def test_every_name_that_is_offered_is_there():
    import asgid.config

    for name in asgid.config.__all__:
        assert getattr(asgid.config, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        asgid.config.nothing  # noqa: B018


@pytest.mark.parametrize("mistake", ["", "adress = 1", 'port = "1"', "x = y", "# asgid: ignore ASG508"])
def test_a_lint_imports_neither_twisted_nor_a_loop(tmp_path, mistake):
    path = tmp_path / "l.toml"
    text = '[application]\ntarget = "a:b"\n[listeners.a]\naddress = "0.0.0.0"\nport = 1\n'
    path.write_text(f"{text}[listeners.b]\nendpoint = 'onion:1'\n{mistake}\n")
    code = f"from asgid.daemon.cli.commands import run; run(['lint', {str(path)!r}])"
    assert not imported(code) & ({*NEVER} - {"asgid.daemon"})
