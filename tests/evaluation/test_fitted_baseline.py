"""The baseline of information gain: a kernel density of the fixations on other images."""

import numpy as np
import pytest

import gazesal
from gazesal.evaluation.fitted_baseline import choose_kernel
from gazesal.evaluation.metric_calls import fixations_on, pool
from gazesal.maps.binned_kde import UNIFORM, kernel_density
from gazesal.reporting.captions import describe

SHAPE = (30, 40)


def make_cases(n=5, observers=2, seed=3, shape=SHAPE, **more):
    """Return images whose gaze lies around the center, with a nearly uniform map."""
    rng = np.random.default_rng(seed)
    height, width = shape
    flat = 1.0 + 0.01 * rng.random(shape)
    return [
        gazesal.Case(
            image=f"i{k}",
            shape=shape,
            gaze={
                f"r{j}": gazesal.Gaze(
                    points=np.clip(
                        rng.normal([width / 2, height / 2], width / 5, (5, 2)),
                        0,
                        [width - 1, height - 1],
                    ).round(),
                    durations=np.ones(5),
                )
                for j in range(observers)
            },
            maps={"flat": flat},
            **more,
        )
        for k in range(n)
    ]


def gains(cases, **options):
    """Return the mean information gain of each method."""
    evaluation = gazesal.evaluate(
        cases, sigma=1.2, metrics=["information_gain"], density="sum", **options
    )
    return evaluation.scores.groupby("method")["score"].mean()


def test_a_flat_map_gains_over_the_mean_map_and_not_over_the_default():
    cases = make_cases()
    assert gains(cases, baseline="center_bias")["flat"] > 0.3
    found = gains(cases)
    assert found["flat"] < -0.2
    assert found["center_bias"] == 0.0


def test_the_baseline_is_the_cross_validated_density_of_the_other_images():
    """A class that sums kernels over pairs has the same choice and the same density."""
    cases = make_cases(n=6)
    points = {case.image: fixations_on(case, "raise") for case in cases}
    slow = gazesal.KdeCenterBias.fit(points, SHAPE)
    pooled = pool([(case, points[case.image]) for case in cases])
    kernel = choose_kernel(cases, pooled, lambda case: (pooled.positions[case.image],))
    assert (kernel.bandwidth, kernel.mixing) == (slow.bandwidth, slow.mixing)
    expected = slow.without("i2").on_image(SHAPE)
    found = kernel_density(pooled.on_others(cases[2]), SHAPE, *kernel)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-15)
    density = gazesal.to_density(cases[2].maps["flat"], "sum")
    truth = [
        gazesal.information_gain(density, cases[2].gaze[other].points, expected)
        for other in ("r1", "r0")
    ]
    scores = gazesal.evaluate(cases, sigma=1.2, metrics=["information_gain"], density="sum").scores
    rows = scores[(scores["image"] == "i2") & (scores["method"] == "flat")]
    np.testing.assert_allclose(rows["score"], truth, atol=1e-9)


def test_a_large_image_has_the_density_of_its_cells():
    rng = np.random.default_rng(0)
    points = rng.uniform([100, 60], [300, 200], (40, 2))
    slow = gazesal.KdeCenterBias({"a": points}, (300, 400), bandwidth=0.08, mixing=0.03)
    found = kernel_density(points, (300, 400), 0.08, 0.03)
    np.testing.assert_allclose(found.sum(), 1.0)
    np.testing.assert_allclose(found, slow.on_image((300, 400)), atol=0.03 * found.max())


def test_the_images_of_a_group_leave_the_baseline_together():
    cases = make_cases(n=6)
    grouped = [
        gazesal.Case(
            image=case.image,
            shape=case.shape,
            gaze=case.gaze,
            maps=case.maps,
            groups={"patient": k // 2},
        )
        for k, case in enumerate(cases)
    ]
    together = gains(grouped, leave_out="patient")
    assert abs(together["flat"] - gains(grouped)["flat"]) > 1e-6


def test_own_gaze_in_the_baseline_lowers_the_gain():
    cases = make_cases()
    assert gains(cases, center_bias_rows="in_sample")["flat"] < gains(cases)["flat"]


def test_a_given_center_bias_is_the_baseline_as_it_is():
    cases = make_cases()
    bias = gazesal.GaussianCenterBias.clarke_tatler()
    density = gazesal.to_density(cases[0].maps["flat"], "sum")
    scores = gazesal.evaluate(
        cases, sigma=1.2, metrics=["information_gain"], density="sum", center_bias=bias
    ).scores
    row = scores[(scores["image"] == "i0") & (scores["method"] == "flat")].iloc[0]
    points = cases[0].gaze["r1"].points
    expected = gazesal.information_gain(density, points, bias.on_image(SHAPE))
    assert row["score"] == pytest.approx(expected, abs=1e-12)


def test_fixations_are_required_of_images_that_are_not_scored():
    cases = make_cases(n=3)
    noise = np.random.default_rng(0).random(SHAPE)
    rest = gazesal.Case(image="m", shape=SHAPE, gaze={"r0": noise}, maps={}, scored=False)
    with pytest.raises(ValueError, match="`metrics` must be metrics of gaze maps"):
        gains([*cases, rest])
    with pytest.warns(gazesal.InputWarning, match="`sigma`"):
        found = gains([*cases, rest], baseline="center_bias")
    assert np.isfinite(found["flat"])


def test_without_any_fixation_the_baseline_is_uniform():
    empty = gazesal.Case(image="a", shape=SHAPE, gaze={}, maps={})
    pooled = pool([(empty, np.empty((0, 2)))])
    assert choose_kernel([empty], pooled, lambda _: (0,)) == UNIFORM
    np.testing.assert_allclose(kernel_density(np.empty((0, 2)), SHAPE, *UNIFORM), 1 / 1200)


def test_a_baseline_without_use_is_refused():
    with pytest.raises(ValueError, match="`baseline`"):
        gazesal.evaluate(make_cases(n=2), sigma=1.2, metrics=["ncc"], baseline="center_bias")


def test_workers_and_the_report_have_the_same_baseline():
    cases = make_cases(n=4)
    options = {"sigma": 1.2, "metrics": ["information_gain"], "density": "sum"}
    one = gazesal.evaluate(cases, **options)
    two = gazesal.evaluate(cases, n_jobs=2, **options)
    assert one.scores.equals(two.scores)
    with pytest.warns(gazesal.IntervalWarning):
        words = describe(one, one.summary())
    assert "kernel density of the fixations" in words
