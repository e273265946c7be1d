"""What a release says of itself agrees in every place; `make release-check` looks at the files."""

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


def test_one_version_everywhere():
    stated = re.search(r"^version: (\S+)$", CITATION, re.MULTILINE)[1]
    assert stated == PROJECT["version"] == gazesal.__version__ == version("gazesal")
    heading = re.search(r"^## (\S+)", read("CHANGELOG.md"), re.MULTILINE)[1]
    assert heading == ("Unreleased" if ".dev" in PROJECT["version"] else PROJECT["version"])


def test_the_study_is_cited_alike_in_both_formats():
    entry = bibliography()["bigolin2021"]
    doi = re.search(r"doi = \{(.*)\}", entry)[1]
    assert f"doi: {doi}" in CITATION
    assert re.search(r"title = \{(.*)\}", entry)[1] in CITATION
    authors = re.search(r"author = \{(.*)\}", entry)[1].split(" and ")
    assert re.findall(r'family-names: "(.*)"', CITATION) == [a.split(",")[0] for a in authors]


def test_the_own_entry_agrees_with_the_citation_file():
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
        ("![two\nlines](docs/demo.png)", [HOME], r"\['docs/demo.png'\] have no absolute"),
        (f'{ABSOLUTE} <img width="3" src="a.png">', [HOME], r"\['a.png'\] have no absolute"),
        (f"{ABSOLUTE} [a set](docs/set.md)", [HOME], r"\['docs/set.md'\] have no absolute"),
        (f'{ABSOLUTE} <a href="b.md">b</a>', [HOME], r"\['b.md'\] have no absolute"),
        (f"{ABSOLUTE} [b]\n\n[b]: b.md", [HOME], r"\['b.md'\] have no absolute"),
    ],
)
def test_a_release_needs_addresses(release_check, readme, urls, message):
    with pytest.raises(SystemExit, match=message):
        release_check.check_addresses(metadata(readme, *urls), "1.0.0")
    release_check.check_addresses(metadata(readme, *urls), "1.0.0.dev0")
    fine = f"{ABSOLUTE} [here](#cite) [there](https://example.org/set.html)"
    release_check.check_addresses(metadata(fine, HOME), "1.0.0")


def test_the_links_of_the_readme_lead_somewhere_in_a_clone():
    targets = re.findall(r"\]\(([^)\s]+)", read("README.md"))
    relative = [target for target in targets if not target.startswith("https://")]
    assert targets
    assert [target for target in relative if not (ROOT / target).is_file()] == []


def test_a_command_over_several_lines_is_copied_whole():
    assert 'copybutton_line_continuation_character = "\\\\"\n' in read("docs/conf.py")


@pytest.mark.parametrize(
    ("version", "day", "message"),
    [
        ("1.0.0", "", "does not say on which day"),
        ("1.0.0", "date-released: soon\n", "does not say on which day"),
        ("1.0.0.dev0", "date-released: 2026-01-02\n", "released on a day"),
        ("1.0.0", "date-released: 2026-01-02\n", None),
        ("1.0.0.dev0", "", None),
    ],
)
def test_a_release_has_a_day_and_what_is_none_has_not(
    release_check, tmp_path, monkeypatch, version, day, message
):
    monkeypatch.setattr(release_check, "ROOT", tmp_path)
    monkeypatch.setattr(release_check, "run", lambda *_: "")
    (tmp_path / "CITATION.cff").write_text(f"version: {version}\n{day}", encoding="utf-8")
    heading = "Unreleased" if ".dev" in version else version
    (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n## {heading}\n", encoding="utf-8")
    if message is None:
        release_check.check_versions(version)
    else:
        with pytest.raises(SystemExit, match=message):
            release_check.check_versions(version)


def test_the_pythons_that_are_declared_are_those_that_are_tested():
    declared = {
        found[1]
        for line in PROJECT["classifiers"]
        if (found := re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", line))
    }
    matrix = re.search(r"python: \[(.*)\]", read(".github/workflows/ci.yml"))[1]
    assert declared == set(re.findall(r"3\.\d+", matrix))
    least = PROJECT["requires-python"].removeprefix(">=")
    assert least == min(declared, key=lambda each: int(each.split(".")[1]))


def test_the_workflow_runs_what_everybody_runs_and_nothing_else():
    workflow = read(".github/workflows/ci.yml")
    assert re.findall(r"run: (.*)", workflow) == [".ci/run"]
    assert 'GAZESAL_REQUIRE_SHARED: "0"' in workflow


def test_the_commands_of_ci_are_targets_that_exist():
    used = set(re.findall(r"^make ([a-z-]+)", read(".ci/run"), re.MULTILINE))
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    assert {"test", "lint", "docs", "release-check"} <= used <= targets


def test_torch_is_bounded_by_the_release_whose_weights_only_runs_no_code():
    asked = [each for extra in PROJECT["optional-dependencies"].values() for each in extra]
    bounds = [each.partition(">=")[2] for each in asked if each.startswith("torch>")]
    # CVE-2025-32434 and CVE-2026-24747
    assert len(bounds) == 2
    assert all(tuple(map(int, each.split("."))) >= (2, 10) for each in bounds)


def test_the_documentation_is_built_with_the_same_torch():
    pin = re.search(r"^torch==(\S+)$", read(".ci/constraints.txt"), re.MULTILINE)[1]
    assert f"torch=={pin}\n" in read(".readthedocs.yaml")
    assert f"TORCH = torch=={pin}\n" in read("Makefile")


def test_the_documentation_is_built_with_the_same_packages():
    command = "pip install '.[docs]' --constraint .ci/constraints.txt\n"
    assert command in read(".readthedocs.yaml")


def test_an_issue_of_each_kind_has_a_form():
    for kind in ("bug", "metric", "dataset"):
        form = read(f".github/ISSUE_TEMPLATE/{kind}.yml")
        assert form.startswith("name: ")
        assert "required: true" in form
    assert "Report a vulnerability" in read(".github/SECURITY.md")
