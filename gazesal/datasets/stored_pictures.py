"""Read pixels of picture files as stored, or refuse files whose values Pillow would change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gazesal.datasets._arguments import require_sane_shape
from gazesal.datasets._deep_png import read_deep_png
from gazesal.datasets._picture_facts import (
    FORMATS,
    MOST_PIXELS,
    PAGES,
    TRANSPARENT,
    Facts,
    RefusedError,
    facts_of,
)
from gazesal.datasets.tiff_files import read_tiff

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["StoredPicture", "open_picture", "picture_size", "read_stored"]

ORIENTATION = 274  # number of the tag in TIFF and EXIF
UPRIGHT = 1
GRAY_MODES = {"1", "L", "I", "F", "I;16", "I;16B", "I;16L"}  # names of Pillow


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """Values of a picture.

    Attributes
    ----------
    values : numpy.ndarray, shape (H, W) or (H, W, 3)
        Values as stored, rotated upright, with high values for bright pixels.
    orientation : int
        EXIF orientation of the stored values, 1 if upright.
    zero_is_white : bool
        True if the file has low values for bright pixels, so that `values` are inverted.
    """

    values: np.ndarray[Any, Any]
    orientation: int = UPRIGHT
    zero_is_white: bool = False


@contextmanager
def open_picture(path: Path) -> Iterator[Image.Image]:
    """Open a picture in the format of its suffix and in no other, without decoding its pixels.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If it does not have the format of its suffix or has too many pixels. The message names the
        file.
    """
    from PIL import Image, UnidentifiedImageError

    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise ValueError(f"{path}: a picture must be one of {', '.join(FORMATS)}.")
    try:
        # Pillow 13 maps a rotated TIFF with wrong lengths of rows if it opens the file itself.
        with path.open("rb") as file, Image.open(file, formats=[kind]) as picture:
            require_sane_shape(picture.size[::-1], most=MOST_PIXELS)
            yield picture
    except FileNotFoundError:
        raise
    except RefusedError as error:
        raise ValueError(f"{path}: {error}.") from None
    except UnidentifiedImageError:
        raise ValueError(
            f"{path}: cannot be read as an image, because its content is not {kind} or a kind of "
            f"{kind} that Pillow does not support. Save it as PNG of 8 or 16 bits or as .npy."
        ) from None
    except Exception as error:  # Pillow raises errors of any type for a damaged file
        raise ValueError(f"{path}: cannot be read as an image: {error}") from error


def picture_size(path: Path) -> tuple[int, int]:
    """Return (H, W) of a picture, rotated upright, from its header."""
    with open_picture(path) as picture:
        width, height = picture.size
        if picture.format == "TIFF":  # some versions of Pillow exchange its sides already
            tags = getattr(picture, "tag_v2")  # noqa: B009  (of the class for TIFF only)
            width, height = tags[256], tags[257]
        sideways = _orientation(picture) >= 5
    return (width, height) if sideways else (height, width)


def read_stored(path: Path) -> StoredPicture:
    """Return the values of a picture of one page, or raise if they cannot be read unchanged.

    Opaque alpha is dropped. Channels that are equal everywhere become one.
    """
    facts = facts_of(path)
    if facts.unread is not None:
        try:
            return _from_tifffile(path, facts)
        except RefusedError as error:
            raise ValueError(f"{path}: {error}.") from None
    with open_picture(path) as picture:
        if getattr(picture, "n_frames", 1) != 1:
            raise RefusedError(PAGES)
        orientation = _orientation(picture)
        if picture.format == "TIFF" and orientation >= 5:
            # Pillow 13 cuts off such files without compression
            raise RefusedError(
                f"must be upright, got EXIF orientation {orientation}. Save it upright"
            )
        if facts.deep is not None:
            values = _without_alpha(read_deep_png(path, picture, facts.deep))
            return StoredPicture(turned(values, orientation), orientation)
        picture.load()
        if "transparency" in picture.info and facts.step != 1:  # which Pillow does not scale
            picture.info["transparency"] *= facts.step
        values = pixels_of(picture)
        if facts.dtype is not None:  # Pillow reads these bits as numbers of another type
            values = values.astype(facts.dtype)
        if facts.step != 1:
            values = values // values.dtype.type(facts.step)
        if facts.zero_is_white and values.dtype == np.uint16:  # Pillow inverts only 8 bits
            values = np.uint16(65535) - values
    if picture.format != "TIFF":  # which Pillow rotates itself
        values = turned(values, orientation)
    return StoredPicture(values, orientation, facts.zero_is_white)


def _from_tifffile(path: Path, facts: Facts) -> StoredPicture:
    """Return the values of a TIFF file that Pillow cannot read."""
    values, orientation = read_tiff(path, str(facts.unread))
    if values.ndim == 3:
        values = _without_alpha(values)
    if facts.zero_is_white:
        values = np.iinfo(values.dtype).max - values
    return StoredPicture(turned(values, orientation), orientation, facts.zero_is_white)


def pixels_of(picture: Image.Image) -> np.ndarray[Any, Any]:
    """Return the pixels of a Pillow image, (H, W) or (H, W, 3), without a fully opaque alpha.

    Raises
    ------
    ValueError
        If a pixel is transparent, an index is not in the palette, or the mode is neither gray nor
        RGB.
    """
    mode, clear = picture.mode, picture.info.get("transparency")
    if mode in GRAY_MODES:
        values = np.asarray(picture)
        if clear is not None and (values == (bool(clear) if mode == "1" else clear)).any():
            raise RefusedError(TRANSPARENT)
        return values
    if mode == "P" and picture.palette is not None:
        entries = len(picture.palette.palette) // len(picture.palette.mode)
        if int(np.asarray(picture).max(initial=0)) >= entries:
            raise ValueError(f"its colors must be among the {entries} of its palette")
    if mode in {"LA", "La", "PA", "RGBA", "RGBa"} or clear is not None:
        return _without_alpha(np.asarray(picture.convert("LA" if mode == "La" else "RGBA")))
    if mode in {"RGB", "P"}:
        return _gray_if_equal(np.asarray(picture.convert("RGB")))
    raise RefusedError(f"it must be gray or RGB, got mode {mode}")


def turned(values: np.ndarray[Any, Any], orientation: int) -> np.ndarray[Any, Any]:
    """Rotate values of a picture upright according to their EXIF orientation."""
    if orientation >= 5:
        values = values.swapaxes(0, 1)
    if orientation in {2, 3, 6, 7}:
        values = values[:, ::-1]
    if orientation in {3, 4, 7, 8}:
        values = values[::-1]
    return np.ascontiguousarray(values)


def _gray_if_equal(channels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return one channel if all channels are equal."""
    return channels[..., 0] if (channels == channels[..., :1]).all() else channels


def _without_alpha(channels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the channels without the last of two or four, or raise unless it is opaque."""
    if channels.shape[-1] in {2, 4}:
        kind = channels.dtype.kind
        opaque = np.iinfo(channels.dtype).max if kind == "u" else 1
        if kind not in "uf" or (channels[..., -1] != opaque).any():
            raise RefusedError(TRANSPARENT)
        channels = channels[..., :-1]
    return _gray_if_equal(channels)


def _orientation(picture: Image.Image) -> int:
    """Return the EXIF orientation of a picture, 1 without a valid one."""
    found = picture.getexif().get(ORIENTATION, UPRIGHT)
    return found if found in range(1, 9) else UPRIGHT
