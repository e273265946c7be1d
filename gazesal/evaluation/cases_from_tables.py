"""The function `cases_from_tables`: cases from a table of fixations, also of very many images."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gazesal._validation import as_choice
from gazesal._warnings import warn
from gazesal.datasets._clean_names import by_clean_name, similar_name
from gazesal.datasets._map_names import pattern_hint
from gazesal.datasets.map_sources import source_finder
from gazesal.evaluation.case import Case, require_no_baseline
from gazesal.evaluation.gaze_from_maps import MapsOfGaze, cases_with_gaze, size_finder
from gazesal.evaluation.gaze_sources import Gaze, MapSource
from gazesal.evaluation.map_on_image import (
    Framing,
    GeometryOf,
    as_framing,
    maps_on_image,
    report_crops,
)
from gazesal.exceptions import OffImageWarning
from gazesal.maps.heatmap import OUTSIDE, Outside, exchange_hint, off_image
from gazesal.typing import Float64Array, IntArray

if TYPE_CHECKING:
    import pandas as pd  # not imported in workers, because it takes 60 MB

__all__ = ["cases_from_tables", "gaze_of_images", "with_maps"]

Shape = tuple[int, int]


def cases_from_tables(
    fixations: pd.DataFrame | Any | None,
    maps: Mapping[str, Mapping[str, MapSource]],
    shape: tuple[int, int] | Mapping[str, tuple[int, int]] | None = None,
    *,
    fixation_maps: MapsOfGaze | None = None,
    gaze_maps: MapsOfGaze | None = None,
    threshold: float | None = None,
    outside: Outside = "raise",
    unmapped: Literal["raise", "gaze_only"] = "raise",
    input_geometry: Framing | GeometryOf | None = None,
) -> list[Case]:
    """Join a table of fixations, or maps of the gaze, with saliency maps, one case per image.

    Parameters
    ----------
    fixations : pandas.DataFrame or other table
        Columns image, observer, x, y, duration, as `read_fixations` returns them. It may also be
        a table of polars or Arrow, a dict of columns or a list of records. None if all gaze is
        given as maps.
    maps : mapping of mapping
        Saliency maps by method, then by image: arrays, or sources as `find_maps` returns them. The
        maps of a method may also be any object with ``__getitem__``, which is called with the name
        of an image when its map is needed. For several jobs it must be possible to pickle it.
    shape : tuple of int or mapping of str to tuple of int, optional
        (H, W) of all images, or by image, in the pixels of the fixations. By default the size of
        the image's map in `fixation_maps`, or else in `gaze_maps`, which is read for it.
    fixation_maps : mapping, optional
        Maps of fixated pixels by image, as `open_maps` returns them for a folder, if they are of
        all observers together. Or by observer, then by image, as `find_maps` returns them. See
        `FixationMap`. All observers together are the observer ``"all"``.
    gaze_maps : mapping, optional
        Finished gaze maps by image, of all observers together, which metrics of maps use instead
        of gaze maps drawn from the fixations. See ``gaze_map`` of `Case`. Or by observer, then by
        image, for observers without fixations.
    threshold : float, optional
        Pixels with a larger value in `fixation_maps` are fixated. See `fixations_from_map`.
    outside : {"raise", "drop", "keep"}, default "raise"
        Treatment of fixations outside their image. See `gaze_heatmap`.
    unmapped : {"raise", "gaze_only"}, default "raise"
        Treatment of images for which a method has no map: an error, or use of their gaze for the
        center bias only.
    input_geometry : {"letterboxed", "center_cropped", "stretched"} or callable, optional
        Position of each image in its maps, if the maps span the input of a network instead of the
        image. They are resized to the image when they are read. See `InputGeometry`. A function
        takes (H, W) of an image and returns its `InputGeometry`, such as
        ``lambda shape: gazesal.InputGeometry.center_cropped(shape, (224, 224), shorter_side=256)``.
        By default, maps span the image.

    Returns
    -------
    list of Case
        In the order of the image names. With ``"gaze_only"``, cases without maps are not scored.

    Raises
    ------
    TypeError
        If the fixations are not a table, or `maps`, `fixation_maps` or `gaze_maps` is not a
        mapping.
    ValueError
        If a column or a size is missing, a column holds values that are not real numbers (complex,
        bool, dates), a fixation lies outside, the durations of an observer on an image are all
        zero, an image has no map, a method has the name of a baseline, or no image is left. If an
        image has two sources of fixations of an observer, or has fixations and no gaze map, but
        others have one. The message names the line or image.

    Warns
    -----
    OffImageWarning
        If fixations were dropped under ``outside="drop"``.
    InputWarning
        If maps do not cover their images, because `input_geometry` crops them.

    See Also
    --------
    evaluate : Score them.

    Notes
    -----
    Names are matched without surrounding blanks and in composed form (NFC of Unicode), so that
    files from macOS match a table from another system. The cases have the names in this form.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import gazesal
    >>> fixations = pd.DataFrame(
    ...     {"image": "7", "observer": ["ann", "bob"], "x": [1.0, 2.0], "y": 0.0, "duration": 1.0}
    ... )
    >>> cases = gazesal.cases_from_tables(fixations, {"mine": {"7": np.eye(3)}}, (3, 3))
    >>> cases[0].image, list(cases[0].gaze), list(cases[0].maps)
    ('7', ['ann', 'bob'], ['mine'])

    Without a table of fixations, from the map of fixated pixels of a benchmark:

    >>> pixels = {"7": [[0, 0, 1], [0, 0, 0], [0, 1, 0]]}
    >>> cases = gazesal.cases_from_tables(
    ...     None, {"mine": {"7": np.eye(3)}}, (3, 3), fixation_maps=pixels
    ... )
    >>> cases[0].load_gaze("all").points.tolist()
    [[2.0, 0.0], [1.0, 2.0]]
    """
    as_choice(outside, OUTSIDE, name="outside")
    as_choice(unmapped, ("raise", "gaze_only"), name="unmapped")
    methods = as_methods(maps)
    if threshold is not None and fixation_maps is None:
        raise ValueError(
            f"`threshold` is used only by `fixation_maps`, which are not given, got {threshold!r}. "
            "Remove it."
        )
    size_of = size_finder(shape, fixation_maps, gaze_maps)
    found: dict[str, tuple[Shape, dict[str, Gaze]]] = {}
    if fixations is not None or (fixation_maps is None and gaze_maps is None):
        found, dropped = gaze_of_images(fixations, size_of, outside)
        if dropped:
            warn(dropped, OffImageWarning)
    cases = cases_with_gaze(found, fixation_maps, gaze_maps, size_of, threshold)
    return with_maps(cases, methods, unmapped, input_geometry)


def as_methods(maps: Any) -> dict[str, Any]:
    """Return the maps of each method by its clean name, or raise for the name of a baseline."""
    if not isinstance(maps, Mapping) or not all(isinstance(name, str) for name in maps):
        raise TypeError(
            "`maps` must be a mapping of methods to mappings of images to maps, got "
            f"{type(maps).__name__}."
        )
    methods = by_clean_name(maps, what="methods of `maps`")
    require_no_baseline(methods)
    return methods


def with_maps(
    cases: list[Case],
    maps: Mapping[str, Mapping[str, MapSource]],
    unmapped: str,
    input_geometry: Framing | GeometryOf | None = None,
) -> list[Case]:
    """Return the cases with their maps. Without a map, raise or do not score a case."""
    framing = as_framing(input_geometry)
    find = {method: source_finder(own, name=f"maps[{method!r}]") for method, own in maps.items()}
    without_map: dict[str, str] = {}
    joined = []
    for case in cases:
        own = {method: source_of(case.image) for method, source_of in find.items()}
        missing = [method for method, source in own.items() if source is None]
        if missing and case.scored:
            without_map[case.image] = missing[0]
        kept: dict[str, MapSource] = {} if missing else own
        if framing is not None:
            kept = maps_on_image(case, kept, framing)
        joined.append(replace(case, maps=kept, scored=case.scored and not missing))
    n_scored = sum(case.scored for case in cases)
    if without_map and (unmapped == "raise" or len(without_map) == n_scored):
        image, method = next(iter(without_map.items()))
        raise ValueError(
            f"`maps` must have every image of the fixations, but {len(without_map)} of "
            f"{n_scored} images have no map: method {method!r} has no map of image {image!r} "
            f"(it has {', '.join(map(repr, list(maps[method])[:3])) or 'none'}, ..."
            f"{pattern_hint(image, maps[method]) or similar_name(image, maps[method])}). "
            'Give unmapped="gaze_only" (--unmapped gaze_only) to score the others and use the gaze '
            "on these for the center bias."
        )
    report_crops(joined)
    return joined


def gaze_of_images(
    fixations: Any,
    size_of: Callable[[str], Shape],
    outside: str,
    *,
    only: Container[str] | None = None,
) -> tuple[dict[str, tuple[Shape, dict[str, Gaze]]], str]:
    """Return size and gaze of each image of a table, and a sentence about dropped fixations.

    Images and observers are sorted by name. Rows of images that are not in `only` are ignored.
    """
    from gazesal.datasets import _columns as columns  # noqa: PLC0415 (pandas, see above)
    from gazesal.datasets._frames import as_table  # noqa: PLC0415 (pandas)
    from gazesal.datasets.fixation_table import FIXATION_COLUMNS  # noqa: PLC0415 (pandas)

    table = as_table(fixations, name="fixations")
    columns.require_table_columns(table, FIXATION_COLUMNS, name="fixations")
    if only is not None:
        codes, names = columns.name_column(table, "image", what="names of images")
        table = table[np.array([name in only for name in names], np.bool_)[codes]]
    image, images = columns.name_column(table, "image", what="names of images")
    observer, observers = columns.name_column(table, "observer", what="names of observers")
    source, row = table.attrs.get("source", "fixations"), str(table.index.name or "row")
    x, y = (columns.number_column(table[name], source=source, row=row) for name in ("x", "y"))
    duration = columns.duration_column(table["duration"], source=source, row=row)
    sizes = [size_of(name) for name in images]
    rows = _Rows(table, image, observer, np.stack([x, y], axis=1), duration, images, observers)
    off = rows.off(sizes)
    if off.any() and outside == "raise":
        rows.refuse_off_image(off, sizes)
    kept = ~off if outside == "drop" else np.ones(len(off), np.bool_)
    gaze = rows.by_reading(kept)
    dropped = ""
    if not kept.all():
        before = len(np.unique(image * len(observers) + observer))
        lost = before - sum(map(len, gaze))
        dropped = (
            f"{int(off.sum())} of {len(off)} fixations lie outside their image and were dropped; "
            f"{lost} of {before} readings (an observer on an image) lost all theirs."
        )
    return dict(zip(images, zip(sizes, gaze, strict=True), strict=True)), dropped


@dataclass(frozen=True, slots=True)
class _Rows:
    """Checked columns of a table, with images and observers as indices into sorted names."""

    table: pd.DataFrame
    image: IntArray
    observer: IntArray
    points: Float64Array
    duration: Float64Array
    images: list[str]
    observers: list[str]

    def off(self, sizes: list[Shape]) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Return which fixations lie outside their image."""
        off = np.zeros(len(self.points), np.bool_)
        places = np.array(sizes, np.int64).reshape(-1, 2)
        for size in set(sizes):  # a set of images has few sizes
            of_size = (places == size).all(axis=1)[self.image]
            off[of_size] = off_image(self.points[of_size], size)
        return off

    def refuse_off_image(
        self, off: np.ndarray[Any, np.dtype[np.bool_]], sizes: list[Shape]
    ) -> None:
        """Raise, naming the first fixation outside, on the first such image by name."""
        from gazesal.datasets._columns import place_of  # noqa: PLC0415 (pandas)

        of_image = self.image == self.image[off].min()
        at = int(np.argmax(off & of_image))
        shape = sizes[self.image[at]]
        x, y = self.points[at]
        raise ValueError(
            f"{place_of(self.table, at)}: ({x:g}, {y:g}) "
            f"of observer {self.observers[self.observer[at]]} lies outside image "
            f"{self.images[self.image[at]]}, which spans "
            f"x in [-0.5, {shape[1] - 0.5}) and y in [-0.5, {shape[0] - 0.5}) where pixel centers "
            f"are integers, as {int((off & of_image).sum())} fixations on it do. Check the "
            'origin, or give outside="drop" (--outside drop) to leave them out, or "keep" to use '
            "the part of their Gaussian inside."
            f"{exchange_hint(self.points[of_image], shape)}"
        )

    def by_reading(self, kept: np.ndarray[Any, np.dtype[np.bool_]]) -> list[dict[str, Gaze]]:
        """Return the gaze of each image, by observer, from the rows that are kept."""
        order = np.lexsort((self.observer, self.image))
        order = order[kept[order]]
        gaze: list[dict[str, Gaze]] = [{} for _ in self.images]
        if not len(order):
            return gaze
        reading = self.image[order] * len(self.observers) + self.observer[order]
        starts = np.flatnonzero(np.diff(reading, prepend=-1))
        points, durations = self.points[order], self.duration[order]
        lowest = np.minimum.reduceat(durations, starts)
        highest = np.maximum.reduceat(durations, starts)
        bad = (lowest < 0) | (highest <= 0)
        if bad.any():
            self._refuse_durations(int(order[starts[np.argmax(bad)]]))
        stops = np.append(starts[1:], len(order)).tolist()
        first = order[starts]
        readings = zip(
            self.image[first].tolist(), self.observer[first].tolist(), starts.tolist(), stops,
            strict=True,
        )  # fmt: skip
        for image, observer, start, stop in readings:
            # Copies, because a view would keep the arrays of all images in memory.
            gaze[image][self.observers[observer]] = Gaze(
                points=points[start:stop].copy(), durations=durations[start:stop].copy()
            )
        return gaze

    def _refuse_durations(self, at: int) -> None:
        """Raise an error about the durations of the reading of a row."""
        from gazesal.datasets._columns import place_of  # noqa: PLC0415 (pandas)

        raise ValueError(
            f"{place_of(self.table, at)}: the durations of observer "
            f"{self.observers[self.observer[at]]} on image {self.images[self.image[at]]} must be "
            "non-negative, with a positive sum."
        )
