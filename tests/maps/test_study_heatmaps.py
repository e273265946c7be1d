"""Gaze maps of the study's own code, and results for tables on which that code fails."""

import json

import numpy as np
import pandas as pd
import pytest

from gazesal import gaze_heatmap

CASES = [
    "one_fixation_full", "full_rect_30", "zoomed_40", "zoomed_fractional_rects",
    "half_integer_rects", "outside_and_borders", "outside_zoomed_rect",
    "very_different_resolutions", "zero_duration_mixed", "tiny_sigma", "many_300", "large_60",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(shared):
    return shared / "oracles" / "heatmap"


@pytest.fixture(scope="module")
def cases(folder):
    return json.loads((folder / "heatmap.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def outputs(folder):
    with np.load(folder / "outputs.npz") as arrays:
        return {name: arrays[name] for name in arrays.files}


def test_all_stored_cases_are_tested(cases):
    assert set(cases["cases"]) == set(CASES)


@pytest.mark.parametrize("case", CASES)
def test_heatmaps_equal_the_study_code(case, folder, cases, outputs):
    table = pd.read_csv(folder / "tables" / f"{case}.csv")
    size = cases["cases"][case]
    got = gaze_heatmap(
        table[["x_position", "y_position"]],
        (size["size_y"], size["size_x"]),
        sigma=table[[f"angular_resolution_{axis}_pixels_per_degree" for axis in "xy"]],
        weights=table["timestamp_end_fixation"] - table["timestamp_start_fixation"],
        visible=table[[f"{bound}_shown_from_image" for bound in ("xmin", "ymin", "xmax", "ymax")]],
        outside="keep",
    )
    exact = outputs[f"{case}_f64"]
    assert got.shape == exact.shape
    assert np.abs(got - exact).max() <= 1e-12 * exact.max()
    assert np.abs(got - outputs[f"{case}_paper_f32"]).max() <= 1e-6 * exact.max()
    assert list(np.unravel_index(got.argmax(), got.shape)) == size["argmax_yx"]


# one fixation in the middle of a 40 x 40 image, as the study's awkward tables vary it
PLAIN = {
    "fixations": [[20.0, 20.0]],
    "sigma": [[5.0, 5.0]],
    "weights": [1.0],
    "visible": [[0, 0, 40, 40]],
}
REFUSED = {
    "empty table": (
        {"fixations": np.empty((0, 2)), "sigma": 5.0, "weights": [], "visible": None},
        "`fixations`",
    ),
    "all durations zero": ({"weights": [0.0]}, "`weights`"),
    "rect with zero area": ({"visible": [[10, 10, 10, 10]]}, "`fixations`"),
    "NaN x_position": ({"fixations": [[np.nan, 20.0]]}, "`fixations`"),
    "NaN x_position in one of two rows": (
        {
            "fixations": [[20.0, 20.0], [np.nan, 20.0]],
            "sigma": 5.0,
            "weights": [1.0, 1.0],
            "visible": None,
        },
        "`fixations`",
    ),
    "NaN rectangle": ({"visible": [[np.nan, 0, 40, 40]]}, "`visible`"),
    "zero angular resolution": ({"sigma": [[0.0, 5.0]]}, "`sigma`"),
    "negative angular resolution": ({"sigma": [[-5.0, 5.0]]}, "`sigma`"),
    "NaN angular resolution": ({"sigma": [[np.nan, 5.0]]}, "`sigma`"),
    "negative duration": ({"weights": [-1.0]}, "`weights`"),
    "fixation so far away that everything underflows": (
        {"fixations": [[1e6, 20.0]]},
        "`fixations`",
    ),
}
DRAWN = {
    "rect beyond right/bottom border (xmax=50 of 40)": ([[0, 0, 50, 50]], 1600),
    "rect with negative xmin (-5)": ([[-5, 0, 40, 40]], 1600),
    "rect one pixel wide": ([[20, 0, 21, 40]], 40),
    "rect one pixel (1x1)": ([[20, 20, 21, 21]], 1),
}


def draw(**changes):
    arguments = {**PLAIN, **changes}
    return gaze_heatmap(arguments.pop("fixations"), (40, 40), **arguments, outside="keep")


@pytest.mark.parametrize("name", REFUSED)
def test_awkward_table_that_is_refused(name, cases):
    """The study returns maps of NaN, or of squared negative resolutions, for many of these."""
    assert name in cases["awkward_tables"]
    changes, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        draw(**changes)


@pytest.mark.parametrize("name", DRAWN)
def test_awkward_table_that_is_drawn(name, cases):
    """Rectangles are clipped to the image and may be one pixel wide."""
    assert name in cases["awkward_tables"]
    rectangle, n_pixels = DRAWN[name]
    got = draw(visible=rectangle)
    assert np.count_nonzero(got) == n_pixels
    assert got.sum() == pytest.approx(1.0, rel=1e-14)


def test_very_different_axes_are_drawn(cases):
    """A thin line is drawn, although the study's inversion of the covariance fails for it."""
    name = "very different axis scales sx=1e-4, sy=1e4 (singular check)"
    assert name in cases["awkward_tables"]
    got = draw(sigma=[[1e-4, 1e4]])
    assert np.flatnonzero(got.sum(axis=0)).tolist() == [20]
    assert np.allclose(got[:, 20], 1 / 40, rtol=1e-5)


def test_every_awkward_table_has_an_outcome(cases):
    covered = {*REFUSED, *DRAWN, "very different axis scales sx=1e-4, sy=1e4 (singular check)"}
    assert set(cases["awkward_tables"]) == covered
