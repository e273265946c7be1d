"""The Gaussian center bias: its density, and parameters recovered from samples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gazesal import GaussianCenterBias, OffImageWarning, sauc, sncc
from tests.oracles import center_bias as oracle

FRACTIONS = st.floats(0.2, 0.8)
SIGMAS = st.floats(0.05, 1.0)


@given(cx=FRACTIONS, cy=FRACTIONS, sx=SIGMAS, sy=SIGMAS)
def test_density_equals_the_definition(cx, cy, sx, sy):
    bias = GaussianCenterBias(sigma=(sx, sy), center=(cx, cy))
    expected = oracle.gaussian((cx, cy), (sx, sy), (5, 9))
    np.testing.assert_allclose(bias.on_image((5, 9)), expected, rtol=1e-11, atol=1e-15)


def test_the_unit_width_keeps_the_form_in_pixels():
    bias = GaussianCenterBias(sigma=(0.2, 0.1), unit="width")
    for shape in [(30, 40), (80, 40)]:
        expected = oracle.gaussian((0.5, 0.5), (0.2, 0.1 * 40 / shape[0]), shape)
        np.testing.assert_allclose(bias.on_image(shape), expected, rtol=1e-11, atol=1e-15)


def test_equal_sigmas_in_the_width_are_round():
    density = GaussianCenterBias(sigma=(0.1, 0.1), unit="width").on_image((41, 61))
    np.testing.assert_allclose(density[20, 20:41], density[10:31, 30], rtol=1e-12)


@given(cx=FRACTIONS, cy=FRACTIONS, shape=st.tuples(st.integers(2, 8), st.integers(2, 8)))
def test_mirrored_parameters_give_the_mirrored_density(cx, cy, shape):
    def density(center):
        return GaussianCenterBias(sigma=(0.3, 0.2), center=center).on_image(shape)

    np.testing.assert_allclose(density((1 - cx, cy)), density((cx, cy))[:, ::-1], rtol=1e-10)
    np.testing.assert_allclose(density((cx, 1 - cy)), density((cx, cy))[::-1], rtol=1e-10)


def test_clarke_and_tatler_have_their_variances():
    """The variances are 0.22 and 0.45 times 0.22 in units of half the width."""
    bias = GaussianCenterBias.clarke_tatler()
    assert bias.unit == "width"
    assert (2 * bias.sigma[0]) ** 2 == pytest.approx(0.22)
    assert (2 * bias.sigma[1]) ** 2 == pytest.approx(0.45 * 0.22)
    density = bias.on_image((600, 800))
    halves = (np.arange(800) - 399.5) / 400
    assert (density.sum(axis=0) * halves**2).sum() == pytest.approx(0.22, rel=0.25)  # cut off


def sample(rng, bias, shapes, n):
    """Return fixations sampled from the Gaussian, resampled if outside the image."""
    fixations = {}
    for image, (height, width) in shapes.items():
        unit = np.array([width, height if bias.unit == "sides" else width])
        points = np.empty((0, 2))
        while len(points) < n:
            drawn = np.array(bias.center) * [width, height]
            drawn = drawn + rng.normal(size=(n, 2)) * np.array(bias.sigma) * unit
            kept = ((drawn >= 0) & (drawn < [width, height])).all(axis=1)
            points = np.concatenate([points, drawn[kept]])
        fixations[image] = points[:n] - 0.5
    return fixations


@pytest.mark.parametrize("unit", ["sides", "width"])
def test_known_parameters_are_recovered(unit):
    shapes = {0: (600, 800), 1: (300, 500), 2: (400, 400)}
    known = GaussianCenterBias(sigma=(0.08, 0.05), center=(0.55, 0.48), unit=unit)
    fixations = sample(np.random.default_rng(0), known, shapes, 20_000)
    fitted = GaussianCenterBias.fit(fixations, shapes, unit=unit)
    assert fitted.sigma == pytest.approx(known.sigma, rel=0.01)
    assert fitted.center == pytest.approx(known.center, abs=0.002)


def log_likelihood(fixations, shapes, sigma, center, unit):
    """Return the log-likelihood of the Gaussian without a border, in fractions of the sides."""
    total = 0.0
    for image, points in fixations.items():
        height, width = shapes[image]
        across = sigma[0]
        down = sigma[1] if unit == "sides" else sigma[1] * width / height
        u, v = ((np.asarray(points) + 0.5) / [width, height]).T
        total += stats.norm.logpdf(u, center[0], across).sum()
        total += stats.norm.logpdf(v, center[1], down).sum()
    return total


@pytest.mark.parametrize("unit", ["sides", "width"])
@pytest.mark.parametrize("isotropic", [False, True])
@pytest.mark.parametrize("centered", [False, True])
def test_fit_has_the_greatest_likelihood(unit, isotropic, centered):
    rng = np.random.default_rng(1)
    shapes = {0: (60, 80), 1: (90, 50), 2: (40, 40)}
    fixations = {k: rng.uniform(0, [w - 1, h - 1], (9, 2)) for k, (h, w) in shapes.items()}
    fitted = GaussianCenterBias.fit(
        fixations, shapes, unit=unit, isotropic=isotropic, centered=centered
    )
    best = log_likelihood(fixations, shapes, fitted.sigma, fitted.center, unit)
    assert fitted.center == (0.5, 0.5) or not centered
    assert fitted.sigma[0] == fitted.sigma[1] or not isotropic
    for step in (-0.01, 0.01):
        for axis in range(2):
            sigma, center = list(fitted.sigma), list(fitted.center)
            sigma[axis] += step
            if isotropic:
                sigma = [fitted.sigma[0] + step] * 2
            assert log_likelihood(fixations, shapes, sigma, fitted.center, unit) < best
            center[axis] += step
            if not centered:
                assert log_likelihood(fixations, shapes, fitted.sigma, center, unit) < best


def test_weights_count_as_repetitions():
    points = np.array([[1.0, 2.0], [5.0, 3.0], [7.0, 8.0]])
    repeated = GaussianCenterBias.fit({0: np.repeat(points, [3, 1, 2], axis=0)}, (10, 10))
    weighted = GaussianCenterBias.fit({0: points}, (10, 10), weights={0: [300, 100, 200]})
    assert weighted.sigma == pytest.approx(repeated.sigma, rel=1e-12)
    assert weighted.center == pytest.approx(repeated.center, rel=1e-12)


def test_metrics_accept_the_density():
    bias = GaussianCenterBias.clarke_tatler().on_image((12, 16))
    gaze = np.zeros((12, 16))
    gaze[2, 3] = 1
    assert sauc(bias, bias, bias) == pytest.approx(0.5, abs=1e-12)
    assert sauc(gaze, gaze, bias) > 0.5
    assert sncc(gaze, gaze, bias) > 0.5


def test_dropped_fixations_are_reported():
    fixations = {"a": [[1, 1], [3, 2], [99, 1]]}
    with pytest.warns(OffImageWarning, match="1 of 3"):
        dropped = GaussianCenterBias.fit(fixations, (4, 6), outside="drop")
    assert dropped == GaussianCenterBias.fit({"a": [[1, 1], [3, 2]]}, (4, 6))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sigma": (0.1, 0.0)}, "`sigma` must be positive"),
        ({"sigma": (1e-16, 0.1)}, "`sigma` must be 1e-06 or more"),
        ({"sigma": (0.1, np.nan)}, "`sigma` must be finite"),
        ({"sigma": 0.1}, "`sigma` must be two numbers"),
        ({"sigma": (0.1, 0.1), "center": (1, 2, 3)}, "`center` must be two numbers"),
        ({"sigma": (0.1, 0.1), "unit": "height"}, "`unit` must be one of"),
    ],
)
def test_invalid_parameters_raise(arguments, message):
    with pytest.raises(ValueError, match=message):
        GaussianCenterBias(**arguments)


GOOD = {"a": [[1.0, 1.0], [3.0, 2.0]]}


@pytest.mark.parametrize(
    ("fixations", "shapes", "options", "message"),
    [
        ({}, (4, 6), {}, "`fixations` must hold at least one image"),
        ({"a": [[1, 1], [1, 2]]}, (4, 6), {}, "`fixations`"),
        ({"a": [[1, 1], [9, 2]]}, (4, 6), {}, r"`fixations\['a'\]` must lie in the image"),
        ({"a": []}, (4, 6), {}, r"`fixations\['a'\]` must"),
        (GOOD, {"b": (4, 6)}, {}, "`shapes` must hold every image, but 'a' is missing"),
        (GOOD, {"a": (0, 6)}, {}, r"`shapes\['a'\]` must be at least"),
        (GOOD, (4, 6), {"weights": {}}, "`weights` must hold every image"),
        (GOOD, (4, 6), {"weights": {"a": [1.0]}}, r"`weights\['a'\]` must hold one number"),
        (GOOD, (4, 6), {"weights": {"a": [1, -1]}}, r"`weights\['a'\]` must be non-negative"),
        (GOOD, (4, 6), {"weights": {"a": [1, np.inf]}}, r"`weights\['a'\]` must be finite"),
        (GOOD, (4, 6), {"weights": {"a": [0, 0]}}, "`fixations`"),
        (GOOD, (4, 6), {"outside": "keep"}, "`outside` must be one of"),
    ],
)
def test_invalid_fixations_raise(fixations, shapes, options, message):
    with pytest.raises(ValueError, match=message):
        GaussianCenterBias.fit(fixations, shapes, **options)


@pytest.mark.parametrize(
    ("fixations", "options", "message"),
    [
        ([[1, 1]], {}, "`fixations` must be a mapping"),
        (GOOD, {"weights": [1, 1]}, "`weights` must be a mapping"),
        (GOOD, {"centered": "no"}, "`centered` must be True or False, got 'no'"),
        (GOOD, {"isotropic": 0}, "`isotropic` must be True or False, got 0"),
    ],
)
def test_arguments_of_another_type_raise(fixations, options, message):
    with pytest.raises(TypeError, match=message):
        GaussianCenterBias.fit(fixations, (4, 6), **options)


def test_a_gaussian_that_misses_the_image_is_an_error():
    with pytest.raises(ValueError, match="misses every pixel"):
        GaussianCenterBias(sigma=(1e-6, 1e-6), center=(0.3, 0.3)).on_image((4, 4))


X, Y = np.linspace(5, 35, 10), np.linspace(3, 25, 10)
ON_LINES = {
    **{f"row {y}": np.column_stack([X, np.full(10, y)]) for y in (7.0, 15.0, 10.1, 0.3)},
    **{f"column {x}": np.column_stack([np.full(10, x), Y]) for x in (12.0, 12.3, 39.4)},
    "two fixations in a row": [[3.1, 10.1], [20.7, 10.1]],
    "point": [[20.3, 10.1]] * 7,
    "one fixation": [[20.3, 10.1]],
    "single precision": np.column_stack([X, np.full(10, 10.1)]).astype(np.float32),
}


@pytest.mark.parametrize("unit", ["sides", "width"])
@pytest.mark.parametrize("kind", ON_LINES)
def test_fixations_on_a_line_are_refused_wherever_it_lies(kind, unit):
    fixations = dict.fromkeys("abc", ON_LINES[kind])
    with pytest.raises(ValueError, match="`fixations`"):
        GaussianCenterBias.fit(fixations, (30, 40), unit=unit)


@pytest.mark.parametrize(
    "kind", [kind for kind in ON_LINES if kind not in {"point", "one fixation"}]
)
def test_a_round_gaussian_fits_fixations_on_a_line(kind):
    fitted = GaussianCenterBias.fit({"a": ON_LINES[kind]}, (30, 40), isotropic=True)
    assert fitted.sigma[0] == fitted.sigma[1] > 0.01


def test_a_diagonal_line_differs_along_both_axes():
    points = np.column_stack([X, X / 2 + 0.1])
    fitted = GaussianCenterBias.fit({"a": points}, (30, 40))
    assert fitted.sigma == pytest.approx((X.std() / 40, X.std() / 2 / 30), rel=1e-12)
