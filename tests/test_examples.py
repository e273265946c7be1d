"""The README and the examples run and print the expected results."""

import functools
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from PIL import Image

import gazesal
from gazesal.cli import main

ROOT = Path(__file__).resolve().parents[1]
NEEDS = {"gaze_samples_to_score.py": "pymovements"}  # libraries that examples import

README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = {
    section.partition("\n")[0]: found[1]
    for section in README.split("\n## ")
    if (found := re.search(r"```python\n(.*?)```", section, re.DOTALL))
}


@pytest.fixture
def own_files(tmp_path, monkeypatch):
    """Write the files named in the README, with images of 600 x 800 pixels and gaze on spots."""
    rng, rows = np.random.default_rng(0), []
    for image in ("1001", "1002", "1003"):
        place = rng.uniform([150, 150], [650, 450])
        for observer in ("ann", "bob"):
            points = rng.normal(place, 25, (12, 2)).round(1)
            rows += [(image, observer, *point, 240) for point in points]
        for method, at in (("my_method", place), ("another", [400, 300])):
            path = tmp_path / "maps" / method / f"{image}.npy"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, gazesal.gaze_heatmap([at], (600, 800), sigma=50))
        picture = 255 * gazesal.gaze_heatmap([place], (600, 800), sigma=30)
        (tmp_path / "images").mkdir(exist_ok=True)
        picture = Image.fromarray((picture / picture.max() * 255).astype(np.uint8))
        picture.save(tmp_path / "images" / f"{image}.png")
    table = pd.DataFrame(rows, columns=["image", "observer", "x", "y", "duration"])
    table.to_csv(tmp_path / "fixations.csv", index=False)
    np.save(tmp_path / "fixations.npy", table.loc[table["image"] == "1001", ["x", "y"]])
    np.save(tmp_path / "saliency.npy", np.load(tmp_path / "maps" / "my_method" / "1001.npy"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


# Warnings are errors, except that examples have few images.
LAUNCH = """
import runpy, sys, warnings
import gazesal
warnings.simplefilter("ignore", gazesal.IntervalWarning)
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@functools.cache
def output_of(name, *arguments):
    """Return the output of an example, which is run once. Warnings are errors."""
    with TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", LAUNCH, ROOT / "examples" / name, *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        assert not list(Path(folder).iterdir())  # examples must not leave files
    return done.stdout


def run_block(title, names):
    """Run the block of code under a heading of the README, which has fewer than 15 lines."""
    block = BLOCKS[title]
    assert sum(bool(line.strip()) for line in block.splitlines()) < 15
    exec(compile(block, "README.md", "exec"), names)  # noqa: S102


def test_readme_scores_two_arrays(own_files, capsys):
    run_block("Score two arrays", {})
    scores = {
        name: float(value) for name, value in map(str.split, capsys.readouterr().out.splitlines())
    }
    assert scores["NCC"] > 0.5
    assert scores["AUC"] > 0.9
    assert scores["NSS"] > 2


def test_readme_command_gives_the_scores_of_its_code(own_files, capsys):
    run_block("Score a folder of maps", {})
    printed = capsys.readouterr().out
    sauc = {line.split()[0]: line.split()[-3] for line in printed.splitlines() if "[" in line}
    assert float(sauc["my_method"]) > float(sauc["another"])
    from_python = pd.read_csv("results/scores.csv")
    (command,) = re.findall(r"^\$ gazesal (evaluate --fixations .*)$", README, re.MULTILINE)
    done = CliRunner().invoke(main, [*command.split(), "--quiet", "--jobs", "1"])
    assert done.exit_code == 0, done.output
    pd.testing.assert_frame_equal(pd.read_csv("results/scores.csv"), from_python)


def test_readme_scores_a_model(own_files, capsys):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 5, stride=4),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(4, 2),
    )
    run_block("Score a model", {"model": model})
    assert "Grad-CAM" in capsys.readouterr().out


def test_files_named_in_the_readme_exist():
    text = (ROOT / "README.md").read_text("utf-8")
    for name in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / name).is_file(), name


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.name)
def test_examples_run(path):
    if path.name in NEEDS:
        extra = NEEDS[path.name]
        pytest.importorskip(extra, reason=f"the extra `{extra}` is not installed")
    if "import torch" in path.read_text("utf-8"):
        pytest.importorskip("torch")
    assert output_of(path.name).strip()
    assert len(path.read_text("utf-8").splitlines()) < 60


def test_one_image_example_ranks_the_better_map_first():
    lines = output_of("score_one_image.py").splitlines()[1:]
    rows = {line[:16].strip(): line[16:].split() for line in lines}
    sauc = {name: float(values[3]) for name, values in rows.items()}
    assert sauc["finds it"] > sauc["only the center"]


def test_samples_example_finds_all_fixations():
    pytest.importorskip("pymovements", reason="the extra `pymovements` is not installed")
    lines = output_of("gaze_samples_to_score.py").splitlines()
    assert [line.split(", ")[0] for line in lines[:3]] == [
        f"{observer}: 9 fixations" for observer in ("ann", "bob", "cem")
    ]
    assert all(float(line.rpartition(" ")[2]) > 0.8 for line in lines[3:])
    assert len(lines) == 6


def test_study_example_prints_the_published_tables(shared):
    printed_by_it = output_of("study_tables.py", shared / "paper" / "scores.csv.gz")
    names = {
        "INTEROBS.": "One observer vs. the others",
        "SEGMENT.": "Segmentation",
        "AM1": "AM1",
        "AM2": "AM2",
    }
    cells = pd.read_csv(ROOT / "tests" / "reference_values" / "study_tables.csv", dtype=str)
    lines = printed_by_it.splitlines()
    assert lines[0].startswith("Tables 1 and 2 as printed")
    block = lines[: lines.index("", 3)]
    for (label, way), row in cells.groupby(["label", "method"], sort=False):
        name = names.get(label) or f"{label[7:-1]} {way}"
        (printed,) = [line for line in block if line.startswith(name)]
        # the first table of the paper, then the second
        expected = [f"{c.estimate} [{c.low}, {c.high}]" for c in row.itertuples()]
        assert [cell.strip() for cell in printed[len(name) :].split("  ") if cell] == expected
    assert len(block) == 2 + 2 + cells.groupby(["label", "method"]).ngroups
    # the scores of the readers do not depend on the model, so that only images vary: 0.019
    (*_, interobserver) = [line for line in lines if line.startswith("One observer")]
    assert "0.028 [0.009, 0.047]" in interobserver
    ceiling, plain = "interobserver - wAG uniform = ", "woAG uniform - wAG uniform = "
    for answer in (
        f"sncc: {ceiling}-0.000 [-0.026, +0.025]",
        f"sauc: {ceiling}+0.028 [+0.020, +0.037]",
        f"sncc: {plain}-0.096 [-0.121, -0.071]",
        f"sauc: {plain}-0.007 [-0.014, +0.000]",
    ):
        assert answer in printed_by_it


def test_resnet_example_is_short():
    pytest.importorskip("torch")
    path = ROOT / "examples" / "score_a_resnet.py"
    assert "Grad-CAM" in output_of(path.name)
    assert len(path.read_text("utf-8").splitlines()) < 40


def test_folder_example_ranks_the_better_map_first():
    lines = output_of("score_a_folder.py").splitlines()
    sauc = {line.split()[0]: line.split()[-3] for line in lines if "[" in line}
    assert float(sauc["good"]) > float(sauc["center"])
    assert lines[-1].startswith("wrote: scores.csv, summary.txt")


def test_comparison_example_finds_a_difference_with_overlapping_intervals():
    text = output_of("compare_two_methods.py")
    old, new = (
        tuple(map(float, re.search(rf"{name}: \S+ \[(\S+), (\S+)\]", text).groups()))
        for name in ("old", "new")
    )
    assert new[0] < old[1]
    difference = re.search(r"new - old = \S+ \[(\S+), (\S+)\]", text)
    assert 0 < float(difference[1]) < 0.03 < float(difference[2])
