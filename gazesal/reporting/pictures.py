"""Read pictures and convert them for display under maps."""

from pathlib import Path
from typing import Any

import numpy as np

from gazesal.datasets._clean_names import one_spelling
from gazesal.datasets.numpy_files import read_npy
from gazesal.datasets.stored_pictures import open_picture
from gazesal.typing import Float64Array

__all__ = ["find_picture", "for_display", "pictures_in", "read_picture"]

SUFFIXES = (".npy", ".png", ".jpg", ".jpeg", ".tif", ".tiff")
DEEP = ("I;16", "I;16B", "I;16L", "I;16N", "I", "F")  # gray modes of Pillow with more than 8 bits
PLAIN = 0.35  # dark gray between 0 and 1 for pictures without contrast
PHOTOMETRIC, MIN_IS_WHITE = 262, 0  # a TIFF tag and its value for negatives


def find_picture(folder: str | Path, image: str) -> np.ndarray:
    """Read the picture of an image from a folder, for display only.

    Parameters
    ----------
    folder : str or path
        Folder of pictures ``<image>.npy``, ``.png``, ``.jpg`` or ``.tif``.
    image : str
        Name of the image.

    Returns
    -------
    numpy.ndarray, shape (H, W) or (H, W, 3)
        The stored values, also of 16 bits. The picture is rotated by its EXIF orientation,
        inverted if the file is a negative, and blended with white where it is transparent.

    Raises
    ------
    ValueError
        If there is no picture of that name, or it cannot be read.
    """
    # names are compared and never joined to a path, so that "../x" cannot leave the folder
    found = pictures_in(Path(folder)).get(one_spelling(image))
    if found is None:
        raise ValueError(
            f"{folder}: there is no picture of image {image!r} with one of the suffixes "
            f"{', '.join(SUFFIXES)}."
        )
    return read_picture(found)


def pictures_in(folder: Path) -> dict[str, Path]:
    """Return the picture files of a folder by image name, the first in order if there are two."""
    files = sorted(folder.iterdir(), reverse=True)
    return {one_spelling(path.stem): path for path in files if path.suffix.lower() in SUFFIXES}


def read_picture(path: Path) -> np.ndarray:
    """Return the values of a picture file, (H, W), (H, W, 3) or (H, W, 4). Errors name the file."""
    try:
        values = read_npy(path) if path.suffix.lower() == ".npy" else _pixels(path)
    except Exception as error:  # each format raises its own errors for a broken file
        raise ValueError(f"{path}: cannot be read as a picture: {error}") from error
    if values.ndim not in {2, 3} or values.shape[2:] not in {(), (3,), (4,)} or not values.size:
        raise ValueError(f"{path}: a picture must be (H, W) or (H, W, 3), got {values.shape}.")
    if values.dtype.kind not in "uifb":
        raise ValueError(f"{path}: a picture must hold real numbers, got {values.dtype}.")
    return np.asarray(values)


def for_display(picture: Any) -> np.ndarray[Any, Any]:
    """Convert a picture for matplotlib: gray values on any scale, or colors up to 1 or 255.

    Parameters
    ----------
    picture : array_like, shape (H, W), (H, W, 3) or (H, W, 4)
        Values of any type. Colors of more than 8 bits are rescaled from their own range to 0 to 1,
        because matplotlib would show them as white.

    Returns
    -------
    numpy.ndarray
        The picture, without alpha.
    """
    values = np.asarray(picture)
    if values.ndim != 3:
        return values
    colors = values[..., :3]
    if colors.dtype != np.uint8 and not (_least(colors) >= 0 and _most(colors) <= 1):
        colors = to_unit_range(colors)
    if values.shape[2] == 4:
        top = 1.0 if values.dtype.kind in "fb" else float(np.iinfo(values.dtype).max)
        alpha = values[..., 3:] / top
        white = 255 if colors.dtype == np.uint8 else 1
        mixed = colors * alpha + white * (1 - alpha)
        return np.asarray(mixed.astype(colors.dtype))
    return colors


def to_unit_range(values: np.ndarray[Any, Any]) -> Float64Array:
    """Rescale values to the range from 0 to 1. Constant arrays and NaN become dark gray."""
    numbers = np.asarray(values, np.float64)
    low, high = _least(numbers), _most(numbers)
    if not high > low:
        return np.full_like(numbers, PLAIN)
    with np.errstate(invalid="ignore"):
        scaled = (numbers - low) / (high - low)
    return np.where(np.isfinite(scaled), scaled, PLAIN)


def _least(values: np.ndarray[Any, Any]) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.min()) if finite.size else 0.0


def _most(values: np.ndarray[Any, Any]) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.max()) if finite.size else 0.0


def _pixels(path: Path) -> np.ndarray[Any, Any]:
    """Read an image file with Pillow, as gray values of any depth or as colors of 8 bits."""
    from PIL import Image, ImageOps

    with open_picture(path) as opened:
        # Pillow inverts negatives of 8 bits but not negatives of more bits
        negative = getattr(opened, "tag_v2", {}).get(PHOTOMETRIC) == MIN_IS_WHITE
        picture = ImageOps.exif_transpose(opened)
        if picture.mode in DEEP:
            values = np.asarray(picture)
            if not negative:
                return values
            top = np.iinfo(values.dtype).max if values.dtype.kind in "ui" else values.max()
            return np.asarray(top - values)
        if picture.has_transparency_data:
            picture = picture.convert("RGBA")
            ground = Image.new("RGBA", picture.size, "white")
            picture = Image.alpha_composite(ground, picture)
        return np.asarray(picture.convert("RGB"))
