"""Bounds of the score of the best possible map, from the gaze of several observers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from numpy.typing import ArrayLike

from gazesal.metrics.metric import Metric
from gazesal.stats.observers_as_maps import ObserversAsMaps

__all__ = ["Attainable", "attainable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attainable:
    """Scores of maps made of observers, which enclose the score of the best map.

    Attributes
    ----------
    metric : str
        Name of the metric.
    rest_predicts_one : float
        Mean score of the map made of the other observers against the gaze of one observer. The best
        map is expected to score at least as well.
    all_predict_one : float
        Mean score of the map made of all observers against the gaze of one of them, which the map
        includes. The best map is expected to score at most as well. ``nan`` by metrics that are not
        linear in the gaze, for which this is not a bound.
    rest_by_observer, all_by_observer : tuple of float
        The scores of which these are the means, in the order of the observers.
    n_observers : int
        Number of observers.
    """

    metric: str
    rest_predicts_one: float
    all_predict_one: float
    rest_by_observer: tuple[float, ...]
    all_by_observer: tuple[float, ...]
    n_observers: int


def attainable(
    metric: str | Metric,
    gaze_maps: Iterable[ArrayLike],
    center_bias: ArrayLike | None = None,
    *,
    fixations: Iterable[ArrayLike] | None = None,
    other_fixations: ArrayLike | None = None,
    shrink: int | None = None,
) -> Attainable:
    r"""Compute bounds of the score of the best possible map on one image.

    A map can score above one observer, because one observer is noisy. These bounds state how far
    above: the other observers predict the gaze of one observer worse than the best map does, and a
    map that includes this gaze predicts it better.

    Parameters
    ----------
    metric : str or Metric
        Metric of the library, by its name or an alias.
    gaze_maps : array_like of float, shape (N, H, W), or iterable of N maps (H, W)
        Gaze maps of at least two observers of the image, non-negative with a positive sum. See
        `gaze_heatmap`. Maps with equal sums give the observers equal weight.
    center_bias : array_like of float, shape (H, W), optional
        Gaze on other images, non-negative with a positive sum. Required by the metrics that compare
        with it. It is the baseline of information gain. Log-likelihood and KL mix it into the
        predictions.
    fixations : iterable of N array_like of float, shape (M, 2), optional
        Points of each observer, in the order of `gaze_maps`, with columns x and y in pixels.
        Required by the metrics of fixations.
    other_fixations : array_like of float, shape (M, 2), optional
        Fixations on other images, required by the shuffled metrics of fixations.
    shrink : int, optional
        Side in pixels of the cells of `emd`, and required by it.

    Returns
    -------
    Attainable
        Both bounds, with the scores of each observer.

    Raises
    ------
    ValueError
        If there are fewer than two observers, the best map by the metric is not known, a required
        argument is missing, `fixations` has another number of observers than `gaze_maps`, or an
        argument is refused by the metric.
    TypeError
        If an argument does not hold real numbers, or is masked.

    Warns
    -----
    UndefinedMetricWarning
        If a score is undefined, as by the metric.

    See Also
    --------
    noise_ceiling : The best attainable NCC, which does not need bounds.
    observer_curve : The scores of fewer observers, and their limit.
    gazesal.maps_for_metric : The best map by a metric.

    Notes
    -----
    With gaze :math:`G_k` of observer :math:`k`, the mean gaze map :math:`R_{-k}` of the others and
    :math:`R` of all :math:`N`, and the score :math:`f(S, G)` of a map :math:`S`,

    .. math:: \frac1N \sum_k f(h(R_{-k}), G_k)
              \le \max_S \operatorname{E} f(S, G)
              \le \frac1N \sum_k f(h(R), G_k)

    in expectation, where :math:`h` is the best map for a density, see `gazesal.maps_for_metric`.
    The first inequality holds because no map predicts a new observer better than the best map does.
    The second holds because by metrics that are linear in the gaze the mean is the score against
    :math:`R`, and :math:`h(R)` is the best map against :math:`R`. :footcite:t:`wilming2011` took
    the score of the other observers for the limit of models. The best map is above it.

    For information gain, log-likelihood and KL, :math:`h` mixes the mean gaze map, the center bias
    and the uniform density, as the gold standard of :footcite:t:`kummerer2015`. The shares are
    fitted by likelihood to the observers in the map, each left out in turn and predicted by the
    others, so that :math:`h(R_{-k})` does not depend on the gaze of :math:`k`. The gaze of a tenth
    of an observer is assumed for each of the three, so that no share is 0. Because of the mixture
    and of the blur of the gaze maps, :math:`h(R)` need not be the best map against :math:`R`. With
    a blur that hides structure of the gaze, the second line can be too low by metrics of fixations.

    By KL, SIM, EMD and correlations, which are not linear in the gaze, only the score of the others
    against one observer is returned. It bounds the score against *one* observer. For KL and EMD,
    lower is better, and the best map is expected to score lower.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> maps = [[[3, 1, 0, 0]], [[2, 2, 0, 0]], [[4, 0, 0, 0]]]
    >>> found = gazesal.stats.attainable("auc_borji", maps)
    >>> round(found.rest_predicts_one, 4), round(found.all_predict_one, 4)
    (0.8125, 0.8125)
    """
    observers = ObserversAsMaps(metric, gaze_maps, center_bias, fixations, other_fixations, shrink)
    n = observers.n
    rest = [observers.score([j for j in range(n) if j != i], i) for i in range(n)]
    whole = observers.score_all() if observers.linear else [math.nan] * n
    return Attainable(
        metric=observers.metric.name,
        rest_predicts_one=math.fsum(rest) / n,
        all_predict_one=math.fsum(whole) / n,
        rest_by_observer=tuple(rest),
        all_by_observer=tuple(whole),
        n_observers=n,
    )
