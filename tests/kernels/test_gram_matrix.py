"""Products of many maps equal products of two maps, over every block and part."""

import math

import numba
import numpy as np
import pytest

from gazesal.kernels import gram_matrix, moments
from tests.oracles import correlation as oracle

SIZES = [1, 2, 511, 513, 1030]
LARGE = [gram_matrix.BLOCK, gram_matrix.BLOCK + 1, gram_matrix.PART + 3 * gram_matrix.BLOCK + 5]
PAIRS = np.array([[0, 0], [1, 1], [2, 2], [0, 1], [2, 0], [1, 2]])


def products(maps, pairs=PAIRS, *, part=gram_matrix.PART, block=gram_matrix.BLOCK):
    starts = range(0, maps[0].size, part)
    parts = [gram_matrix.part_products(maps, pairs, start, part, block) for start in starts]
    return gram_matrix.merged(parts, pairs)


def maps_of(size):
    rng = np.random.default_rng(size)
    drift = np.linspace(0, 50, size)
    return [rng.integers(-9, 9, size) + drift, rng.random(size, np.float32), 1e6 - drift]


@pytest.mark.parametrize("size", SIZES + ([] if numba.config.DISABLE_JIT else LARGE))
def test_products_equal_products_of_two_maps(size):
    maps = maps_of(size)
    got = products(maps)
    for (i, j), product in zip(PAIRS, got, strict=True):
        s_ii, s_jj, s_ij = moments.centered_moments(maps[i], maps[j])
        assert product == pytest.approx(s_ij, rel=1e-11, abs=1e-13 * math.sqrt(s_ii * s_jj))


@pytest.mark.parametrize("size", SIZES[1:])
def test_correlations_follow_their_definition(size):
    maps = maps_of(size)
    got = products(maps)
    for k, (i, j) in enumerate(PAIRS[3:].tolist(), start=3):
        expected = oracle.ncc([maps[i]], [maps[j]])
        assert got[k] / math.sqrt(got[i] * got[j]) == pytest.approx(expected, rel=0, abs=1e-12)


def test_parts_of_different_means_are_merged():
    x = np.repeat([0.0, 10.0, -3.0], 500)
    y = np.repeat([5.0, 1.0, 2.0], 500)
    expected = [math.fsum((a - a.mean()) * (b - b.mean())) for a, b in ((x, x), (y, y), (x, y))]
    got = products([x, y], np.array([[0, 0], [1, 1], [0, 1]]), part=600, block=512)
    assert got == pytest.approx(expected, rel=1e-13)
