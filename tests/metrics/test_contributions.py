"""Contributions of pixels: maps that sum to the score, against other people's output."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gazesal
from gazesal.exceptions import UndefinedMetricWarning

OF_MAPS = ("auc_borji", "kl_divergence", "ncc", "sim")
WITH_BIAS = ("residual_ncc", "residual_nss", "sauc", "semipartial_ncc", "sncc")
OF_FIXATIONS = ("information_gain", "log_likelihood", "nss")
SHAPE = (7, 9)


@st.composite
def studies(draw):
    """A map with or without ties, gaze, center bias and fixations."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    levels = draw(st.sampled_from([2, 5, 1000]))
    scale = draw(st.sampled_from([1e-200, 1.0, 3.7, 1e200]))
    saliency = rng.integers(0, levels, SHAPE) * scale
    saliency.flat[:2] = 0.0, saliency.max() or scale
    gaze, bias = rng.random(SHAPE) ** 3, rng.random(SHAPE)
    gaze[rng.random(SHAPE) < 0.3] = 0.0
    gaze[0, 3] = 1.0
    fixations = rng.random((12, 2)) * [SHAPE[1] - 1, SHAPE[0] - 1]
    single = 1.0 <= scale < 10.0 and draw(st.booleans())  # float32 holds only these scales
    dtype = np.float32 if single else np.float64
    return saliency.astype(dtype), gaze, bias, fixations


@given(studies())
def test_contributions_of_maps_sum_to_the_score(study):
    saliency, gaze, bias, _ = study
    for name in OF_MAPS:
        parts = gazesal.contributions(name, saliency, gaze)
        assert parts.shape == SHAPE
        expected = getattr(gazesal, name)(saliency, gaze)
        assert math.fsum(parts.ravel()) == pytest.approx(expected, rel=0, abs=1e-12)
    for name in WITH_BIAS:
        parts = gazesal.contributions(name, saliency, gaze, bias)
        expected = getattr(gazesal, name)(saliency, gaze, bias)
        assert math.fsum(parts.ravel()) == pytest.approx(expected, rel=0, abs=1e-12)


@given(studies())
def test_contributions_of_fixations_sum_to_the_score(study):
    saliency, _, bias, fixations = study
    density, baseline = gazesal.to_density(saliency, method="shift"), bias / bias.sum()
    for name in OF_FIXATIONS:
        others = (baseline,) if name == "information_gain" else ()
        values = saliency if name == "nss" else density
        parts = gazesal.contributions(name, values, fixations, *others)
        expected = getattr(gazesal, name)(values, fixations, *others)
        assert math.fsum(parts.ravel()) == pytest.approx(expected, rel=0, abs=1e-12)
        # by a gaze map: the mean over fixations that are its pixels
        counts = gazesal.contributions(name, values, np.full(SHAPE, 3.0), *others)
        pixels = np.stack(np.indices(SHAPE)[::-1], axis=-1).reshape(-1, 2)
        expected = getattr(gazesal, name)(values, pixels, *others)
        assert math.fsum(counts.ravel()) == pytest.approx(expected, rel=0, abs=1e-12)


def test_contributions_equal_those_of_pysaliency_and_scikit_learn(shared):
    folder = shared / "references"
    numbers = json.loads((folder / "contributions.json").read_text("utf-8"))
    with np.load(folder / "contributions.npz") as found:
        arrays = dict(found)
    with np.load(folder / "contributions_expected.npz") as found:
        expected = dict(found)
    for i in range(4):
        for m in range(3):
            area = gazesal.contributions("auc_borji", arrays["saliency"][i, m], arrays["gaze"][i])
            gain = gazesal.contributions(
                "information_gain",
                arrays["density"][i, m],
                arrays["gold"][i],
                arrays["baseline"][i],
                eps=0.0,
            )
            record = numbers["information_gain"][i][m]
            assert area.sum() == pytest.approx(numbers["auc"][i][m]["sum"], rel=0, abs=1e-10)
            assert gain.sum() == pytest.approx(record["sum_bits"], rel=0, abs=1e-10)
            positive = gain[gain > 0].sum()
            assert positive == pytest.approx(record["positive_part_bits"], rel=0, abs=1e-10)
            if m == i % 3:
                np.testing.assert_allclose(area, expected[f"auc_part_{i}"], rtol=0, atol=1e-15)
                np.testing.assert_allclose(gain, expected[f"ig_part_{i}"], rtol=0, atol=1e-15)


@pytest.mark.parametrize("name", ["ncc", "nss", "residual_nss"])
def test_contributions_to_an_undefined_score_are_nan(name):
    bias = (np.arange(12.0).reshape(3, 4),) if name == "residual_nss" else ()
    with pytest.warns(UndefinedMetricWarning):
        parts = gazesal.contributions(name, np.ones((3, 4)), np.eye(3, 4), *bias)
    assert np.isnan(parts).all()


def test_contributions_to_the_auc_of_a_constant_map_sum_to_chance():
    assert gazesal.contributions("auc_borji", np.ones((3, 4)), np.eye(3, 4)).sum() == 0.5


@pytest.mark.parametrize(
    ("arguments", "options", "match"),
    [
        (("emd", np.eye(3), np.eye(3)), {}, "metric"),
        (("sauc", np.eye(3), np.eye(3)), {}, "center_bias"),
        (("ncc", np.eye(3), np.eye(3), np.eye(3)), {}, "center_bias"),
        (("ncc", np.eye(3), np.eye(3)), {"eps": 0.0}, "eps"),
        (("nss", np.eye(3)[:, :2], np.eye(3)[:, :2]), {}, "saliency_map"),
        (("nss", np.eye(3), np.eye(4)), {}, "gaze"),
        (("ncc", np.full((3, 3), np.nan), np.eye(3)), {}, "saliency_map"),
        (("nss", np.diag([np.nan, 1, 2]), np.eye(3)), {}, "saliency_map"),
    ],
)
def test_contributions_refuse_wrong_arguments(arguments, options, match):
    with pytest.raises(ValueError, match=match):
        gazesal.contributions(*arguments, **options)


def test_contributions_are_drawn_over_a_picture():
    parts = gazesal.contributions("ncc", np.eye(6, 8), np.tri(6, 8))
    picture = np.zeros((12, 16, 3), np.uint8)
    picture[4:] = 200
    for ground in (None, picture, picture[..., 0]):
        figure = gazesal.plots.plot_contributions(parts, ground, note="NCC")
        assert figure.axes[0].get_title() == f"sum = {parts.sum():.3g}"
    with pytest.raises(ValueError, match="picture"):
        gazesal.plots.plot_contributions(parts, np.zeros(5))
    with pytest.raises(ValueError, match="contribution_map"):
        gazesal.plots.plot_contributions(np.full((3, 3), np.nan))
