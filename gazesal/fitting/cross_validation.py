"""Fit log-linear densities of several maps, and score each image under a fit without it."""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, get_args

import numpy as np

from gazesal.fitting.bases import Basis, Form, basis_of
from gazesal.fitting.inputs import ByImage, Scene, read_map_of
from gazesal.fitting.likelihood import ImageTerms, log_sum, maximize
from gazesal.maps.constancy import is_flat
from gazesal.typing import Float64Array, FloatArray, IntArray

__all__ = ["SCALES", "CrossValidated", "Scale", "Settings", "cross_validate", "transformed"]

Scale = Literal["none", "range", "rank"]
SCALES = get_args(Scale)
Values = Callable[[Scene], Float64Array]  # the values (H * W,) of a map on an image


class Settings(NamedTuple):
    """Options that all fits of a call share."""

    form: Form
    scale: Scale
    n_knots: int
    penalty: float
    max_pixels: int


class CrossValidated(NamedTuple):
    """A fit to all images, and the fits without each fold.

    Attributes
    ----------
    bases : list of Basis
        Basis of each map.
    coefficients : numpy.ndarray, shape (columns,)
        Fit to all images.
    by_fold : numpy.ndarray, shape (folds, columns)
        Fits to the images of all other folds.
    held_out : numpy.ndarray, shape (images,)
        Log-likelihood of each image under the fit without its fold, in bits per fixation above the
        uniform density.
    """

    bases: list[Basis]
    coefficients: Float64Array
    by_fold: Float64Array
    held_out: Float64Array


def transformed(
    saliency_map: FloatArray, blur: float, scale: Scale, shape: tuple[int, int]
) -> Float64Array:
    """Return the values (H * W,) of a map after the blur and the change of scale.

    The blur is in widths of the image. A constant map becomes 0, except with ``"none"``.
    """
    from scipy.ndimage import gaussian_filter  # noqa: PLC0415  (keeps the import of gazesal fast)
    from scipy.stats import rankdata  # noqa: PLC0415

    values = np.asarray(saliency_map, np.float64)
    if blur > 0:
        values = gaussian_filter(values, blur * shape[1], mode="nearest")
    flat = values.ravel()
    if scale == "none":
        return flat
    if is_flat(values):
        return np.zeros(flat.size)
    if scale == "rank":
        return np.asarray((rankdata(flat) - 0.5) / flat.size)
    return np.asarray((flat - flat.min()) / (flat.max() - flat.min()))


def values_of(maps: ByImage, blur: float, scale: Scale, *, name: str) -> Values:
    """Return a function that reads the map of an image and transforms its values."""

    def of_scene(scene: Scene) -> Float64Array:
        here = f"{name}[{scene.image!r}]"
        array = read_map_of(maps[scene.image], name=here)
        if array.shape != scene.shape:
            raise ValueError(
                f"`{here}` must have the shape {scene.shape} of the map in `maps`, got "
                f"{array.shape}. Resize it with `gazesal.resample`."
            )
        return transformed(array, blur, scale, scene.shape)

    return of_scene


def cross_validate(
    scenes: Sequence[Scene], sources: Sequence[Values], settings: Settings
) -> CrossValidated:
    """Fit the sum of a function of each map to all images, and to all except each fold."""
    sums = [_summed_over(scene.shape, settings.max_pixels) for scene in scenes]
    there, fixated = [], []  # values by image and map
    for scene, summed in zip(scenes, sums, strict=True):
        values = [source(scene) for source in sources]
        there.append([each[summed] for each in values])
        fixated.append([each[scene.pixels] for each in values])
    bases = [
        basis_of(settings.form, settings.n_knots, [v[m] for v in there], [v[m] for v in fixated])
        for m in range(len(sources))
    ]
    terms = [
        ImageTerms(
            _designs(bases, values),
            scene.log_bias[summed],
            _designs(bases, looked).sum(axis=0),
            len(scene.pixels),
        )
        for scene, summed, values, looked in zip(scenes, sums, there, fixated, strict=True)
    ]
    n_columns = sum(basis.size for basis in bases)

    def fit(chosen: list[ImageTerms], start: Float64Array | None) -> Float64Array:
        return maximize(
            chosen,
            n_columns=n_columns,
            nonnegative=settings.form == "monotone",
            penalty=settings.penalty,
            start=start,
        )

    full = fit(terms, None)
    n_folds = max(scene.fold for scene in scenes) + 1
    pairs = list(zip(terms, scenes, strict=True))
    by_fold = [
        fit([term for term, scene in pairs if scene.fold != fold], full) for fold in range(n_folds)
    ]
    held_out = np.array([_bits(scene, sources, bases, by_fold[scene.fold]) for scene in scenes])
    return CrossValidated(bases, full, np.array(by_fold), held_out)


def _summed_over(shape: tuple[int, int], most: int) -> IntArray:
    """Return the pixels over which a density is summed: all, or a regular grid of about `most`."""
    height, width = shape
    step = int(np.ceil(np.sqrt(height * width / most))) if height * width > most else 1
    rows = np.arange(min(step // 2, height - 1), height, step)
    columns = np.arange(min(step // 2, width - 1), width, step)
    return np.asarray((rows[:, None] * width + columns).ravel())


def _designs(bases: Sequence[Basis], values: Sequence[Float64Array]) -> Float64Array:
    """Return the basis functions of all maps side by side."""
    if not bases:
        return np.zeros((0, 0))
    return np.hstack([basis.design(each) for basis, each in zip(bases, values, strict=True)])


def _bits(
    scene: Scene, sources: Sequence[Values], bases: Sequence[Basis], beta: Float64Array
) -> float:
    """Return the log-likelihood of an image over all its pixels, in bits above uniform."""
    logs = scene.log_bias
    if bases:
        logs = logs + _designs(bases, [source(scene) for source in sources]) @ beta
    mean = float(logs[scene.pixels].mean()) - log_sum(logs)
    return float((mean + np.log(logs.size)) / np.log(2.0))
