"""Observers against each other."""

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
    """One observer's gaze map beside the mean of all others'.

    Attributes
    ----------
    own : numpy.ndarray, shape (H, W)
        That observer's gaze map, as given.
    rest : numpy.ndarray of float64, shape (H, W)
        Mean of the other observers' gaze maps.
    """

    own: FloatArray
    rest: Float64Array


def one_vs_rest(maps: Iterable[ArrayLike]) -> list[ObserverSplit]:
    r"""Pair each observer's gaze map with the mean of the others'.

    The mean of the others is the ground truth against which the one left out, a model or a
    baseline is scored. Scoring the one left out says how well one observer predicts the others,
    which is not an upper bound: a map can score higher, because one observer is noisy.

    Parameters
    ----------
    maps : array_like of float, shape (N, H, W), or iterable of N maps (H, W)
        Gaze maps of the observers of one image, N at least 2, finite. They are averaged as they
        are: give maps that sum to 1, as `gaze_heatmap` returns them, for every observer to count
        alike.

    Returns
    -------
    list of ObserverSplit
        For each observer, in the order given, a pair: ``own`` and ``rest``.

    Raises
    ------
    ValueError
        If there are fewer than two maps, one is not 2-D or not finite, or the shapes differ.
    TypeError
        If a map does not hold real numbers.

    Notes
    -----
    With :math:`G_i` the map of observer :math:`i` of :math:`N`,

    .. math:: R_i = \frac{1}{N-1} \sum_{j \ne i} G_j,

    the "1 vs. 4" of section 3.2 of :footcite:t:`bigolin2021` for five radiologists, for every
    choice of the one left out. The maps are summed once, in double-double arithmetic, and each
    observer is taken out of the sum, so the cost grows with N and not with its square.

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
            f"`maps` must hold the maps of at least two observers, got {len(arrays)}: one has "
            "nobody to be compared with."
        )
    everybody = RunningSum(arrays)
    splits = []
    for own in arrays:
        rest = everybody.value_without(own)
        rest /= len(arrays) - 1
        lowest, _, finite = extremes(rest.ravel())
        if not finite:
            raise ValueError("`maps` must have a finite sum, but their values add up past float64.")
        if non_negative and lowest < 0:
            np.maximum(rest, 0.0, out=rest)  # a sum of non-negative maps, but for rounding
        splits.append(ObserverSplit(own, rest))
    return splits
