"""What the columns of a table of scores are: units that stand for others, or cells to average."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from gazesal._validation import as_choice
from gazesal.stats.sample import MOST_UNITS

__all__ = ["Design", "as_columns", "require_design"]


@dataclass(frozen=True, slots=True)
class Design:
    """Say what each column of a table of scores is, so that nothing about it is guessed.

    Attributes
    ----------
    units : str or sequence of str, default "image"
        Columns whose units stand for others like them, to which the claim is to generalize:
        resampling draws them, and their number limits what can be known. Two or three columns are
        crossed: every image scored with every model.
    averaged : str or sequence of str, optional
        Columns over which the scores of a unit are averaged before anything else. The claim is
        then about these readers or these models.
    nested : str, optional
        Column of units within each of `units`, of which there must be one then: other readers for
        every image. Drawn in a second stage.
    score : str, default "score"
        Column of the scores.
    weights : str, optional
        Column of non-negative weights of the scores: the estimate is the weighted mean of all of
        them, and units may hold any number. A column of ones makes every score count alike. By
        default every unit counts alike.
    unbalanced : {"raise", "average"}, default "raise"
        What to do where units hold scores for different sets of `averaged`. ``"raise"`` refuses.
        ``"average"`` takes the mean of what each unit has, and every unit counts alike.
    missing : {"raise", "drop"}, default "raise"
        What to do with scores that are ``nan``. ``"drop"`` leaves them out and counts them.

    Raises
    ------
    ValueError
        If a column has two roles, there are no units or more than three, units are nested in
        several columns or together with weights, or an option is not one of its values.
    TypeError
        If a name is not a string.

    See Also
    --------
    interval : Interval of a mean score.
    compare : Differences of methods.

    Notes
    -----
    Each row of a table must be told apart from all others by the columns named here (and those
    that part the table, such as the method). Two rows that are not make an error: they would be
    one score counted twice, or a column that was forgotten.

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
                "`nested` must stand within one column of `units`, got "
                f"{' x '.join(self.units)}; name crossed columns in `units`."
            )
        if self.nested is not None and self.weights is not None:
            raise ValueError("`weights` must be left out with `nested`, got both.")

    @property
    def keys(self) -> tuple[str, ...]:
        """Columns that tell the scores of one group apart.

        Returns
        -------
        tuple of str
            The units, the nested one and the averaged ones.
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
    """Raise unless `value` says what the columns are."""
    if not isinstance(value, Design):
        raise TypeError(f"`design` must be a gazesal.stats.Design, got {type(value).__name__}.")


def as_columns(value: Sequence[str] | str, *, name: str) -> tuple[str, ...]:
    """Return the name of a column or several as a tuple of names."""
    named = (value,) if isinstance(value, str) else value
    columns: tuple[Any, ...] = (named,)
    if isinstance(named, Iterable) and getattr(named, "ndim", None) != 0:  # as 0-d arrays are not
        columns = tuple(named)
    if not all(isinstance(column, str) for column in columns):
        raise TypeError(f"`{name}` must hold names of columns, got {value!r}.")
    return columns
