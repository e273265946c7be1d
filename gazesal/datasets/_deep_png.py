"""Read a PNG file of 16 bits per channel, of which Pillow returns the upper 8 bits."""

from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gazesal.datasets._picture_facts import TRANSPARENT, RefusedError

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["read_deep_png"]

GRAY_ALPHA = 4  # color type of PNG
AFTER_HEADER = 33  # bytes: the signature and the chunk of the sides, the bits and the color


def read_deep_png(path: Path, picture: Image.Image, color: int) -> np.ndarray[Any, Any]:
    """Return the values of an open PNG file of 16 bits per channel.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    picture : PIL.Image.Image
        The same file, open and not yet decoded.
    color : int
        Its color type: 2 for RGB, 4 for gray with alpha, 6 for RGB with alpha.

    Returns
    -------
    numpy.ndarray of uint16, shape (H, W, C)
        The channels, alpha last.
    """
    from PIL import Image

    if color == GRAY_ALPHA:  # its four bytes per pixel are decoded as four channels
        changed = io.BytesIO(_as_four_channels(path.read_bytes()))
        with Image.open(changed, formats=["PNG"]) as four:
            parts = np.asarray(four)
        if parts.ndim != 3 or parts.shape[2] != 4:
            raise ValueError(f"it must have four bytes per pixel, got shape {parts.shape}")
        return _joined(parts[..., 0::2], parts[..., 1::2])
    low: Any
    with path.open("rb") as file, Image.open(file, formats=["PNG"]) as low:
        # "16L" returns the second byte of each value, which is the lower one in PNG
        low.tile = [(*tile[:3], tile[3].replace("16B", "16L")) for tile in low.tile]
        lower = np.asarray(low)
    values = _joined(np.asarray(picture), lower)
    clear = picture.info.get("transparency")
    if clear is not None and (values[..., :3] == np.asarray(clear)).all(axis=-1).any():
        raise RefusedError(TRANSPARENT)
    return values


def _joined(high: np.ndarray[Any, Any], low: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return values of 16 bits from their upper and lower bytes."""
    return np.asarray((high.astype(np.uint16) << 8) | low)


def _as_four_channels(data: bytes) -> bytes:
    """Return a PNG file with the header of four channels of 8 bits."""
    header = data[12:24] + bytes([8, 6]) + data[26:29]
    check = zlib.crc32(header).to_bytes(4, "big")
    return data[:12] + header + check + data[AFTER_HEADER:]
