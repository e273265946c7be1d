"""Images as 8-bit gray values or colors, from files of several formats and from arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gazesal._warnings import ignoring
from gazesal.datasets.stored_pictures import pixels_of, read_stored

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["ImageSource", "Window", "read_image"]

Bytes: TypeAlias = NDArray[np.uint8]
Window: TypeAlias = tuple[float, float] | Literal["range"] | None
ImageSource: TypeAlias = "str | Path | np.ndarray[Any, Any] | Image.Image"

DICOM_SUFFIXES = (".dcm", ".dicom", ".dic")


def read_image(image: ImageSource, *, window: Window = None) -> Bytes:
    """Read an image as 8 bits, gray or in color.

    Parameters
    ----------
    image : str, path, numpy.ndarray or PIL.Image.Image
        A file or pixels of shape (H, W) or (H, W, 3). DICOM files are recognized by their suffix or
        preamble, and PNG, JPEG, TIFF, BMP, GIF and WebP files by their suffix. A picture that is
        stored rotated (EXIF) is turned upright.
    window : tuple of float, "range" or None
        The two values shown as black and as white. Values between them are scaled linearly.
        ``"range"`` uses the smallest and the largest value of the image. By default 8-bit images
        are not changed, a DICOM file uses its own window, and 16-bit images and DICOM files
        without a window use their range.

    Returns
    -------
    numpy.ndarray of uint8, shape (H, W) or (H, W, 3)
        Gray if the channels are equal. Bright is dense, even if the file is stored inverted
        (MONOCHROME1 of DICOM, zero as white in TIFF).

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If the file cannot be read without changing its values. If the image has several frames or
        transparency, is empty or not finite, or the window has no width.
    TypeError
        If the pixels are neither 8 nor 16-bit integers and no window is given.
    ImportError
        If the file is DICOM and pydicom is not installed (extra ``dicom``).

    Notes
    -----
    Values between black and white are rounded to the nearest integer, halves up. The window of a
    DICOM file is the first of its linear windows (part 3 of the standard, C.11.2.1.2), after its
    modality transform. If the file has a VOI look-up table, the table is applied instead. A given
    `window` refers to values after the modality transform, and replaces the file's own window or
    table.

    Examples
    --------
    >>> import numpy as np
    >>> from gazesal.cxr import read_image
    >>> read_image(np.array([[0, 1000, 4000]], np.uint16)).tolist()
    [[0, 64, 255]]
    >>> read_image(np.array([[0, 1000, 4000]], np.uint16), window=(0, 2000)).tolist()
    [[0, 128, 255]]
    """
    if isinstance(image, (str, Path)):
        path = Path(image)
        if not path.is_file():
            raise FileNotFoundError(f"{path}: must be an image file, but does not exist.")
        try:
            if _is_dicom(path):
                return _read_dicom(path, window)
            return as_bytes(read_stored(path).values, window)
        except TypeError as error:
            raise ValueError(f"{path}: {error}") from error
    return as_bytes(image if isinstance(image, np.ndarray) else _pixels(image), window)


def as_bytes(values: np.ndarray[Any, Any], window: Window) -> Bytes:
    """Return pixels as 8 bits, gray if all channels are equal."""
    if values.ndim not in {2, 3} or values.size == 0 or (values.ndim == 3 and values.shape[2] != 3):
        raise ValueError(
            f"`image` must be non-empty, of shape (H, W) or (H, W, 3), got shape {values.shape}."
        )
    if values.dtype.kind not in "fiub":
        raise TypeError(f"`image` must hold real numbers, got dtype {values.dtype}.")
    if values.ndim == 3 and (values == values[..., :1]).all():
        values = values[..., 0]
    if values.dtype == np.bool_:
        values = values * np.uint8(255)
    if values.dtype == np.uint8 and window is None:
        return np.ascontiguousarray(values)
    if window is None and values.dtype not in (np.uint16, np.int16):
        raise TypeError(
            "`window` must be given for an image that has neither 8 nor 16-bit integers, got "
            f'dtype {values.dtype}. window="range" uses the range of the image.'
        )
    if not np.isfinite(values).all():
        raise ValueError("`image` must be finite, got NaN or infinity.")
    low, high = _limits(values, "range" if window is None else window)
    if low == high:  # a constant image has no range
        return np.zeros(values.shape, np.uint8)
    share = ((values.astype(np.float64) - low) / (high - low)).clip(0, 1)
    return np.asarray(np.floor(share * 255 + 0.5).astype(np.uint8))


def _limits(values: np.ndarray[Any, Any], window: object) -> tuple[float, float]:
    if isinstance(window, str):
        if window != "range":
            raise ValueError(f'`window` must be two numbers or "range", got {window!r}.')
        return float(values.min()), float(values.max())
    if not isinstance(window, Sequence) or len(window) != 2:
        raise TypeError(f'`window` must be two numbers or "range", got {window!r}.')
    low, high = (float(value) for value in window)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"`window` must be finite with low < high, got {window!r}.")
    return low, high


def _pixels(picture: Image.Image) -> np.ndarray[Any, Any]:
    """Return pixels of a Pillow image of one frame, upright."""
    if not hasattr(picture, "getbands"):
        raise TypeError(
            f"`image` must be a file, an array or a Pillow image, got {type(picture).__name__}."
        )
    if getattr(picture, "n_frames", 1) != 1:
        raise ValueError("`image` must have one frame, got several. Select one.")
    from PIL import ImageOps

    try:
        values = pixels_of(ImageOps.exif_transpose(picture))
    except ValueError as error:
        raise ValueError(f"`image` cannot be read: {error}.") from None
    if values.dtype == np.int32 and values.min() >= 0 and values.max() < 2**16:
        values = values.astype(np.uint16)  # Pillow opens some 16-bit files as 32-bit integers
    return values


def _is_dicom(path: Path) -> bool:
    if path.suffix.lower() in DICOM_SUFFIXES:
        return True
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def _read_dicom(path: Path, window: Window) -> Bytes:
    try:
        from pydicom import dcmread
        from pydicom.pixels.processing import apply_modality_lut
    except ImportError as error:
        raise ImportError(
            f"{path}: reading DICOM needs pydicom: pip install 'gazesal[dicom]'."
        ) from error
    try:
        with ignoring(module="pydicom"):
            data = dcmread(path)
            kind = str(data.PhotometricInterpretation)
            values, own = data.pixel_array, None
            if kind.startswith("MONOCHROME"):
                values = apply_modality_lut(values, data)
                if window is None:
                    values, own = _voi(values, data)
    except Exception as error:  # pydicom raises many types for damaged files
        raise ValueError(f"{path}: cannot be read as a DICOM image: {error}") from error
    if int(data.get("NumberOfFrames", 1) or 1) != 1:
        raise ValueError(f"{path}: must have one frame, got several. Select one.")
    if kind == "RGB":
        return as_bytes(values, window)
    if kind not in {"MONOCHROME1", "MONOCHROME2"}:
        raise ValueError(f"{path}: must be MONOCHROME1, MONOCHROME2 or RGB, got {kind}.")
    pixels = as_bytes(values, own or "range" if window is None else window)
    return 255 - pixels if kind == "MONOCHROME1" else pixels


def _voi(values: Any, data: Any) -> tuple[Any, tuple[float, float] | None]:
    """Return the values and the window of the file for them, or None if it has no window."""
    from pydicom.pixels.processing import apply_voi_lut

    if data.get("VOILUTSequence"):
        bits = int(data.VOILUTSequence[0].LUTDescriptor[2])
        return apply_voi_lut(values, data, prefer_lut=True), (0.0, 2.0**bits - 1)
    if data.get("WindowWidth") is None or data.get("WindowCenter") is None:
        return values, None
    center, width = (_first(data.WindowCenter), _first(data.WindowWidth))
    function = str(data.get("VOILUTFunction") or "LINEAR").upper()
    if function == "LINEAR" and width == 1:  # a step at the center, by the standard
        return (values > center - 0.5).astype(np.float64), (0.0, 1.0)
    if function == "LINEAR" and width > 1:
        low = center - 0.5 - (width - 1) / 2
        return values, (low, low + width - 1)
    if function == "LINEAR_EXACT" and width > 0:
        return values, (center - width / 2, center + width / 2)
    raise ValueError(f"its window ({function}, width {width:g}) is not supported. Pass `window`")


def _first(value: Any) -> float:
    """Return the first of one or several numbers."""
    return float(value[0] if isinstance(value, Sequence) and not isinstance(value, str) else value)
