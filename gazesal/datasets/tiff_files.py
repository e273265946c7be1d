"""Read TIFF files of types that Pillow cannot read, such as 64-bit floats, with tifffile."""

from __future__ import annotations

import logging
import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from gazesal.datasets._arguments import require_sane_bytes
from gazesal.datasets._picture_facts import LOSSLESS, RefusedError

__all__ = ["read_tiff"]

DEFLATE = {8, 32946}  # compressions of TIFF
COMPRESSIONS = {1, *DEFLATE}
PREDICTORS = {1, 2, 3}  # none, differences of integers, and differences of the bytes of floats
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB = 0, 1, 2  # photometric interpretations
UPRIGHT = 1


def read_tiff(path: Path, what: str) -> tuple[np.ndarray[Any, Any], int]:
    """Return the values of a TIFF file of one page, and their EXIF orientation.

    Parameters
    ----------
    path : pathlib.Path
        The file, whose number of pixels was checked.
    what : str
        Description of its values for messages.

    Returns
    -------
    values : numpy.ndarray, shape (H, W) or (H, W, C)
        The values as stored, with an alpha channel last.
    orientation : int
        EXIF orientation, 1 if upright.

    Raises
    ------
    ImportError
        If tifffile is not installed.
    RefusedError
        If the file has another compression or interpretation.
    ValueError
        If it is damaged. The message names the file.
    """
    try:
        import tifffile
    except ImportError as error:
        raise ImportError(
            f"{path}: a TIFF of {what} needs tifffile: pip install 'gazesal[tiff]'. Or save it as "
            "32-bit floats or as .npy."
        ) from error
    try:
        with _quiet(), tifffile.TiffFile(path) as file:
            page: Any = file.pages[0]
            _require_readable(page, what)
            _require_sound_segments(page, file.filehandle)
            values = page.asarray(maxworkers=1)
            orientation = page.tags.valueof(274, UPRIGHT)
    except (RefusedError, FileNotFoundError):
        raise
    except Exception as error:  # tifffile raises errors of many types for a damaged file
        raise ValueError(f"{path}: cannot be read as an image: {error}") from error
    if page.axes == "SYX":  # one plane per channel
        values = np.moveaxis(values, 0, -1)
    expected = (page.imagelength, page.imagewidth)
    if values.shape[:2] != expected:
        raise ValueError(f"{path}: cannot be read as an image: it must have the shape {expected}.")
    return values, orientation if orientation in range(1, 9) else UPRIGHT


@contextmanager
def _quiet() -> Iterator[None]:
    """Do not print what tifffile logs about tags, of which the relevant ones are checked here."""
    logger = logging.getLogger("tifffile")
    logger.addFilter(_never)
    try:
        yield
    finally:
        logger.removeFilter(_never)


def _never(_: logging.LogRecord) -> bool:
    return False


def _require_readable(page: Any, what: str) -> None:
    """Raise unless a page has a compression and channels that are read without a change."""
    extra = tuple(map(int, page.extrasamples))
    channels = page.samplesperpixel - len(extra)
    gray_or_rgb = (
        (page.photometric == WHITE_IS_ZERO and page.samplesperpixel == 1)
        or (page.photometric == BLACK_IS_ZERO and channels == 1)
        or (page.photometric == RGB and channels == 3)
    )
    if not gray_or_rgb or extra not in {(), (1,), (2,)}:
        raise RefusedError(f"has {what}, which are neither gray nor RGB with one alpha. {LOSSLESS}")
    if page.compression not in COMPRESSIONS or page.predictor not in PREDICTORS:
        raise RefusedError(
            f"has {what} with compression {int(page.compression)} and predictor "
            f"{int(page.predictor)}. {LOSSLESS}"
        )
    if page.dtype is None or page.bitspersample != 8 * page.dtype.itemsize:
        raise RefusedError(f"has {what}, which no type of NumPy has. {LOSSLESS}")
    require_sane_bytes(page.shape, page.dtype.itemsize)
    if page.is_tiled:
        require_sane_bytes((page.tilelength, page.tilewidth), page.dtype.itemsize)


def _require_sound_segments(page: Any, file: Any) -> None:
    """Raise unless each strip or tile has the bytes of its values.

    tifffile fills missing segments with zeros, and unpacks segments of any size.
    """
    size = page.dtype.itemsize * (1 if page.planarconfig == 2 else page.samplesperpixel)
    if page.is_tiled:
        down = math.ceil(page.imagelength / page.tilelength)
        lengths = [page.tilelength * page.tilewidth] * (
            down * math.ceil(page.imagewidth / page.tilewidth)
        )
    else:
        rows = min(page.rowsperstrip, page.imagelength)
        starts = range(0, page.imagelength, rows)
        lengths = [min(rows, page.imagelength - at) * page.imagewidth for at in starts]
    lengths *= page.samplesperpixel if page.planarconfig == 2 else 1
    found = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    if page.is_contiguous and len(found) == 1:  # tifffile joins strips that follow each other
        lengths = [sum(lengths)]
    if len(found) != len(lengths):
        raise ValueError(f"it must have {len(lengths)} strips or tiles, got {len(found)}")
    for (offset, count), length in zip(found, lengths, strict=True):
        file.seek(offset)
        data = file.read(count) if offset else b""
        if page.compression in DEFLATE:  # the whole strip is the most that may be unpacked
            data = zlib.decompressobj().decompress(data, length * size + 1)
        if len(data) < length * size:
            raise ValueError("a strip or tile is truncated")
        if page.compression in DEFLATE and len(data) > length * size:
            raise ValueError("a strip or tile is longer than its values")
