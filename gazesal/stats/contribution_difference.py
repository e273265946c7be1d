"""Places where one method wins more of its score than another, by a cluster-permutation test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gazesal._validation import (
    as_count,
    as_generator,
    as_number,
    as_real_array,
    require_finite,
)
from gazesal.stats.unit_codes import codes_of_array
from gazesal.typing import Float64Array, RandomState

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ContributionDifference", "contribution_difference"]

ROUNDING = 1e-12  # of the largest difference; a smaller spread is rounding
FEWEST_UNITS = 6  # with 5, the smallest p-value of sign flips of both directions is 2 / 32 > 0.05


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ContributionDifference:
    """Mean difference of the contributions of two methods, made by `contribution_difference`.

    Attributes
    ----------
    difference : numpy.ndarray of float64, shape (H, W)
        Mean over the units of the contributions of the first method minus the second. Its sum is
        the difference of the mean scores.
    t_values : numpy.ndarray of float64, shape (H, W)
        The difference divided by its standard error over the units, 0 if it is the same in all.
    clusters : pandas.DataFrame
        A row for each cluster, the smallest p-value first: columns cluster (number in `labels`),
        higher (``"first"`` or ``"second"``, the method that wins more there), n_pixels, mass (sum
        of the t-values), difference (sum of the difference) and p_value.
    labels : numpy.ndarray of int64, shape (H, W)
        Number of the cluster of each pixel, 0 outside of clusters.
    threshold : float
        Absolute t-value that pixels of a cluster exceed.
    n_units : int
        Number of independent units.
    """

    difference: Float64Array
    t_values: Float64Array
    clusters: pd.DataFrame
    labels: NDArray[np.int64]
    threshold: float
    n_units: int

    def significant(self, alpha: float = 0.05) -> NDArray[np.bool_]:
        """Return the pixels of clusters with a p-value of at most `alpha`.

        Parameters
        ----------
        alpha : float, default 0.05
            Largest p-value, between 0 and 1.

        Returns
        -------
        numpy.ndarray of bool, shape (H, W)
            True in these clusters.

        Raises
        ------
        ValueError
            If `alpha` is out of range.
        """
        most = as_number(alpha, name="alpha", low=0.0, high=1.0)
        chosen = self.clusters.loc[self.clusters["p_value"] <= most, "cluster"]
        return np.asarray(np.isin(self.labels, chosen.to_numpy()))

    def __repr__(self) -> str:
        lowest = self.clusters["p_value"].min() if len(self.clusters) else math.nan
        return (
            f"ContributionDifference({len(self.clusters)} clusters, smallest p = {lowest:.3g}, "
            f"{self.n_units} units)"
        )


def contribution_difference(
    first: Sequence[ArrayLike] | ArrayLike,
    second: Sequence[ArrayLike] | ArrayLike,
    *,
    units: ArrayLike | None = None,
    threshold: float | None = None,
    n_permutations: int = 2000,
    rng: RandomState | None = None,
) -> ContributionDifference:
    r"""Test where one method wins more of its score than another, over images of one frame.

    The images must be aligned with each other, so that a pixel has the same meaning in all, as
    registered chest X-rays or images of one size whose middle is compared.

    Parameters
    ----------
    first : array_like of float, shape (N, H, W)
        Contributions of the pixels to the score of the first method on each image. See
        `gazesal.contributions`.
    second : array_like of float, shape (N, H, W)
        Contributions to the score of the second method on the same images.
    units : array_like, shape (N,), optional
        Independent unit of each image, such as its patient, as text or numbers. The differences are
        averaged over the images of a unit first. By default every image is a unit.
    threshold : float, optional
        Absolute t-value that pixels of a cluster exceed. By default the quantile of Student's t
        that a pixel exceeds with a probability of 0.05 by chance.
    n_permutations : int, default 2000
        Largest number of sign patterns. With few units, all of them are used.
    rng : int, numpy.random.Generator or other seed, optional
        Random numbers of the sign patterns. Required if there are more patterns than
        `n_permutations`.

    Returns
    -------
    ContributionDifference
        The mean difference, and the clusters with their p-values.

    Raises
    ------
    ValueError
        If the arrays are not finite stacks of maps of one shape, there are fewer than 6 units, or
        an option is out of range.
    TypeError
        If an array does not hold real numbers, or `rng` is missing.
    ImportError
        If the extra ``clusters`` is not installed.

    See Also
    --------
    gazesal.contributions : Contributions of the pixels of one image.
    gazesal.plots.plot_contribution_difference : Draw the difference and its clusters.

    Notes
    -----
    Pixels of which the t-value exceeds the threshold form clusters of neighbors with the same sign.
    The mass of each cluster, its sum of t-values, is compared with the largest mass after random
    flips of the sign of the difference of whole units :footcite:p:`maris2007`. The p-values hold
    for all clusters together. They are evidence that the methods differ, and not that they differ
    in each pixel of a cluster. Both directions are tested. The test is
    ``permutation_cluster_1samp_test`` of MNE-Python :footcite:p:`gramfort2013`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import numpy as np
    >>> import gazesal
    >>> rng = np.random.default_rng(0)
    >>> second = rng.normal(size=(12, 8, 10))
    >>> first = second + rng.normal(size=(12, 8, 10))
    >>> first[:, 2:5, 3:6] += 3.0
    >>> found = gazesal.stats.contribution_difference(first, second, rng=0)
    >>> str(found.clusters.loc[0, "higher"]), int(found.clusters.loc[0, "n_pixels"])
    ('first', 9)
    >>> bool(found.clusters.loc[0, "p_value"] < 0.01)
    True
    """
    differences = _as_stack(first, name="first")
    other = _as_stack(second, name="second")
    if differences.shape != other.shape:
        raise ValueError(
            f"`second` must have the shape {differences.shape} of `first`, got {other.shape}. Give "
            "the contributions of both methods on the same images."
        )
    differences = _means_of_units(differences - other, units)
    n_units = len(differences)
    if n_units < FEWEST_UNITS:
        raise ValueError(
            f"`first` must hold at least {FEWEST_UNITS} independent units for a test, got "
            f"{n_units}. With fewer, no p-value can be below 0.05."
        )
    most = as_count(n_permutations, name="n_permutations", least=100)
    limit = _as_threshold(threshold, n_units)
    seed = None
    if 2 ** (n_units - 1) - 1 > most:
        why = "with more sign patterns than `n_permutations`"
        seed = int(as_generator(rng, why=why).integers(2**31))
    found, p_values = _clusters(differences, limit, most, seed)
    t_values = _t_values(differences)
    return _result(differences.mean(axis=0), t_values, found, p_values, limit, n_units)


def _as_stack(value: Any, *, name: str) -> Float64Array:
    array = as_real_array(value, name=name).astype(np.float64)
    if array.ndim != 3 or array.size == 0:
        raise ValueError(
            f"`{name}` must be maps of one shape, (N, H, W), got shape {array.shape}. Resize them "
            "with `gazesal.resample`."
        )
    require_finite(array, name=name)
    return array


def _means_of_units(differences: Float64Array, units: ArrayLike | None) -> Float64Array:
    """Return the mean of the images of each unit."""
    if units is None:
        return differences
    codes = codes_of_array(units, size=len(differences), name="units")
    sums = np.zeros((int(codes.max()) + 1, *differences.shape[1:]))
    np.add.at(sums, codes, differences)
    return np.asarray(sums / np.bincount(codes)[:, None, None])


def _as_threshold(value: float | None, n_units: int) -> float:
    from scipy.stats import t  # noqa: PLC0415  (keeps the import of gazesal fast)

    if value is None:
        return float(t.ppf(0.975, n_units - 1))
    return as_number(value, name="threshold", low=1e-6, high=1e6)


def _t_values(differences: Float64Array) -> Float64Array:
    """Return the t-value of each pixel, 0 if the difference is the same in all units."""
    spread = differences.std(axis=0, ddof=1)
    constant = spread <= ROUNDING * np.abs(differences).max(axis=0)
    error = np.where(constant, 1.0, spread / math.sqrt(len(differences)))
    return np.where(constant, 0.0, differences.mean(axis=0) / error)


def _clusters(
    differences: Float64Array,
    threshold: float,
    n_permutations: int,
    seed: int | None,
) -> tuple[list[Any], Float64Array]:
    """Return the pixels of each cluster, and their p-values."""
    try:
        from mne.stats import permutation_cluster_1samp_test
    except ImportError as error:
        raise ImportError(
            "`contribution_difference` needs MNE-Python: pip install 'gazesal[clusters]'."
        ) from error
    _, clusters, p_values, _ = permutation_cluster_1samp_test(
        differences,
        threshold=threshold,
        n_permutations=n_permutations + 1,  # it counts the observed pattern as one
        tail=0,
        out_type="indices",
        stat_fun=_t_values,
        rng=seed,
        verbose="ERROR",
    )
    return list(clusters), np.asarray(p_values, np.float64)


def _result(
    mean: Float64Array,
    t_values: Float64Array,
    clusters: Sequence[Any],
    p_values: Float64Array,
    threshold: float,
    n_units: int,
) -> ContributionDifference:
    import pandas as pd  # noqa: PLC0415  (not needed to import the library)

    labels = np.zeros(mean.shape, np.int64)
    rows = []
    order = sorted(range(len(clusters)), key=lambda i: (p_values[i], -len(clusters[i][0])))
    for number, index in enumerate(order, start=1):
        pixels = clusters[index]
        labels[pixels] = number
        mass = float(t_values[pixels].sum())
        rows.append(
            {
                "cluster": number,
                "higher": "first" if mass > 0 else "second",
                "n_pixels": len(pixels[0]),
                "mass": mass,
                "difference": float(mean[pixels].sum()),
                "p_value": float(p_values[index]),
            }
        )
    columns = ["cluster", "higher", "n_pixels", "mass", "difference", "p_value"]
    return ContributionDifference(
        difference=mean,
        t_values=t_values,
        clusters=pd.DataFrame(rows, columns=columns),
        labels=labels,
        threshold=threshold,
        n_units=n_units,
    )
