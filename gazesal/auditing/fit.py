"""Paired tests over images of whether gaze fits maps better under a correction.

The fit of a map to the gaze on its image is the mean of the map at the fixations, less the mean of
the map at the fixations of all images, so that a common center of gaze counts for nothing. The fit
with a correction less the fit as given is one number for each image. Its sign is as likely positive
as negative if neither is better, so the signs are drawn again, for all maps and corrections at
once. The largest of all statistics in each draw bounds the error over all tests (Westfall and
Young, 1993).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gazesal.auditing.corrections import CORRECTIONS, INSIDE, Correction
from gazesal.auditing.grids import SIDE
from gazesal.auditing.readings import ImageGaze
from gazesal.typing import Float64Array, IntArray

__all__ = ["ALL_MAPS", "FEWEST_IMAGES", "FitTest", "compare_fits"]

ALL_MAPS = "all maps"
FEWEST_IMAGES = 8  # images; fewer have too few combinations of signs for a small error
LEVEL = 0.05  # chance that any correction is found although none is better
DRAWS = 4999
BATCH = 500  # draws at a time, which bounds the memory
GAIN = 1.2  # a correction must have this multiple of the fit as given, besides the test
# Standard errors by which the better fit must exceed 0. Of two fits without signal, one is often
# better because the other is negative by chance.
SIGNAL = 2.5


@dataclass(frozen=True, slots=True)
class FitTest:
    """Comparison of the gaze as given with one correction, on the maps of one method or on all.

    Attributes
    ----------
    subject : str
        Method, ``"pictures"``, or ``"all maps"``.
    correction : Correction
        The correction.
    n_images : int
        Images with both gaze and a map that is not constant.
    given, corrected : float
        Mean fit over images, in standard deviations of the ranks of the map.
    given_error, corrected_error : float
        Their standard errors over images.
    error : float
        Standard error of their difference over images.
    p_value : float
        One-sided in the direction that was observed, adjusted for all comparisons of the audit.
    """

    subject: str
    correction: Correction
    n_images: int
    given: float
    corrected: float
    given_error: float
    corrected_error: float
    error: float
    p_value: float

    @property
    def verdict(self) -> str:
        """Answer of the test: ``"given"``, ``"corrected"`` or ``"cannot tell"``."""
        if not self.p_value <= LEVEL:
            return "cannot tell"
        if self.corrected < self.given:
            return "given" if self.given >= SIGNAL * self.given_error else "cannot tell"
        enough = self.corrected > GAIN * max(self.given, 0.0)
        signal = self.corrected >= SIGNAL * self.corrected_error
        return "corrected" if enough and signal else "cannot tell"


@dataclass(frozen=True, slots=True)
class _Pooled:
    """Gaze of all images in one table, so that a correction is a single call.

    `points` and `sizes` are (N, 2), and `weights` (N,) sum to 1 on each image. `image` (N,) is the
    index of the image among `names`.
    """

    names: list[str]
    points: Float64Array
    sizes: Float64Array
    weights: Float64Array
    image: NDArray[np.intp]

    def corrected(self, correction: Correction | None) -> Float64Array:
        """Return the points with a correction."""
        return self.points if correction is None else correction.correct(self.points, self.sizes)

    def grids(self, correction: Correction | None) -> Float64Array:
        """Return the share of the gaze of each image in each cell of its grid."""
        cells, inside = self._cells(correction)
        index = self.image[inside] * SIDE * SIDE + cells[inside, 1] * SIDE + cells[inside, 0]
        counts = np.bincount(index, self.weights[inside], minlength=len(self.names) * SIDE * SIDE)
        return np.asarray(counts.reshape(len(self.names), SIDE * SIDE))

    def stays_inside(self, correction: Correction) -> bool:
        """Check whether a correction leaves most of the gaze inside the images."""
        _, inside = self._cells(correction)
        return bool(self.weights[inside].sum() >= INSIDE * len(self.names))

    def _cells(self, correction: Correction | None) -> tuple[IntArray, NDArray[np.bool_]]:
        shares = (self.corrected(correction) + 0.5) / self.sizes
        inside = np.asarray(((shares >= 0) & (shares < 1)).all(axis=1))
        return np.floor(np.clip(shares, 0, 1) * SIDE).astype(np.int64), inside


def _pooled(gaze: Sequence[ImageGaze]) -> _Pooled:
    counts = [len(each.points) for each in gaze]
    return _Pooled(
        [each.image for each in gaze],
        np.concatenate([each.points for each in gaze]),
        np.repeat([each.size for each in gaze], counts, axis=0),
        np.concatenate([each.weights / each.weights.sum() for each in gaze]),
        np.repeat(np.arange(len(gaze)), counts),
    )


def compare_fits(
    gaze: Sequence[ImageGaze], maps: Mapping[str, Mapping[str, Float64Array]], seed: int
) -> list[FitTest]:
    """Test each correction on the maps of each method, and on the mean over methods.

    `maps` holds grids by method and image. Images without gaze or map are left out.
    """
    read = [each for each in gaze if len(each.points)]
    if len(read) < FEWEST_IMAGES:
        return []
    used = _pooled(read)
    stacks = {method: _stack(used.names, grids) for method, grids in maps.items()}
    stacks = {m: stack for m, stack in stacks.items() if _counted(stack) >= FEWEST_IMAGES}
    if not stacks:
        return []
    given = _fits(used, stacks, None)
    tested = [each for each in CORRECTIONS if used.stays_inside(each)]
    corrected = {each.name: _fits(used, stacks, each) for each in tested}
    subjects = list(given)
    pairs = [(subject, each) for subject in subjects for each in tested]
    gains = np.array([corrected[each.name][subject] - given[subject] for subject, each in pairs])
    errors, p_values = _sign_flips(gains, seed)
    return [
        FitTest(
            subject,
            each,
            int(np.isfinite(gain).sum()),
            float(np.nanmean(given[subject])),
            float(np.nanmean(corrected[each.name][subject])),
            _standard_error(given[subject]),
            _standard_error(corrected[each.name][subject]),
            float(error),
            float(p),
        )
        for (subject, each), gain, error, p in zip(pairs, gains, errors, p_values, strict=True)
    ]


def _stack(names: Sequence[str], grids: Mapping[str, Float64Array]) -> Float64Array:
    """Return the grids less their mean over images, (images, cells), nan without a grid."""
    missing = np.full(SIDE * SIDE, np.nan)
    stack = np.array([grids.get(name, missing) for name in names])
    kept = np.isfinite(stack[:, 0])
    if kept.any():
        stack = stack - stack[kept].mean(axis=0)
    return stack


def _counted(stack: Float64Array) -> int:
    return int(np.isfinite(stack[:, 0]).sum())


def _fits(
    gaze: _Pooled, stacks: Mapping[str, Float64Array], correction: Correction | None
) -> dict[str, Float64Array]:
    """Return the fit on each image by method, and their mean over methods, nan without a map."""
    grids = gaze.grids(correction)
    found = {}
    for method, stack in stacks.items():
        kept = np.isfinite(stack[:, 0])
        n = int(kept.sum())
        own = grids[kept] - grids[kept].mean(axis=0)
        fits = np.full(len(grids), np.nan)
        # The factor makes the mean over the other images out of the mean over all.
        fits[kept] = (stack[kept] * own).sum(axis=1) * n / (n - 1)
        found[method] = fits
    if len(found) > 1:
        every = np.array(list(found.values()))
        counts = np.isfinite(every).sum(axis=0)
        total = np.nansum(every, axis=0)
        found[ALL_MAPS] = np.where(counts > 0, total / np.maximum(counts, 1), np.nan)
    return found


def _standard_error(fits: Float64Array) -> float:
    return float(np.nanstd(fits, ddof=1) / np.sqrt(np.isfinite(fits).sum()))


def _sign_flips(gains: Float64Array, seed: int) -> tuple[Float64Array, NDArray[np.float64]]:
    """Return the standard error and the adjusted p-value of the mean of each row over images."""
    missing = ~np.isfinite(gains)
    values = np.where(missing, 0.0, gains)
    n = (~missing).sum(axis=1)
    squares = (values**2).sum(axis=1)

    def statistic(means: Float64Array) -> tuple[Float64Array, Float64Array]:
        error = np.sqrt(np.maximum(squares - n * means**2, 0.0) / (n * (n - 1.0)))
        # A row without any difference has no statistic, and cannot be found.
        return means / np.where(error > 0, error, np.inf), error

    observed, errors = statistic(values.sum(axis=1) / n)
    rng = np.random.default_rng(seed)
    reached = np.zeros(len(gains))
    for start in range(0, DRAWS, BATCH):
        signs = rng.choice([-1.0, 1.0], (min(BATCH, DRAWS - start), gains.shape[1]))
        drawn, _ = statistic(signs @ values.T / n)
        reached += (drawn.max(axis=1)[:, None] >= np.abs(observed)).sum(axis=0)
    return errors, np.asarray((1.0 + reached) / (1.0 + DRAWS))
