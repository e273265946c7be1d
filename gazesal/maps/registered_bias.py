"""Where people look at any image, after the images are registered to each other by a box."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gazesal._files import atomic_path
from gazesal._validation import as_iterable, as_map, as_shape
from gazesal.maps.center_bias_model import ImageGaze
from gazesal.maps.constancy import as_weights
from gazesal.maps.geometry import Box, ReferenceFrame, as_box, whole_place
from gazesal.maps.resampling import interpolate, resample
from gazesal.maps.running_sum import NEGATIVE, RunningSum
from gazesal.typing import Float64Array, FloatArray

__all__ = ["RegisteredCenterBias"]

RegisteredMap = tuple[ArrayLike, ArrayLike]  # a gaze map, and the box of its image


class RegisteredCenterBias:
    r"""The center bias of images that are registered to each other by a box, as chests are.

    Each gaze map is scaled along both axes and shifted so that the box of its image lies on the
    common box, and divided by its sum; at each place the maps of the images that reach it are
    averaged. The inverse map brings the average back onto the box of any image.

    Parameters
    ----------
    frame : ReferenceFrame
        The common box and the canvas around it.
    gaze_maps : iterable of (array_like of shape (H, W), array_like of shape (4,))
        Gaze maps, each with the box of its image, (x_min, y_min, x_max, y_max) in pixels, the
        upper bounds exclusive. They are taken one at a time.

    Attributes
    ----------
    frame : ReferenceFrame
        The common box and the canvas.
    n_maps : int
        Number of gaze maps.

    Raises
    ------
    ValueError
        If there is no map, one is not 2-D, negative somewhere, not finite or zero everywhere, a
        box has no width or height, or an image does not fit on the canvas.
    TypeError
        If a map or box does not hold real numbers.

    See Also
    --------
    CenterBias : Without registration.
    sauc, sncc : The metrics that take it.

    Notes
    -----
    Section 3.2 of :footcite:t:`bigolin2021`. With :math:`T_i` the map of image :math:`i` onto the
    canvas and :math:`c(u)` the number of maps whose image covers :math:`u`,

    .. math:: \mathrm{CB}(u) = \frac{1}{c(u)} \sum_i \frac{G_i(T_i^{-1} u)}{\sum_v G_i(T_i^{-1} v)}

    By default places are interpolated at sub-pixel precision, and sum and coverage separately,
    so no value is undefined. With ``rounding="study"`` sizes and places are rounded to whole
    pixels as the study's code does; where no image reaches, its average is undefined, and an
    undefined pixel on the border of a warped map becomes 0.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import numpy as np
    >>> import gazesal
    >>> boxes, shapes = [[0, 0, 4, 2], [2, 0, 6, 2]], [(2, 6), (2, 8)]
    >>> frame = gazesal.ReferenceFrame.from_boxes(boxes, shapes)
    >>> first, second = np.zeros((2, 6)), np.zeros((2, 8))
    >>> first[0, 1] = second[1, 3] = 1.0  # both in the second column of their box
    >>> bias = gazesal.RegisteredCenterBias(frame, [(first, boxes[0]), (second, boxes[1])])
    >>> bias.on_image((2, 6), boxes[0])[:, :3].tolist()
    [[0.0, 0.5, 0.0], [0.0, 0.5, 0.0]]
    """

    def __init__(self, frame: ReferenceFrame, gaze_maps: Iterable[RegisteredMap]) -> None:
        if not isinstance(frame, ReferenceFrame):
            raise TypeError(f"`frame` must be a ReferenceFrame, got {type(frame).__name__}.")
        self.frame = frame
        self.n_maps = 0
        self._sum = RunningSum([np.zeros(frame.shape)])
        self._coverage: NDArray[np.int64] = np.zeros(frame.shape, np.int64)
        self._add_all(gaze_maps, 1)
        if self.n_maps == 0:
            raise ValueError("`gaze_maps` must hold at least one gaze map, got none.")

    def __repr__(self) -> str:
        return f"RegisteredCenterBias(n_maps={self.n_maps}, frame={self.frame})"

    def average(self) -> Float64Array:
        """Return the average on the canvas.

        Returns
        -------
        numpy.ndarray of float64, shape of the frame
            Non-negative; ``nan`` where no image reaches.
        """
        undefined = np.full(self.frame.shape, np.nan)
        covered = self._coverage > 0
        mass = self._sum.mass()
        return np.asarray(np.divide(mass, self._coverage, out=undefined, where=covered))

    def coverage(self) -> NDArray[np.int64]:
        """Return how many maps reach each pixel of the canvas.

        Returns
        -------
        numpy.ndarray of int64, shape of the frame
            Counts.
        """
        return self._coverage.copy()

    def on_image(self, shape: tuple[int, int], box: ArrayLike | None = None) -> Float64Array:
        """Return the center bias on the pixels of an image.

        Parameters
        ----------
        shape : tuple of int
            (H, W) of the image.
        box : array_like of float, shape (4,)
            Box of the image, (x_min, y_min, x_max, y_max) in pixels, the upper bounds exclusive.
            Required.

        Returns
        -------
        numpy.ndarray of float64, shape (H, W)
            Non-negative, summing to 1.

        Raises
        ------
        ValueError
            If the box is missing or invalid, or the center bias is zero all over the image. With
            ``rounding="study"``, also if the image does not fit on the canvas or an undefined
            value lies inside it.
        """
        if box is None:
            raise ValueError(
                "`box` must be the box of the image (x_min, y_min, x_max, y_max), got None. Give "
                "the box by which the image is registered, or use a `CenterBias`."
            )
        height, width = as_shape(shape, name="shape")
        corners = as_box(box, name="box")
        if self.frame.rounding == "study":
            warped = self._warp_as_the_study(corners, height, width)
        else:
            rows, columns = self._canvas_places(corners, height, width)
            reach = interpolate(self._coverage, rows, columns)
            warped = interpolate(self._sum.mass(), rows, columns)
            reach[reach == 0] = 1.0  # there is no mass where no image reaches
            warped /= reach
        total = warped.sum()
        if not total > 0:
            raise ValueError(
                f"`box` must place the image where people looked, but the center bias is zero all "
                f"over it: box {corners}, image {width} x {height}."
            )
        warped /= total
        return warped

    def without(self, gaze_maps: Iterable[RegisteredMap]) -> RegisteredCenterBias:
        """Return the center bias with these maps left out.

        Parameters
        ----------
        gaze_maps : iterable of (array_like of shape (H, W), array_like of shape (4,))
            Maps that are in the average, with their boxes, as they were given: those of every
            observer of one image, to leave the image out.

        Returns
        -------
        RegisteredCenterBias
            A new one; this one does not change.

        Raises
        ------
        ValueError
            If none would remain, or the maps were not all in the average, as far as that can be
            seen.
        """
        other = self._copy()
        other._add_all(gaze_maps, -1)
        if other.n_maps < 1:
            raise ValueError(
                f"`gaze_maps` must leave at least one map, got {self.n_maps - other.n_maps} to "
                f"leave out of {self.n_maps}."
            )
        lowest = other._sum.value().min()
        if other._coverage.min() < 0 or lowest < -1e-12 * self._sum.value().max():
            raise ValueError(
                "`gaze_maps` must all be part of this center bias, got a map or box that is not."
            )
        return other

    def without_images(self, images: Iterable[ImageGaze]) -> RegisteredCenterBias:
        """Return the center bias without the gaze on some images.

        Parameters
        ----------
        images : iterable of ImageGaze
            Images with their boxes and gaze maps, which must be in the average.

        Returns
        -------
        RegisteredCenterBias
            A new one; this one does not change.

        Raises
        ------
        ValueError
            As for `without`, or if an image has no box.
        """
        return self.without(
            (gaze_map, _require_box(image)) for image in images for gaze_map in image.gaze_maps
        )

    def merged(self, other: RegisteredCenterBias) -> RegisteredCenterBias:
        """Return the center bias of the maps of both, as when parts were made in parallel.

        Parameters
        ----------
        other : RegisteredCenterBias
            Another one in the same frame.

        Returns
        -------
        RegisteredCenterBias
            A new one; neither changes.

        Raises
        ------
        ValueError
            If the frames differ.
        """
        if not isinstance(other, RegisteredCenterBias):
            raise TypeError(f"`other` must be a RegisteredCenterBias, got {type(other).__name__}.")
        if other.frame != self.frame:
            raise ValueError(f"`other` must be in the frame {self.frame}, got {other.frame}.")
        both = self._copy()
        both._sum.merge(other._sum)
        both._coverage += other._coverage
        both.n_maps += other.n_maps
        return both

    def save(self, path: str | Path) -> None:
        """Write to an ``.npz`` file, whole or not at all.

        Parameters
        ----------
        path : str or path
            Where to.
        """
        high, low = self._sum.parts()
        facts = json.dumps({**asdict(self.frame), "n_maps": self.n_maps})
        with atomic_path(Path(path)) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, high=high, low=low, coverage=self._coverage, facts=facts)

    @classmethod
    def load(cls, path: str | Path) -> RegisteredCenterBias:
        """Read what `save` wrote; nothing in the file is executed.

        Parameters
        ----------
        path : str or path
            The file.

        Returns
        -------
        RegisteredCenterBias
            Equal to the one saved, to the bit.

        Raises
        ------
        ValueError
            If the file is not one that `save` wrote, or is truncated; the message names it.
        """
        try:
            with Path(path).open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                facts = json.loads(str(file["facts"]))
                n_maps = facts.pop("n_maps")
                bias = cls._from_parts(facts, n_maps, file["high"], file["low"], file["coverage"])
        except FileNotFoundError:
            raise
        except Exception as error:  # a broken archive fails in as many ways as it has parts
            raise ValueError(
                f"{path}: cannot be read as a registered center bias: {error}"
            ) from error
        return bias

    @classmethod
    def _from_parts(
        cls,
        frame: Mapping[str, Any],
        n_maps: object,
        high: Float64Array,
        low: Float64Array,
        coverage: NDArray[np.int64],
    ) -> RegisteredCenterBias:
        """Make one from what was in a file; raise if it does not fit together."""
        bias = cls.__new__(cls)
        facts: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in frame.items()
        }
        bias.frame = ReferenceFrame(**facts)
        bias._sum = RunningSum.from_parts(high, low)
        bias.n_maps = bias._sum.require_count(n_maps)
        if high.shape != bias.frame.shape or coverage.shape != bias.frame.shape:
            raise ValueError(
                f"its arrays must have the frame's shape {bias.frame.shape}, got {high.shape} "
                f"and {coverage.shape}"
            )
        if coverage.dtype != np.int64 or coverage.min() < 0 or coverage.max() > bias.n_maps:
            raise ValueError("its coverage must count the maps")
        if high[coverage == 0].max(initial=0.0) > NEGATIVE * high.max():
            raise ValueError("its sums must be zero where its coverage is")
        bias._coverage = np.ascontiguousarray(coverage)
        return bias

    def _copy(self) -> RegisteredCenterBias:
        other = RegisteredCenterBias.__new__(RegisteredCenterBias)
        other.frame, other.n_maps = self.frame, self.n_maps
        other._sum, other._coverage = self._sum.copy(), self._coverage.copy()
        return other

    def _add_all(self, gaze_maps: Iterable[RegisteredMap], sign: int) -> None:
        pairs = as_iterable(gaze_maps, name="gaze_maps", of="pairs of a gaze map and a box")
        for index, pair in enumerate(pairs):
            name = f"gaze_maps[{index}]"
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                raise TypeError(f"`{name}` must be a pair of a gaze map and a box, got {pair!r}.")
            value, box = pair
            array, mass = as_weights(as_map(value, name=name), name=name)
            corners = as_box(box, name=f"box of {name}")
            placed, top, left = self._place(array / np.float64(mass), corners)
            bottom, right = top + placed.shape[0], left + placed.shape[1]
            if placed.size == 0 or placed.sum() <= 0:
                raise ValueError(f"`{name}` must have gaze inside the canvas of the frame.")
            if min(top, left) < 0 or bottom > self.frame.shape[0] or right > self.frame.shape[1]:
                raise ValueError(
                    f"`{name}` must fit on the canvas of the frame; make the frame from the boxes "
                    "and shapes of all images."
                )
            canvas = np.zeros(self.frame.shape)
            canvas[top:bottom, left:right] = placed / placed.sum()
            self._sum.add(canvas, float(sign))
            self._coverage[top:bottom, left:right] += sign
            self.n_maps += sign

    def _place(self, array: FloatArray, box: Box) -> tuple[Float64Array, int, int]:
        """A map at the scale of the canvas, and its first row and column there."""
        height, width = array.shape
        scale_x, scale_y = self.frame.scale(box)
        start_x = self.frame.origin[0] - box[0] * scale_x
        start_y = self.frame.origin[1] - box[1] * scale_y
        if self.frame.rounding == "study":
            left, columns = whole_place(start_x, width * scale_x)
            top, rows = whole_place(start_y, height * scale_y)
            return resample(array, (max(rows, 1), max(columns, 1))), top, left
        covered_x = _centers_inside(start_x, start_x + width * scale_x)
        covered_y = _centers_inside(start_y, start_y + height * scale_y)
        columns_at = (covered_x + 0.5 - start_x) / scale_x - 0.5
        rows_at = (covered_y + 0.5 - start_y) / scale_y - 0.5
        if covered_x.size == 0 or covered_y.size == 0:
            return np.zeros((0, 0)), 0, 0
        return interpolate(array, rows_at, columns_at), int(covered_y[0]), int(covered_x[0])

    def _canvas_places(self, box: Box, height: int, width: int) -> tuple[FloatArray, FloatArray]:
        """Where the rows and columns of an image lie on the canvas, centers at integers."""
        scale_x, scale_y = self.frame.scale(box)
        columns = self.frame.origin[0] + (np.arange(width) + 0.5 - box[0]) * scale_x - 0.5
        rows = self.frame.origin[1] + (np.arange(height) + 0.5 - box[1]) * scale_y - 0.5
        return rows, columns

    def _warp_as_the_study(self, box: Box, height: int, width: int) -> Float64Array:
        scale_x, scale_y = self.frame.scale(box)
        canvas_height, canvas_width = self.frame.shape
        left, columns = whole_place(self.frame.origin[0] / scale_x - box[0], canvas_width / scale_x)
        top, rows = whole_place(self.frame.origin[1] / scale_y - box[1], canvas_height / scale_y)
        whole = interpolate(
            self.average(),
            (np.arange(rows) + 0.5) * (canvas_height / rows) - 0.5,
            (np.arange(columns) + 0.5) * (canvas_width / columns) - 0.5,
        )
        if min(top, left) < 0 or top + height > rows or left + width > columns:
            raise ValueError(
                f"`box` must place the image on the canvas, got box {box} for {width} x {height}."
            )
        warped = whole[top : top + height, left : left + width].copy()
        for edge in (warped[0], warped[-1], warped[:, 0], warped[:, -1]):
            edge[np.isnan(edge)] = 0.0
        if np.isnan(warped).any():
            raise ValueError(
                f"`box` must place the image where some image reaches, but the study's average is "
                f"undefined inside it: box {box}, image {width} x {height}. "
                'rounding="none" has no undefined values.'
            )
        return warped


def _require_box(image: ImageGaze) -> ArrayLike:
    """Return the box of an image; raise if it has none."""
    if image.box is None:
        raise ValueError(
            f"`box` of image {image.image!r} must be (x_min, y_min, x_max, y_max), got None. Give "
            "the box by which the image is registered."
        )
    return image.box


def _centers_inside(start: float, stop: float) -> NDArray[np.int64]:
    """Canvas pixels whose centers lie in [start, stop], measured from the canvas's corner."""
    return np.arange(int(np.ceil(start - 0.5)), int(np.floor(stop - 0.5)) + 1)
