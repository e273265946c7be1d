"""AUCs of a classifier per label, with intervals over patients."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from gazesal._validation import as_real_array, require_finite
from gazesal.typing import Float64Array

__all__ = ["label_aucs"]

MEAN = "mean"


def label_aucs(
    targets: ArrayLike,
    scores: ArrayLike,
    labels: Sequence[str],
    *,
    patients: Sequence[object],
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    r"""Compute the AUC of each label and their mean, with intervals over patients.

    Parameters
    ----------
    targets : array_like of bool, shape (N, L)
        True for each positive label.
    scores : array_like of float, shape (N, L)
        Scores, such as logits. A higher score means that the label is more likely.
    labels : sequence of str, length L
        Names of the labels.
    patients : sequence, length N
        Patient of each image. Patients are independent, but their images need not be.
    confidence_level : float, default 0.95
        Confidence level, between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        Columns label, auc, low, high, n_positive, n_images and n_patients. One row per label, and
        the row ``"mean"`` over the labels that have an AUC. A label without positive or without
        negative images has ``nan``. The AUC is in [0, 1], 0.5 is chance, higher is better.

    Raises
    ------
    ValueError
        If shapes do not match, a score is not finite, or `confidence_level` is out of range.
    TypeError
        If targets are not booleans, or scores are not real numbers.

    See Also
    --------
    predict : Return the logits of a network.

    Notes
    -----
    The AUC is Mann and Whitney's statistic, in which ties count one half. There are :math:`m`
    positive and :math:`n` negative images. :math:`V_i` is the share of negatives below positive
    :math:`i`, and :math:`W_j` the share of positives above negative :math:`j`. Patient :math:`k` of
    :math:`K` has the influence

    .. math:: \psi_k = \frac{1}{m}\sum_{i \in k} (V_i - A) + \frac{1}{n}\sum_{j \in k} (W_j - A),
              \qquad \mathrm{Var}(A) = \frac{K}{K - 1} \sum_k \psi_k^2 ,

    This is the variance of :footcite:t:`obuchowski1997` except for the factor :math:`K/(K-1)`, for
    which they count only the patients with a positive and the patients with a negative image. The
    influence on the mean is the mean of the influences, so labels of one image are not treated as
    independent. The interval is computed for the logit,
    :math:`\mathrm{logit}(A) \pm z\,\mathrm{SE} / (A(1 - A))`, and stays within [0, 1]. Its bounds
    are ``nan`` if an AUC is exactly 0 or 1.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import numpy as np
    >>> from gazesal.cxr import label_aucs
    >>> rng = np.random.default_rng(0)
    >>> targets = rng.random((60, 1)) < 0.5
    >>> scores = targets + rng.normal(0, 1, (60, 1))
    >>> table = label_aucs(targets, scores, ["Edema"], patients=np.arange(60) // 2)
    >>> print(table.round(2).to_string(index=False))
    label  auc  low  high  n_positive  n_images  n_patients
    Edema 0.77 0.62  0.87          28        60          30
     mean 0.77 0.62  0.87          28        60          30
    """
    truth = np.asarray(targets)
    if truth.dtype != np.bool_:
        raise TypeError(f"`targets` must be booleans, got dtype {truth.dtype}.")
    values = as_real_array(scores, name="scores").astype(np.float64)
    if truth.ndim != 2 or truth.size == 0 or values.shape != truth.shape:
        raise ValueError(
            "`targets` and `scores` must have one row per image and one column per label, and not "
            f"be empty, got shapes {truth.shape} and {values.shape}."
        )
    if len(labels) != truth.shape[1] or len(patients) != len(truth):
        raise ValueError(
            f"`labels` and `patients` must have {truth.shape[1]} and {len(truth)} entries, got "
            f"{len(labels)} and {len(patients)}."
        )
    require_finite(values, name="scores")
    if not 0 < confidence_level < 1:
        raise ValueError(f"`confidence_level` must be between 0 and 1, got {confidence_level!r}.")
    _, patient = np.unique(np.array([str(name) for name in patients]), return_inverse=True)
    n_patients = int(patient.max()) + 1
    quantile = float(special.ndtri((1 + confidence_level) / 2))
    rows: list[tuple[object, ...]] = []
    found: list[tuple[float, Float64Array]] = []
    for column, label in enumerate(labels):
        positive = truth[:, column]
        counts = (int(positive.sum()), len(truth), n_patients)
        if not 0 < counts[0] < len(truth):
            rows.append((str(label), math.nan, math.nan, math.nan, *counts))
            continue
        area, influence = _area(values[:, column], positive)
        of_patients = np.asarray(np.bincount(patient, influence, n_patients), np.float64)
        found.append((area, of_patients))
        rows.append((str(label), *_bounds(area, of_patients, quantile), *counts))
    mean = (math.nan, math.nan, math.nan)
    if found:
        areas = [area for area, _ in found]
        influences = np.mean([influence for _, influence in found], axis=0)
        mean = _bounds(float(np.mean(areas)), influences, quantile)
    rows.append((MEAN, *mean, int(truth.any(axis=1).sum()), len(truth), n_patients))
    columns = ["label", "auc", "low", "high", "n_positive", "n_images", "n_patients"]
    return pd.DataFrame(rows, columns=columns)


def _area(scores: Float64Array, positive: NDArray[np.bool_]) -> tuple[float, Float64Array]:
    """Return the AUC, and the influence of each image on it."""
    from scipy.stats import rankdata  # noqa: PLC0415  (slow to import)

    ranks = rankdata(scores)
    shares = np.empty(len(scores))
    for own, other in ((positive, ~positive), (~positive, positive)):
        # rank among all minus rank among its own kind is the number of the other kind below
        below = ranks[own] - rankdata(scores[own])
        shares[own] = below / other.sum()
    shares[~positive] = 1 - shares[~positive]
    area = float(shares[positive].mean())
    sizes = np.where(positive, positive.sum(), (~positive).sum())
    return area, (shares - area) / sizes


def _bounds(area: float, influence: Float64Array, quantile: float) -> tuple[float, float, float]:
    """Return the AUC with the bounds of its interval, computed for the logit."""
    k = len(influence)
    if not 0 < area < 1 or k < 2:
        return area, math.nan, math.nan
    error = math.sqrt(k / (k - 1) * float(np.square(influence).sum()))
    half = quantile * error / (area * (1 - area))
    center = math.log(area / (1 - area))
    low, high = (1 / (1 + math.exp(-(center + side * half))) for side in (-1, 1))
    return area, low, high
