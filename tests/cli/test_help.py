"""Tests of the options' declarations, their groups in the help, and the examples below them."""

import inspect
import re
import shlex

import pytest
from click.testing import CliRunner

import gazesal
from gazesal.cli import main
from gazesal.cli.evaluate import evaluate
from gazesal.cli.examples import AUDIT_EXAMPLES, EVALUATE_EXAMPLES
from gazesal.cli.option_groups import GroupedOption
from gazesal.cli.region_options import REGION_GROUP
from gazesal.cli.source_options import SOURCE_GROUPS, require_one_source
from gazesal.cli.sources import accepted_by

GROUPS = [*SOURCE_GROUPS, REGION_GROUP, "Scores", "Center bias", "Results", "Run"]
# Options that a command reads itself. Others are keyword arguments of a public function.
OWN = {
    "format_options", "manifest", "reflacx", "manifest_root", "map_folder", "size",
    "sigma", "pixels_per_degree", "display", "placement", "scale", "rectangle", "pictures",
    "readers", "phases", "lungs", "bad_readings", "interval", "out", "page", "quiet", "resume",
    "dask", "regions", "area",
}  # fmt: skip
READERS = [
    gazesal.read_fixations,
    gazesal.find_maps,
    gazesal.cases_from_tables,
    gazesal.cases_from_manifest,
    gazesal.cases_from_reflacx,
    gazesal.evaluate,
]


def options_of(command):
    """Return the grouped options of a command."""
    return [option for option in command.params if isinstance(option, GroupedOption)]


def parsed(words):
    """Return the context of a command line, without running the command."""
    name, *rest = shlex.split(words.replace("\\\n", " "))[1:]
    return main.commands[name].make_context(name, rest)


def test_help_lists_options_by_group_then_examples():
    text = CliRunner().invoke(main, ["evaluate", "--help"]).output
    titles = re.findall(r"^([A-Z][\w ]*):$", text, re.MULTILINE)
    assert titles == [*GROUPS, "Other options", "Examples"]
    for option in options_of(evaluate):
        assert option.opts[0] in text
    for words in EVALUATE_EXAMPLES.values():
        assert all(f"    {line}\n" in text for line in words.split("\n"))


def test_list_of_commands_has_whole_sentences():
    for words in ([], ["synthesize"]):
        text = CliRunner().invoke(main, [*words, "--help"]).output
        lines = re.findall(r"^  (\w+)  +(.+)$", text.partition("Commands:")[2], re.MULTILINE)
        assert lines
        assert all(sentence.endswith(".") and "..." not in sentence for _, sentence in lines), text


def test_each_group_is_short():
    groups = [option.group for option in options_of(evaluate)]
    assert set(groups) == set(GROUPS)
    assert max(groups.count(group) for group in GROUPS) <= 10


@pytest.mark.parametrize("words", [*EVALUATE_EXAMPLES.values(), *AUDIT_EXAMPLES.values()])
def test_example_is_accepted(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "stimuli").mkdir()
    (tmp_path / "sizes.csv").write_text("image,width,height\n")
    require_one_source(parsed(words))


def test_each_option_is_an_argument_of_a_function_or_read_by_the_command():
    arguments = {name for reader in READERS for name in inspect.signature(reader).parameters}
    names = {option.name for option in options_of(evaluate)}
    assert names - arguments - OWN == set()
    assert OWN - names == set()


def test_options_without_a_value_are_left_to_the_defaults_of_the_function():
    def read(path, *, origin="center", decimal=None):
        """Read nothing."""

    options = {"origin": "corner", "decimal": None, "path": "x", "sigma": 3.0}
    assert accepted_by(read, options) == {"origin": "corner"}


WRONG = {
    "no source": (["--maps", "m"], "Give one of --fixations PATH, --gaze-maps DIR"),
    "two sources": (["--manifest", "m.csv", "--gaze-maps", "g"], "Give one of --fixations PATH"),
    "release and table": (["--reflacx", "r", "--fixations", "f.csv"], "Give one of --fixations"),
    "format of a manifest": (["--manifest", "m.csv", "--format", "tobii"], "with --manifest"),
    "screen of a manifest": (["--manifest", "m.csv", "--display", "9x9"], "with --manifest"),
    "screen of a release": (["--reflacx", "r", "--y-axis", "up"], "not with --reflacx"),
    "readers of maps": (["--gaze-maps", "g", "--readers", "2"], "not with --gaze-maps"),
    "threshold": (["--gaze-maps", "g", "--threshold", "9"], "--fixation-maps or --manifest"),
    "sigma": (["--fixation-maps", "f"], "--fixation-maps needs --maps and --sigma too"),
    "no maps": (["--gaze-maps", "g"], "--gaze-maps needs --maps too"),
    "display": (["--fixations", "f.csv", "--display", "wide"], "must be WIDTHxHEIGHT"),
    "no display": (["--fixations", "f.csv", "--display", "0x9"], "must be at least 1"),
    "edges": (["--fixations", "f.csv", "--rectangle", "1,2,3"], "must be X_MIN,Y_MIN,X_MAX,Y_MAX"),
    "pair": (["--fixations", "f.csv", "--format-option", "mouse"], "must be NAME=VALUE"),
}


@pytest.mark.parametrize("case", WRONG)
def test_options_that_do_not_fit_the_source_are_refused(case, tmp_path):
    words, message = WRONG[case]
    result = CliRunner().invoke(main, ["evaluate", "--out", str(tmp_path / "out"), *words])
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
    assert not (tmp_path / "out").exists()
