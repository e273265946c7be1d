"""Warnings of the library."""

__all__ = [
    "GridEdgeWarning",
    "InputWarning",
    "IntervalWarning",
    "OffImageWarning",
    "SkippedDataWarning",
    "UndefinedMetricWarning",
]


class UndefinedMetricWarning(UserWarning):
    """A result is undefined, and ``nan`` was returned.

    For areas, the value of a constant map was returned instead, because the saliency map differs
    from a constant by rounding only.
    """


class IntervalWarning(UserWarning):
    """An interval or a test may miss its level. The message gives the reason and a remedy."""


class OffImageWarning(UserWarning):
    """Fixations outside the image were dropped, as the argument ``outside`` requires."""


class SkippedDataWarning(UserWarning):
    """Part of the data was left out. The message gives the reason and the amount."""


class InputWarning(UserWarning):
    """The input is probably wrong. The message gives the reason and a remedy."""


class GridEdgeWarning(UserWarning):
    """The best value lies at the end of its grid, so a value beyond may be better."""
