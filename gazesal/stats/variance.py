"""Variance components of scores, and the agreement of readers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.stats.agreement import intraclass_correlation
from gazesal.stats.anova import anova
from gazesal.stats.design import Design, as_columns, require_design
from gazesal.stats.half_width import as_assurance, error_parts, quantile_of_half_width
from gazesal.stats.interval_methods import as_confidence_level
from gazesal.stats.results import ConfidenceInterval
from gazesal.stats.score_cube import cubes_of

__all__ = ["VarianceComponents", "variance_components"]

ROUNDING = 1e-9  # absolute, of a correlation


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class VarianceComponents:
    """Components of the variance of crossed scores.

    Attributes
    ----------
    units : dict of int
        Columns of units and the number of units of each.
    components : dict of float
        Variance of the effect of each column and of each joint effect, with names such as
        ``"image"`` and ``"image:reader"``. The last component includes the error of the scores. An
        estimate may be negative if the true variance is near zero.
    mean_squares : dict of float
        Mean squares of the analysis of variance, with the same names.
    degrees_of_freedom : dict of float
        Degrees of freedom of the mean squares.
    """

    units: dict[str, int]
    components: dict[str, float]
    mean_squares: dict[str, float]
    degrees_of_freedom: dict[str, float]

    def __repr__(self) -> str:
        sizes = " x ".join(f"{n} {name}" for name, n in self.units.items())
        total = sum(max(value, 0.0) for value in self.components.values())
        lines = [
            f"{name}: {value:.3g}" + (f" ({max(value, 0) / total:.0%})" if total else "")
            for name, value in self.components.items()
        ]
        return "\n".join([f"Variance of {sizes}", *lines])

    def to_frame(self) -> pd.DataFrame:
        """Return the components as a table.

        Returns
        -------
        pandas.DataFrame
            One row per effect, with the columns effect, component, share (of the sum, with negative
            components as zero), mean_square and degrees_of_freedom.
        """
        total = sum(max(value, 0.0) for value in self.components.values())
        return pd.DataFrame(
            {
                "effect": list(self.components),
                "component": list(self.components.values()),
                "share": [
                    max(value, 0.0) / total if total else math.nan
                    for value in self.components.values()
                ],
                "mean_square": list(self.mean_squares.values()),
                "degrees_of_freedom": list(self.degrees_of_freedom.values()),
            }
        )

    def half_width(
        self,
        sizes: Mapping[str, int] | None = None,
        *,
        fixed: Sequence[str] | str = (),
        confidence_level: float = 0.95,
        assurance: float | None = None,
    ) -> float:
        r"""Return the expected half-width of the interval of the mean in a study of other sizes.

        Parameters
        ----------
        sizes : dict of int, optional
            Number of units of each column. By default a column keeps its number.
        fixed : str or sequence of str, optional
            Columns not to generalize over, if the study has the same readers or models.
        confidence_level : float, default 0.95
            Confidence level.
        assurance : float, optional
            Probability with which the half-width of a study is at most the returned one. By default
            the expected half-width is returned, which 40 to 48 % of studies exceed.

        Returns
        -------
        float
            Half-width, in the unit of the scores.

        Raises
        ------
        ValueError
            If a name is not a column of units, all columns are fixed, a size is below 1 (below 2
            for a column that is not fixed), or `assurance` is not between 0 and 1.
        TypeError
            If a size is not an integer.

        Notes
        -----
        Let :math:`\sigma_S^2` be the components of the sets :math:`S` of columns, with negative
        components set to zero. The variance of the mean is
        :math:`\sum_S \sigma_S^2/\prod_{f \in S} n_f` over the sets that are not all fixed. Its
        degrees of freedom are computed by Satterthwaite from the expected mean squares. The
        half-width is Student's quantile times the square root of the variance.

        The variance found by a study is distributed about this sum like :math:`\chi^2_\nu/\nu`
        with these :math:`\nu` degrees of freedom. With `assurance`, the half-width is multiplied
        by the square root of this quantile.
        """
        confidence_level = as_confidence_level(confidence_level)
        assurance = as_assurance(assurance)
        total, divisor = error_parts(
            self.units, self.components, sizes or {}, as_columns(fixed, name="fixed")
        )
        if total == 0:
            return 0.0
        degrees = total**2 / divisor
        return quantile_of_half_width(degrees, confidence_level, assurance) * math.sqrt(total)

    def agreement(
        self, targets: str, raters: str, *, kind: str = "absolute", confidence_level: float = 0.95
    ) -> ConfidenceInterval:
        r"""Return the intraclass correlation, the reliability of the scores of one rater.

        Parameters
        ----------
        targets : str
            Column of the rated units, such as the image.
        raters : str
            Column of the raters, such as the reader.
        kind : {"absolute", "consistency"}, default "absolute"
            Raters who differ by a constant disagree with ``"absolute"`` and agree with
            ``"consistency"``.
        confidence_level : float, default 0.95
            Confidence level.

        Returns
        -------
        ConfidenceInterval
            Interval of the correlation of one rater, which is at most 1 and may be negative. The
            bounds are ``nan`` if the formulas give bounds that do not enclose the estimate, as with
            very few targets.

        Raises
        ------
        ValueError
            If `targets` and `raters` are not the two columns of units, or `kind` is invalid.

        Warns
        -----
        UndefinedMetricWarning
            If the bounds are undefined.

        Notes
        -----
        The correlations are ICC(2, 1) and ICC(3, 1) of :footcite:t:`shrout1979`. With the mean
        squares of targets :math:`R`, raters :math:`C` and error :math:`E`, for :math:`n` targets
        and :math:`k` raters, they are

        .. math:: \frac{R - E}{R + (k - 1) E + \frac kn (C - E)}, \qquad
                  \frac{R - E}{R + (k - 1) E}.

        The intervals are from the same article.

        References
        ----------
        .. footbibliography::
        """
        level = as_confidence_level(confidence_level)
        if {targets, raters} != set(self.units) or targets == raters:
            raise ValueError(
                f"`targets` and `raters` must be the two columns of {', '.join(self.units)}, got "
                f"{targets!r} and {raters!r}. Average over other columns in the design."
            )
        if kind not in {"absolute", "consistency"}:
            raise ValueError(f'`kind` must be "absolute" or "consistency", got {kind!r}.')
        n, k = self.units[targets], self.units[raters]
        squares = (
            self.mean_squares[targets],
            self.mean_squares[raters],
            self.mean_squares[":".join(self.units)],
        )
        absolute = kind == "absolute"
        estimate, low, high = intraclass_correlation(n, k, *squares, absolute, 0.5 + level / 2)
        if not low - ROUNDING <= estimate <= high + ROUNDING:  # also if one is NaN
            low = high = math.nan
            warn(
                f"The interval of the agreement is undefined: {n} {targets} and {k} {raters} are "
                "too few, or their scores do not vary.",
                UndefinedMetricWarning,
            )
        return ConfidenceInterval(
            estimate=estimate,
            low=low,
            high=high,
            confidence_level=level,
            interval=f"icc {kind}",
            n_scores=n * k,
            n_clusters=min(n, k),
            units=((targets, n), (raters, k)),
        )


def variance_components(table: pd.DataFrame, design: Design) -> VarianceComponents:
    """Split the variance of scores by their units, such as image, reader and model.

    Parameters
    ----------
    table : pandas.DataFrame
        Scores of one method and metric, one per row, in any order.
    design : Design
        One, two or three crossed columns of units. Every combination must have a score.

    Returns
    -------
    VarianceComponents
        Components by the method of moments, from the analysis of variance of the cells.

    Raises
    ------
    ValueError
        If the design has nested units or weights, a column of units has one unit only, or as for
        `interval`.
    TypeError
        As for `interval`.

    See Also
    --------
    plan_study : Find the number of units for a given half-width.
    interval : Compute an interval from these components.

    Notes
    -----
    All columns of units are random effects. The mean squares are set equal to their expected values
    and solved for the components. For balanced and crossed scores, these estimates are unbiased for
    any distribution of the effects.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import gazesal
    >>> rng = np.random.default_rng(0)
    >>> image, reader = np.repeat(np.arange(40), 5), np.tile(np.arange(5), 40)
    >>> score = 0.6 + rng.normal(0, 0.1, 40)[image] + rng.normal(0, 0.05, 200)
    >>> table = pd.DataFrame({"image": image, "reader": reader, "score": score})
    >>> parts = gazesal.stats.variance_components(table, gazesal.stats.Design(["image", "reader"]))
    >>> parts
    Variance of 40 image x 5 reader
    image: 0.00612 (70%)
    reader: 4.67e-05 (1%)
    image:reader: 0.00252 (29%)
    >>> print(parts.agreement("image", "reader"))
    0.705 [0.588, 0.809]
    >>> round(parts.half_width({"image": 100}), 4)
    0.0174
    """
    require_design(design)
    if design.nested is not None or design.weights is not None:
        raise ValueError("`design` must have crossed units only, without `nested` and `weights`.")
    (cube,) = cubes_of(table, design).values()
    if min(cube.shape) == 1:
        single = design.units[cube.shape.index(1)]
        raise ValueError(f"`{single}` must have two units or more, got one.")
    found = anova(cube.sums.reshape(*cube.shape, 1))
    names = [":".join(design.units[axis] for axis in effect) for effect in found.effects]
    return VarianceComponents(
        units=dict(zip(design.units, cube.shape, strict=True)),
        components=dict(zip(names, found.components()[:, 0].tolist(), strict=True)),
        mean_squares=dict(zip(names, found.mean_squares[:, 0].tolist(), strict=True)),
        degrees_of_freedom=dict(zip(names, found.degrees.tolist(), strict=True)),
    )
