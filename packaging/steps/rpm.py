"""The .rpm: rpmbuild over the staged tree, with what debhelper does for the .deb done here."""

from __future__ import annotations

import gzip
import re
import shutil
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from steps import sbom, stage
from steps.context import PYTHON

if TYPE_CHECKING:
    from pathlib import Path

    from steps.context import Context

UNITS = "usr/lib/systemd/system"


def build(context: Context) -> list[Path]:
    """Build it into the output folder; return what was made."""
    top = context.work / "rpm"
    staged = top / "stage"
    shutil.copytree(stage.build(context), staged, symlinks=True)
    _add(context, staged)
    stage.normalise(context, staged)
    asked = "\n".join(f"Requires: {each}" for each in _requirements(context, staged))
    text = (context.tree / "packaging" / "rpm" / "asgid.spec").read_text(encoding="utf-8")
    spec = top / "asgid.spec"
    spec.write_text(text.replace("\n@REQUIRES@\n", f"\n{asked}\n"), encoding="utf-8")
    defined = [f"--define={name} {text}" for name, text in _definitions(context, top, staged).items()]
    context.run(["rpmbuild", "-bb", *defined, spec])
    (built,) = (top / "RPMS").rglob("*.rpm")
    result = context.out / built.name
    shutil.copyfile(built, result)
    return [result, sbom.beside(context, result)]


def _add(context: Context, staged: Path) -> None:
    packaging = context.tree / "packaging"
    systemd = packaging / "systemd"
    dropin = "asgid@listeners.service.d"
    shutil.copytree(systemd / dropin, staged / UNITS / dropin)
    copies = {
        systemd / "asgid.service": f"{UNITS}/asgid.service",
        systemd / "asgid@.service": f"{UNITS}/asgid@.service",
        systemd / "asgid.sysusers": "usr/lib/sysusers.d/asgid.conf",
        systemd / "asgid.tmpfiles": "usr/lib/tmpfiles.d/asgid.conf",
        packaging / "etc" / "logrotate": "etc/logrotate.d/asgid",
        packaging / "completions" / "_asgid": "usr/share/zsh/site-functions/_asgid",
        context.tree / "CHANGELOG.md": "usr/share/doc/asgid/CHANGELOG.md",
        context.tree / "LICENSE": "usr/share/licenses/asgid/LICENSE",
    }
    for source, target in copies.items():
        (staged / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, staged / target)
    for page in list((staged / "usr/share/man").rglob("*.[0-9]")):
        page.with_name(f"{page.name}.gz").write_bytes(gzip.compress(page.read_bytes(), mtime=0))
        page.unlink()


def _definitions(context: Context, top: Path, staged: Path) -> dict[str, object]:
    sysusers = (context.tree / "packaging" / "systemd" / "asgid.sysusers").read_text(encoding="utf-8").strip()
    return {
        "_topdir": top,
        "stage": staged,
        "asgid_version": context.version,
        "python": PYTHON,
        "python_version": ".".join(map(str, sys.version_info[:2])),
        "sysusers": sysusers,
        "changelog_date": datetime.fromtimestamp(context.epoch, UTC).strftime("%a %b %d %Y"),
        "_buildhost": "localhost",
        "use_source_date_epoch_as_buildtime": 1,
        "clamp_mtime_to_source_date_epoch": 1,
        "_binary_payload": "w9.zstdio",  # 19 takes twenty times as long for a tenth less
    }


def _requirements(context: Context, staged: Path) -> list[str]:
    """Return what the compiled modules ask of the system's libraries, in rpm's words for it.

    rpm's own generator would offer the private libraries to everybody else as well.
    """
    found: set[str] = set()
    for library in stage.libraries(staged / stage.PRIVATE):
        said = context.run(["objdump", "-p", library])
        found |= {
            f"{name}()(64bit)" for name in re.findall(r"NEEDED\s+(lib(?:c|m|gcc_s|stdc\+\+)\.so\.\d+)", said)
        }
        for name, versions in re.findall(r"required from (lib[^:]+\.so\.\d+):\n((?:\s+0x.*\n)+)", said):
            found |= {
                f"{name}({version})(64bit)" for version in re.findall(r"(\S+)$", versions, re.MULTILINE)
            }
    return sorted(found)
