"""Tests of variance components, agreement and plans against loops, print and statsmodels."""

import math
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.formula import api as formula
from statsmodels.stats import anova

import gazesal
from gazesal.stats import Design, interval, plan_study, variance_components
from tests.oracles import designs as oracle
from tests.stats.frames import cells_of, crossed_table

TWO = Design(["image", "reader"])
# Table 2 of Shrout and Fleiss 1979 (doi:10.1037/0033-2909.86.2.420): six targets, four judges
RATINGS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]


def in_print():
    values = np.array(RATINGS, float)
    image, reader = np.indices(values.shape)
    frame = {"image": image.ravel(), "reader": reader.ravel(), "score": values.ravel()}
    return variance_components(pd.DataFrame(frame), TWO)


def test_mean_squares_match_shrout_and_fleiss():
    parts = in_print()
    assert [round(value, 2) for value in parts.mean_squares.values()] == [11.24, 32.49, 1.02]
    assert list(parts.degrees_of_freedom.values()) == [5, 3, 15]


def test_correlations_match_shrout_and_fleiss():
    parts = in_print()
    absolute = parts.agreement("image", "reader")
    consistency = parts.agreement("image", "reader", kind="consistency")
    assert round(absolute.estimate, 2) == 0.29
    assert round(consistency.estimate, 2) == 0.71
    # bounds as other programs give them for these data
    assert (round(absolute.low, 2), round(absolute.high, 2)) == (0.02, 0.76)
    assert (round(consistency.low, 2), round(consistency.high, 2)) == (0.34, 0.95)


@pytest.mark.parametrize("sizes", [(7,), (8, 4), (6, 4, 3)])
def test_mean_squares_equal_the_loop(sizes):
    names = ("image", "model", "reader")[: len(sizes)]
    table = crossed_table(*sizes)
    parts = variance_components(table, Design(names))
    for axes, (square, freedom) in oracle.mean_squares(cells_of(table, *names)).items():
        name = ":".join(names[axis] for axis in axes)
        assert parts.mean_squares[name] == pytest.approx(square)
        assert parts.degrees_of_freedom[name] == freedom


def test_mean_squares_agree_with_statsmodels():
    table = crossed_table(9, 4, names=("image", "reader"))
    theirs = anova.anova_lm(formula.ols("score ~ C(image) + C(reader)", table).fit())
    parts = variance_components(table, TWO)
    expected = theirs["mean_sq"].to_dict()
    assert parts.mean_squares["image"] == pytest.approx(expected["C(image)"])
    assert parts.mean_squares["reader"] == pytest.approx(expected["C(reader)"])
    assert parts.mean_squares["image:reader"] == pytest.approx(expected["Residual"])


def test_components_solve_the_expected_mean_squares():
    parts = variance_components(crossed_table(9, 4, names=("image", "reader")), TWO)
    c, ms = parts.components, parts.mean_squares
    assert ms["image"] == pytest.approx(4 * c["image"] + c["image:reader"])
    assert ms["reader"] == pytest.approx(9 * c["reader"] + c["image:reader"])
    assert ms["image:reader"] == pytest.approx(c["image:reader"])


def test_components_are_unbiased():
    """The means of many estimates approach the variances of the simulated scores."""
    rng = np.random.default_rng(0)
    keys = crossed_table(12, 4, 3)[["image", "model", "reader"]].sort_values(
        ["image", "model", "reader"]
    )
    shapes = {
        "image": (12, 1, 1),
        "model": (1, 4, 1),
        "reader": (1, 1, 3),
        "image:model": (12, 4, 1),
    }
    truth = {
        "image": 4.0,
        "model": 1.0,
        "reader": 0.5,
        "image:model": 2.0,
        "image:model:reader": 3.0,
    }
    found = []
    for _ in range(400):
        score = rng.normal(0, math.sqrt(3.0), (12, 4, 3))
        for name, shape in shapes.items():
            score = score + rng.gamma(1.0, math.sqrt(truth[name]), shape)
        parts = variance_components(
            keys.assign(score=score.ravel()), Design(["image", "model", "reader"])
        )
        found.append(parts.components)
    frame = pd.DataFrame(found)
    for name in frame:
        error = frame[name].std() / math.sqrt(len(frame))
        assert abs(frame[name].mean() - truth.get(name, 0.0)) < 4 * error


def test_half_width_of_the_same_sizes_equals_the_interval():
    for sizes, names in [((12,), ["image"]), ((12, 4), ["image", "model"])]:
        table = crossed_table(*sizes)
        found = interval(table, Design(names))
        parts = variance_components(table, Design(names))
        assert min(parts.components.values()) > 0
        assert parts.half_width() == pytest.approx((found.high - found.low) / 2)


def test_half_width_with_fixed_columns_equals_averaging():
    table = crossed_table(12, 4)
    parts = variance_components(table, Design(["image", "model"]))
    found = interval(table, Design("image", averaged="model"))
    assert parts.half_width(fixed="model") == pytest.approx((found.high - found.low) / 2)
    three = crossed_table(12, 4, 3)
    parts = variance_components(three, Design(["image", "model", "reader"]))
    wide = parts.half_width()
    narrow = parts.half_width(fixed="reader")
    narrower = parts.half_width(fixed=["reader", "model"])
    assert wide > narrow > narrower


def test_no_variance_has_no_width():
    parts = variance_components(crossed_table(5, 3).assign(score=0.5), Design(["image", "model"]))
    assert parts.half_width() == 0
    assert "image: 0" in repr(parts)
    assert parts.to_frame()["share"].isna().all()


def test_plan_finds_the_smallest_number():
    parts = variance_components(crossed_table(30, 4), Design(["image", "model"]))
    plan = plan_study(parts, 0.05, units="image", sizes={"model": [8, 40]})
    for row in plan.itertuples():
        sizes = {"image": int(row.image), "model": row.model}
        assert parts.half_width(sizes) == row.half_width <= 0.05
        assert parts.half_width({**sizes, "image": int(row.image) - 1}) > 0.05


def test_plan_is_missing_if_no_number_is_enough():
    parts = variance_components(crossed_table(30, 4), Design(["image", "model"]))
    plan = plan_study(parts, 0.005, units="image", sizes={"model": [2]}, most=10_000)
    assert plan["image"].isna().all()
    assert plan["half_width"].isna().all()


@pytest.mark.parametrize("wanted", [0.0194, 0.01964, 0.021, 0.03])
def test_plan_finds_the_smallest_number_if_half_widths_increase_again(wanted):
    parts = gazesal.stats.VarianceComponents(
        units={"image": 91, "reader": 2},
        components={"image": 0.0122, "reader": 5e-5, "image:reader": 8e-4},
        mean_squares={},
        degrees_of_freedom={},
    )
    widths = [parts.half_width({"image": n}) for n in range(2, 1500)]
    assert min(widths) < 0.0197 < widths[-1]
    first = next((n for n, width in enumerate(widths, 2) if width <= wanted), None)
    (row,) = plan_study(parts, wanted, units="image").itertuples()
    assert (None if pd.isna(row.image) else row.image) == first
    if wanted == 0.01964:
        assert first == 328
        assert plan_study(parts, wanted, units="image", most=328)["image"].tolist() == [328]
        assert plan_study(parts, wanted, units="image", most=327)["image"].isna().all()


@given(
    st.lists(st.floats(0, 1), min_size=7, max_size=7),
    st.integers(2, 6),
    st.floats(0.01, 1.0),
    st.sampled_from([(), ("reader",)]),
)
def test_plan_equals_the_loop_over_all_numbers(components, readers, wanted, fixed):
    names = ["image", "reader", "model", "image:reader", "image:model", "reader:model"]
    parts = gazesal.stats.VarianceComponents(
        units={"image": 5, "reader": readers, "model": 3},
        components=dict(zip([*names, "image:reader:model"], components, strict=True)),
        mean_squares={},
        degrees_of_freedom={},
    )
    (row,) = plan_study(parts, wanted, units="image", fixed=fixed, most=60).itertuples()
    enough = (n for n in range(2, 61) if parts.half_width({"image": n}, fixed=fixed) <= wanted)
    assert (None if pd.isna(row.image) else row.image) == next(enough, None)


@pytest.mark.parametrize("assurance", [0.1, 0.5, 0.8, 0.95])
@pytest.mark.parametrize("wanted", [0.02, 0.1])
def test_plan_with_assurance_finds_the_smallest_number(assurance, wanted):
    """The half-width of normal scores is t s / sqrt(n) with n - 1 degrees of freedom."""
    parts = gazesal.stats.VarianceComponents(
        units={"image": 30}, components={"image": 0.01}, mean_squares={}, degrees_of_freedom={}
    )
    (n,) = plan_study(parts, wanted, units="image", assurance=assurance)["image"]

    def chance(n):
        t = stats.t.ppf(0.975, n - 1)
        return stats.chi2.cdf(wanted**2 * n * (n - 1) / (t**2 * 0.01), n - 1)

    assert chance(n) >= assurance * (1 - 1e-9)
    assert all(chance(fewer) < assurance for fewer in range(2, n))
    assert parts.half_width({"image": n}, assurance=assurance) <= wanted


@given(
    st.lists(st.floats(0, 1), min_size=3, max_size=3),
    st.integers(2, 6),
    st.floats(0.01, 1.0),
    st.floats(0.01, 0.99),
)
def test_plan_with_assurance_equals_the_loop_over_all_numbers(
    components, readers, wanted, assurance
):
    parts = gazesal.stats.VarianceComponents(
        units={"image": 5, "reader": readers},
        components=dict(zip(["image", "reader", "image:reader"], components, strict=True)),
        mean_squares={},
        degrees_of_freedom={},
    )
    options = {"units": "image", "most": 60, "assurance": assurance}
    (row,) = plan_study(parts, wanted, **options).itertuples()
    widths = ((n, parts.half_width({"image": n}, assurance=assurance)) for n in range(2, 61))
    enough = (n for n, width in widths if width <= wanted)
    assert (None if pd.isna(row.image) else row.image) == next(enough, None)


def test_a_plan_without_an_assurance_is_exceeded_by_many_studies():
    parts = gazesal.stats.VarianceComponents(
        units={"image": 30}, components={"image": 0.01}, mean_squares={}, degrees_of_freedom={}
    )
    (n,) = plan_study(parts, 0.03, units="image")["image"]
    (more,) = plan_study(parts, 0.03, units="image", assurance=0.9)["image"]
    rng = np.random.default_rng(0)

    def exceeded(n):
        spread = rng.normal(0, 0.1, (4000, n)).std(axis=1, ddof=1)
        return np.mean(stats.t.ppf(0.975, n - 1) * spread / math.sqrt(n) > 0.03)

    assert 0.35 < exceeded(n) < 0.5
    assert exceeded(more) < 0.12


@pytest.mark.parametrize("assurance", [0, 1, -0.5, math.nan, "0.8", True])
def test_assurance_must_be_a_probability(assurance):
    parts = variance_components(crossed_table(6, 3), Design(["image", "model"]))
    with pytest.raises(ValueError, match="`assurance`"):
        plan_study(parts, 0.1, units="image", assurance=assurance)
    with pytest.raises(ValueError, match="`assurance`"):
        parts.half_width(assurance=assurance)


def test_tiny_variances_have_no_width():
    components = {"image": 1e-195, "reader": 0.0, "image:reader": 0.0}
    parts = gazesal.stats.VarianceComponents(
        units={"image": 9, "reader": 2},
        components=components,
        mean_squares={},
        degrees_of_freedom={},
    )
    assert parts.half_width() == 0
    assert plan_study(parts, 0.1, units="image")["image"].tolist() == [2]


def test_plan_names_the_invalid_argument():
    parts = variance_components(crossed_table(6, 3), Design(["image", "model"]))
    with pytest.raises(TypeError, match="`parts` must be the result of `variance_components`"):
        plan_study(crossed_table(6, 3), 0.1, units="image")
    with pytest.raises(TypeError, match=r"`sizes` must hold several numbers .* got 5 for model"):
        plan_study(parts, 0.1, units="image", sizes={"model": 5})
    with pytest.raises(TypeError, match="`sizes` must be a dictionary"):
        plan_study(parts, 0.1, units="image", sizes=[5])
    with pytest.raises(ValueError, match="`fixed` must not include image"):
        plan_study(parts, 0.1, units="image", fixed="image")
    for wrong in (math.inf, math.nan, True, "1"):
        with pytest.raises(ValueError, match="`half_width` must be a positive, finite number"):
            plan_study(parts, wrong, units="image")
    with pytest.raises(ValueError, match="`most` must be at least 2, got 0"):
        plan_study(parts, 0.1, units="image", most=0)
    plain = plan_study(parts, 0.25, units="image", sizes={"model": [5]})
    for kind in (np.float32, np.float64):
        same = plan_study(parts, kind(0.25), units="image", sizes={"model": np.array([5])})
        pd.testing.assert_frame_equal(plain, same)
    assert plan_study(parts, np.int64(1), units="image")["image"].notna().all()


def test_bounds_of_agreement_enclose_the_estimate_or_are_undefined():
    undefined = 0
    for seed in range(200):
        score = np.random.default_rng(seed).normal(0, 1, 6)
        table = pd.DataFrame({"image": [0, 0, 0, 1, 1, 1], "reader": [0, 1, 2] * 2, "score": score})
        table.loc[table["reader"] == 2, "score"] += 3 * (seed % 3)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = variance_components(table, TWO).agreement("image", "reader")
        assert math.isnan(found.low) == math.isnan(found.high) == bool(caught)
        assert caught or found.low <= found.estimate <= found.high
        undefined += bool(caught)
    assert 0 < undefined < 200


def test_agreement_is_zero_if_only_readers_differ():
    table = pd.DataFrame({"image": [0, 0, 1, 1], "reader": [0, 1] * 2, "score": [0.25, 0.5] * 2})
    with pytest.warns(gazesal.UndefinedMetricWarning, match="2 image and 2 reader are too few"):
        found = variance_components(table, TWO).agreement("image", "reader")
    assert found.estimate == 0
    assert math.isnan(found.low)


def test_absolute_bounds_follow_shrout_and_fleiss():
    """The equations of Shrout and Fleiss (1979) are used in the form with the ratio F."""
    table = crossed_table(7, 4, names=("image", "reader"), seed=3)
    parts = variance_components(table, TWO)
    r, c, e = (parts.mean_squares[name] for name in ("image", "reader", "image:reader"))
    n, k = 7, 4
    found = parts.agreement("image", "reader", confidence_level=0.9)
    rho = found.estimate
    f = c / e
    v = (k - 1) * (n - 1) * (k * rho * f + n * (1 + (k - 1) * rho) - k * rho) ** 2
    v /= (n - 1) * k**2 * rho**2 * f**2 + (n * (1 + (k - 1) * rho) - k * rho) ** 2
    above, below = stats.f.ppf(0.95, n - 1, v), stats.f.ppf(0.95, v, n - 1)
    spare = k * n - k - n
    low = n * (r - above * e) / (above * (k * c + spare * e) + n * r)
    high = n * (below * r - e) / (k * c + spare * e + n * below * r)
    assert (found.low, found.high) == pytest.approx((low, high))


def test_perfect_agreement_gives_an_icc_of_one():
    table = crossed_table(6, 1, names=("image", "reader")).drop(columns="reader")
    table = table.merge(pd.DataFrame({"reader": range(3)}), "cross")
    for kind in ("absolute", "consistency"):
        found = variance_components(table, TWO).agreement("image", "reader", kind=kind)
        assert found.estimate == pytest.approx(1.0)
        assert (found.low, found.high) == pytest.approx((1.0, 1.0))


def test_invalid_input_raises():
    table = crossed_table(6, 3)
    both = Design(["image", "model"])
    with pytest.raises(ValueError, match="`design` must have crossed units only"):
        variance_components(table, Design("image", nested="model"))
    with pytest.raises(ValueError, match="`model` must have two units or more"):
        variance_components(crossed_table(6, 1), both)
    parts = variance_components(table, both)
    with pytest.raises(ValueError, match="`sizes` and `fixed` must name columns of image, model"):
        parts.half_width({"reader": 3})
    with pytest.raises(ValueError, match="`fixed` must leave a column"):
        parts.half_width(fixed=["image", "model"])
    with pytest.raises(ValueError, match="`model` must be at least 2"):
        parts.half_width({"model": 1})
    with pytest.raises(TypeError, match="`model` must be an integer"):
        parts.half_width({"model": 2.5})
    with pytest.raises(ValueError, match="`targets` and `raters`"):
        parts.agreement("image", "reader")
    with pytest.raises(ValueError, match="`kind`"):
        parts.agreement("image", "model", kind="x")
    with pytest.raises(ValueError, match="`half_width` must be a positive"):
        plan_study(parts, 0, units="image")
    with pytest.raises(ValueError, match="`units` must be one of"):
        plan_study(parts, 0.1, units="reader")
    with pytest.raises(ValueError, match="`sizes` must not include image"):
        plan_study(parts, 0.1, units="image", sizes={"image": [3]})


def test_result_reads_well():
    parts = variance_components(crossed_table(9, 4), Design(["image", "model"]))
    assert repr(parts).splitlines()[0] == "Variance of 9 image x 4 model"
    frame = parts.to_frame()
    assert frame["effect"].tolist() == ["image", "model", "image:model"]
    assert frame["share"].sum() == pytest.approx(1.0)
    assert isinstance(parts, gazesal.stats.VarianceComponents)
