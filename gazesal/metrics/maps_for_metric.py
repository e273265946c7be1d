"""The map with the best expected score by a metric, for gaze whose density is known."""

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_map, require_same_shape
from gazesal._warnings import warn
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.maps.constancy import as_weights, is_flat
from gazesal.metrics.bias_corrected import excess_map, rest_map
from gazesal.metrics.correlation import z_scores
from gazesal.metrics.metric import Metric
from gazesal.metrics.names import as_metrics
from gazesal.typing import Float64Array, FloatArray

__all__ = ["LINEAR_METRICS", "WITH_BIAS", "maps_for_metric"]

BY_DENSITY = (
    "ncc",
    "auc_borji",
    "spearman",
    "auc",
    "auc_judd",
    "nss",
    "information_gain",
    "log_likelihood",
    "sim",
    "kl_divergence",
    "emd",
)
BY_RATIO = ("sauc", "auc_shuffled")
BY_DIFFERENCE = ("residual_ncc", "residual_nss", "snss")
# The gaze enters these scores linearly, so that their expectation does not depend on the number of
# observers or fixations.
LINEAR_METRICS = (
    "auc_borji",
    "sauc",
    "residual_nss",
    "auc",
    "auc_shuffled",
    "nss",
    "snss",
    "information_gain",
    "log_likelihood",
)
# The density of the gaze is not the best map by these metrics.
WITH_BIAS = (*BY_RATIO, *BY_DIFFERENCE, "sncc", "semipartial_ncc")
ROUNDING = 1e-13  # standard deviations by which two z-scored maps differ through rounding


def maps_for_metric(
    density: ArrayLike, metric: str | Metric, center_bias: ArrayLike | None = None
) -> Float64Array:
    r"""Compute the map that scores best by a metric, for gaze with a known density.

    No single map is best by all metrics. A model that predicts a density is scored fairly if each
    metric gets the map that the metric rewards most.

    Parameters
    ----------
    density : array_like of float, shape (H, W)
        Density of the gaze, non-negative with a positive sum, by which it is divided. For metrics
        of gaze maps, it is the expected gaze map.
    metric : str or Metric
        Name or alias of a metric of the library, or the `Metric`.
    center_bias : array_like of float, shape (H, W), optional
        Gaze on other images, non-negative with a positive sum. Required by the metrics that compare
        with it, and ignored by the others.

    Returns
    -------
    numpy.ndarray of float64, shape (H, W)
        The map: for the metrics of the first list under Notes a density with the sum 1, for the
        others any scale. All zero if no map is better than another.

    Raises
    ------
    ValueError
        If the best map by the metric is not known, as for your own metrics. If a map is not 2-D, is
        empty, holds NaN, infinity or a negative value or no positive one, or the shapes differ. If
        the center bias is missing.
    TypeError
        If a map does not hold real numbers, or is masked.

    Warns
    -----
    UndefinedMetricWarning
        If the metric cannot distinguish maps, because `density` equals `center_bias` or, for sNCC
        and semi-partial NCC, one of them is constant.

    See Also
    --------
    to_density : Turn a saliency map into a density.
    gazesal.stats.attainable : Bounds of the score of the best map, from the gaze of observers.

    Notes
    -----
    With density :math:`p` and center bias :math:`c`, each with the sum 1, and z-scores :math:`z`
    over the pixels, the best maps are

    - :math:`p` for ``"auc_borji"``, ``"auc"``, ``"auc_judd"``, ``"nss"``, ``"ncc"``,
      ``"spearman"``, ``"information_gain"``, ``"log_likelihood"``, ``"kl_divergence"``, ``"sim"``
      and ``"emd"``
    - :math:`p / c` for ``"sauc"`` and ``"auc_shuffled"``
    - :math:`p - c` for ``"snss"``, ``"residual_nss"`` and ``"residual_ncc"``
    - :math:`z(p) - z(c)` for ``"sncc"``
    - :math:`z(p) - r z(c)` for ``"semipartial_ncc"``, with the correlation :math:`r` of both

    :footcite:t:`kummerer2018` derive most of these maps. What *best* means depends on the metric:

    - AUC, sAUC, NSS, sNSS, residual NSS, information gain and log-likelihood are linear in the
      gaze. The map has the best expected score for any number of fixations or observers.
    - The same map is also best in expectation by AUC-Judd and by KL, which are not linear.
    - NCC, sNCC, residual and semi-partial NCC, Spearman's correlation, SIM and EMD are not linear.
      The map has the best score against :math:`p` itself, that is, against infinitely many
      observers. Against the noisy gaze map of a few observers, another map can be better on
      average. For SIM, for example, it is narrower or wider depending on their number, and no
      formula for it is known.

    The constant ``eps`` of information gain, log-likelihood and KL is neglected. Pixels at which
    the center bias is 0 have the largest value of :math:`p / c` if there is gaze, and 0 otherwise.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> density = [[0, 2, 4], [0, 1, 1]]
    >>> center_bias = [[1, 3, 1], [1, 1, 1]]
    >>> gazesal.maps_for_metric(density, "nss").tolist()
    [[0.0, 0.25, 0.5], [0.0, 0.125, 0.125]]
    >>> gazesal.maps_for_metric(density, "sauc", center_bias).round(3).tolist()
    [[0.0, 0.667, 4.0], [0.0, 1.0, 1.0]]
    """
    name = as_metrics([metric])[0].name
    if name not in (*BY_DENSITY, *WITH_BIAS):
        raise ValueError(
            f"`metric` must be a metric whose best map is known, got {name!r}. Give one of "
            f"{', '.join((*BY_DENSITY, *WITH_BIAS))}."
        )
    gaze, total = as_weights(as_map(density, name="density"), name="density")
    if center_bias is not None:
        bias, bias_total = as_weights(as_map(center_bias, name="center_bias"), name="center_bias")
        require_same_shape(gaze, bias, names=("density", "center_bias"))
    if name in BY_DENSITY:
        return np.asarray(gaze / np.float64(total), np.float64)
    if center_bias is None:
        raise ValueError(
            f"`center_bias` must be given for {name!r}, got None. Give the gaze on other images, "
            "as a map."
        )
    if name in BY_RATIO:
        return _ratio(gaze / np.float64(total), bias / np.float64(bias_total))
    best = _difference(gaze, bias, name)
    if best is None:
        warn(
            f"No map is better than another by `{name}`: `density` and `center_bias` do not "
            "differ, or one of them is constant.",
            UndefinedMetricWarning,
        )
        return np.zeros(gaze.shape)
    return best


def _ratio(gaze: Float64Array, bias: Float64Array) -> Float64Array:
    """Divide the gaze by the center bias, with the largest value for gaze on a bias of 0."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = gaze / bias
    ratio[gaze == 0.0] = 0.0
    infinite = np.isinf(ratio)
    if infinite.any():
        largest = float(ratio[~infinite].max(initial=0.5))
        ratio[infinite] = min(2.0 * largest, np.finfo(np.float64).max)
    return np.asarray(ratio)


def _difference(gaze: FloatArray, bias: FloatArray, name: str) -> Float64Array | None:
    """Return the best map by a metric of differences, or None if no map is best."""
    if name in BY_DIFFERENCE:
        return excess_map(gaze, bias)
    if name == "semipartial_ncc":
        return rest_map(gaze, bias)
    if is_flat(gaze) or is_flat(bias):
        return None
    difference = z_scores(gaze) - z_scores(bias)
    return None if np.abs(difference).max() <= ROUNDING else difference.reshape(gaze.shape)
