"""The images themselves, to lie under maps in a figure."""

from pathlib import Path
from typing import Any

import numpy as np

from gazesal.datasets._names import one_spelling
from gazesal.datasets.numpy_files import read_npy
from gazesal.datasets.stored_pictures import open_picture
from gazesal.typing import Float64Array

__all__ = ["find_picture", "for_display", "pictures_in", "read_picture"]

SUFFIXES = (".npy", ".png", ".jpg", ".jpeg", ".tif", ".tiff")
DEEP = ("I;16", "I;16B", "I;16L", "I;16N", "I", "F")  # modes of more than 8 bits, which are gray
PLAIN = 0.35  # the gray of a picture without contrast
PHOTOMETRIC, MIN_IS_WHITE = 262, 0  # a tag of TIFF, and its value for negatives


def find_picture(folder: str | Path, image: str) -> np.ndarray:
    """Read the picture of an image, for display only.

    Parameters
    ----------
    folder : str or path
        Folder of pictures ``<image>.npy``, ``.png``, ``.jpg`` or ``.tif``.
    image : str
        Name of the image.

    Returns
    -------
    numpy.ndarray, shape (H, W) or (H, W, 3)
        Its values as stored, of 16 bits too. They are turned as the EXIF orientation says,
        inverted if the file says that its smallest value is white, and laid on white where they
        are transparent.

    Raises
    ------
    ValueError
        If there is none, or it cannot be read.
    """
    # names are compared and never joined to a path, so none can climb out of the folder
    found = pictures_in(Path(folder)).get(one_spelling(image))
    if found is None:
        raise ValueError(
            f"{folder}: there is no picture of image {image!r} ({', '.join(SUFFIXES)})."
        )
    return read_picture(found)


def pictures_in(folder: Path) -> dict[str, Path]:
    """Files of pictures by the image's name, the first by name where there are two."""
    files = sorted(folder.iterdir(), reverse=True)
    return {one_spelling(path.stem): path for path in files if path.suffix.lower() in SUFFIXES}


def read_picture(path: Path) -> np.ndarray:
    """Return the values of a picture file, (H, W) or (H, W, 3); an error names the file."""
    try:
        values = read_npy(path) if path.suffix.lower() == ".npy" else _pixels(path)
    except Exception as error:  # a broken file fails in as many ways as there are formats
        raise ValueError(f"{path}: cannot be read as a picture: {error}") from error
    if values.ndim not in {2, 3} or values.shape[2:] not in {(), (3,), (4,)} or not values.size:
        raise ValueError(f"{path}: a picture must be (H, W) or (H, W, 3), got {values.shape}.")
    if values.dtype.kind not in "uifb":
        raise ValueError(f"{path}: a picture must hold real numbers, got {values.dtype}.")
    return np.asarray(values)


def for_display(picture: Any) -> np.ndarray[Any, Any]:
    """Return a picture as matplotlib shows it: gray values on any scale, or colors up to 1 or 255.

    Parameters
    ----------
    picture : array_like, shape (H, W), (H, W, 3) or (H, W, 4)
        Values of any type. Colors of more than 8 bits, which would be shown white, are brought to
        the range from 0 to 1 by their own range.

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
    """Bring values to the range from 0 to 1; constant ones, and NaN, become a dark gray."""
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
    """Read an image file with Pillow: gray values of any depth, or colors of 8 bits."""
    from PIL import Image, ImageOps  # noqa: PLC0415

    with open_picture(path) as opened:
        # Pillow inverts negatives of 8 bits itself, and leaves those of more
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
