"""Read files of one saliency map and tables of image sizes, and list the maps of a folder."""

import re
from pathlib import Path

import numpy as np

from gazesal._validation import as_map, require_finite
from gazesal._warnings import warn
from gazesal.datasets._arguments import as_path, as_text
from gazesal.datasets._clean_names import clean_name, clean_names
from gazesal.datasets._map_names import as_pattern, files_by_image
from gazesal.datasets._store_layout import UnclearLayoutError, only_map
from gazesal.datasets.map_stores import StoredMap, open_store, without_channels
from gazesal.datasets.numpy_files import read_npy
from gazesal.exceptions import InputWarning
from gazesal.typing import FloatArray

__all__ = ["is_lossy", "map_of_file", "maps_in", "read_map", "read_sizes"]

LOSSY = (".jpg", ".jpeg")
PICTURES = (".png", ".tif", ".tiff", ".bmp", *LOSSY)
FILES_OF_ARRAYS = (".npz", ".mat", ".pt", ".pth")
SUFFIXES = (".npy", *FILES_OF_ARRAYS, *PICTURES)


def maps_in(
    folder: Path, pattern: str | None = None, array: str | None = None
) -> dict[str, Path | StoredMap]:
    """Return the maps in a folder by image, and raise if no file is a map.

    `array` names the array with the map in each file of several.
    """
    files = files_by_image(folder, SUFFIXES, as_pattern(pattern))
    if array is None:
        return dict(files)
    return {
        image: StoredMap(path, array) if path.suffix.lower() in FILES_OF_ARRAYS else path
        for image, path in files.items()
    }


def read_map(path: str | Path, *, array: str | None = None) -> FloatArray:
    """Read a saliency map from a file.

    Parameters
    ----------
    path : str or path
        One of

        - a ``.npy`` file
        - a ``.npz`` archive, a ``.mat`` file of MATLAB (version 7.3 needs the extra ``hdf5``) or a
          ``.pt`` or ``.pth`` file of torch (extra ``torch``) with one map
        - a gray ``.png``, ``.tif``, ``.tiff``, ``.bmp``, ``.jpg`` or ``.jpeg`` picture. Equal
          channels count as gray, and an opaque alpha channel is dropped. A picture in color is
          refused, because a color map cannot be inverted.
    array : str, optional
        Name of the array with the map in a ``.npz``, ``.mat`` or ``.pt`` file. By default, its only
        array of two dimensions. Single numbers, vectors and text beside it are ignored.

    Returns
    -------
    numpy.ndarray of float32 or float64, shape (H, W)
        The values as stored, unscaled. Axes of length 1 before and after a map, as in a batch
        (1, 1, H, W), are removed.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If it cannot be read, is truncated, is not a 2-D map of finite real numbers, or is a
        picture in color. If it has several maps. If its values cannot be read unchanged, or their
        meaning is unclear (zero as white, stored rotated). The message names the file and its
        property.
    ImportError
        If the extra of its format is not installed.

    Warns
    -----
    InputWarning
        If the file is a JPEG, because JPEG changes the values of a map when it is written.

    See Also
    --------
    find_maps, open_maps : Find the maps in a folder, and in files of many maps.

    Notes
    -----
    TIFF files that Pillow cannot read without changing values, such as 64-bit floats, are read
    with tifffile (extra ``tiff``).

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
    if array is not None:
        as_text(array, name="array")
        if path.suffix.lower() not in FILES_OF_ARRAYS:
            raise ValueError(
                f"`array` must be used with one of {', '.join(FILES_OF_ARRAYS)}, got {path}. "
                "Omit it."
            )
        return StoredMap(path, array)()
    values = map_of_file(path)
    if is_lossy(path):
        warn(
            f"{path}: a map should be stored without loss, got JPEG, which changes values when it "
            "is written. Export it as .npy or .png if you can.",
            InputWarning,
        )
    return values


def is_lossy(path: Path) -> bool:
    """Return whether the format of a file changes values when it is written."""
    return path.suffix.lower() in LOSSY


def map_of_file(path: Path, *, finite: bool = True) -> FloatArray:
    """Return the map of a file, as `read_map`, without a warning about its format.

    Without `finite`, it may hold NaN and infinity.
    """
    suffix = path.suffix.lower()
    if suffix in FILES_OF_ARRAYS:
        return _only_stored(path)()
    if suffix not in SUFFIXES:
        raise ValueError(f"{path}: a map must be one of {', '.join(SUFFIXES)}. Convert it.")
    values = read_npy(path) if suffix == ".npy" else _read_picture(path)
    try:
        array = as_map(without_channels(values), name="map")
        if finite:
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


def _only_stored(path: Path) -> StoredMap:
    """Return the only map of a file of arrays."""
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file.")
    try:
        with open_store(path) as store:
            return StoredMap(path, only_map(path, dict(store.arrays())))
    except ImportError:
        raise
    except UnclearLayoutError as error:
        raise ValueError(str(error)) from None
    except Exception as error:  # the formats raise errors of any type for a damaged file
        raise ValueError(
            f"{path}: cannot be read as a {path.suffix.lower()} file: {error}"
        ) from error


def _read_picture(path: Path) -> np.ndarray:
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
            f"{path}: must be a gray image, got channels that differ, and a color map cannot "
            "be inverted. Export the values of the map instead of a picture in color."
        )
    return found.values
