"""Maps of very many fixations, against one matrix product, and fixations lost between pixels."""

import threading
import tracemalloc

import numba
import numpy as np
import pytest

from gazesal import KdeCenterBias, SkippedDataWarning, gaze_heatmap
from gazesal.maps import bumps
from gazesal.maps.bumps import density_of_bumps

SHAPE = (75, 110)
N = 700


def scene(kind):
    """Return the arguments of `density_of_bumps` for more Gaussians than a group has."""
    rng = np.random.default_rng(3)
    height, width = SHAPE
    points = rng.uniform(0, 1, (N, 2)) * (width - 1, height - 1)
    weights = rng.random(N) ** 8
    sigmas = np.full((N, 2), 2.0)
    shown = np.tile([0, 0, width, height], (N, 1))
    if kind == "corner":  # nothing but tails over most of the image
        points = np.clip(rng.normal(5, 1.5, (N, 2)), 0, 70)
        sigmas[:] = 3.0
    elif kind == "one point":
        points[:] = 20.25, 30.5
    elif kind == "sigmas":
        sigmas = rng.uniform(0.7, 9.0, (N, 2))
    elif kind == "wide":
        sigmas[:] = 500.0
    elif kind == "narrow":
        points, sigmas[:] = np.round(points), 0.3
    elif kind == "visible":
        corners = np.sort(rng.uniform(0, 1, (N, 2, 2)), axis=1) * (width, height)
        shown = np.concatenate([np.floor(corners[:, 0]), np.ceil(corners[:, 1])], axis=1)
    elif kind == "outside":
        points = 3 * points - (width, height)
    peaks = np.log(weights) - np.log(sigmas).sum(axis=1)
    return points, sigmas, peaks - peaks.max(), shown.astype(np.int64)


KINDS = ["plain", "corner", "one point", "sigmas", "wide", "narrow", "visible", "outside"]
SMALL = {"group": 64, "tile": 8}


@pytest.mark.parametrize("kind", KINDS)
def test_groups_give_the_map_of_one_matrix_product(kind):
    """The maps agree up to rounding in every pixel, also where they are nearly 0."""
    gaussians = scene(kind)
    expected = density_of_bumps(*gaussians, SHAPE)
    got = density_of_bumps(*gaussians, SHAPE, **SMALL)
    sure = expected > 1e-290
    np.testing.assert_allclose(got[sure], expected[sure], rtol=2e-13)
    np.testing.assert_allclose(got[~sure], expected[~sure], rtol=0, atol=1e-289)
    assert got.sum() == pytest.approx(1.0, rel=1e-13)


def test_few_fixations_are_one_matrix_product():
    """The maps of most studies therefore do not depend on the size of a group."""
    gaussians = scene("plain")
    assert N < bumps.GROUP == 1024
    expected = density_of_bumps(*gaussians, SHAPE, group=N)
    assert np.array_equal(density_of_bumps(*gaussians, SHAPE), expected)
    assert not np.array_equal(density_of_bumps(*gaussians, SHAPE, group=N - 1), expected)


def test_groups_are_the_same_to_the_bit_in_threads():
    gaussians = scene("sigmas")
    expected = density_of_bumps(*gaussians, SHAPE, **SMALL)

    def draw():
        found.append(density_of_bumps(*gaussians, SHAPE, **SMALL))

    found = []
    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(np.array_equal(each, expected) for each in found)


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="takes the interpreter minutes")
@pytest.mark.parametrize("kind", ["gaze map", "kernel density"])
def test_memory_does_not_grow_with_fixations_times_pixels(kind):
    rng = np.random.default_rng(0)
    points, shape = rng.uniform(0, 399, (20_000, 2)), (400, 400)
    if kind == "gaze map":
        tracemalloc.start()
        gaze_heatmap(points, shape, sigma=4)
    else:
        bias = KdeCenterBias({"a": points}, shape, bandwidth=0.01, mixing=0.0)
        tracemalloc.start()
        bias.on_image(shape)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6  # bytes; all factors at once would take 128 MB


def test_fixations_lost_between_pixels_warn():
    points = [[3.0, 4.0], [5.5, 6.5], [8.5, 2.5]]
    with pytest.warns(SkippedDataWarning, match="`sigma`.* 2 of 3 fixations") as caught:
        gaze_map = gaze_heatmap(points, (10, 12), sigma=0.1)
    assert caught[0].filename == __file__
    assert gaze_map[4, 3] == pytest.approx(1.0, abs=1e-9)
    with pytest.warns(SkippedDataWarning, match="`bandwidth`.* 2 of 3 fixations") as caught:
        KdeCenterBias({"a": points}, (10, 12), bandwidth=0.1 / 12, mixing=0.1).on_image((10, 12))
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("points", "options"),
    [
        ([[3.0, 4.0], [5.5, 6.5]], {"sigma": 0.5}),
        ([[3.0, 4.0], [5.5, 6.5]], {"sigma": 0.3}),
        ([[3.0, 4.0], [5.0, 6.0]], {"sigma": 1e-9}),
        ([[3.5, 4.5]], {"sigma": 0.02}),  # the only one; its mass goes to four pixels
        ([[3.0, 4.0], [5.5, 6.5]], {"sigma": 0.1, "weights": [1, 0]}),
        ([[3.0, 4.0], [-40.5, 6.5]], {"sigma": 0.1, "outside": "keep"}),
        ([[3.0, 4.0], [5.5, 6.5]], {"sigma": 0.1, "visible": [0, 0, 5, 5]}),
        ([[3.0, 4.0], [5.5, 6.0]], {"sigma": [2.0, 0.1]}),
    ],
)
def test_fixations_that_are_all_drawn_need_no_warning(points, options):
    assert gaze_heatmap(points, (10, 12), **options).sum() == pytest.approx(1.0, rel=1e-12)
