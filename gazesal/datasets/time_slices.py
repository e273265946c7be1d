"""Slices of gaze in time: the parts of fixations that lie in an interval."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gazesal._validation import as_float
from gazesal._warnings import warn
from gazesal.datasets._columns import duration_column, number_column, require_table_columns
from gazesal.datasets._frames import as_table
from gazesal.exceptions import InputWarning
from gazesal.typing import Float64Array

__all__ = ["TimedTable", "fixations_between"]

# Share of fixations that last beyond the start of the next. Trackers report fixations one after
# another, so a larger share shows that starts and durations have different units.
MOST_OVERLAPS = 0.5


def fixations_between(fixations: Any, start: float, end: float) -> pd.DataFrame:
    """Return the parts of fixations that lie between two times.

    A fixation that begins before `start` or lasts beyond `end` is clipped, and its duration is
    reduced in proportion.

    Parameters
    ----------
    fixations : pandas.DataFrame or other table
        One fixation per row, with the column ``start`` and either ``end`` or ``duration``, as
        `gazesal.datasets.Reflacx.fixations` and many formats of `read_fixations` return them. All
        other columns are kept.
    start, end : float
        Times in the unit and from the origin of the column ``start``. `start` is included, `end` is
        not.

    Returns
    -------
    pandas.DataFrame
        The fixations that have a part in the interval, in their order and with their index. The
        columns ``start`` and ``end`` are clipped. ``duration`` is the given duration times the
        share of the fixation that is inside, or ``end - start`` if no duration is given. Empty if
        no fixation is inside.

    Raises
    ------
    TypeError
        If the fixations are not a table, or a time is not a number.
    ValueError
        If a column is missing or holds values that are not finite numbers, a fixation ends before
        it begins, or `start` is not before `end`.

    Warns
    -----
    InputWarning
        If most fixations last beyond the start of the next, because ``start`` and ``duration``
        then have different units, such as seconds and milliseconds.

    See Also
    --------
    gaze_when_named : Fixations in the windows in which a reader names a finding.

    Examples
    --------
    >>> import gazesal
    >>> fixations = {"start": [0.0, 0.4, 1.1], "end": [0.3, 1.2, 1.5], "x": [5, 6, 7]}
    >>> gazesal.fixations_between(fixations, 0.0, 1.0)  # the first second
       start  end  x  duration
    0    0.0  0.3  5       0.3
    1    0.4  1.0  6       0.6
    """
    first, last = as_float(start, name="start"), as_float(end, name="end")
    if not first < last:  # also raised for NaN
        raise ValueError(f"`start` must be before `end`, got {start!r} and {end!r}.")
    timed = TimedTable(fixations)
    return timed.between(first, last, timed.starts < last)


class TimedTable:
    """A table of fixations with checked times.

    Attributes
    ----------
    table : pandas.DataFrame
        The fixations.
    starts, ends : numpy.ndarray of float64, shape (N,)
        Begin and end of each fixation.
    """

    def __init__(self, fixations: Any) -> None:
        table = as_table(fixations, name="fixations")
        source, row = table.attrs.get("source", "fixations"), str(table.index.name or "row")
        require_table_columns(table, ("start",), name="fixations")
        self.table = table
        self.starts = number_column(table["start"], source=source, row=row)
        if "end" in table.columns:
            require_table_columns(table, ("end",), name="fixations")
            self.ends = number_column(table["end"], source=source, row=row)
        else:
            require_table_columns(table, ("duration",), name="fixations")
            self.ends = self.starts + duration_column(table["duration"], source=source, row=row)
            _report_overlaps(self.starts, self.ends)
        if "duration" in table.columns:
            self.durations = duration_column(table["duration"], source=source, row=row)
        else:
            self.durations = self.ends - self.starts
        early = self.ends < self.starts
        if early.any():
            at = int(np.argmax(early))
            raise ValueError(
                f"{source}, {row} {table.index[at]}: a fixation must end after it begins, got "
                f"{self.starts[at]:g} to {self.ends[at]:g}."
            )

    def between(self, start: float, end: float, begun: np.ndarray[Any, Any]) -> pd.DataFrame:
        """Return the clipped fixations that end after `start` and for which `begun` is True."""
        kept = begun & (self.ends > start)
        starts, ends = self.starts[kept], self.ends[kept]
        clipped = np.maximum(starts, start), np.minimum(ends, end)
        whole, inside = ends - starts, clipped[1] - clipped[0]
        # whole fixations keep their duration to the last bit
        share = np.divide(inside, whole, out=np.ones_like(whole), where=inside != whole)
        found = self.table[kept].copy()
        found["start"], found["end"] = clipped
        found["duration"] = self.durations[kept] * share
        return found


def _report_overlaps(starts: Float64Array, ends: Float64Array) -> None:
    """Warn if most fixations last beyond the start of the next one in the table."""
    ordered = np.diff(starts) > 0  # another reading may begin with an earlier time
    overlaps = (ends[:-1] > starts[1:]) & ordered
    if len(starts) > 2 and overlaps.sum() > MOST_OVERLAPS * max(1, ordered.sum()):
        warn(
            "`fixations` should have `start` and `duration` in one unit, but "
            f"{int(overlaps.sum())} of {int(ordered.sum())} fixations last beyond the start of the "
            "next. Convert one of the two columns, or give `end`.",
            InputWarning,
        )
