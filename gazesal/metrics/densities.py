"""Conversion of saliency maps to densities, for the metrics that score probabilities."""

import math
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_choice, as_map, as_number, require_finite, weight_sums
from gazesal.maps.constancy import is_constant
from gazesal.typing import Float64Array, FloatArray

__all__ = ["to_density"]

DensityMethod = Literal["sum", "shift", "softmax"]
METHODS = get_args(DensityMethod)
EPSILON = 2.0**-52  # Matlab's eps, which benchmarks add to keep logarithms finite
SUM_TOLERANCE = 1e-4  # largest error of the sum of a density added naively in single precision


def to_density(
    saliency_map: ArrayLike,
    method: DensityMethod,
    *,
    minimum: float = 0.0,
    temperature: float = 1.0,
) -> Float64Array:
    r"""Turn a saliency map into a density: non-negative, summing to 1.

    A saliency map has higher values where people look more, but its values are not probabilities.
    Metrics of probabilities need a density, and their values depend on the method that makes it.
    The method therefore has no default.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map, finite, and non-negative with a positive sum under ``"sum"``.
    method : {"sum", "shift", "softmax"}
        ``"sum"`` divides the map by its sum. ``"shift"`` first subtracts the smallest value.
        ``"softmax"`` divides the map by `temperature`, takes the exponential, and divides it by
        its sum. It is meant for maps of log-probabilities.
    minimum : float, default 0
        Added to every pixel before dividing by the sum, and under ``"shift"`` after subtracting the
        smallest value. Non-negative, in the units of the map. It gives pixels of zero saliency a
        positive probability. Not used by ``"softmax"``.
    temperature : float, default 1
        Divides the map before the exponential. Positive, used only by ``"softmax"``.

    Returns
    -------
    numpy.ndarray of float64, shape (H, W)
        The density.

    Raises
    ------
    ValueError
        If the map is not 2-D, is empty, or holds NaN or infinity. If it has a negative
        value or only zeros under ``"sum"``, or is constant under ``"shift"`` without a `minimum`.
        If an option is out of range or belongs to another method.
    TypeError
        If the map does not hold real numbers, or is masked.

    See Also
    --------
    information_gain : Score a density against a baseline.
    log_likelihood : Score a density against the uniform density.

    Notes
    -----
    With :math:`m` for `minimum` and :math:`T` for `temperature`, pixel :math:`p` gets

    .. math:: \frac{S(p) + m}{\sum_r (S(r) + m)}, \qquad
              \frac{S(p) - \min S + m}{\sum_r (S(r) - \min S + m)} \qquad\text{or}\qquad
              \frac{e^{S(p) / T}}{\sum_r e^{S(r) / T}} .

    The benchmark at MIT scales each map to [0, 1] and divides it by its sum, which is the same as
    ``"shift"``. pysaliency shifts only maps with negative values. No method gives a good density
    for every map: :footcite:t:`kummerer2015` fit the conversion to data.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> saliency_map = [[1.0, 2.0, 5.0]]
    >>> gazesal.to_density(saliency_map, "sum").tolist()
    [[0.125, 0.25, 0.625]]
    >>> gazesal.to_density(saliency_map, "shift").tolist()
    [[0.0, 0.2, 0.8]]
    >>> gazesal.to_density(saliency_map, "softmax", temperature=2).round(3).tolist()
    [[0.1, 0.164, 0.736]]
    """
    as_choice(method, METHODS, name="method")
    array = as_map(saliency_map, name="saliency_map")
    floor = as_number(minimum, name="minimum", low=0.0, high=math.inf)
    scale = as_number(temperature, name="temperature", low=math.ulp(0.0), high=math.inf)
    lowest, highest = float(array.min()), float(array.max())
    if math.isfinite(highest - lowest) and is_constant(array, lowest, highest):
        # In float64, or with a small `minimum` or temperature, rounding would look like content.
        array, highest = np.full_like(array, lowest), lowest
    if method == "softmax":
        if floor != 0.0:
            raise ValueError('`minimum` must be 0 with method="softmax", which has no zeros.')
        require_finite(array, name="saliency_map")
        with np.errstate(over="ignore", under="ignore"):  # pixels far below the peak become 0
            logits = (array.astype(np.float64) - float(array.max())) / scale
            weights = np.exp(logits)
        return np.asarray(weights / weights.sum())
    if scale != 1.0:
        raise ValueError(f'`temperature` must be 1 with method={method!r}. It is for "softmax".')
    values = array.astype(np.float64)
    if method == "shift":
        require_finite(array, name="saliency_map")
        width = highest - lowest
        if floor == 0.0 and width == 0.0:
            raise ValueError(
                "`saliency_map` must not be constant, exactly or up to rounding, with "
                "method='shift', which subtracts its smallest value. Give a positive `minimum` to "
                "make it uniform."
            )
        if not math.isfinite(values.size * (width + floor)):
            values, floor = np.ldexp(values, -64), math.ldexp(floor, -64)
        values -= values.min()
    elif values.min() < 0.0:
        weight_sums(values, name="saliency_map")  # raises before `minimum` can hide it
    values += floor
    _, total = weight_sums(values, name="saliency_map")
    return np.asarray(values / total)


def as_epsilon(value: Any) -> float:
    """Return `eps`, or raise unless it is 0 or large enough to divide by."""
    epsilon = as_number(value, name="eps", low=0.0, high=1.0)
    if 0.0 < epsilon < 1e-300:
        raise ValueError(f"`eps` must be 0 or from 1e-300 to 1, got {value!r}.")
    return epsilon


def as_density(
    value: ArrayLike, *, name: str, weights: Float64Array | None = None
) -> tuple[FloatArray, float]:
    """Return a density, not copied, and its sum, which differs from 1 by rounding.

    With weights of pixels, the sum is weighted.
    """
    array = as_map(value, name=name)
    _, total = weight_sums(array, name=name)
    if weights is not None:
        total = float(array.ravel() @ weights)
    if abs(total - 1.0) > SUM_TOLERANCE:
        raise ValueError(
            f"`{name}` must be a density, summing to 1, got a sum of {total:g}. Make one with "
            "`to_density`, by a method that you choose."
        )
    return array, total
