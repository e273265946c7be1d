"""Intervals of mean scores from a table whose columns name the units."""

from __future__ import annotations

import copy
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from gazesal.stats.caveats import Caveat, caveats_of, warn_of, words_of
from gazesal.stats.design import Design, as_columns, require_design
from gazesal.stats.interval_methods import Method, Options, intervals_of
from gazesal.stats.results import ConfidenceInterval, joined, row_of
from gazesal.stats.sample import Sample
from gazesal.stats.score_cube import Key, bunched, samples_of
from gazesal.typing import RandomState

__all__ = ["caveats_by_key", "interval", "interval_table", "intervals_by_key"]


def interval(
    table: pd.DataFrame,
    design: Design,
    *,
    interval: Method = "t",
    confidence_level: float = 0.95,
    n_resamples: int = 10_000,
    rng: RandomState | None = None,
) -> ConfidenceInterval:
    r"""Compute a confidence interval of the mean score of a table whose columns name the units.

    Parameters
    ----------
    table : pandas.DataFrame, one row a score
        Scores of one method and metric, in any order.
    design : Design
        Which columns are units to generalize to, and which are averaged over.
    interval : {"t", "normal", "bootstrap", "basic", "bca", "studentized", "study"}, default "t"
        ``"t"``: Student's t over the means of the units; with crossed units the error comes from
        variance components, with Satterthwaite's degrees of freedom. ``"normal"``: the same error
        with the normal quantile. ``"bootstrap"``: percentiles of the mean over resampled units.
        ``"basic"``: these percentiles mirrored at the estimate. ``"bca"``: corrected for bias and
        skewness. ``"studentized"``: each resample over its own standard error; one kind of units
        only. ``"study"``: as the study prints it, pooled.
    confidence_level : float, default 0.95
        Confidence level, between 0 and 1; the study's form has 0.95 only.
    n_resamples : int, default 10000
        Number of bootstrap resamples.
    rng : int, numpy.random.Generator or other seed, optional
        Source of the resamples; required for the four methods that resample. A Generator is
        advanced: the next call draws others.

    Returns
    -------
    ConfidenceInterval
        Estimate, bounds, standard error and counts. The bounds are ``nan`` if there is one unit
        of a kind, or too few for the method.

    Raises
    ------
    ValueError
        If a column is absent or has two roles, a score is not finite, a unit has no name, two
        scores are not told apart, the design is unbalanced and does not say what to do then, or
        an option is out of range.
    TypeError
        If `table` is not a frame, the scores are not numbers, or the labels of a column are of
        several kinds.

    Warns
    -----
    UndefinedMetricWarning
        If the bounds are undefined.
    IntervalWarning
        If the interval may cover the truth less often than its level says: fewer than
        :math:`28 + 25 G^2` units of skewness :math:`G`, except for ``"studentized"``; fewer than
        ten units of a kind for ``"bootstrap"``, ``"basic"`` and ``"bca"``; heavy tails for
        ``"bca"`` and ``"studentized"``. The form ``"study"`` is not checked.

    See Also
    --------
    interval_table : Intervals of all groups of a table at once.
    confidence_interval : Of an array, with one kind of units.
    compare : Differences of methods.

    Notes
    -----
    Let :math:`Y_{ij}` be the score of image :math:`i` with model :math:`j` (averaged over what
    the design names so), :math:`\bar Y` their mean over :math:`I` images and :math:`J` models.

    *Which units vary.* With images as the only units the models are held fixed, and the claim is
    about these models. With both, it is about images and models like these. Crossed units are
    resampled independently of one another, each resample weighting cell :math:`(i, j)` by the
    product of the numbers of times that its image and its model were drawn: the pigeonhole
    bootstrap of :footcite:t:`owen2007`. It counts what is particular to a cell three times over,
    which is little with many cells, but what varies between :math:`J` models :math:`(J - 1)/J`
    times: with five models it is too narrow where models differ. Nested units are drawn again
    within each drawn unit; this counts the variation within units twice
    :footcite:p:`davison1997`, so that it is better to leave them ``averaged``.

    *From variance components* :math:`\mathrm{Var}(\bar Y) = (\mathrm{MS}_I + \mathrm{MS}_J -
    \mathrm{MS}_{IJ})/(IJ)`, with the mean squares of the analysis of variance (for three kinds of
    units likewise, with signs; a component below zero is left out). A sum
    :math:`V = \sum_s a_s \mathrm{MS}_s` has about
    :math:`V^2 / \sum_s \bigl((a_s \mathrm{MS}_s)^2 / \nu_s\bigr)` degrees of freedom
    :footcite:p:`satterthwaite1946`. With one kind of units this is the usual t interval over their
    means.

    *Missing cells.* With ``weights``, two crossed kinds of units need not have a score in every
    cell: a column of ones makes every score count alike. The variance is then
    :math:`V_I + V_J - V_{IJ}`, of the sums over images, over models, and of the cells
    :footcite:p:`cameron2011`, the last about the effects of both, so that with complete cells it is
    the one above.

    *BCa.* With :math:`z_0` the normal quantile of the share of resamples below the estimate and
    :math:`a` a sixth of the skewness of the jackknife's influences, the bounds are the quantiles
    :math:`\Phi\bigl(z_0 + \frac{z_0 + z}{1 - a (z_0 + z)}\bigr)` of the resampled means
    :footcite:p:`efron1987`.

    *Number of units.* The rule :math:`n > 28 + 25 G^2` is that of :footcite:t:`cochran1977` as
    extended to the t interval by :footcite:t:`sugden2000`; with crossed units it is applied to the
    kind that has the most. Tails are heavy if the excess kurtosis of the units exceeds
    :math:`1.5 G^2`, that of a gamma distribution, by more than 1.

    Scores that differ by less than 1e-12 of the largest one (2.4e-7 if they were computed in
    float32, as they were if all of them fit it) are the same score parted by rounding.

    Which to take, and how often each covers the truth: see the page on intervals.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import gazesal
    >>> rng = np.random.default_rng(0)
    >>> image, model = np.repeat(np.arange(30), 5), np.tile(np.arange(5), 30)
    >>> noise = rng.normal(0, 0.1, 30)[image] + rng.normal(0, 0.03, 5)[model]
    >>> table = pd.DataFrame({"image": image, "model": model, "score": 0.6 + noise})
    >>> these = gazesal.stats.Design("image", averaged="model")
    >>> print(gazesal.stats.interval(table, these))
    0.584 [0.553, 0.615]
    >>> print(gazesal.stats.interval(table, these, interval="bca", rng=0))
    0.584 [0.554, 0.612]
    >>> like_these = gazesal.stats.Design(["image", "model"])
    >>> print(gazesal.stats.interval(table, like_these))
    0.584 [0.550, 0.619]
    """
    options = Options.checked(
        interval=interval, confidence_level=confidence_level, n_resamples=n_resamples, rng=rng
    )
    require_design(design)
    (sample,) = samples_of(table, design).values()
    (found,) = intervals_of(sample, options, names=tuple(design.units), stacklevel=3)
    warn_of(words_of(caveats_of(sample, options, design.units, [""]), 1, options), stacklevel=2)
    return found


def interval_table(
    table: pd.DataFrame,
    design: Design,
    *,
    by: Sequence[str] | str,
    interval: Method = "t",
    confidence_level: float = 0.95,
    n_resamples: int = 10_000,
    rng: RandomState | None = None,
) -> pd.DataFrame:
    """Compute the intervals of all groups of a table, such as every method and metric.

    Each row is that of `interval` on the rows of its group, with the same bits. Groups with the
    same units share their resamples.

    Parameters
    ----------
    table : pandas.DataFrame, one row a score
        Scores, in any order.
    design : Design
        Which columns are units to generalize to, and which are averaged over.
    by : str or sequence of str
        Columns that part the table into groups.
    interval : {"t", "normal", "bootstrap", "basic", "bca", "studentized", "study"}, default "t"
        See `interval`.
    confidence_level : float, default 0.95
        Confidence level, between 0 and 1; the study's form has 0.95 only.
    n_resamples : int, default 10000
        Number of bootstrap resamples.
    rng : int, numpy.random.Generator or other seed, optional
        Source of the resamples; required for the methods that resample. A Generator is copied and
        left as it is.

    Returns
    -------
    pandas.DataFrame
        One row a group, in order of their names: the columns `by`, estimate, low, high,
        standard_error, degrees_of_freedom, n_scores, n_clusters, the number of each kind of
        units, n_dropped, interval (the method) and level. Its ``attrs["caveats"]`` holds the text
        of an `IntervalWarning`, or is empty.

    Raises
    ------
    ValueError
        If a column of `by` or of the units is one of the result's own, or as for `interval`.
    TypeError
        As `interval`.

    Warns
    -----
    UndefinedMetricWarning
        If bounds are undefined.
    IntervalWarning
        If intervals may cover the truth less often than their level says, as for `interval`. One
        warning names the number of such rows and the worst of them.

    See Also
    --------
    interval : Of one group, with what the methods are.
    summary_text : Lays out the result if it has the columns method and metric.

    Notes
    -----
    As for `interval`: Student's t with the degrees of freedom of
    :footcite:t:`satterthwaite1946`, the bootstrap of :footcite:t:`owen2007` where units are
    crossed, its basic and studentized forms after :footcite:t:`davison1997`, and the BCa after
    :footcite:t:`efron1987`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import gazesal
    >>> table = pd.DataFrame(
    ...     {
    ...         "method": ["a"] * 40 + ["b"] * 40,
    ...         "image": list(range(40)) * 2,
    ...         "score": np.random.default_rng(0).normal(0.6, 0.1, 80),
    ...     }
    ... )
    >>> rows = gazesal.stats.interval_table(table, gazesal.stats.Design("image"), by="method")
    >>> print(rows[["method", "estimate", "low", "high", "n_image"]].round(3))
      method  estimate    low   high  n_image
    0      a     0.594  0.568  0.619       40
    1      b     0.630  0.595  0.665       40
    """
    options = Options.checked(
        interval=interval, confidence_level=confidence_level, n_resamples=n_resamples, rng=rng
    )
    require_design(design)
    columns = as_columns(by, name="by")
    samples = samples_of(table, design, by=columns)
    found = intervals_by_key(samples, options, names=tuple(design.units), stacklevel=3)
    caveats = caveats_by_key(samples, options, names=tuple(design.units))
    words = words_of(caveats, len(samples), options)
    warn_of(words, stacklevel=2)
    rows = [joined(dict(zip(columns, key, strict=True)), row_of(found[key])) for key in samples]
    made = pd.DataFrame(rows)
    made.attrs["caveats"] = words
    return made


def intervals_by_key(
    samples: Mapping[Key, Sample], options: Options, *, names: tuple[str, ...], stacklevel: int
) -> dict[Key, ConfidenceInterval]:
    """Interval of each sample, with the same bits as if it were alone."""
    found: dict[Key, ConfidenceInterval] = {}
    for keys, stack in bunched(samples):
        alone = replace(options, generator=copy.deepcopy(options.generator))
        made = intervals_of(stack, alone, names=names, stacklevel=stacklevel + 1)
        found.update(zip(keys, made, strict=True))
    return found


def caveats_by_key(
    samples: Mapping[Key, Sample],
    options: Options,
    *,
    names: tuple[str, ...],
    studentized: bool = True,
) -> list[Caveat]:
    """Return caveats of the intervals of all samples, each with the words of its key."""
    return [
        caveat
        for key, sample in samples.items()
        for caveat in caveats_of(sample, options, names, [_words(key)], studentized=studentized)
    ]


def _words(key: Hashable) -> str:
    return ", ".join(map(str, key)) if type(key) is tuple else str(key)
