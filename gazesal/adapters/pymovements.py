"""Fixations that pymovements detected in raw gaze samples."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from gazesal._validation import as_choice, as_iterable, as_real_array
from gazesal.adapters._table import as_numbers, make_table
from gazesal.datasets._arguments import as_text
from gazesal.datasets.screens import Coordinates, on_images
from gazesal.maps.pooled import Shapes, shape_of
from gazesal.maps.reference_frame import as_box
from gazesal.typing import Float64Array

__all__ = ["fixations_from_pymovements"]

SOURCE = "pymovements events"
ORIGINS = ("pixel_center", "pixel_corner", "screen_center")
FIXATION = "fixation"  # beginning of the names of all fixation events of pymovements


def fixations_from_pymovements(
    events: Any,
    *,
    image: str | Sequence[Any],
    observer: str | Sequence[Any],
    shapes: Shapes,
    on_screen: ArrayLike | Mapping[Any, ArrayLike],
    origin: Literal["pixel_center", "pixel_corner", "screen_center"] = "pixel_center",
    resolution: tuple[int, int] | None = None,
    location: str | tuple[str, str] = "location",
    name: str | None = None,
) -> pd.DataFrame:
    r"""Convert fixations of pymovements from pixels of the screen to pixels of the images.

    Parameters
    ----------
    events : pymovements.Gaze, pymovements.Events or a table
        Events with the columns ``name`` and ``duration`` and a location in pixels of the screen,
        which ``gaze.compute_event_properties(("location", {"position_column": "pixel"}))`` adds.
        Without ``position_column``, a location is in degrees, which the numbers do not show. With
        ``"method": "median"``, the location is robust against a last sample that already belongs to
        the next movement. A table is any object whose columns are ``table[name]``, of polars or
        pandas, or a dictionary of lists.
    image : str or sequence
        Name of the image that was shown: one for all events, or one for each row of the events,
        such as ``events.frame["stimulus"]``.
    observer : str or sequence
        Name of the observer: one for all events, or one for each row.
    shapes : tuple of int or mapping of str to tuple of int
        (H, W) in pixels, of all images or by image.
    on_screen : array_like of float, shape (4,), or mapping of str to array_like
        Position of all images on the screen, or by image: (x_min, y_min, x_max, y_max) in pixels
        from the outer upper left corner of the screen, the upper bounds exclusive. An image in
        its own size, centered on a screen of 1920 x 1080, is at ``(960 - W / 2, 540 - H / 2, 960 +
        W / 2, 540 + H / 2)``.
    origin : {"pixel_center", "pixel_corner", "screen_center"}, default "pixel_center"
        Origin (0, 0) of the coordinates on the screen. ``"pixel_center"`` (center of the upper left
        pixel) is ``"upper left"`` of ``experiment.screen.origin``, and ``"screen_center"`` is its
        ``"center"``. ``"pixel_corner"`` is the outer corner of the upper left pixel.
    resolution : tuple of int, optional
        Width and height of the screen in pixels, ``experiment.screen.resolution``. Needed only
        with ``"screen_center"``.
    location : str or tuple of str, default "location"
        Name of the column of locations (x, y), or names of the two columns of x and y.
    name : str, optional
        Name of the events to take. By default, all events whose name begins with ``"fixation"``.
        They must have the same name, so that fixations of two detection methods do not count twice.

    Returns
    -------
    pandas.DataFrame
        Columns image and observer (str), x, y (image pixels, pixel centers at integers) and
        duration (unit of the events, usually milliseconds), as from `gazesal.read_fixations`.
        Fixations outside the image are kept. Options of `gazesal.cases_from_tables` and
        `gazesal.gaze_heatmap` handle them. The index is the row of the events, from 0.

    Raises
    ------
    ValueError
        If a column is missing or has another length, there is no fixation or there are several
        kinds, a value is missing or invalid, or an image has no shape or position on the screen.
        The message names the row.
    TypeError
        If the events are not a table, or a name is not text.

    See Also
    --------
    gazesal.read_fixations : Read fixations from files.

    Notes
    -----
    With :math:`s` the position on the screen from its outer corner, the position on the image is

    .. math:: x = \frac{s_x - x_\min}{x_\max - x_\min}\, W - \frac12

    and the same for y. With its origin ``"upper left"``, pymovements puts the center of a screen at
    half of the resolution minus one, so (0, 0) is the center of a pixel.

    Examples
    --------
    >>> from gazesal.adapters import fixations_from_pymovements
    >>> events = {
    ...     "name": ["fixation", "saccade", "fixation"],
    ...     "duration": [230, 30, 310],
    ...     "location": [[399.5, 299.5], [500.0, 300.0], [599.5, 299.5]],
    ... }
    >>> table = fixations_from_pymovements(
    ...     events, image="7", observer="ann", shapes=(150, 200), on_screen=(200, 150, 600, 450)
    ... )
    >>> table[["x", "y", "duration"]].to_numpy().tolist()
    [[99.5, 74.5, 230.0], [199.5, 74.5, 310.0]]
    """
    as_choice(origin, ORIGINS, name="origin")
    frame = _frame_of(events)
    names = _column(frame, "name")
    rows = _fixation_rows(names, None if name is None else as_text(name, name="name"))
    images, observers = (
        [labels[row] for row in rows]
        for labels in (
            _label_list(image, len(names), "image"),
            _label_list(observer, len(names), "observer"),
        )
    )
    on_display = _locations(frame, location, rows, len(names))
    places = {shown: _place_of(on_screen, shown) for shown in set(images)}
    sizes = {shown: shape_of(shapes, shown) for shown in set(images)}
    points = on_images(
        on_display,
        Coordinates(origin=origin),
        frame=_display(resolution) if origin == "screen_center" else None,
        edges=np.array([places[shown] for shown in images]),
        shapes=np.array([sizes[shown] for shown in images], np.float64),
    )
    durations = as_numbers(_column(frame, "duration", len(names)), "`events`, column 'duration',")
    return make_table(
        {"image": images, "observer": observers},
        {"x": points[:, 0], "y": points[:, 1], "duration": durations[rows]},
        rows,
        source=SOURCE,
        row="row",
    )


def _frame_of(events: Any) -> Any:
    """Return the table in a Gaze or Events of pymovements, or the table itself."""
    inner = getattr(events, "events", events)
    frame = getattr(inner, "frame", inner)
    if not (hasattr(frame, "columns") or isinstance(frame, Mapping)):
        raise TypeError(
            "`events` must be a pymovements Gaze or Events or a table of events, got "
            f"{type(events).__name__}."
        )
    return frame


def _column(frame: Any, name: str, n: int | None = None) -> list[Any]:
    """Return a column as a list, of `n` rows if this is given."""
    there = list(getattr(frame, "columns", frame))
    if name not in there:
        advice = (
            " Compute it with gaze.compute_event_properties(('location', {'position_column': "
            "'pixel'}))."
            if name == "location"
            else ""
        )
        raise ValueError(f"`events` must have the column {name!r}, got {there}.{advice}")
    values = frame[name]
    listed = list(
        values.to_list()
        if hasattr(values, "to_list")
        else as_iterable(values, name=f"events[{name!r}]", of="values")
    )
    if n is not None and len(listed) != n:
        raise ValueError(
            f"`events` must have columns of one length, got {n} rows of 'name' and {len(listed)} "
            f"of {name!r}."
        )
    return listed


def _fixation_rows(names: list[Any], name: str | None) -> list[int]:
    """Return the rows of the fixations, which must all have the same name."""
    if name is not None:
        wanted = {name}
    else:
        wanted = {str(value) for value in names if str(value).startswith(FIXATION)}
        if len(wanted) > 1:
            raise ValueError(
                f"`name` must choose one kind of fixations, because `events` has {sorted(wanted)}."
            )
    rows = [row for row, value in enumerate(names) if str(value) in wanted]
    if not rows:
        raise ValueError(
            f"`events` must have fixations, got events named {sorted(set(map(str, names)))}. Give "
            "the name of the fixations as `name`."
        )
    return rows


def _label_list(value: str | Sequence[Any], n: int, argument: str) -> list[str]:
    """Return the name of the image or observer for each of `n` rows."""
    if isinstance(value, str):
        labels = [value] * n
    else:
        values = as_iterable(value, name=argument, of="names, or one name")
        labels = list(values.to_list() if hasattr(values, "to_list") else values)
    if len(labels) != n:
        raise ValueError(
            f"`{argument}` must be one name, or one for each of the {n} rows of `events`, got "
            f"{len(labels)}."
        )
    texts = ["" if label is None else str(label) for label in labels]
    missing = [row for row, text in enumerate(texts) if not text.strip()]
    if missing:
        raise ValueError(f"{SOURCE}, row {missing[0]}: {argument} is missing.")
    return texts


def _locations(
    frame: Any, location: str | tuple[str, str], rows: list[int], n: int
) -> Float64Array:
    """Return the locations (x, y) of some rows, from one column of pairs or from two columns."""
    if not isinstance(location, str):
        parts = [
            as_text(part, name="location")
            for part in as_iterable(location, name="location", of="two names, or one name")
        ]
        if len(parts) != 2:
            raise ValueError(
                f"`location` must be one name, or the names of x and y, got {location!r}."
            )
        pairs = [
            as_numbers(_column(frame, part, n), f"`events`, column {part!r},")[rows]
            for part in parts
        ]
        return np.stack(pairs, axis=1)
    column = _column(frame, location, n)
    points = np.full((len(rows), 2), np.nan)  # missing values raise an error later, with their row
    for place, row in enumerate(rows):
        value = column[row]
        if value is None:
            continue
        if np.ndim(value) != 1 or len(value) != 2:
            raise ValueError(
                f"{SOURCE}, row {row}: {location!r} must be (x, y) of one eye, got {value!r}."
            )
        points[place] = as_numbers(value, f"{SOURCE}, row {row}: {location!r}")
    return points


def _display(resolution: tuple[int, int] | None) -> Float64Array:
    """Return the width and height of the screen, or raise without them."""
    if resolution is None:
        raise ValueError('`resolution` must be given with origin="screen_center", got None.')
    pair = as_real_array(resolution, name="resolution").astype(np.float64)
    if pair.shape != (2,) or not pair.min() > 0:
        raise ValueError(
            f"`resolution` must be the width and height of the screen, got {resolution!r}."
        )
    return pair


def _place_of(on_screen: Any, image: str) -> tuple[float, float, float, float]:
    """Return the position of an image on the screen."""
    if not isinstance(on_screen, Mapping):
        return as_box(on_screen, name="on_screen")
    if image not in on_screen:
        raise ValueError(f"`on_screen` must have every image, but {image!r} is missing.")
    return as_box(on_screen[image], name=f"on_screen[{image!r}]")
