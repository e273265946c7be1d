"""Every public name has its sources, and every entry of the bibliography can be found."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

import gazesal
from gazesal.cite import bibliography, citable, cite, main
from tests.public_api import public_objects

ROOT = Path(__file__).resolve().parents[1]
SOURCES = citable()
METRIC_CLASSES = [
    "AUCBorji",
    "KLDivergence",
    "NSS",
    "NormalizedCrossCorrelation",
    "ShuffledAUC",
    "ShuffledNCC",
]
OTHER_PEOPLES = list(gazesal.compat.COMPAT_METRICS)


def keys(text):
    """Return the keys of BibTeX entries, in order."""
    return re.findall(r"^@\w+\{([^,]+),", text, re.MULTILINE)


def test_every_public_object_can_be_cited():
    pytest.importorskip("torch")
    pytest.importorskip("torchmetrics")
    names = {name.rpartition(".")[2] for name, _ in public_objects()}
    found = {name for name in SOURCES if "." not in name}
    assert names == found, f"`usedby` in gazesal/references.bib differs: {sorted(names ^ found)}"


@pytest.mark.parametrize(("name", "thing"), public_objects())
def test_bibliography_lists_the_names_whose_docstrings_cite_an_entry(name, thing):
    docstrings = [thing.__doc__ or ""]
    if isinstance(thing, type):
        docstrings += [vars(thing)[each].__doc__ or "" for each in own_functions(thing)]
    groups = re.findall(r":footcite:\w+:`([^`]+)`", "".join(docstrings))
    cited = {key for group in groups for key in group.split(",")}
    short = name.rpartition(".")[2]
    registry = {gazesal.METRICS[short].citation} if short in gazesal.METRICS else set()
    assert set(SOURCES.get(short, ())) == cited | registry, (
        f"`usedby` in gazesal/references.bib must list {short} under the entries it cites"
    )
    assert keys(cite(name)) == ["gazesal", *SOURCES[short]]


def own_functions(thing):
    """Return the names of the public methods and properties that a class defines itself."""
    return [
        name
        for name, value in vars(thing).items()
        if not name.startswith("_")
        and (callable(value) or isinstance(value, property | classmethod | staticmethod))
    ]


@pytest.mark.parametrize("name", [*gazesal.METRICS, *OTHER_PEOPLES, *METRIC_CLASSES])
def test_every_metric_is_cited(name):
    assert SOURCES[name]


@pytest.mark.parametrize(
    ("name", "source"),
    [
        *(("evaluate", gazesal.METRICS[name].citation) for name in gazesal.DEFAULT_METRICS),
        ("saliency_from_model", "selvaraju2017"),
        ("GradCam", "selvaraju2017"),
        ("grad_cam_from_tensors", "selvaraju2017"),
        ("AttentionMaps", "schlemper2019"),
        ("compare", "holm1979"),
        ("Evaluation.compare", "holm1979"),
        ("Evaluation.compare", "schuirmann1987"),
        ("auc_shuffled", "tatler2005"),
    ],
)
def test_sources_of_the_defaults_are_cited(name, source):
    assert source in keys(cite(name))


def test_every_entry_is_used():
    used = {key for found in SOURCES.values() for key in found}
    pages = [*(ROOT / "docs").glob("**/*.md"), ROOT / "docs" / "reference" / "index.rst"]
    text = "".join(page.read_text("utf-8") for page in pages)
    for group in re.findall(r"(?:\{footcite:[a-z]+\}|:footcite:[a-z]+:)`([^`]+)`", text):
        used |= set(group.split(","))
    assert used | {"gazesal"} == set(bibliography())


@pytest.mark.parametrize(("key", "entry"), bibliography().items())
def test_every_entry_has_a_doi_or_a_reason_without_one(key, entry):
    doi = re.search(r"^  doi = \{(.*)\},?$", entry, re.MULTILINE)
    if doi is None:
        assert re.search(r"^  annote = \{No DOI: .{20,}\},?$", entry, re.MULTILINE), entry
    else:
        assert re.fullmatch(r"10\.\d{4,9}/\S+", doi[1])
    assert re.search(r"^  author = \{.+\},$", entry, re.MULTILINE)
    assert re.search(r"^  title = \{.+\},$", entry, re.MULTILINE)
    assert re.search(r"^  year = \{\d{4}\},?$", entry, re.MULTILINE)
    assert entry.count("{") == entry.count("}")
    assert entry.endswith("\n}")


def test_own_entry_has_the_version():
    assert f"version = {{{gazesal.__version__}}}" in cite()
    assert keys(cite()) == ["gazesal"]


def test_entries_are_listed_once_under_the_names_that_use_them():
    text = cite("sncc", "gazesal.sauc", "sncc")
    assert keys(text).count("bigolin2021") == 1
    assert "% sncc, gazesal.sauc\n@misc{bigolin2021" in text


def test_class_includes_the_sources_of_its_methods():
    assert "clarke2014" in keys(cite("GaussianCenterBias"))
    assert keys(cite("GaussianCenterBias.clarke_tatler"))[1] == "clarke2014"
    assert keys(cite("gazesal.Evaluation.save")) == keys(
        cite("Evaluation")
    )  # the method has no source of its own
    assert keys(cite("Case.load_map")) == ["gazesal"]


@pytest.mark.parametrize(
    ("name", "alike"),
    [("snc", "'sncc'"), ("NCC", "'ncc'"), ("Sauc", "'sauc'"), ("information_gian", "'inform")],
)
def test_unknown_name_is_an_error_with_similar_names(name, alike):
    with pytest.raises(ValueError, match=rf"got '{name}'. Did you mean .*{alike}"):
        cite(name)


@pytest.mark.parametrize(
    "name",
    ["nosuch.sncc", "pysaliency.nss", "gazesal.nosuch.nss", "x.gazesal.nss", "gazesal.cite.nss"],
)
def test_name_of_another_module_is_an_error(name):
    with pytest.raises(ValueError, match=f"got '{name}'"):
        cite(name)


@pytest.mark.parametrize(
    "name", ["nss", "gazesal.nss", "gazesal.metrics.nss.nss", "gazesal.Evaluation.save"]
)
def test_name_may_follow_any_module_that_has_it(name):
    assert keys(cite(name))[0] == "gazesal"


@pytest.mark.parametrize("name", ["METRICS", "gazesal.METRICS", "gazesal.datasets.MIMIC_LABELS"])
def test_public_constant_is_an_error(name):
    with pytest.raises(ValueError, match=f"got '{name}'"):
        cite(name)


def test_dissimilar_names_are_not_suggested():
    with pytest.raises(ValueError, match=r"got 'nosuch'\.$"):
        cite("nosuch")


def test_library_is_a_name_too():
    assert cite("gazesal") == cite()
    assert keys(cite("gazesal", "nss")) == ["gazesal", *SOURCES["nss"]]


@pytest.mark.parametrize("name", ["", "qqqqqq", "sncc.density", "Evaluation.nothing", "main"])
def test_name_that_is_not_public_is_an_error(name):
    with pytest.raises(ValueError, match="`names` must be public functions or classes, got"):
        cite(name)


def test_command_needs_no_extra():
    """Run the command in a process without torch, matplotlib and pandas."""
    code = (
        "import sys, runpy\n"
        "for name in ('torch', 'matplotlib', 'pandas'): sys.modules[name] = None\n"
        "sys.argv = ['cite', 'grad_cam', 'sncc']\n"
        "runpy.run_module('gazesal.cite', run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert {"selvaraju2017", "bigolin2021"} <= set(keys(done.stdout))


def test_command_prints_all_entries_or_an_error():
    run = CliRunner().invoke
    assert keys(run(main, ["--all"]).output) == list(bibliography())
    assert run(main, ["sncc"]).output == cite("sncc") + "\n"
    wrong = run(main, ["snc"])
    assert wrong.exit_code == 2
    assert "Did you mean" in wrong.output
    assert run(main, ["--all", "sncc"]).exit_code == 2
    assert run(import_module("gazesal.cli").main, ["cite", "sncc"]).output == cite("sncc") + "\n"
