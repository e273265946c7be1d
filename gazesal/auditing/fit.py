"""Tests over images of whether gaze fits maps, and fits them better under a correction.

The fit of a map to the gaze on its image is the mean of the map at the fixations, less the mean of
the map at the fixations of all images, so that a common center of gaze counts for nothing. Two
questions are tested by drawing the signs of the images again (Westfall and Young, 1993):

1. Is a fit above 0? A wrong correction makes the fits of images vary around 0. The largest
   statistic of each draw, over all maps and corrections, bounds the error over all of them.
2. Is a fit with a correction better than the fit as given? Only corrections with a fit above 0
   are compared, so that the error over them is bounded without a loss for all others.

A correction needs both answers. For the gaze as given, question 2 is answered for each correction
alone, because the gaze fits as given only if it fits better than with every correction.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

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
# Images for each function of their sizes that is removed; with fewer, little would be left to test.
IMAGES_PER_TERM = 8
# Standardized values; deviations of maps from their mean below this are rounding.
ROUNDING = 1e-9


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
    error : float
        Standard error of their difference over images.
    fit_p_value : float
        One-sided p-value of the better fit against 0, adjusted for all fits of the audit.
    difference_p_value : float
        One-sided p-value of the difference in the direction that was observed. If the correction is
        better, it is adjusted for all corrections whose fit is above 0.
    """

    subject: str
    correction: Correction
    n_images: int
    given: float
    corrected: float
    error: float
    fit_p_value: float
    difference_p_value: float

    @property
    def p_value(self) -> float:
        """The larger p-value, because a verdict needs both answers."""
        return max(self.fit_p_value, self.difference_p_value)

    @property
    def verdict(self) -> str:
        """Answer of the test: ``"given"``, ``"corrected"`` or ``"cannot tell"``."""
        if not self.p_value <= LEVEL:
            return "cannot tell"
        if self.corrected < self.given:
            return "given"
        enough = self.corrected > GAIN * max(self.given, 0.0)
        return "corrected" if enough else "cannot tell"


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


class _Stack(NamedTuple):
    """Maps of a method as standardized grids, less the part that the sizes of images predict.

    `kept` (images,) marks images with a map. `basis` (kept images, functions) is orthonormal, and
    `values` are (kept images, cells).
    """

    kept: NDArray[np.bool_]
    basis: Float64Array
    values: Float64Array


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
    sizes = np.array([each.size for each in read])
    stacks = {method: _stack(used.names, grids, sizes) for method, grids in maps.items()}
    stacks = {m: stack for m, stack in stacks.items() if stack.kept.sum() >= FEWEST_IMAGES}
    if not stacks:
        return []
    given = _fits(used, stacks, None)
    tested = [each for each in CORRECTIONS if used.stays_inside(each)]
    pairs = [(subject, each) for each in tested for subject in given]
    corrected = [fits for each in tested for fits in _fits(used, stacks, each).values()]
    if not pairs:
        return []
    return sorted(
        _tests(pairs, given, np.array(corrected), seed),
        key=lambda each: list(given).index(each.subject),
    )


def _tests(
    pairs: list[tuple[str, Correction]],
    given: Mapping[str, Float64Array],
    corrected: Float64Array,
    seed: int,
) -> Iterator[FitTest]:
    """Yield the test of each pair of subject and correction. Fits are nan without a map."""
    as_given = np.array(list(given.values()))
    row = [list(given).index(subject) for subject, _ in pairs]
    fit_p = _sign_flips(np.concatenate([as_given, corrected]), seed).adjusted
    given_p, corrected_p = fit_p[: len(given)][row], fit_p[len(given) :]
    gains = corrected - as_given[row]
    flips = _sign_flips(gains, seed)
    better = np.nanmean(gains, axis=1) >= 0
    fits = better & (corrected_p <= LEVEL)
    difference_p = flips.single
    if fits.any():
        difference_p[fits] = _sign_flips(gains[fits], seed).adjusted
    for k, (subject, correction) in enumerate(pairs):
        yield FitTest(
            subject=subject,
            correction=correction,
            n_images=int(np.isfinite(gains[k]).sum()),
            given=float(np.nanmean(given[subject])),
            corrected=float(np.nanmean(corrected[k])),
            error=float(flips.errors[k]),
            fit_p_value=float(corrected_p[k] if better[k] else given_p[k]),
            difference_p_value=float(difference_p[k]),
        )


def _stack(names: Sequence[str], grids: Mapping[str, Float64Array], sizes: Float64Array) -> _Stack:
    """Collect the grids of a method, less the part that the sizes of the images predict."""
    kept = np.array([name in grids for name in names], np.bool_)
    if not kept.any():
        return _Stack(kept, np.empty((0, 0)), np.empty((0, SIDE * SIDE)))
    basis = _size_basis(sizes[kept])
    rest = _without(np.array([grids[name] for name in names if name in grids]), basis)
    rest[np.abs(rest) < ROUNDING] = 0.0  # maps that are equal for all images do not fit
    return _Stack(kept, basis, rest)


def _size_basis(sizes: Float64Array) -> Float64Array:
    """Return orthonormal functions (images, functions) of the sizes of images.

    If all sizes are equal, only the constant is left. Otherwise gaze and maps of portraits, for
    instance, are more similar to each other than to the gaze of landscapes, on every image. A
    correction could fit this similarity.
    """
    width, height = np.log(sizes).T
    proportion = width - height
    terms = [np.ones(len(sizes)), proportion, proportion**2, width + height, proportion**3]
    columns = np.stack(terms[: max(1, len(sizes) // IMAGES_PER_TERM)], axis=1)
    columns[:, 1:] -= columns[:, 1:].mean(axis=0)
    left, strengths, _ = np.linalg.svd(columns, full_matrices=False)
    return np.asarray(left[:, strengths > ROUNDING * strengths[0]])


def _without(values: Float64Array, basis: Float64Array) -> Float64Array:
    """Return what the basis does not predict of the values (images, cells)."""
    return np.asarray(values - basis @ (basis.T @ values))


def _fits(
    gaze: _Pooled, stacks: Mapping[str, _Stack], correction: Correction | None
) -> dict[str, Float64Array]:
    """Return the fit on each image by method, and their mean over methods, nan without a map."""
    grids = gaze.grids(correction)
    found = {}
    for method, stack in stacks.items():
        n, removed = stack.basis.shape
        own = _without(grids[stack.kept], stack.basis)
        fits = np.full(len(grids), np.nan)
        # With equal sizes, the factor turns the mean over all images into the mean over the others.
        fits[stack.kept] = (stack.values * own).sum(axis=1) * n / (n - removed)
        found[method] = fits
    if len(found) > 1:
        every = np.array(list(found.values()))
        counts = np.isfinite(every).sum(axis=0)
        total = np.nansum(every, axis=0)
        found[ALL_MAPS] = np.where(counts > 0, total / np.maximum(counts, 1), np.nan)
    return found


class _Flips(NamedTuple):
    """Standard errors of means over images, and their one-sided p-values.

    `single` are p-values in the direction of each mean. `adjusted` are p-values of means above 0,
    by the largest statistic of all rows.
    """

    errors: Float64Array
    single: Float64Array
    adjusted: Float64Array


def _sign_flips(values: Float64Array, seed: int) -> _Flips:
    """Test the mean of each row over images by drawing the signs of images again."""
    missing = ~np.isfinite(values)
    values = np.where(missing, 0.0, values)
    n = (~missing).sum(axis=1)
    squares = (values**2).sum(axis=1)

    def statistic(means: Float64Array) -> tuple[Float64Array, Float64Array]:
        error = np.sqrt(np.maximum(squares - n * means**2, 0.0) / (n * (n - 1.0)))
        # A row without any difference has no statistic, and cannot be found.
        return means / np.where(error > 0, error, np.inf), error

    observed, errors = statistic(values.sum(axis=1) / n)
    rng = np.random.default_rng(seed)
    single, adjusted = np.zeros(len(values)), np.zeros(len(values))
    for start in range(0, DRAWS, BATCH):
        signs = rng.choice([-1.0, 1.0], (min(BATCH, DRAWS - start), values.shape[1]))
        drawn, _ = statistic(signs @ values.T / n)
        single += (drawn >= np.abs(observed)).sum(axis=0)
        adjusted += (drawn.max(axis=1)[:, None] >= observed).sum(axis=0)
    return _Flips(errors, (1.0 + single) / (1.0 + DRAWS), (1.0 + adjusted) / (1.0 + DRAWS))
