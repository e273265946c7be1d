"""Shares of a density of the gaze, a center bias and the uniform density in a mixture."""

import numpy as np

from gazesal.typing import Float64Array

__all__ = ["mixture_shares"]

MOST_STEPS = 1000  # of the EM algorithm, which is stopped earlier by `SMALLEST_STEP`
SMALLEST_STEP = 1e-9  # change of a share
PRIOR = 0.1  # observers; gaze that is assumed for each density, so that no share is 0


def mixture_shares(densities: Float64Array, counts: Float64Array) -> Float64Array:
    """Fit the shares of densities in a mixture to the gaze of observers.

    Parameters
    ----------
    densities : numpy.ndarray, shape (K, M)
        Values of K densities at M places, with a positive sum at each place.
    counts : numpy.ndarray, shape (M,)
        Gaze at each place, with a sum of 1 for each observer.

    Returns
    -------
    numpy.ndarray, shape (K,)
        Shares that sum to 1. A density that is 0 everywhere has no share. Every other density has
        one, because the gaze of a tenth of an observer is assumed for it. Without it, a few
        fixations near the others could leave nothing for fixations elsewhere.
    """
    shares = (densities.max(axis=1) > 0) / np.float64(np.count_nonzero(densities.max(axis=1)))
    prior = PRIOR * (shares > 0)
    total = counts.sum() + prior.sum()
    for _ in range(MOST_STEPS):
        before = shares
        shares = (shares * (densities @ (counts / (shares @ densities))) + prior) / total
        if np.abs(shares - before).max() < SMALLEST_STEP:
            break
    return np.asarray(shares)
