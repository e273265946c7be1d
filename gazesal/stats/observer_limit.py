"""The score that infinitely many observers would reach, from curves for few of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_choice, as_real_array, require_finite
from gazesal.stats.interval_methods import DEFAULT_INTERVAL, IntervalOptions, t_quantiles
from gazesal.stats.results import ConfidenceInterval
from gazesal.stats.unit_codes import codes_of_array
from gazesal.typing import Float64Array

__all__ = ["ObserverLimit", "observer_limit"]

CurveForm = Literal["hyperbola", "power"]
FORMS = get_args(CurveForm)
# Values of b outside these ranges fit noise, and their limits are far off.
RANGES = {"hyperbola": (0.0, 2.0), "power": (0.5, 2.0)}
STEPS = 61  # values of b that are tried, twice
FEWEST_SIZES = 4  # one more than the parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class ObserverLimit:
    """A curve fitted to scores for 1, 2, ... observers; see `observer_limit`.

    Attributes
    ----------
    limit : ConfidenceInterval
        Mean score for infinitely many observers, with its interval.
    a, b : float
        The other parameters of the curve.
    form : str
        Form of the curve.
    """

    limit: ConfidenceInterval
    a: float
    b: float
    form: str


def observer_limit(
    sizes: ArrayLike,
    scores: ArrayLike,
    *,
    form: CurveForm = "hyperbola",
    clusters: ArrayLike | None = None,
    confidence_level: float = 0.95,
) -> ObserverLimit:
    r"""Estimate the score for infinitely many observers from the curves of a set of images.

    Parameters
    ----------
    sizes : array_like of int, shape (K,)
        Numbers of observers, at least four and positive, as in `ObserverCurve`.
    scores : array_like of float, shape (N, K)
        Scores of each of at least two images for each size, finite.
    form : {"hyperbola", "power"}, default "hyperbola"
        Form of the curve, see Notes.
    clusters : array_like, shape (N,), optional
        Unit of each image, such as the patient. By default every image is a unit of its own.
    confidence_level : float, default 0.95
        Confidence level.

    Returns
    -------
    ObserverLimit
        The limit with its interval, and the parameters.

    Raises
    ------
    ValueError
        If there are fewer than four sizes or two units, the shapes do not fit, or a value is not
        finite or out of range.
    TypeError
        If an argument does not hold real numbers.

    See Also
    --------
    observer_curve : The scores of one image.
    attainable : Bounds of the same limit, without the assumption of a form.

    Notes
    -----
    The curve of the means over images is fitted by least squares:

    .. math:: f - \frac{a}{m + b} \quad\text{(hyperbola)}, \qquad
              f - a\, m^{-b} \quad\text{(power)}

    for :math:`m` observers, with :math:`b` from 0 to 2 and from 0.5 to 2. :footcite:t:`judd2012`
    extrapolate by the power. Its limit depends strongly on the exponent. In the simulations on the
    page on :doc:`perfect maps </concepts/perfect_map>`, it is too high for NSS and about as
    accurate as the hyperbola for AUC, sAUC and information gain. The error of a mean of :math:`m`
    observers decreases as :math:`1 / m`, and so does the hyperbola for many observers. It is
    therefore the default.

    The interval is Student's, with the standard error of the jackknife over the units
    :footcite:p:`efron1981`. It covers the variation over images and not an error of the form. The
    limit should lie within the bounds of `attainable`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import numpy as np
    >>> import gazesal
    >>> sizes = np.arange(1, 8)
    >>> rng = np.random.default_rng(0)
    >>> scores = 0.9 - 0.2 / (sizes + 1) + rng.normal(0, 0.05, (20, 1))
    >>> found = gazesal.stats.observer_limit(sizes, scores)
    >>> print(found.limit, round(found.b, 3))
    0.891 [0.870, 0.911] 1.0
    """
    as_choice(form, FORMS, name="form")
    IntervalOptions.checked(
        interval=DEFAULT_INTERVAL, confidence_level=confidence_level, n_resamples=1, rng=None
    )
    m = as_real_array(sizes, name="sizes").astype(np.float64)
    require_finite(m, name="sizes")
    if m.ndim != 1 or len(np.unique(m)) < FEWEST_SIZES or m.min() <= 0:
        raise ValueError(
            f"`sizes` must hold at least {FEWEST_SIZES} different positive numbers of observers, "
            f"got shape {m.shape}."
        )
    values = as_real_array(scores, name="scores").astype(np.float64)
    if values.ndim != 2 or values.shape[1] != m.size:
        raise ValueError(
            f"`scores` must have a row for each image and a column for each of the {m.size} "
            f"`sizes`, got shape {values.shape}."
        )
    require_finite(values, name="scores")
    units = values
    if clusters is not None:
        unit = codes_of_array(clusters, size=len(values))
        sums = np.zeros((unit.max() + 1, m.size))
        np.add.at(sums, unit, values)
        units = sums / np.bincount(unit)[:, None]
    k = len(units)
    if k < 2:
        raise ValueError(
            f"`scores` must have at least two images or `clusters`, got {k}. The interval comes "
            "from their spread."
        )
    limit, a, b = fit_curve(m, units.mean(axis=0), form)
    left_out = (units.sum(axis=0) - units) / (k - 1)
    limits = np.array([fit_curve(m, each, form)[0] for each in left_out])
    error = math.sqrt((k - 1) / k * float(((limits - limits.mean()) ** 2).sum()))
    half = float(t_quantiles(0.5 + confidence_level / 2, np.array(k - 1.0))) * error
    return ObserverLimit(
        limit=ConfidenceInterval(
            estimate=limit,
            low=limit - half,
            high=limit + half,
            confidence_level=confidence_level,
            interval="t",
            n_scores=len(values),
            n_clusters=k,
            standard_error=error,
            degrees_of_freedom=k - 1.0,
        ),
        a=a,
        b=b,
        form=form,
    )


def fit_curve(sizes: Float64Array, scores: Float64Array, form: str) -> tuple[float, float, float]:
    """Fit the curve by least squares, and return its limit, a and b.

    The curve is linear in the limit and in a, so only b is searched, on a grid that is refined
    around its best value.
    """
    low, high = RANGES[form]
    grid = np.linspace(low, high, STEPS)
    for _ in range(3):
        x = -(sizes ** -grid[:, None]) if form == "power" else -1.0 / (sizes + grid[:, None])
        centered = x - x.mean(axis=1, keepdims=True)
        a = centered @ scores / (centered**2).sum(axis=1)
        limit = scores.mean() - a * x.mean(axis=1)
        errors = ((scores - limit[:, None] - a[:, None] * x) ** 2).sum(axis=1)
        best = int(errors.argmin())
        found = float(limit[best]), float(a[best]), float(grid[best])
        step = grid[1] - grid[0]
        grid = np.clip(np.linspace(found[2] - step, found[2] + step, STEPS), low, high)
    return found
