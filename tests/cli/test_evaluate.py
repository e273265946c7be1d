"""Command-line tests of `gazesal evaluate` on a table of fixations."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import gazesal
from gazesal.cli import main
from tests.plain_study import HEIGHT, METHODS, WIDTH, write_plain_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Write a small study to disk, which tests must not change."""
    return write_plain_study(tmp_path_factory.mktemp("study"))


@pytest.fixture
def run(study, tmp_path):
    """Return a function that runs `gazesal evaluate` on the study with default and given options.

    The HTML report is off by default because it takes a second. `test_report.py` tests it.
    """

    def _run(*flags, **options):
        flags = flags or ("--no-report",)
        usual = {
            "fixations": study / "fixations.csv",
            "maps": study / "maps",
            "size": f"{WIDTH}x{HEIGHT}",
            "sigma": "4px",
            "resize": "bilinear",
            "out": tmp_path / "out",
            "jobs": 1,
        }
        words = ["evaluate", "--quiet", *flags]
        for name, value in (usual | options).items():
            if value is not None:
                words += [f"--{name.replace('_', '-')}", str(value)]
        return CliRunner().invoke(main, words)

    return _run


def contents(folder):
    """Return the bytes of every file in a folder by name."""
    return {path.name: path.read_bytes() for path in Path(folder).iterdir() if path.is_file()}


def test_evaluate_prints_the_table_and_writes_every_file(run, study, tmp_path):
    result = run(pictures=study / "images")
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[1].split() == ["NCC", "AUC", "sNCC", "sAUC", "Residual", "NCC"]
    rows = [line.split("  ")[0] for line in lines[3:8]]
    assert rows == ["One observer vs. the others", "Center bias", *METHODS]
    assert set(contents(tmp_path / "out")) == {
        "scores.csv",
        "summary.txt",
        "summary.md",
        "summary.csv",
        "settings.json",
        "figure.png",
    }
    scores = pd.read_csv(tmp_path / "out" / "scores.csv")
    assert len(scores) == 4 * 3 * 5 * 5


@pytest.mark.parametrize("n_samples", [None, 100])
def test_files_depend_on_the_seed_but_not_on_the_jobs(run, study, tmp_path, n_samples):
    for name, n_jobs in (("one", 1), ("two", 2), ("again", 2)):
        result = run(
            out=tmp_path / name, jobs=n_jobs, n_samples=n_samples, pictures=study / "images"
        )
        assert result.exit_code == 0, result.output
    one = contents(tmp_path / "one")
    assert one == contents(tmp_path / "two") == contents(tmp_path / "again")
    run(out=tmp_path / "other", seed=1, n_samples=n_samples)
    other = contents(tmp_path / "other")
    assert (other["scores.csv"] == one["scores.csv"]) == (n_samples is None)


def test_metrics_of_points_and_densities_can_be_selected(run, tmp_path):
    result = run(metric="information_gain")
    assert result.exit_code == 1
    assert "`density` (--density) must be given for information_gain" in result.output
    result = run(metric="information_gain", density="shift")
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[1].split() == ["IG"]
    assert "maps minus their minimum, divided by the sum: IG." in result.output
    settings = json.loads((tmp_path / "out" / "settings.json").read_text())
    assert (settings["metrics"], settings["density"]) == (["information_gain"], "shift")
    result = run(metric="nss")
    assert result.exit_code == 0, result.output
    assert set(pd.read_csv(tmp_path / "out" / "scores.csv")["metric"]) == {"nss"}
    assert "Chance: NSS 0 for a map of noise." in (tmp_path / "out" / "summary.txt").read_text()


def test_sigma_in_degrees_equals_sigma_in_pixels(run, tmp_path):
    run(out=tmp_path / "px", sigma="6")
    run(out=tmp_path / "deg", sigma="1.5deg", pixels_per_degree=4)
    assert contents(tmp_path / "px") == contents(tmp_path / "deg")


def test_origin_shifts_the_fixations(run, tmp_path):
    run(out=tmp_path / "center")
    run(out=tmp_path / "matlab", origin="one_based", outside="keep")
    first, second = (pd.read_csv(tmp_path / n / "scores.csv") for n in ("center", "matlab"))
    assert not np.allclose(first["score"], second["score"], atol=1e-4)


def test_parquet_and_a_table_of_sizes_give_equal_results(run, study, tmp_path):
    table = pd.read_csv(study / "fixations.csv")
    table.to_parquet(tmp_path / "fixations.parquet")
    sizes = tmp_path / "sizes.csv"
    sizes.write_text(
        "image,width,height\n" + "".join(f"img00{i},{WIDTH},{HEIGHT}\n" for i in range(4))
    )
    run(out=tmp_path / "csv")
    result = run(out=tmp_path / "parquet", fixations=tmp_path / "fixations.parquet", size=sizes)
    assert result.exit_code == 0, result.output
    first, second = contents(tmp_path / "csv"), contents(tmp_path / "parquet")
    assert first.pop("settings.json") != second.pop("settings.json")  # it names the input files
    assert first == second


def test_dropped_fixations_are_counted(run, study, tmp_path):
    table = pd.read_csv(study / "fixations.csv")
    table.loc[3, "x"] = float(WIDTH)
    table.to_csv(tmp_path / "off.csv", index=False)
    refused = run(fixations=tmp_path / "off.csv")
    assert refused.exit_code == 1
    assert f"{tmp_path / 'off.csv'}, line 5: ({WIDTH}, " in refused.output
    dropped = run(fixations=tmp_path / "off.csv", outside="drop")
    assert dropped.exit_code == 0
    assert f"Warning: 1 of {len(table)} fixations lie outside" in dropped.output


BAD_OPTIONS = {
    "sigma word": ({"sigma": "wide"}, "must be a positive number of pixels or degrees"),
    "sigma zero": ({"sigma": "0px"}, "must be a positive number of pixels or degrees"),
    "sigma nan": ({"sigma": "nan"}, "must be a positive number of pixels or degrees"),
    "degrees alone": ({"sigma": "1deg"}, "needs --pixels-per-degree"),
    "degrees of nothing": ({"sigma": "1deg", "pixels_per_degree": -3}, "needs --pixels-per-degree"),
    "pixels a degree": ({"pixels_per_degree": 10}, "used with a --sigma in degrees"),
    "size word": ({"size": "large"}, "must be WIDTHxHEIGHT, a CSV file"),
    "size zero": ({"size": "0x120"}, "width and height must be at least 1"),
    "size too small": ({"size": "80x60"}, "lies outside image"),
    "column": ({"column": "duration"}, "must be NAME=THEIRS"),
    "unknown column": ({"column": "time=t"}, "`columns` must rename"),
    "missing column": ({"column": "duration=ms"}, "fixations.csv: column 'ms' is missing"),
    "no maps": ({"maps": "nowhere"}, "nowhere: no such folder"),
    "no table": ({"fixations": "nowhere.csv"}, "nowhere.csv"),
    "no resize": ({"resize": None}, "the map of image img000 must have the image's size"),
    "no jobs": ({"jobs": 0}, "`n_jobs` must be a non-zero integer"),
}


@pytest.mark.parametrize("case", BAD_OPTIONS)
def test_invalid_options_print_one_line_and_write_no_file(run, tmp_path, case):
    options, message = BAD_OPTIONS[case]
    result = run(**options)
    assert result.exit_code in (1, 2)
    assert isinstance(result.exception, SystemExit)  # not an uncaught exception
    assert message in result.output
    assert not (tmp_path / "out").exists()


def test_broken_map_is_named_before_any_image_is_scored(run, study, tmp_path):
    maps = tmp_path / "maps"
    for path in (study / "maps").rglob("*.npy"):
        target = maps / path.relative_to(study / "maps")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    broken = maps / "noise" / "img003.npy"
    broken.write_bytes(broken.read_bytes()[:500])
    result = run(maps=maps)
    assert result.exit_code == 1
    assert f"{broken}: cannot be read as a .npy array" in result.output
    assert not (tmp_path / "out").exists()
    broken.unlink()
    result = run(maps=maps)
    assert "method 'noise' has no map of image 'img003'" in result.output
    result = run(maps=maps, unmapped="gaze_only")
    assert result.exit_code == 0
    assert "3 images, 3 observers each" in result.output


def test_settings_name_the_inputs(run, study, tmp_path):
    run()
    settings = json.loads((tmp_path / "out" / "settings.json").read_text())
    assert settings["fixations"] == str(study / "fixations.csv")
    assert settings["maps"] == str(study / "maps")
    assert settings["size"] == [HEIGHT, WIDTH]
    assert settings["sigma"] == [4.0, 4.0]
    assert settings["gazesal"] == gazesal.__version__


@pytest.mark.parametrize("below", ["", "/inside"])
def test_folder_that_cannot_be_created_is_refused_before_scoring(run, tmp_path, below, monkeypatch):
    monkeypatch.setattr(gazesal, "evaluate", None)  # calling it would raise a TypeError
    (tmp_path / "file").write_text("")
    result = run(out=f"{tmp_path}/file{below}")
    assert result.exit_code in (1, 2)
    assert isinstance(result.exception, SystemExit)


def test_names_with_math_signs_are_drawn(run, study, tmp_path):
    maps = tmp_path / "maps" / "cost$\\frac{$ and a name that is longer than a title can be"
    maps.mkdir(parents=True)
    for path in (study / "maps" / "noise").iterdir():
        (maps / path.name).write_bytes(path.read_bytes())
    result = run(maps=tmp_path / "maps")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "figure.png").exists()


def test_invalid_picture_is_named_and_no_file_is_written(run, tmp_path):
    (tmp_path / "pictures").mkdir()
    np.save(tmp_path / "pictures" / "img000.npy", np.zeros((HEIGHT, WIDTH, 7)))
    result = run(pictures=tmp_path / "pictures")
    assert result.exit_code == 1
    assert "img000.npy: a picture must be (H, W) or (H, W, 3)" in result.output
    assert not (tmp_path / "out").exists()
    listed = run("--no-report", "--bad-images", "list", pictures=tmp_path / "pictures")
    assert listed.exit_code == 0, listed.output
    assert "img000.npy: a picture must be (H, W) or (H, W, 3)" in listed.output
    assert "shows the maps without it" in listed.output
    assert (tmp_path / "out" / "figure.png").exists()
    assert "img000" in pd.read_csv(tmp_path / "out" / "scores.csv")["image"].to_numpy()


def test_module_prints_its_version_in_a_shell():
    words = [sys.executable, "-m", "gazesal", "--version"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"gazesal, version {gazesal.__version__}"
