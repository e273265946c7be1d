"""The center bias of images that are registered to each other by a box."""

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
from gazesal.maps.reference_frame import ReferenceFrame, as_box
from gazesal.maps.registration import canvas_places, place_on_canvas, warp_in_whole_pixels
from gazesal.maps.resampling import interpolate
from gazesal.maps.running_sum import NEGATIVE, RunningSum
from gazesal.typing import Float64Array

__all__ = ["RegisteredCenterBias"]

RegisteredMap = tuple[ArrayLike, ArrayLike]  # a gaze map, and the box of its image


class RegisteredCenterBias:
    r"""The mean of gaze maps after registration by a box, such as the box around the chest.

    Each gaze map is scaled along both axes and shifted so that the box of its image lies on the
    common box, and divided by its sum. Each pixel of the canvas is the mean over the images that
    cover it. On an image, the mean is warped back from the common box to the box of the image.

    Parameters
    ----------
    frame : ReferenceFrame
        The common box and the canvas around it.
    gaze_maps : iterable of (array_like of shape (H, W), array_like of shape (4,))
        Gaze maps, each with the box of its image, (x_min, y_min, x_max, y_max) in pixels, the
        upper bounds exclusive. They are read one at a time.

    Attributes
    ----------
    frame : ReferenceFrame
        The common box and the canvas.
    n_maps : int
        Number of gaze maps.

    Raises
    ------
    ValueError
        If there is no map, a map is not 2-D, has a negative or non-finite value or is zero
        everywhere, a box has no width or height, or an image does not fit on the canvas.
    TypeError
        If a map or box does not hold real numbers.

    See Also
    --------
    CenterBias : Mean without registration.
    sauc, sncc : Metrics that compare with a center bias.

    Notes
    -----
    See section 3.2 of :footcite:t:`bigolin2021`. With :math:`T_i` the transform from image
    :math:`i` to the canvas and :math:`c(u)` the number of maps whose image covers :math:`u`,

    .. math:: \mathrm{CB}(u) = \frac{1}{c(u)} \sum_i \frac{G_i(T_i^{-1} u)}{\sum_v G_i(T_i^{-1} v)}

    By default, values are interpolated at sub-pixel precision, the sum and the coverage
    separately, so no value is undefined. With ``rounding="study"``, sizes and positions are rounded
    to whole pixels as in the code of :footcite:t:`bigolin2021`. The average is then undefined
    where no image lies, and undefined pixels on the border of a warped map are set to 0.

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
        self._sum = RunningSum([np.zeros(frame.shape)])
        self._coverage: NDArray[np.int64] = np.zeros(frame.shape, np.int64)
        self.n_maps = _add_maps(frame, self._sum, self._coverage, gaze_maps, 1)
        if self.n_maps == 0:
            raise ValueError("`gaze_maps` must contain at least one gaze map, got none.")

    def __repr__(self) -> str:
        return f"RegisteredCenterBias(n_maps={self.n_maps}, frame={self.frame})"

    def average(self) -> Float64Array:
        """Return the average on the canvas.

        Returns
        -------
        numpy.ndarray of float64, shape of the frame
            Non-negative, or ``nan`` where no image lies.
        """
        undefined = np.full(self.frame.shape, np.nan)
        covered = self._coverage > 0
        mass = self._sum.mass()
        return np.asarray(np.divide(mass, self._coverage, out=undefined, where=covered))

    def coverage(self) -> NDArray[np.int64]:
        """Return the number of maps that cover each pixel of the canvas.

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
            If the box is missing or invalid, or the center bias is zero everywhere on the image.
            With ``rounding="study"``, also if the image does not fit on the canvas or an undefined
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
            warped = warp_in_whole_pixels(self.average(), self.frame, corners, (height, width))
        else:
            rows, columns = canvas_places(self.frame, corners, height, width)
            reach = interpolate(self._coverage, rows, columns)
            warped = interpolate(self._sum.mass(), rows, columns)
            reach[reach == 0] = 1.0  # the sum is 0 there as well, so the mean becomes 0
            warped /= reach
        total = warped.sum()
        if not total > 0:
            raise ValueError(
                f"`box` must place the image where people looked, got {corners} for an image of "
                f"{width} x {height} pixels on which the center bias is 0 everywhere. Check the "
                "box."
            )
        warped /= total
        return warped

    def without(self, gaze_maps: Iterable[RegisteredMap]) -> RegisteredCenterBias:
        """Return the center bias with these maps left out.

        Parameters
        ----------
        gaze_maps : iterable of (array_like of shape (H, W), array_like of shape (4,))
            Maps that are in the average, with their boxes, as they were given. To leave an image
            out, give the maps of all its observers.

        Returns
        -------
        RegisteredCenterBias
            A new object. This one does not change.

        Raises
        ------
        ValueError
            If a map or box is invalid, no map would remain, or a map is certainly not in the
            average, because the rest would be negative.
        """
        total, coverage = self._sum.copy(), self._coverage.copy()
        n_out = _add_maps(self.frame, total, coverage, gaze_maps, -1)
        if n_out >= self.n_maps:
            raise ValueError(
                f"`gaze_maps` must leave at least one map in the center bias, got {n_out} to leave "
                f"out of {self.n_maps}."
            )
        lowest = total.value().min()
        if coverage.min() < 0 or lowest < -NEGATIVE * self._sum.value().max():
            raise ValueError(
                "`gaze_maps` must all be part of this center bias, got a map or box that is not. "
                "Give the maps and boxes that the bias was made from."
            )
        return self._of(self.frame, total, coverage, self.n_maps - n_out)

    def without_images(self, images: Iterable[ImageGaze]) -> RegisteredCenterBias:
        """Return the center bias without the gaze on some images.

        Parameters
        ----------
        images : iterable of ImageGaze
            Images with their boxes and gaze maps, which must be in the average.

        Returns
        -------
        RegisteredCenterBias
            A new object. This one does not change.

        Raises
        ------
        ValueError
            As for `without`, or if an image has no box.
        """
        return self.without(
            (gaze_map, _require_box(image)) for image in images for gaze_map in image.gaze_maps
        )

    def merged(self, other: RegisteredCenterBias) -> RegisteredCenterBias:
        """Return the center bias of the maps of two objects, such as parts made in parallel.

        Parameters
        ----------
        other : RegisteredCenterBias
            Center bias in the same frame.

        Returns
        -------
        RegisteredCenterBias
            A new object. Neither of the two changes.

        Raises
        ------
        ValueError
            If the frames differ.
        """
        if not isinstance(other, RegisteredCenterBias):
            raise TypeError(f"`other` must be a RegisteredCenterBias, got {type(other).__name__}.")
        if other.frame != self.frame:
            raise ValueError(f"`other` must be in the frame {self.frame}, got {other.frame}.")
        total = self._sum.copy()
        total.merge(other._sum)
        coverage = self._coverage + other.coverage()
        return self._of(self.frame, total, coverage, self.n_maps + other.n_maps)

    def save(self, path: str | Path) -> None:
        """Save to an ``.npz`` file, which an interrupted call never leaves half written.

        Parameters
        ----------
        path : str or path
            Path of the file.
        """
        high, low = self._sum.parts()
        facts = json.dumps({**asdict(self.frame), "n_maps": self.n_maps})
        with atomic_path(Path(path)) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, high=high, low=low, coverage=self._coverage, facts=facts)

    @classmethod
    def load(cls, path: str | Path) -> RegisteredCenterBias:
        """Load a center bias that `save` wrote. No code in the file is executed.

        Parameters
        ----------
        path : str or path
            Path of the file.

        Returns
        -------
        RegisteredCenterBias
            Equal to the saved object, bit for bit.

        Raises
        ------
        ValueError
            If the file was not written by `save` or is truncated. The message names the file.
        """
        try:
            with Path(path).open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                facts = json.loads(str(file["facts"]))
                n_maps = facts.pop("n_maps")
                bias = cls._from_parts(facts, n_maps, file["high"], file["low"], file["coverage"])
        except FileNotFoundError:
            raise
        except Exception as error:  # a damaged archive raises errors of many types
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
        """Make a center bias from the contents of a file, and raise if they are inconsistent."""
        facts: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in frame.items()
        }
        placed = ReferenceFrame(**facts)
        total = RunningSum.from_parts(high, low)
        n = total.require_count(n_maps)
        if high.shape != placed.shape or coverage.shape != placed.shape:
            raise ValueError(
                f"its arrays must have the frame's shape {placed.shape}, got {high.shape} "
                f"and {coverage.shape}"
            )
        if coverage.dtype != np.int64 or coverage.min() < 0 or coverage.max() > n:
            raise ValueError("its coverage must count the maps")
        if high[coverage == 0].max(initial=0.0) > NEGATIVE * high.max():
            raise ValueError("its sums must be zero where its coverage is")
        return cls._of(placed, total, np.ascontiguousarray(coverage), n)

    @classmethod
    def _of(
        cls, frame: ReferenceFrame, total: RunningSum, coverage: NDArray[np.int64], n_maps: int
    ) -> RegisteredCenterBias:
        """Make a center bias from a sum of registered maps and their coverage."""
        bias: RegisteredCenterBias = cls.__new__(cls)
        bias.frame, bias.n_maps = frame, n_maps
        bias._sum, bias._coverage = total, coverage
        return bias


def _add_maps(
    frame: ReferenceFrame,
    total: RunningSum,
    coverage: NDArray[np.int64],
    gaze_maps: Iterable[RegisteredMap],
    sign: int,
) -> int:
    """Add registered maps to a sum and a coverage, or subtract them, and return their number."""
    n_maps = 0
    pairs = as_iterable(gaze_maps, name="gaze_maps", of="pairs of a gaze map and a box")
    for index, pair in enumerate(pairs):
        name = f"gaze_maps[{index}]"
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise TypeError(f"`{name}` must be a pair of a gaze map and a box, got {pair!r}.")
        value, box = pair
        array, mass = as_weights(as_map(value, name=name), name=name)
        corners = as_box(box, name=f"box of {name}")
        placed, top, left = place_on_canvas(frame, array / np.float64(mass), corners)
        bottom, right = top + placed.shape[0], left + placed.shape[1]
        if placed.size == 0 or placed.sum() <= 0:
            raise ValueError(
                f"`{name}` must have gaze inside the canvas of the frame, got none there. Check "
                "its box."
            )
        if min(top, left) < 0 or bottom > frame.shape[0] or right > frame.shape[1]:
            raise ValueError(
                f"`{name}` must fit on the canvas of the frame, got box {corners}. Make the frame "
                "from the boxes and shapes of all images."
            )
        canvas = np.zeros(frame.shape)
        canvas[top:bottom, left:right] = placed / placed.sum()
        total.add(canvas, float(sign))
        coverage[top:bottom, left:right] += sign
        n_maps += 1
    return n_maps


def _require_box(image: ImageGaze) -> ArrayLike:
    """Return the box of an image; raise if it has none."""
    if image.box is None:
        raise ValueError(
            f"`box` of image {image.image!r} must be (x_min, y_min, x_max, y_max), got None. Give "
            "the box by which the image is registered."
        )
    return image.box
