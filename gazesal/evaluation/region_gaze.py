"""The function `gaze_in_regions`: fixations and dwell time in each region, by observer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

from gazesal._validation import as_choice, as_float, as_shape
from gazesal._warnings import warn
from gazesal.datasets._clean_names import by_clean_name
from gazesal.datasets._columns import (
    duration_column,
    name_column,
    number_column,
    place_of,
    require_table_columns,
)
from gazesal.datasets._frames import as_table
from gazesal.evaluation.region_sources import RegionSource, load_region, require_regions
from gazesal.exceptions import OffImageWarning, UndefinedMetricWarning
from gazesal.maps.heatmap import off_image
from gazesal.regions.inputs import Mask
from gazesal.typing import Float64Array

__all__ = ["gaze_in_regions"]

NEEDED = ("image", "observer", "x", "y", "duration")
UNDEFINED = {  # columns that may be nan, with the reason
    "share_of_dwell_time": "all durations are 0",
    "time_to_first_fixation": "the region was not fixated",
}


def gaze_in_regions(
    fixations: Any,
    regions: Mapping[str, Mapping[str, RegionSource]],
    shape: tuple[int, int] | Mapping[str, tuple[int, int]] | None = None,
    *,
    onset: float | None = None,
    outside: Literal["raise", "drop"] = "raise",
) -> pd.DataFrame:
    """Return fixations, dwell time and time to first fixation of each observer in each region.

    Parameters
    ----------
    fixations : pandas.DataFrame or other table
        Columns image, observer, x, y, duration and optionally start, as `read_fixations` returns
        them. Images without regions are ignored.
    regions : mapping of mapping
        Regions by image, then by label. See `gazesal.regions.read_regions` and ``regions`` of
        `Case`.
    shape : tuple of int or mapping of str to tuple of int, optional
        (H, W) of all images, or by image, in the pixels of the fixations. By default ``sizes`` of
        `regions`, if they are from a file of COCO.
    onset : float, optional
        Time at which an image appeared, in the unit and from the origin of ``start``. By default
        the start of the first fixation of the observer on the image.
    outside : {"raise", "drop"}, default "raise"
        Treatment of fixations outside their image: an error, or left out of all columns.

    Returns
    -------
    pandas.DataFrame
        A row per image, observer and region, for observers with a fixation on the image:

        - image, observer, region,
        - n_fixations, the number of fixations whose pixel is in the region, and share_of_fixations
          on the image,
        - dwell_time, the sum of their durations, in the unit of the durations, and
          share_of_dwell_time,
        - time_to_first_fixation, from `onset` to the start of the first fixation in the region,
          only if the fixations have the column ``start``,
        - share_of_area, the share of the image's pixels in the region. Fixations that are spread
          evenly over the image have this share of fixations on average.

    Raises
    ------
    ValueError
        If a column or a size is missing, a value is not a number, a fixation lies outside, a mask
        has another size, or no image has both regions and fixations. The message names the row,
        or the image and the region.
    TypeError
        If `fixations` is not a table, or `regions` is not a mapping of mappings.

    Warns
    -----
    UndefinedMetricWarning
        If a time to first fixation is ``nan`` because the region was not fixated, or a share of
        dwell time because all durations are 0.
    OffImageWarning
        If fixations were left out under ``outside="drop"``.

    See Also
    --------
    evaluate : Score gaze maps and saliency maps against regions.

    Notes
    -----
    The pixel of a fixation is the one whose center is nearest. Regions may overlap, so that shares
    of several regions can sum to more than 1. See :footcite:t:`holmqvist2011` for the measures.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import gazesal
    >>> from gazesal.regions import Box
    >>> fixations = {
    ...     "image": ["a", "a", "a"],
    ...     "observer": ["ann", "ann", "ann"],
    ...     "x": [1, 7, 8],
    ...     "y": [1, 4, 5],
    ...     "duration": [0.2, 0.3, 0.5],
    ...     "start": [0.0, 0.25, 0.6],
    ... }
    >>> found = gazesal.gaze_in_regions(fixations, {"a": {"nodule": Box(6, 3, 9, 6)}}, (8, 10))
    >>> found[["n_fixations", "dwell_time", "time_to_first_fixation"]].iloc[0].tolist()
    [2.0, 0.8, 0.25]
    """
    as_choice(outside, ("raise", "drop"), name="outside")
    since = None if onset is None else as_float(onset, name="onset")
    if not isinstance(regions, Mapping) or not all(
        isinstance(regions[image], Mapping) for image in regions
    ):
        raise TypeError(
            f"`regions` must be a mapping of images to regions by label, got "
            f"{type(regions).__name__}. Write it as {{image: {{label: region}}}}."
        )
    of_image = by_clean_name(regions, what="images of `regions`")
    table = as_table(fixations, name="fixations")
    gaze = _checked(table, timed="start" in table.columns)
    gaze = gaze[gaze["image"].isin([image for image, own in of_image.items() if own])]
    if gaze.empty:
        raise ValueError(
            "`regions` must have an image of `fixations`, got none. Use the names of the images in "
            "`fixations`."
        )
    sizes = getattr(regions, "sizes", {}) if shape is None else shape
    rows: list[dict[str, Any]] = []
    dropped = 0
    for name, on_image in gaze.groupby("image", sort=True):
        image = str(name)
        size = _size_of(image, sizes)
        off = off_image(on_image[["x", "y"]].to_numpy(np.float64), size)
        if off.any() and outside == "raise":
            at = int(on_image["position"].to_numpy()[off][0])
            raise ValueError(
                f"{place_of(table, at)}: a fixation must lie in its image {image!r} of {size[1]} x "
                f"{size[0]} pixels. Correct the table, or give outside='drop'."
            )
        dropped += int(off.sum())
        require_regions(of_image[image], image)
        masks = {
            label: load_region(source, size, name=f"region {label} of image {image}")
            for label, source in of_image[image].items()
        }
        for observer, own in on_image[~off].groupby("observer", sort=True):
            labels = {"image": image, "observer": observer}
            rows += [labels | _measures(own, label, mask, since) for label, mask in masks.items()]
    if dropped:
        warn(f"{dropped} fixations lie outside their image and were left out.", OffImageWarning)
    if not rows:
        raise ValueError(
            "`fixations` must have a fixation inside an image with regions, got none inside. Check "
            "the unit of the coordinates, and `shape`."
        )
    found = pd.DataFrame(rows)
    for column, reason in UNDEFINED.items():
        if column in found and (count := int(found[column].isna().sum())):
            warn(
                f"`{column}` is undefined in {count} of {len(found)} rows, in which {reason}.",
                UndefinedMetricWarning,
            )
    return found


def _checked(table: pd.DataFrame, *, timed: bool) -> pd.DataFrame:
    """Return the columns of fixations as clean names and numbers, with the position of each row."""
    require_table_columns(table, NEEDED, name="fixations")
    source, row = table.attrs.get("source", "fixations"), str(table.index.name or "row")
    made: dict[str, Any] = {"position": np.arange(len(table))}
    for name in ("image", "observer"):
        codes, names = name_column(table, name, what=f"names of {name}s")
        made[name] = np.array([*names, ""], dtype=object)[codes]
    for name in ("x", "y", *(["start"] if timed else [])):
        made[name] = number_column(table[name], source=source, row=row)
    made["duration"] = duration_column(table["duration"], source=source, row=row)
    if (made["duration"] < 0).any():
        at = int(np.argmax(made["duration"] < 0))
        raise ValueError(
            f"{place_of(table, at)}, column 'duration': must be 0 or more, got "
            f"{made['duration'][at]:g}."
        )
    return pd.DataFrame(made)


def _size_of(image: str, sizes: Any) -> tuple[int, int]:
    """Return (H, W) of an image."""
    if isinstance(sizes, Mapping) and image not in sizes:
        raise ValueError(
            f"`shape` must have the size (H, W) of image {image!r}, got none. Give (H, W) of all "
            "images, or a mapping by image."
        )
    return as_shape(sizes[image] if isinstance(sizes, Mapping) else sizes, name="shape")


def _measures(own: pd.DataFrame, label: str, mask: Mask, onset: float | None) -> dict[str, Any]:
    """Return the measures of one observer in one region."""
    points: Float64Array = own[["x", "y"]].to_numpy(np.float64)
    columns, rows = np.floor(points + 0.5).astype(np.intp).T
    inside = mask[rows, columns]
    durations = own["duration"].to_numpy(np.float64)
    dwell, total = float(durations[inside].sum()), float(durations.sum())
    found: dict[str, Any] = {
        "region": label,
        "n_fixations": int(inside.sum()),
        "share_of_fixations": float(inside.mean()),
        "dwell_time": dwell,
        "share_of_dwell_time": dwell / total if total > 0 else np.nan,
    }
    if "start" in own:
        starts = own["start"].to_numpy(np.float64)
        since = float(starts.min()) if onset is None else onset
        found["time_to_first_fixation"] = (
            float(starts[inside].min()) - since if inside.any() else np.nan
        )
    return found | {"share_of_area": float(mask.mean())}
