"""Densities fitted to fixations, and the bits that a map adds to other maps."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.optimize import minimize

import gazesal
from gazesal.fitting.inputs import _as_folds

SHAPE = (18, 24)
FAST = {"center_bias": None, "blurs": [0.0]}


def smooth(rng, shape=SHAPE):
    """Return a smooth map between 0 and 1."""
    values = gaussian_filter(rng.normal(size=shape), 2.0)
    return (values - values.min()) / (values.max() - values.min())


def sampled(rng, density, n):
    """Return fixations sampled from a density."""
    pixels = rng.choice(density.size, n, p=(density / density.sum()).ravel())
    return np.column_stack([pixels % density.shape[1], pixels // density.shape[1]])


def make(n=8, n_fixations=40, slope=3.0, seed=0, shape=SHAPE):
    """Return maps, and fixations of which the log density is the map times a slope."""
    rng = np.random.default_rng(seed)
    maps = {f"i{k}": smooth(rng, shape) for k in range(n)}
    points = {
        name: sampled(rng, np.exp(slope * values), n_fixations) for name, values in maps.items()
    }
    return maps, points


@pytest.fixture(scope="module")
def data():
    return make()


@pytest.mark.parametrize("form", ["linear", "spline"])
def test_coefficients_equal_a_poisson_regression(data, form):
    statsmodels = pytest.importorskip("statsmodels.api")
    maps, points = data
    bias = gazesal.GaussianCenterBias.clarke_tatler()
    fitted = gazesal.fit_density(
        maps, points, center_bias=bias, blurs=[0.05], form=form, n_knots=4, penalty=0.0
    )
    rows, counts, offsets = [], [], []
    for k, name in enumerate(maps):
        values = gaussian_filter(maps[name], 0.05 * SHAPE[1], mode="nearest")
        images = np.zeros((values.size, len(maps)))
        images[:, k] = 1.0
        rows.append(np.hstack([fitted.basis.design(values.ravel()), images]))
        pixels = points[name][:, 1] * SHAPE[1] + points[name][:, 0]
        counts.append(np.bincount(pixels, minlength=values.size))
        offsets.append(np.log(bias.on_image(SHAPE)).ravel())
    model = statsmodels.GLM(
        np.concatenate(counts),
        np.concatenate(rows),
        family=statsmodels.families.Poisson(),
        offset=np.concatenate(offsets),
    )
    expected = model.fit(tol=1e-14).params[: fitted.basis.size]
    np.testing.assert_allclose(fitted.coefficients, expected, rtol=0, atol=1e-6)


def test_monotone_fit_has_the_highest_penalized_likelihood():
    """A general optimizer with bounds finds the same coefficients."""
    maps, points = make(n=3, slope=2.0)
    fitted = gazesal.fit_density(maps, points, n_knots=4, penalty=0.5, **FAST)
    designs = {name: fitted.basis.design(values.ravel()) for name, values in maps.items()}

    def loss(beta):
        total = 0.25 * beta @ beta
        for name, design in designs.items():
            logs = design @ beta
            looked = points[name][:, 1] * SHAPE[1] + points[name][:, 0]
            total -= (logs[looked] - np.log(np.exp(logs).sum())).sum()
        return total

    bounds = [(0, None)] * fitted.basis.size
    found = minimize(loss, np.ones(fitted.basis.size), bounds=bounds, tol=1e-12)
    assert loss(fitted.coefficients) <= found.fun + 1e-7
    np.testing.assert_allclose(fitted.coefficients, found.x, atol=2e-3)
    assert fitted.coefficients.min() >= 0
    curve = fitted.basis.design(np.linspace(-0.5, 1.5, 50)) @ fitted.coefficients
    assert np.diff(curve).min() >= -1e-12


def test_only_a_function_that_may_decrease_fits_an_inverted_map(data):
    maps, points = data
    inverted = {name: -values for name, values in maps.items()}
    assert abs(gazesal.fit_density(inverted, points, **FAST).information_gain) < 1e-6
    spline = gazesal.fit_density(inverted, points, form="spline", **FAST)
    right = gazesal.fit_density(maps, points, form="spline", **FAST)
    assert spline.information_gain == pytest.approx(right.information_gain, abs=0.01)
    assert spline.information_gain > 0.15


def test_held_out_densities_have_the_held_out_scores(data):
    maps, points = data
    fitted = gazesal.fit_density(maps, points, blurs=[0.0, 0.1], n_knots=4)
    assert len(fitted.held_out) == len(maps)
    for name, log_likelihood, gain in fitted.held_out[
        ["image", "log_likelihood", "information_gain"]
    ].itertuples(index=False):
        density = fitted.density(maps[name], held_out=name)
        assert density.sum() == pytest.approx(1.0)
        score = gazesal.log_likelihood(density, points[name])
        assert score == pytest.approx(log_likelihood, abs=1e-9)
        bias = fitted.density(np.ones(SHAPE), held_out=name)
        assert score - gain == pytest.approx(gazesal.log_likelihood(bias, points[name]))
    assert not np.allclose(fitted.density(maps["i0"]), fitted.density(maps["i0"], held_out="i0"))
    assert "held out" in repr(fitted)


def test_center_biases_by_image_are_the_density_of_a_map_without_content(data):
    maps, points = data
    flat = {name: np.ones(SHAPE) for name in maps}
    bias = gazesal.GaussianCenterBias.clarke_tatler().on_image(SHAPE)
    fitted = gazesal.fit_density(flat, points, center_bias=dict.fromkeys(maps, bias), blurs=[0.0])
    assert fitted.coefficients.size == 0
    np.testing.assert_allclose(fitted.density(flat["i0"], bias), bias)
    assert (fitted.held_out["information_gain"].abs() < 1e-12).all()
    with pytest.raises(ValueError, match="`center_bias`"):
        fitted.density(flat["i0"])


def test_the_blur_of_the_highest_held_out_likelihood_is_chosen():
    """Noise is added to the maps of which the gaze is sampled."""
    maps, points = make(slope=4.0)
    rng = np.random.default_rng(1)
    noisy = {name: values + rng.normal(0, 0.5, SHAPE) for name, values in maps.items()}
    fitted = gazesal.fit_density(noisy, points, center_bias=None, blurs=[0.0, 0.06], form="linear")
    assert fitted.blur == 0.06
    assert fitted.blurs["log_likelihood"].diff().iloc[1] > 0


@pytest.mark.parametrize("scale", ["range", "rank"])
def test_scale_removes_the_scale_of_each_image(data, scale):
    maps, points = data
    scaled = {name: (k + 1) * values - k for k, (name, values) in enumerate(maps.items())}
    one = gazesal.fit_density(maps, points, scale=scale, form="linear", **FAST)
    other = gazesal.fit_density(scaled, points, scale=scale, form="linear", **FAST)
    np.testing.assert_allclose(other.coefficients, one.coefficients, rtol=1e-9)


def test_a_grid_of_pixels_gives_nearly_the_same_fit():
    maps, points = make(n=6, shape=(36, 48), n_fixations=60)
    every = gazesal.fit_density(maps, points, form="linear", **FAST)
    some = gazesal.fit_density(maps, points, form="linear", max_pixels=450, **FAST)
    assert some.coefficients[0] == pytest.approx(every.coefficients[0], rel=0.03)
    assert some.log_likelihood == pytest.approx(every.log_likelihood, abs=0.005)


def test_images_of_a_group_are_left_out_together(data):
    maps, points = data
    groups = {name: k // 2 for k, name in enumerate(maps)}
    fitted = gazesal.fit_density(maps, points, groups=groups, form="linear", blurs=[0.0])
    units = [fitted.by_image[name][3] for name in maps]
    assert units == [0, 0, 1, 1, 2, 2, 3, 3]
    assert _as_folds(4, 10) == [0, 1, 2, 3]
    assert _as_folds(5, 2) == [0, 1, 0, 1, 0]
    same = [fitted.by_image[name][2] for name in ("i0", "i1")]
    np.testing.assert_array_equal(*same)
    own = dict.fromkeys(points, points["i0"])
    moved = gazesal.fit_density(maps, {**points, "i1": own["i1"]}, groups=groups, **FAST)
    assert moved.held_out["n_fixations"].tolist() == [40] * 8


def test_maps_can_be_files_and_are_not_modified(data, tmp_path):
    maps, points = data
    kept = {name: values.copy() for name, values in maps.items()}
    fitted = gazesal.fit_density(maps, points, form="linear", **FAST)
    assert all((maps[name] == kept[name]).all() for name in maps)
    paths = {}
    for name, values in maps.items():
        paths[name] = tmp_path / f"{name}.npy"
        np.save(paths[name], values)
    stored = gazesal.fit_density(paths, points, form="linear", **FAST)
    np.testing.assert_array_equal(stored.coefficients, fitted.coefficients)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"center_bias": "none"}, "`center_bias`"),
        ({"center_bias": {"i0": np.full(SHAPE, 1 / 432)}}, "`center_bias`"),
        ({"form": "cubic"}, "`form`"),
        ({"scale": "sum"}, "`scale`"),
        ({"blurs": []}, "`blurs`"),
        ({"blurs": [3.0]}, "`blurs`"),
        ({"penalty": -1}, "`penalty`"),
        ({"n_folds": 1}, "`n_folds`"),
        ({"groups": {"i0": 1}}, "`groups`"),
        ({"groups": {f"i{k}": 0 for k in range(8)}}, "`groups`"),
    ],
)
def test_invalid_options_are_refused(data, options, match):
    with pytest.raises(ValueError, match=match):
        gazesal.fit_density(*data, **options)


def test_images_without_a_map_or_fixations_are_refused(data):
    maps, points = data
    some = {name: maps[name] for name in list(maps)[:3]}
    with pytest.raises(ValueError, match="`maps`"):
        gazesal.fit_density(some, points)
    with pytest.raises(ValueError, match="`fixations`"):
        gazesal.fit_density(maps, {name: points[name] for name in some})
    with pytest.raises(TypeError, match="`maps`"):
        gazesal.fit_density([1.0], points)
    with pytest.raises(TypeError, match="`center_bias`"):
        gazesal.fit_density(maps, points, center_bias=3)
    with pytest.raises(ValueError, match="`held_out`"):
        gazesal.fit_density(maps, points, form="linear", **FAST).density(maps["i0"], held_out="x")


def test_a_likelihood_without_a_maximum_is_refused():
    """All fixations are on one value, so that its coefficient grows without bound."""
    maps = {name: np.eye(8)[:6].repeat(2, axis=1) for name in "abc"}
    points = {name: [[1, 0], [2, 1]] for name in maps}
    with pytest.raises(ValueError, match="`penalty`"):
        gazesal.fit_density(maps, points, form="linear", penalty=0.0, **FAST)
    fitted = gazesal.fit_density(maps, points, form="linear", **FAST)
    assert fitted.log_likelihood > 1


class TestAddedInformation:
    def test_a_repeated_map_adds_nothing(self, data):
        maps, points = data
        found = gazesal.added_information(maps, points, {"same": maps}, n_knots=3, **FAST)
        assert abs(found.added.estimate) < 0.02
        assert found.added.low < 0.02

    def test_without_given_maps_it_is_the_gain_over_the_center_bias(self, data):
        maps, points = data
        options = {"n_knots": 4, "blurs": [0.0, 0.05]}
        found = gazesal.added_information(maps, points, **options)
        fitted = gazesal.fit_density(maps, points, **options)
        np.testing.assert_allclose(found.scores["added"], fitted.held_out["information_gain"])
        np.testing.assert_allclose(found.scores["given"], found.scores["center_bias"])
        assert found.blur == fitted.blur

    def test_two_maps_add_to_each_other(self):
        rng = np.random.default_rng(4)
        first, second, points = {}, {}, {}
        for name in range(8):
            first[name], second[name] = smooth(rng), smooth(rng)
            points[name] = sampled(rng, np.exp(3 * first[name] + 3 * second[name]), 60)
        options = {"form": "linear", **FAST}
        found = gazesal.added_information(first, points, {"second": second}, **options)
        alone = gazesal.added_information(second, points, **options)
        assert found.added.low > 0
        np.testing.assert_allclose(found.scores["given"], alone.scores["both"])
        both = found.scores["both"].mean()
        assert both > alone.scores["both"].mean() + 0.1
        assert found.given_blurs == {"second": 0.0}
        assert "second" in repr(found)

    def test_the_interval_is_over_groups(self, data):
        maps, points = data
        groups = {name: k // 2 for k, name in enumerate(maps)}
        found = gazesal.added_information(maps, points, groups=groups, form="linear", **FAST)
        assert found.added.n_clusters == 4
        means = found.scores["added"].to_numpy().reshape(4, 2).mean(axis=1)
        expected = gazesal.stats.confidence_interval(means)
        assert (found.added.low, found.added.high) == pytest.approx((expected.low, expected.high))

    def test_given_maps_are_checked(self, data):
        maps, points = data
        with pytest.raises(TypeError, match="`given`"):
            gazesal.added_information(maps, points, [maps])
        with pytest.raises(TypeError, match="`given"):
            gazesal.added_information(maps, points, {"a": 3}, **FAST)
        with pytest.raises(ValueError, match="`given"):
            gazesal.added_information(maps, points, {"a": {}}, **FAST)
        wrong = {name: np.ones((3, 4)) for name in maps}
        with pytest.raises(ValueError, match="`given"):
            gazesal.added_information(maps, points, {"a": wrong}, **FAST)


def test_no_fixed_conversion_has_more_held_out_bits_on_real_gaze(shared):
    with np.load(shared / "references" / "ceilings.npz") as file:
        saliency = file["saliency"][:, 2].astype(np.float64)
        image, x, y = file["fix_image"], file["fix_x"], file["fix_y"]
    maps = dict(enumerate(saliency))
    names = {value: k for k, value in enumerate(np.unique(image))}
    of = np.array([names[value] for value in image])
    points = {k: np.column_stack([x, y])[of == k] for k in maps}
    fitted = gazesal.fit_density(maps, points, blurs=[0.02, 0.04])
    for method, options in (
        ("sum", {}),
        ("sum", {"minimum": 10.0}),
        ("shift", {}),
        ("softmax", {"temperature": 60.0}),
    ):
        fixed = [
            gazesal.log_likelihood(gazesal.to_density(maps[k], method, **options), points[k])
            for k in maps
        ]
        assert fitted.log_likelihood > np.mean(fixed) + 0.1
