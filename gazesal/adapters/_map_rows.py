"""Batches of maps as rows of pixels, checked and normalized, for metrics and losses."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from gazesal.maps.constancy import ROUNDING_STEPS, SINGLE, is_constant

EPS = 2.0**-52  # in the logarithm of the KL divergence, as in the MIT benchmark


def same_for_all(center_bias: Tensor, like: Tensor) -> Tensor:
    """Move a center bias to the device of a batch, and repeat a map (H, W) for every image."""
    if not (isinstance(center_bias, Tensor) and isinstance(like, Tensor)):
        return center_bias  # reported with the other maps
    if not center_bias.is_meta:
        center_bias = center_bias.to(like.device)
    if center_bias.ndim == 2 and like.ndim in {3, 4}:
        return center_bias.expand(*like.shape[:-2], -1, -1)
    return center_bias


def scores_on_area(scores: Callable[..., Tensor], area: Tensor | None, *maps: Tensor) -> Tensor:
    """Return the scores of a batch of maps on the pixels of a mask, or on all pixels."""
    if area is None:
        return scores(*maps)
    first = maps[0]
    masks = same_for_all(torch.as_tensor(area), first)
    if masks.dtype != torch.bool or masks.shape != first.shape:
        raise ValueError(
            f"`area` must be a mask of booleans, of shape (H, W) or {tuple(first.shape)}, got "
            f"{masks.dtype} of shape {tuple(masks.shape)}. Use `area > 0`."
        )
    if not masks.flatten(1).any(dim=1).all():
        raise ValueError("`area` must have a valid pixel on every image, got none on some.")
    if any(each.shape != first.shape for each in maps):
        return scores(*maps)  # raises an error that names the map
    return torch.cat(
        [scores(*(each[i][mask][None, None] for each in maps)) for i, mask in enumerate(masks)]
    )


def as_rows(*, exact: bool = False, single: bool = False, **maps: Tensor) -> list[Tensor]:
    """Check batches of maps of the same shape and return each as rows (N, H * W).

    Rows are float64. With `exact`, the first batch keeps its values for sorting. With `single`, all
    have the precision of the first batch, but at least float32.
    """
    rows = []
    first, reference = next(iter(maps.items()))
    for name, value in maps.items():
        if not isinstance(value, Tensor):
            raise TypeError(f"`{name}` must be a tensor, got {type(value).__name__}.")
        if value.is_complex():
            raise TypeError(f"`{name}` must hold real numbers, got {value.dtype}.")
        flat = value.ndim == 3 or (value.ndim == 4 and value.shape[1] == 1)
        if not flat or value.numel() == 0:
            raise ValueError(
                f"`{name}` must be non-empty, of shape (N, H, W) or (N, 1, H, W), got "
                f"{tuple(value.shape)}."
            )
        if (len(value), *value.shape[-2:]) != (len(reference), *reference.shape[-2:]):
            raise ValueError(
                f"`{name}` must have the shape of `{first}`, {tuple(reference.shape)}, got "
                f"{tuple(value.shape)}."
            )
        if value.is_meta or value.device != reference.device:
            raise ValueError(
                f"`{name}` must have values on the device of `{first}`, {reference.device}, got a "
                f"tensor on {value.device}. Move it there with `.to()`."
            )
        if not torch.isfinite(value).all():
            raise ValueError(f"`{name}` must be finite, got NaN or infinity.")
        row = value.flatten(1)
        if single:
            row = row.to(torch.promote_types(reference.dtype, torch.float32))
        elif not (exact and name == first):
            row = row.to(torch.float64)
        rows.append(row)
    return rows


def constant(rows: Tensor) -> Tensor:
    """Mark rows whose values are all equal."""
    return rows.amin(dim=1) == rows.amax(dim=1)


def nearly_constant(rows: Tensor) -> Tensor:
    """Mark rows that are constant, exactly or up to rounding, by the rule of `is_constant`."""
    lowest, highest = rows.amin(dim=1), rows.amax(dim=1)
    flat = lowest == highest
    spread, largest = highest - lowest, torch.maximum(lowest.abs(), highest.abs())
    for i in (~flat & (spread <= ROUNDING_STEPS * SINGLE * largest)).nonzero()[:, 0].tolist():
        values = rows[i].detach().cpu().numpy()
        flat[i] = is_constant(values, float(lowest[i]), float(highest[i]))
    return flat


def unit_rows(rows: Tensor) -> Tensor:
    """Scale rows of any magnitude to mean 0 and length 1."""
    # The offset is subtracted first, so that it costs no digits. Halves of large values do not
    # overflow in the subtraction.
    halves = torch.where(rows.detach().abs().amax(dim=1, keepdim=True) > 1, 0.5, 1.0).to(rows.dtype)
    rows = rows * halves
    rows = rows - rows[:, :1]
    scale = rows.detach().abs().amax(dim=1, keepdim=True)
    rows = rows / torch.where(scale > 0, scale, 1.0)
    rows = rows - rows.mean(dim=1, keepdim=True)
    return rows / rows.square().sum(dim=1, keepdim=True).sqrt()


def share_rows(rows: Tensor, *, name: str) -> Tensor:
    """Divide rows by their sums, and raise unless they are valid weights."""
    if (rows < 0).any():
        raise ValueError(f"`{name}` must be non-negative, got {rows.min().item():g}.")
    sums = rows.sum(dim=1, keepdim=True)
    if (sums <= 0).any():
        raise ValueError(
            f"`{name}` must have a positive sum for every image, but image "
            f"{int((sums[:, 0] <= 0).nonzero()[0])} is zero everywhere."
        )
    return rows / sums


def without_empty(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Mark rows that are zero everywhere, and replace these rows by ones."""
    empty = (rows == 0).all(dim=1)
    return empty, torch.where(empty[:, None], torch.ones_like(rows), rows)


def divergence(saliency: Tensor, gaze: Tensor) -> Tensor:
    """Compute the Kullback-Leibler divergence of each row, with both maps as densities."""
    p, q = share_rows(saliency, name="saliency_maps"), share_rows(gaze, name="gaze_maps")
    return (q * torch.log(EPS + q / (p + EPS))).sum(dim=1)
