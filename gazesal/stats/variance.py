"""Where scores vary: parts of the variance, and agreement of readers."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from gazesal._validation import as_count
from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.stats.anova import Anova, anova
from gazesal.stats.design import Design, as_columns, require_design
from gazesal.stats.interval_methods import Options
from gazesal.stats.results import ConfidenceInterval
from gazesal.stats.score_cube import samples_of

__all__ = [
    "VarianceComponents",
    "as_assurance",
    "error_parts",
    "quantile_of_half_width",
    "variance_components",
]

ROUNDING = 1e-9  # of a correlation


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class VarianceComponents:
    """Parts of the variance of crossed scores.

    Attributes
    ----------
    units : dict of int
        Columns of units and how many units each has.
    components : dict of float
        Variance of each column's effect and of each joint effect, named like ``"image"`` and
        ``"image:reader"``. The last one holds the error of the scores too. Estimates may be
        negative, where the truth is near zero.
    mean_squares : dict of float
        Of the analysis of variance, by the same names.
    degrees_of_freedom : dict of float
        Of the mean squares.
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
        """Return the components as a table, one row an effect.

        Returns
        -------
        pandas.DataFrame
            Columns effect, component, share (of the sum, negative ones as zero), mean_square and
            degrees_of_freedom.
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
        r"""Return the expected half-width of the mean's interval in a study of other sizes.

        Parameters
        ----------
        sizes : dict of int, optional
            How many units of each column; those that are not named stay as they were.
        fixed : str or sequence of str, optional
            Columns not to generalize over: the same readers or models are meant.
        confidence_level : float, default 0.95
            Confidence level.
        assurance : float, optional
            Probability with which a study's half-width is at most the returned one. By default the
            half-width is the expected one, which 40 to 48 % of studies exceed.

        Returns
        -------
        float
            Half-width, in the unit of the scores.

        Raises
        ------
        ValueError
            If a column is not a unit here, all are fixed, a size is below 1 (below 2 for a
            column that is not fixed), or `assurance` is not between 0 and 1.
        TypeError
            If a size is not an integer.

        Notes
        -----
        With the components :math:`\sigma_S^2` of the sets :math:`S` of columns, none below zero,
        the variance of the mean is :math:`\sum_S \sigma_S^2/\prod_{f \in S} n_f` over the sets
        that are not all fixed; its degrees of freedom are Satterthwaite's, of the expected mean
        squares; the half-width is Student's quantile times its root.

        The variance that a study finds varies about that sum like :math:`\chi^2_\nu/\nu` with
        these :math:`\nu` degrees of freedom. With `assurance` the half-width is multiplied by the
        root of that quantile.
        """
        confidence_level = Options.checked(
            interval="t", confidence_level=confidence_level, n_resamples=1, rng=None
        ).confidence_level
        assurance = as_assurance(assurance)
        total, divisor = error_parts(self, sizes or {}, as_columns(fixed, name="fixed"))
        if total == 0:
            return 0.0
        degrees = total**2 / divisor
        return quantile_of_half_width(degrees, confidence_level, assurance) * math.sqrt(total)

    def agreement(
        self, targets: str, raters: str, *, kind: str = "absolute", confidence_level: float = 0.95
    ) -> ConfidenceInterval:
        r"""Return the intraclass correlation of raters: how far one of them stands for all.

        Parameters
        ----------
        targets : str
            Column of what is rated, such as the image.
        raters : str
            Column of those who rate, such as the reader.
        kind : {"absolute", "consistency"}, default "absolute"
            Whether raters who differ by a constant disagree.
        confidence_level : float, default 0.95
            Confidence level.

        Returns
        -------
        ConfidenceInterval
            Of the correlation of one rater, at most 1; may be negative. The bounds are ``nan``
            where those of the source do not hold the estimate between them, as with very few
            targets.

        Raises
        ------
        ValueError
            If these are not the two columns of units, or `kind` is not one of them.

        Warns
        -----
        UndefinedMetricWarning
            If the bounds are undefined.

        Notes
        -----
        ICC(2, 1) and ICC(3, 1) of :footcite:t:`shrout1979`; with the mean squares of targets
        :math:`R`, raters :math:`C` and error :math:`E`, of :math:`n` targets and :math:`k` raters,

        .. math:: \frac{R - E}{R + (k - 1) E + \frac kn (C - E)}, \qquad
                  \frac{R - E}{R + (k - 1) E}.

        The intervals are those given there.

        References
        ----------
        .. footbibliography::
        """
        from scipy.special import fdtri  # noqa: PLC0415  (slow to import)

        confidence_level = Options.checked(
            interval="t", confidence_level=confidence_level, n_resamples=1, rng=None
        ).confidence_level
        if {targets, raters} != set(self.units) or targets == raters:
            raise ValueError(
                f"`targets` and `raters` must be the two columns of {', '.join(self.units)}, got "
                f"{targets!r} and {raters!r}; average the others in the design."
            )
        if kind not in {"absolute", "consistency"}:
            raise ValueError(f'`kind` must be "absolute" or "consistency", got {kind!r}.')
        n, k = self.units[targets], self.units[raters]
        rows, columns = self.mean_squares[targets], self.mean_squares[raters]
        error = self.mean_squares[":".join(self.units)]
        upper = 0.5 + confidence_level / 2
        spare = (n - 1) * (k - 1)
        if kind == "consistency":
            below = rows + (k - 1) * error
            if below == 0 or error == 0:
                estimate = low = high = 1.0 if below > 0 else math.nan
            else:
                estimate, ratio = (rows - error) / below, rows / error
                least = ratio / float(fdtri(n - 1, spare, upper))
                most = ratio * float(fdtri(spare, n - 1, upper))
                low, high = ((f - 1) / (f + k - 1) for f in (least, most))
        else:
            below = rows + (k - 1) * error + k / n * (columns - error)
            estimate = (rows - error) / below if below > 0 else math.nan
            low, high = estimate, estimate
            if error > 0 or columns > 0:
                low, high = _absolute_bounds(n, k, rows, columns, error, estimate, upper)
        if not low - ROUNDING <= estimate <= high + ROUNDING:  # also where one is NaN
            low = high = math.nan
            warn(
                f"The interval of the agreement is undefined: {n} {targets} and {k} {raters} are "
                "too few, or their scores do not vary.",
                UndefinedMetricWarning,
                stacklevel=2,
            )
        return ConfidenceInterval(
            estimate=estimate,
            low=low,
            high=high,
            confidence_level=confidence_level,
            interval=f"icc {kind}",
            n_scores=n * k,
            n_clusters=min(n, k),
            units=((targets, n), (raters, k)),
        )


def as_assurance(assurance: float | None) -> float | None:
    """Return a probability of reaching a half-width, checked."""
    if assurance is None:
        return None
    real = isinstance(assurance, numbers.Real) and not isinstance(assurance, bool)
    if not (real and 0 < assurance < 1):
        raise ValueError(f"`assurance` must be a number between 0 and 1, got {assurance!r}.")
    return float(assurance)


def quantile_of_half_width(
    degrees: float, confidence_level: float, assurance: float | None
) -> float:
    """Return half-width / root of expected variance, on average or with a probability."""
    from scipy.special import chdtri, stdtrit  # noqa: PLC0415  (slow to import)

    quantile = float(stdtrit(degrees, 0.5 + confidence_level / 2))
    if assurance is None:
        return quantile
    return quantile * math.sqrt(float(chdtri(degrees, 1 - assurance)) / degrees)


def error_parts(
    parts: VarianceComponents, sizes: Mapping[str, int], held: tuple[str, ...]
) -> tuple[float, float]:
    """Variance of the mean, and what its square is over to be degrees of freedom.

    Neither rises with a number of units that is not held.
    """
    planned = _planned(parts, sizes, held)
    varying = [name for name in parts.units if name not in held]
    # averaged over what is held fixed, which adds its joint effects to those of the others
    variance: dict[frozenset[str], float] = {}
    for name, value in parts.components.items():
        effect = frozenset(name.split(":"))
        rest = effect - set(held)
        if rest:
            shared = math.prod(planned[column] for column in effect & set(held))
            variance[rest] = variance.get(rest, 0.0) + max(value, 0.0) / shared
    total = sum(
        value / math.prod(planned[column] for column in effect)
        for effect, value in variance.items()
    )
    n_cells = math.prod(planned[column] for column in varying)
    divisor = 0.0
    for effect in variance:
        square = sum(
            value * math.prod(planned[c] for c in varying if c not in other)
            for other, value in variance.items()
            if effect <= other
        )
        freedom = math.prod(planned[column] - 1 for column in effect)
        divisor += (square / n_cells) ** 2 / freedom
    if divisor == 0:  # also where the squares of tiny variances are
        return 0.0, 0.0
    return total, divisor


def _planned(
    parts: VarianceComponents, sizes: Mapping[str, int], held: tuple[str, ...]
) -> dict[str, int]:
    unknown = [name for name in (*sizes, *held) if name not in parts.units]
    if unknown:
        raise ValueError(
            f"`sizes` and `fixed` must name columns of {', '.join(parts.units)}, got "
            f"{', '.join(map(str, unknown))}."
        )
    if set(held) >= set(parts.units):
        raise ValueError(f"`fixed` must leave a column to generalize over, got {held!r}.")
    return {
        name: as_count(sizes.get(name, n), name=name, least=1 if name in held else 2)
        for name, n in parts.units.items()
    }


def _absolute_bounds(
    n: int, k: int, rows: float, columns: float, error: float, estimate: float, upper: float
) -> tuple[float, float]:
    from scipy.special import fdtri  # noqa: PLC0415  (slow to import)

    gain = k * estimate / (n * (1 - estimate))
    rest = 1 + k * estimate * (n - 1) / (n * (1 - estimate))
    spread = (gain * columns + rest * error) ** 2
    if spread == 0:
        return math.nan, math.nan
    degrees = spread / ((gain * columns) ** 2 / (k - 1) + (rest * error) ** 2 / ((n - 1) * (k - 1)))
    least = float(fdtri(n - 1, degrees, upper))
    most = float(fdtri(degrees, n - 1, upper))
    others = k * columns + (k * n - k - n) * error
    low = n * (rows - least * error) / (least * others + n * rows)
    high = n * (most * rows - error) / (others + n * most * rows)
    return low, high


def variance_components(table: pd.DataFrame, design: Design) -> VarianceComponents:
    """Part the variance of scores by their units, such as image, reader and model.

    Parameters
    ----------
    table : pandas.DataFrame, one row a score
        Scores of one method and metric, in any order.
    design : Design
        Two or three crossed columns of units, or one; every combination has a score.

    Returns
    -------
    VarianceComponents
        By the method of moments, from the analysis of variance of the cells.

    Raises
    ------
    ValueError
        If the design has nested units or weights, a column of units has one unit only, or as for
        `interval`.
    TypeError
        As `interval`.

    See Also
    --------
    plan_study : How many units for a given half-width.
    interval : Intervals that rest on these components.

    Notes
    -----
    All columns of units are taken as random, drawn from many: the mean squares are set equal to
    what is expected of them and solved for the components. Balanced and crossed, these estimates
    are unbiased whatever the distribution of the effects.

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
    (sample,) = samples_of(table, design).values()
    if min(sample.shape) == 1:
        single = design.units[sample.shape.index(1)]
        raise ValueError(f"`{single}` must have two units or more, got one.")
    found: Anova = anova(sample.sums.reshape(*sample.shape, 1))
    names = [":".join(design.units[axis] for axis in effect) for effect in found.effects]
    return VarianceComponents(
        units=dict(zip(design.units, sample.shape, strict=True)),
        components=dict(zip(names, found.components()[:, 0].tolist(), strict=True)),
        mean_squares=dict(zip(names, found.mean_squares[:, 0].tolist(), strict=True)),
        degrees_of_freedom=dict(zip(names, found.degrees.tolist(), strict=True)),
    )
