"""The warnings that the library gives."""

__all__ = [
    "GridEdgeWarning",
    "InputWarning",
    "IntervalWarning",
    "OffImageWarning",
    "SkippedDataWarning",
    "UndefinedMetricWarning",
]


class UndefinedMetricWarning(UserWarning):
    """A result is undefined: ``nan`` was returned, or for areas the value of a constant map.

    The latter if a saliency map differs from a constant by rounding only.
    """


class IntervalWarning(UserWarning):
    """An interval or a test may miss its level; the message says why and what to do."""


class OffImageWarning(UserWarning):
    """Fixations outside the image were dropped, as the caller asked."""


class SkippedDataWarning(UserWarning):
    """Part of the data was left out; the message says which, why and how much."""


class InputWarning(UserWarning):
    """The input is probably not what is meant; the message says why, and what to do."""


class GridEdgeWarning(UserWarning):
    """The best value lies at the end of the grid it was chosen from; one beyond may be better."""
