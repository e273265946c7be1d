"""Compute scores in the study's way, as the baselines of timings.

The functions follow the study's formulas: the correlation of standardized maps with numpy, AUCs of
1000 positives and 1000 negatives from ``numpy.random.choice`` with scikit-learn, and one
``multivariate_normal.pdf`` image per fixation.
"""

import numpy as np
from scipy.stats import multivariate_normal
from sklearn.metrics import roc_auc_score

N_SAMPLES = 1000


def ncc(saliency_map, gaze_map):
    """Compute the mean product of standardized maps."""
    x = (saliency_map - saliency_map.mean()) / saliency_map.std()
    y = (gaze_map - gaze_map.mean()) / gaze_map.std()
    return (x * y).mean()


def sampled_auc(saliency_map, gaze_map, negatives):
    """Compute the AUC of values at pixels sampled from two densities."""
    values = saliency_map.ravel()
    p = gaze_map.ravel().astype(np.float64)
    q = negatives.ravel().astype(np.float64)
    below = values[np.random.choice(values.size, N_SAMPLES, p=q / q.sum())]
    above = values[np.random.choice(values.size, N_SAMPLES, p=p / p.sum())]
    truth = np.repeat([0, 1], N_SAMPLES)
    return roc_auc_score(truth, np.concatenate([below, above]))


def weighted_auc(saliency_map, gaze_map, negatives):
    """Compute the exact AUC, with each pixel as a weighted positive and negative."""
    values = saliency_map.ravel()
    truth = np.repeat([1, 0], values.size)
    weights = np.concatenate([gaze_map.ravel(), negatives.ravel()])
    return roc_auc_score(truth, np.concatenate([values, values]), sample_weight=weights)


def heatmap(fixations, shape, sigma, weights):
    """Add one density image per fixation."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    grid = np.dstack([columns, rows])
    gaze_map = np.zeros(shape)
    for point, weight in zip(fixations, weights, strict=True):
        gaze_map += weight * multivariate_normal.pdf(grid, mean=point, cov=sigma**2)
    return gaze_map / gaze_map.sum()
