"""Differences of methods that were scored on the same units."""

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
from gazesal.stats.comparison_result import Comparison, Comparisons
from gazesal.stats.design import Design, as_columns, require_design
from gazesal.stats.independent_units import (
    as_independent,
    halves_of,
    independent_intervals,
    paired_parts,
)
from gazesal.stats.interval_methods import Method, Options
from gazesal.stats.multiplicity import ADJUSTMENTS, Adjustment, adjust_p_values
from gazesal.stats.paired_tests import (
    as_margin,
    effect,
    equivalences,
    least_p,
    p_values,
    t_test,
)
from gazesal.stats.pairing import differences
from gazesal.stats.results import ConfidenceInterval
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
    interval: Method = "t",
    confidence_level: float = 0.95,
    adjust: Adjustment = "holm",
    n_resamples: int = 10_000,
    rng: RandomState | None = None,
) -> Comparisons:
    r"""Compare methods that were scored on the same units, pair by pair.

    Overlapping intervals do not show that two methods are alike: what is easy or hard about an
    image is the same for both, and leaves their difference.

    Parameters
    ----------
    table : pandas.DataFrame, one row a score
        Scores of several methods, in any order.
    design : Design
        Which columns are units to generalize to, and which are averaged over. Scores are paired
        where all of them agree.
    contrast : str, default "method"
        Column of what is compared.
    reference : object, optional
        The value of `contrast` that all others are compared with, such as the ceiling. By default
        every pair is compared.
    by : str or sequence of str, optional
        Columns that part the table into groups, such as the metric.
    independent : str, optional
        Column of `design`'s units or averaged columns that are not the same in two methods, such
        as the trained models of two networks: whatever their names, they are not paired, and their
        numbers may differ. Without it, training 1 of one method is paired with training 1 of
        another, which is right only where they have something in common, such as the same split
        of the data.
    margin : float or dict of float, optional
        Largest difference that counts as none, to test equivalence; stated beforehand and not
        found from the scores. A dictionary has one for each value of `by`.
    interval : {"t", "normal", "bootstrap", "basic", "bca", "studentized"}, default "t"
        How the interval of the difference is made; see `interval`.
    confidence_level : float, default 0.95
        Confidence level.
    adjust : {"holm", "benjamini-hochberg", "none"}, default "holm"
        How the p-values are adjusted for the number of comparisons of this call, over all groups;
        see `adjust_p_values`. Intervals are not adjusted.
    n_resamples : int, default 10000
        Number of bootstrap resamples, and the largest number of sign patterns.
    rng : int, numpy.random.Generator or other seed, optional
        Source of resamples and of sign patterns; required but where nothing is drawn. A Generator
        is copied and left as it is.

    Returns
    -------
    Comparisons
        Differences with intervals, p-values, effect sizes and, with a margin, equivalence.

    Raises
    ------
    ValueError
        If a score has no partner and the design does not say to drop it, there is nothing to
        compare, `margin` is not positive, has a key that is no value of `by` or goes with a
        `confidence_level` of 0.5 or less, `independent` is no column of the design, the only
        column of units or (as one of them) together with a bootstrap, a column of `by` or of the
        units is one of the result's own, or as for `interval`.
    TypeError
        As `interval`.

    Warns
    -----
    UndefinedMetricWarning
        If an interval, a test or an effect size is undefined.
    IntervalWarning
        If intervals may cover the truth less often than their level says, as for `interval`, or if
        the sign flips of so few units cannot give a p-value below the level's error. One warning
        covers all comparisons of the call.

    See Also
    --------
    interval : What the intervals are.
    adjust_p_values : The adjustment alone.

    Notes
    -----
    The interval is that of the mean of the paired differences, as `interval` makes it.

    With one column of units the p-value is that of the sign-flip test: under the null hypothesis a
    unit's difference could have had the other sign, so the mean is compared with that under all
    :math:`2^k` patterns of signs of the :math:`k` units, or under `n_resamples` random ones where
    there are more. It is exact if the differences are symmetric about zero. With crossed units no
    flip of one kind answers for the other, and the p-value is that of the t statistic over
    variance components.

    *Independent units.* Pairing by label is a claim about the units: that image 7 of one method is
    image 7 of the other, and that model 3 is model 3. For separately trained models it is not
    so: which two share a number is chance, and so would be the interval. With
    ``independent="model"`` images stay paired and models do not. Let :math:`e_i` be the difference
    on image :math:`i` of the two methods' means over their own models, :math:`s_e^2` its variance
    over :math:`I` images, and :math:`J_m` the number of models of method :math:`m`. The variance
    of the mean difference is then

    .. math:: \frac{s_e^2}{I} + \sum_{m=1}^2
              \frac{\mathrm{MS}_{J,m} - \mathrm{MS}_{IJ,m}}{I J_m},

    where a method's own part is left out if it is below zero. What a model has in common with an
    image varies with the images and is within :math:`s_e^2`. The degrees of freedom are
    those of :footcite:t:`satterthwaite1946` over these mean squares, which are independent of one
    another. (With a third column of units the first term is what `interval` takes for the
    differences :math:`e`.) A method without such units, like the readers, has its
    scores repeated for each, and its own part is zero. Where the column is averaged and not a unit,
    the claim is about these models, the error is that of :math:`e`, and the sign flips are those of
    the images.

    The least p-value of :math:`2^k` patterns is :math:`2^{1-k}`, and after Holm's adjustment for
    :math:`m` comparisons :math:`m\,2^{1-k}`.

    Equivalence is shown if both one-sided tests, that the difference is below minus the margin and
    that it is above the margin, are rejected :footcite:p:`schuirmann1987`. This is so exactly if
    the interval at twice the level's error lies within the margin. That interval is of the kind
    `method`, and its p-value is the least error at which it lies within the margin. A difference
    that is not significant does not show equivalence.

    By default the p-values of all comparisons are adjusted by the steps of :footcite:t:`holm1979`,
    which bound the chance of any false claim; those of :footcite:t:`benjamini1995` bound the share
    of false ones among the claims.

    The effect size is the mean of the units' differences over their standard deviation. Differences
    that are equal up to the rounding of the scores behind them, as `interval` explains, have none.

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
    options = Options.checked(
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
    if apart is None:
        samples, unpaired = differences(table, design, contrast, reference, groups)
    else:
        halves = halves_of(table, design, contrast, reference, groups, apart)
        samples = paired_parts(halves, design, apart)
        unpaired = {pair: each.n_alone for pair, each in halves.items()}
    if apart is not None and apart in design.units:
        found = independent_intervals(halves, samples, options, design, apart)
        tests = {pair: _t_or_undefined(found[pair]) for pair in samples}
    else:
        found = intervals_by_key(samples, options, names=names, stacklevel=3)
        tests = p_values(samples, found, n, rng)
    adjusted = adjust_p_values(np.array([tests[pair][0] for pair in samples]), method=adjust)
    shown = equivalences(samples, found, margins, options, adjust)
    paired = tuple(name for name in names if name != apart)
    studentized = paired == names  # the interval with independent units is t or normal
    caveats = caveats_by_key(samples, options, names=paired, studentized=studentized)
    flipped = [
        least_p(test, found[pair].n_clusters, n)
        for pair, (_, test) in tests.items()
        if test.endswith("sign flips")
    ]
    n_tests = sum(not math.isnan(p) for p, _ in tests.values())
    caveats += sign_flip_caveat(flipped, n_tests, adjust, options.confidence_level)
    warn_of(words_of(caveats, len(samples), options), stacklevel=2)
    rows = []
    for pair, p_adjusted in zip(samples, adjusted.tolist(), strict=True):
        size, better = effect(samples[pair])
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
                share_higher=better,
                n_unpaired=unpaired[pair],
                equivalence=shown.get(pair),
            )
        )
    if any(math.isnan(row.effect_size) for row in rows):
        warn(
            "An effect size is undefined: there is one unit, or the differences of all are equal.",
            UndefinedMetricWarning,
            stacklevel=2,
        )
    return Comparisons(rows=tuple(rows), adjust=adjust)


def _t_or_undefined(difference: ConfidenceInterval) -> tuple[float, str]:
    p_value = t_test(difference)
    return p_value, "undefined" if math.isnan(p_value) else "t"
