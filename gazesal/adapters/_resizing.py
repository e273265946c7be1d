"""Bilinear interpolation of stacks of maps, on their device."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from gazesal._validation import as_count
from gazesal.maps.input_geometry import InputGeometry, Inverse, rescale
from gazesal.typing import Float64Array


def to_input(maps: Tensor, shape: tuple[int, int]) -> Tensor:
    """Resize maps (N, K, h, w) to the input, with half-pixel centers and clamped edges."""
    if maps.shape[2:] == shape:
        return maps
    return functional.interpolate(maps, size=shape, mode="bilinear", align_corners=False)


def to_image(maps: Tensor, geometry: InputGeometry, inverse: Inverse) -> Tensor:
    """Resize maps (..., h, w) that span the input to the pixels of the image."""
    rows, columns = geometry.places(inverse)
    height, width = geometry.input_shape
    down = _between(maps, rescale(rows, height, maps.shape[-2]), -2)
    return _between(down, rescale(columns, width, maps.shape[-1]), -1)


def index_of_image(
    index: int, n_images: int, geometry: InputGeometry, input_shape: tuple[int, int]
) -> int:
    """Return the index of an image of a batch, and raise if its geometry is of another input."""
    index = as_count(index, name="index", least=0)
    if index >= n_images:
        raise ValueError(f"`index` must be less than {n_images}, got {index}.")
    if geometry.input_shape != input_shape:
        raise ValueError(
            f"`geometry` must belong to an input of {input_shape}, got one of "
            f"{geometry.input_shape}."
        )
    return index


def _between(maps: Tensor, places: Float64Array, axis: int) -> Tensor:
    """Interpolate at places along an axis, with edge values beyond the outermost centers."""
    length = maps.shape[axis]
    place = torch.from_numpy(places).clamp(0, length - 1)
    before = place.floor().long()
    after = (before + 1).clamp(max=length - 1)
    share = (place - before).to(maps.dtype)
    if axis == -2:
        share = share[:, None]
    before, after, share = (part.to(maps.device) for part in (before, after, share))
    return torch.lerp(maps.index_select(axis, before), maps.index_select(axis, after), share)
