"""Print an SBOM in CycloneDX; the Python of the build tools runs this, which has the library.

Arguments: the name of what is described, asgid's version, pip's installation report, and the SHA-256 of the
described file or ''. The serial number comes from the content and the time from SOURCE_DATE_EPOCH: the same
commit gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.license import License, LicenseAcknowledgement
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "asgid")


def main(name: str, version: str, report: str, digest: str) -> int:
    """Print the SBOM; return the exit status."""
    installed = json.loads(Path(report).read_text(encoding="utf-8"))["install"]
    components = {canonicalize_name(each["metadata"]["name"]): _component(each) for each in installed}
    root = Component(
        name=name, version=version, type=ComponentType.APPLICATION, bom_ref="asgid",
        purl=PackageURL("pypi", None, "asgid", version), hashes=_hashes(digest),
        licenses=[LicenseFactory().make_from_string("MIT")],
    )  # fmt: skip
    bom = Bom(components=components.values(), serial_number=uuid.UUID(int=0))
    bom.metadata.component = root
    bom.metadata.timestamp = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), UTC)
    needed = {canonicalize_name(each["metadata"]["name"]): _needs(each) for each in installed}
    for each, names in needed.items():
        bom.register_dependency(
            components[each], [components[other] for other in sorted(names & components.keys())]
        )
    reached = set().union(*needed.values())
    bom.register_dependency(root, [components[each] for each in sorted(components.keys() - reached)])
    described = hashlib.sha256(_text(bom).encode()).hexdigest()
    bom.serial_number = uuid.uuid5(NAMESPACE, described)
    text = _text(bom)
    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if problem is not None:
        sys.stderr.write(f"the SBOM is not valid: {problem}\n")
        return 1
    sys.stdout.write(text)
    return 0


def _text(bom: Bom) -> str:
    outputter = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6)
    return str(outputter.output_as_string(indent=1)) + "\n"


def _component(item: dict[str, Any]) -> Component:
    about = item["metadata"]
    name = canonicalize_name(about["name"])
    licence = about.get("license_expression") or about.get("license") or ""
    expression = licence if licence and "\n" not in licence and len(licence) < 60 else ""
    return Component(
        name=name,
        version=about["version"],
        bom_ref=f"{name}@{about['version']}",
        type=ComponentType.LIBRARY,
        scope=ComponentScope.REQUIRED,
        description=about.get("summary"),
        purl=PackageURL("pypi", None, name, about["version"]),
        hashes=_hashes(_digest(item["download_info"]["url"])),
        licenses=_licenses(expression),
    )


def _licenses(expression: str) -> list[License]:
    if not expression:
        return []
    acknowledged = LicenseAcknowledgement.DECLARED
    return [LicenseFactory().make_from_string(expression, license_acknowledgement=acknowledged)]


def _digest(url: str) -> str:
    """Return the SHA-256 of the file that was locked; pip has compared it with the lock."""
    return hashlib.sha256(Path(unquote(urlsplit(url).path)).read_bytes()).hexdigest()


def _hashes(digest: str) -> list[HashType]:
    return [HashType(alg=HashAlgorithm.SHA_256, content=digest)] if digest else []


def _needs(item: dict[str, Any]) -> set[str]:
    """Return the names that a package asks for here, whatever its extras."""
    found = map(Requirement, item["metadata"].get("requires_dist") or ())
    asked = set(item.get("requested_extras") or ()) | {""}
    return {
        str(canonicalize_name(each.name))
        for each in found
        if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in asked)
    }


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
