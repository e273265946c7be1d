"""Maximum likelihood of log-linear densities over pixels."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gazesal.typing import Float64Array

__all__ = ["ImageTerms", "log_sum", "maximize"]

MOST_STEPS = 100  # of Newton's method, which needs about ten
# nats; the error after a step is about its square
LAST_FALL = 1e-8
FLAT = 1e-7  # curvature per fixation; below it a coefficient is not determined
SHORTEST = 2.0**-30  # of a Newton step; a shorter one changes only rounding


class ImageTerms(NamedTuple):
    """The terms of one image in the likelihood.

    Attributes
    ----------
    design : numpy.ndarray, shape (pixels, columns)
        Basis functions at the pixels over which the density is summed.
    log_base : numpy.ndarray, shape (pixels,)
        Logarithm of the density without the map.
    at_fixations : numpy.ndarray, shape (columns,)
        Sum of the basis functions over the fixations.
    n : int
        Number of fixations.
    """

    design: Float64Array
    log_base: Float64Array
    at_fixations: Float64Array
    n: int


def maximize(
    images: Sequence[ImageTerms],
    *,
    n_columns: int,
    nonnegative: bool,
    penalty: float,
    start: Float64Array | None = None,
) -> Float64Array:
    """Return the coefficients of the highest penalized likelihood.

    Newton's method with halved steps. With `nonnegative`, each step is the solution of a quadratic
    problem with bounds.
    """
    beta = np.zeros(n_columns) if start is None else start.copy()
    if n_columns == 0:
        return beta
    value, slope, curvature = _derivatives(images, beta, penalty)
    for _ in range(MOST_STEPS):
        step = _step(beta, slope, curvature, nonnegative=nonnegative)
        fall = -float(slope @ step)  # twice the expected fall of the value
        if fall <= LAST_FALL:
            if penalty == 0.0:
                _require_unique(curvature, sum(image.n for image in images))
            return np.asarray(beta + step)
        length = 1.0
        while length > SHORTEST:
            tried = beta + length * step
            found = _derivatives(images, tried, penalty)
            if found[0] <= value - 1e-4 * length * fall:
                break
            length /= 2.0
        else:  # the likelihood is flat up to rounding
            return beta
        beta = tried
        value, slope, curvature = found
    raise _no_maximum(penalty)


def log_sum(logs: Float64Array) -> float:
    """Return the logarithm of a sum, of logarithms."""
    highest = float(logs.max())
    return highest + float(np.log(np.exp(logs - highest).sum()))


def _derivatives(
    images: Sequence[ImageTerms], beta: Float64Array, penalty: float
) -> tuple[float, Float64Array, Float64Array]:
    """Return the negative penalized log-likelihood in nats with its gradient and Hessian."""
    value = 0.5 * penalty * float(beta @ beta)
    slope, curvature = penalty * beta, penalty * np.eye(beta.size)
    for design, log_base, at_fixations, n in images:
        logs = log_base + design @ beta
        highest = float(logs.max())
        weights = np.exp(logs - highest)
        total = float(weights.sum())
        weights /= total
        mean = weights @ design
        value += n * (highest + float(np.log(total))) - float(at_fixations @ beta)
        slope += n * mean - at_fixations
        curvature += n * ((design * weights[:, None]).T @ design - np.outer(mean, mean))
    return value, slope, curvature


def _step(
    beta: Float64Array, slope: Float64Array, curvature: Float64Array, *, nonnegative: bool
) -> Float64Array:
    """Return the step to the minimum of the quadratic approximation."""
    if not nonnegative:
        return -np.asarray(np.linalg.lstsq(curvature, slope, rcond=None)[0], np.float64)
    from scipy.optimize import nnls  # noqa: PLC0415  (keeps the import of gazesal fast)

    jitter = 1e-12 * float(np.trace(curvature)) * np.eye(beta.size)
    root = np.linalg.cholesky(curvature + jitter)
    target = root.T @ beta - np.linalg.solve(root, slope)
    return np.asarray(nnls(root.T, target)[0] - beta)


def _require_unique(curvature: Float64Array, n: int) -> None:
    """Raise if the likelihood of n fixations is flat, because it rises towards infinity."""
    if np.linalg.eigvalsh(curvature)[0] < FLAT * n:
        raise _no_maximum(0.0)


def _no_maximum(penalty: float) -> ValueError:
    return ValueError(
        f"`penalty` must be larger for these maps and fixations, got {penalty:g}. Without "
        "fixations at some values of a map, or with two equal maps, the likelihood has no single "
        "maximum."
    )
