"""Read the layout of zarr arrays from their descriptions, and refuse codecs that can run code.

Object codecs of numcodecs unpickle the content of a file (`pickle`) or make objects of it, and zarr
runs every codec that is installed. Therefore only codecs that process plain numbers are allowed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from gazesal.datasets._arguments import require_sane_shape

__all__ = ["ZarrLayout", "layout_of_array"]

TEXT_CODEC = "vlen-utf8"
NUMBER_CODECS = frozenset(  # of numcodecs, which convert between bytes and numbers only
    {
        "adler32", "bitround", "blosc", "bz2", "crc32", "crc32c", "delta", "fixedscaleoffset",
        "fletcher32", "gzip", "jenkins_lookup3", "lz4", "lzma", "packbits", "quantize", "shuffle",
        "zlib", "zstd", "astype",
    }
)  # fmt: skip
CODECS = frozenset({"blosc", "bytes", "crc32c", "gzip", "transpose", "zstd", TEXT_CODEC})  # of v3
BLOSC = "blosc"
SHARDS = "sharding_indexed"
NUMCODECS = "numcodecs."  # beginning of the names of numcodecs' codecs in version 3
NUMBER = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248])", re.ASCII)
TEXT = re.compile(r"[<>|=]?[SU]\d{1,5}", re.ASCII)
NUMBER_TYPES = frozenset(
    {"bool", "float16", "float32", "float64"}
    | {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
)
TEXT_TYPES = frozenset({"string", "fixed_length_utf32", "null_terminated_bytes"})
SEPARATORS = (".", "/")


@dataclass(frozen=True, slots=True)
class ZarrLayout:
    """Layout of an array in files.

    Attributes
    ----------
    version : int
        Format of zarr, 2 or 3.
    shape, chunks : tuple of int
        Shape of the array and of the chunk in one file.
    is_text : bool
        True for text, False for numbers.
    prefix : tuple of str
        Names before the indices of a chunk in the name of its file.
    separator : str
        Character between the indices of a chunk.
    has_fill : bool
        True if a missing file means a chunk of one value.
    is_blosc : bool
        True if Blosc made the files, whose headers must be checked before they are decoded.
    """

    version: int
    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    is_text: bool
    prefix: tuple[str, ...]
    separator: str
    has_fill: bool
    is_blosc: bool


def layout_of_array(described: dict[str, Any], version: int) -> ZarrLayout:
    """Return the layout of an array from its description.

    Raises
    ------
    ValueError
        If it has a codec, a type or another part that is not on the list of harmless ones.
    KeyError, TypeError, AttributeError
        If the description is malformed.
    """
    if described["zarr_format"] != version:
        raise ValueError(f"its format must be {version}, got {described['zarr_format']!r}")
    layout = _version_2(described) if version == 2 else _version_3(described)
    if len(layout.shape) != len(layout.chunks) or min(layout.chunks, default=1) < 1:
        raise ValueError(f"its chunks must fit its shape {layout.shape}, got {layout.chunks}")
    if layout.separator not in SEPARATORS:
        raise ValueError(f"its separator must be '.' or '/', got {layout.separator!r}")
    require_sane_shape(layout.chunks)
    return layout


def _version_2(described: dict[str, Any]) -> ZarrLayout:
    """Return the layout from a description of version 2."""
    dtype, filters = described["dtype"], described["filters"] or []
    compressor = described["compressor"]
    objects = dtype == "|O"
    if objects:
        if [each.get("id") for each in filters] != [TEXT_CODEC]:
            raise ValueError(f"objects must be text by the filter {TEXT_CODEC!r} alone")
        filters = []
    elif not isinstance(dtype, str) or not (NUMBER.fullmatch(dtype) or TEXT.fullmatch(dtype)):
        raise ValueError(f"its dtype must be of numbers or text, got {dtype!r:.60}")
    for codec in filters:
        _require_numbers(codec["id"], codec)
    if compressor is not None:
        _require_numbers(compressor["id"], compressor, outer=True)
    return ZarrLayout(
        version=2,
        shape=_sizes(described["shape"]),
        chunks=_sizes(described["chunks"]),
        is_text=objects or TEXT.fullmatch(dtype) is not None,
        prefix=(),
        separator=described.get("dimension_separator", "."),
        has_fill=described["fill_value"] is not None,
        is_blosc=compressor is not None and compressor["id"] == BLOSC,
    )


def _version_3(described: dict[str, Any]) -> ZarrLayout:
    """Return the layout from a description of version 3."""
    if described["node_type"] != "array":
        raise ValueError(f"it must be an array or a group, got {described['node_type']!r:.60}")
    kind = described["data_type"]
    kind = kind["name"] if isinstance(kind, dict) else kind
    if kind not in NUMBER_TYPES | TEXT_TYPES:
        raise ValueError(f"its data type must be of numbers or text, got {kind!r:.60}")
    outermost = _require_codecs(described["codecs"], outer=True)
    if described.get("storage_transformers"):
        raise ValueError("it must not have storage transformers")
    grid, names = described["chunk_grid"], described["chunk_key_encoding"]
    if grid["name"] != "regular":
        raise ValueError(f"its chunks must be in a regular grid, got {grid['name']!r:.60}")
    prefix = {"default": ("c",), "v2": ()}.get(names["name"])
    if prefix is None:
        raise ValueError(f"its chunk names must be 'default' or 'v2', got {names['name']!r:.60}")
    configured = names.get("configuration") or {}
    return ZarrLayout(
        version=3,
        shape=_sizes(described["shape"]),
        chunks=_sizes(grid["configuration"]["chunk_shape"]),
        is_text=kind in TEXT_TYPES,
        prefix=prefix,
        separator=configured.get("separator", "/" if prefix else "."),
        has_fill=True,
        is_blosc=outermost == BLOSC,
    )


def _require_codecs(codecs: list[Any], *, outer: bool) -> str:
    """Check the codecs of version 3, also within shards, and return the name of the outermost.

    `outer` is False for codecs within shards.
    """
    name = ""
    for place, codec in enumerate(codecs):
        name = codec if isinstance(codec, str) else codec["name"]
        configured = {} if isinstance(codec, str) else codec.get("configuration") or {}
        last = outer and place == len(codecs) - 1
        if name == SHARDS:
            _require_codecs(configured["codecs"], outer=False)
            _require_codecs(configured.get("index_codecs", []), outer=False)
        elif isinstance(name, str) and name.startswith(NUMCODECS):
            if "id" in configured:
                raise ValueError(
                    f"its codec {name!r:.60} must not have an id, got {configured['id']!r:.60}"
                )
            name = name.removeprefix(NUMCODECS)
            _require_numbers(name, configured, outer=last)
        elif name not in CODECS:
            raise _refused(name)
        if name == BLOSC and not last:
            raise _hidden_blosc()
    return name


def _require_numbers(name: Any, configured: dict[str, Any], *, outer: bool = False) -> None:
    """Raise unless a codec of numcodecs processes plain numbers only."""
    if name not in NUMBER_CODECS:
        raise _refused(name)
    if name == BLOSC and not outer:
        raise _hidden_blosc()
    for option, value in configured.items():
        if isinstance(value, (dict, list)):  # a codec within a codec
            raise ValueError(  # noqa: TRY004 (the content of a file)
                f"its codec {name!r} must not have nested options, got {option!r:.60}"
            )
        if option.endswith("type") and not (
            value in NUMBER_TYPES or (isinstance(value, str) and NUMBER.fullmatch(value))
        ):
            raise ValueError(f"its codec {name!r} must be of numbers, got {option} {value!r:.60}")


def _hidden_blosc() -> ValueError:
    """Return the error for chunks of Blosc within others.

    Blosc trusts the sizes in the header of a chunk and would read beyond the end of the chunk.
    """
    return ValueError(
        f"its codec {BLOSC!r} must be the last one, so that the headers of its chunks can be "
        "checked. Write the array with zstd"
    )


def _refused(name: Any) -> ValueError:
    """Return the error for a codec that is not on the list."""
    return ValueError(
        f"its codec must be for numbers, because object codecs can run code, got {name!r:.60}. "
        "Write the array with zstd or blosc"
    )


def _sizes(value: Any) -> tuple[int, ...]:
    """Return a shape in a description as a tuple."""
    if not isinstance(value, list) or not all(type(each) is int and each >= 0 for each in value):
        raise ValueError(f"its sizes must be whole numbers, got {value!r:.60}")
    return tuple(value)
