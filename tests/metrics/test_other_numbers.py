"""Claims of the pages on the numbers of other code and on the center bias, computed again."""

from pathlib import Path

import numpy as np
import pytest

import gazesal
from gazesal.cli.sources import cases_of_release

DOCS = Path(__file__).resolve().parents[2] / "docs"
MAPS = ["half", "grad", "center", "sparse", "quant8"]
MINIMUM = 1e-3


def difference(name, saliency, gaze, points, baseline):
    """Return the difference of their score and ours."""
    if name == "AUC-Judd":
        theirs = gazesal.compat.pysaliency_auc_judd(saliency, points, jitter=False)
        return theirs - gazesal.auc_judd(saliency, points)
    if name == "KL":
        return gazesal.compat.pysaliency_kl(saliency, gaze) - gazesal.kl_divergence(saliency, gaze)
    density, bias = (
        gazesal.to_density(each, "sum", minimum=MINIMUM) for each in (saliency, baseline)
    )
    ours = gazesal.information_gain(density, points, bias)
    return ours - gazesal.compat.mit_ig(saliency, points, baseline)


@pytest.fixture(scope="module")
def differences(shared):
    """By name and map, one for each image that has the map."""
    found = {name: {} for name in ("AUC-Judd", "KL", "IG")}
    with np.load(shared / "oracles" / "metrics" / "mit_inputs.npz") as arrays:
        images = sorted({name.partition("_")[0] for name in arrays.files if name[0] == "i"})
        for image in images:
            points = np.column_stack([arrays[f"{image}_fix_{axis}"] for axis in "xy"])
            gaze, baseline = arrays[f"{image}_gt"], arrays[f"{image}_baseline"]
            for each in MAPS:
                if f"{image}_sal_{each}" in arrays:
                    saliency = arrays[f"{image}_sal_{each}"]
                    for name, of_maps in found.items():
                        one = difference(name, saliency, gaze, points, baseline)
                        of_maps.setdefault(each, []).append(one)
    return found


@pytest.mark.parametrize(
    ("name", "said", "single", "mean"),
    [
        ("AUC-Judd", "0 to 0.019; 0.002 to 0.007 in the mean", (0.0, 0.019), (0.002, 0.007)),
        ("KL", "0 to 4.7 nats on one image, up to 3.1 in the mean", (0, 4.7), (0, 3.1)),
        ("IG", "up to 8.0 bits on one image, 4.3 in the mean", (None, 8.0), (None, 4.3)),
    ],
)
def test_page_states_the_measured_differences(name, said, single, mean, differences):
    assert said in (DOCS / "concepts" / "other_numbers.md").read_text("utf-8")
    means = [np.mean(scores) for scores in differences[name].values()]
    for found, (low, high) in (
        (np.concatenate(list(differences[name].values())), single),
        (means, mean),
    ):
        half = 0.0005 if name == "AUC-Judd" else 0.05
        assert np.max(found) == pytest.approx(high, abs=half)
        assert low is None or np.min(found) == pytest.approx(low, abs=half)


def test_draws_in_the_means_of_the_study():
    """At 0.5, where positives and negatives are alike; 17 normal images of five readers."""
    saliency, flat = np.arange(1e4).reshape(100, 100), np.ones((100, 100))
    error = gazesal.sampled_auc_error(saliency, flat, n_samples=1000)
    assert round(error, 4) == 0.0129
    assert [round(error / np.sqrt(91 * 5), 4), round(error / np.sqrt(17 * 5), 4)] == [6e-4, 1.4e-3]


@pytest.mark.parametrize("n", [1, 100])
def test_one_zero_costs_its_share(n):
    """A map of 90 x 120 that calls one pixel impossible, with and without a fixation there."""
    shape = (90, 120)
    density, points = np.full(shape, 1 / 10799), np.tile([[5.0, 7.0]], (n, 1))
    density[0, 0] = 0
    uniform = np.full(shape, 1 / 10800)
    before = gazesal.information_gain(density, points, uniform)
    points[0] = 0
    lost = before - gazesal.information_gain(density, points, uniform)
    assert lost * n == pytest.approx(38.6, abs=0.05)


def test_nss_is_largest_for_a_single_pixel():
    saliency = np.zeros((9, 12))
    saliency[3, 4] = 1
    assert gazesal.nss(saliency, [[4, 3]]) == pytest.approx(np.sqrt(9 * 12 - 1))


@pytest.mark.slow
def test_effect_of_the_scored_image_in_the_bias(tmp_path):
    root = gazesal.datasets.write_synthetic_reflacx(
        tmp_path / "release", n_images=24, n_readers=5, seed=0
    )
    options = {"sigma": None, "phases": "12", "readers": 5, "bad_readings": "raise"}
    _, cases = cases_of_release(
        root, map_folder=root / "maps", lungs=None, unmapped="raise", **options
    )
    out, within = (
        gazesal.evaluate(
            cases, metrics=["sauc"], center_bias=bias, outside="keep", resize="bilinear"
        )
        .summary(interval="normal")
        .set_index("method")["estimate"]
        for bias in ("left_out", "in_sample")
    )
    assert sum(len(case.gaze) for case in cases) == 116
    page = (DOCS / "concepts" / "center_bias.md").read_text("utf-8")
    for row, method in (
        ("map `attention`", "attention"),
        ("map `lesions`", "lesions"),
        ("each reader", "interobserver"),
    ):
        fall, share = out[method] - within[method], (out[method] - 0.5) * 5 / 116
        line = f"| {row} | {out[method]:.3f} | {within[method]:.3f} | {fall:.4f} | {share:.4f} |"
        assert line in page


@pytest.mark.parametrize("dtype", [np.int32, np.uint32, np.int64])
def test_integers_beyond_single_precision_do_not_tie(dtype):
    """float32 holds integers up to 2**24 only."""
    saliency = (2**24 + np.arange(6)).reshape(2, 3).astype(dtype)
    assert gazesal.auc_borji(saliency, [[0, 0, 0], [0, 0, 1]]) == pytest.approx(5.5 / 6)
    assert gazesal.ncc(saliency, np.arange(6).reshape(2, 3)) == pytest.approx(1.0)
