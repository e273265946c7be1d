"""Read MATLAB files of every version as nested structs, cells, texts and numbers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gazesal._warnings import ignoring
from gazesal.datasets._arguments import require_sane_shape
from gazesal.datasets.matlab5_checks import require_intact
from gazesal.datasets.matlab5_files import is_version_5
from gazesal.typing import Float64Array

HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"  # behind a block of 512 bytes for MATLAB, or at the beginning


def read_mat(path: Path, *, objects: bool = False) -> dict[str, Any]:
    """Return the variables of a MATLAB file, without running any code in it.

    SciPy reads version 5, which MATLAB writes by default. The library mat-io reads version 7.3 and
    the objects of MATLAB, such as a ``containers.Map``. Both return structs and cells as arrays.
    """
    from scipy.io import loadmat, whosmat  # noqa: PLC0415 (slow to import)

    with path.open("rb") as file:
        head = file.read(512 + len(HDF5_MAGIC))
    hdf5 = head.startswith(HDF5_MAGIC) or head.endswith(HDF5_MAGIC)
    if not hdf5 and is_version_5(head):
        require_intact(path)
    if not (hdf5 or objects):
        for _, shape, _ in whosmat(path):
            require_sane_shape(shape)
        return dict(loadmat(path))
    if hdf5:
        _require_plain_hdf5(path)
    return dict(_matio(path).load_from_mat(path))


def _matio(path: Path) -> Any:
    """Import mat-io, and undo the change of an option of pandas that its import makes."""
    strings = "future.infer_string"
    with ignoring(rf"The '{strings}' option is deprecated"):
        before = pd.get_option(strings)
        try:
            import matio
        except ImportError as error:
            raise ImportError(
                f"{path}: MATLAB files of version 7.3 and with objects need mat-io: "
                "pip install 'gazesal[mat]'."
            ) from error
        if pd.get_option(strings) != before:
            pd.set_option(strings, before)
    return matio


def _require_plain_hdf5(path: Path) -> None:
    """Raise if a file of version 7.3 refers to other files, or claims too many values."""
    from gazesal.datasets.hdf5_files import open_hdf5  # noqa: PLC0415 (an extra)

    with open_hdf5(path) as file:
        _require_hard_links(file.file, file.h5py)
        for _, array in file.arrays():
            require_sane_shape(array.shape)
            array._require_own_values()  # noqa: SLF001 (as its own `read` does)


def _require_hard_links(group: Any, h5py: Any) -> None:
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ValueError(  # noqa: TRY004 (the content of a file)
                f"{name!r} must not be a link, which can lead to another file"
            )
        if isinstance(group[name], h5py.Group):
            _require_hard_links(group[name], h5py)


def records(value: Any) -> Iterator[dict[str, Any]]:
    """Return the structs of an array or cell of structs in MATLAB's order, by field."""
    array = np.asarray(value)
    if array.dtype.names:
        for item in array.ravel(order="F"):
            yield {name: item[name] for name in array.dtype.names}
    elif array.dtype == object:
        for cell in array.ravel(order="F"):
            yield from records(cell)
    elif array.size:
        raise ValueError(f"it must have structs, got an array of {array.dtype}")


def text(value: Any) -> str:
    """Return a text, also in a cell, without blanks around it."""
    array = np.asarray(value)
    while array.dtype == object and array.size == 1:
        array = np.asarray(array.item())
    if not array.size:
        return ""
    if array.dtype.kind != "U" or array.size > 1:
        raise ValueError(f"it must have a text, got {array.size} values of {array.dtype}")
    return str(array.item()).strip()


def numbers(value: Any) -> Float64Array:
    """Return numbers as float64, so that differences of unsigned integers cannot wrap."""
    if hasattr(value, "toarray"):  # a sparse matrix
        require_sane_shape(value.shape)
        value = value.toarray()
    array: NDArray[Any] = np.asarray(value)
    if array.size and array.dtype.kind not in "fiub":
        raise ValueError(f"it must have numbers, got {array.dtype}")
    require_sane_shape(array.shape)
    return array.astype(np.float64)


def points(value: Any) -> Float64Array:
    """Return positions (N, 2), also if there are no positions."""
    array = numbers(value)
    if not array.size:
        return np.empty((0, 2))
    if array.ndim != 2 or array.shape[1] < 2:
        raise ValueError(f"it must have the columns x and y, got shape {array.shape}")
    return array[:, :2]
