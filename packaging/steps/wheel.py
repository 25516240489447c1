"""The wheel and the sdist, by hatchling, each with its SBOM."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from steps import sbom

if TYPE_CHECKING:
    from pathlib import Path

    from steps.context import Context


def build(context: Context) -> list[Path]:
    """Build both into the output folder; return what was made."""
    made = []
    for target in ("wheel", "sdist"):
        built = make(context, target)
        result = context.out / built.name
        shutil.copyfile(built, result)
        made += [result, sbom.beside(context, result)]
    return made


def make(context: Context, target: str) -> Path:
    """Build ``wheel`` or ``sdist`` from a copy of what the tree has of it, and return the file."""
    source = context.work / "source"
    if not source.exists():
        copy(context.tree, source)
    place = context.work / target
    context.run([context.tools, "-m", "hatchling", "build", "-t", target, "-d", place], cwd=source)
    (found,) = place.iterdir()
    return found


def copy(tree: Path, target: Path) -> None:
    """Copy what belongs to the project, so that nothing that was left in a work tree gets in."""
    left_out = shutil.ignore_patterns("__pycache__", "*.py[co]", "*.so", ".*_cache", ".hypothesis")
    target.mkdir()
    for name in ("daemon", "config", "packaging", "tests"):
        shutil.copytree(tree / name, target / name, symlinks=True, ignore=left_out)
    for name in ("README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", ".gitignore"):
        shutil.copyfile(tree / name, target / name)
    for each in (target, *target.rglob("*")):  # a clone's own modes depend on whose umask made it
        if not each.is_symlink():
            each.chmod(0o755 if each.is_dir() or each.stat().st_mode & 0o100 else 0o644)
