"""Results of intervals and comparisons."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gazesal._text import printable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Comparison", "Comparisons", "ConfidenceInterval", "Equivalence", "joined", "row_of"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ConfidenceInterval:
    """An estimate with its confidence interval.

    Attributes
    ----------
    estimate : float
        Mean score: of the means of the clusters, or of all scores if `interval` is ``"study"``.
    low, high : float
        Bounds of the interval, ``nan`` if it is undefined.
    confidence_level : float
        Confidence level.
    interval : str
        Kind of the interval, such as ``"t"``.
    n_scores : int
        Number of scores.
    n_clusters : int
        Number of independent units, which is `n_scores` if no clusters were named. With crossed
        units, the smallest of their numbers, which limits the precision.
    units : tuple of (str, int)
        Name and number of each kind of unit, if the scores came from a table.
    standard_error : float
        Standard error of the estimate, from the spread of the units. It is ``nan`` if `interval` is
        ``"study"`` or the spread is undefined.
    degrees_of_freedom : float
        Degrees of freedom of the standard error, by Satterthwaite with crossed units. It is ``nan``
        if the standard error is.
    n_dropped : int
        Number of scores that were omitted on request: ``nan``, and with `normalized_score` scores
        of units without a score of all three methods.
    """

    estimate: float
    low: float
    high: float
    confidence_level: float
    interval: str
    n_scores: int
    n_clusters: int
    units: tuple[tuple[str, int], ...] = ()
    standard_error: float = math.nan
    degrees_of_freedom: float = math.nan
    n_dropped: int = 0

    def __str__(self) -> str:
        return f"{self.estimate:.3f} [{self.low:.3f}, {self.high:.3f}]"

    def __repr__(self) -> str:
        units = " x ".join(f"{n} {name}" for name, n in self.units)
        dropped = f", {self.n_dropped} dropped" if self.n_dropped else ""
        return (
            f"ConfidenceInterval(estimate={self.estimate:.6g}, low={self.low:.6g}, "
            f"high={self.high:.6g}, confidence_level={self.confidence_level:g}, "
            f"interval={self.interval!r}, {units or f'{self.n_clusters} clusters'}, "
            f"{self.n_scores} scores{dropped})"
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the interval as a table of one row.

        Returns
        -------
        pandas.DataFrame
            A column for each attribute except `units`, which has a column ``n_NAME`` for each kind
            of unit.

        Raises
        ------
        ValueError
            If the column of a kind of unit has the name of another column, as the column
            ``n_scores`` of units ``"scores"``.
        """
        import pandas as pd  # noqa: PLC0415  (not needed to import the library)

        return pd.DataFrame([row_of(self)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalence:
    """Two one-sided tests that a difference lies within a margin.

    Attributes
    ----------
    margin : float
        Largest difference that counts as no difference, stated in advance.
    low, high : float
        Interval of the difference at twice the level's error, of the same kind as the interval of
        the difference. It lies within the margin if and only if `p_value` is below the level's
        error.
    p_value : float
        Larger p-value of the two one-sided tests.
    p_adjusted : float
        P-value adjusted for the number of equivalences tested in one call.
    shown : bool
        True if `p_adjusted` is below the level's error, so that equivalence is shown.
    """

    margin: float
    low: float
    high: float
    p_value: float
    p_adjusted: float
    shown: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The difference of two methods on the same units.

    Attributes
    ----------
    method, reference : str
        Names of the methods. The difference is the score of `method` minus the score of
        `reference`.
    group : tuple of (str, object)
        Columns that split the table and their values, such as the metric.
    difference : ConfidenceInterval
        Mean difference of the pairs.
    p_value : float
        Two-sided p-value of the hypothesis that the mean difference is zero.
    p_adjusted : float
        P-value adjusted for the number of comparisons in one call.
    test : str
        Test of the p-value: ``"all sign flips"``, ``"random sign flips"``, or ``"t"`` with crossed
        units. It is ``"undefined"`` with one unit, or with weights of three crossed kinds of units.
    effect_size : float
        Mean difference divided by the standard deviation of the differences of the first column of
        units, averaged over everything else. It is ``nan`` if all differences are equal.
    share_higher : float
        Share of these units with a positive difference, plus half of the share with a difference of
        zero. If lower scores are better, as for KL divergence, `method` is better on
        ``1 - share_higher`` of the units.
    n_unpaired : int
        Number of scores without a partner that were omitted on request.
    equivalence : Equivalence or None
        Test of equivalence, if a margin was stated.
    """

    method: str
    reference: str
    group: tuple[tuple[str, object], ...]
    difference: ConfidenceInterval
    p_value: float
    p_adjusted: float
    test: str
    effect_size: float
    share_higher: float
    n_unpaired: int
    equivalence: Equivalence | None

    def __str__(self) -> str:
        group = printable("".join(f"{value}: " for _, value in self.group))
        d = self.difference
        answer = ""
        if self.equivalence is not None:
            shown = "shown" if self.equivalence.shown else "not shown"
            answer = f"; equivalence within {self.equivalence.margin:g} {shown}"
        if self.n_unpaired:
            answer += f"; {self.n_unpaired} scores without a partner left out"
        return (
            f"{group}{printable(self.method)} - {printable(self.reference)} = {d.estimate:+.3f} "
            f"[{d.low:+.3f}, {d.high:+.3f}], p = {self.p_adjusted:.2g}{answer}"
        )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Comparisons:
    """All comparisons of one call, with p-values adjusted together.

    Attributes
    ----------
    rows : tuple of Comparison
        Comparisons, sorted by group and then by method.
    adjust : str
        Method by which the p-values are adjusted.
    """

    rows: tuple[Comparison, ...]
    adjust: str

    def __post_init__(self) -> None:
        for comparison in self.rows[:1]:
            _comparison_row(comparison)  # raises now if a column of the result has two meanings

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Comparison]:
        return iter(self.rows)

    def __getitem__(self, index: int) -> Comparison:
        return self.rows[index]

    def __repr__(self) -> str:
        return "\n".join([f"{len(self)} comparisons (p: {self.adjust})", *map(str, self.rows)])

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(index=False))

    def to_frame(self) -> pd.DataFrame:
        """Return the comparisons as a table.

        Returns
        -------
        pandas.DataFrame
            One row per comparison. The columns are the columns that split the table, method and
            reference, the columns of `interval_table` for the difference, p_value, p_adjusted,
            test, effect_size, share_higher and n_unpaired. If a margin was stated, the columns
            margin, equivalence_low, equivalence_high, p_equivalence, p_equivalence_adjusted and
            equivalent follow.
        """
        import pandas as pd  # noqa: PLC0415  (not needed to import the library)

        return pd.DataFrame([_comparison_row(comparison) for comparison in self.rows])


def row_of(interval: ConfidenceInterval) -> dict[str, object]:
    """Convert an interval to a row of a table."""
    row: dict[str, object] = {
        "estimate": interval.estimate,
        "low": interval.low,
        "high": interval.high,
        "standard_error": interval.standard_error,
        "degrees_of_freedom": interval.degrees_of_freedom,
        "n_scores": interval.n_scores,
        "n_clusters": interval.n_clusters,
    }
    rest = {
        "n_dropped": interval.n_dropped,
        "interval": interval.interval,
        "confidence_level": interval.confidence_level,
    }
    return joined(row, {f"n_{name}": number for name, number in interval.units}, rest)


def _comparison_row(comparison: Comparison) -> dict[str, object]:
    """Convert a comparison to a row of a table."""
    own = ("p_value", "p_adjusted", "test", "effect_size", "share_higher", "n_unpaired")
    parts: list[dict[str, object]] = [
        dict(comparison.group),
        {"method": comparison.method, "reference": comparison.reference},
        row_of(comparison.difference),
        {name: getattr(comparison, name) for name in own},
    ]
    found = comparison.equivalence
    if found is not None:
        parts.append(
            {
                "margin": found.margin,
                "equivalence_low": found.low,
                "equivalence_high": found.high,
                "p_equivalence": found.p_value,
                "p_equivalence_adjusted": found.p_adjusted,
                "equivalent": found.shown,
            }
        )
    return joined(*parts)


def joined(*parts: Mapping[str, object]) -> dict[str, object]:
    """Join parts of a row, which must not have a column in common."""
    row: dict[str, object] = {}
    for part in parts:
        twice = [name for name in part if name in row]
        if twice:
            raise ValueError(
                f"Each column of the result must have one meaning, got {', '.join(twice)} with "
                "two. Rename the column of `table` that it comes from."
            )
        row |= part
    return row
