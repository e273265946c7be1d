"""Convert positions on a screen to pixels of the images that it showed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from gazesal._validation import as_choice, as_float, as_points, as_real_array, as_shape
from gazesal.typing import Float64Array

__all__ = [
    "IMAGE_ORIGINS",
    "ORIGINS",
    "Box",
    "Coordinates",
    "Origin",
    "Screen",
    "ScreenOrigin",
    "fixations_from_screen",
]

Box = tuple[float, float, float, float]
Origin = Literal["pixel_center", "pixel_corner", "one_based"]
ScreenOrigin = Literal["pixel_center", "pixel_corner", "one_based", "screen_center"]
IMAGE_ORIGINS = {"pixel_center": 0.0, "pixel_corner": 0.5, "one_based": 1.0}  # subtracted from x, y
ORIGINS = (*IMAGE_ORIGINS, "screen_center")
PLACEMENTS = ("fill", "letterbox", "center")
GIVE_SCREEN = (
    "Give a gazesal.Screen, such as Screen(display=(1920, 1080)) (--display 1920x1080) if the "
    'images filled it, and placement="center" (--placement center) if they were shown in its '
    "middle."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """Describe a screen, and the rectangle in which it showed an image.

    Lengths are in pixels of the screen. Edges are measured from the outer upper left corner of the
    screen, x to the right and y down, so an image over the whole screen has the edges (0, 0, W, H).

    Attributes
    ----------
    display : tuple of int, optional
        Width and height of the screen, such as (1920, 1080). Needed unless `rectangle` is given
        and positions are pixels from the upper left.
    rectangle : tuple of float, optional
        Outer edges (x_min, y_min, x_max, y_max) of the image on the screen. By default, they follow
        from `placement`. A rectangle may reach beyond the screen.
    placement : {"fill", "letterbox", "center"}, default "fill"
        ``"fill"``: the image is stretched over the whole screen. ``"letterbox"``: it is scaled
        until it touches two edges of the screen, with equal bars beside it. ``"center"``: it is
        centered, with `scale` pixels of the screen per pixel of the image.
    scale : float, default 1.0
        Positive scale for the placement ``"center"``.

    Raises
    ------
    TypeError
        If a value is not a number, or `display` is not two integers.
    ValueError
        If neither `display` nor `rectangle` is given, a length is not positive, or options exclude
        each other.

    See Also
    --------
    fixations_from_screen : Convert positions.
    read_fixations : Takes a screen for all images, or one per image.

    Examples
    --------
    >>> import gazesal
    >>> screen = gazesal.Screen(display=(1920, 1080), placement="letterbox")
    >>> screen.edges((600, 800))
    (240.0, 0.0, 1680.0, 1080.0)
    """

    display: tuple[int, int] | None = None
    rectangle: Box | tuple[float, ...] | None = None
    placement: Literal["fill", "letterbox", "center"] = "fill"
    scale: float = 1.0

    def __post_init__(self) -> None:
        as_choice(self.placement, PLACEMENTS, name="placement")
        if self.display is not None:
            width, height = as_shape(self.display, name="display", most=None)
            object.__setattr__(self, "display", (width, height))
        scale = as_float(self.scale, name="scale")
        if not 0 < scale < np.inf:
            raise ValueError(f"`scale` must be positive and finite, got {self.scale!r}.")
        if scale != 1 and (self.placement != "center" or self.rectangle is not None):
            raise ValueError(
                f'`scale` is used only with placement="center", got {self.scale!r} with '
                f"{'a rectangle' if self.rectangle is not None else repr(self.placement)}. Omit it."
            )
        if self.rectangle is None:
            if self.display is None:
                raise ValueError(
                    "`display` must be given if `rectangle` is not, got neither. Give the width "
                    "and height of the screen, such as display=(1920, 1080) (--display 1920x1080)."
                )
            return
        if self.placement != "fill":
            raise ValueError(
                f"`placement` is not used with a `rectangle`, got {self.placement!r}. Omit one."
            )
        box = as_real_array(self.rectangle, name="rectangle").astype(np.float64)
        if box.shape != (4,) or not np.isfinite(box).all() or not (box[:2] < box[2:]).all():
            raise ValueError(
                "`rectangle` must be four numbers (x_min, y_min, x_max, y_max) with x_min < x_max "
                f"and y_min < y_max, got {self.rectangle!r}."
            )
        object.__setattr__(self, "rectangle", tuple(box.tolist()))

    def edges(self, shape: tuple[int, int]) -> Box:
        """Return the outer edges of an image on the screen.

        Parameters
        ----------
        shape : tuple of int
            (H, W) of the image in pixels.

        Returns
        -------
        tuple of float
            (x_min, y_min, x_max, y_max) in pixels of the screen.
        """
        if self.rectangle is not None or self.display is None:
            x_min, y_min, x_max, y_max = self.rectangle or ()
            return x_min, y_min, x_max, y_max
        height, width = as_shape(shape, name="shape")
        screen_width, screen_height = self.display
        if self.placement == "fill":
            return 0.0, 0.0, float(screen_width), float(screen_height)
        scale = float(self.scale)
        if self.placement == "letterbox":
            scale = min(screen_width / width, screen_height / height)
        x_min, y_min = (screen_width - width * scale) / 2, (screen_height - height * scale) / 2
        return x_min, y_min, x_min + width * scale, y_min + height * scale


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinates:
    """Unit, origin and direction of positions in a frame: a screen, or an image.

    Attributes
    ----------
    unit : {"pixels", "shares"}
        ``"shares"`` are fractions of the width and height of the frame.
    origin : str, optional
        One of `ORIGINS`. By default ``"pixel_center"`` for pixels, and ``"pixel_corner"`` for
        shares, of which 0 and 1 are the outer edges.
    y_axis : {"down", "up"}
        Direction of y. With ``"up"``, the origin is at the lower left, or at the center.
    """

    unit: str = "pixels"
    origin: str | None = None
    y_axis: str = "down"

    def __post_init__(self) -> None:
        as_choice(self.unit, ("pixels", "shares"), name="unit")
        as_choice(self.y_axis, ("down", "up"), name="y_axis")
        if self.origin is None:
            default = "pixel_center" if self.unit == "pixels" else "pixel_corner"
            object.__setattr__(self, "origin", default)
        as_choice(self.origin, ORIGINS, name="origin")
        if self.unit == "shares" and self.origin not in {"pixel_corner", "screen_center"}:
            raise ValueError(
                '`origin` must be "pixel_corner" or "screen_center" for shares, of which 0 is an '
                f"outer edge or the center, got {self.origin!r}."
            )

    @property
    def need_frame(self) -> bool:
        """Return whether the size of the frame must be known."""
        return self.unit == "shares" or self.origin == "screen_center" or self.y_axis == "up"

    def from_corner(self, points: Float64Array, frame: Float64Array | None) -> Float64Array:
        """Return positions in pixels from the outer upper left corner of the frame, y down.

        `frame` holds the width and height of the frame of each point.
        """
        size = np.zeros(2) if frame is None else frame
        places = points * size if self.unit == "shares" else points.astype(np.float64)
        if self.y_axis == "up":
            places = places * [1.0, -1.0]
        if self.origin == "screen_center":
            return np.asarray(places + size / 2)
        # the same distance from the lower edge, if y points up
        offset = np.full(2, 0.5 - IMAGE_ORIGINS[str(self.origin)])
        if self.y_axis == "up":
            return np.asarray(places + offset * [1.0, -1.0] + size * [0.0, 1.0])
        return np.asarray(places + offset)


def on_images(
    points: Float64Array,
    coordinates: Coordinates,
    *,
    frame: Float64Array | None,
    edges: Float64Array,
    shapes: Float64Array,
) -> Float64Array:
    """Return positions in pixels of the images, from the edges and the (H, W) of each point."""
    low, high = edges[:, :2], edges[:, 2:]
    places = coordinates.from_corner(points, frame)
    return np.asarray((places - low) / (high - low) * shapes[:, ::-1] - 0.5)


def fixations_from_screen(
    points: ArrayLike,
    shape: tuple[int, int],
    screen: Screen,
    *,
    unit: Literal["pixels", "shares"] = "pixels",
    origin: ScreenOrigin | None = None,
    y_axis: Literal["down", "up"] = "down",
) -> Float64Array:
    r"""Convert positions on a screen to pixels of the image that it showed.

    Parameters
    ----------
    points : array_like of float, shape (N, 2)
        Positions x, y on the screen, finite.
    shape : tuple of int
        (H, W) of the image in pixels.
    screen : Screen
        Size of the screen and place of the image on it.
    unit : {"pixels", "shares"}, default "pixels"
        Pixels of the screen, or fractions of its width and height.
    origin : {"pixel_center", "pixel_corner", "one_based", "screen_center"}, optional
        Origin of the positions. ``"pixel_center"``: (0, 0) is the center of the first pixel, the
        default for pixels. ``"pixel_corner"``: (0, 0) is the outer corner of the screen, the
        default for shares. ``"one_based"``: (1, 1) is the center of the first pixel.
        ``"screen_center"``: (0, 0) is the center of the screen.
    y_axis : {"down", "up"}, default "down"
        Direction of y. With ``"up"``, the first pixel and the corner are at the lower left.

    Returns
    -------
    numpy.ndarray of float64, shape (N, 2)
        Positions x, y in pixels of the image, pixel centers at integers, y down. Positions beside
        the image are kept, and are then negative or beyond its size.

    Raises
    ------
    ValueError
        If a value is invalid, or the size of the screen is needed and not given.
    TypeError
        If an argument has a wrong type.

    See Also
    --------
    read_fixations : Converts tables, with the argument `screen`.

    Notes
    -----
    With :math:`s` the position in pixels from the outer upper left corner of the screen (half a
    pixel more than a pixel center), and :math:`W` the width of the image,

    .. math:: x = \frac{s_x - x_\min}{x_\max - x_\min}\, W - \frac12

    and the same for y.

    Examples
    --------
    An image of 800 x 600 pixels in the middle of a larger screen:

    >>> import gazesal
    >>> screen = gazesal.Screen(display=(1920, 1080), placement="center")
    >>> gazesal.fixations_from_screen([[560, 240], [959.5, 539.5]], (600, 800), screen)
    array([[  0. ,   0. ],
           [399.5, 299.5]])
    >>> center = {"origin": "screen_center", "y_axis": "up"}
    >>> gazesal.fixations_from_screen([[0, 0]], (600, 800), screen, **center)
    array([[399.5, 299.5]])
    """
    places = as_points(points, name="points")
    size = as_shape(shape, name="shape")
    if not isinstance(screen, Screen):
        raise TypeError(
            f"`screen` must be a gazesal.Screen, got {type(screen).__name__}. Give the size of the "
            "screen, such as gazesal.Screen(display=(1920, 1080))."
        )
    coordinates = Coordinates(unit=unit, origin=origin, y_axis=y_axis)
    return on_images(
        places,
        coordinates,
        frame=frame_of(screen, coordinates, name="screen"),
        edges=np.array([screen.edges(size)]),
        shapes=np.array([size], np.float64),
    )


def frame_of(screen: Screen, coordinates: Coordinates, *, name: str) -> Float64Array | None:
    """Return the width and height of a screen, or raise if they are needed and unknown."""
    if screen.display is not None:
        return np.array(screen.display, np.float64)
    if coordinates.need_frame:
        raise ValueError(
            f"`display` of `{name}` must be given for shares, for an origin at the center and if y "
            "points up, got None. Give the width and height of the screen."
        )
    return None


def screen_of(screens: Screen | Mapping[str, Screen], image: str) -> Screen:
    """Return the screen of an image."""
    if isinstance(screens, Screen):
        return screens
    found: Any = screens.get(image)
    if not isinstance(found, Screen):
        raise ValueError(  # noqa: TRY004 (usually an image without an entry)
            f"`screen` must have a gazesal.Screen for every image, got {found!r} for {image!r}."
        )
    return found
