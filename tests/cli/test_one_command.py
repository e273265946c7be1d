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
    """Compare the written scores with the scores of an evaluation."""
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
        gray = np.round(255 * blurred / blurred.max()).astype(np.uint8)
        Image.fromarray(gray).save(folder / "maps_of_gaze" / f"{image}.png")
        Image.fromarray(np.zeros((HEIGHT, WIDTH), np.uint8)).save(
            folder / "images" / f"{image}.jpg"
        )


@pytest.fixture
def salicon(tmp_path):
    """Write a set in the layout of SALICON, and maps."""
    images = [f"COCO_train2014_{number:012d}" for number in range(4)]
    write_salicon(tmp_path, images)
    return tmp_path, write_maps(tmp_path, images)


def test_only_heat_maps_are_scored_as_in_salicon(salicon):
    folder, maps = salicon
    output, scores, settings = run(
        folder, "--gaze-maps", folder / "maps_of_gaze", "--maps", folder / "maps",
        "--ground-truth", "all",
    )  # fmt: skip
    gaze_maps = gazesal.open_maps(folder / "maps_of_gaze")
    cases = gazesal.cases_from_tables(None, {"grad_cam": maps}, gaze_maps=gaze_maps)
    require_equal(scores, gazesal.evaluate(cases, ground_truth="all"))
    assert set(scores["method"]) == {"grad_cam", "center_bias"}
    assert settings["gaze_maps"] == str(folder / "maps_of_gaze")
    assert "4 images" in output


def test_fixations_and_heat_maps_are_scored_together_as_in_salicon(salicon):
    folder, maps = salicon
    _, scores, _ = run(
        folder, "--fixations", folder / "fixations", "--format", "salicon",
        "--gaze-maps", folder / "maps_of_gaze", "--size", folder / "images",
        "--maps", folder / "maps", "--ground-truth", "all",
        "--metric", "nss", "--metric", "ncc", "--metric", "auc_judd",
    )  # fmt: skip
    table = gazesal.read_fixations(folder / "fixations", "salicon")
    maps_of_gaze = gazesal.open_maps(folder / "maps_of_gaze")
    cases = gazesal.cases_from_tables(
        table, {"grad_cam": maps}, (HEIGHT, WIDTH), gaze_maps=maps_of_gaze
    )
    metrics = ["nss", "ncc", "auc_judd"]
    require_equal(scores, gazesal.evaluate(cases, ground_truth="all", metrics=metrics))
    heat = gazesal.read_map(folder / "maps_of_gaze" / f"{cases[0].image}.png")
    cell = scores[(scores["image"] == cases[0].image) & (scores["method"] == "grad_cam")]
    found = cell.set_index("metric")["score"]
    saliency = maps[cases[0].image]
    points = table.loc[table["image"] == cases[0].image, ["x", "y"]].to_numpy()
    assert found["ncc"] == pytest.approx(gazesal.ncc(saliency, heat), abs=1e-12)
    assert found["nss"] == pytest.approx(gazesal.nss(saliency, points), abs=1e-12)


def test_maps_of_fixated_pixels_are_scored_like_their_fixations(tmp_path):
    rng = np.random.default_rng(5)
    maps = write_maps(tmp_path, ["a", "b", "c"])
    (tmp_path / "locations").mkdir()
    rows = []
    for image in maps:
        pixels = rng.random((HEIGHT, WIDTH)) < 0.003
        io.savemat(tmp_path / "locations" / f"{image}_fixPts.mat", {"fixLocs": pixels})
        y, x = np.nonzero(pixels)
        rows += [(image, "all", *place, 1.0) for place in zip(x, y, strict=True)]
    _, scores, _ = run(
        tmp_path, "--fixation-maps", tmp_path / "locations" / "{image}_fixPts", "--sigma", "5",
        "--maps", tmp_path / "maps", "--ground-truth", "all", "--metric", "ncc", "--metric", "nss",
    )  # fmt: skip
    table = pd.DataFrame(rows, columns=["image", "observer", "x", "y", "duration"])
    cases = gazesal.cases_from_tables(table, {"grad_cam": maps}, (HEIGHT, WIDTH))
    expected = gazesal.evaluate(cases, sigma=5, ground_truth="all", metrics=["ncc", "nss"])
    require_equal(scores, expected)


def write_screen_gaze(folder, maps, scale, left, top):
    """Write gaze in pixels of a screen, and return it in pixels of the images."""
    rng = np.random.default_rng(7)
    rows = [
        (image, observer, *rng.uniform(0, [WIDTH - 1, HEIGHT - 1]), 200.0)
        for image in maps
        for observer in ("ann", "bob")
        for _ in range(6)
    ]
    table = pd.DataFrame(rows, columns=["image", "observer", "x", "y", "duration"])
    on_screen = table.copy()
    on_screen["x"] = (table["x"] + 0.5) * scale + left - 0.5
    on_screen["y"] = (table["y"] + 0.5) * scale + top - 0.5
    on_screen.to_csv(folder / "screen.csv", index=False)
    return table


@pytest.mark.parametrize(
    ("words", "scale", "left", "top"),
    [
        (["--display", "200x120", "--placement", "letterbox"], 2.0, 20.0, 0.0),
        (["--display", "200x120", "--placement", "center", "--scale", "1.5"], 1.5, 40.0, 15.0),
        (["--rectangle", "7,9,87,69"], 1.0, 7.0, 9.0),
        (["--rectangle", "edges.csv"], 1.0, 7.0, 9.0),
    ],
)
def test_gaze_on_a_screen_is_scored_like_gaze_on_the_images(
    tmp_path, monkeypatch, words, scale, left, top
):
    monkeypatch.chdir(tmp_path)
    maps = write_maps(tmp_path, ["a", "b", "c"])
    table = write_screen_gaze(tmp_path, maps, scale, left, top)
    edges = [f"{image},7,9,87,69" for image in maps]
    lines = ["image,x_min,y_min,x_max,y_max", *edges, ""]
    (tmp_path / "edges.csv").write_text("\n".join(lines))
    _, scores, settings = run(
        tmp_path, "--fixations", "screen.csv", *words, "--size", f"{WIDTH}x{HEIGHT}",
        "--maps", "maps", "--sigma", "5",
    )  # fmt: skip
    cases = gazesal.cases_from_tables(table, {"grad_cam": maps}, (HEIGHT, WIDTH))
    expected = gazesal.evaluate(cases, sigma=5).scores
    pd.testing.assert_frame_equal(scores, expected, check_exact=False, rtol=1e-8, atol=1e-8)
    assert words[0].strip("-") in settings


def test_own_format_is_read_from_a_toml_file(tmp_path):
    maps = write_maps(tmp_path, ["a", "b", "c"])
    table = write_screen_gaze(tmp_path, maps, 1.0, 0.0, 0.0)
    theirs = {"image": "Bild", "observer": "Person", "x": "PosX", "y": "PosY", "duration": "Zeit"}
    table.rename(columns=theirs).to_csv(tmp_path / "own.csv", index=False)
    columns = "".join(f'{ours} = ["{name}"]\n' for ours, name in theirs.items())
    (tmp_path / "own.toml").write_text(f'{columns}time_unit = "ms"\n')
    _, scores, _ = run(
        tmp_path, "--fixations", tmp_path / "own.csv", "--format", tmp_path / "own.toml",
        "--size", f"{WIDTH}x{HEIGHT}", "--maps", tmp_path / "maps", "--sigma", "5",
    )  # fmt: skip
    cases = gazesal.cases_from_tables(table, {"grad_cam": maps}, (HEIGHT, WIDTH))
    require_equal(scores, gazesal.evaluate(cases, sigma=5))


def test_maps_in_the_frame_of_a_network_are_scored_on_the_images(tmp_path):
    rng = np.random.default_rng(8)
    (tmp_path / "maps" / "cam").mkdir(parents=True)
    maps = {image: rng.random((14, 14)) for image in "abc"}
    for image, values in maps.items():
        np.save(tmp_path / "maps" / "cam" / f"{image}_cam.npy", values)
    table = write_screen_gaze(tmp_path, maps, 1.0, 0.0, 0.0)
    table.to_csv(tmp_path / "fixations.csv", index=False)
    _, scores, settings = run(
        tmp_path, "--fixations", tmp_path / "fixations.csv", "--size", f"{WIDTH}x{HEIGHT}",
        "--maps", tmp_path / "maps", "--pattern", "{image}_cam",
        "--input-geometry", "letterboxed", "--sigma", "5",
    )  # fmt: skip
    cases = gazesal.cases_from_tables(
        table, {"cam": maps}, (HEIGHT, WIDTH), input_geometry="letterboxed"
    )
    require_equal(scores, gazesal.evaluate(cases, sigma=5))
    assert settings["pattern"] == "{image}_cam"


def test_lung_masks_span_the_image_if_maps_span_the_input(tmp_path):
    root = gazesal.datasets.write_synthetic_reflacx(
        tmp_path / "release", n_images=3, n_readers=2, n_unread=0, side=96
    )
    usual = ["--reflacx", root, "--readers", "2", "--metric", "ncc", "--maps", root / "maps"]
    _, stretched, _ = run(tmp_path, *usual, "--input-geometry", "stretched")
    _, resized, _ = run(tmp_path, *usual, "--resize", "bilinear")
    hulls = [each[each["method"] == "segmentation"] for each in (stretched, resized)]
    assert len(hulls[0]) > 0
    pd.testing.assert_frame_equal(*hulls)


@pytest.mark.parametrize("name", ["egd-cxr", "table"])
def test_fixations_of_a_format_may_be_combined_with_a_manifest(egd, name):
    folder, maps = egd
    lines = [f"{image},{WIDTH},{HEIGHT},maps/grad_cam/{image}.npy" for image in maps]
    text = "\n".join(["image,width,height,map:grad_cam", *lines, ""])
    (folder / "manifest.csv").write_text(text)
    with pytest.warns(gazesal.SkippedDataWarning):
        table = gazesal.read_fixations(folder / "fixations.csv", "egd-cxr")
    words = ["--fixations", folder / "fixations.csv", "--format", "egd-cxr"]
    if name == "table":
        table.to_csv(folder / "table.csv", index=False)
        words = ["--fixations", folder / "table.csv", "--y-axis", "down", "--missing", "raise"]
    _, scores, _ = run(
        folder, "--manifest", folder / "manifest.csv", *words, "--sigma", "6",
        "--ground-truth", "all",
    )  # fmt: skip
    cases = gazesal.cases_from_tables(table, {"grad_cam": maps}, (HEIGHT, WIDTH))
    require_equal(scores, gazesal.evaluate(cases, sigma=6, ground_truth="all"))


def test_maps_of_cat2000_are_found_by_their_category_without_a_suffix(shared, tmp_path):
    folder = shared / "formats" / "03_cat2000" / "trainSet"
    rng = np.random.default_rng(0)
    for name in ("Action/001", "Action/002", "Sketch/001"):
        place = tmp_path / "maps" / "noise" / f"{name}.npy"
        place.parent.mkdir(parents=True, exist_ok=True)
        np.save(place, rng.random((27, 48)))
    to_both = [
        "--maps", tmp_path / "maps", "--pattern", "{folder}/{image}", "--resize", "bilinear",
        "--sigma", "40", "--ground-truth", "all", "--metric", "ncc",
    ]  # fmt: skip
    _, by_observer, _ = run(
        tmp_path, "--fixations", folder / "allFixData.mat", "--format", "cat2000",
        "--format-option", "suffix=false", *to_both,
    )  # fmt: skip
    assert set(by_observer["image"]) == {"Action/001", "Action/002", "Sketch/001"}
    _, pooled, _ = run(
        tmp_path, "--fixation-maps", folder / "FIXATIONLOCS/{folder}/{image}", *to_both
    )
    assert set(pooled["image"]) == {"Action/001", "Action/002"}


def test_suffix_of_gaze_maps_is_named_as_a_pattern(salicon):
    folder, _ = salicon
    for file in (folder / "maps_of_gaze").iterdir():
        file.rename(file.with_stem(f"{file.stem}_fixMap"))
    words = [
        "evaluate", "--quiet", "--no-report", "--jobs", "1", "--maps", str(folder / "maps"),
        "--ground-truth", "all", "--out", str(folder / "results"), "--gaze-maps",
    ]  # fmt: skip
    result = CliRunner().invoke(main, [*words, str(folder / "maps_of_gaze")])
    assert result.exit_code == 1
    assert "--gaze-maps DIR/{image}_fixMap" in result.output
    result = CliRunner().invoke(main, [*words, str(folder / "maps_of_gaze/{image}_fixMap")])
    assert result.exit_code == 0, result.output
