"""The tree that the deb and the rpm have in common: asgid with its locked packages, in /usr/lib/asgid.

That folder is a virtual environment, made by hand so that nothing of the builder gets into it. It runs with
the distribution's own Python and sees none of its site-packages.
"""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Final

from steps import sbom, wheel
from steps.context import PYTHON

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from steps.context import Context

PRIVATE: Final = "usr/lib/asgid"
UNUSED: Final = (  # not **/*.c: Autobahn reads its own when it is imported
    "**/test", "**/tests", "**/_test", "**/newsfragments", "**/.gitignore",
    "autobahn/_flatc", "autobahn/wamp/flatbuffers", "twisted/trial", "**/*.pyx", "**/*.pyi",
    "*.dist-info/RECORD", "*.dist-info/INSTALLER", "*.dist-info/REQUESTED", "*.dist-info/direct_url.json",
)  # fmt: skip
"""What wheels bring and nothing reads: tests, sources, the installer's notes about a place that is gone."""

PLUGIN_CACHE: Final = """
import sys
sys.path.insert(0, sys.argv[1])
from twisted.plugin import IPlugin, getPlugins
import twisted.plugins
list(getPlugins(IPlugin, twisted.plugins))
"""


def build(context: Context) -> Path:
    """Make the tree, or return the one that was made already."""
    root = context.work / "stage"
    if not root.exists():
        site = _environment(root)
        _fill(context, site)
        _command(context, root)
        _prune(site)
        _strip(context, site)
        _compile(context, root, site)
        _files(context, root)
        sbom.of_tree(context, root / "usr/share/doc/asgid/asgid.cdx.json")
        normalise(context, root)
    return root


def _environment(root: Path) -> Path:
    place = root / PRIVATE
    (place / "bin").mkdir(parents=True)
    (place / "bin" / "python3").symlink_to(f"../../../bin/{PYTHON}")
    version = ".".join(map(str, sys.version_info[:2]))
    (place / "pyvenv.cfg").write_text(
        f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {version}\n", encoding="ascii"
    )
    site = place / "lib" / PYTHON / "site-packages"
    site.mkdir(parents=True)
    return site


def _fill(context: Context, site: Path) -> None:
    pip = [context.tools, "-m", "pip", "install", "-q", "--no-compile", "--no-deps", "--target", site]
    context.fetch()
    context.run([*pip, *context.offline, "-r", context.lock])
    context.run([*pip, "--no-index", wheel.make(context, "wheel")])


def _command(context: Context, root: Path) -> None:
    command = root / "usr" / "bin" / "asgid"
    command.parent.mkdir(parents=True)
    shutil.copyfile(context.tree / "packaging" / "etc" / "asgid", command)
    command.chmod(0o755)


def _prune(site: Path) -> None:
    shutil.rmtree(site / "bin", ignore_errors=True)
    shutil.rmtree(site / "share", ignore_errors=True)  # /usr/share has it all
    for pattern in UNUSED:
        for each in list(site.glob(pattern)):
            if each.is_dir():
                shutil.rmtree(each)
            else:
                each.unlink()


def _strip(context: Context, site: Path) -> None:
    for library in libraries(site):
        context.run(["strip", "--strip-unneeded", "--remove-section=.comment", library])
        library.chmod(0o644)


def libraries(site: Path) -> Iterator[Path]:
    """Give every compiled module and bundled library."""
    for each in sorted(site.rglob("*.so*")):
        with each.open("rb") as opened:
            if opened.read(4) == b"\x7fELF":
                yield each


def _compile(context: Context, root: Path, site: Path) -> None:
    """Compile everything, valid whatever the times of the files: nothing is compiled again at run time."""
    cache = site / "twisted" / "plugins" / "dropin.cache"
    context.run([sys.executable, "-ISB", "-c", PLUGIN_CACHE, site])
    if not cache.exists():
        raise FileNotFoundError(cache)
    words = ["-I", "-m", "compileall", "-q", "-s", root, "-p", "/", "--invalidation-mode", "unchecked-hash"]
    context.run([sys.executable, *words, site])


def _files(context: Context, root: Path) -> None:
    packaging = context.tree / "packaging"
    shared = root / "usr" / "share"
    documents = shared / "doc" / "asgid"
    copies = {
        packaging / "etc" / "listeners.toml": root / "etc" / "asgid" / "listeners.toml",
        packaging / "examples": documents / "examples",
        context.tree / "README.md": documents / "README.md",
        packaging / "reference" / "listeners.schema.json": shared / "asgid" / "listeners.schema.json",
        packaging / "completions" / "asgid": shared / "bash-completion" / "completions" / "asgid",
        packaging / "completions" / "asgid.fish": shared / "fish" / "vendor_completions.d" / "asgid.fish",
    }
    for page in sorted((packaging / "man").glob("*.[0-9]")):
        copies[page] = shared / "man" / f"man{page.suffix[1:]}" / page.name
    for source, target in copies.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copyfile)(source, target)


def normalise(context: Context, root: Path) -> None:
    """Give every file the mode and the time that it has whoever builds it."""
    for each in (root, *root.rglob("*")):
        if not each.is_symlink():
            is_program = each.is_dir() or each.parent == root / "usr" / "bin"
            each.chmod(0o755 if is_program else 0o644)
        os.utime(each, (context.epoch, context.epoch), follow_symlinks=False)
    # Twisted rebuilds its cache where a plugin is not older: 0.9 s of each start under a read-only /usr.
    for plugin in root.glob(f"{PRIVATE}/lib/*/site-packages/*/plugins/*.py"):
        os.utime(plugin, (context.epoch - 2, context.epoch - 2))
