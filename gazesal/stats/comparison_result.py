"""The differences of methods, as a caller gets them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from gazesal._text import printable
from gazesal.stats.results import ConfidenceInterval, joined, row_of

__all__ = ["Comparison", "Comparisons", "Equivalence"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalence:
    """Whether a difference is shown to lie within a margin, by two one-sided tests.

    Attributes
    ----------
    margin : float
        The largest difference that counts as none, stated beforehand.
    low, high : float
        Interval of the difference at twice the level's error, of the kind of its interval. It lies
        within the margin exactly if `p_value` is below the level's error.
    p_value : float
        The larger p-value of the two one-sided tests.
    p_adjusted : float
        For the number of equivalences tested in one call.
    shown : bool
        Whether the adjusted p-value is below the level's error.
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
        The difference is that of the first less the second.
    group : tuple of (str, object)
        Columns that part the table, and their values here, such as the metric.
    difference : ConfidenceInterval
        Mean difference over pairs.
    p_value : float
        Two-sided, that the mean difference is zero.
    p_adjusted : float
        For the number of comparisons made in one call.
    test : str
        Where the p-value is from: ``"all sign flips"``, ``"random sign flips"``, or ``"t"`` with
        crossed units; ``"undefined"`` with one unit, or weights of three crossed kinds.
    effect_size : float
        Mean difference over the standard deviation of the differences of the first column of units,
        all else averaged; ``nan`` if they are all equal.
    share_higher : float
        Share of these units whose difference is positive, and half of those where it is zero. For
        a metric of which lower is better, such as KL divergence, the share on which `method` is
        better is one less this.
    n_unpaired : int
        Scores without a partner that were left out, as asked for.
    equivalence : Equivalence or None
        If a margin was stated.
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
        where = printable("".join(f"{value}: " for _, value in self.group))
        d = self.difference
        answer = ""
        if self.equivalence is not None:
            shown = "shown" if self.equivalence.shown else "not shown"
            answer = f"; equivalence within {self.equivalence.margin:g} {shown}"
        return (
            f"{where}{printable(self.method)} - {printable(self.reference)} = {d.estimate:+.3f} "
            f"[{d.low:+.3f}, {d.high:+.3f}], p = {self.p_adjusted:.2g}{answer}"
        )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Comparisons:
    """All differences of one call, with their p-values adjusted together.

    Attributes
    ----------
    rows : tuple of Comparison
        In order of the groups, then of the methods.
    adjust : str
        How the p-values are adjusted.
    """

    rows: tuple[Comparison, ...]
    adjust: str

    def __post_init__(self) -> None:
        for comparison in self.rows[:1]:
            _row(comparison)  # a column of the result with two meanings is refused at once

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
        """Return the comparisons as a table, one row each.

        Returns
        -------
        pandas.DataFrame
            The columns that part the table; method, reference; those of `interval_table`, of the
            difference; p_value, p_adjusted, test, effect_size, share_higher, n_unpaired; and
            margin, equivalence_low, equivalence_high, p_equivalence, p_equivalence_adjusted,
            equivalent if a margin was stated.
        """
        return pd.DataFrame([_row(comparison) for comparison in self.rows])


def _row(comparison: Comparison) -> dict[str, object]:
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
