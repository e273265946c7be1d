"""The best attainable NCC that follows from a published agreement of observers."""

from __future__ import annotations

import math
from typing import NamedTuple

from gazesal._validation import as_count, as_number
from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.stats.observer_curves import spearman_brown

__all__ = ["ImpliedCeiling", "implied_ceiling"]


class ImpliedCeiling(NamedTuple):
    """Correlations that follow from the NCC of one observer with the others.

    Attributes
    ----------
    pair_correlation : float
        NCC between two observers.
    best_attainable : float
        NCC of a perfect map with the mean of the others.
    """

    pair_correlation: float
    best_attainable: float


def implied_ceiling(one_vs_rest: float, n_observers: int) -> ImpliedCeiling:
    r"""Compute the best attainable NCC from the NCC of one observer with the mean of the others.

    It makes the ceiling of a published study known without its gaze. If you have the gaze maps, use
    `noise_ceiling`.

    Parameters
    ----------
    one_vs_rest : float
        NCC of one observer with the mean of the others, in [-1, 1].
    n_observers : int
        Number of observers, at least 2, of whom one less are in the mean.

    Returns
    -------
    ImpliedCeiling
        The NCC between two observers, and of a perfect map with the mean of the others. ``nan`` if
        `one_vs_rest` is negative.

    Raises
    ------
    ValueError
        If an argument is out of range.
    TypeError
        If an argument is not a number.

    Warns
    -----
    UndefinedMetricWarning
        If `one_vs_rest` is negative, so that the observers do not agree.

    See Also
    --------
    noise_ceiling : The same from gaze maps.
    spearman_brown : Reliability of a mean.

    Notes
    -----
    For observers who agree equally well with each other, with a correlation :math:`\rho` between
    two gaze maps and the reliability
    :math:`\rho_m = m \rho / (1 + (m - 1) \rho)` of the mean of :math:`m` others
    :footcite:p:`spearman1910,brown1910`, one observer and the mean correlate at
    :math:`r = \sqrt{\rho \rho_m}`, so that

    .. math:: \rho = \frac{(m - 1) r^2 + \sqrt{(m - 1)^2 r^4 + 4 m r^2}}{2 m} ,

    and a perfect map reaches :math:`\sqrt{\rho_m}`. Applied to a mean over images instead of each
    image, the result is approximate.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> found = gazesal.stats.implied_ceiling(0.632, n_observers=5)
    >>> round(found.pair_correlation, 2), round(found.best_attainable, 2)
    (0.5, 0.89)
    """
    r = as_number(one_vs_rest, name="one_vs_rest", low=-1.0, high=1.0)
    m = as_count(n_observers, name="n_observers", least=2, most=10**9) - 1
    if r < 0:
        warn(
            "The best attainable NCC is undefined: `one_vs_rest` must not be negative, got "
            f"{r:.3g}. The observers do not agree.",
            UndefinedMetricWarning,
        )
        return ImpliedCeiling(math.nan, math.nan)
    square = r * r
    pair = ((m - 1) * square + math.sqrt((m - 1) ** 2 * square**2 + 4 * m * square)) / (2 * m)
    pair = min(pair, 1.0)
    return ImpliedCeiling(pair, math.sqrt(spearman_brown(pair, m)))
