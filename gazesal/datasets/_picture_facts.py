"""Check if Pillow returns the values of PNG, TIFF and BMP files unchanged."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gazesal.datasets._arguments import require_sane_shape

# Without a list of formats, Pillow detects the format by the content of a file and starts
# Ghostscript, a program, for PostScript with any suffix.
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
MOST_PIXELS = 89_478_485  # above, Pillow warns that a file may be made to fill the memory
PNG_KINDS = {0: "gray", 2: "RGB", 3: "palette", 4: "gray with alpha", 6: "RGB with alpha"}
# tags of the sides, bits, compression, interpretation, orientation, channels, palette, sides of
# tiles, extra channels and type of values
TIFF_TAGS = {256, 257, 258, 259, 262, 274, 277, 320, 322, 323, 338, 339}
TIFF_ONCE = {256, 257, 259, 262, 274, 277, 278, 284, 317}  # tags with one value
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
TIFF_NUMBERS = {1: "B", 3: "H", 4: "I", 16: "Q"}  # types of tags and their formats in struct
TIFF_SAMPLES = {1: "unsigned integers", 2: "signed integers", 3: "floats"}
# Types and bits of gray values that Pillow decodes unchanged, and the step between its values if it
# scales fewer bits to 0 to 255.
GRAY_TIFF = {(1, 1), (1, 2), (1, 4), (1, 8), (1, 16), (1, 32), (2, 8), (2, 16), (2, 32), (3, 32)}
STEPS = {2: 85, 4: 17}
ALPHA = ((), (1,), (2,))  # types of a fourth channel, which is alpha to Pillow by default
PAGES = "it must have one page or frame, got several. Keep one"
LOSSLESS = "Save it as 32-bit floats or as .npy"
TRANSPARENT = "it must be opaque. Flatten it and save it without alpha"
BMP_BITS = {1, 4, 8, 24}  # per pixel; Pillow scales 16 bits and drops the fourth channel of 32


class RefusedError(ValueError):
    """Error about a file that cannot be read with its values unchanged."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Differences between the values from Pillow and the values in the file.

    Attributes
    ----------
    step : int
        Factor by which Pillow's values are larger.
    dtype : str, optional
        Type of the values, if Pillow returns another one.
    zero_is_white : bool
        True if low values are bright.
    deep : int, optional
        Color type of a PNG of 16 bits per channel, of which Pillow returns the upper 8.
    unread : str, optional
        Description of the values of a TIFF file that Pillow cannot read.
    """

    step: int = 1
    dtype: str | None = None
    zero_is_white: bool = False
    deep: int | None = None
    unread: str | None = None


def facts_of(path: Path) -> Facts:
    """Check a picture according to its suffix, and return how Pillow's values differ."""
    checks = {"PNG": _png_facts, "TIFF": _tiff_facts, "BMP": _bmp_facts}
    check = checks.get(FORMATS.get(path.suffix.lower(), ""))
    try:
        return Facts() if check is None else check(path)
    except FileNotFoundError:
        raise
    except RefusedError as error:
        raise ValueError(f"{path}: {error}.") from None
    except Exception as error:  # a damaged file causes errors of many types
        raise ValueError(f"{path}: cannot be read as an image: {error}") from error


def _png_facts(path: Path) -> Facts:
    """Check the chunks of a PNG file, because Pillow does not compare checksums of pixels."""
    data = path.read_bytes()
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return Facts()  # the error is raised when the file is opened
    at, header, kind = 8, b"", b""
    while kind != b"IEND":
        length, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        end = at + 12 + length
        if len(kind) < 4 or end > len(data):
            raise ValueError("the file is truncated.")
        # readers may skip chunks whose name begins in lower case, except these two
        if kind[:1].isupper() or kind in {b"tRNS", b"eXIf"}:
            found = zlib.crc32(memoryview(data)[at + 4 : end - 4])
            if found != int.from_bytes(data[end - 4 : end]):
                raise ValueError(f"the checksum of {kind!r} is wrong, so the file is damaged.")
        if kind == b"IHDR":
            header = data[at + 8 : at + 21]
        at = end
    if len(header) != 13 or header[9] not in PNG_KINDS:
        return Facts()
    bits, color = header[8], header[9]
    sides = [int.from_bytes(header[at : at + 4]) for at in (4, 0)]
    require_sane_shape(sides, most=MOST_PIXELS)
    if bits == 16 and color != 0:
        return Facts(deep=color)
    return Facts(step=STEPS.get(bits, 1) if color == 0 else 1)


def _bmp_facts(path: Path) -> Facts:
    """Check the number of bits of a BMP file."""
    with path.open("rb") as file:
        head = file.read(30)
    if not head.startswith(b"BM") or len(head) < 30:
        return Facts()  # the error is raised when the file is opened
    old = int.from_bytes(head[14:18], "little") == 12  # the header of OS/2
    bits = int.from_bytes(head[24:26] if old else head[28:30], "little")
    if bits not in BMP_BITS:
        raise RefusedError(
            f"must be a BMP of {', '.join(map(str, sorted(BMP_BITS)))} bits per pixel, got {bits}. "
            "Save it as PNG or as .npy"
        )
    return Facts()


def _tiff_facts(path: Path) -> Facts:
    """Check the tags of a TIFF file, and raise if Pillow would change its values."""
    order, big, tags = _tiff_tags(path.read_bytes())
    require_sane_shape((tags[257][0], tags[256][0]), most=MOST_PIXELS)
    samples = tags.get(277, (1,))[0]
    bits, kinds = (tags.get(tag, (1,)) * samples for tag in (258, 339))
    if len({*bits[:samples]}) > 1 or len({*kinds[:samples]}) > 1:
        raise RefusedError(f"must have channels of the same type. {LOSSLESS}")
    bit, kind, photometric, extra = bits[0], kinds[0], tags.get(262, (0,))[0], tags.get(338, ())
    words = f"{bit}-bit {TIFF_SAMPLES.get(kind, 'values of another kind')}"
    words = f"big-endian {words}" if order == ">" else words
    if photometric in {0, 1} and samples == 1:
        if photometric == 0 and kind != 1:
            raise RefusedError(
                f"has {words} with zero as white, which is defined only for unsigned integers. "
                "Save it with zero as black"
            )
        # Pillow swaps the bytes of compressed big-endian numbers twice or not at all
        turned_bytes = (
            order == ">" and bit > 8 and (tags.get(259, (1,)) != (1,) or (kind, bit) == (1, 32))
        )
        if (kind, bit) not in GRAY_TIFF or turned_bytes or (order == ">" and big):
            return Facts(unread=words, zero_is_white=photometric == 0)
        dtype = {(1, 32): "u4", (2, 8): "i1", (2, 16): "i2"}.get((kind, bit))
        return Facts(STEPS.get(bit, 1), dtype, zero_is_white=photometric == 0)
    if photometric == 3 and samples == 1 and bit <= 8:
        _require_exact_palette(tags.get(320, ()))
        return Facts()
    gray_alpha = photometric == 1 and samples == 2 and extra in {(1,), (2,)}
    color = photometric in {2, 6} and (samples == 3 or (samples == 4 and extra in ALPHA))
    if not (gray_alpha or color) or bit != 8 or kind != 1 or (order == ">" and big):
        return Facts(unread=f"{samples} channel{'s' * (samples > 1)} of {words}")
    return Facts()


def _tiff_tags(data: bytes) -> tuple[str, bool, dict[int, tuple[int, ...]]]:
    """Return the byte order, whether the file is BigTIFF, and the integer tags of its page."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2], "")
    version = struct.unpack_from(f"{order}H", data, 2)[0] if order and len(data) > 8 else 0
    if version not in {42, 43}:
        raise ValueError("its content is not TIFF")
    big = version == 43
    offset, count = ("Q", "Q") if big else ("I", "H")
    (at,) = struct.unpack_from(order + offset, data, 8 if big else 4)
    (n,) = struct.unpack_from(order + count, data, at)
    at += struct.calcsize(f"={count}")
    tags: dict[int, tuple[int, ...]] = {}
    entry, room = (20, 8) if big else (12, 4)
    (another,) = struct.unpack_from(f"{order}{offset}", data, at + n * entry)
    if another:
        raise RefusedError(PAGES)
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
        if tag in TIFF_TAGS:
            if kind not in TIFF_NUMBERS:
                raise ValueError(f"the file is damaged: its tag {tag} has type {kind}")
            tags[tag] = struct.unpack_from(f"{order}{length}{TIFF_NUMBERS[kind]}", data, value)
    return order, big, {tag: values for tag, values in tags.items() if values}


def _require_exact_palette(entries: tuple[int, ...]) -> None:
    """Raise if a palette of 16 bits has more information than the 8 bits that Pillow keeps."""
    colors = np.asarray(entries, np.int64)
    high = colors >> 8
    if not ((colors == high * 257).all() or (colors == high * 256).all()):
        raise RefusedError(
            "has a palette of 16 bits, of which Pillow keeps 8. Save it as gray values"
        )
