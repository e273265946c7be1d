"""Roles of the columns of a table of scores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from gazesal._validation import as_choice

__all__ = ["MOST_UNITS", "Design", "as_columns", "require_design"]

MOST_UNITS = 3  # crossed kinds of units; the kernels of the bootstrap have this number of axes


@dataclass(frozen=True, slots=True)
class Design:
    """Roles of the columns of a table of scores.

    Attributes
    ----------
    units : str or sequence of str, default "image"
        Columns of the units to generalize to, such as the image. These units are a sample of
        others like them, a bootstrap resamples them, and their number limits the precision. Two or
        three columns are crossed, for example if every image is scored with every model.
    averaged : str or sequence of str, optional
        Columns over which the scores of each unit are averaged first. The claim is then about
        these readers or these models only.
    nested : str, optional
        Column of units within each of `units`, for example if every image has readers of its own.
        `units` must then be one column. A bootstrap resamples nested units in a second stage.
    score : str, default "score"
        Column of the scores.
    weights : str, optional
        Column of non-negative weights of the scores. The estimate is the weighted mean of all
        scores, and units may have any number of them. With a column of ones, every score counts
        equally. By default every unit counts equally.
    unbalanced : {"raise", "average"}, default "raise"
        Treatment of units that have scores for different sets of `averaged`. ``"raise"`` raises
        ValueError. ``"average"`` averages the scores that each unit has, and every unit counts
        equally.
    missing : {"raise", "drop"}, default "raise"
        Treatment of scores that are ``nan``, and of units without a score of every method that is
        compared. ``"raise"`` raises ValueError. ``"drop"`` omits and counts them.

    Raises
    ------
    ValueError
        If a column has two roles, there are no units or more than three columns of them, `nested`
        is given with several columns of units or with weights, or an option is invalid.
    TypeError
        If a name is not a string.

    See Also
    --------
    interval : Interval of a mean score.
    compare : Differences of methods.

    Notes
    -----
    The columns named here, with the columns that split the table (such as the method), must
    identify each row of the table. Two rows with the same values raise an error, because one score
    would be counted twice or a column was forgotten.

    Examples
    --------
    >>> import gazesal
    >>> gazesal.stats.Design(units="image", averaged=["reader", "model"])
    Design(image; averaged over reader, model)
    >>> gazesal.stats.Design(units=["image", "model"], averaged="reader")
    Design(image x model; averaged over reader)
    >>> gazesal.stats.Design(units="image", nested="reader")
    Design(image / reader)
    """

    units: Sequence[str] | str = "image"
    averaged: Sequence[str] | str = field(default=(), kw_only=True)
    nested: str | None = field(default=None, kw_only=True)
    score: str = field(default="score", kw_only=True)
    weights: str | None = field(default=None, kw_only=True)
    unbalanced: Literal["raise", "average"] = field(default="raise", kw_only=True)
    missing: Literal["raise", "drop"] = field(default="raise", kw_only=True)

    def __post_init__(self) -> None:
        for name in ("units", "averaged"):
            object.__setattr__(self, name, as_columns(getattr(self, name), name=name))
        if not 1 <= len(self.units) <= MOST_UNITS:
            raise ValueError(f"`units` must name one to {MOST_UNITS} columns, got {self.units!r}.")
        for name in ("nested", "weights", "score"):
            value = getattr(self, name)
            if not isinstance(value, str) and not (value is None and name != "score"):
                raise TypeError(f"`{name}` must be the name of a column, got {value!r}.")
        as_choice(self.unbalanced, ("raise", "average"), name="unbalanced")
        as_choice(self.missing, ("raise", "drop"), name="missing")
        named = [*self.keys, self.score, *([self.weights] if self.weights else [])]
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise ValueError(f"Each column must have one role, got {', '.join(twice)} with two.")
        if self.nested is not None and len(self.units) > 1:
            raise ValueError(
                f"`nested` must be given with one column in `units`, got {' x '.join(self.units)}. "
                "Name crossed columns in `units`."
            )
        if self.nested is not None and self.weights is not None:
            raise ValueError("`weights` must be omitted with `nested`, got both. Omit one of them.")

    @property
    def keys(self) -> tuple[str, ...]:
        """Columns that identify a score within its group.

        Returns
        -------
        tuple of str
            The columns of units, the nested column and the averaged columns.
        """
        return (*self.units, *([self.nested] if self.nested else []), *self.averaged)

    def __repr__(self) -> str:
        text = " x ".join(self.units) + (f" / {self.nested}" if self.nested else "")
        if self.averaged:
            text += f"; averaged over {', '.join(self.averaged)}"
        if self.weights:
            text += f"; weighted by {self.weights}"
        return f"Design({text})"


def require_design(value: object) -> None:
    """Raise TypeError unless `value` is a Design."""
    if not isinstance(value, Design):
        raise TypeError(f"`design` must be a gazesal.stats.Design, got {type(value).__name__}.")


def as_columns(value: Sequence[str] | str, *, name: str) -> tuple[str, ...]:
    """Return one or several names of columns as a tuple."""
    named = (value,) if isinstance(value, str) else value
    columns: tuple[Any, ...] = (named,)
    # A 0-d array has __iter__ but raises when it is iterated over.
    if isinstance(named, Iterable) and getattr(named, "ndim", None) != 0:
        columns = tuple(named)
    if not all(isinstance(column, str) for column in columns):
        raise TypeError(f"`{name}` must hold names of columns, got {value!r}.")
    return columns
