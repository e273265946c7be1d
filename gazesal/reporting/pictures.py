"""The images themselves, to lie under maps in a figure."""

import unicodedata
from pathlib import Path

import numpy as np

from gazesal.datasets.numpy_files import read_npy
from gazesal.datasets.stored_pictures import open_picture

__all__ = ["find_picture"]

SUFFIXES = (".npy", ".png", ".jpg", ".jpeg", ".tif", ".tiff")


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
        Its values.

    Raises
    ------
    ValueError
        If there is none, or it cannot be read.
    """
    # names are compared and never joined to a path, so none can climb out of the folder
    found = pictures_in(Path(folder)).get(unicodedata.normalize("NFC", image.strip()))
    if found is None:
        raise ValueError(
            f"{folder}: there is no picture of image {image!r} ({', '.join(SUFFIXES)})."
        )
    return read_picture(found)


def pictures_in(folder: Path) -> dict[str, Path]:
    """Files of pictures by the image's name, the first by name where there are two."""
    files = sorted(folder.iterdir(), reverse=True)
    return {
        unicodedata.normalize("NFC", path.stem.strip()): path
        for path in files
        if path.suffix.lower() in SUFFIXES
    }


def read_picture(path: Path) -> np.ndarray:
    """The values of a picture file, (H, W) or (H, W, 3); an error names the file."""
    try:
        if path.suffix.lower() == ".npy":
            values = read_npy(path)
        else:
            with open_picture(path) as picture:
                values = np.asarray(picture.convert("RGB"))
    except Exception as error:  # a broken file fails in as many ways as there are formats
        raise ValueError(f"{path}: cannot be read as a picture: {error}") from error
    if values.ndim not in {2, 3} or values.shape[2:] not in {(), (3,), (4,)} or not values.size:
        raise ValueError(f"{path}: a picture must be (H, W) or (H, W, 3), got {values.shape}.")
    if values.dtype.kind not in "uifb":
        raise ValueError(f"{path}: a picture must hold real numbers, got {values.dtype}.")
    return np.asarray(values)
