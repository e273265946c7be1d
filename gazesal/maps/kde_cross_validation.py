"""Cross-validation of the bandwidth and mixing of a kernel density estimate."""

import math

import numpy as np

from gazesal.kernels.densities import left_out_kernel_sums
from gazesal.maps.pooled import PooledFixations
from gazesal.typing import Float64Array


def cross_validate(
    fixations: PooledFixations, aspect: float, bandwidths: Float64Array, mixings: Float64Array
) -> Float64Array:
    """Compute the bits per fixation above uniform, each image under the others."""
    weights, starts, owners = fixations.weights, fixations.starts, fixations.owners
    n_images = len(fixations.images)
    counted = np.bincount(owners, weights) > 0
    if counted.sum() < 2:
        raise ValueError(
            "`fixations` must contain at least two images, to leave one out, got "
            f"{int(counted.sum())} with fixations of positive weight."
        )
    # here the kernel is round, and lengths are in units of the width
    places = np.asarray(fixations.points * np.array([1.0, aspect]))
    sums = left_out_kernel_sums(places, weights, starts, bandwidths[::-1].copy())[::-1]
    scores = np.empty((bandwidths.size, mixings.size))
    for k, bandwidth in enumerate(bandwidths.tolist()):
        # The mass of each image's kernels inside the image, and then of all other images. Sums
        # from both ends need no subtraction, which would lose digits.
        inside = weights * _mass_inside(places[:, 0], 1.0, bandwidth)
        inside *= _mass_inside(places[:, 1], aspect, bandwidth)
        own = np.bincount(owners, inside, minlength=n_images)
        others = np.concatenate([[0.0], np.cumsum(own)[:-1]])
        others += np.concatenate([np.cumsum(own[::-1])[::-1][1:], [0.0]])
        peak = aspect / (2.0 * math.pi * bandwidth**2)
        kde = peak * sums[k] / others[owners]
        used = weights > 0
        for m, share in enumerate(mixings.tolist()):
            with np.errstate(divide="ignore"):
                bits = np.log2((1.0 - share) * kde[used] + share)
            scores[k, m] = (weights[used] * bits).sum() / weights.sum()
    return scores


def _mass_inside(centers: Float64Array, length: float, bandwidth: float) -> Float64Array:
    """Return the share of a normal density about each center that lies in [0, length]."""
    from scipy.special import ndtr  # noqa: PLC0415  (keeps the import of gazesal fast)

    return np.asarray(ndtr((length - centers) / bandwidth) - ndtr(-centers / bandwidth))
