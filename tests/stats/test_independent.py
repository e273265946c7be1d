"""Tests of differences of methods with independent units, such as separately trained models."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import gazesal
from gazesal.stats import Design, compare
from tests.stats.frames import two_methods

BOTH = Design(["image", "model"])


def separate(n_images=12, model=4, **options):
    """Return scores of two methods whose models have different names."""
    table = two_methods(n_images, model=model, **options)
    table["model"] = table["method"] + "-" + table["model"].astype(str)
    return table


def cells(table, method):
    """Return the scores of a method, with a list of models for each image."""
    rows = table[table["method"] == method]
    wide = rows.pivot_table(index="image", columns="model", values="score")
    return wide.to_numpy().tolist()


def by_hand(table, first="b", second="a"):
    """Compute the difference, its variance and degrees of freedom by loops over cells."""
    scores = {name: cells(table, name) for name in (first, second)}
    n = len(scores[first])
    e = [
        sum(scores[first][i]) / len(scores[first][i])
        - sum(scores[second][i]) / len(scores[second][i])
        for i in range(n)
    ]
    mean = sum(e) / n
    terms = [(sum((x - mean) ** 2 for x in e) / (n - 1) / n, n - 1)]
    for rows in scores.values():
        k = len(rows[0])
        grand = sum(map(sum, rows)) / (n * k)
        images = [sum(row) / k for row in rows]
        models = [sum(rows[i][j] for i in range(n)) / n for j in range(k)]
        between = n * sum((m - grand) ** 2 for m in models) / (k - 1)
        rest = sum(
            (rows[i][j] - images[i] - models[j] + grand) ** 2 for i in range(n) for j in range(k)
        ) / ((n - 1) * (k - 1))
        if between > rest:
            terms += [(between / (n * k), k - 1), (-rest / (n * k), (n - 1) * (k - 1))]
    variance = sum(value for value, _ in terms)
    return mean, variance, variance**2 / sum(value**2 / freedom for value, freedom in terms)


@pytest.mark.parametrize("seed", range(4))
def test_variance_and_degrees_equal_the_loop(seed):
    table = separate(seed=seed)
    (found,) = compare(table, BOTH, independent="model", confidence_level=0.9)
    mean, variance, degrees = by_hand(table)
    d = found.difference
    assert d.estimate == pytest.approx(mean)
    assert d.standard_error == pytest.approx(math.sqrt(variance))
    assert d.degrees_of_freedom == pytest.approx(degrees)
    half = stats.t.ppf(0.95, degrees) * math.sqrt(variance)
    assert (d.low, d.high) == pytest.approx((mean - half, mean + half))
    assert found.p_value == pytest.approx(2 * stats.t.sf(abs(mean) / math.sqrt(variance), degrees))
    assert (found.test, d.n_scores, d.units) == ("t", 96, (("image", 12), ("model", 4)))


def test_numbers_of_models_may_differ():
    table = separate(model=5)
    table = table[~table["model"].isin(["b-3", "b-4"])]
    (found,) = compare(table, BOTH, independent="model")
    mean, variance, degrees = by_hand(table)
    d = found.difference
    expected = pytest.approx((mean, variance**0.5, degrees))
    assert (d.estimate, d.standard_error, d.degrees_of_freedom) == expected
    assert d.units == (("image", 12), ("model", 3))


def test_names_of_independent_models_do_not_matter():
    table = two_methods(12, model=4)
    other = table.copy()
    inside = other["method"] == "b"
    other.loc[inside, "model"] = (other.loc[inside, "model"] + 1) % 4
    apart = [compare(rows, BOTH, independent="model")[0] for rows in (table, other)]
    assert apart[0].p_value == pytest.approx(apart[1].p_value, rel=1e-12)
    paired = [compare(rows, BOTH)[0].p_value for rows in (table, other)]
    assert abs(paired[0] - paired[1]) > 1e-3 * paired[0]


@pytest.mark.parametrize("design", [BOTH, Design("image", averaged="model")])
def test_models_with_different_names_require_independent(design):
    with pytest.raises(ValueError, match="must have a partner"):
        compare(separate(), design, rng=0)
    assert len(compare(separate(), design, independent="model", rng=0)) == 1


def test_averaged_independent_models_are_tested_over_images():
    table = two_methods(9, model=3)
    design = Design("image", averaged="model")
    separate_names = table.assign(model=table["method"] + table["model"].astype(str))
    (paired,) = compare(table, design, interval="bca", rng=3)
    (found,) = compare(separate_names, design, interval="bca", rng=3, independent="model")
    assert found.test == "all sign flips"
    assert found.p_value == paired.p_value
    d, theirs = found.difference, paired.difference
    assert (d.low, d.high) == pytest.approx((theirs.low, theirs.high), rel=1e-12)


def test_a_third_column_stays_paired():
    table = two_methods(8, model=3, reader=4, seed=5)
    (found,) = compare(table, Design(["image", "model", "reader"]), independent="model")
    means = table.groupby(["method", "image", "reader"])["score"].mean().reset_index()
    (part,) = compare(means, Design(["image", "reader"]))
    variance = part.difference.standard_error**2
    for name in "ab":
        rows = table[table["method"] == name]
        parts = gazesal.stats.variance_components(rows, Design(["image", "model", "reader"]))
        variance += max(parts.components["model"], 0) / 3
    assert found.difference.standard_error == pytest.approx(math.sqrt(variance))
    assert found.difference.estimate == pytest.approx(part.difference.estimate)


def test_repeated_scores_add_no_variance():
    table = separate()
    ceiling = table[table["model"] == "a-0"]
    table = pd.concat(
        [
            table[table["method"] == "b"],
            *(ceiling.assign(method="readers", model=name) for name in "xyz"),
        ]
    )
    (found,) = compare(table, BOTH, independent="model", reference="readers")
    _, variance, degrees = by_hand(table, "b", "readers")
    assert found.difference.standard_error == pytest.approx(math.sqrt(variance))
    assert found.difference.degrees_of_freedom == pytest.approx(degrees)


def test_false_alarm_rate_is_as_stated_with_independent_trainings():
    rng = np.random.default_rng(0)
    image, model = np.repeat(np.arange(15), 4), np.tile(np.arange(4), 15)
    parts = []
    for study in range(400):
        easy = rng.normal(0, 0.1, 15)
        for name in "ab":
            score = easy[image] + rng.normal(0, 0.05, 4)[model] + rng.normal(0, 0.05, 60)
            keys = {"study": study, "method": name, "image": image, "model": model}
            parts.append(pd.DataFrame({**keys, "score": score}))
    found = compare(pd.concat(parts), BOTH, by="study", independent="model", adjust="none")
    alarms = sum(row.p_value < 0.05 for row in found)
    assert 10 <= alarms <= 34  # 20 expected, standard deviation 4.4


def test_unpaired_scores_raise_or_are_dropped():
    table = separate()
    table = table[~((table["image"] == 3) & (table["method"] == "a"))]
    with pytest.raises(ValueError, match=r"Each score of b must have a partner of a, got 4"):
        compare(table, BOTH, independent="model")
    drop = Design(["image", "model"], missing="drop")
    (found,) = compare(table, drop, independent="model")
    assert found.n_unpaired == 4
    (whole,) = compare(table[table["image"] != 3], BOTH, independent="model")
    assert found.difference.low == pytest.approx(whole.difference.low, rel=1e-12)
    gone = table[(table["method"] == "b") != (table["image"] < 5)]
    with pytest.raises(ValueError, match="must share a unit"):
        compare(gone, drop, independent="model")


def test_scores_that_are_nan_are_dropped_with_their_image():
    table = separate().reset_index(drop=True)
    lost = (table["image"] == 2) & (table["method"] == "b")
    table.loc[lost, "score"] = math.nan
    (found,) = compare(table, Design(["image", "model"], missing="drop"), independent="model")
    assert (found.difference.n_dropped, found.n_unpaired) == (4, 4)
    assert dict(found.difference.units)["image"] == 11


def test_one_model_has_no_interval():
    table = separate()
    table = table[(table["method"] == "a") | (table["model"] == "b-0")]
    with pytest.warns(gazesal.UndefinedMetricWarning, match="one unit of a kind"):
        (found,) = compare(table, BOTH, independent="model", margin=0.1)
    assert found.test == "undefined"
    assert math.isnan(found.difference.low)
    assert math.isnan(found.p_value)
    assert not found.equivalence.shown


@pytest.mark.parametrize(
    ("independent", "design", "method", "message"),
    [
        ("reader", BOTH, "t", "`independent` must be one of image, model, got 'reader'"),
        ("image", Design("image", averaged="model"), "t", "`independent` must not be the only"),
        ("model", BOTH, "bca", '`interval` must be "t" or "normal" if model is independent'),
        ("image", Design("image", weights="score2"), "t", "`independent` must be omitted"),
    ],
)
def test_invalid_independent_columns_raise(independent, design, method, message):
    with pytest.raises(ValueError, match=message):
        compare(separate(), design, independent=independent, interval=method, rng=0)


def test_independent_must_be_a_name():
    with pytest.raises(TypeError, match="`independent` must be the name of a column"):
        compare(separate(), BOTH, independent=["model"])
