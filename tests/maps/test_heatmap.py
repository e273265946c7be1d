"""The gaze map against nested loops, and the meaning of each option."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazesal import GaussianCenterBias, KdeCenterBias, auc_shuffled, gaze_heatmap, nss
from tests.oracles import heatmap as oracle

TAKE_FIXATIONS = {
    "heatmap": lambda points, shape: gaze_heatmap(points, shape, sigma=1),
    "metric": lambda points, shape: nss(np.eye(*shape), points),
    "other fixations": lambda points, shape: auc_shuffled(np.eye(*shape), [[0, 0]], points),
    "kde": lambda points, shape: KdeCenterBias.fit({"a": points, "b": points}, shape),
    "gaussian": lambda points, shape: GaussianCenterBias.fit({"a": points}, shape),
}


TAKE_POINTS = pytest.mark.parametrize(
    "function", [gaze_heatmap, lambda p, shape, **_: nss(np.eye(*shape), p)]
)


@TAKE_POINTS
def test_transposed_points_get_a_hint(function):
    with pytest.raises(
        ValueError, match=r"`fixations`.*got shape \(2, 3\)\. If its .* transpose it"
    ):
        function([[1, 2, 3], [4, 5, 6]], (9, 9), sigma=1)


@TAKE_POINTS
@pytest.mark.parametrize("n", [2, 3, 7])
def test_rows_and_columns_of_a_map_are_refused(function, n):
    """The arrays of two pixels have the shape of two points."""
    fixation_map = np.zeros((9, 9))
    fixation_map[np.arange(n), np.arange(n) // 2] = 1
    for places in (np.where(fixation_map), np.nonzero(fixation_map)):
        with pytest.raises(
            ValueError, match=r"`fixations`.*rows and columns.*argwhere.*\[:, ::-1\]"
        ):
            function(places, (9, 9), sigma=1)
    if n > 2:
        with pytest.raises(ValueError, match=r"`fixations`.*argwhere.*\[:, ::-1\]"):
            function(np.array(places), (9, 9), sigma=1)
    function(np.argwhere(fixation_map)[:, ::-1], (9, 9), sigma=1)


def test_a_sigma_in_degrees_is_refused():
    with pytest.raises(TypeError, match=r"`sigma` .*'1deg'.*degrees"):
        gaze_heatmap([[1, 2]], (9, 9), sigma="1deg")


@pytest.mark.parametrize(
    ("points", "advised"),
    [
        ([[12, 3], [15, 5]], True),
        ([[12, 3], [1, 5]], True),  # the second fits either way
        ([[12, 3], [5, 10]], False),  # each way one fits
        ([[12, 3], [30, 5]], False),
    ],
)
@pytest.mark.parametrize("take", TAKE_FIXATIONS.values(), ids=TAKE_FIXATIONS)
def test_exchanged_coordinates_get_a_hint(take, points, advised):
    with pytest.raises(ValueError, match="lie in the image") as caught:
        take(np.array(points), (20, 8))
    hint = " All would lie inside with x and y, or height and width, exchanged."
    assert (hint in str(caught.value)) is advised


COORDINATE = st.floats(-3, 9, allow_subnormal=False)


@st.composite
def scenes(draw):
    """Return fixations with their own sigma by axis, weight and rectangle."""
    n = draw(st.integers(1, 5))
    shape = draw(st.tuples(st.integers(1, 6), st.integers(1, 7)))
    points = draw(st.lists(st.tuples(COORDINATE, COORDINATE), min_size=n, max_size=n))
    # wide enough for every Gaussian to reach the image: underflow has its own tests
    sigma = st.floats(1.0, 40.0)
    sigmas = draw(st.lists(st.tuples(sigma, sigma), min_size=n, max_size=n))
    weights = draw(st.lists(st.floats(2.0**-10, 100), min_size=n, max_size=n))
    rectangles = []
    for _ in range(n):
        low = [draw(st.floats(-3, 0.5)), draw(st.floats(-3, 0.5))]
        high = [draw(st.floats(0.75, 9)), draw(st.floats(0.75, 9))]
        rectangles.append([*low, *high])
    return points, shape, sigmas, weights, rectangles


@given(scene=scenes())
def test_agrees_with_the_sum_over_fixations_at_each_pixel(scene):
    points, shape, sigmas, weights, rectangles = scene
    got = gaze_heatmap(
        points, shape, sigma=sigmas, weights=weights, visible=rectangles, outside="keep"
    )
    expected = np.array(oracle.gaze_heatmap(*scene))
    assert got.shape == shape
    assert got.dtype == np.float64
    assert np.abs(got - expected).max() <= 1e-13 * expected.max()


@pytest.mark.parametrize("shape", [(3, 1100), (1100, 3), (513, 2), (2, 512)])
def test_maps_wider_than_a_tile_equal_the_oracle(shape):
    rng = np.random.default_rng(0)
    points = rng.random((7, 2)) * (shape[1], shape[0]) - 0.5
    sigmas = 5 + 100 * rng.random((7, 2))
    weights = rng.random(7)
    corners = np.sort(rng.random((7, 2, 2)) * (shape[1], shape[0]), axis=1)
    rectangles = np.concatenate([corners[:, 0] - 1, corners[:, 1] + 1], axis=1)
    got = gaze_heatmap(points, shape, sigma=sigmas, weights=weights, visible=rectangles)
    clipped = np.clip(np.round(rectangles), 0, [shape[1], shape[0], shape[1], shape[0]])
    expected = np.array(
        oracle.gaze_heatmap(points.tolist(), shape, sigmas.tolist(), weights, clipped.tolist())
    )
    assert np.abs(got - expected).max() <= 1e-13 * expected.max()


@given(scene=scenes())
def test_the_map_sums_to_one_for_any_unit_of_weights(scene):
    points, shape, sigmas, weights, _ = scene
    first = gaze_heatmap(points, shape, sigma=sigmas, weights=weights, outside="keep")
    assert first.min() >= 0
    assert first.sum() == pytest.approx(1.0, rel=1e-13)
    milliseconds = [1000 * weight for weight in weights]
    again = gaze_heatmap(points, shape, sigma=sigmas, weights=milliseconds, outside="keep")
    assert np.allclose(first, again, rtol=1e-12, atol=0)


def test_rows_are_y_and_columns_are_x():
    gaze = gaze_heatmap([(5, 2)], (4, 9), sigma=1.0)
    assert gaze.shape == (4, 9)
    assert np.unravel_index(gaze.argmax(), gaze.shape) == (2, 5)


def test_pixel_centers_are_at_integers():
    """Symmetric about the center of a pixel, not about its corner."""
    gaze = gaze_heatmap([(2.0, 0.0)], (1, 5), sigma=1.0)
    assert np.array_equal(gaze, gaze[:, ::-1])
    between = gaze_heatmap([(1.5, 0.0)], (1, 4), sigma=1.0)
    assert np.array_equal(between, between[:, ::-1])


def test_sigma_is_the_standard_deviation_in_pixels():
    gaze = gaze_heatmap([(50, 60)], (121, 101), sigma=(4.0, 7.0))
    rows, columns = np.indices(gaze.shape)
    assert np.sqrt((gaze * (columns - 50) ** 2).sum()) == pytest.approx(4.0, rel=1e-9)
    assert np.sqrt((gaze * (rows - 60) ** 2).sum()) == pytest.approx(7.0, rel=1e-9)


class TestSigma:
    """Sigma for all fixations, by axis, by fixation, or both."""

    points = ((1.0, 2.0), (4.0, 1.0), (2.0, 3.0))

    def draw(self, sigma, points=points):
        return gaze_heatmap(points, (5, 6), sigma=sigma)

    def test_forms_agree(self):
        full = self.draw([[1.5, 1.5]] * 3)
        assert np.array_equal(self.draw(1.5), full)
        assert np.array_equal(self.draw((1.5, 1.5)), full)
        assert np.array_equal(self.draw([[1.5]] * 3), full)
        assert np.array_equal(self.draw((1.5, 3.0)), self.draw([[1.5, 3.0]] * 3))
        assert not np.array_equal(self.draw((1.5, 3.0)), self.draw((3.0, 1.5)))

    def test_two_numbers_are_axes_even_for_two_fixations(self):
        pair = self.points[:2]
        assert np.array_equal(self.draw((1.0, 2.0), pair), self.draw([[1.0, 2.0]] * 2, pair))
        assert not np.array_equal(self.draw((1.0, 2.0), pair), self.draw([[1.0], [2.0]], pair))

    def test_a_wider_gaussian_is_lower(self):
        """The peak of a density decreases with the product of the deviations."""
        gaze = gaze_heatmap([(20, 20), (60, 20)], (41, 81), sigma=[[2.0], [4.0]])
        assert gaze[20, 20] / gaze[20, 60] == pytest.approx(4.0, rel=1e-12)

    @pytest.mark.parametrize(
        "sigma", [[1.0] * 3, [[1.0, 2.0, 3.0]], [[[1.0]]], [[1.0, 2.0]], [1.0], []]
    )
    def test_other_shapes_are_refused(self, sigma):
        with pytest.raises(ValueError, match=r"`sigma`.*shape"):
            self.draw(sigma)

    @pytest.mark.parametrize("sigma", [0, -1.0, (1.0, 0.0), [[1.0], [-2.0], [1.0]]])
    def test_sigma_must_be_positive(self, sigma):
        with pytest.raises(ValueError, match="`sigma` must be positive"):
            self.draw(sigma)

    @pytest.mark.parametrize("sigma", [np.nan, np.inf, (1.0, np.nan)])
    def test_infinite_or_nan_raises(self, sigma):
        with pytest.raises(ValueError, match="`sigma` must be finite"):
            self.draw(sigma)

    @pytest.mark.parametrize("sigma", ["wide", None, 1j])
    def test_other_than_a_number_raises(self, sigma):
        with pytest.raises(TypeError, match="`sigma`"):
            self.draw(sigma)

    @pytest.mark.parametrize("sigma", [1e-3, 1e-100, 1e-200, 1e-310, np.nextafter(0, 1)])
    def test_a_tiny_sigma_reaches_one_pixel(self, sigma):
        gaze = gaze_heatmap([(3, 1)], (4, 5), sigma=sigma)
        assert gaze[1, 3] == gaze.sum() == pytest.approx(1.0, rel=1e-15)

    @pytest.mark.parametrize("sigma", [1e-3, 1e-200, 1e-310])
    def test_a_sigma_that_misses_every_pixel_is_an_error(self, sigma):
        with pytest.raises(ValueError, match="`fixations`"):
            gaze_heatmap([(3.5, 1)], (4, 5), sigma=sigma)

    @pytest.mark.parametrize("sigma", [1e9, 1e200, 1e308])
    def test_a_huge_sigma_gives_a_flat_map(self, sigma):
        gaze = gaze_heatmap([(3, 1)], (4, 5), sigma=sigma)
        assert np.allclose(gaze, 1 / 20, rtol=1e-12)


class TestWeights:
    """Weights, usually durations."""

    points = ((1.0, 2.0), (4.0, 1.0))

    def test_default_weights_are_equal(self):
        plain = gaze_heatmap(self.points, (5, 6), sigma=1)
        assert np.array_equal(plain, gaze_heatmap(self.points, (5, 6), sigma=1, weights=[1, 1]))

    def test_a_weight_of_zero_removes_the_fixation(self):
        gaze = gaze_heatmap(self.points, (5, 6), sigma=1, weights=[3, 0])
        assert np.array_equal(gaze, gaze_heatmap(self.points[:1], (5, 6), sigma=1))

    def test_a_double_weight_equals_two_fixations(self):
        twice = gaze_heatmap([*self.points, self.points[0]], (5, 6), sigma=1)
        gaze = gaze_heatmap(self.points, (5, 6), sigma=1, weights=[2, 1])
        assert np.allclose(gaze, twice, rtol=1e-13, atol=0)

    @pytest.mark.parametrize("scale", [1e-300, 1e300, 5e-324])
    def test_weights_of_any_unit_give_the_same_map(self, scale):
        gaze = gaze_heatmap(self.points, (5, 6), sigma=1, weights=[scale, scale])
        assert np.allclose(gaze, gaze_heatmap(self.points, (5, 6), sigma=1), rtol=1e-12, atol=0)

    @pytest.mark.parametrize("weights", [[1], [1, 2, 3], 1.0, [[1, 2]], []])
    def test_other_lengths_are_refused(self, weights):
        with pytest.raises(ValueError, match=r"`weights`.*shape"):
            gaze_heatmap(self.points, (5, 6), sigma=1, weights=weights)

    @pytest.mark.parametrize(
        ("weights", "message"),
        [
            ([1, -1], "non-negative"),
            ([1, np.nan], "finite"),
            ([np.inf, 1], "finite"),
            ([0, 0], "positive sum"),
        ],
    )
    def test_invalid_weights_raise(self, weights, message):
        with pytest.raises(ValueError, match=f"`weights`.*{message}"):
            gaze_heatmap(self.points, (5, 6), sigma=1, weights=weights)

    def test_other_than_numbers_raises(self):
        with pytest.raises(TypeError, match="`weights`"):
            gaze_heatmap(self.points, (5, 6), sigma=1, weights=["long", "short"])


class TestVisible:
    """The rectangle of the image that was on the screen."""

    def draw(self, visible, points=((2.0, 2.0),), **options):
        return gaze_heatmap(points, (6, 8), sigma=2.0, visible=visible, **options)

    def test_the_map_is_zero_outside_the_visible_rectangle(self):
        whole, part = self.draw(None), self.draw((1, 2, 5, 4))
        assert np.count_nonzero(part) == 4 * 2
        assert np.all(part[2:4, 1:5] > 0)
        inside = whole[2:4, 1:5]
        assert np.allclose(part[2:4, 1:5], inside / inside.sum(), rtol=1e-13)

    def test_gaussians_are_not_renormalized_after_the_cut(self):
        """Of two equal fixations, the one half hidden has less weight."""
        gaze = gaze_heatmap(
            [(10, 10), (50, 10)], (21, 61), sigma=2, visible=[(0, 0, 61, 21), (50, 0, 61, 21)]
        )
        hidden = gaze[:, 50:].sum()
        bump = np.exp(-0.5 * (np.arange(-10, 40) / 2) ** 2)  # columns 0 to 49 about the first
        share = bump[10:21].sum() / bump.sum()
        assert hidden / gaze[:, :50].sum() == pytest.approx(share, rel=1e-12)

    @pytest.mark.parametrize(
        ("bound", "first"), [(0.49, 0), (0.5, 0), (0.51, 1), (1.5, 2), (2.5, 2), (-4, 0)]
    )
    def test_bounds_round_halves_to_even_and_are_cut_to_the_image(self, bound, first):
        columns = np.flatnonzero(self.draw((bound, 0, 8, 6)).sum(axis=0))
        assert columns[0] == first
        rows = np.flatnonzero(self.draw((0, bound, 8, 6)).sum(axis=1))
        assert rows[0] == first

    @pytest.mark.parametrize(("bound", "last"), [(3.5, 4), (4.5, 4), (4.51, 5), (5, 5)])
    def test_upper_bounds_are_exclusive(self, bound, last):
        assert np.flatnonzero(self.draw((0, 0, bound, 6)).sum(axis=0))[-1] == last - 1
        assert np.flatnonzero(self.draw((0, 0, 8, bound)).sum(axis=1))[-1] == last - 1

    def test_larger_than_the_image_is_the_image(self):
        assert np.array_equal(self.draw((-1e300, -5, 1e300, 99)), self.draw(None))

    def test_one_visible_pixel_holds_all_mass(self):
        gaze = self.draw((3, 4, 4, 5))
        assert gaze[4, 3] == gaze.sum() == pytest.approx(1.0, rel=1e-15)

    def test_each_fixation_may_have_its_own_rectangle(self):
        points = ((2.0, 2.0), (5.0, 3.0))
        one = self.draw((1, 1, 7, 5), points)
        assert np.array_equal(one, self.draw([(1, 1, 7, 5)] * 2, points))
        other = self.draw([(1, 1, 7, 5), (4, 2, 8, 6)], points)
        assert not np.array_equal(one, other)

    @pytest.mark.parametrize("empty", [(3, 1, 3, 5), (20, 0, 30, 6), (-9, -9, -1, -1)])
    def test_only_invisible_fixations_are_an_error(self, empty):
        with pytest.raises(ValueError, match="`fixations`"):
            self.draw(empty)

    def test_one_invisible_fixation_does_not_matter(self):
        gaze = self.draw([(0, 0, 8, 6), (3, 1, 3, 5)], ((2.0, 2.0), (5.0, 3.0)))
        assert np.array_equal(gaze, self.draw(None))

    @pytest.mark.parametrize("visible", [(0, 0, 8), [(0, 0, 8, 6)] * 2, 3.0, [[[0, 0, 8, 6]]]])
    def test_other_shapes_are_refused(self, visible):
        with pytest.raises(ValueError, match=r"`visible`.*shape"):
            self.draw(visible)

    @pytest.mark.parametrize("visible", [(5, 0, 3, 6), (0, 5, 8, 3)])
    def test_bounds_in_the_wrong_order(self, visible):
        with pytest.raises(ValueError, match=r"`visible`.*x_min <= x_max"):
            self.draw(visible)

    def test_bounds_that_are_nan(self):
        with pytest.raises(ValueError, match="`visible` must be finite"):
            self.draw((0, 0, np.nan, 6))
