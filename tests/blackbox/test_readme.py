"""The README's tour is true: its files are written out, its commands run, their output compared."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from support.files import free_port, write
from support.server import ASGID

README = (Path(__file__).parents[2] / "README.md").read_text()
TOUR = README[README.index("## Five minutes") : README.index("## From Daphne's flags")]
AROUND = README[README.index("## Around the file") : README.index("## From another server")]
CONVERT = re.search(
    r"```console\n\$ (asgid convert [^\n]*)\n(.*?)```\n\n```toml\n(.*?)```",
    README[README.index("## From another server") :],
    re.DOTALL,
)
assert CONVERT is not None


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TOUR, re.DOTALL)


def console(command: str) -> str:
    """What the tour says that ``command`` prints."""
    for block in blocks("console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE):
            line, _, output = part.partition("\n")
            if line == command:
                return output
    raise AssertionError(f"the tour does not run {command!r}")


@pytest.fixture(scope="module")
def tour(tmp_path_factory):
    """The tour's folder, its ports replaced by free ones."""
    folder = tmp_path_factory.mktemp("tour")
    swaps = {"8080": str(free_port()), "8081": str(free_port()), "/tmp/tour": str(folder)}

    def here(text: str) -> str:
        for old, new in swaps.items():
            text = text.replace(old, new)
        return text

    write(folder / "hello.py", blocks("python")[0])
    write(folder / "listeners.toml", here(blocks("toml")[0]))
    return folder, here


def same(text: str) -> str:
    """The text without what differs from run to run: times, process ids, Python's version."""
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}", "TIME", text)
    text = re.sub(r"\(process \d+, Python [^)]+\)", "(process N, Python X)", text)
    return re.sub(r"held by .* \(pid \d+\)", "held by asgid (pid N)", text)


def asgid(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ASGID, *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


def test_endpoints(tour):
    folder, here = tour
    shown = asgid(folder, "endpoints", "listeners.toml")
    assert (shown.returncode, shown.stdout) == (0, here(console("asgid endpoints listeners.toml")))


def test_an_unescaped_address(tour):
    folder, _ = tour
    shown = asgid(folder, "-e", "tcp:8005:interface=::1", "hello:app")
    assert shown.stderr == console('asgid -e "tcp:8005:interface=::1" hello:app')
    assert shown.returncode == 2


def test_the_mistakes(tour, tmp_path):
    folder, here = tour
    good = (folder / "listeners.toml").read_text()
    bad = good.replace("mode = ", "mod = ").replace('"10MB"', '"10 megs"')
    assert bad != good
    write(tmp_path / "listeners.toml", bad)
    shown = asgid(tmp_path, "lint", "listeners.toml")
    assert (shown.returncode, shown.stdout) == (1, here(console("asgid lint listeners.toml")))
    assert asgid(tmp_path, "--config", "listeners.toml").returncode == 78


def test_serving_from_start_to_stop(tour, start):
    folder, here = tour
    server = start("--config", "listeners.toml", cwd=folder).wait_serving()
    for command in (
        "curl http://127.0.0.1:8080/",
        "curl http://127.0.0.1:8081/",
        "curl --unix-socket http.sock http://localhost/",
    ):
        words = here(command).split()
        shown = subprocess.run(
            [words[0], "-sS", *words[1:]], cwd=folder, capture_output=True, text=True, timeout=60, check=True
        )
        assert shown.stdout == console(command)
    held = asgid(folder, *here("-p 8080 hello:app").split())
    assert same(held.stderr) == same(here(console("asgid -p 8080 hello:app")))
    server.stop()
    said = here(console("asgid --config listeners.toml") + blocks("console")[-1])
    assert [same(line) for line in server.err.lines] == [same(line) for line in said.splitlines()]
    assert server.status == 0


def test_what_the_commands_around_the_file_print(tour):
    folder, here = tour
    path = f"{Path(ASGID).parent}:{os.environ['PATH']}"
    ran = 0
    for block in re.findall(r"```console\n(.*?)```", AROUND, re.DOTALL):
        for part in re.split(r"^\$ ", here(block), flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            shown = subprocess.run(
                command, shell=True, cwd=folder, capture_output=True, text=True, timeout=60, check=False,
                env={**os.environ, "PATH": path},
            )  # fmt: skip
            assert (shown.stdout, shown.stderr) == (output, ""), command
            ran += 1
    assert ran == 4


def test_what_convert_prints(tmp_path):
    command, output, file = CONVERT.groups()
    shown = asgid(tmp_path, *command.split()[1:])
    printed = shown.stdout.replace(str(tmp_path), "/srv/mysite")
    assert (shown.returncode, printed, shown.stderr) == (0, file, output)


@pytest.mark.parametrize("number", range(1, len(blocks("toml"))))
def test_the_other_files_are_valid(tour, tmp_path, number):
    folder, _ = tour
    write(tmp_path / "other.toml", blocks("toml")[number])
    shown = asgid(folder, "lint", str(tmp_path / "other.toml"))
    assert shown.returncode == 0, shown.stdout
