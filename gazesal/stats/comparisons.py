"""Comparison of methods that were scored on the same units."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gazesal._validation import MOST_RESAMPLES, as_choice, as_column, as_count
from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.stats.caveats import sign_flip_caveat, warn_of, words_of
from gazesal.stats.design import Design, as_columns, require_design
from gazesal.stats.independent_units import (
    as_independent,
    independent_intervals,
    mean_difference,
)
from gazesal.stats.interval_methods import DEFAULT_INTERVAL, IntervalKind, IntervalOptions
from gazesal.stats.multiplicity import ADJUSTMENTS, Adjustment, adjust_p_values
from gazesal.stats.paired_tests import as_margin, effect, equivalences, p_values, t_test
from gazesal.stats.pairing import paired_rows
from gazesal.stats.permutation_tests import least_sign_flip_p
from gazesal.stats.results import Comparison, Comparisons, ConfidenceInterval
from gazesal.stats.table_intervals import caveats_by_key, intervals_by_key
from gazesal.typing import RandomState

__all__ = ["compare"]


def compare(
    table: pd.DataFrame,
    design: Design,
    *,
    contrast: str = "method",
    reference: object = None,
    by: Sequence[str] | str = (),
    independent: str | None = None,
    margin: float | Mapping[Any, float] | None = None,
    interval: IntervalKind = DEFAULT_INTERVAL,
    confidence_level: float = 0.95,
    adjust: Adjustment = "holm",
    n_resamples: int = 10_000,
    rng: RandomState | None = None,
) -> Comparisons:
    r"""Compare methods that were scored on the same units, pair by pair.

    Overlapping intervals do not show that two methods score equally. An easy image is easy for both
    methods, and this common part cancels in their difference.

    Parameters
    ----------
    table : pandas.DataFrame
        Scores of several methods, one per row, in any order.
    design : Design
        Columns of the units to generalize to, and columns to average over. Scores are paired if
        all of them agree.
    contrast : str, default "method"
        Column of the methods that are compared.
    reference : object, optional
        Value of `contrast` that all others are compared with, such as ``"interobserver"``. By
        default every pair is compared.
    by : str or sequence of str, optional
        Columns that split the table into groups, such as the metric.
    independent : str, optional
        Column of the design whose units differ between two methods, such as the trained models of
        two networks. These units are not paired, whatever their names, and their numbers may
        differ. By default training 1 of one method is paired with training 1 of another. This is
        correct only if they have something in common, such as the same split of the data.
    margin : float or dict of float, optional
        Largest difference that counts as no difference, to test equivalence. State it in advance
        and do not derive it from the scores. A dictionary has a margin for each value of `by`.
    interval : {"t", "normal", "bootstrap", "basic", "bca", "studentized"}, default "t"
        Kind of the interval of the difference, see `interval`.
    confidence_level : float, default 0.95
        Confidence level.
    adjust : {"holm", "benjamini-hochberg", "none"}, default "holm"
        Adjustment of the p-values for the number of comparisons of this call, over all groups, see
        `adjust_p_values`. Intervals are not adjusted.
    n_resamples : int, default 10000
        Number of bootstrap resamples, and largest number of sign patterns.
    rng : int, numpy.random.Generator or other seed, optional
        Source of resamples and of sign patterns, required unless there are neither resamples nor
        more than `n_resamples` sign patterns. A Generator is copied and not advanced.

    Returns
    -------
    Comparisons
        Differences with intervals, p-values, effect sizes and, with a margin, equivalence.

    Raises
    ------
    ValueError
        If a score has no partner and the design does not drop it, there is one method only,
        `margin` is not positive, has a key that is not a value of `by` or is used with a
        `confidence_level` of 0.5 or less, `independent` is not a column of the design, is the only
        column of units or is a column of units and `interval` is a bootstrap, a column of `by` or
        of the units has the name of a column of the result, or as for `interval`.
    TypeError
        As for `interval`.

    Warns
    -----
    UndefinedMetricWarning
        If an interval, a test or an effect size is undefined.
    IntervalWarning
        If intervals may cover the truth less often than their level states, as for `interval`, or
        if there are too few units for a p-value by sign flips below the level's error. One warning
        covers all comparisons of the call.

    See Also
    --------
    interval : Definitions of the intervals.
    adjust_p_values : Adjust p-values of other tests.

    Notes
    -----
    `interval` is applied to the paired differences.

    *P-value.* With one column of units, the p-value is computed by a sign-flip test. Under the null
    hypothesis, the difference of each unit is equally likely to have either sign. The mean is
    compared with the means under all :math:`2^k` patterns of signs of the :math:`k` units, or under
    `n_resamples` random patterns if there are more. The test is exact if the differences are
    symmetric about zero. Its least p-value is :math:`2^{1-k}`, and :math:`m\,2^{1-k}` after Holm's
    adjustment for :math:`m` comparisons. With crossed units, flipping the signs of one kind ignores
    the others. The p-value is then computed from the t statistic with variance components.

    *Independent units.* Pairing by label assumes that image 7 of one method is image 7 of the
    other, and that model 3 is model 3. Separately trained models have equal numbers only by chance,
    so that the interval would depend on their numbering. With ``independent="model"``, images stay
    paired and models are not. Let :math:`e_i` be the difference on image :math:`i` of the means of
    the two methods over their own models, :math:`s_e^2` its variance over :math:`I` images, and
    :math:`J_m` the number of models of method :math:`m`. The mean difference has the variance

    .. math:: \frac{s_e^2}{I} + \sum_{m=1}^2
              \frac{\mathrm{MS}_{J,m} - \mathrm{MS}_{IJ,m}}{I J_m},

    without the part of a method if it is below zero. The joint effect of a model and an image
    varies with the images and is part of :math:`s_e^2`. The mean squares are independent, and their
    sum has the degrees of freedom of :footcite:t:`satterthwaite1946`. With a third column of units,
    the first term is the variance of `interval` for the differences :math:`e`. A method without
    such units, such as the readers, has its scores repeated for each model, and its part is zero.
    If the column is averaged and not a unit, the claim is about these models. The error is then the
    error of :math:`e`, and the signs of images are flipped.

    *Equivalence* is shown if two one-sided tests reject that the difference is below minus the
    margin and that it is above the margin :footcite:p:`schuirmann1987`. This is equivalent to the
    interval at twice the level's error lying within the margin. That interval is of the kind
    `interval`, and the p-value is the least error at which it lies within the margin. A difference
    that is not significant does not show equivalence.

    *Adjustment.* By default the p-values of all comparisons are adjusted by the method of
    :footcite:t:`holm1979`, which limits the probability of any false claim. The method of
    :footcite:t:`benjamini1995` limits the expected share of false claims among the claims.

    *Effect size.* The effect size is the mean of the differences of the units divided by their
    standard deviation. It is undefined if the differences are equal up to the rounding of the
    scores, see `interval`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import gazesal
    >>> rng = np.random.default_rng(0)
    >>> easy = rng.normal(0.6, 0.1, 40)
    >>> table = pd.DataFrame(
    ...     {
    ...         "method": ["mine"] * 40 + ["theirs"] * 40,
    ...         "image": list(range(40)) * 2,
    ...         "score": np.concatenate([easy + rng.normal(0.02, 0.03, 40), easy]),
    ...     }
    ... )
    >>> images = gazesal.stats.Design("image")
    >>> found = gazesal.stats.compare(table, images, reference="theirs", margin=0.05, rng=0)
    >>> print(found[0])
    mine - theirs = +0.029 [+0.019, +0.040], p = 0.0001; equivalence within 0.05 shown
    >>> found[0].test
    'random sign flips'
    """
    require_design(design)
    options = IntervalOptions.checked(
        interval=interval, confidence_level=confidence_level, n_resamples=n_resamples, rng=rng
    )
    groups = as_columns(by, name="by")
    if interval == "study":
        raise ValueError('`interval` must be an interval of differences, got "study".')
    as_choice(adjust, ADJUSTMENTS, name="adjust")
    as_column(contrast, name="contrast")
    margins = as_margin(margin, groups, confidence_level)
    apart = as_independent(independent, design, options.interval)
    names, n = tuple(design.units), as_count(n_resamples, name="n_resamples", most=MOST_RESAMPLES)
    paired = paired_rows(
        table, design, contrast=contrast, reference=reference, by=groups, independent=apart
    )
    if apart is None:
        cubes = {pair: rows.difference(design) for pair, rows in paired.items()}
    else:
        both = {pair: rows.cubes(design) for pair, rows in paired.items()}
        cubes = {
            pair: mean_difference(both[pair], rows.method.resolution, design, apart)
            for pair, rows in paired.items()
        }
    if apart is not None and apart in names:
        found = independent_intervals(both, cubes, options, design, apart)
        tests = {pair: _t_or_undefined(found[pair]) for pair in cubes}
        names = tuple(name for name in names if name != apart)
        studentized = False  # these intervals are t or normal
    else:
        found = intervals_by_key(cubes, options, names=names)
        tests = p_values(cubes, found, n, rng)
        studentized = True
    adjusted = adjust_p_values(np.array([tests[pair][0] for pair in cubes]), method=adjust)
    tested = equivalences(cubes, found, margins, options, adjust)
    caveats = caveats_by_key(cubes, options, names=names, studentized=studentized)
    least = [
        least_sign_flip_p(found[pair].n_clusters, n, exact=test == "all sign flips")
        for pair, (_, test) in tests.items()
        if test.endswith("sign flips")
    ]
    n_tests = sum(not math.isnan(p) for p, _ in tests.values())
    caveats += sign_flip_caveat(least, n_tests, adjust, options.confidence_level)
    warn_of(words_of(caveats, len(cubes), options))
    rows = []
    for pair, p_adjusted in zip(cubes, adjusted.tolist(), strict=True):
        size, higher = effect(cubes[pair])
        p_value, test = tests[pair]
        rows.append(
            Comparison(
                method=str(pair.method),
                reference=str(pair.reference),
                group=tuple(zip(groups, pair.group, strict=True)),
                difference=found[pair],
                p_value=p_value,
                p_adjusted=p_adjusted,
                test=test,
                effect_size=size,
                share_higher=higher,
                n_unpaired=paired[pair].n_unpaired,
                equivalence=tested.get(pair),
            )
        )
    if any(math.isnan(row.effect_size) for row in rows):
        warn(
            "An effect size is undefined: there is one unit, or the differences of all are equal.",
            UndefinedMetricWarning,
        )
    return Comparisons(rows=tuple(rows), adjust=adjust)


def _t_or_undefined(difference: ConfidenceInterval) -> tuple[float, str]:
    """Compute the p-value of a t test, and name the test."""
    p_value = t_test(difference)
    return p_value, "undefined" if math.isnan(p_value) else "t"
