"""The files themselves: the rpm as far as Debian's rpm can try it, the SBOMs, the wheel."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from support import hardening
from support.packaged import packages


def run(*words) -> str:
    done = subprocess.run(
        [*map(str, words)], check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert done.returncode == 0, (words, done.stdout)
    return done.stdout


@pytest.fixture(scope="module")
def rpm() -> Path:
    (found,) = packages().glob("*.rpm")
    return found


@pytest.fixture(scope="module")
def installed(rpm, tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("rpm")
    run("rpm", "--root", root, "--initdb")
    run("rpm", "--root", root, "-i", "--nodeps", "--noscripts", rpm)
    return root


def test_the_rpm_installs_verifies_and_goes(rpm, installed):
    assert run("rpm", "--root", installed, "-V", "--nodeps", "--noscripts", "asgid") == ""
    (installed / "usr/bin/asgid").write_text("changed")
    assert (
        "S.5"
        in subprocess.run(
            ["rpm", "--root", installed, "-V", "--nodeps", "--noscripts", "asgid"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout
    )
    run("rpm", "--root", installed, "-e", "--nodeps", "--noscripts", "asgid")
    assert not (installed / "usr/lib/asgid").exists()
    run("rpm", "--root", installed, "-i", "--nodeps", "--noscripts", rpm)


def test_the_rpm_asks_for_the_python_it_was_compiled_for_and_the_libraries_it_uses(rpm):
    asked = run("rpm", "-qp", "--requires", rpm).splitlines()
    assert "/usr/bin/python3.11" in asked
    assert "python(abi) = 3.11" in asked
    assert any(each.startswith("libc.so.6(GLIBC_2.34)") for each in asked)
    provided = run("rpm", "-qp", "--provides", rpm).split("\n")
    assert [each for each in provided if each and not each.startswith("asgid")] == []  # no private library


def test_the_rpms_files_have_the_attributes_of_their_kind(rpm):
    listed = run(
        "rpm",
        "-qp",
        "--qf",
        "[%{FILEMODES:perms} %{FILEUSERNAME} %{FILEGROUPNAME} %{FILEFLAGS:fflags}. %{FILENAMES}\n]",
        rpm,
    )
    rows = [line.split(" ", 4) for line in listed.splitlines()]
    assert {(user, group) for _, user, group, _, _ in rows} == {("root", "root")}
    assert {name for *_, flags, name in rows if "c" in flags} == {
        "/etc/asgid/listeners.toml",
        "/etc/logrotate.d/asgid",
    }
    assert all("n" in flags for *_, flags, name in rows if name.startswith("/etc/") and name != "/etc/asgid")
    assert not [row for row in rows if re.match(r"-..s|-.....s|........w", row[0]) and row[0][0] != "l"]
    names = {name for *_, name in rows}
    assert not [each for each in names if "/site-packages" in each and not each.startswith("/usr/lib/asgid/")]
    units = "/usr/lib/systemd/system"
    assert {
        f"{units}/asgid.service",
        f"{units}/asgid@.service",
        "/usr/share/man/man5/asgid.toml.5.gz",
    } <= names


def test_the_rpms_scripts_are_systemds_macros_and_the_shell_reads_them(rpm, tmp_path):
    said = run("rpm", "-qp", "--scripts", rpm)
    parts = re.split(
        r"^(preinstall|postinstall|preuninstall|postuninstall) scriptlet \(using /bin/sh\):\n",
        said,
        flags=re.MULTILINE,
    )
    scripts = dict(zip(parts[1::2], parts[2::2], strict=True))
    wanted = {
        "preinstall": "systemd-sysusers --replace=/usr/lib/sysusers.d/asgid.conf -",
        "postinstall": "install-system-units asgid.service",
        "preuninstall": "remove-system-units asgid.service",
        "postuninstall": "mark-restart-system-units asgid.service",
    }
    for name, words in wanted.items():
        assert words in scripts[name]
        script = tmp_path / name
        script.write_text(scripts[name])
        run("sh", "-n", script)
    assert scripts["preuninstall"].index("-eq 0") < scripts["preuninstall"].index("remove-system-units")


def test_both_packages_hold_the_same_asgid(installed, tmp_path):
    (package,) = packages().glob("*~deb12*.deb")
    run("dpkg-deb", "-x", package, tmp_path)
    private = "usr/lib/asgid"
    assert _digests(tmp_path / private) == _digests(installed / private)


def _digests(root: Path) -> dict[str, str]:
    return {
        str(each.relative_to(root)): hashlib.sha256(each.read_bytes()).hexdigest()
        for each in root.rglob("*")
        if each.is_file() and not each.is_symlink()
    }


@pytest.mark.parametrize("kind", ["*.whl", "*.tar.gz", "*~deb12*.deb", "*~deb13*.deb", "*.rpm"])
def test_each_has_an_sbom_that_names_it_by_its_hash_and_every_locked_package(kind):
    (artifact,) = [each for each in packages().glob(kind) if not each.name.startswith("older")]
    bom = json.loads(artifact.with_name(f"{artifact.name}.cdx.json").read_text())
    assert bom["bomFormat"] == "CycloneDX"
    assert bom["metadata"]["component"]["hashes"] == [
        {"alg": "SHA-256", "content": hashlib.sha256(artifact.read_bytes()).hexdigest()}
    ]
    lock = (Path(__file__).parents[2] / "packaging/lock/requirements.lock").read_text()
    for component in bom["components"]:
        assert f"{component['name']}=={component['version']}" in lock
        assert f"sha256:{component['hashes'][0]['content']}" in lock
    assert {"twisted", "pydantic", "pydantic-core", "uvloop", "httptools", "autobahn", "cryptography"} <= {
        each["name"] for each in bom["components"]
    }


def test_what_is_in_the_deb_is_what_the_sbom_says(tmp_path):
    (package,) = packages().glob("*~deb12*.deb")
    run("dpkg-deb", "-x", package, tmp_path)
    infos = (tmp_path / "usr/lib/asgid").rglob("*.dist-info/METADATA")
    found = set()
    for each in infos:
        about = dict(re.findall(r"^(Name|Version): (.*)$", each.read_text(), re.MULTILINE))
        found.add((re.sub(r"[-_.]+", "-", about["Name"]).lower(), about["Version"]))
    bom = json.loads(package.with_name(f"{package.name}.cdx.json").read_text())
    said = {(each["name"], each["version"]) for each in bom["components"]}
    assert found - said == {("asgid", bom["metadata"]["component"]["version"])}
    assert said <= found


def test_the_wheel_holds_the_two_packages_and_nothing_of_packaging():
    (wheel,) = packages().glob("*.whl")
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    version = wheel.name.split("-")[1]
    assert (
        {f"asgid-{version}.dist-info", "asgid"}
        <= tops
        <= {f"asgid-{version}.data", f"asgid-{version}.dist-info", "asgid"}
    )


def test_the_table_of_what_is_forbidden_has_every_directive_of_the_units():
    text = (Path(__file__).parent / "README.md").read_text()
    found = re.findall(r"^\| `(\w+)=` \|(?:.*)\|$", text, re.MULTILINE)
    assert found == list(hardening.directives())
    assert "no difference" not in text
