"""Pixels of picture files as they are stored, or an error that says what the file has."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gazesal.datasets._arguments import require_sane_shape

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["PICTURE_SUFFIXES", "StoredPicture", "open_picture", "picture_size", "read_stored"]

# Pillow goes by the content of a file and starts Ghostscript, a program, on PostScript under any
# name, unless it is told the formats.
FORMATS = {
    ".png": "PNG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".bmp": "BMP",
    ".gif": "GIF",
    ".webp": "WEBP",
}
MOST_PIXELS = 89_478_485  # beyond which Pillow warns that a file may be made to fill the memory
PICTURE_SUFFIXES = tuple(FORMATS)
ORIENTATION = 274  # number of the tag in TIFF and EXIF
UPRIGHT = 1
PNG_KINDS = {0: "gray", 2: "RGB", 3: "palette", 4: "gray with alpha", 6: "RGB with alpha"}
# sides, bits, compression, interpretation, orientation, channels, palette, extra channels, kind
TIFF_TAGS = {256, 257, 258, 259, 262, 274, 277, 320, 338, 339}
TIFF_ONCE = {256, 257, 259, 262, 274, 277, 278, 284, 317}  # tags of one value
TIFF_SIZES = {
    3: 2,
    4: 4,
    5: 8,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}  # bytes
TIFF_NUMBERS = {1: "B", 3: "H", 4: "I", 16: "Q"}  # types of tags, as struct has them
TIFF_SAMPLES = {1: "unsigned integers", 2: "signed integers", 3: "floats"}
# What Pillow decodes without a change of values, and the step between its values where it spreads
# fewer bits over 0 to 255.
GRAY_TIFF = {(1, 1), (1, 2), (1, 4), (1, 8), (1, 16), (1, 32), (2, 8), (2, 16), (2, 32), (3, 32)}
STEPS = {2: 85, 4: 17}
ALPHA = ((), (1,), (2,))  # what a fourth channel is; without a word, Pillow takes it for alpha
GRAY_MODES = {"1", "L", "I", "F", "I;16", "I;16B", "I;16L"}  # of Pillow
PAGES = "it holds several pages or frames; keep one"
TRANSPARENT = "it is transparent in places; flatten it and save it without alpha"
LOSSLESS = "Save it as 32-bit floats or as .npy"


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """Values of a picture.

    Attributes
    ----------
    values : numpy.ndarray, shape (H, W) or (H, W, 3)
        Values as stored, turned upright; bright is high.
    orientation : int
        EXIF orientation of the stored values, 1 if upright.
    zero_is_white : bool
        Whether the file stores bright as low, so that `values` are reversed.
    """

    values: np.ndarray[Any, Any]
    orientation: int = UPRIGHT
    zero_is_white: bool = False


class _RefusedError(ValueError):
    """Raised for a file that cannot be read with its values unchanged."""


@contextmanager
def open_picture(path: Path) -> Iterator[Image.Image]:
    """Open a picture in the format of its suffix and in no other; its pixels are not decoded.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If it is not of the format of its suffix or has too many pixels; the message names the
        file.
    """
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415  (not at import of gazesal)

    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise ValueError(f"{path}: a picture must be one of {', '.join(FORMATS)}.")
    try:
        # From a file object, since Pillow 13 maps a turned TIFF with rows of wrong length itself.
        with path.open("rb") as file, Image.open(file, formats=[kind]) as picture:
            require_sane_shape(picture.size[::-1], most=MOST_PIXELS)
            yield picture
    except FileNotFoundError:
        raise
    except _RefusedError as error:
        raise ValueError(f"{path}: {error}.") from None
    except UnidentifiedImageError:
        raise ValueError(
            f"{path}: cannot be read as an image: its content is not {kind}, or of a kind of "
            f"{kind} that Pillow does not read. Save it as PNG of 8 or 16 bits or as .npy."
        ) from None
    except Exception as error:  # a broken file fails in as many ways as there are formats
        raise ValueError(f"{path}: cannot be read as an image: {error}") from error


def picture_size(path: Path) -> tuple[int, int]:
    """Return (H, W) of a picture, turned upright, from its header."""
    with open_picture(path) as picture:
        width, height = picture.size
        if picture.format == "TIFF":  # whose size Pillow turns already, or not, by its version
            tags = getattr(picture, "tag_v2")  # noqa: B009  (of the class for TIFF only)
            width, height = tags[256], tags[257]
        sideways = _orientation(picture) >= 5
    return (width, height) if sideways else (height, width)


def read_stored(path: Path) -> StoredPicture:
    """Return the values of a picture of one page; a ValueError if Pillow would change them.

    Opaque alpha is dropped. Channels that are equal everywhere become one.
    """
    facts = _facts(path)
    with open_picture(path) as picture:
        if getattr(picture, "n_frames", 1) != 1:
            raise _RefusedError(PAGES)
        orientation = _orientation(picture)
        if picture.format == "TIFF" and orientation >= 5:
            # Pillow 13 cuts such files off where they are not compressed
            raise _RefusedError(
                f"is stored turned (EXIF orientation {orientation}). Save it upright"
            )
        picture.load()
        if "transparency" in picture.info and facts.step != 1:  # which is stored unspread
            picture.info["transparency"] *= facts.step
        values = pixels_of(picture)
        if facts.dtype is not None:  # Pillow reads these bits as numbers of another kind
            values = values.astype(facts.dtype)
        if facts.step != 1:
            values = values // values.dtype.type(facts.step)
        if facts.zero_is_white and values.dtype == np.uint16:  # of 8 bits, Pillow reverses them
            values = np.uint16(65535) - values
    if picture.format != "TIFF":  # which Pillow turns upright itself
        values = turned(values, orientation)
    return StoredPicture(values, orientation, facts.zero_is_white)


def pixels_of(picture: Image.Image) -> np.ndarray[Any, Any]:
    """Return the pixels of a Pillow image, (H, W) or (H, W, 3), without a fully opaque alpha.

    Raises
    ------
    ValueError
        If pixels are transparent, an index is not in the palette, or the mode is neither gray nor
        RGB.
    """
    mode, clear = picture.mode, picture.info.get("transparency")
    if mode in GRAY_MODES:
        values = np.asarray(picture)
        if clear is not None and (values == (bool(clear) if mode == "1" else clear)).any():
            raise _RefusedError(TRANSPARENT)
        return values
    if mode == "P" and picture.palette is not None:
        entries = len(picture.palette.palette) // len(picture.palette.mode)
        if int(np.asarray(picture).max(initial=0)) >= entries:
            raise ValueError(f"it has colors beyond the {entries} of its palette")
    if mode in {"LA", "La", "PA", "RGBA", "RGBa"} or clear is not None:
        channels = np.asarray(picture.convert("LA" if mode == "La" else "RGBA"))
        if (channels[..., -1] != 255).any():
            raise _RefusedError(TRANSPARENT)
        return _gray_if_equal(channels[..., :-1])
    if mode in {"RGB", "P"}:
        return _gray_if_equal(np.asarray(picture.convert("RGB")))
    raise _RefusedError(f"it must be gray or RGB, got mode {mode}")


def turned(values: np.ndarray[Any, Any], orientation: int) -> np.ndarray[Any, Any]:
    """Return values of a picture turned upright, from their EXIF orientation."""
    if orientation >= 5:
        values = values.swapaxes(0, 1)
    if orientation in {2, 3, 6, 7}:
        values = values[:, ::-1]
    if orientation in {3, 4, 7, 8}:
        values = values[::-1]
    return np.ascontiguousarray(values)


def _gray_if_equal(channels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return channels[..., 0] if (channels == channels[..., :1]).all() else channels


def _orientation(picture: Image.Image) -> int:
    found = picture.getexif().get(ORIENTATION, UPRIGHT)
    return found if found in range(1, 9) else UPRIGHT


@dataclass(frozen=True, slots=True)
class _Facts:
    """Differences between the values from Pillow and the values in the file."""

    step: int = 1
    dtype: str | None = None
    zero_is_white: bool = False


def _facts(path: Path) -> _Facts:
    check = {"PNG": _png_facts, "TIFF": _tiff_facts}.get(FORMATS.get(path.suffix.lower(), ""))
    try:
        return _Facts() if check is None else check(path)
    except FileNotFoundError:
        raise
    except _RefusedError as error:
        raise ValueError(f"{path}: {error}.") from None
    except Exception as error:  # a broken file fails in as many ways as it has parts
        raise ValueError(f"{path}: cannot be read as an image: {error}") from error


def _png_facts(path: Path) -> _Facts:
    """Check the chunks of a PNG file, whose checksums Pillow does not compare for the pixels."""
    data = path.read_bytes()
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _Facts()  # opening it says what is wrong
    at, header, kind = 8, b"", b""
    while kind != b"IEND":
        length, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        end = at + 12 + length
        if len(kind) < 4 or end > len(data):
            raise ValueError("the file is truncated.")
        # chunks whose name begins in lower case may be skipped by readers, except these two
        if kind[:1].isupper() or kind in {b"tRNS", b"eXIf"}:
            found = zlib.crc32(memoryview(data)[at + 4 : end - 4])
            if found != int.from_bytes(data[end - 4 : end]):
                raise ValueError(f"the checksum of {kind!r} is wrong, so the file is damaged.")
        if kind == b"IHDR":
            header = data[at + 8 : at + 21]
        at = end
    if len(header) != 13 or header[9] not in PNG_KINDS:
        return _Facts()
    bits, color = header[8], header[9]
    sides = [int.from_bytes(header[at : at + 4]) for at in (4, 0)]
    require_sane_shape(sides, most=MOST_PIXELS)
    if bits == 16 and color != 0:
        raise _RefusedError(
            f"is a PNG of 16 bits a channel ({PNG_KINDS[color]}), of which Pillow keeps 8. "
            "Save it as gray of 16 bits or as .npy"
        )
    return _Facts(step=STEPS.get(bits, 1) if color == 0 else 1)


def _tiff_facts(path: Path) -> _Facts:
    """Check the tags of a TIFF file; an error says what it has if Pillow would change values."""
    order, tags = _tiff_tags(path.read_bytes())
    require_sane_shape((tags[257][0], tags[256][0]), most=MOST_PIXELS)
    samples = tags.get(277, (1,))[0]
    bits, kinds = (tags.get(tag, (1,)) * samples for tag in (258, 339))
    if len({*bits[:samples]}) > 1 or len({*kinds[:samples]}) > 1:
        raise _RefusedError(f"has channels of different kinds. {LOSSLESS}")
    bit, kind, photometric, extra = bits[0], kinds[0], tags.get(262, (0,))[0], tags.get(338, ())
    words = f"{bit}-bit {TIFF_SAMPLES.get(kind, 'values of another kind')}"
    if photometric in {0, 1} and samples == 1:
        # big-endian numbers that are compressed, Pillow turns twice, or not at all
        turned_bytes = (
            order == ">" and bit > 8 and (tags.get(259, (1,)) != (1,) or (kind, bit) == (1, 32))
        )
        if (kind, bit) not in GRAY_TIFF or turned_bytes:
            words = f"big-endian {words}" if order == ">" else words
            raise _RefusedError(f"holds {words}, which Pillow cannot read. {LOSSLESS}")
        if photometric == 0 and kind != 1:
            raise _RefusedError(
                f"holds {words} and says that zero is white, which only unsigned integers can. "
                "Save it with zero as black"
            )
        dtype = {(1, 32): "u4", (2, 8): "i1", (2, 16): "i2"}.get((kind, bit))
        return _Facts(STEPS.get(bit, 1), dtype, zero_is_white=photometric == 0)
    if photometric == 3 and samples == 1 and bit <= 8:
        _require_exact_palette(tags.get(320, ()))
        return _Facts()
    gray_alpha = photometric == 1 and samples == 2 and extra in {(1,), (2,)}
    color = photometric in {2, 6} and (samples == 3 or (samples == 4 and extra in ALPHA))
    if not (gray_alpha or color) or bit != 8 or kind != 1:
        raise _RefusedError(
            f"holds {samples} channel{'s' * (samples > 1)} of {words}, which Pillow cannot read "
            f"without loss. A gray map has one channel of numbers. {LOSSLESS}"
        )
    return _Facts()


def _tiff_tags(data: bytes) -> tuple[str, dict[int, tuple[int, ...]]]:
    """Return the byte order and the tags of whole numbers of the first page."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2], "")
    version = struct.unpack_from(f"{order}H", data, 2)[0] if order and len(data) > 8 else 0
    if version not in {42, 43}:
        raise ValueError("its content is not TIFF")
    big = version == 43
    if big and order == ">":
        raise _RefusedError(f"is a big-endian BigTIFF, which Pillow cannot read. {LOSSLESS}")
    offset, count = ("Q", "Q") if big else ("I", "H")
    (at,) = struct.unpack_from(order + offset, data, 8 if big else 4)
    (n,) = struct.unpack_from(order + count, data, at)
    at += struct.calcsize(f"={count}")
    tags: dict[int, tuple[int, ...]] = {}
    entry, room = (20, 8) if big else (12, 4)
    (another,) = struct.unpack_from(f"{order}{offset}", data, at + n * entry)
    if another:
        raise _RefusedError(PAGES)
    for place in range(at, at + n * entry, entry):
        tag, kind, length = struct.unpack_from(f"{order}HH{offset}", data, place)
        size = length * TIFF_SIZES.get(kind, 1)
        value = place + entry - room
        if size > room:
            (value,) = struct.unpack_from(order + offset, data, value)
        if value + size > len(data):
            raise ValueError(f"the file is truncated, or damaged at its tag {tag}")
        if tag in TIFF_ONCE and length != 1:
            raise ValueError(f"the file is damaged: its tag {tag} has {length} values")
        if tag in TIFF_TAGS and kind in TIFF_NUMBERS:
            tags[tag] = struct.unpack_from(f"{order}{length}{TIFF_NUMBERS[kind]}", data, value)
    return order, {tag: values for tag, values in tags.items() if values}


def _require_exact_palette(entries: tuple[int, ...]) -> None:
    """Raise if a palette of 16 bits holds more than the 8 that Pillow keeps."""
    colors = np.asarray(entries, np.int64)
    high = colors >> 8
    if not ((colors == high * 257).all() or (colors == high * 256).all()):
        raise _RefusedError(
            "has a palette of 16 bits, of which Pillow keeps 8. Save it as gray values"
        )
