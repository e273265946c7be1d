"""Build a release into a folder and check its contents. Run by `make release-check`.

The wheel must contain the package and nothing else, and the source archive everything that tests
and documentation need. Both must have the metadata that a package index requires, and the versions
must agree.
"""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KEPT_OUT = re.compile(
    r"(^|/)(__pycache__|shared|_build|generated|\.git|\.venv[^/]*)(/|$)|\.nb[ci]$"
)


def run(*words):
    """Run a command and return its output. Exit with the output if the command fails."""
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def tracked(*folders):
    """List the files under version control."""
    return set(run("git", "ls-files", *folders).split("\n")) - {""}


def require(condition, message):
    """Exit with a message unless a condition holds."""
    if not condition:
        sys.exit(message)


def check_wheel(wheel, version):
    """Check that a wheel contains exactly the package and complete metadata, and return these."""
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
        info = f"gazesal-{version}.dist-info"
        metadata = Parser().parsestr(archive.read(f"{info}/METADATA").decode())
        entry_points = archive.read(f"{info}/entry_points.txt").decode()
    package = {name for name in names if not name.startswith(f"{info}/")}
    wanted = tracked("gazesal")
    require(package == wanted, f"the wheel differs from the package: {sorted(package ^ wanted)}")
    for name in ("gazesal/py.typed", "gazesal/references.bib"):
        require(name in package, f"the wheel does not contain {name}")
    require(f"{info}/licenses/LICENSE" in names, "the wheel does not contain the license")
    require("gazesal = gazesal.cli:main" in entry_points, "the wheel does not define the command")
    require(metadata["License-Expression"] == "MIT", "the wheel does not state its license")
    require("NCC" in metadata.get_payload(), "the wheel does not contain the README")
    torch = [need for need in metadata.get_all("Requires-Dist") if need.startswith("torch")]
    require(all("extra ==" in need for need in torch), "the wheel requires torch")
    return metadata


def check_sources(sources, version):
    """Check that a source archive contains the tracked files and nothing else."""
    with tarfile.open(sources) as archive:
        names = {member.name for member in archive.getmembers() if member.isfile()}
    prefix = f"gazesal-{version}/"
    require(
        all(name.startswith(prefix) for name in names), f"the sources have a file outside {prefix}"
    )
    names = {name.removeprefix(prefix) for name in names}
    wanted = tracked("gazesal", "tests", "docs", "examples", "benchmarks", ".ci", "*.md", "*.cff")
    wanted = {name for name in wanted if not name.startswith(".github/")}
    wanted |= {"LICENSE", "Makefile", "conftest.py", "pyproject.toml"}
    require(wanted <= names, f"the sources do not contain {sorted(wanted - names)}")
    more = names - wanted - {"PKG-INFO", ".gitignore"}
    require(not more, f"the sources contain untracked files: {sorted(more)}")
    odd = [name for name in names if KEPT_OUT.search(name)]
    require(not odd, f"the sources contain {odd}")


def check_versions(version):
    """Check that all files state one version, and that a tag of the commit agrees."""
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    stated = re.search(r"^version: (\S+)$", citation, re.MULTILINE)[1]
    require(stated == version, f"CITATION.cff has {stated}, pyproject.toml {version}")
    check_changelog(version)
    tags = run("git", "tag", "--points-at", "HEAD").split()
    require(not tags or f"v{version}" in tags, f"the tag {tags} is not v{version}")
    dated = re.search(r"^date-released: \d{4}-\d\d-\d\d$", citation, re.MULTILINE) is not None
    if ".dev" in version:
        require("date-released" not in citation, f"CITATION.cff has a date for {version}")
    else:
        require(dated, f"CITATION.cff has no `date-released` for {version}")


def check_changelog(version):
    """Check that the first entry of the changelog, and the fragments, fit the version."""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    heading, release, state = re.search(r"^## (\S+) \((.*)\)$", text, re.MULTILINE).group(0, 1, 2)
    if ".dev" in version:
        # After a release, its entry stays first until the fragments of the next one are collected.
        fits = (state == "unreleased") == (release == version.partition(".dev")[0])
        require(fits, f"CHANGELOG.md starts with {heading!r}, which does not fit {version}")
        return
    dated = re.fullmatch(r"\d{4}-\d\d-\d\d", state) is not None
    require(
        release == version and dated,
        f"CHANGELOG.md starts with {heading!r}, expected '## {version} (YEAR-MONTH-DAY)'",
    )
    left = [path.name for path in (ROOT / "docs" / "changelog.d").glob("*.*.md")]
    require(not left, f"docs/changelog.d contains {left}. Run `towncrier build`.")


def check_addresses(metadata, version):
    """Check that links and pictures of the README have absolute addresses.

    On a package index, relative pictures do not load and relative links are broken. Development
    versions have no addresses yet.
    """
    if ".dev" in version:
        return
    require(
        metadata.get_all("Project-URL"),
        "pyproject.toml has no addresses. Add the table [project.urls].",
    )
    found = re.findall(
        r"\]\(([^)\s]+)|<(?:img|a)\s(?:[^>]*\s)?(?:src|href)=\"([^\"]+)|^\[[^\]]+\]:\s*(\S+)",
        metadata.get_payload(),
        re.MULTILINE,
    )
    targets = ["".join(each) for each in found]
    # Targets that begin with "#" are on the same page.
    relative = [target for target in targets if not target.startswith(("https://", "#"))]
    require(not relative, f"pictures or links of the README have no absolute address: {relative}")


def main():
    """Build the release, check it, and print its size."""
    out = Path(sys.argv[1])
    with (ROOT / "pyproject.toml").open("rb") as file:
        version = tomllib.load(file)["project"]["version"]
    check_versions(version)
    run(Path(sys.executable).with_name("cffconvert"), "--validate")
    for old in out.glob("gazesal-*"):
        old.unlink()
    run(sys.executable, "-m", "build", "--outdir", out, ".")
    (wheel,), (sources,) = out.glob("*.whl"), out.glob("*.tar.gz")
    run(sys.executable, "-m", "twine", "check", "--strict", wheel, sources)
    metadata = check_wheel(wheel, version)
    check_addresses(metadata, version)
    check_sources(sources, version)
    sizes = ", ".join(
        f"{path.name} {path.stat().st_size / 1e6:.2f} MB" for path in (wheel, sources)
    )
    print(f"{metadata['Name']} {version}: {sizes}; contents, metadata and versions agree")


if __name__ == "__main__":
    main()
