"""An estimate with its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ConfidenceInterval", "joined", "row_of"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ConfidenceInterval:
    """An estimate with its confidence interval.

    Attributes
    ----------
    estimate : float
        Mean score; over cluster means, or over all scores with the study's form.
    low, high : float
        Bounds of the interval; ``nan`` where it is undefined.
    confidence_level : float
        Confidence level.
    interval : str
        How the interval was made.
    n_scores : int
        Number of scores.
    n_clusters : int
        Number of independent units; that of the scores if no clusters were named. With crossed
        units the smallest of their numbers, which limits what can be known.
    units : tuple of (str, int)
        Name and number of each kind of unit, where they came from a table.
    standard_error : float
        Of the estimate, from the spread of the units; ``nan`` with the study's form and where it
        is undefined.
    degrees_of_freedom : float
        Of the standard error; Satterthwaite's with crossed units. ``nan`` like it.
    n_dropped : int
        Scores that were ``nan`` and left out, as asked for.
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
            A column for each attribute but `units`, which has one for each kind: ``n_`` and its
            name.

        Raises
        ------
        ValueError
            If a kind of units has the column of something else, such as ``"scores"``.
        """
        import pandas as pd  # noqa: PLC0415  (not needed to import the library)

        return pd.DataFrame([row_of(self)])


def row_of(interval: ConfidenceInterval) -> dict[str, object]:
    """An interval as a row of a table."""
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


def joined(*parts: Mapping[str, object]) -> dict[str, object]:
    """One row of several parts, which must not have a column in common."""
    row: dict[str, object] = {}
    for part in parts:
        twice = [name for name in part if name in row]
        if twice:
            raise ValueError(
                f"Each column of the result must have one meaning, got {', '.join(twice)} with "
                "two; rename the column of `table` that it comes from."
            )
        row |= part
    return row
