"""Correlation of a map with the gaze beyond any number of given maps."""

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_choice, as_map, require_finite, require_same_shape
from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.maps.constancy import is_flat
from gazesal.metrics.bias_corrected import is_rounding
from gazesal.metrics.correlation import z_scores
from gazesal.metrics.map_lists import Maps, as_maps
from gazesal.typing import Float64Array, FloatArray

__all__ = ["partial_ncc"]

RemoveFrom = Literal["both", "gaze", "map"]


def partial_ncc(
    saliency_map: ArrayLike,
    gaze_map: ArrayLike,
    given: Maps,
    *,
    remove_from: RemoveFrom = "both",
) -> float:
    r"""Compute the correlation of a map with the gaze beyond given maps.

    The given maps, such as the center bias, a segmentation and another model, are fitted together
    by least squares with a constant, and the fit is subtracted.

    Parameters
    ----------
    saliency_map : array_like of float, shape (H, W)
        Map under test, any scale, finite.
    gaze_map : array_like of float, shape (H, W)
        Gaze map, any scale, finite. See `gaze_heatmap`.
    given : list or mapping of array_like of float, each of shape (H, W)
        At least one map, any scale, finite. A constant map changes nothing.
    remove_from : {"both", "gaze", "map"}, default "both"
        The map from which the fit is subtracted. ``"both"`` is the partial correlation. ``"gaze"``
        is the `semipartial_ncc`: its square is the share of the rest of the gaze that the whole map
        explains. ``"map"`` is the other semi-partial correlation: its square is the increase in the
        explained variance of the gaze map if the map is added to the given maps.

    Returns
    -------
    float
        In [-1, 1], and higher is better. Chance is 0 for a map of noise. ``nan`` if the saliency
        map or the gaze map is constant, or if the given maps explain the map from which they are
        removed.

    Raises
    ------
    ValueError
        If a map is not 2-D, is empty, holds NaN or infinity, the shapes differ, no map is given, or
        `remove_from` is unknown.
    TypeError
        If a map does not hold real numbers, or is masked, or `given` is a single map.

    Warns
    -----
    UndefinedMetricWarning
        If the score is undefined, exactly or up to rounding.

    See Also
    --------
    semipartial_ncc : The metric of `evaluate`, with the center bias as the given map.
    added_information : Bits that a map adds to given maps, over many images.

    Notes
    -----
    .. math:: \mathrm{NCC}(S - \hat S,\; G - \hat G), \qquad \mathrm{NCC}(S,\; G - \hat G)
              \qquad\text{or}\qquad \mathrm{NCC}(S - \hat S,\; G)

    with saliency map :math:`S`, gaze map :math:`G`, and :math:`\hat S` and :math:`\hat G` their
    least squares fits by the given maps and a constant over all pixels. :footcite:t:`hayes2020`
    reported the squares of such correlations. Pixels of smooth maps are not independent, so that a
    p-value of a regression over pixels has no meaning. Average the scores over images instead.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> gaze_map = [[0, 0, 4], [0, 1, 1]]
    >>> given = [[[1, 2, 1], [2, 4, 2]], [[0, 0, 1], [0, 0, 1]]]
    >>> saliency_map = [[0, 0, 9], [0, 1, 0]]
    >>> round(gazesal.partial_ncc(saliency_map, gaze_map, given), 4)
    0.9959
    >>> round(gazesal.partial_ncc(saliency_map, gaze_map, given, remove_from="map"), 4)
    0.658
    """
    saliency, gaze = as_map(saliency_map, name="saliency_map"), as_map(gaze_map, name="gaze_map")
    others = as_maps(given, name="given")
    as_choice(remove_from, get_args(RemoveFrom), name="remove_from")
    named: dict[str, FloatArray] = {"saliency_map": saliency, "gaze_map": gaze}
    named |= {f"given[{key!r}]": values for key, values in others.items()}
    for name, values in named.items():
        require_same_shape(saliency, values, names=("saliency_map", name))
        require_finite(values, name=name)
    if is_flat(saliency) or is_flat(gaze):
        return _undefined("`saliency_map` or `gaze_map` is constant")
    known = [values for values in others.values() if not is_flat(values)]
    basis = _orthonormal(known)
    first: Any = z_scores(saliency)
    second: Any = z_scores(gaze)
    if remove_from != "gaze":
        first = _rest(first, basis, [saliency, *known])
    if remove_from != "map":
        second = _rest(second, basis, [gaze, *known])
    if first is None or second is None:
        which = "saliency_map" if first is None else "gaze_map"
        return _undefined(f"`given` explains all of `{which}`")
    r = float(np.vdot(first, second) / np.sqrt(np.vdot(first, first) * np.vdot(second, second)))
    return min(1.0, max(-1.0, r))


def _orthonormal(maps: list[FloatArray]) -> Float64Array:
    """Return orthonormal columns that span the z-scores of maps, without repeated ones."""
    if not maps:
        return np.zeros((0, 0))
    columns = np.column_stack([z_scores(values) for values in maps])
    left, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    return np.asarray(left[:, sizes > sizes[0] * max(columns.shape) * np.finfo(np.float64).eps])


def _rest(values: Float64Array, basis: Float64Array, maps: list[FloatArray]) -> Any:
    """Return z-scores minus their projection, or None if only rounding is left."""
    rest = values
    for _ in range(2 if basis.size else 0):  # the second time removes the rounding of the first
        rest = rest - basis @ (basis.T @ rest)
    return None if is_rounding(rest, float(np.abs(values).max()), tuple(maps)) else rest


def _undefined(reason: str) -> float:
    """Warn that the score is undefined, and return NaN."""
    warn(f"The partial NCC is undefined: {reason}.", UndefinedMetricWarning)
    return float("nan")
