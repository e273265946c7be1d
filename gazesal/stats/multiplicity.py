"""Adjustment of p-values for the number of tests."""

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_choice, as_real_array
from gazesal.stats.rounding import ROUNDING
from gazesal.typing import Float64Array

__all__ = ["ADJUSTMENTS", "Adjustment", "adjust_p_values"]

Adjustment = Literal["holm", "benjamini-hochberg", "none"]
ADJUSTMENTS: tuple[str, ...] = get_args(Adjustment)


def adjust_p_values(p_values: ArrayLike, *, method: Adjustment = "holm") -> Float64Array:
    r"""Adjust the p-values of a family of tests for their number.

    Parameters
    ----------
    p_values : array_like of float, shape (N,)
        P-value of each test, between 0 and 1, or ``nan`` if a test is undefined.
    method : {"holm", "benjamini-hochberg", "none"}, default "holm"
        Error rate to keep below the level:

        - ``"holm"``: probability of any false claim in the family
        - ``"benjamini-hochberg"``: expected share of false claims among the claims
        - ``"none"``: no adjustment

    Returns
    -------
    numpy.ndarray of float, shape (N,)
        Adjusted values, to be compared with the level's error. Values that are ``nan`` stay ``nan``
        and do not count as tests.

    Raises
    ------
    ValueError
        If a value is not between 0 and 1, the array is not 1-D, or `method` is invalid.
    TypeError
        If `p_values` does not hold real numbers.

    Notes
    -----
    With :math:`p_{(1)} \le \dots \le p_{(m)}`, Holm's values :footcite:p:`holm1979` are
    :math:`\max_{j \le i} \min\bigl(1, (m - j + 1)\, p_{(j)}\bigr)`. The values of
    :footcite:t:`benjamini1995` are :math:`\min_{j \ge i} \min(1, m\, p_{(j)} / j)`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> gazesal.stats.adjust_p_values([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    >>> gazesal.stats.adjust_p_values([0.01, 0.04, 0.03], method="benjamini-hochberg")
    array([0.03, 0.04, 0.04])
    """
    values = as_real_array(p_values, name="p_values").astype(np.float64)
    if values.ndim != 1:
        raise ValueError(f"`p_values` must be a 1-D array, got shape {values.shape}.")
    tested = np.flatnonzero(~np.isnan(values))
    p = values[tested]
    if p.size and not (p.min() >= -ROUNDING and p.max() <= 1 + ROUNDING):
        raise ValueError(f"`p_values` must lie between 0 and 1, got {p.min():g} to {p.max():g}.")
    values[tested] = p = np.clip(p, 0.0, 1.0)  # a sum of probabilities may exceed 1 by rounding
    as_choice(method, ADJUSTMENTS, name="method")
    if p.size and method == "holm":
        order = np.argsort(p, kind="stable")
        steps = np.minimum(1.0, p[order] * np.arange(p.size, 0, -1))
        values[tested[order]] = np.maximum.accumulate(steps)
    elif p.size and method == "benjamini-hochberg":
        from scipy.stats import false_discovery_control  # noqa: PLC0415  (slow to import)

        values[tested] = false_discovery_control(p, method="bh")
    return values
