"""Build a release into a folder and look at what is in it. Run by `make release-check`.

The wheel holds the package, whole and alone; the archive of sources, what tests and docs need; both
say of themselves what an index asks for; the versions agree.
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
    """A command that must succeed; what it says is shown if it does not."""
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def tracked(*folders):
    """Files under version control."""
    return set(run("git", "ls-files", *folders).split("\n")) - {""}


def require(condition, message):
    """Stop with a message unless the condition holds."""
    if not condition:
        sys.exit(message)


def check_wheel(wheel, version):
    """The package and nothing else, and metadata that an index takes."""
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
        info = f"gazesal-{version}.dist-info"
        metadata = Parser().parsestr(archive.read(f"{info}/METADATA").decode())
        entry_points = archive.read(f"{info}/entry_points.txt").decode()
    package = {name for name in names if not name.startswith(f"{info}/")}
    wanted = tracked("gazesal")
    require(package == wanted, f"the wheel differs from the package: {sorted(package ^ wanted)}")
    for name in ("gazesal/py.typed", "gazesal/references.bib"):
        require(name in package, f"the wheel lacks {name}")
    require(f"{info}/licenses/LICENSE" in names, "the wheel lacks the license")
    require("gazesal = gazesal.cli:main" in entry_points, "the wheel lacks the command")
    require(metadata["License-Expression"] == "MIT", "the wheel does not say its license")
    require("NCC" in metadata.get_payload(), "the wheel lacks the README")
    torch = [need for need in metadata.get_all("Requires-Dist") if need.startswith("torch")]
    require(all("extra ==" in need for need in torch), "the wheel requires torch")
    return metadata


def check_sources(sources, version):
    """All that tests and docs need, and no data from beside the project."""
    with tarfile.open(sources) as archive:
        names = {member.name for member in archive.getmembers() if member.isfile()}
    prefix = f"gazesal-{version}/"
    require(all(name.startswith(prefix) for name in names), "the sources have a file outside")
    names = {name.removeprefix(prefix) for name in names}
    wanted = tracked("gazesal", "tests", "docs", "examples", "benchmarks", ".ci", "*.md", "*.cff")
    wanted = {name for name in wanted if not name.startswith(".github/")}
    wanted |= {"LICENSE", "Makefile", "conftest.py", "pyproject.toml"}
    require(wanted <= names, f"the sources lack {sorted(wanted - names)}")
    more = names - wanted - {"PKG-INFO", ".gitignore"}
    require(not more, f"the sources have more than is under version control: {sorted(more)}")
    odd = [name for name in names if KEPT_OUT.search(name)]
    require(not odd, f"the sources have {odd}")


def check_versions(version):
    """One version everywhere, and the tag's where there is one."""
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    stated = re.search(r"^version: (\S+)$", citation, re.MULTILINE)[1]
    require(stated == version, f"CITATION.cff has {stated}, pyproject.toml {version}")
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    heading = "Unreleased" if ".dev" in version else version
    require(headings[0] == heading, f"CHANGELOG.md starts with {headings[0]}, not {heading}")
    tags = run("git", "tag", "--points-at", "HEAD").split()
    require(not tags or f"v{version}" in tags, f"the tag {tags} is not v{version}")
    dated = re.search(r"^date-released: \d{4}-\d\d-\d\d$", citation, re.MULTILINE) is not None
    if ".dev" in version:
        require("date-released" not in citation, f"CITATION.cff has {version} released on a day")
    else:
        require(dated, f"CITATION.cff does not say on which day {version} is released")


def check_addresses(metadata, version):
    """What a reader on an index follows or sees; none is known before the first release."""
    if ".dev" in version:
        return
    require(metadata.get_all("Project-URL"), "pyproject.toml has no addresses, [project.urls]")
    found = re.findall(
        r"\]\(([^)\s]+)|<(?:img|a)\s(?:[^>]*\s)?(?:src|href)=\"([^\"]+)|^\[[^\]]+\]:\s*(\S+)",
        metadata.get_payload(),
        re.MULTILINE,
    )
    targets = ["".join(each) for each in found]
    # what begins with "#" is on the same page
    relative = [target for target in targets if not target.startswith(("https://", "#"))]
    require(not relative, f"the README's pictures or links {relative} have no absolute address")


def main():
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
