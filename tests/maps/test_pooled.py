"""Fixations of many images as one table, with their weights, after dropping some."""

import numpy as np
import pytest

from gazesal import GaussianCenterBias, KdeCenterBias, OffImageWarning

SHAPES = {"a": (20, 30), "b": (25, 40)}
RNG = np.random.default_rng(0)
FIXATIONS = {image: RNG.uniform(-9, 39, (40, 2)) for image in SHAPES}
WEIGHTS = {image: RNG.random(40) + 0.01 for image in SHAPES}


def kept():
    """The fixations inside their image, and their own weights."""
    fixations, weights = {}, {}
    for image, (height, width) in SHAPES.items():
        x, y = FIXATIONS[image].T
        inside = (x >= -0.5) & (x < width - 0.5) & (y >= -0.5) & (y < height - 0.5)
        fixations[image], weights[image] = FIXATIONS[image][inside], WEIGHTS[image][inside]
        assert 5 < inside.sum() < 35
    return fixations, weights


def test_dropping_fixations_drops_their_weights_from_a_gaussian():
    fixations, weights = kept()
    with pytest.warns(OffImageWarning, match="lie outside their image"):
        dropped = GaussianCenterBias.fit(FIXATIONS, SHAPES, weights=WEIGHTS, outside="drop")
    assert dropped == GaussianCenterBias.fit(fixations, SHAPES, weights=weights)


def test_dropping_fixations_drops_their_weights_from_a_kernel_density():
    fixations, weights = kept()
    options = {"bandwidth": 0.1, "mixing": 0.01}
    with pytest.warns(OffImageWarning, match="lie outside their image"):
        dropped = KdeCenterBias(FIXATIONS, SHAPES, weights=WEIGHTS, outside="drop", **options)
    expected = KdeCenterBias(fixations, SHAPES, weights=weights, **options)
    np.testing.assert_array_equal(dropped.on_image((20, 30)), expected.on_image((20, 30)))
