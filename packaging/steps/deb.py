"""The .deb: debhelper over the staged tree."""

from __future__ import annotations

import shutil
import sys
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from steps import sbom, stage
from steps.context import BuildError
from steps.licences import copyright_text

if TYPE_CHECKING:
    from steps.context import Context

REVISION: Final = 1  # of the packaging, of one version of asgid

CHANGELOG: Final = """asgid ({version}) unstable; urgency=medium

  * asgid {upstream}; what has changed is in changelog.gz beside this file.

 -- asgid maintainers <maintainers@asgid.example>  {date}
"""


def build(context: Context) -> list[Path]:
    """Build it into the output folder; return what was made."""
    staged = stage.build(context)
    source = context.work / "deb" / f"asgid-{context.version}"
    _lay_out(context, staged, source)
    major, minor = sys.version_info[:2]
    depends = f"python3 (>= {major}.{minor}~), python3 (<< {major}.{minor + 1}~)"
    command = ["dpkg-buildpackage", "--build=binary", "--no-sign"]
    context.run(command, cwd=source, STAGE=str(staged), PYTHON_DEPENDS=depends)
    built = list(source.parent.glob("*.deb"))
    if len(built) != 1:
        raise BuildError(f"dpkg-buildpackage made {built}")
    result = context.out / built[0].name
    shutil.copyfile(built[0], result)
    return [result, sbom.beside(context, result)]


def _lay_out(context: Context, staged: Path, source: Path) -> None:
    packaging = context.tree / "packaging"
    debian = source / "debian"
    shutil.copytree(packaging / "debian", debian)
    for each in (packaging / "systemd").iterdir():  # debhelper goes by these names
        (shutil.copytree if each.is_dir() else shutil.copyfile)(each, debian / each.name)
    shutil.copyfile(packaging / "etc" / "logrotate", debian / "asgid.logrotate")
    shutil.copyfile(packaging / "completions" / "_asgid", debian / "_asgid")
    shutil.copyfile(context.tree / "CHANGELOG.md", source / "CHANGELOG.md")
    (debian / "copyright").write_text(copyright_text(context, staged), encoding="utf-8")
    date = format_datetime(datetime.fromtimestamp(context.epoch, UTC))
    version = f"{context.version}-{REVISION}~{_release()}"
    text = CHANGELOG.format(version=version, upstream=context.version, date=date)
    (debian / "changelog").write_text(text, encoding="utf-8")
    (debian / "rules").chmod(0o755)


def _release() -> str:
    """Return what tells the packages of two releases apart, so that the later release's is the newer one."""
    lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    about = dict(line.split("=", 1) for line in lines if "=" in line)
    names = {"debian": "deb"}
    name = about["ID"].strip('"')
    return names.get(name, name) + about.get("VERSION_ID", "0").strip('"')
