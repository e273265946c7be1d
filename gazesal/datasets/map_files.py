"""Read files of one saliency map and tables of image sizes, and list the maps of a folder."""

import re
from pathlib import Path

import numpy as np

from gazesal._validation import as_map, require_finite
from gazesal.datasets._arguments import as_path
from gazesal.datasets._clean_names import clean_name, clean_names
from gazesal.datasets.numpy_files import open_npz, read_npy
from gazesal.typing import FloatArray

__all__ = ["read_map", "read_sizes"]

SUFFIXES = (".npy", ".npz", ".png", ".tif", ".tiff")


def maps_in(folder: Path) -> dict[str, Path]:
    """Return the files of the maps in a folder by image, and raise if no file is a map."""
    files: dict[str, Path] = {}
    others = 0
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.suffix.lower() not in SUFFIXES:
            others += 1
            continue
        image = clean_name(path.stem, what=f"{folder}: names of files")
        if image in files:
            raise ValueError(
                f"{folder}: image {image!r} must have one map, got {files[image].name!a} and "
                f"{path.name!a}. Remove one."
            )
        files[image] = path
    clean_names(files, what=f"{folder}: names of files")
    if others and not files:
        raise ValueError(
            f"{folder}: maps must be one of {', '.join(SUFFIXES)}, got {others} other files. "
            "Convert them or remove the folder."
        )
    return files


def read_map(path: str | Path) -> FloatArray:
    """Read a saliency map from a file.

    Parameters
    ----------
    path : str or path
        A ``.npy`` file, a ``.npz`` archive of one array, or a gray ``.png``, ``.tif`` or ``.tiff``
        image of integers of up to 32 bits or of 32-bit floats. Equal channels count as gray, and an
        opaque alpha channel is dropped. An image in color is refused, because a color map cannot be
        inverted.

    Returns
    -------
    numpy.ndarray of float32 or float64, shape (H, W)
        The values as stored, unscaled.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If it cannot be read, is truncated, is not a 2-D map of finite real numbers, or is an
        image in color. If Pillow would change its values (64-bit floats, 16 bits per channel, zero
        as white, stored rotated). The message names the file and its property.

    See Also
    --------
    find_maps, open_maps : Find the maps in a folder, and in files of many maps.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> import gazesal
    >>> with TemporaryDirectory() as folder:
    ...     np.save(Path(folder, "1001.npy"), np.eye(2))
    ...     gazesal.read_map(Path(folder, "1001.npy")).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    path = as_path(path, name="path")
    if path.suffix.lower() == ".npy":
        values = read_npy(path)
    elif path.suffix.lower() == ".npz":
        values = _read_npz(path)
    elif path.suffix.lower() in SUFFIXES:
        values = _read_image(path)
    else:
        raise ValueError(f"{path}: a map must be one of {', '.join(SUFFIXES)}. Convert it.")
    try:
        array = as_map(values, name="map")
        require_finite(array, name="map")
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
    return array


def read_sizes(path: str | Path) -> dict[str, tuple[int, int]]:
    r"""Read the sizes of images from a CSV table or from a folder of their pictures.

    Parameters
    ----------
    path : str or path
        A table with the columns image, width and height, in pixels, or a folder of pictures, of
        which only the headers are read. The name of a picture without its suffix is the image.

    Returns
    -------
    dict of tuple of int
        (H, W) by image.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If it cannot be read, a column is missing, a size is not a positive integer, an image is
        repeated, or a folder has no picture. The message names the file, and the line of a table.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import gazesal
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "sizes.csv")
    ...     _ = path.write_text("image,width,height\n1001,800,600\n")
    ...     gazesal.read_sizes(path)
    {'1001': (600, 800)}
    """
    path = as_path(path, name="path")
    if path.is_dir():
        from gazesal.datasets.picture_sizes import sizes_of_pictures  # noqa: PLC0415 (Pillow)

        return sizes_of_pictures(path)
    # imported here, because workers that read maps do not need pandas
    from gazesal.datasets._csv import read_csv_text, require_columns  # noqa: PLC0415 (see above)

    table = read_csv_text(path)
    require_columns(table, ["image", "width", "height"], path)
    sizes: dict[str, tuple[int, int]] = {}
    for line, image, height, width in table[["image", "height", "width"]].itertuples():
        if not all(re.fullmatch("[0-9]{1,6}", side.strip()) for side in (height, width)):
            raise ValueError(
                f"{path}, line {line}: width and height must be whole numbers, got {width!r} and "
                f"{height!r}."
            )
        name = clean_name(image, what=f"{path}, line {line}: names of images")
        if name in sizes:
            raise ValueError(f"{path}, line {line}: images must differ, got {image!r} again.")
        sizes[name] = (int(height), int(width))
        if min(sizes[name]) < 1:
            raise ValueError(
                f"{path}, line {line}: width and height must be at least 1, got {width} and "
                f"{height}."
            )
    clean_names(sizes, what=f"{path}: names of images")
    return sizes


def _read_npz(path: Path) -> np.ndarray:
    """Return the only array of an archive."""
    try:
        with open_npz(path) as archive:
            if len(archive) == 1:
                return next(iter(archive.values())).read()
    except FileNotFoundError:
        raise
    except Exception as error:  # zipfile raises errors of any type for a damaged file
        raise ValueError(f"{path}: cannot be read as a .npz archive: {error}") from error
    raise ValueError(
        f"{path}: must have one array, got {len(archive)}. Use `open_maps` for several."
    )


def _read_image(path: Path) -> np.ndarray:
    """Return the values of a gray picture."""
    from gazesal.datasets.stored_pictures import UPRIGHT, read_stored  # noqa: PLC0415 (Pillow)

    found = read_stored(path)
    if found.zero_is_white:
        raise ValueError(
            f"{path}: bright pixels must have high values, got zero as white (TIFF "
            "PhotometricInterpretation 0). Save it with zero as black."
        )
    if found.orientation != UPRIGHT:
        raise ValueError(
            f"{path}: must be upright, got EXIF orientation {found.orientation}. Save it upright."
        )
    if found.values.ndim != 2:
        raise ValueError(
            f"{path}: must be a gray image, got channels that differ. Export the values of the map "
            "instead of a picture in color."
        )
    return found.values
