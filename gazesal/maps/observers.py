"""Gaze maps of each observer and of the other observers."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_iterable, as_map, finite_extremes, require_same_shape
from gazesal.kernels.auc.cells import extremes
from gazesal.maps.running_sum import RunningSum
from gazesal.typing import Float64Array, FloatArray

__all__ = ["ObserverSplit", "one_vs_rest"]


class ObserverSplit(NamedTuple):
    """The gaze map of one observer, and the mean of all other observers.

    Attributes
    ----------
    own : numpy.ndarray, shape (H, W)
        Gaze map of the observer, as given.
    rest : numpy.ndarray of float64, shape (H, W)
        Mean of the other observers' gaze maps.
    """

    own: FloatArray
    rest: Float64Array


def one_vs_rest(maps: Iterable[ArrayLike]) -> list[ObserverSplit]:
    r"""Pair each observer's gaze map with the mean of the other observers.

    The mean of the others is the ground truth for the observer left out, a model or a baseline.
    The score of the observer left out measures the agreement of one observer with the others. It
    is not an upper bound: one observer is noisy, so a map can score higher.

    Parameters
    ----------
    maps : array_like of float, shape (N, H, W), or iterable of N maps (H, W)
        Gaze maps of the observers of one image, N at least 2, finite. They are averaged without
        normalization. Give maps that sum to 1, such as those from `gaze_heatmap`, for all
        observers to have the same weight.

    Returns
    -------
    list of ObserverSplit
        A pair of ``own`` and ``rest`` for each observer, in the given order.

    Raises
    ------
    ValueError
        If there are fewer than two maps, one is not 2-D or not finite, or the shapes differ.
    TypeError
        If a map does not hold real numbers.

    Notes
    -----
    With :math:`G_i` the map of observer :math:`i` of :math:`N`,

    .. math:: R_i = \frac{1}{N-1} \sum_{j \ne i} G_j.

    This is the "1 vs. 4" of section 3.2 of :footcite:t:`bigolin2021` for five radiologists, for
    every choice of the observer left out. The maps are summed once, in double-double arithmetic,
    and each observer is subtracted from the sum, so the cost is proportional to N.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> for own, rest in gazesal.one_vs_rest([[[1.0, 0.0]], [[0.0, 1.0]], [[0.5, 0.5]]]):
    ...     print(own.tolist(), rest.tolist())
    [[1.0, 0.0]] [[0.25, 0.75]]
    [[0.0, 1.0]] [[0.75, 0.25]]
    [[0.5, 0.5]] [[0.5, 0.5]]
    """
    arrays: list[FloatArray] = []
    non_negative = True
    for index, value in enumerate(as_iterable(maps, name="maps", of="gaze maps")):
        array = as_map(value, name=f"maps[{index}]")
        lowest, _ = finite_extremes(array.ravel(), name=f"maps[{index}]")
        non_negative = non_negative and lowest >= 0
        if arrays:
            require_same_shape(arrays[0], array, names=("maps[0]", f"maps[{index}]"))
        arrays.append(array)
    if len(arrays) < 2:
        raise ValueError(
            f"`maps` must contain the maps of at least two observers, got {len(arrays)}. One "
            "observer cannot be compared with others."
        )
    everybody = RunningSum(arrays)
    splits = []
    for own in arrays:
        rest = everybody.value_without(own)
        rest /= len(arrays) - 1
        lowest, _, finite = extremes(rest.ravel())
        if not finite:
            raise ValueError(
                "`maps` must have a finite sum, but it exceeds the range of float64. Rescale them."
            )
        if non_negative and lowest < 0:
            np.maximum(rest, 0.0, out=rest)  # rounding made a non-negative sum negative
        splits.append(ObserverSplit(own, rest))
    return splits
