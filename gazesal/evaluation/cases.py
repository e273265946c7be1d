"""What is scored: an image, who looked where, and the maps under test."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_choice, as_points, as_shape, weight_sums
from gazesal._warnings import warn
from gazesal.datasets.map_sources import source_finder
from gazesal.evaluation.sources import load_source, read_source
from gazesal.exceptions import OffImageWarning
from gazesal.maps.heatmap import (
    OUTSIDE,
    SHARES_REMEDY,
    Outside,
    are_shares,
    exchange_hint,
    off_image,
)
from gazesal.maps.resampling import resample
from gazesal.typing import Float64Array, FloatArray

if TYPE_CHECKING:
    import pandas as pd  # which workers do without: it is 60 MB to import

__all__ = ["Case", "Gaze", "cases_from_tables"]

# A callable may have an attribute `fingerprint`, a str that changes with the map: what a checkpoint
# knows it by. Without one it is known by its qualified name.
MapSource: TypeAlias = ArrayLike | Path | Callable[[], ArrayLike]
INTEROBSERVER = "interobserver"
CENTER_BIAS = "center_bias"
IN_SAMPLE_BIAS = "center_bias_in_sample"
GROUND_TRUTH = "ground_truth"
SEGMENTATION = "segmentation"  # a method whose maps are lung hulls, and a baseline in meaning
BASELINES = {  # names that methods cannot have
    INTEROBSERVER,
    CENTER_BIAS,
    IN_SAMPLE_BIAS,
    GROUND_TRUTH,
    "centre_bias",
    "centre_bias_in_sample",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaze:
    """Fixations of one observer on one image.

    Attributes
    ----------
    points : numpy.ndarray of float64, shape (N, 2)
        Columns x, y in image pixels, pixel centres at integers.
    durations : numpy.ndarray of float64, shape (N,)
        Weight of each fixation.
    sigma : numpy.ndarray of float64, shape (N, 1) or (N, 2), optional
        Standard deviation of each fixation's Gaussian in pixels, where it differs between
        fixations; along x and y. By default that of the evaluation.
    visible : numpy.ndarray of float64, shape (N, 4), optional
        Part of the image that was shown during each fixation; see `gaze_heatmap`. By default all.
    """

    points: Float64Array
    durations: Float64Array
    sigma: Float64Array | None = None
    visible: Float64Array | None = None

    def __post_init__(self) -> None:
        if self.points is None or self.durations is None:
            raise TypeError("`points` and `durations` must be arrays, got None.")


GazeSource: TypeAlias = Gaze | MapSource | Callable[[], Gaze]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One image: who looked where, and the maps under test, which are read when needed.

    Attributes
    ----------
    image : str
        Name of the image.
    shape : tuple of int
        (H, W) of the image, in the pixels of the fixations.
    gaze : mapping of str to Gaze, array, pathlib.Path or callable
        By observer: fixations, or a gaze map made elsewhere, of the image's size, non-negative,
        with a positive sum, by which it is divided. A function returns one of the two; it is
        called once for the centre bias and once for the scores.
    maps : mapping of str to array, pathlib.Path or callable
        Saliency map by method: the array, a file that `read_map` reads, or a function without
        arguments that returns the array.
    scored : bool, default True
        Whether the image is scored; otherwise its gaze shapes the centre bias only.
    box : tuple of float, optional
        (x_min, y_min, x_max, y_max) in pixels, the upper bounds exclusive: what images are
        registered by for the centre bias, such as the box of the chest.
    groups : mapping of str to str, int or float, optional
        What the image belongs to, such as its finding or its hospital: columns of the table of
        scores, after the others.
    picture : pathlib.Path, optional
        File of the image itself, for display only.
    center_bias : array, pathlib.Path or callable, optional
        Centre bias of this image, made elsewhere, in place of the mean over the other images;
        non-negative, with a positive sum, by which it is divided. Where every scored image has
        one, the gaze of all images is not gone through first.
    """

    image: str
    shape: tuple[int, int]
    gaze: Mapping[str, GazeSource]
    maps: Mapping[str, MapSource]
    scored: bool = True
    box: tuple[float, float, float, float] | None = None
    groups: Mapping[str, str | int | float] = field(default_factory=dict)
    center_bias: MapSource | None = None
    picture: Path | None = None

    def load_map(self, method: str) -> FloatArray:
        """Return the saliency map of a method, checked.

        Parameters
        ----------
        method : str
            One of `maps`.

        Returns
        -------
        numpy.ndarray of float32 or float64, shape (H', W')
            The map, finite.

        Raises
        ------
        ValueError
            If it cannot be read or is not a finite 2-D map; the message names image and method.
        """
        return load_source(self.maps[method], name=f"{method} map of image {self.image}")

    def load_gaze(self, observer: str, resize: str | None = None) -> Gaze | Float64Array:
        """Return the fixations of an observer, or the gaze map, checked and summing to 1.

        Parameters
        ----------
        observer : str
            One of `gaze`.
        resize : {"bilinear"}, optional
            Bring a gaze map of another size onto the image's pixels; see `resample`.

        Returns
        -------
        Gaze or numpy.ndarray of float64, shape (H, W)
            What the observer looked at.

        Raises
        ------
        ValueError
            If it cannot be read, or is not a finite, non-negative map of the image's size with a
            positive sum; the message names image and observer.
        """
        source = self.gaze[observer]
        given = read_source(source)
        if isinstance(given, Gaze):
            if given is not source:  # those at hand are checked together; see `evaluate`
                self._require_pixels(given, observer)
            return given
        return self._as_density(given, f"gaze map of observer {observer}", resize)

    def _require_pixels(self, gaze: Gaze, observer: str) -> None:
        """Raise if the fixations of an observer look like shares of the image's sides."""
        name = f"points of image {self.image}, observer {observer}"
        points = as_points(gaze.points, name=name)
        if are_shares(points, self.shape):
            raise ValueError(
                f"`{name}` must be pixels, but all {len(points)} lie within about one pixel of an "
                f"image of {self.shape[1]} x {self.shape[0]}, as shares of the sides from 0 to 1 "
                f"do. {SHARES_REMEDY}"
            )

    def load_center_bias(self, resize: str | None = None) -> Float64Array:
        """Return the image's own centre bias, checked and summing to 1.

        Parameters
        ----------
        resize : {"bilinear"}, optional
            Bring one of another size onto the image's pixels; see `resample`.

        Returns
        -------
        numpy.ndarray of float64, shape (H, W)
            The centre bias.

        Raises
        ------
        ValueError
            If there is none, it cannot be read, or it is not a finite, non-negative map of the
            image's size with a positive sum; the message names the image.
        """
        if self.center_bias is None:
            raise ValueError(f"image {self.image} has no centre bias of its own.")
        return self._as_density(self.center_bias, "centre bias", resize)

    def _as_density(self, source: MapSource, what: str, resize: str | None) -> Float64Array:
        name = f"{what} of image {self.image}"
        array = load_source(source, name=name)
        if array.shape != self.shape:
            if resize is None:
                raise ValueError(
                    f"`{name}` must have the image's size, {self.shape[1]} x {self.shape[0]} "
                    f"pixels, got {array.shape[1]} x {array.shape[0]}; "
                    'resize="bilinear" (--resize bilinear) brings it there.'
                )
            array = resample(array, self.shape)
        _, mass = weight_sums(array, name=name)
        return np.asarray(array / np.float64(mass), dtype=np.float64)


def cases_from_tables(
    fixations: "pd.DataFrame",
    maps: Mapping[str, Mapping[str, MapSource]],
    shape: tuple[int, int] | Mapping[str, tuple[int, int]],
    *,
    outside: Outside = "raise",
    unmapped: Literal["raise", "gaze_only"] = "raise",
) -> list[Case]:
    """Join a table of fixations with saliency maps, one case an image.

    Parameters
    ----------
    fixations : pandas.DataFrame
        Columns image, observer, x, y, duration, as `read_fixations` returns them.
    maps : mapping of mapping
        Saliency maps by method, then by image, as `find_maps` returns them; or arrays. A method
        may also have an object of your own with ``__getitem__``, which is asked for the map of an
        image when that is needed; it must be possible to pickle it for several jobs.
    shape : tuple of int or mapping of str to tuple of int
        (H, W) of all images, or by image, in the pixels of the fixations.
    outside : {"raise", "drop", "keep"}, default "raise"
        What to do with fixations outside their image; see `gaze_heatmap`.
    unmapped : {"raise", "gaze_only"}, default "raise"
        What to do with images for which a method has no map: refuse, or score none of their
        maps and use their gaze for the centre bias only.

    Returns
    -------
    list of Case
        In the order of the image names; under ``"gaze_only"``, cases without maps are not scored.

    Raises
    ------
    ValueError
        If a column or a size is missing, a fixation lies outside, an observer's fixations all
        weigh nothing, an image has no map, a method has the name of a baseline, or no image is
        left; the message names the line or image.

    Warns
    -----
    OffImageWarning
        If fixations were dropped under ``outside="drop"``.

    See Also
    --------
    evaluate : Score them.

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
    """
    from gazesal.datasets.fixation_table import FIXATION_COLUMNS  # noqa: PLC0415 (see above)

    as_choice(outside, OUTSIDE, name="outside")
    as_choice(unmapped, ("raise", "gaze_only"), name="unmapped")
    missing = [name for name in FIXATION_COLUMNS if name not in fixations.columns]
    if missing:
        raise ValueError(f"`fixations` must have the columns {', '.join(missing)}.")
    require_no_baseline(maps)
    for column in ("image", "observer"):
        lost = fixations[column].isna() | (fixations[column].astype(str).str.strip() == "")
        if lost.any():
            place = _place(fixations, int(np.argmax(lost.to_numpy())))
            raise ValueError(f"{place}, column {column!r}: the value is missing.")
    cases = []
    for image, rows in _by_name(fixations, "image"):
        image_shape = _shape_of(image, shape)
        gaze = fixations_by_observer(rows, image_shape, outside)
        cases.append(Case(image=image, shape=image_shape, gaze=gaze, maps={}))
    cases = with_maps(cases, maps, unmapped)
    if outside == "drop":
        _report_dropped(fixations, cases)
    return cases


def require_no_baseline(methods: Iterable[str]) -> None:
    """Raise if a method has the name of a baseline."""
    reserved = sorted(name for name in methods if name.lower().replace(" ", "_") in BASELINES)
    if reserved:
        raise ValueError(f"`maps` must not name a method like a baseline, got {reserved[0]!r}.")


def with_maps(
    cases: list[Case], maps: Mapping[str, Mapping[str, MapSource]], unmapped: str
) -> list[Case]:
    """The cases with their maps; those that are scored and lack one are refused, or not scored."""
    find = {method: source_finder(own, name=f"maps[{method!r}]") for method, own in maps.items()}
    without_map: dict[str, str] = {}
    joined = []
    for case in cases:
        own = {method: source_of(case.image) for method, source_of in find.items()}
        lacking = [method for method, source in own.items() if source is None]
        if lacking and case.scored:
            without_map[case.image] = lacking[0]
        kept = {} if lacking else own
        joined.append(replace(case, maps=kept, scored=case.scored and not lacking))
    n_scored = sum(case.scored for case in cases)
    if without_map and (unmapped == "raise" or len(without_map) == n_scored):
        image, method = next(iter(without_map.items()))
        raise ValueError(
            f"`maps` must have every image of the fixations, but {len(without_map)} of "
            f"{n_scored} images lack one: method {method!r} has no map of image {image!r} "
            f"(it has {', '.join(map(repr, list(maps[method])[:3]))}, ...). "
            'unmapped="gaze_only" (--unmapped gaze_only) scores the others and uses the gaze on '
            "these for the centre bias."
        )
    return joined


def _place(fixations: "pd.DataFrame", position: int) -> str:
    """File and line of a row, as far as the table knows them."""
    source = fixations.attrs.get("source", "fixations")
    return f"{source}, {fixations.index.name or 'row'} {fixations.index[position]}"


def _report_dropped(fixations: "pd.DataFrame", cases: list[Case]) -> None:
    kept = sum(
        len(gaze.points) for case in cases for gaze in case.gaze.values() if isinstance(gaze, Gaze)
    )
    if kept < len(fixations):
        before = len(fixations[["image", "observer"]].drop_duplicates())
        gone = before - sum(len(case.gaze) for case in cases)
        warn(
            f"{len(fixations) - kept} of {len(fixations)} fixations lie outside their image and "
            f"were dropped; {gone} of {before} readings (an observer on an image) lost all theirs.",
            OffImageWarning,
            stacklevel=3,
        )


def _shape_of(
    image: str, shape: tuple[int, int] | Mapping[str, tuple[int, int]]
) -> tuple[int, int]:
    if isinstance(shape, Mapping):
        if image not in shape:
            raise ValueError(
                f"`shape` (--size) must give the size of every image, but has no {image!r}."
            )
        return as_shape(shape[image], name=f"shape of {image}")
    return as_shape(shape, name="shape")


def _by_name(rows: "pd.DataFrame", column: str) -> "list[tuple[str, pd.DataFrame]]":
    """Rows of each name in a column, in the order of the names as text."""
    names = rows[column].astype(str).to_numpy()
    return sorted(((str(name), part) for name, part in rows.groupby(names)), key=itemgetter(0))


def fixations_by_observer(
    rows: "pd.DataFrame", shape: tuple[int, int], outside: str
) -> dict[str, Gaze]:
    """Fixations of each observer, in the order of the observers' names."""
    import pandas as pd  # noqa: PLC0415 (see above)

    numbers = {}
    for column in ("x", "y", "duration"):
        values = pd.to_numeric(rows[column], errors="coerce").to_numpy(np.float64)
        if not np.isfinite(values).all():
            bad = int(np.argmin(np.isfinite(values)))
            raise ValueError(
                f"{_place(rows, bad)}, column {column!r}: must be a finite number, got "
                f"{rows[column].iloc[bad]!r}."
            )
        numbers[column] = values
    rows = rows.assign(**numbers)  # numbers from here on, also where the table held text
    points = rows[["x", "y"]].to_numpy()
    off = off_image(points, shape)
    if off.any() and outside == "raise":
        first = rows.iloc[int(np.argmax(off))]
        raise ValueError(
            f"{_place(rows, int(np.argmax(off)))}: ({first['x']:g}, {first['y']:g}) "
            f"of observer {first['observer']} lies outside image {first['image']}, which spans "
            f"x in [-0.5, {shape[1] - 0.5}) and y in [-0.5, {shape[0] - 0.5}) where pixel centres "
            f"are integers; {int(off.sum())} fixations on this image do. Is the origin right? "
            'outside="drop" (--outside drop) leaves them out, "keep" draws the part inside.'
            f"{exchange_hint(points, shape)}"
        )
    if outside == "drop":
        rows = rows[~off]
    gaze = {}
    for observer, part in _by_name(rows, "observer"):
        durations = part["duration"].to_numpy()
        if durations.min() < 0 or durations.max() <= 0:
            raise ValueError(
                f"{_place(part, 0)}: the durations of observer {observer} on image "
                f"{part['image'].iloc[0]} must be non-negative, with a positive sum."
            )
        gaze[observer] = Gaze(points=part[["x", "y"]].to_numpy(), durations=durations)
    return gaze
