"""The corrected NCC of a set of images, with its correction for few observers."""

import itertools
import math

import numpy as np
import pytest

import gazesal
from gazesal.stats import pooled_corrected_ncc, ratio_interval
from gazesal.stats.expected_deviation import deviation_of_expected_map


def images(rng, n_images, n_observers):
    found = []
    for _ in range(n_images):
        truth = rng.random((6, 8))
        noisy = truth + 0.3 * rng.normal(size=(n_observers, 6, 8))
        found.append((truth + 0.3 * rng.normal(size=(6, 8)), noisy, truth))
    return found


def test_pooled_score_of_one_kind_of_image_is_near_its_truth():
    simulated = images(np.random.default_rng(2), 150, 3)
    found = pooled_corrected_ncc((saliency, gaze) for saliency, gaze, _ in simulated)
    truth = np.mean([gazesal.ncc(saliency, truth) for saliency, _, truth in simulated])
    assert found.estimate == pytest.approx(truth, abs=0.02)
    assert found.low < truth < found.high


def corrected_root(covariances):
    """Return the documented denominator of an image with four or more observers, by loops."""
    n = len(covariances)
    mean = np.mean([covariances[i, j] for i, j in itertools.permutations(range(n), 2)])
    separate = np.mean(
        [
            covariances[i, j] * covariances[k, m]
            for i, j, k, m in itertools.permutations(range(n), 4)
        ]
    )
    return math.sqrt(mean) * (1 + (mean**2 - separate) / (8 * mean**2))


@pytest.mark.parametrize("n_observers", [4, 5])
def test_pooled_score_is_the_ratio_of_the_documented_sums(n_observers):
    simulated = images(np.random.default_rng(3), 4, n_observers)
    numerators, denominators = [], []
    for saliency, gaze, _ in simulated:
        flat = gaze.reshape(n_observers, -1)
        centered = saliency.ravel() - saliency.mean()
        numerators.append((centered @ flat.mean(axis=0)) / centered.size / saliency.std())
        denominators.append(corrected_root(np.cov(flat, ddof=0)))
    with pytest.warns(gazesal.IntervalWarning):
        found = pooled_corrected_ncc([each[:2] for each in simulated])
    with pytest.warns(gazesal.IntervalWarning):
        expected = ratio_interval(numerators, denominators)
    assert found.estimate == pytest.approx(expected.estimate, rel=1e-12)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-10)


def gaze_of(rng, n_images, n_observers):
    """Simulate gaze maps of 12 pixels that deviate from one map, with unequal variances."""
    expected = np.sin(np.arange(12.0))
    deviations = rng.normal(size=(n_images, n_observers, 12)) * np.linspace(0.2, 1.2, 12)
    return expected, expected + deviations


@pytest.mark.parametrize("n_observers", [3, 4, 6])
def test_root_of_the_mean_covariance_is_corrected_for_its_bias(n_observers):
    expected, gaze = gaze_of(np.random.default_rng(5), 3000, n_observers)
    covariances = [np.cov(each, ddof=0) for each in gaze]
    off = ~np.eye(n_observers, dtype=bool)
    roots = np.mean([math.sqrt(max(each[off].mean(), 0)) for each in covariances])
    corrected = np.mean([deviation_of_expected_map(each) for each in covariances])
    truth = expected.std()
    assert roots < 0.99 * truth  # so that there is a bias to correct
    assert abs(corrected - truth) < 0.4 * (truth - roots)


def test_two_observers_are_not_corrected_and_warn():
    simulated = [each[:2] for each in images(np.random.default_rng(6), 12, 2)]
    with pytest.warns(gazesal.IntervalWarning, match="12 of 12 images have only two observers"):
        found = pooled_corrected_ncc(simulated)
    pairs = [np.cov(gaze.reshape(2, -1), ddof=0)[0, 1] for _, gaze in simulated]
    numerators = [gazesal.ncc(s, g.mean(axis=0)) * g.mean(axis=0).std() for s, g in simulated]
    expected = np.sum(numerators) / np.sum(np.sqrt(pairs))
    assert found.estimate == pytest.approx(expected, rel=1e-12)


def test_correction_is_limited_and_zero_without_agreement():
    assert deviation_of_expected_map(np.eye(4)) == 0.0
    assert deviation_of_expected_map(np.eye(4) - 0.1) == 0.0
    unequal = np.diag(np.full(4, 9.0))
    unequal[0, 1] = unequal[1, 0] = 4.0
    unequal[2, 3] = unequal[3, 2] = -3.5
    root = math.sqrt(unequal[~np.eye(4, dtype=bool)].mean())
    assert deviation_of_expected_map(unequal) == pytest.approx(2 * root)
    opposite = unequal.copy()
    opposite[2, 3] = opposite[3, 2] = 3.5
    assert deviation_of_expected_map(opposite) >= 0.0


def test_scale_of_the_gaze_maps_does_not_change_the_pooled_score():
    simulated = images(np.random.default_rng(7), 30, 3)
    found = pooled_corrected_ncc([each[:2] for each in simulated])
    scaled = pooled_corrected_ncc([(s, 1e-6 * g) for s, g, _ in simulated])
    assert scaled.estimate == pytest.approx(found.estimate, rel=1e-12)
    assert (scaled.low, scaled.high) == pytest.approx((found.low, found.high), rel=1e-9)


def study(rng, n_images, n_observers, difference):
    """Simulate images seen by the same observers, who differ in how they weight a common part."""
    weights = 1 + difference * rng.normal(size=n_observers)
    common = rng.normal(size=(6, 8))
    for _ in range(n_images):
        own = rng.normal(size=(6, 8))
        gaze = own + weights[:, None, None] * common + 0.3 * rng.normal(size=(n_observers, 6, 8))
        yield own + common, gaze


def test_same_observers_widen_the_interval_by_the_documented_factor():
    simulated = list(study(np.random.default_rng(8), 30, 5, 0.5))
    plain = pooled_corrected_ncc(simulated, interval="normal")
    found = pooled_corrected_ncc(simulated, interval="normal", same_observers=True)
    assert found.estimate == plain.estimate

    def terms(observers):
        numerators = [
            gazesal.ncc(s, g[observers].mean(0)) * g[observers].mean(0).std() for s, g in simulated
        ]
        covariances = [
            np.cov(g[observers].reshape(len(observers), -1), ddof=0) for _, g in simulated
        ]
        return np.array(numerators), np.array([deviation_of_expected_map(c) for c in covariances])

    a, b = terms([*range(5)])
    rest = [terms([i for i in range(5) if i != k]) for k in range(5)]
    ratio = a.sum() / b.sum()
    by_image = np.var((a - ratio * b) / b.mean(), ddof=1) / 30
    by_observer = 4 * np.var([x.sum() / y.sum() for x, y in rest])
    single = np.array([(x - ratio * y) / b.mean() for x, y in rest])
    by_both = 4 * np.var(single, axis=0).sum() / 30**2
    assert by_observer > 2 * by_both
    factor = math.sqrt((by_image + by_observer - by_both) / by_image)
    assert found.high - ratio == pytest.approx(factor * (plain.high - ratio), rel=1e-6)
    assert ratio - found.low == pytest.approx(factor * (ratio - plain.low), rel=1e-6)
    student = pooled_corrected_ncc(simulated, same_observers=True)
    assert student.high - student.low > found.high - found.low


def test_interval_with_same_observers_covers_consistent_differences():
    rng = np.random.default_rng(9)
    covered = {False: 0, True: 0}
    for _ in range(40):
        simulated = list(study(rng, 15, 5, 0.7))
        for same in covered:
            found = pooled_corrected_ncc(simulated, same_observers=same)
            covered[same] += found.low <= 1 <= found.high
    assert covered[True] > covered[False]
    assert covered[True] >= 34


def test_same_observers_must_be_in_all_images():
    rng = np.random.default_rng(10)
    four, five = (next(study(rng, 1, n, 0.1)) for n in (4, 5))
    with pytest.raises(ValueError, match=r"images\[1\]"):
        pooled_corrected_ncc([four, five], same_observers=True)
    with pytest.raises(ValueError, match=r"images\[0\]"):
        pooled_corrected_ncc([(four[0], four[1][:3])], same_observers=True)
    with pytest.raises(ValueError, match="interval"):
        pooled_corrected_ncc([four] * 3, same_observers=True, interval="bootstrap", rng=0)


def test_images_that_cannot_be_pooled_are_named():
    good = images(np.random.default_rng(4), 1, 3)[0][:2]
    with pytest.raises(ValueError, match=r"images\[1\]"):
        pooled_corrected_ncc([good, (np.ones((6, 8)), good[1])])
    with pytest.raises(ValueError, match=r"images\[0\]"):
        pooled_corrected_ncc([(good[0], good[1][:1])])
    with pytest.raises(TypeError, match=r"images\[0\]"):
        pooled_corrected_ncc([good[0]])
