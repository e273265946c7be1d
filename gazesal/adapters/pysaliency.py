"""Convert tables of fixations to and from the arrays of pysaliency."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from gazesal._validation import as_choice, as_iterable
from gazesal.adapters._table import as_numbers, make_table
from gazesal.datasets._clean_names import clean_names, name_as_text
from gazesal.datasets._columns import (
    name_column,
    number_column,
    require_table_columns,
)
from gazesal.datasets._frames import as_table
from gazesal.datasets.fixation_table import FIXATION_COLUMNS
from gazesal.datasets.screens import IMAGE_ORIGINS, Origin
from gazesal.typing import Float64Array, IntArray

__all__ = ["PysaliencyArrays", "fixations_from_pysaliency", "fixations_to_pysaliency"]

SOURCE = "pysaliency fixations"


class PysaliencyArrays(NamedTuple):
    """Fixations as pysaliency holds them.

    Attributes
    ----------
    x, y : numpy.ndarray of float64, shape (N,)
        Pixels from the outer upper left corner of the image, or from the requested origin.
    n, subjects : numpy.ndarray of int64, shape (N,)
        Index of the image and of the observer.
    duration : numpy.ndarray of float64, shape (N,)
        Durations as in the table.
    images, observers : tuple of str
        Names, in the order of the indices `n` and `subjects`.
    """

    x: Float64Array
    y: Float64Array
    n: IntArray
    subjects: IntArray
    duration: Float64Array
    images: tuple[str, ...]
    observers: tuple[str, ...]


def fixations_from_pysaliency(
    fixations: Any,
    *,
    images: Sequence[str] | None = None,
    observers: str | Sequence[str] | None = None,
    origin: Origin = "pixel_corner",
    duration: str | None = None,
) -> pd.DataFrame:
    """Make a table from fixations of pysaliency.

    Parameters
    ----------
    fixations : pysaliency.Fixations or mapping of str to array_like
        Any object with the arrays ``x``, ``y``, ``n`` (index of the image) and ``subjects`` (index
        of the observer, ``subject`` in later versions), as attributes or by name. Examples are
        ``Fixations``, ``FixationTrains`` and ``ScanpathFixations``.
    images : sequence of str, optional
        Names of the images in the order of their indices, such as ``stimuli.filenames``. By
        default, the index as text.
    observers : str or sequence of str, optional
        Names of the observers in the order of their indices, or one name for all fixations. By
        default, the index as text.
    origin : {"pixel_corner", "pixel_center", "one_based"}, default "pixel_corner"
        Origin of the coordinates; see `gazesal.read_fixations`. pysaliency takes the whole part of
        a coordinate as the pixel, so its origin is the outer corner of the image. It does not
        convert the coordinates of a data set, however. Its OSIE has the 1-based coordinates of the
        original file (``"one_based"``), and fixations made from matrices have the indices of pixels
        (``"pixel_center"``).
    duration : str, optional
        Name of the array of durations, such as ``"duration"`` or ``"durations"``. By default,
        every fixation has the same weight.

    Returns
    -------
    pandas.DataFrame
        Columns image and observer (str), x, y (image pixels, pixel centers at integers) and
        duration, as from `gazesal.read_fixations`. The index is the number of the fixation, from 0.

    Raises
    ------
    ValueError
        If an array is missing or has another length, an index has no name or is negative, two
        indices have the same name, a value is missing, or a duration is negative. The message names
        the fixation.
    TypeError
        If `images` or `observers` is not a sequence.

    See Also
    --------
    fixations_to_pysaliency : Convert a table to arrays.
    gazesal.read_fixations : Read fixations from files.

    Examples
    --------
    >>> from gazesal.adapters import fixations_from_pysaliency
    >>> arrays = {"x": [3.5, 7.0], "y": [0.5, 2.0], "n": [0, 1], "subjects": [0, 0]}
    >>> table = fixations_from_pysaliency(arrays, images=["a.png", "b.png"], observers="ann")
    >>> table.loc[1].to_dict()
    {'image': 'b.png', 'observer': 'ann', 'x': 6.5, 'y': 1.5, 'duration': 1.0}
    """
    as_choice(origin, tuple(IMAGE_ORIGINS), name="origin")
    x = as_numbers(_array(fixations, "x"), "`fixations.x`")
    y = as_numbers(_array(fixations, "y"), "`fixations.y`")
    n = as_numbers(_array(fixations, "n"), "`fixations.n`")
    if duration is None:
        durations = np.ones(len(x))
    else:
        durations = as_numbers(_array(fixations, duration), f"`fixations.{duration}`")
    arrays = {"y": y, "n": n, duration or "duration": durations}
    if isinstance(observers, str):
        labels = [observers] * len(x)
    else:
        subjects = as_numbers(_array(fixations, "subjects", "subject"), "`fixations.subjects`")
        arrays["subjects"] = subjects
        labels = _names(subjects, observers, "observers", "subjects")
    for name, array in arrays.items():
        if len(array) != len(x):
            raise ValueError(
                f"`fixations.{name}` must hold one number for each x, {len(x)}, got {len(array)}."
            )
    return make_table(
        {"image": _names(n, images, "images", "n"), "observer": labels},
        {"x": x - IMAGE_ORIGINS[origin], "y": y - IMAGE_ORIGINS[origin], "duration": durations},
        range(len(x)),
        source=SOURCE,
        row="fixation",
    )


def fixations_to_pysaliency(
    table: pd.DataFrame, *, images: Sequence[str] | None = None, origin: Origin = "pixel_corner"
) -> PysaliencyArrays:
    """Make the arrays of pysaliency from a table of fixations.

    Parameters
    ----------
    table : pandas.DataFrame or other table
        Columns image, observer, x, y and duration, as `gazesal.read_fixations` returns them. A
        table of pandas, polars or Arrow, or a dict of columns.
    images : sequence of str, optional
        Names of the images in the order of their indices, such as ``stimuli.filenames``. By
        default, the images of the table, sorted.
    origin : {"pixel_corner", "pixel_center", "one_based"}, default "pixel_corner"
        Origin of the coordinates in the arrays. With ``"pixel_corner"``, pysaliency finds the
        same pixel.

    Returns
    -------
    PysaliencyArrays
        Arrays in the order of the table, for ``pysaliency.Fixations.create_without_history(x, y,
        n, subjects)``. pysaliency keeps no durations there.

    Raises
    ------
    ValueError
        If a column is missing or has values other than numbers, an image of the table is not in
        `images`, or `images` has a name twice.
    TypeError
        If pandas cannot represent the table, or `images` is not a sequence.

    See Also
    --------
    fixations_from_pysaliency : Convert arrays to a table.

    Examples
    --------
    >>> import pandas as pd
    >>> from gazesal.adapters import fixations_to_pysaliency
    >>> table = pd.DataFrame(
    ...     {"image": ["b", "a"], "observer": "ann", "x": [3.0, 6.5], "y": 0.0, "duration": 1.0}
    ... )
    >>> arrays = fixations_to_pysaliency(table)
    >>> arrays.images, arrays.n.tolist(), arrays.x.tolist()
    (('a', 'b'), [1, 0], [3.5, 7.0])
    """
    as_choice(origin, tuple(IMAGE_ORIGINS), name="origin")
    frame = as_table(table, name="table")
    require_table_columns(frame, FIXATION_COLUMNS, name="table")
    shown, shown_names = name_column(frame, "image", what="names of images")
    subjects, observers = name_column(frame, "observer", what="names of observers")
    x, y, duration = (
        number_column(frame[name], source="`table`", row=str(frame.index.name or "row"))
        for name in ("x", "y", "duration")
    )
    names = shown_names if images is None else _different(images, "images")
    index_of = {name: index for index, name in enumerate(names)}
    unknown = [name for name in shown_names if name not in index_of]
    if unknown:
        raise ValueError(
            f"`images` must have every image of `table`, but {unknown[0]!r} is missing."
        )
    return PysaliencyArrays(
        x=x + IMAGE_ORIGINS[origin],
        y=y + IMAGE_ORIGINS[origin],
        n=np.array([index_of[name] for name in shown_names], np.int64)[shown],
        subjects=subjects,
        duration=duration.copy(),
        images=tuple(names),
        observers=tuple(observers),
    )


def _array(fixations: Any, *names: str) -> Any:
    """Return the first array with one of these names."""
    for name in names:
        if isinstance(fixations, Mapping):
            value = fixations.get(name)
        else:
            value = getattr(fixations, name, None)
        if value is not None:
            return value
    advice = ' Use observers="name" for one observer.' if "subjects" in names else ""
    raise ValueError(
        f"`fixations` must have the array {' or '.join(map(repr, names))}, got "
        f"{type(fixations).__name__} without it.{advice}"
    )


def _names(
    indices: Float64Array, names: Sequence[str] | None, argument: str, array: str
) -> list[str]:
    """Return the name of each index."""
    whole = np.isfinite(indices) & (indices >= 0) & (indices == np.floor(indices))
    if not whole.all():
        where = int(np.argmin(whole))
        raise ValueError(
            f"{SOURCE}, fixation {where}: {array} must be an index from 0, got {indices[where]:g}."
        )
    if names is None:
        return [str(int(index)) for index in indices]
    listed = _different(names, argument)
    beyond = indices >= len(listed)
    if beyond.any():
        where = int(np.argmax(beyond))
        raise ValueError(
            f"`{argument}` must have a name for every index, got {len(listed)} names and {array} "
            f"{indices[where]:g} at fixation {where}."
        )
    return [listed[int(index)] for index in indices]


def _different(names: Sequence[str], argument: str) -> list[str]:
    """Return names as text, and raise if two indices have the same name."""
    texts = [name_as_text(name) for name in as_iterable(names, name=argument, of="names")]
    cleaned = clean_names(texts, what=f"`{argument}`")
    listed = [cleaned[text] for text in texts]
    for name, count in Counter(listed).items():
        if count > 1:
            raise ValueError(
                f"`{argument}` must name every {argument[:-1]} once, got {name!r} {count} times."
            )
    return listed
