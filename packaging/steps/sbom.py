"""Software bills of materials in CycloneDX: what is in a package, from what pip says of the locked ones."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from steps.context import Context


def beside(context: Context, artifact: Path) -> Path:
    """Write the SBOM of a file that was built beside it, with the file's hash; return its path."""
    target = artifact.with_name(f"{artifact.name}.cdx.json")
    digest = hashlib.sha256(artifact.read_bytes()).hexdigest()
    _write(context, target, artifact.name, digest)
    return target


def of_tree(context: Context, target: Path) -> None:
    """Write the SBOM that lies in the packages themselves."""
    _write(context, target, "asgid", "")


def _write(context: Context, target: Path, name: str, digest: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    script = context.tree / "packaging" / "steps" / "write_sbom.py"
    text = context.run([context.tools, script, name, context.version, context.report, digest])
    target.write_text(text, encoding="utf-8")
