"""Tests of the warning that an interval or a test may miss its level."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from gazesal import IntervalWarning, UndefinedMetricWarning
from gazesal.stats import (
    Design,
    compare,
    compare_subgroups,
    confidence_interval,
    interval,
    interval_table,
    normalized_score,
)

IMAGES = Design("image")
KINDS = ["t", "normal", "bootstrap", "basic", "bca", "studentized", "study"]


def caught(function, *args, **options):
    """Return the texts of the interval warnings of a call, which must name this file."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        function(*args, **options)
    own = [each for each in found if each.category is IntervalWarning]
    assert all(each.filename == __file__ for each in own)
    return [str(each.message) for each in own]


def normal_scores(n):
    """Return scores without skewness or heavy tails."""
    return stats.norm.ppf((np.arange(n) + 0.5) / n)


def skewed_scores(n):
    return stats.gamma.ppf((np.arange(n) + 0.5) / n, 1)


def table_of(scores, **columns):
    return pd.DataFrame({"image": range(len(scores)), "score": scores, **columns})


@pytest.mark.parametrize("method", ["bootstrap", "basic", "bca"])
def test_bootstrap_of_few_images_recommends_the_studentized_interval(method):
    (found,) = caught(confidence_interval, normal_scores(6), interval=method, rng=0)
    assert "6 units" in found
    assert 'interval="studentized"' in found
    assert 'interval="t"' not in found


@pytest.mark.parametrize("method", KINDS)
def test_many_normal_scores_give_no_warning(method):
    assert caught(confidence_interval, normal_scores(60), interval=method, rng=0) == []


@pytest.mark.parametrize("n", [27, 28, 60, 100])
@pytest.mark.parametrize("scores_of", [normal_scores, skewed_scores])
@pytest.mark.parametrize("method", ["t", "normal", "bootstrap", "basic", "bca"])
def test_warning_follows_the_rule_on_skewness(n, scores_of, method):
    scores = scores_of(n)
    needed = 28 + 25 * stats.skew(scores) ** 2
    found = caught(confidence_interval, scores, interval=method, rng=0)
    assert len(found) == (n < needed)
    if found:
        assert f"{n} units" in found[0]
        assert f"= {needed:.0f}" in found[0]
        assert 'interval="studentized"' in found[0]


@pytest.mark.parametrize("method", ["studentized", "study"])
def test_studentized_and_study_do_not_warn_of_skewness(method):
    assert caught(confidence_interval, skewed_scores(15), interval=method, rng=0) == []


@pytest.mark.parametrize("method", ["bca", "studentized"])
def test_heavy_tails_warn(method):
    scores = normal_scores(91)
    scores[[0, 1, -2, -1]] *= 5
    assert stats.skew(scores) == pytest.approx(0, abs=1e-9)
    (found,) = caught(confidence_interval, scores, interval=method, rng=0)
    assert f"excess kurtosis {stats.kurtosis(scores):.1f}" in found
    assert 'interval="t"' in found
    assert caught(confidence_interval, scores, interval="t") == []


def test_tails_of_a_gamma_distribution_do_not_warn():
    """A gamma distribution has an excess kurtosis of 1.5 skewness^2, whatever its shape."""
    assert stats.kurtosis(skewed_scores(100)) > 3
    assert caught(confidence_interval, skewed_scores(100), interval="studentized", rng=0) == []


@pytest.mark.parametrize(("n_models", "warns"), [(3, True), (9, True), (10, False)])
@pytest.mark.parametrize("method", ["bootstrap", "basic", "bca"])
def test_bootstrap_of_fewer_than_ten_models_warns(n_models, warns, method):
    image, model = np.repeat(np.arange(60), n_models), np.tile(np.arange(n_models), 60)
    score = normal_scores(60)[image] + normal_scores(n_models)[model]
    table = pd.DataFrame({"image": image, "model": model, "score": score})
    design = Design(["image", "model"])
    found = caught(interval, table, design, interval=method, rng=0, n_resamples=200)
    assert len(found) == warns
    if found:
        assert f"{n_models} units (model)" in found[0]
        assert 'interval="t"' in found[0]
    assert caught(interval, table, design) == []


@pytest.mark.parametrize("scores", [[0.1, 0.2, 0.4], [*[1.0] * 18, 0.9, 0.95]])
def test_undefined_studentized_interval_is_not_recommended(scores):
    (text,) = caught(confidence_interval, scores)
    assert "studentized" not in text
    with pytest.warns(UndefinedMetricWarning, match="studentized"):
        confidence_interval(scores, interval="studentized", rng=0)
    assert "studentized" in caught(confidence_interval, scores, confidence_level=0.2)[0]


def test_t_interval_is_not_recommended_if_refused():
    rng = np.random.default_rng(0)
    axes = dict(zip("ijk", np.indices((12, 4, 3)).reshape(3, -1), strict=True))
    table = pd.DataFrame({**axes, "w": 1.0, "score": rng.normal(size=144)})
    three = Design(["i", "j", "k"], weights="w")
    (text,) = caught(interval, table, three, interval="bootstrap", rng=0, n_resamples=200)
    assert '"t"' not in text
    with pytest.raises(ValueError, match="`interval`"):
        interval(table, three)
    parts = [
        table.assign(method=name, score=rng.normal(c, 0.1, 144)) for c, name in enumerate("fmc")
    ]
    crossed = Design(["i", "j"], averaged="k", weights="w")
    names = {"method": "m", "floor": "f", "ceiling": "c"}
    options = {"interval": "bootstrap", "rng": 0, "n_resamples": 200}
    (text,) = caught(normalized_score, pd.concat(parts), crossed, **names, **options)
    assert '"t"' not in text
    with pytest.raises(ValueError, match="`interval`"):
        normalized_score(pd.concat(parts), crossed, **names)


def test_studentized_interval_is_not_recommended_for_crossed_units():
    image, model = np.repeat(np.arange(20), 5), np.tile(np.arange(5), 20)
    table = pd.DataFrame({"image": image, "model": model, "score": skewed_scores(20)[image]})
    (found,) = caught(interval, table, Design(["image", "model"]))
    assert "studentized" not in found
    assert "Use more units" in found


def test_one_warning_names_the_worst_of_many_groups():
    parts = [table_of(normal_scores(60), method=f"m{i}") for i in range(40)]
    parts += [table_of(skewed_scores(60), method=f"s{i}") for i in range(20)]
    parts[-1]["score"] **= 2  # the most skewed
    table = pd.concat(parts)
    (found,) = caught(interval_table, table, IMAGES, by="method")
    assert found.startswith("20 of 60 t intervals")
    assert "the worst for s19" in found
    made = interval_table(table, IMAGES, by="method")
    assert made.attrs["caveats"] == found
    assert interval_table(parts[0], IMAGES, by="method").attrs["caveats"] == ""


def two_methods(scores, difference=0.01):
    return pd.concat(
        [
            table_of(scores, method="a"),
            table_of(normal_scores(len(scores)) * 0 + difference, method="b"),
        ]
    )


def test_compare_warns_of_the_skewness_of_differences():
    """The scores are skewed and their differences are normal."""
    n = 60
    easy = skewed_scores(n)
    table = pd.concat(
        [table_of(easy, method="a"), table_of(easy + 0.1 * normal_scores(n)[::-1], method="b")]
    )
    assert len(caught(interval_table, table, IMAGES, by="method")) == 1
    assert caught(compare, table, IMAGES, rng=0) == []
    (found,) = caught(compare, two_methods(skewed_scores(n)), IMAGES, rng=0)
    assert "The t interval" in found


def family(n_images, n_methods):
    """Return scores of methods that differ by far more than their noise."""
    rng = np.random.default_rng(0)
    return pd.concat(
        table_of(i + 0.01 * rng.normal(size=n_images), method=f"m{i}") for i in range(n_methods)
    )


@pytest.mark.parametrize(
    ("n_images", "n_methods", "adjust", "warns"),
    [
        (8, 4, "holm", False),  # 6 * 2**-7 = .047
        (8, 5, "holm", True),  # 10 * 2**-7 = .078
        (8, 5, "benjamini-hochberg", False),
        (8, 5, "none", False),
        (5, 2, "none", True),  # 2**-4 = .0625
        (6, 2, "holm", False),
    ],
)
def test_sign_flips_that_cannot_reach_the_level_warn(n_images, n_methods, adjust, warns):
    table = family(n_images, n_methods)
    (found,) = caught(compare, table, IMAGES, adjust=adjust)
    assert ("sign flips" in found) == warns
    smallest = min(row.p_adjusted for row in compare(table, IMAGES, adjust=adjust))
    assert (smallest >= 0.05) == warns


def test_too_few_random_signs_warn():
    table = family(60, 4)
    (found,) = caught(compare, table, IMAGES, rng=0, n_resamples=99)
    assert "`n_resamples`" in found
    assert caught(compare, table, IMAGES, rng=0, n_resamples=999) == []


def test_warning_counts_comparisons_that_cannot_reach_the_level():
    table = pd.concat([family(60, 2).assign(metric="many"), family(4, 2).assign(metric="few")])
    (found,) = caught(compare, table, IMAGES, by="metric", rng=0)
    assert "1 of 2 comparisons" in found


def test_warning_uses_the_level_of_the_call():
    assert "sign flips" in caught(compare, family(8, 4), IMAGES, confidence_level=0.99)[0]


def test_one_warning_covers_all_subgroups():
    scores = np.concatenate([normal_scores(40), skewed_scores(20)])
    table = table_of(scores, group=["a"] * 40 + ["b"] * 20)
    (found,) = caught(compare_subgroups, table, IMAGES, group="group", rng=0)
    assert found.startswith("1 of 2 t intervals")
    assert "group b" in found
    assert 'interval="studentized"' in found


@pytest.mark.parametrize(("sizes", "warns"), [((3, 3), True), ((3, 4), False), ((2, 6), False)])
def test_groups_too_small_for_the_level_warn(sizes, warns):
    """Of 20 orders of 3 and 3 labels, two have the largest statistic; of 35 of 3 and 4, one."""
    scores = np.concatenate([np.arange(sizes[0]), 100 + np.arange(sizes[1])])
    table = table_of(scores.astype(float), group=["a"] * sizes[0] + ["b"] * sizes[1])
    (found,) = caught(compare_subgroups, table, IMAGES, group="group", rng=0)
    assert ("p-value of the groups" in found) == warns
    p_value = compare_subgroups(table, IMAGES, group="group", rng=0).p_value
    assert (p_value > 0.05) == warns


def test_normalized_scores_warn_of_few_units():
    n = 20
    easy = np.random.default_rng(0).uniform(0.3, 0.6, n)
    parts = {"floor": easy, "mine": easy + 0.1 * skewed_scores(n), "top": easy + 1}
    table = pd.concat(table_of(scores, method=name) for name, scores in parts.items())
    (found,) = caught(normalized_score, table, IMAGES, method="mine", floor="floor", ceiling="top")
    assert "20 units (image)" in found
    assert "studentized" not in found


def test_undefined_intervals_give_no_interval_warning():
    assert caught(confidence_interval, [0.5]) == []
