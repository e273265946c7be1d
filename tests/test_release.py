"""Check that statements about a release agree. `make release-check` checks the built files."""

import importlib.util
import re
import tomllib
from email.message import Message
from importlib.metadata import version
from pathlib import Path

import pytest

import gazesal
from gazesal.cite import bibliography

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CITATION = (ROOT / "CITATION.cff").read_text("utf-8")


def read(name):
    return (ROOT / name).read_text("utf-8")


def test_all_files_state_one_version(release_check):
    stated = re.search(r"^version: (\S+)$", CITATION, re.MULTILINE)[1]
    assert stated == PROJECT["version"] == gazesal.__version__ == version("gazesal")
    release_check.check_changelog(PROJECT["version"])


def test_bibtex_and_citation_file_agree_on_the_study():
    entry = bibliography()["bigolin2021"]
    doi = re.search(r"doi = \{(.*)\}", entry)[1]
    assert f"doi: {doi}" in CITATION
    assert re.search(r"title = \{(.*)\}", entry)[1] in CITATION
    authors = re.search(r"author = \{(.*)\}", entry)[1].split(" and ")
    assert re.findall(r'family-names: "(.*)"', CITATION) == [a.split(",")[0] for a in authors]


def test_bibtex_and_citation_file_agree_on_the_library():
    entry = bibliography()["gazesal"]
    assert f'title: "{re.search(r"title = .(.*).,", entry)[1]}"' in CITATION
    released = re.search(r"date-released: (\d{4})", CITATION)
    assert (released is None) == (".dev" in PROJECT["version"])
    assert released is None or f"year = {{{released[1]}}}" in entry


@pytest.fixture
def release_check():
    path = ROOT / ".ci" / "release_check.py"
    spec = importlib.util.spec_from_file_location("release_check", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def metadata(readme, *urls):
    made = Message()
    for url in urls:
        made["Project-URL"] = url
    made.set_payload(readme)
    return made


HOME = "Home, https://example.org"
ABSOLUTE = "![two\nlines](https://example.org/demo.png)"


@pytest.mark.parametrize(
    ("readme", "urls", "message"),
    [
        (ABSOLUTE, [], r"no addresses"),
        ("![two\nlines](docs/demo.png)", [HOME], r"no absolute address: \['docs/demo.png'\]"),
        (f'{ABSOLUTE} <img width="3" src="a.png">', [HOME], r"no absolute address: \['a.png'\]"),
        (f"{ABSOLUTE} [a set](docs/set.md)", [HOME], r"no absolute address: \['docs/set.md'\]"),
        (f'{ABSOLUTE} <a href="b.md">b</a>', [HOME], r"no absolute address: \['b.md'\]"),
        (f"{ABSOLUTE} [b]\n\n[b]: b.md", [HOME], r"no absolute address: \['b.md'\]"),
    ],
)
def test_release_needs_absolute_addresses(release_check, readme, urls, message):
    with pytest.raises(SystemExit, match=message):
        release_check.check_addresses(metadata(readme, *urls), "1.0.0")
    release_check.check_addresses(metadata(readme, *urls), "1.0.0.dev0")
    fine = f"{ABSOLUTE} [here](#cite) [there](https://example.org/set.html)"
    release_check.check_addresses(metadata(fine, HOME), "1.0.0")


def test_relative_links_of_the_readme_exist_in_a_clone():
    targets = re.findall(r"\]\(([^)\s]+)", read("README.md"))
    relative = [target for target in targets if not target.startswith("https://")]
    assert targets
    assert [target for target in relative if not (ROOT / target).is_file()] == []


def test_command_over_several_lines_is_copied_completely():
    assert 'copybutton_line_continuation_character = "\\\\"\n' in read("docs/conf.py")


@pytest.mark.parametrize(
    ("version", "day", "message"),
    [
        ("1.0.0", "", "no `date-released`"),
        ("1.0.0", "date-released: soon\n", "no `date-released`"),
        ("1.0.0.dev0", "date-released: 2026-01-02\n", "a date for 1.0.0.dev0"),
        ("1.0.0", "date-released: 2026-01-02\n", None),
        ("1.0.0.dev0", "", None),
    ],
)
def test_only_a_release_has_a_date(release_check, tmp_path, monkeypatch, version, day, message):
    monkeypatch.setattr(release_check, "ROOT", tmp_path)
    monkeypatch.setattr(release_check, "run", lambda *_: "")
    (tmp_path / "CITATION.cff").write_text(f"version: {version}\n{day}", encoding="utf-8")
    write_changelog(tmp_path, "1.0.0", "unreleased" if ".dev" in version else "2026-01-02")
    if message is None:
        release_check.check_versions(version)
    else:
        with pytest.raises(SystemExit, match=message):
            release_check.check_versions(version)


def write_changelog(folder, release, state):
    text = f"# Changelog\n\n## {release} ({state})\n\n## 0.9.0 (2025-01-02)\n"
    (folder / "CHANGELOG.md").write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("version", "release", "state", "fits"),
    [
        ("1.0.0.dev0", "1.0.0", "unreleased", True),
        ("1.1.0.dev0", "1.0.0", "2026-01-02", True),
        ("1.0.0", "1.0.0", "2026-01-02", True),
        ("1.1.0.dev0", "1.0.0", "unreleased", False),
        ("1.0.0.dev0", "1.0.0", "2026-01-02", False),
        ("1.0.0", "1.0.0", "unreleased", False),
        ("1.1.0", "1.0.0", "2026-01-02", False),
    ],
)
def test_changelog_starts_with_the_version(
    release_check, tmp_path, monkeypatch, version, release, state, fits
):
    monkeypatch.setattr(release_check, "ROOT", tmp_path)
    write_changelog(tmp_path, release, state)
    if fits:
        release_check.check_changelog(version)
    else:
        with pytest.raises(SystemExit, match=f"starts with '## {release}"):
            release_check.check_changelog(version)


def test_release_has_no_fragments_left(release_check, tmp_path, monkeypatch):
    monkeypatch.setattr(release_check, "ROOT", tmp_path)
    write_changelog(tmp_path, "1.0.0", "2026-01-02")
    fragments = tmp_path / "docs" / "changelog.d"
    fragments.mkdir(parents=True)
    (fragments / "README.md").write_text("How to write one", encoding="utf-8")
    release_check.check_changelog("1.0.0")
    (fragments / "+ncc.fix.md").write_text("One fix", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"\+ncc\.fix\.md"):
        release_check.check_changelog("1.0.0")


def test_declared_pythons_are_tested():
    declared = {
        found[1]
        for line in PROJECT["classifiers"]
        if (found := re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", line))
    }
    matrix = re.search(r"python: \[(.*)\]", read(".github/workflows/ci.yml"))[1]
    assert declared == set(re.findall(r"3\.\d+", matrix))
    least = PROJECT["requires-python"].removeprefix(">=")
    assert least == min(declared, key=lambda each: int(each.split(".")[1]))


def test_workflow_runs_the_commands_of_developers():
    workflow = read(".github/workflows/ci.yml")
    assert re.findall(r"run: (.*)", workflow) == ["make lint", "make test-fast", ".ci/run"]
    assert 'GAZESAL_REQUIRE_SHARED: "0"' in workflow


def test_commands_of_ci_are_existing_targets():
    used = set(re.findall(r"^make ([a-z-]+)", read(".ci/run"), re.MULTILINE))
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    assert {"test", "lint", "docs", "release-check"} <= used <= targets
    described = set(re.findall(r"^#   make ([a-z-]+)", read("Makefile"), re.MULTILINE))
    assert described == targets - {"clean"}


def test_types_of_fragments_are_the_tags_of_the_changelog():
    table = tomllib.loads(read("pyproject.toml"))["tool"]["towncrier"]
    tags = [each["name"] for each in table["type"]]
    assert tags == ["Feature", "Fix", "API", "Numbers", "Efficiency"]
    assert [each["directory"] for each in table["type"]] == [tag.lower() for tag in tags]
    bullets = re.findall(r"^- (.+)", read("CHANGELOG.md"), re.MULTILINE)
    assert bullets
    assert [each for each in bullets if each.partition(":")[0] not in tags] == []


def test_torch_is_bounded_by_the_release_whose_weights_only_runs_no_code():
    asked = [each for extra in PROJECT["optional-dependencies"].values() for each in extra]
    bounds = [each.partition(">=")[2] for each in asked if each.startswith("torch>")]
    # CVE-2025-32434 and CVE-2026-24747: `weights_only=True` could run code before
    assert len(bounds) == 2
    assert all(tuple(map(int, each.split("."))) >= (2, 10) for each in bounds)


def test_documentation_is_built_with_the_same_torch():
    pin = re.search(r"^torch==(\S+)$", read(".ci/constraints.txt"), re.MULTILINE)[1]
    assert f"torch=={pin}\n" in read(".readthedocs.yaml")
    assert f"TORCH = torch=={pin}\n" in read("Makefile")


def test_documentation_is_built_with_the_same_packages():
    command = "pip install . --group docs --constraint .ci/constraints.txt\n"
    assert command in read(".readthedocs.yaml")


def test_each_kind_of_issue_has_a_form():
    for kind in ("bug", "metric", "dataset"):
        form = read(f".github/ISSUE_TEMPLATE/{kind}.yml")
        assert form.startswith("name: ")
        assert "required: true" in form
    assert "Report a vulnerability" in read(".github/SECURITY.md")
