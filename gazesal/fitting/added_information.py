"""Bits per fixation that a map adds to a center bias and to other maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gazesal._validation import as_count
from gazesal.fitting.bases import Form
from gazesal.fitting.cross_validation import Scale, cross_validate, values_of
from gazesal.fitting.fitted_density import BLURS, as_blurs, as_settings, best_blurs, bias_bits
from gazesal.fitting.inputs import BiasSource, ByImage, as_bias_source, scenes_of
from gazesal.metrics.points import OutsidePoints
from gazesal.stats.array_intervals import confidence_interval
from gazesal.stats.interval_methods import DEFAULT_INTERVAL, IntervalKind
from gazesal.stats.results import ConfidenceInterval

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AddedInformation", "added_information"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AddedInformation:
    """The bits per fixation that a map adds, made by `added_information`.

    Attributes
    ----------
    added : ConfidenceInterval
        Mean over the groups of images, with its interval.
    scores : pandas.DataFrame
        A row for each image, scored under fits without its fold: columns image, n_fixations, and
        in bits per fixation above the uniform density center_bias, given (with the given maps) and
        both (with the tested map too), and added, which is both - given.
    blur : float
        Blur of the tested map with the highest held-out likelihood, in widths of the image.
    given_blurs : dict of str to float
        Blur of each given map.
    """

    added: ConfidenceInterval
    scores: pd.DataFrame
    blur: float
    given_blurs: Mapping[str, float]

    def __repr__(self) -> str:
        given = ", ".join(["the center bias", *self.given_blurs])
        return f"AddedInformation({self.added} bits per fixation beyond {given})"


def added_information(
    maps: ByImage,
    fixations: ByImage,
    given: Mapping[str, ByImage] | None = None,
    *,
    center_bias: BiasSource = "images",
    form: Form = "monotone",
    blurs: Sequence[float] = BLURS,
    scale: Scale = "none",
    n_knots: int = 8,
    penalty: float = 0.1,
    groups: Mapping[Any, Any] | None = None,
    n_folds: int = 10,
    max_pixels: int = 10_000,
    outside: OutsidePoints = "raise",
    interval: IntervalKind = DEFAULT_INTERVAL,
    confidence_level: float = 0.95,
) -> AddedInformation:
    r"""Compute the bits per fixation that a map adds to the center bias and to given maps.

    A density is fitted with the given maps and another with the map as well. Each image is scored
    under fits to other images. A map that repeats what the given maps predict adds about 0 bits. It
    can add less than 0, because the fit has more coefficients.

    Parameters
    ----------
    maps : mapping of image to array_like of float, shape (H, W), or path
        Map under test on each image.
    fixations : mapping of image to array_like of float, shape (N, 2)
        Fixations on the same images, as for `fit_density`.
    given : mapping of str to mapping of image to array_like or path, optional
        Maps by name and image, such as ``{"segmentation": masks}``, of the shapes of `maps`. By
        default none, and the result is the gain over the center bias alone.
    center_bias : "images", mapping of image to array_like, center bias or None, default "images"
        Factor of every density, as for `fit_density`.
    form : {"monotone", "spline", "linear"}, default "monotone"
        Function of the value of each map.
    blurs : sequence of float
        Blurs to choose from for each map, in widths of the image.
    scale : {"none", "range", "rank"}, default "none"
        Change of scale of each blurred map.
    n_knots : int, default 8
        Number of knots of the splines of each map.
    penalty : float, default 0.1
        Penalty of the squared coefficients.
    groups : mapping of image to group, optional
        Independent units, such as patients. They are left out as a whole, and the interval is over
        them. By default the images.
    n_folds : int, default 10
        Number of folds of the cross-validation.
    max_pixels : int, default 10000
        Number of pixels per image in the fit, about.
    outside : {"raise", "drop"}, default "raise"
        Raise for fixations outside their image, or drop them with a warning.
    interval : {"t", "normal", "bootstrap", "basic", "bca", "studentized"}, default "t"
        Kind of the interval. See `gazesal.stats.confidence_interval`.
    confidence_level : float, default 0.95
        Confidence level.

    Returns
    -------
    AddedInformation
        The mean with its interval, and the bits of each image.

    Raises
    ------
    ValueError
        If an argument is invalid, or a given map is missing or has another shape.
    TypeError
        If an argument is not a mapping, or does not hold real numbers.

    Warns
    -----
    IntervalWarning
        As for `gazesal.stats.confidence_interval`.

    See Also
    --------
    fit_density : The fit of one map.
    partial_ncc : Correlation with the gaze beyond given maps, on one image.

    Notes
    -----
    .. math:: \log p_i(x) = \log b_i(x) + \sum_g f_g\bigl(z_{ig}(x)\bigr)
              + f\bigl(z_i(x)\bigr) - \log Z_i

    with and without the last function, as in `fit_density`, after :footcite:t:`barthelme2013`. The
    blur of each given map is the best one for this map alone. The blur of the tested map is the
    best one beside the given maps, chosen without the fold of the image that is scored.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import numpy as np
    >>> import gazesal
    >>> rng = np.random.default_rng(0)
    >>> maps = {image: rng.random((20, 30)) for image in range(6)}
    >>> noise = {image: rng.random((20, 30)) for image in range(6)}
    >>> fixations = {}
    >>> for image, values in maps.items():
    ...     density = np.exp(4 * values)  # people look more where the map is high
    ...     pixels = rng.choice(600, 40, p=(density / density.sum()).ravel())
    ...     fixations[image] = np.column_stack([pixels % 30, pixels // 30])
    >>> options = {"center_bias": None, "form": "linear", "blurs": [0], "interval": "studentized"}
    >>> beyond = gazesal.added_information(maps, fixations, {"noise": noise}, **options)
    >>> round(beyond.added.estimate, 1)
    0.7
    >>> none = gazesal.added_information(noise, fixations, {"first": maps}, **options)
    >>> abs(none.added.estimate) < 0.01
    True
    """
    import pandas as pd  # noqa: PLC0415  (not needed to import the library)

    settings = as_settings(form, scale, n_knots, penalty, max_pixels)
    grid = as_blurs(blurs)
    others = {} if given is None else given
    if not isinstance(others, Mapping):
        raise TypeError(
            f"`given` must be a mapping from name to maps by image, got {type(given).__name__}. "
            'Write {"name": maps}.'
        )
    folds = as_count(n_folds, name="n_folds", least=2)
    source = as_bias_source(center_bias)
    scenes, _ = scenes_of(maps, fixations, source, groups, n_folds=folds, outside=outside)
    given_blurs, sources = {}, []
    for name, named in others.items():
        _require_images(named, fixations, name=name)
        tried = [values_of(named, blur, scale, name=f"given[{name!r}]") for blur in grid]
        best = 0
        if len(grid) > 1:
            fits = [cross_validate(scenes, [values], settings) for values in tried]
            _, best, _ = best_blurs(scenes, fits)
        given_blurs[name] = grid[best]
        sources.append(tried[best])
    without = cross_validate(scenes, sources, settings).held_out
    tested = [values_of(maps, blur, scale, name="maps") for blur in grid]
    fits = [cross_validate(scenes, [*sources, values], settings) for values in tested]
    _, best, of_fold = best_blurs(scenes, fits)
    both = np.array([fits[of_fold[s.fold]].held_out[i] for i, s in enumerate(scenes)])
    scores = pd.DataFrame(
        {
            "image": [scene.image for scene in scenes],
            "n_fixations": [len(scene.pixels) for scene in scenes],
            "center_bias": [bias_bits(scene) for scene in scenes],
            "given": without,
            "both": both,
            "added": both - without,
        }
    )
    found = confidence_interval(
        both - without,
        clusters=np.array([scene.unit for scene in scenes]),
        interval=interval,
        confidence_level=confidence_level,
        rng=0,
    )
    return AddedInformation(added=found, scores=scores, blur=grid[best], given_blurs=given_blurs)


def _require_images(maps: ByImage, fixations: ByImage, *, name: str) -> None:
    if not isinstance(maps, Mapping):
        raise TypeError(
            f"`given[{name!r}]` must be a mapping from image to its map, got {type(maps).__name__}."
        )
    for image in fixations:
        if image not in maps:
            raise ValueError(
                f"`given[{name!r}]` must hold every image of `fixations`, but {image!r} is missing."
            )
