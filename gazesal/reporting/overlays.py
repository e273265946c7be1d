"""Load the maps of one image and draw a saliency map over its picture, with gaze contours."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gazesal.evaluation.case import CEILINGS, GAZE, GAZE_OF_ONE, Case
from gazesal.evaluation.evaluation import Evaluation
from gazesal.evaluation.gaze_of_image import gaze_maps
from gazesal.maps.resampling import resample
from gazesal.reporting.figure_style import new_figure
from gazesal.reporting.pictures import (
    PLAIN,
    find_picture,
    for_display,
    read_picture,
    to_unit_range,
)
from gazesal.typing import Float64Array, FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "Pictures",
    "case_of",
    "draw_outlines",
    "draw_overlay",
    "figure_jpeg",
    "gaze_of_all",
    "map_of",
    "overlay_jpeg",
    "picture_of",
    "reduced",
    "regions_of",
]

Pictures = Mapping[str, Any] | str | Path | None
SHARES = (0.9, 0.5)  # shares of the gaze inside the contours
OUTLINE = 0.5  # value of a mask on the outline of its region
LONGEST = 320  # pixels of the longer side of an overlay, at most
SHORTEST = 60  # pixels of its shorter side, at least, so that a narrow image stays visible


def case_of(evaluation: Evaluation, image: str) -> Case:
    """Return the case of an image."""
    case = next((case for case in evaluation.cases if case.image == image), None)
    if case is None:
        raise ValueError(
            f"`evaluation` must have the case of image {image!r} to draw it, got an evaluation "
            "without it. Evaluate the cases again, or draw another image."
        )
    return case


def map_of(evaluation: Evaluation, case: Case, method: str) -> FloatArray:
    """Return the map of a method or baseline, reduced to the drawing size if larger."""
    if method in case.maps:
        return reduced(case.load_map(method))
    if method in {GAZE, GAZE_OF_ONE}:
        return gaze_of_all(evaluation, case)
    if method in CEILINGS:
        raise ValueError(
            f"`method` must be a row with one map on an image, got {method!r}, whose map depends "
            "on the metric. See `maps_for_metric`."
        )
    return reduced(evaluation.maps_of(case.image)[method])


def gaze_of_all(evaluation: Evaluation, case: Case) -> FloatArray:
    """Return the mean gaze map of all observers or zeros, reduced to the drawing size if larger."""
    own = gaze_maps(case, evaluation.options) or [np.zeros(case.shape)]
    return reduced(np.asarray(np.mean(own, axis=0)))


def regions_of(evaluation: Evaluation, case: Case) -> list[Float64Array]:
    """Return the masks of an image's regions as maps, if regions were scored."""
    if not evaluation.options.of_regions:
        return []
    masks = (case.load_region(label).astype(np.float64) for label in case.regions)
    return [np.asarray(reduced(mask), np.float64) for mask in masks]


def picture_of(case: Case, pictures: Pictures) -> np.ndarray[Any, Any] | None:
    """Return the picture of an image, or None if it has no picture."""
    if pictures is None:
        return None if case.picture is None else read_picture(case.picture)
    if isinstance(pictures, (str, Path)):
        return find_picture(pictures, case.image)
    found = pictures.get(case.image)
    return read_picture(found) if isinstance(found, Path) else found


def overlay_jpeg(
    saliency: FloatArray,
    gaze: FloatArray,
    picture: np.ndarray[Any, Any] | None,
    shape: tuple[int, int],
    regions: Sequence[Float64Array] = (),
) -> tuple[bytes, tuple[int, int]]:
    """Return an overlay of an image of some (H, W) as JPEG, and the (H, W) of the JPEG."""
    return figure_jpeg(lambda ax: draw_overlay(ax, saliency, gaze, picture, shape, regions), shape)


def figure_jpeg(
    draw: Callable[[Axes], object], shape: tuple[int, int]
) -> tuple[bytes, tuple[int, int]]:
    """Return a panel that fills a figure, for an image of some (H, W), as JPEG and its (H, W)."""
    height, width = shape
    scale = max(min(LONGEST / max(height, width), 1.0), SHORTEST / min(height, width))
    size = (round(height * scale), round(width * scale))
    figure = new_figure((size[1] / 100, size[0] / 100), dpi=100, layout=None)
    ax = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    ax.axis("off")
    draw(ax)
    from PIL import Image

    drawn, packed = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", metadata={"Software": None})
    with Image.open(drawn, formats=["PNG"]) as image:
        image.convert("RGB").save(packed, "JPEG", quality=78, optimize=True)
    return packed.getvalue(), size


def draw_overlay(
    ax: Axes,
    saliency: FloatArray,
    gaze: FloatArray,
    picture: np.ndarray[Any, Any] | None,
    shape: tuple[int, int],
    regions: Sequence[Float64Array] = (),
) -> None:
    """Draw a saliency map over a picture, or over gray, with contours of gaze and regions."""
    height, width = shape
    extent = (-0.5, width - 0.5, height - 0.5, -0.5)
    ground: Any = np.full((1, 1), PLAIN) if picture is None else _gray(picture)
    ax.imshow(ground, cmap="gray", extent=extent, vmin=0, vmax=1, aspect="auto")
    low, high = float(saliency.min()), float(saliency.max())
    strength = (saliency - low) / (high - low) if high > low else np.zeros_like(saliency)
    ax.imshow(
        strength,
        cmap="inferno",
        extent=extent,
        alpha=np.asarray(0.15 + 0.6 * strength),
        vmin=0,
        vmax=1,
        aspect="auto",
    )
    levels = _levels(gaze)
    if levels and min(gaze.shape) > 1:
        rows, columns = gaze.shape
        x = (np.arange(columns) + 0.5) * width / columns - 0.5
        y = (np.arange(rows) + 0.5) * height / rows - 0.5
        # a cyan line on a wider black one is visible on dark and on bright ground
        for color, line in (("black", 2.0), ("cyan", 1.0)):
            ax.contour(x, y, gaze, levels=levels, colors=color, linewidths=line)
    draw_outlines(ax, regions, shape)
    ax.set_xlim(-0.5, width - 0.5)
    ax.set_ylim(height - 0.5, -0.5)


def draw_outlines(ax: Axes, regions: Sequence[Float64Array], shape: tuple[int, int]) -> None:
    """Draw the outlines of regions (H', W') on an image of some (H, W)."""
    for region in regions:
        closed = np.pad(region, 1)  # so that outlines at the border are closed
        (height, width), (rows, columns) = shape, region.shape
        x = (np.arange(-1, columns + 1) + 0.5) * width / columns - 0.5
        y = (np.arange(-1, rows + 1) + 0.5) * height / rows - 0.5
        if closed.max() > OUTLINE:
            for color, line in (("black", 2.4), ("lime", 1.2)):
                ax.contour(x, y, closed, levels=[OUTLINE], colors=color, linewidths=line)


def _gray(picture: np.ndarray[Any, Any]) -> Float64Array:
    values = np.asarray(for_display(picture), np.float64)
    values = values.mean(axis=2) if values.ndim == 3 else values
    step = max(1, max(values.shape) // (2 * LONGEST))
    return to_unit_range(values[::step, ::step])


def reduced(values: FloatArray) -> FloatArray:
    """Return a map reduced to the drawing size, or the map itself if it is not larger."""
    factor = LONGEST / max(values.shape)
    if factor >= 1:
        return values
    height, width = (max(round(side * factor), 1) for side in values.shape)
    return resample(values, (height, width))


def _levels(gaze: FloatArray) -> list[float]:
    """Return the levels whose contours enclose the `SHARES` of the gaze, ascending."""
    ordered = np.sort(gaze.ravel())[::-1]
    sums = np.cumsum(ordered)
    if sums[-1] <= 0 or ordered[0] == ordered[-1]:
        return []
    places = np.searchsorted(sums, np.asarray(SHARES) * sums[-1])
    levels = ordered[np.minimum(places, ordered.size - 1)].tolist()
    return sorted({level for level in levels if ordered[-1] < level < ordered[0]})
