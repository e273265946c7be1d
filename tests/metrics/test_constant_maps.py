"""Maps that are constant up to the rounding of a resize are scored as constants."""

import math
import warnings

import numpy as np
import pytest
from scipy import ndimage

import gazesal

SHAPE = (48, 64)
RNG = np.random.default_rng(0)
GAZE, BIAS = RNG.random((2, *SHAPE))
POINTS = RNG.uniform(0, 47, (12, 2))
OTHERS = RNG.uniform(0, 47, (15, 2))


def flat_maps():
    """Constant maps as resizing leaves them."""
    zoomed = ndimage.zoom(np.full((7, 7), 0.1), (SHAPE[0] / 7, SHAPE[1] / 7))
    steps = RNG.integers(-8, 9, SHAPE)
    found = {"zoom": zoomed, "last bits": 0.3 + steps * 2.0**-54, "negative": -1.0 - 1e10 * zoomed}
    found["single"] = (0.3 + steps * 2.0**-25).astype(np.float32)
    found["single in double"] = found["single"].astype(np.float64)
    found["tiny"], found["huge"] = zoomed * 1e-290, zoomed * 1e290
    return found


FLAT = flat_maps()
EVERY = pytest.mark.parametrize("kind", FLAT)
UNDEFINED = {
    "ncc": lambda m: gazesal.ncc(m, GAZE),
    "ncc of a gaze map": lambda m: gazesal.ncc(GAZE, m),
    "sncc": lambda m: gazesal.sncc(m, GAZE, BIAS),
    "sncc of a gaze map": lambda m: gazesal.sncc(GAZE, m, BIAS),
    "sncc of a center bias": lambda m: gazesal.sncc(GAZE, BIAS, m),
    "nss": lambda m: gazesal.nss(m, POINTS),
    "snss": lambda m: gazesal.snss(m, POINTS, OTHERS),
    "mit_nss": lambda m: gazesal.compat.mit_nss(m, POINTS),
}
AREAS = {
    "auc_borji": lambda m: gazesal.auc_borji(m, GAZE),
    "auc_borji, tolerance": lambda m: gazesal.auc_borji(m, GAZE, tolerance=1e-3),
    "auc_borji, samples": lambda m: gazesal.auc_borji(m, GAZE, n_samples=100, rng=0),
    "sauc": lambda m: gazesal.sauc(m, GAZE, BIAS),
    "auc": lambda m: gazesal.auc(m, POINTS),
    "auc, unfixated": lambda m: gazesal.auc(m, POINTS, "unfixated"),
    "auc, a map": lambda m: gazesal.auc(m, POINTS, BIAS),
    "auc_judd": lambda m: gazesal.auc_judd(m, POINTS),
    "auc_shuffled": lambda m: gazesal.auc_shuffled(m, POINTS, OTHERS),
}
SCALED = {  # the codes scale to the range first; the largest maps are beyond what they take
    "mit_auc_judd": lambda m: gazesal.compat.mit_auc_judd(m, POINTS, jitter=False),
    "mit_auc_borji": lambda m: gazesal.compat.mit_auc_borji(m, POINTS, rng=0),
    "mit_auc_shuffled": lambda m: gazesal.compat.mit_auc_shuffled(m, POINTS, OTHERS, rng=0),
    "mit_sim": lambda m: gazesal.compat.mit_sim(m, GAZE),
    "mit_sim of a gaze map": lambda m: gazesal.compat.mit_sim(GAZE, m),
    "mit_ig": lambda m: gazesal.compat.mit_ig(m, POINTS, BIAS),
    "mit_ig of a baseline": lambda m: gazesal.compat.mit_ig(BIAS, POINTS, m),
}


@EVERY
@pytest.mark.parametrize("name", UNDEFINED)
def test_correlations_and_z_scores_are_undefined(name, kind):
    with pytest.warns(gazesal.UndefinedMetricWarning, match="constant up to rounding") as caught:
        assert math.isnan(UNDEFINED[name](FLAT[kind]))
    assert caught[0].filename == __file__


@EVERY
@pytest.mark.parametrize("name", AREAS)
def test_areas_count_all_pixels_as_ties(name, kind):
    with pytest.warns(gazesal.UndefinedMetricWarning, match="`saliency_map` is constant up to"):
        assert AREAS[name](FLAT[kind]) == 0.5


@pytest.mark.parametrize("kind", sorted(set(FLAT) - {"huge"}))
@pytest.mark.parametrize("name", SCALED)
def test_codes_that_scale_to_the_range_are_undefined(name, kind):
    with pytest.warns(gazesal.UndefinedMetricWarning, match="constant up to rounding"):
        assert math.isnan(SCALED[name](FLAT[kind]))


@pytest.mark.parametrize("kind", sorted(set(FLAT) - {"huge"}))
def test_pysaliency_area_counts_all_pixels_as_ties(kind):
    with pytest.warns(gazesal.UndefinedMetricWarning, match="constant up to rounding"):
        assert gazesal.compat.pysaliency_auc_judd(FLAT[kind], POINTS, jitter=False) == 0.5


@pytest.mark.parametrize("kind", ["zoom", "last bits", "single", "single in double"])
def test_shift_of_a_constant_map_raises(kind):
    with pytest.raises(ValueError, match="`saliency_map` must not be constant"):
        gazesal.to_density(FLAT[kind], "shift")


@EVERY
def test_score_agrees_with_single_calls(kind):
    truths = {"gaze": GAZE, "flat": np.abs(FLAT[kind])}
    with pytest.warns(gazesal.UndefinedMetricWarning) as caught:
        scores = gazesal.score({"flat": FLAT[kind], "other": BIAS}, truths, BIAS)
    assert [str(each.message).split(" ")[0] for each in caught] == ["ncc", "AUC"]
    assert all("saliency_maps['flat']" in str(each.message) for each in caught)
    assert np.isnan(scores.values[0][:, [0, 2]]).all()
    assert (scores.values[0][:, [1, 3]] == 0.5).all()
    assert np.isnan(scores.values[1, 1, [0, 2]]).all()
    assert scores.values[1, 0] == pytest.approx(
        [
            gazesal.ncc(BIAS, GAZE),
            gazesal.auc_borji(BIAS, GAZE),
            gazesal.sncc(BIAS, GAZE, BIAS),
            gazesal.sauc(BIAS, GAZE, BIAS),
        ],
        rel=0,
        abs=1e-12,
    )
    for j, truth in enumerate(truths.values()):
        assert scores.values[1, j, 3] == pytest.approx(gazesal.sauc(BIAS, truth, BIAS), abs=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("offset", [1.0, -7.3, 1e4, 1e-20, 1e20])
def test_content_well_above_rounding_is_scored(dtype, offset):
    """Content of 200 units in the last place and more, under any offset."""
    content = np.random.default_rng(3).random(SHAPE)
    for units in (200, 1e4):
        array = (offset * (1 + units * np.finfo(dtype).eps * content)).astype(dtype)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert abs(gazesal.ncc(array, np.sign(offset) * content) - 1.0) < 1e-3
            assert abs(gazesal.nss(array, POINTS)) > 1e-3
            assert gazesal.auc_borji(array, GAZE) != 0.5


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint32, np.float64])
def test_integers_are_not_constant_up_to_rounding(dtype):
    counts = (2**31 - 20 + RNG.integers(0, 2, SHAPE)).astype(dtype)
    assert abs(gazesal.ncc(counts, GAZE)) > 0
    close = np.full(SHAPE, 2.0**52)
    close[3, 4] += 1
    assert gazesal.nss(close, [[4, 3]]) == pytest.approx(math.sqrt(close.size - 1))


@pytest.mark.parametrize("kind", ["single", "single in double", "zoom", "last bits"])
@pytest.mark.parametrize("shape", [(96, 128), (17, 30)])
def test_resampling_leaves_a_constant(kind, shape):
    resized = gazesal.resample(FLAT[kind], shape)
    assert resized.shape == shape
    assert resized.min() == resized.max() == FLAT[kind].min()


def test_a_spot_on_a_constant_is_content():
    """The sum of squares is as small as for noise, but the range is not."""
    spot = np.full((400, 500), 0.3)
    spot[100, 200] += 1e-7
    assert gazesal.nss(spot, [[200, 100]]) == pytest.approx(math.sqrt(spot.size - 1), rel=1e-6)
