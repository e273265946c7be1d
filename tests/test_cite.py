"""Everything that goes back to somebody is found, with an entry that can be followed."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

import gazesal
from gazesal.cite import bibliography, citable, cite, main
from gazesal.evaluation.evaluate import STUDY_METRICS
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

# Whatever is not here must name a source.
WITHOUT_SOURCE = {
    # warnings, and records of what was found: whatever made them is cited
    *(
        "GridEdgeWarning",
        "InputWarning",
        "IntervalWarning",
        "NormalizedMapWarning",
        "OffImageWarning",
        "SkippedDataWarning",
    ),
    *("UndefinedMetricWarning", "Comparison", "Comparisons", "ConfidenceInterval", "Equivalence"),
    *("Metric", "Scores", "Subgroups"),
    # what goes in: gaze, maps, cases, designs, geometry
    *("Case", "Design", "Gaze", "InputGeometry", "MapItem", "ModelInput", "ObserverSplit"),
    *("StoredMap", "box_of_mask", "crop_or_pad", "resample"),
    # files, and a network at work
    *("cases_from_manifest", "cases_from_tables", "find_maps", "load_model", "open_maps"),
    *("read_fixations", "read_image", "read_map", "read_sizes", "predict"),
    # faces of other libraries, each of which says itself how to cite it
    *("PysaliencyArrays", "XrvLogits", "XrvLungs", "fixations_from_pymovements"),
    *("fixations_from_pysaliency", "fixations_to_pysaliency", "maps_from_captum"),
    *("maps_from_grad_cam_package", "maps_from_torch_cam", "segment_lungs"),
    # tables, figures and pages of numbers that are cited where they are computed
    *("plot_differences", "plot_distributions", "plot_evaluation", "plot_extremes"),
    *("plot_intervals", "plot_pairs", "extreme_images", "summary_html", "summary_latex"),
    *("summary_markdown", "summary_text", "write_report"),
    # textbook statistics: kernel densities and the analysis of variance
    *("KdeCenterBias", "variance_components"),
    # citing itself
    *("citable", "cite"),
}


def keys(text):
    """Keys of BibTeX entries, in order."""
    return re.findall(r"^@\w+\{([^,]+),", text, re.MULTILINE)


def test_every_public_object_can_be_cited():
    pytest.importorskip("torch")
    pytest.importorskip("torchmetrics")
    names = {name.rpartition(".")[2] for name, _ in public_objects()}
    assert names == {name for name in SOURCES if "." not in name}


@pytest.mark.parametrize(("name", "thing"), public_objects())
def test_what_a_docstring_cites_is_found(name, thing):
    """The docstring at run time against what is read from the source."""
    docstrings = [thing.__doc__ or ""]
    if isinstance(thing, type):
        docstrings += [vars(thing)[each].__doc__ or "" for each in own_functions(thing)]
    groups = re.findall(r":footcite:\w+:`([^`]+)`", "".join(docstrings))
    cited = {key for group in groups for key in group.split(",")}
    short = name.rpartition(".")[2]
    registry = {gazesal.METRICS[short].citation} if short in gazesal.METRICS else set()
    assert set(SOURCES[short]) == cited | registry
    assert keys(cite(name)) == ["gazesal", *SOURCES[short]]


def own_functions(thing):
    """Names of the public methods and properties that a class defines itself."""
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
        *(("evaluate", gazesal.METRICS[name].citation) for name in STUDY_METRICS),
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
def test_what_runs_by_default_is_cited(name, source):
    assert source in keys(cite(name))


def test_every_name_has_a_source_or_stands_among_those_without_one():
    without = {name for name, found in SOURCES.items() if not found}
    assert without == WITHOUT_SOURCE


def test_every_key_has_an_entry_and_every_entry_a_use():
    used = {key for found in SOURCES.values() for key in found}
    pages = [*(ROOT / "docs").glob("**/*.md"), ROOT / "docs" / "reference" / "index.rst"]
    text = "".join(page.read_text("utf-8") for page in pages)
    for group in re.findall(r"(?:\{footcite:[a-z]+\}|:footcite:[a-z]+:)`([^`]+)`", text):
        used |= set(group.split(","))
    assert used | {"gazesal"} == set(bibliography())


@pytest.mark.parametrize(("key", "entry"), bibliography().items())
def test_an_entry_can_be_followed(key, entry):
    """It has a DOI of the form of one, or says why not."""
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


def test_the_own_entry_is_there_with_the_version():
    assert f"version = {{{gazesal.__version__}}}" in cite()
    assert keys(cite()) == ["gazesal"]


def test_each_entry_once_with_what_it_is_for():
    text = cite("sncc", "gazesal.sauc", "sncc")
    assert keys(text).count("bigolin2021") == 1
    assert "% sncc, gazesal.sauc\n@misc{bigolin2021" in text


def test_a_class_brings_the_sources_of_its_methods_and_a_method_its_own():
    assert "clarke2014" in keys(cite("GaussianCenterBias"))
    assert keys(cite("GaussianCenterBias.clarke_tatler"))[1] == "clarke2014"
    assert keys(cite("gazesal.Evaluation.save")) == keys(cite("Evaluation"))  # names none itself
    assert keys(cite("Case.load_map")) == ["gazesal"]


@pytest.mark.parametrize(
    ("name", "alike"),
    [("snc", "'sncc'"), ("NCC", "'ncc'"), ("Sauc", "'sauc'"), ("information_gian", "'inform")],
)
def test_an_unknown_name_is_an_error_with_what_reads_alike(name, alike):
    with pytest.raises(ValueError, match=rf"got '{name}'; did you mean .*{alike}"):
        cite(name)


@pytest.mark.parametrize(
    "name",
    ["nosuch.sncc", "pysaliency.nss", "gazesal.nosuch.nss", "x.gazesal.nss", "gazesal.cite.nss"],
)
def test_a_name_of_another_module_is_an_error(name):
    with pytest.raises(ValueError, match=f"got '{name}'"):
        cite(name)


@pytest.mark.parametrize(
    "name", ["nss", "gazesal.nss", "gazesal.metrics.location.nss", "gazesal.Evaluation.save"]
)
def test_a_name_is_taken_from_each_module_that_offers_it(name):
    assert keys(cite(name))[0] == "gazesal"


@pytest.mark.parametrize("name", ["METRICS", "gazesal.METRICS", "gazesal.cxr.LABELS"])
def test_a_public_constant_is_said_to_be_neither(name):
    with pytest.raises(ValueError, match=rf"got '{name}', which is neither; ask for those"):
        cite(name)


def test_nothing_is_suggested_that_does_not_read_alike():
    with pytest.raises(ValueError, match=r"got 'nosuch'\.$"):
        cite("nosuch")


def test_the_library_is_a_name_too():
    assert cite("gazesal") == cite()
    assert keys(cite("gazesal", "nss")) == ["gazesal", *SOURCES["nss"]]


@pytest.mark.parametrize("name", ["", "qqqqqq", "sncc.density", "Evaluation.nothing", "main"])
def test_what_is_not_public_is_an_error(name):
    with pytest.raises(ValueError, match="`names` must be public functions or classes, got"):
        cite(name)


def test_the_command_needs_no_extra():
    """In a process without torch; the entry for Grad-CAM comes from the source."""
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


def test_the_command_lists_everything_or_says_what_is_wrong():
    run = CliRunner().invoke
    assert keys(run(main, ["--all"]).output) == list(bibliography())
    assert run(main, ["sncc"]).output == cite("sncc") + "\n"
    wrong = run(main, ["snc"])
    assert wrong.exit_code == 2
    assert "did you mean" in wrong.output
    assert run(main, ["--all", "sncc"]).exit_code == 2
    assert run(import_module("gazesal.cli").main, ["cite", "sncc"]).output == cite("sncc") + "\n"
