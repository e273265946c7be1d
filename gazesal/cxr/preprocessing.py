"""The study's evaluation transform, which makes the input of its networks from an image."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from gazesal._validation import as_count, as_map, as_shape
from gazesal.cxr.images import ImageSource, Window, read_image
from gazesal.maps.input_geometry import InputGeometry, padded_content
from gazesal.typing import FloatArray

__all__ = ["ModelInput", "crop_or_pad", "preprocess"]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
LARGEST_SIDE = 8192  # pixels; a longer square, of a very thin image, would exhaust the memory


class ModelInput(NamedTuple):
    """The input of a model, made from an image.

    Attributes
    ----------
    tensor : torch.Tensor of float32, shape (C, S, S)
        The image, resized, padded and normalized.
    geometry : InputGeometry
        Position of the image in the tensor.
    """

    tensor: Tensor
    geometry: InputGeometry


def preprocess(
    image: ImageSource,
    *,
    short_side: int = 224,
    multiple: int = 16,
    window: Window = None,
    mean: Sequence[float] = IMAGENET_MEAN,
    std: Sequence[float] = IMAGENET_STD,
) -> ModelInput:
    r"""Resize, pad and normalize an image to the input of the networks.

    Parameters
    ----------
    image : str, path, numpy.ndarray or PIL.Image.Image
        A file or pixels. See `read_image`.
    short_side : int, default 224
        Length of the shorter side after resizing, before rounding.
    multiple : int, default 16
        The side of the square is a multiple of this number.
    window : tuple of float, "range" or None
        Values shown as black and as white in 8 bits. See `read_image`.
    mean, std : sequence of float
        Normalization of each channel, for values in [0, 1]. By default the numbers of ImageNet. A
        gray image is repeated for each channel.

    Returns
    -------
    ModelInput
        ``tensor`` of shape (C, S, S), and ``geometry``, which aligns maps with the image again.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If the image cannot be read, is so long and thin that the square's side would exceed 8192
        pixels, or an option is out of range.
    TypeError
        If the pixels are neither 8 nor 16-bit integers and no window is given.
    ImportError
        If Pillow is not installed, or the file is DICOM and pydicom is not installed.

    See Also
    --------
    load_model : Make a network that takes the input.
    InputGeometry : Align a map of the input with the image.

    Notes
    -----
    For an image of H x W pixels the square has the side

    .. math:: S = 16 \,\mathrm{round}\Bigl(\frac{224}{\min(H, W)} \cdot \frac{\max(H, W)}{16}\Bigr),

    halves rounded to even. The image is resized by :math:`r = S / \max(H, W)` to
    (round(rH), round(rW)) in 8 bits, bilinearly with Pillow's antialiasing. It is padded with zeros
    to the square, with an odd pixel below or to the right, and then normalized. The result has the
    same bits as the code of :footcite:t:`bigolin2021`.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import numpy as np
    >>> from gazesal.cxr import preprocess
    >>> tensor, geometry = preprocess(np.zeros((400, 333), np.uint8))
    >>> tuple(tensor.shape), geometry.content
    ((3, 272, 272), (0.0, 23.0, 272.0, 226.0))
    """
    offset, scale = _as_normalization(mean, std)
    square, geometry = padded_square(image, short_side=short_side, multiple=multiple, window=window)
    if square.ndim == 3 and len(offset) != 3:
        raise ValueError(
            f"`mean` must have three channels for an image in color, got {len(offset)}."
        )
    gray_or_rgb = square[None] if square.ndim == 2 else square.transpose(2, 0, 1)
    values = (gray_or_rgb.astype(np.float32) / np.float32(255) - offset) / scale
    return ModelInput(torch.from_numpy(np.ascontiguousarray(values)), geometry)


def padded_square(
    image: ImageSource, *, short_side: int, multiple: int, window: Window = None
) -> tuple[NDArray[np.uint8], InputGeometry]:
    """Resize an image and pad it to a square, in 8 bits, as `preprocess` describes."""
    from PIL import Image

    short_side = as_count(short_side, name="short_side")
    multiple = as_count(multiple, name="multiple")
    pixels = read_image(image, window=window)
    height, width = pixels.shape[:2]
    side = side_of_square((height, width), short_side, multiple)
    content = padded_content((height, width), (side, side))
    top, left, new_height, new_width = map(int, content)
    resized = Image.fromarray(pixels).resize((new_width, new_height), Image.Resampling.BILINEAR)
    square = np.zeros((side, side, *pixels.shape[2:]), np.uint8)
    square[top : top + new_height, left : left + new_width] = np.asarray(resized)
    geometry = InputGeometry(image_shape=(height, width), input_shape=(side, side), content=content)
    return square, geometry


def side_of_square(shape: tuple[int, int], short_side: int, multiple: int) -> int:
    """Return the side of the square to which an image of shape (H, W) is padded."""
    shorter, longer = min(shape), max(shape)
    side = round(short_side / shorter * longer / multiple) * multiple
    if not multiple <= side <= LARGEST_SIDE:
        raise ValueError(
            f"`image` must fit a square of {multiple} to {LARGEST_SIDE} pixels with a shorter "
            f"side of {short_side}, but {shape[0]} x {shape[1]} pixels would need {side}."
        )
    return side


def crop_or_pad(array: ArrayLike, shape: tuple[int, int]) -> FloatArray:
    """Crop a map to its center, or pad it with zeros, along each axis.

    Parameters
    ----------
    array : array_like of float, shape (H, W)
        Map.
    shape : tuple of int
        Shape (H, W) of the result.

    Returns
    -------
    numpy.ndarray of float32 or float64
        Map of the given shape. If an odd number of rows or columns is cropped, the smaller half
        is cut from the start. If an odd number is padded, the larger half is added at the start.
        Both are as in the code of Bigolin Lanfredi et al. (2021).

    Raises
    ------
    ValueError
        If the map is not 2-D or is empty, or `shape` is not at least (1, 1).
    TypeError
        If the map does not hold real numbers, or `shape` is not two integers.

    See Also
    --------
    preprocess : Pad an image with the smaller half at the start, as `InputGeometry` undoes it.

    Examples
    --------
    >>> from gazesal.cxr import crop_or_pad
    >>> crop_or_pad([[1, 2, 3, 4]], (2, 1)).tolist()
    [[0.0], [2.0]]
    """
    values = as_map(array, name="array")
    wanted = as_shape(shape, name="shape")
    out = np.zeros(wanted, values.dtype)
    source, target = [], []
    for old, new in zip(values.shape, wanted, strict=True):
        kept = min(old, new)
        cut, pad = (old - kept) // 2, (new - kept + 1) // 2
        source.append(slice(cut, cut + kept))
        target.append(slice(pad, pad + kept))
    out[tuple(target)] = values[tuple(source)]
    return out


def _as_normalization(mean: Sequence[float], std: Sequence[float]) -> tuple[FloatArray, FloatArray]:
    """Return mean and standard deviation as float32 arrays of shape (C, 1, 1)."""
    if len(mean) != len(std) or len(mean) == 0:
        raise ValueError(
            f"`mean` and `std` must have one number per channel, got {len(mean)} and {len(std)}."
        )
    pairs = zip(mean, std, strict=True)
    if not all(math.isfinite(m) and math.isfinite(s) and s > 0 for m, s in pairs):
        raise ValueError(
            f"`mean` and `std` must be finite, `std` positive, got {mean!r} and {std!r}."
        )
    offset, scale = (np.array(values, np.float32)[:, None, None] for values in (mean, std))
    return offset, scale
