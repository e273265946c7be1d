"""Peak memory beyond the inputs, as the docstring of `score` and the benchmarks state it."""

import tracemalloc

import numba
import numpy as np
import pytest

import gazesal

pytestmark = pytest.mark.skipif(
    numba.config.DISABLE_JIT, reason="a million pixels take the interpreter minutes"
)
SHAPE = (1000, 1000)
PIXELS = SHAPE[0] * SHAPE[1]
TABLES = 1.2  # MB a thread for the counts of cells and buckets, whatever the map's size


@pytest.fixture(scope="module")
def maps():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=SHAPE).astype(np.float32)
    gaze, bias = rng.random((2, *SHAPE), np.float32)
    found = {
        "noise": noise,
        "noise64": noise.astype(np.float64),
        "offset": 1e6 + 10 * noise,
        "outlier": np.where(np.arange(PIXELS).reshape(SHAPE) == 7, -1e9, 1 + 1e-3 * gaze),
        "gaze": gaze,
        "bias": bias,
    }
    found["outlier"] = found["outlier"].astype(np.float32)
    wide = np.where(noise < 0, 1e-300, 1e300)
    # in each, values agree in all but the last bits of 64
    found["two clusters"] = wide * (1 + 1e-9 * rng.random(SHAPE))
    # buckets just not large enough to be divided, of one value and of several
    levels = (np.arange(PIXELS) % 17).astype(np.float32)
    found["levels"] = rng.permutation(levels).reshape(SHAPE)
    found["level clusters"] = found["levels"] + np.float32(2e-6) * rng.integers(0, 2, SHAPE)
    found["level clusters"] = found["level clusters"].astype(np.float32)
    found["level clusters"][0, :2] = -1e30, 1e30
    clusters = rng.permutation(levels + (levels < 7) * 1e-6 * (np.arange(PIXELS) // 17 % 2))
    found["ties and clusters"] = clusters.astype(np.float32).reshape(SHAPE)
    found["five levels"] = np.minimum(np.floor(gaze / 0.2495), 4).astype(np.float32)
    for share in (50, 80, 95):
        found[f"{share} % zeros"] = np.maximum(noise - np.percentile(noise, share), 0)
    in_double = {name for name, array in found.items() if array.dtype == np.float64}
    assert in_double == {"noise64", "two clusters"}
    return found


def peak_bytes_a_pixel(function):
    """Largest sum of what is allocated meanwhile; a first call compiles and fills caches."""
    function()
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1] / PIXELS
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("noise", 5.5),
        ("noise64", 7.5),
        ("50 % zeros", 4.3),
        ("80 % zeros", 3.5),
        ("95 % zeros", 2.0),
        ("offset", 4.5),
        ("outlier", 6.3),
        ("two clusters", 9.5),
        ("levels", 5.5),
        ("level clusters", 5.5),
        ("five levels", 1.5),
    ],
)
def test_score_of_each_thread(maps, name, most, n_threads):
    tested = [maps[name]] * n_threads
    got = peak_bytes_a_pixel(
        lambda: gazesal.score(
            tested, [maps["gaze"]], maps["bias"], ["auc_borji", "sauc"], n_threads=n_threads
        )
    )
    assert 0.5 * n_threads < got <= n_threads * (most + TABLES)


NAMES = [
    "noise",
    "80 % zeros",
    "50 % zeros",
    "offset",
    "outlier",
    "levels",
    "level clusters",
    "ties and clusters",
    "five levels",
    "noise64",
    "two clusters",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("weights", [np.float32, np.float64])
def test_one_exact_area_takes_less_than_two_maps(maps, name, weights):
    """Of the saliency map's type, beside the tables, which are of one size whatever the map's."""
    array = maps[name]
    gaze, bias = maps["gaze"].astype(weights), maps["bias"].astype(weights)
    got = peak_bytes_a_pixel(lambda: gazesal.sauc(array, gaze, bias))
    assert 0.5 < got <= 2 * array.itemsize + TABLES


def test_area_of_points_against_a_map(maps):
    """The points become a map of counts in single precision."""
    points = np.random.default_rng(1).uniform(0, 999, (100, 2))
    got = peak_bytes_a_pixel(lambda: gazesal.auc(maps["noise"], points, negatives=maps["bias"]))
    assert 4 < got <= 4 + 8 + TABLES


def test_other_types_are_copied_to_floats(maps):
    whole = (maps["gaze"] * 255).astype(np.uint8)
    got = peak_bytes_a_pixel(lambda: gazesal.auc_borji(whole, maps["gaze"]))
    assert 4 < got <= 4 + 8 + TABLES


def test_tiny_weights_are_copied_in_double_precision(maps):
    saliency = maps["noise64"]
    gaze, bias = (1e-300 * maps[name].astype(np.float64) for name in ("gaze", "bias"))
    got = peak_bytes_a_pixel(lambda: gazesal.sauc(saliency, gaze, bias))
    assert 16 < got <= 2 * 8 + 16 + TABLES
