"""Sets in the layouts in which they are published, each scored by one command from its files."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from scipy import io, ndimage

import gazesal
from gazesal.cli import main

HEIGHT, WIDTH = 60, 80
IMAGES = [
    f"{number:08x}-{number:08x}-{number:08x}-{number:08x}-{number:08x}" for number in range(4)
]
RESULTS = {"scores.csv", "summary.txt", "summary.md", "summary.csv", "settings.json"}


def run(folder, *words):
    """Run `gazesal evaluate` and return its output, the scores and the settings that it wrote."""
    out = folder / "results"
    usual = ["evaluate", "--quiet", "--no-report", "--jobs", "1", "--out", str(out)]
    result = CliRunner().invoke(main, [*usual, *map(str, words)])
    assert result.exit_code == 0, result.output
    assert {path.name for path in out.iterdir()} >= RESULTS
    settings = json.loads((out / "settings.json").read_text("utf-8"))
    return result.output, pd.read_csv(out / "scores.csv"), settings


def require_equal(scores, evaluation):
    """Compare the written scores with those of an evaluation."""
    expected = evaluation.scores.reset_index(drop=True)
    pd.testing.assert_frame_equal(scores, expected, check_exact=False, rtol=1e-12, atol=1e-12)


def write_maps(folder, images, seed=0):
    """Write smooth maps of one method, and return them."""
    rng = np.random.default_rng(seed)
    (folder / "maps" / "grad_cam").mkdir(parents=True)
    maps = {}
    for image in images:
        noise = rng.standard_normal((HEIGHT, WIDTH))
        maps[image] = ndimage.gaussian_filter(noise, 5).astype(np.float32)
        np.save(folder / "maps" / "grad_cam" / f"{image}.npy", maps[image])
    return maps


@pytest.fixture
def egd(tmp_path):
    """Write gaze in the layout of EGD-CXR, with invalid rows, and maps."""
    rng = np.random.default_rng(1)
    rows = []
    for image in IMAGES:
        for number in range(6):
            x, y = rng.integers([WIDTH, HEIGHT])
            rows.append((image, round(rng.uniform(0.1, 0.5), 3), number, 1, x, y))
        rows.append((image, 0.1, 6, 0, 3, 3))
        rows.append((image, 0.2, 7, 1, -1, -1))
    columns = ["DICOM_ID", "FPOGD", "FPOGID", "FPOGV", "X_ORIGINAL", "Y_ORIGINAL"]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "fixations.csv", index=False)
    return tmp_path, write_maps(tmp_path, IMAGES)


def test_egd_cxr_is_scored_from_its_table(egd):
    folder, maps = egd
    output, scores, settings = run(
        folder, "--fixations", folder / "fixations.csv", "--format", "egd-cxr",
        "--maps", folder / "maps", "--size", f"{WIDTH}x{HEIGHT}", "--sigma", "6px",
        "--ground-truth", "all",
    )  # fmt: skip
    with pytest.warns(gazesal.SkippedDataWarning):
        table = gazesal.read_fixations(folder / "fixations.csv", "egd-cxr")
    cases = gazesal.cases_from_tables(table, {"grad_cam": maps}, (HEIGHT, WIDTH))
    require_equal(scores, gazesal.evaluate(cases, sigma=6, ground_truth="all"))
    assert set(scores["method"]) == {"grad_cam", "center_bias"}
    assert "Images have one observer each" in output
    assert "Warning: " in output
    assert "8 rows" in output or "omitted 4" in output
    assert settings["format"] == "egd-cxr"


def test_all_images_of_reflacx_are_scored_by_one_command(tmp_path):
    root = gazesal.datasets.write_synthetic_reflacx(
        tmp_path / "release", n_images=4, n_readers=3, n_unread=0, side=96
    )
    _, scores, settings = run(
        tmp_path, "--reflacx", root, "--phases", "123", "--readers", "1", "--ground-truth", "all",
        "--maps", root / "maps", "--resize", "bilinear",
    )  # fmt: skip
    release = gazesal.datasets.Reflacx(root, phases=(1, 2, 3))
    cases = gazesal.cases_from_reflacx(release, gazesal.find_maps(root / "maps"), n_readers=1)
    counts = [len(case.gaze) for case in cases]
    assert 1 in counts
    assert 3 in counts
    evaluation = gazesal.evaluate(
        cases, outside="keep", ground_truth="all", center_bias_rows="both", resize="bilinear"
    )
    ours = scores[scores["method"] != "segmentation"].reset_index(drop=True)
    require_equal(ours, evaluation)
    assert set(scores["image"]) == {case.image for case in cases}
    assert settings["phases"] == "123"


def write_salicon(folder, images):
    """Write fixations and blurred maps in the layout of SALICON, for pictures of one size."""
    from PIL import Image

    rng = np.random.default_rng(3)
    for name in ("fixations", "maps_of_gaze", "images"):
        (folder / name).mkdir()
    fields = [("location", "O"), ("timestamp", "O"), ("fixations", "O")]
    for image in images:
        gaze = np.empty((3, 1), dtype=fields)
        counts = np.zeros((HEIGHT, WIDTH))
        for person in range(3):
            places = rng.integers(1, [WIDTH + 1, HEIGHT + 1], (5, 2))
            np.add.at(counts, (places[:, 1] - 1, places[:, 0] - 1), 1)
            samples = places.astype(np.uint16)
            gaze[person, 0] = (samples, np.arange(5.0)[:, None], samples)
        content = {"image": image, "resolution": np.array([[HEIGHT, WIDTH]]), "gaze": gaze}
        io.savemat(folder / "fixations" / f"{image}.mat", content)
        blurred = ndimage.gaussian_filter(counts, 4)
        grey = np.round(255 * blurred / blurred.max()).astype(np.uint8)
        Image.fromarray(grey).save(folder / "maps_of_gaze" / f"{image}.png")
        Image.fromarray(np.zeros((HEIGHT, WIDTH), np.uint8)).save(
            folder / "images" / f"{image}.jpg"
        )
