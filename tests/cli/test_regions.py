"""The options of regions of `gazesal evaluate`, and regions in manifests."""

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import gazesal
from gazesal.cli import main
from gazesal.cli.region_options import DEFAULT_METRICS

SHAPE = (12, 16)


@pytest.fixture
def data(tmp_path):
    """A table of fixations, maps of one method, and masks of two labels."""
    rng = np.random.default_rng(2)
    rows = []
    for image in "abc":
        for folder in ("maps/mine", "masks/nodule", "masks/mass"):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        np.save(tmp_path / "maps" / "mine" / f"{image}.npy", rng.random(SHAPE))
        mask = np.zeros(SHAPE, np.uint8)
        mask[3:7, 4:9] = 1
        np.save(tmp_path / "masks" / "nodule" / f"{image}.npy", mask)
        rows += [
            {"image": image, "observer": o, "x": x, "y": y, "duration": 1.0}
            for o in ("ann", "bob")
            for x, y in rng.uniform(0, 11, (4, 2))
        ]
    np.save(tmp_path / "masks" / "mass" / "a.npy", np.eye(*SHAPE))
    pd.DataFrame(rows).to_csv(tmp_path / "fixations.csv", index=False)
    return tmp_path


def run(data, *words):
    command = [
        "evaluate", "--fixations", str(data / "fixations.csv"), "--maps", str(data / "maps"),
        "--size", "16x12", "--sigma", "1", "--out", str(data / "out"), "--quiet", "--no-report",
        *words,
    ]  # fmt: skip
    return CliRunner().invoke(main, command)


def test_folder_of_masks_adds_metrics_and_a_column(data):
    result = run(data, "--regions", str(data / "masks"))
    assert result.exit_code == 0, result.output
    scores = pd.read_csv(data / "out" / "scores.csv", keep_default_na=False)
    assert set(DEFAULT_METRICS) < set(scores["metric"])
    assert {"gaze", "gaze_of_one", "mine"} < set(scores["method"])
    of_mass = scores[scores["region"] == "mass"]
    assert set(of_mass["image"]) == {"a"}
    assert str(data / "masks") in (data / "out" / "settings.json").read_text("utf-8")


def test_metrics_and_their_options_are_chosen(data):
    words = ["--metric", "iou", "--metric", "pointing_game", "--region-option", "iou.top=equal"]
    words += ["--region-option", "pointing_game.tolerance=2", "--region-rows", "union"]
    result = run(data, "--regions", str(data / "masks"), *words)
    assert result.exit_code == 0, result.output
    scores = pd.read_csv(data / "out" / "scores.csv")
    assert set(scores["region"]) == {"union"}
    assert set(scores["metric"]) == {"iou", "pointing_game"}


def test_area_restricts_scores_to_masks_of_a_folder(data):
    before = run(data, "--metric", "ncc")
    assert before.exit_code == 0, before.output
    everywhere = pd.read_csv(data / "out" / "scores.csv")
    place = data / "areas"
    place.mkdir()
    for image in sorted(set(everywhere["image"])):
        area = np.ones(SHAPE)
        area[:2] = 0
        np.save(place / f"{image}.npy", area)
    result = run(data, "--metric", "ncc", "--area", str(place))
    assert result.exit_code == 0, result.output
    scores = pd.read_csv(data / "out" / "scores.csv")
    assert not np.allclose(scores["score"], everywhere["score"])
    assert "of their pixels count" in (data / "out" / "summary.txt").read_text("utf-8")
    assert str(place) in (data / "out" / "settings.json").read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--metric", "average_precision"], "--regions"),
        (["--region-option", "iou=1"], "METRIC.OPTION=VALUE"),
        (["--region-rows", "union"], "region_rows"),
    ],
)
def test_invalid_options_end_with_a_message(data, words, message):
    result = run(data, *words)
    assert result.exit_code != 0
    assert message in result.output


def test_manifest_has_columns_of_regions(data):
    table = pd.DataFrame({"image": ["a", "b"], "width": 16, "height": 12})
    table["region:nodule"] = [f"masks/nodule/{image}.npy" for image in "ab"]
    table["region:mass"] = ["masks/mass/a.npy", ""]
    table.to_csv(data / "manifest.csv", index=False)
    cases = gazesal.cases_from_manifest(data / "manifest.csv")
    assert [list(case.regions) for case in cases] == [["nodule", "mass"], ["nodule"]]
    assert cases[0].load_region("nodule").sum() == 20
