"""Sources of the valid area of an image, and how they are read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

from gazesal.datasets.map_files import is_lossy
from gazesal.evaluation.gaze_sources import MapSource, read_source
from gazesal.maps.area import Area, as_area
from gazesal.metrics.area import require_area_metrics
from gazesal.metrics.metric import Metric

__all__ = ["AreaSource", "load_area", "require_area_use"]

AreaSource: TypeAlias = MapSource | Area


def load_area(source: Any, shape: tuple[int, int], *, name: str) -> Area | None:
    """Return the valid area of an image (H, W), or None if all its pixels count alike.

    Raises
    ------
    ValueError
        If the source is not a mask or non-negative weights of this shape, or no pixel is valid.
        The message names `name`.
    """
    if source is None:
        return None
    if isinstance(source, Area):
        return source
    if isinstance(source, Path) and is_lossy(source):
        raise ValueError(
            f"`{name}` must be in a format that keeps values, got {source.name}. Write it as .png."
        )
    found: Area | None = as_area(read_source(source), shape, name=name)
    return found


def require_area_use(
    areas: Sequence[Any], metrics: Sequence[Metric], unused: dict[str, Sequence[str]]
) -> None:
    """Raise if images have an area and a metric or an option does not support it.

    `unused` holds the values of options that must be empty, by name.
    """
    if all(area is None for area in areas):
        return
    require_area_metrics(metrics)
    for name, value in unused.items():
        if value:
            raise ValueError(
                f"`{name}` must be empty if images have an `area`, got {list(value)!r}, which "
                "would count pixels outside. Remove it, or remove the areas."
            )
