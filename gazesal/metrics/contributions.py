"""Maps of how much each pixel adds to a score."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_map, require_finite, require_same_shape
from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.maps.constancy import constant, is_flat
from gazesal.metrics.auc import as_weights, auc_borji, sauc
from gazesal.metrics.bias_corrected import (
    excess_map,
    residual_ncc,
    residual_nss,
    rest_map,
    semipartial_ncc,
)
from gazesal.metrics.correlation import ncc, sncc, z_scores
from gazesal.metrics.densities import EPSILON, as_density, as_epsilon
from gazesal.metrics.distribution import kl_divergence, sim
from gazesal.metrics.metric import Metric
from gazesal.metrics.names import as_metrics
from gazesal.metrics.points import fixated_pixels
from gazesal.typing import Float64Array, FloatArray

__all__ = ["ON_BASELINE", "contributions", "has_contributions"]

OF_MAPS: dict[str, Any] = {
    "auc_borji": auc_borji,
    "kl_divergence": kl_divergence,
    "ncc": ncc,
    "sim": sim,
}
WITH_BIAS: dict[str, Any] = {
    "residual_ncc": residual_ncc,
    "residual_nss": residual_nss,
    "sauc": sauc,
    "semipartial_ncc": semipartial_ncc,
    "sncc": sncc,
}
OF_FIXATIONS = ("information_gain", "log_likelihood", "nss")
ON_BASELINE = ("information_gain",)
WITH_EPS = ("information_gain", "kl_divergence", "log_likelihood")


def contributions(
    metric: str | Metric,
    saliency_map: ArrayLike,
    gaze: ArrayLike,
    center_bias: ArrayLike | None = None,
    *,
    eps: float | None = None,
) -> Float64Array:
    r"""Compute the contribution of each pixel to a score, as a signed map that sums to the score.

    Parameters
    ----------
    metric : str or Metric
        ``"auc_borji"``, ``"sauc"``, ``"ncc"``, ``"sncc"``, ``"sim"``, ``"kl_divergence"``,
        ``"residual_ncc"``, ``"residual_nss"``, ``"semipartial_ncc"``, ``"nss"``,
        ``"information_gain"`` or ``"log_likelihood"``, or an alias of one.
    saliency_map : array_like of float, shape (H, W)
        Map under test, as the metric takes it: a density that sums to 1 for information gain and
        log-likelihood.
    gaze : array_like of float, shape (H, W) or (N, 2)
        Gaze map. The last three metrics also take fixations, columns x and y in image pixels. For a
        gaze map they return the expected score of a fixation sampled from it.
    center_bias : array_like of float, shape (H, W), optional
        Gaze on other images, required by the metrics that compare with it and not allowed
        otherwise. For information gain, the baseline: a density that sums to 1.
    eps : float, optional
        Constant in the logarithm, in [0, 1], ``2**-52`` by default. Only for information gain,
        log-likelihood and KL.

    Returns
    -------
    numpy.ndarray of float64, shape (H, W)
        Contributions in the unit of the score. All ``nan`` if the score is undefined.

    Raises
    ------
    ValueError
        If the metric has no contributions per pixel, `center_bias` or `eps` is missing or unused,
        or the metric does not accept a map.
    TypeError
        If an argument does not hold real numbers, or is masked.

    Warns
    -----
    UndefinedMetricWarning
        If the score is undefined, as by the metric.

    See Also
    --------
    gazesal.plots.plot_contributions : Draw the contributions over a picture.

    Notes
    -----
    With saliency map :math:`S`, gaze map :math:`G` and center bias or baseline :math:`C`, the last
    two divided by their sums, z-scores :math:`z`, and :math:`P` pixels, pixel :math:`p` contributes

    - AUC and sAUC: :math:`G(p)` times the share of negatives below :math:`S(p)`, ties half;
    - NCC: :math:`z_S(p) z_G(p) / P`, and for residual and semipartial NCC with :math:`G - C` or the
      residual of the gaze instead of :math:`G`. sNCC is the difference of two such maps;
    - NSS: :math:`z_S(p) G(p)`, and residual NSS :math:`z_S(p) (G(p) - C(p))`;
    - information gain and log-likelihood: :math:`G(p)` times the log-ratio in bits, after
      :footcite:t:`kummerer2015`;
    - SIM and KL: the term of the pixel in the sum.

    A sum can be divided among pixels in several ways. For example, a pixel of low saliency without
    gaze adds to the AUC only by ranking below others, and its contribution here is 0.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> gaze_map = [[0, 0, 4], [0, 1, 1]]
    >>> parts = gazesal.contributions("ncc", [[0, 0, 9], [0, 1, 0]], gaze_map)
    >>> (parts.round(3) + 0.0).tolist()
    [[0.06, 0.06, 0.786], [0.06, 0.0, 0.0]]
    >>> round(float(parts.sum()), 4)
    0.9643
    """
    name = as_metrics([metric])[0].name
    _require_known(name, center_bias, eps)
    saliency = as_map(saliency_map, name="saliency_map")
    epsilon = EPSILON if eps is None else as_epsilon(eps)
    if name in OF_FIXATIONS:
        shares = _as_shares(gaze, saliency)
        if name == "nss":
            return _of_nss(saliency, shares)
        return _of_information(saliency, shares, center_bias, epsilon)
    function = OF_MAPS.get(name) or WITH_BIAS[name]
    others = () if center_bias is None else (center_bias,)
    options = {"eps": epsilon} if name == "kl_divergence" else {}
    if math.isnan(function(saliency_map, gaze, *others, **options)):  # checks all arguments
        return np.full(saliency.shape, math.nan)
    gaze_map = as_map(gaze, name="gaze_map")
    bias = None if center_bias is None else as_map(center_bias, name="center_bias")
    return _of_maps(name, saliency, gaze_map, bias, epsilon).reshape(saliency.shape)


def has_contributions(metric: str) -> bool:
    """Return whether a metric, by its name, has contributions per pixel."""
    return metric in {*OF_MAPS, *WITH_BIAS, *OF_FIXATIONS}


def _of_maps(
    name: str, saliency: FloatArray, gaze: FloatArray, bias: FloatArray | None, eps: float
) -> Float64Array:
    """Return the contributions to a defined score of maps that the metric has checked."""
    if name in {"auc_borji", "sauc"}:
        return np.asarray(_shares(gaze) * _below(saliency, bias))
    if bias is not None:
        return _of_bias(name, saliency, gaze, bias)
    if name == "ncc":
        return _products(saliency, gaze)
    p, q = _shares(saliency), _shares(gaze)
    if name == "sim":
        return np.minimum(p, q)
    if eps > 0.0:
        return np.asarray(q * np.log(eps + q / (p + eps)))
    parts, looked = np.zeros(q.size), q > 0.0
    parts[looked] = q[looked] * (np.log(q[looked]) - np.log(p[looked]))
    return parts


def _of_bias(name: str, saliency: FloatArray, gaze: FloatArray, bias: FloatArray) -> Float64Array:
    """Return the contributions to a correlation or NSS that the center bias corrects."""
    if name == "sncc":
        return np.asarray(_products(saliency, gaze) - _products(saliency, bias))
    other = rest_map(gaze, bias) if name == "semipartial_ncc" else excess_map(gaze, bias)
    if other is None:  # the gaze equals the center bias
        return np.zeros(saliency.size)
    if name == "residual_nss":
        return np.asarray(z_scores(saliency) * other.ravel())
    return _products(saliency, other)


def _products(first: FloatArray, second: FloatArray) -> Float64Array:
    """Return the products of z-scores, whose sum is the correlation."""
    return np.asarray(z_scores(first) * z_scores(second) / first.size)


def _below(saliency: FloatArray, negatives: FloatArray | None) -> Float64Array:
    """Return the share of negatives below each pixel's value, with ties half."""
    if is_flat(saliency):
        return np.full(saliency.size, 0.5)
    _, levels = np.unique(saliency, return_inverse=True)
    weights = None if negatives is None else _shares(negatives)
    masses = np.bincount(levels.ravel(), weights)
    below = np.cumsum(masses) - masses / 2
    return np.asarray(below[levels.ravel()] / masses.sum())


def _of_nss(saliency: FloatArray, shares: Float64Array) -> Float64Array:
    require_finite(saliency, name="saliency_map")
    if is_flat(saliency):
        warn(
            f"NSS is undefined: `saliency_map` is {constant(saliency)}.",
            UndefinedMetricWarning,
        )
        return np.full(saliency.shape, math.nan)
    return np.asarray((z_scores(saliency) * shares).reshape(saliency.shape))


def _of_information(
    saliency: FloatArray, shares: Float64Array, baseline: ArrayLike | None, eps: float
) -> Float64Array:
    density, total = as_density(saliency, name="saliency_map")
    p = density.ravel() / np.float64(total)
    b = np.full(p.size, 1.0 / p.size)
    if baseline is not None:
        other, other_total = as_density(baseline, name="center_bias")
        require_same_shape(saliency, other, names=("saliency_map", "center_bias"))
        b = other.ravel() / np.float64(other_total)
    looked = shares > 0.0
    for values, name in ((p, "saliency_map"), (b, "center_bias")):
        if eps == 0.0 and not values[looked].all():
            warn(
                f"The information is undefined: `{name}` is 0 where there is gaze, and `eps` is 0.",
                UndefinedMetricWarning,
            )
            return np.full(saliency.shape, math.nan)
    parts = np.zeros(p.size)
    parts[looked] = shares[looked] * (np.log2(eps + p[looked]) - np.log2(eps + b[looked]))
    return parts.reshape(saliency.shape)


def _as_shares(gaze: ArrayLike, saliency: FloatArray) -> Float64Array:
    """Return a gaze map, or the counts of fixations, divided by the sum."""
    if saliency.shape[1] == 2:
        raise ValueError(
            "`saliency_map` must be wider than 2 pixels for this metric, because `gaze` could be "
            f"fixations (N, 2) or a map, got shape {saliency.shape}. Use `ncc` or `auc_borji`."
        )
    array = np.asarray(gaze)
    if array.ndim == 2 and array.shape[1] == 2:
        pixels = fixated_pixels(gaze, saliency.shape, name="gaze", outside="raise")
        return np.bincount(pixels, minlength=saliency.size) / len(pixels)
    gaze_map = as_map(gaze, name="gaze")
    require_same_shape(saliency, gaze_map, names=("saliency_map", "gaze"))
    return _shares(gaze_map, name="gaze")


def _shares(weights: FloatArray, *, name: str = "gaze_map") -> Float64Array:
    values, sums = as_weights(weights, name=name)
    return np.asarray(values.ravel() / np.float64(sums.sum()))


def _require_known(name: str, center_bias: ArrayLike | None, eps: float | None) -> None:
    """Raise unless the metric has contributions and takes exactly the arguments given."""
    if not has_contributions(name):
        known = (*OF_MAPS, *WITH_BIAS, *OF_FIXATIONS)
        raise ValueError(
            f"`metric` must be one of {', '.join(map(repr, sorted(known)))}, got {name!r}. The "
            "other metrics have no single contribution per pixel."
        )
    needs = name in WITH_BIAS or name in ON_BASELINE
    if needs and center_bias is None:
        raise ValueError(
            f"`center_bias` must be given for {name!r}, got None. Make one with `CenterBias`."
        )
    if not needs and center_bias is not None:
        raise ValueError(f"`center_bias` must be None for {name!r}, got a map. Remove it.")
    if eps is not None and name not in WITH_EPS:
        raise ValueError(
            f"`eps` is used only by {', '.join(map(repr, WITH_EPS))}, got it with {name!r}. "
            "Remove it."
        )
