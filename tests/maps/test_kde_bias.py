"""The kernel density center bias against loops, scikit-learn and known properties."""

import warnings
from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.neighbors import KernelDensity

from gazesal import (
    GaussianCenterBias,
    GridEdgeWarning,
    KdeCenterBias,
    OffImageWarning,
    SkippedDataWarning,
    gaze_heatmap,
    read_fixations,
    sauc,
)
from tests.oracles import center_bias as oracle

SHAPES = {"a": (12, 16), "b": (20, 15), "c": (9, 9)}


def make_fixations(seed=0, shapes=SHAPES, n=6):
    """Uniform fixations on each image, and weights."""
    rng = np.random.default_rng(seed)
    fixations = {k: rng.uniform(0, [w - 1, h - 1], (n, 2)) for k, (h, w) in shapes.items()}
    return fixations, {image: rng.random(n) for image in shapes}


@pytest.mark.parametrize("weighted", [False, True])
def test_scores_equal_the_definition(weighted):
    fixations, weights = make_fixations()
    weights = weights if weighted else None
    grid, shares = [0.3, 0.05, 0.05 * 2**0.5], [0.2, 0.01]
    with pytest.warns(GridEdgeWarning):
        bias = KdeCenterBias.fit(
            fixations, SHAPES, bandwidths=grid, mixings=shares, weights=weights
        )
    assert bias.bandwidths == tuple(sorted(grid))
    assert bias.mixings == tuple(sorted(shares))
    for k, bandwidth in enumerate(bias.bandwidths):
        for m, mixing in enumerate(bias.mixings):
            expected = oracle.cross_validated_bits(fixations, SHAPES, bandwidth, mixing, weights)
            assert bias.scores[k, m] == pytest.approx(expected, rel=1e-11)
    best = np.unravel_index(np.argmax(bias.scores), bias.scores.shape)
    assert (bias.bandwidth, bias.mixing) == (bias.bandwidths[best[0]], bias.mixings[best[1]])


@pytest.mark.parametrize("shape", [(7, 9), (1, 4), (12, 5)])
@pytest.mark.parametrize("weighted", [False, True])
def test_density_equals_the_definition(shape, weighted):
    fixations, weights = make_fixations(1)
    weights = weights if weighted else None
    bias = KdeCenterBias(fixations, SHAPES, bandwidth=0.11, mixing=0.05, weights=weights)
    expected = oracle.kernel_density(fixations, SHAPES, shape, 0.11, 0.05, weights)
    coarse = pytest.warns(SkippedDataWarning, match="`bandwidth`.*7 of 18 fixations")
    with coarse if shape == (1, 4) else nullcontext():
        density = bias.on_image(shape)
    np.testing.assert_allclose(density, expected, rtol=1e-11)


def test_density_is_the_gaze_map_of_all_fixations():
    """Use images of one shape and more fixations than are drawn together."""
    shapes = dict.fromkeys(range(3), (30, 40))
    fixations, weights = make_fixations(2, shapes, 900)
    bias = KdeCenterBias(fixations, (30, 40), bandwidth=0.07, mixing=0, weights=weights)
    gaze_map = gaze_heatmap(
        np.concatenate(list(fixations.values())),
        (30, 40),
        sigma=0.07 * 40,
        weights=np.concatenate(list(weights.values())),
    )
    np.testing.assert_allclose(bias.on_image((30, 40)), gaze_map, rtol=1e-11)


def test_scikit_learn_agrees():
    """Its densities have no border, so the mass outside is divided out here."""
    fixations, _ = make_fixations(3, dict.fromkeys("abcd", (12, 16)), 30)
    places = {k: (np.asarray(p) + 0.5) / 16 for k, p in fixations.items()}  # in widths
    bandwidth, aspect = 0.09, 12 / 16
    bits = []
    for image, here in places.items():
        others = np.concatenate([p for k, p in places.items() if k != image])
        estimate = KernelDensity(bandwidth=bandwidth).fit(others)
        across = np.diff(stats.norm.cdf([[0], [1]], others[:, 0], bandwidth), axis=0)[0]
        down = np.diff(stats.norm.cdf([[0], [aspect]], others[:, 1], bandwidth), axis=0)[0]
        density = np.exp(estimate.score_samples(here)) / (across * down).mean()
        bits.append(np.log2(density * aspect))
    bias = KdeCenterBias.fit(fixations, (12, 16), bandwidths=[bandwidth], mixings=[0])
    assert bias.scores[0, 0] == pytest.approx(np.concatenate(bits).mean(), rel=1e-10)


def without_warning(fixations, shapes, **options):
    """Fit on a small grid, whose end may be best."""
    grid = {"bandwidths": [0.05, 0.1, 0.2], "mixings": [0.01, 0.1]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GridEdgeWarning)
        return KdeCenterBias.fit(fixations, shapes, **{**grid, **options})


@given(seed=st.integers(0, 1000), axis=st.sampled_from([0, 1]))
def test_mirrored_images_give_the_mirrored_bias(seed, axis):
    fixations, _ = make_fixations(seed)
    mirrored = {
        image: np.where(np.arange(2) == axis, np.array(SHAPES[image][::-1]) - 1 - points, points)
        for image, points in fixations.items()
    }
    bias, other = without_warning(fixations, SHAPES), without_warning(mirrored, SHAPES)
    np.testing.assert_allclose(other.scores, bias.scores, rtol=1e-9)
    expected = np.flip(bias.on_image((8, 10)), axis=1 - axis)
    if (bias.bandwidth, bias.mixing) == (other.bandwidth, other.mixing):  # but for ties
        np.testing.assert_allclose(other.on_image((8, 10)), expected, rtol=1e-9)


@given(seed=st.integers(0, 1000))
def test_transposed_images_give_the_transposed_bias(seed):
    """A bandwidth is a fraction of the width, which becomes the height."""
    fixations, _ = make_fixations(seed)
    bias = KdeCenterBias(fixations, SHAPES, bandwidth=0.1, mixing=0.02)
    turned = KdeCenterBias(
        {image: points[:, ::-1] for image, points in fixations.items()},
        {image: shape[::-1] for image, shape in SHAPES.items()},
        bandwidth=0.1 / bias.aspect,
        mixing=0.02,
    )
    np.testing.assert_allclose(turned.on_image((10, 8)), bias.on_image((8, 10)).T, rtol=1e-9)


@given(seed=st.integers(0, 1000), factor=st.sampled_from([2, 3, 10]))
def test_larger_images_give_the_same_scores(seed, factor):
    fixations, _ = make_fixations(seed)
    larger = {image: (points + 0.5) * factor - 0.5 for image, points in fixations.items()}
    shapes = {image: (h * factor, w * factor) for image, (h, w) in SHAPES.items()}
    bias, other = without_warning(fixations, SHAPES), without_warning(larger, shapes)
    np.testing.assert_allclose(other.scores, bias.scores, rtol=1e-9)


def test_the_order_of_images_and_grids_does_not_matter():
    fixations, weights = make_fixations(4)
    bias = without_warning(fixations, SHAPES, weights=weights)
    other = without_warning(
        dict(reversed(fixations.items())),
        SHAPES,
        weights=weights,
        bandwidths=[0.2, 0.05, 0.1, 0.05],
        mixings=[0.1, 0.01],
    )
    np.testing.assert_allclose(other.scores, bias.scores, rtol=1e-12)


def test_groups_of_a_table_are_fixations_by_image():
    table = pd.DataFrame(
        {"image": ["a", "b", "a"], "x": [1, 2, 3], "y": [1.0, 0, 2], "duration": [5, 6, 7]}
    )
    bias = KdeCenterBias(
        {image: rows[["x", "y"]] for image, rows in table.groupby("image")},
        (4, 6),
        bandwidth=0.1,
        mixing=0,
        weights={image: rows["duration"] for image, rows in table.groupby("image")},
    )
    expected = gaze_heatmap(table[["x", "y"]], (4, 6), sigma=0.6, weights=table["duration"])
    np.testing.assert_allclose(bias.on_image((4, 6)), expected, rtol=1e-12)


def test_scaled_weights_do_not_change_the_fit_and_default_to_ones():
    fixations, _ = make_fixations(5)
    plain = without_warning(fixations, SHAPES)
    ones = without_warning(fixations, SHAPES, weights={k: [7.0] * 6 for k in fixations})
    np.testing.assert_array_equal(ones.scores, plain.scores)
    np.testing.assert_array_equal(ones.on_image((5, 6)), plain.on_image((5, 6)))


def test_without_equals_a_bias_of_the_other_images():
    fixations, weights = make_fixations(6, dict.fromkeys("abcd", (12, 16)))
    bias = without_warning(fixations, (12, 16), weights=weights)
    rest = {image: points for image, points in fixations.items() if image != "b"}
    made = KdeCenterBias(
        rest, (12, 16), bandwidth=bias.bandwidth, mixing=bias.mixing, weights=weights
    )
    left = bias.without("b")
    np.testing.assert_allclose(left.on_image((12, 16)), made.on_image((12, 16)), rtol=1e-12)
    assert (left.n_images, left.n_fixations) == (3, 18)
    assert (bias.n_images, bias.n_fixations) == (4, 24)
    np.testing.assert_array_equal(left.scores, bias.scores)
    assert left.without("a").without("c").n_images == 1


def test_without_an_unknown_image_or_the_last_is_an_error():
    fixations, _ = make_fixations()
    bias = KdeCenterBias({"a": fixations["a"]}, SHAPES, bandwidth=0.1, mixing=0)
    with pytest.raises(ValueError, match="must be one of the 1 images"):
        bias.without("b")
    with pytest.raises(ValueError, match="must leave fixations"):
        bias.without("a")


def test_inputs_and_results_are_not_modified():
    fixations, weights = make_fixations(7)
    before = {image: points.copy() for image, points in fixations.items()}
    bias = without_warning(fixations, SHAPES, weights=weights)
    for image, points in fixations.items():
        np.testing.assert_array_equal(points, before[image])
    with pytest.raises(ValueError, match="read-only"):
        bias.scores[0, 0] = 0


def test_known_bandwidth_is_found_for_a_known_density():
    """For a normal density of sd s, the best of Silverman's rule is s * n ** (-1 / 6)."""
    rng = np.random.default_rng(0)
    fixations = {k: rng.normal([499.5, 499.5], 100, (20, 2)) for k in range(60)}
    bias = KdeCenterBias.fit(fixations, (1000, 1000))
    assert 0.5 < bias.bandwidth / (0.1 * 1200 ** (-1 / 6)) < 2


def test_uniform_fixations_choose_the_uniform_density():
    rng = np.random.default_rng(0)
    fixations = {k: rng.uniform(0, 99, (20, 2)) for k in range(20)}
    bias = KdeCenterBias.fit(fixations, (100, 100), bandwidths=[0.02], mixings=[0, 0.5, 1])
    assert bias.mixing == 1
    assert bias.scores[0, 2] == 0
    np.testing.assert_array_equal(bias.on_image((3, 4)), np.full((3, 4), 1 / 12))


def test_the_end_of_the_grid_warns():
    fixations, _ = make_fixations(8, dict.fromkeys(range(9), (30, 40)))
    with pytest.warns(GridEdgeWarning, match=r"bandwidth 0.02 .* `bandwidths`"):
        KdeCenterBias.fit(fixations, (30, 40), bandwidths=[0.01, 0.02])
    with pytest.warns(GridEdgeWarning, match="`bandwidths`"):
        KdeCenterBias.fit(fixations, (30, 40), bandwidths=[5, 50], mixings=[0.1])


def test_distant_fixations_need_mixing():
    fixations = {"a": [[0.0, 0.0]], "b": [[999.0, 999.0]]}
    with pytest.raises(ValueError, match="`mixings`"):
        KdeCenterBias.fit(fixations, (1000, 1000), bandwidths=[0.01, 0.02], mixings=[0])
    bias = KdeCenterBias.fit(fixations, (1000, 1000), bandwidths=[0.02], mixings=[0, 0.25])
    assert bias.mixing == 0.25
    assert bias.scores[0].tolist() == [-np.inf, -2.0]


def test_dropped_fixations_are_reported():
    fixations = {"a": [[1, 1], [99, 1]], "b": [[2, 2]]}
    with pytest.warns(OffImageWarning, match="1 of 3"):
        bias = KdeCenterBias(fixations, (4, 6), bandwidth=0.1, mixing=0, outside="drop")
    assert bias.n_fixations == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bandwidths": []}, "`bandwidths` must be a non-empty"),
        ({"bandwidths": [0.1, 0]}, r"`bandwidths` must lie in \[1e-06, 1000\]"),
        ({"bandwidths": [0.1, np.nan]}, "`bandwidths` must be finite"),
        ({"bandwidths": [[0.1]]}, "`bandwidths` must be a non-empty"),
        ({"mixings": [0.1, 1.1]}, r"`mixings` must lie in \[0, 1\]"),
        ({"mixings": [-0.1]}, r"`mixings` must lie in \[0, 1\]"),
    ],
)
def test_invalid_grids_raise(options, message):
    with pytest.raises(ValueError, match=message):
        KdeCenterBias.fit(make_fixations()[0], SHAPES, **options)


@pytest.mark.parametrize(
    ("fixations", "weights"),
    [({"a": [[1, 1]]}, None), ({"a": [[1, 1]], "b": [[2, 2]]}, {"a": [1], "b": [0]})],
)
def test_one_image_cannot_be_left_out(fixations, weights):
    with pytest.raises(ValueError, match="at least two images"):
        KdeCenterBias.fit(fixations, (4, 6), weights=weights)


def test_kernels_that_miss_every_pixel_are_an_error():
    bias = KdeCenterBias({"a": [[1.3, 1.3]]}, (4, 6), bandwidth=1e-6, mixing=0.5)
    with pytest.raises(ValueError, match="`shape`"):
        bias.on_image((4, 6))


@pytest.fixture(scope="module")
def osie(shared):
    """Fixations on the first 100 natural images of OSIE, 800 x 600."""
    table = read_fixations(
        shared / "data" / "osie" / "fixations.csv.gz",
        origin="one_based",
        columns={"duration": "duration_ms"},
    )
    groups = table.groupby("image", sort=True)[["x", "y"]]
    return {image: points.to_numpy() for image, points in list(groups)[:100]}


def bits(density, points):
    """Return the mean bits per fixation above the uniform density, at the resolution of pixels."""
    columns, rows = np.floor(points + 0.5).astype(int).T
    return np.log2(density[rows, columns] * density.size)


def test_on_real_gaze_kernels_beat_a_gaussian_and_the_uniform_density(osie):
    shape = (600, 800)
    bias = KdeCenterBias.fit(osie, shape)
    assert 0.02 < bias.bandwidth < 0.1  # 16 to 80 pixels
    by_gaussian = []
    for image, points in osie.items():
        others = {k: p for k, p in osie.items() if k != image}
        by_gaussian.append(bits(GaussianCenterBias.fit(others, shape).on_image(shape), points))
    assert bias.scores.max() - 0.01 > np.concatenate(by_gaussian).mean() > 0.5


def test_the_score_equals_densities_without_the_image(osie):
    """Densities are evaluated on pixels and scores are not, so they differ slightly."""
    few = dict(list(osie.items())[:6])
    bias = KdeCenterBias.fit(few, (600, 800), bandwidths=[0.05], mixings=[0.02])
    drawn = [bits(bias.without(image).on_image((600, 800)), p) for image, p in few.items()]
    assert np.concatenate(drawn).mean() == pytest.approx(bias.scores[0, 0], abs=1e-4)


def test_scored_against_itself_it_is_at_chance(osie):
    bias = KdeCenterBias(osie, (600, 800), bandwidth=0.04, mixing=0.01).on_image((60, 80))
    assert sauc(bias, bias, bias) == pytest.approx(0.5, abs=1e-12)
