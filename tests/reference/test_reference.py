"""What is made of the models and the parsers is fresh, complete and well-formed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from asgid.config.keys import every_key
from asgid.daemon.cli.commands import HOMES, PARSERS, at_home
from asgid.daemon.cli.parsing import COMMANDS, serving_parser

PACKAGING = Path(__file__).parents[2] / "packaging"
MAKE = PACKAGING / "reference/make.py"
PAGES = sorted((PACKAGING / "man").iterdir())


def make(script: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(script), *words], capture_output=True, text=True, check=False, timeout=60
    )


def test_nothing_is_stale():
    done = make(MAKE, "--check")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_stale_file_is_named_and_made_anew(tmp_path):
    shutil.copytree(PACKAGING / "reference", tmp_path / "packaging/reference")
    shutil.copytree(PACKAGING / "man", tmp_path / "packaging/man")
    script = tmp_path / "packaging/reference/make.py"
    stale = tmp_path / "packaging/man/asgid.1"
    stale.write_text(stale.read_text() + "x")
    done = make(script, "--check")
    assert done.returncode == 1
    assert "packaging/man/asgid.1 is stale" in done.stderr
    assert "completions/_asgid" in done.stderr
    assert "asgid-lint" not in done.stderr
    assert make(script).returncode == 0
    assert stale.read_text() == (PACKAGING / "man/asgid.1").read_text()
    assert make(script, "--check").returncode == 0


def test_every_command_has_a_home_and_a_parser_and_a_line():
    assert set(HOMES) == set(PARSERS) == set(COMMANDS)


def words(path: Path) -> str:
    """A page's text as a reader sees it, in one line."""
    shown = subprocess.run(
        ["groff", "-man", "-Tutf8", "-rHY=0", "-P-cbou", str(path)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return " ".join(shown.replace("\N{HYPHEN}\n", "").replace("\N{MINUS SIGN}", "-").split())


needs_groff = pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")


@needs_groff
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_groff_has_nothing_to_say_about_a_page(path):
    done = subprocess.run(
        ["groff", "-man", "-ww", "-z", str(path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_mandoc_misses_nothing_but_the_date(path):
    done = subprocess.run(["mandoc", "-T", "lint", str(path)], capture_output=True, text=True, check=False)
    assert [line for line in done.stdout.splitlines() if "missing date" not in line] == []


@needs_groff
def test_the_manual_tells_of_every_flag_of_every_command():
    shown = words(PACKAGING / "man/asgid.1")
    for parser in (serving_parser(), *(at_home(home)() for home in PARSERS.values())):
        for flag in parser.known:
            assert flag in {"-h", "--help"} or re.search(rf"(?<![\w-]){flag}(?![\w-])", shown), flag
    for name, text in COMMANDS.items():
        assert f"asgid {name}" in shown
        assert " ".join(text[1:].split()) in shown


@needs_groff
def test_the_reference_tells_of_every_key_in_both_forms():
    page = words(PACKAGING / "man/asgid.toml.5")
    text = (PACKAGING / "reference/asgid.toml.md").read_text()
    for key in every_key():
        assert f"{key.name} = " in page
        assert f"| `{key.name}` | " in text
        assert " ".join(key.about.split()) in page
        assert key.about.replace("|", r"\|") in text
        if key.default:
            assert f"| `{key.default}` | " in text


def test_the_schema_that_is_shipped_is_what_the_command_prints(run):
    shown = run("schema")
    assert shown.status == 0
    assert json.loads(shown.out.text) == json.loads(
        (PACKAGING / "reference/listeners.schema.json").read_text()
    )


BASH = """\
source {file}
COMP_WORDS=({words})
COMP_CWORD={index}
COMPREPLY=()
_shtab_asgid
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def bash(*line: str) -> set[str]:
    script = BASH.format(
        file=PACKAGING / "completions/asgid",
        words=" ".join(f"'{each}'" for each in line),
        index=len(line) - 1,
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return set(done.stdout.split())


def test_bash_completes_commands_flags_and_their_values():
    assert set(COMMANDS) <= bash("asgid", "")
    assert bash("asgid", "end") == {"endpoints"}
    assert bash("asgid", "lint", "--form") == {"--format"}
    assert bash("asgid", "lint", "--format", "") >= {"text", "json", "sarif", "github"}
    assert bash("asgid", "--lifespan", "") >= {"auto", "on", "off"}


@pytest.mark.parametrize(("shell", "name"), [("bash", "asgid"), ("zsh", "_asgid"), ("fish", "asgid.fish")])
def test_each_shell_reads_its_completions(shell, name):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    done = subprocess.run(
        [shell, "-n", str(PACKAGING / "completions" / name)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
