"""The argument `area` of the metrics: the pixels of an image that count."""

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, TypeVar

import numpy as np

from gazesal._validation import as_map, as_real_array, require_same_shape, weight_sums
from gazesal._warnings import warn
from gazesal.exceptions import OffImageWarning
from gazesal.maps.area import Area, as_area
from gazesal.metrics.densities import SUM_TOLERANCE
from gazesal.metrics.metric import Metric
from gazesal.metrics.points import fixated_pixels
from gazesal.typing import Float64Array, FloatArray

__all__ = ["documents_area", "require_area_metrics", "takes_area"]

P = ParamSpec("P")
R = TypeVar("R")
MAPS = ("saliency_map", "gaze_map", "center_bias", "baseline", "region")
POINTS = ("fixations", "other_fixations")
DOCUMENTED = """\
area : array_like of bool or float, shape (H, W), optional
    Pixels that count: a mask that is true where they do, or a non-negative weight for each
    pixel. Pixels outside count in nothing and may be NaN, and fixations there are dropped with
    an `OffImageWarning`. By default all pixels count. See :ref:`area`.
"""


def takes_area(
    *, densities: tuple[str, ...] = (), flat: bool = True
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a metric with the keyword `area` compute its score on the valid pixels.

    The metric is called with the valid pixels of its maps as maps of one row, with fixations at
    their places in this row, and with the weights of these pixels as `area`, or None if they are
    equal. If all pixels are valid, it is called unchanged.

    Parameters
    ----------
    densities : tuple of str
        Arguments that are densities, which are rescaled to a sum of 1 over the area.
    flat : bool
        False for a metric that uses the positions of pixels. Its maps keep their shape, are 0
        outside, and are multiplied by the weights.

    Returns
    -------
    callable
        The decorator.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if kwargs.get("area") is None:
                return function(*args, **kwargs)
            bound = signature.bind(*args, **kwargs)
            given = bound.arguments
            saliency = as_map(given["saliency_map"], name="saliency_map")
            area = as_area(given["area"], saliency.shape)
            given["area"] = None
            if area is None or _is_ambiguous(given.get("negatives"), saliency.shape):
                return function(*bound.args, **bound.kwargs)  # raises for ambiguous negatives
            given.update(_on_area(given, saliency, area, densities, flat=flat))
            if flat and area.weights is not None:
                given["area"] = area.weights[np.newaxis]
            return function(*bound.args, **bound.kwargs)

        call.__doc__ = with_area_documented(function.__doc__)
        return call

    return decorate


def documents_area(function: Callable[P, R]) -> Callable[P, R]:
    """Add the keyword `area` to the docstring of a metric that handles it by itself."""
    function.__doc__ = with_area_documented(function.__doc__)
    return function


def with_area_documented(doc: str | None) -> str | None:
    """Return a docstring with `area` after the other parameters."""
    if doc is None:  # python -OO
        return None
    cleaned = inspect.cleandoc(doc) + "\n"
    return cleaned.replace("\n\nReturns\n---", f"\n{DOCUMENTED}\nReturns\n---", 1)


def _is_ambiguous(negatives: Any, shape: tuple[int, ...]) -> bool:
    """Return whether negatives could be both points and a map, or neither."""
    if negatives is None or isinstance(negatives, str):
        return False
    found = np.shape(negatives)
    return bool((found == tuple(shape)) == (len(found) == 2 and found[1] == 2))


def _on_area(
    given: dict[str, Any],
    saliency: FloatArray,
    area: Area,
    densities: tuple[str, ...],
    *,
    flat: bool,
) -> dict[str, Any]:
    """Return the maps and fixations of a call, restricted to the area."""
    found: dict[str, Any] = {}
    for name, value in given.items():
        is_map = name in MAPS or (name == "negatives" and np.shape(value) == saliency.shape)
        if is_map:
            array = saliency if name == "saliency_map" else as_map(value, name=name)
            require_same_shape(saliency, array, names=("saliency_map", name))
            chosen = area.select(array) if flat else area.fill(array)
            found[name] = _rescaled(chosen, area, name) if name in densities else chosen
        elif name in POINTS or (name == "negatives" and not isinstance(value, str)):
            found[name] = _places(value, area, name, given.get("outside", "raise"))
    return found


def _rescaled(chosen: FloatArray, area: Area, name: str) -> Float64Array:
    """Return a density on the area, with a sum of 1 over its pixels by their weights."""
    weight_sums(chosen, name=name)
    values = chosen.astype(np.float64)
    weights = np.ones(area.size) if area.weights is None else area.weights
    total = float(values.ravel() @ weights)
    if total / weights.max() > 1 + SUM_TOLERANCE:
        raise ValueError(
            f"`{name}` must be a density, summing to at most 1 over `area`, got a sum of "
            f"{total:g}. Make one with `to_density`, by a method that you choose."
        )
    return np.asarray(values / total)


def _places(value: Any, area: Area, name: str, outside: Any) -> Float64Array:
    """Return fixations as points on the row of valid pixels, without those outside the area."""
    array = as_real_array(value, name=name) if name == "negatives" else value
    places = area.places(fixated_pixels(array, area.shape, name=name, outside=outside))
    n, inside = len(places), places >= 0
    if not inside.any():
        raise ValueError(
            f"`{name}` must include a point inside `area`, but all {n} lie outside. Check whether "
            "the mask is inverted."
        )
    if not inside.all():
        warn(
            f"{n - int(inside.sum())} of {n} `{name}` lie outside `area` and were dropped.",
            OffImageWarning,
        )
    return np.column_stack([places[inside], np.zeros(int(inside.sum()))]).astype(np.float64)


def require_area_metrics(metrics: Iterable[Metric]) -> None:
    """Raise unless every metric has the keyword `area`."""
    for metric in metrics:
        if not metric.takes_area:
            raise ValueError(
                f"`metrics` must take `area` if some pixels do not count, got {metric.name!r}, "
                "which does not. Choose another metric, or give your function the keyword `area`."
            )
