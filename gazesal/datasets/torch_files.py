"""Read tensors of files of ``torch.save`` (.pt), without running code from them."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gazesal.datasets._arguments import require_sane_bytes, require_sane_shape

__all__ = ["open_torch"]

EXACT = {"bfloat16": "float32"}  # types that NumPy lacks, and types that have all their values


@contextmanager
def open_torch(path: Path) -> Iterator[Tensors]:
    """Open a file of tensors for reading."""
    try:
        import torch  # noqa: PLC0415 (an extra)
    except ImportError as error:
        raise ImportError(
            f"{path}: reading it needs torch: pip install 'gazesal[torch]'."
        ) from error
    if not zipfile.is_zipfile(path):
        raise ValueError("it must be an archive, as torch.save writes since torch 1.6")
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.compress_type != zipfile.ZIP_STORED:  # torch would unpack any number of zeros
                raise ValueError("its members must not be compressed. Save it with torch.save")
    try:
        # Tensors stay in the file until they are read. Nothing but tensors and plain values is
        # loaded, because a pickle could run code.
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except pickle.UnpicklingError as error:
        if "weights_only" not in str(error).lower():
            raise
        raise ValueError(
            "it must hold only tensors and plain values, because reading other objects could run "
            "code. Save the tensor, or a dict of tensors"
        ) from error
    if isinstance(content, torch.Tensor):
        content = {"": content}
    if not isinstance(content, Mapping):
        raise ValueError(  # noqa: TRY004 (the content of a file)
            f"it must hold a tensor or a dict of tensors, got {type(content).__name__}"
        )
    yield Tensors(path, {str(key): value for key, value in content.items()}, torch)


@dataclass(frozen=True, slots=True)
class Tensors:
    """Open file of tensors. Lists of text, such as the names of images, count as arrays."""

    path: Path
    content: Mapping[str, Any]
    torch: Any

    def arrays(self) -> Iterator[tuple[str, TensorArray | Names]]:
        """Return every tensor with its name, in the order of the file, which must be intact."""
        with zipfile.ZipFile(self.path) as archive:  # torch does not compare checksums
            broken = archive.testzip()
        if broken is not None:
            raise ValueError(f"the checksum of its part {broken!r} is wrong, so it is damaged")
        for key, value in self.content.items():
            found = self._array(value)
            if found is not None:
                yield key, found

    def array(self, key: str) -> TensorArray | Names:
        """Return the tensor with this name, and raise a KeyError if it is absent."""
        found = self._array(self.content[key])
        if found is None:
            raise KeyError(key)
        return found

    def _array(self, value: Any) -> TensorArray | Names | None:
        if isinstance(value, self.torch.Tensor):
            return TensorArray(value, self.torch)
        texts = isinstance(value, (list, tuple)) and all(isinstance(one, str) for one in value)
        return Names(list(value)) if texts and value else None


@dataclass(frozen=True, slots=True)
class TensorArray:
    """Tensor of an open file."""

    tensor: Any
    torch: Any
    is_text = False
    labels = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the tensor."""
        return tuple(self.tensor.shape)

    def read(self, row: int | None = None) -> np.ndarray[Any, Any]:
        """Return the values, or the values of one row."""
        tensor = self.tensor
        if tensor.layout != self.torch.strided or tensor.is_meta or tensor.is_quantized:
            raise ValueError(
                f"it must be a dense tensor of numbers, got {tensor.layout} of {tensor.dtype}"
            )
        if row is not None:
            tensor = tensor[row]
        # strides of 0 give a few stored values any shape
        require_sane_shape(tensor.shape)
        require_sane_bytes(tensor.shape, tensor.element_size())
        name = str(tensor.dtype).removeprefix("torch.")
        if name in EXACT:
            tensor = tensor.to(getattr(self.torch, EXACT[name]))
        try:
            return np.array(tensor.detach().resolve_neg().numpy())
        except TypeError as error:  # NumPy lacks the type, as 8-bit floats
            raise ValueError(f"it must be of numbers of NumPy, got {tensor.dtype}") from error


@dataclass(frozen=True, slots=True)
class Names:
    """List of text in a file of tensors."""

    names: list[str]
    is_text = True
    labels = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of names."""
        return (len(self.names),)

    def read(self, row: int | None = None) -> np.ndarray[Any, Any]:
        """Return the names, or one of them."""
        names = np.array(self.names)
        return names if row is None else names[row]
