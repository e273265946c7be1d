"""Check attributes of a stored array that change the meaning of its values."""

from collections.abc import Mapping
from typing import Any

import numpy as np

LABELS = "images"  # attribute of a stack that names the images of its rows
# Attributes of netCDF and CF, which xarray writes to HDF5 and zarr, with their neutral values.
PACKED = {"scale_factor": 1.0, "add_offset": 0.0}
MISSING = ("_FillValue", "missing_value")
TRANSPOSED = "MATLAB_class"  # in .mat files of version 7.3, which store the last axis first


def require_plain_values(
    values: np.ndarray[Any, Any], attributes: Mapping[str, Any], *, transposed: bool = False
) -> None:
    """Raise if attributes mark the numbers of a file as packed, transposed or missing.

    With `transposed`, the caller reverses the axes of arrays of MATLAB.
    """
    if TRANSPOSED in attributes and not transposed:
        raise ValueError(
            f"it must not be transposed, as MATLAB stores arrays (attribute {TRANSPOSED!r}). "
            "Rename the file to .mat, or save it from Python"
        )
    for name, neutral in PACKED.items():
        if name in attributes and not _all_equal(attributes[name], neutral):
            raise ValueError(
                f"it must not be packed (attribute {name!r}). Save the unpacked values"
            )
    for name in MISSING:
        if name in attributes and values.dtype.kind in "fiu":
            mark = np.asarray(attributes[name])
            if mark.dtype.kind in "fiu" and np.isin(values, mark).any():
                raise ValueError(
                    f"it must not have values marked as missing (attribute {name!r}: {mark}). Fill "
                    "or crop them"
                )


def as_labels(value: Any) -> list[str] | None:
    """Return the names of rows in an attribute, or None without the attribute."""
    if value is None:
        return None
    if isinstance(value, (str, bytes)) or np.ndim(value) != 1:
        raise ValueError(f"the attribute {LABELS!r} must be a list of names, got {value!r:.60}")
    return [each.decode() if isinstance(each, bytes) else str(each) for each in value]


def _all_equal(value: Any, number: float) -> bool:
    """Return whether an attribute holds only this number."""
    array = np.asarray(value)
    return array.dtype.kind in "fiu" and bool((array == number).all())
