"""Weights of the channels for each class: the mean over space of the gradient of the logit."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor

from gazesal.adapters._forward_pass import Run

# elements of all gradients that are held at once; more classes are differentiated in groups
LARGEST_GRADIENT = 2**26


def require_independent(done: Run, layers: tuple[str, ...]) -> None:
    """Raise if the logits of one image depend on the features of another.

    All images are differentiated together. If each image depends only on its own features, a factor
    on the logits of an image multiplies the gradient of this image alone.
    """
    if len(done.logits) == 1:
        return
    direction = _class_shares(done.logits).expand_as(done.logits)
    factors = _image_factors(done.logits)
    measured = _means(done, torch.stack([direction, direction * factors[:, None]]))
    for found, layer in zip(measured, layers, strict=True):
        if found is None:
            raise _no_gradient(layer)
        expected = found[0] * factors.to(found.dtype)[:, None]
        # values that are not finite raise an error later, when the result is made
        if torch.isfinite(found).all() and not _agree(found[1], expected, done.logits.dtype):
            raise ValueError(
                f"`images` must not influence each other's logits, but do so by the features of "
                f"{layer!r}, such as with a mean over the batch. Give them one at a time."
            )


def _class_shares(logits: Tensor) -> Tensor:
    """Return fixed weights of the classes, of both signs, so that classes do not cancel."""
    generator = torch.Generator().manual_seed(0)
    shares = 1 + torch.rand(logits.shape[1], generator=generator, dtype=torch.float64)
    shares[1::2] *= -1
    return shares.to(logits.device, logits.dtype)


def _image_factors(logits: Tensor) -> Tensor:
    """Return a factor for each image, different for neighbors and between halves of the batch.

    Powers of two multiply without rounding.
    """
    n = torch.arange(len(logits), device=logits.device)
    return (2.0 ** ((n + n // 7) % 7 - 3)).to(logits.dtype)


def _agree(actual: Tensor, expected: Tensor, dtype: torch.dtype) -> bool:
    """Return whether rows agree to half of the digits, relative to their largest value."""
    bound = torch.finfo(dtype).eps ** 0.5 * expected.abs().amax(dim=1, keepdim=True)
    return bool(((actual - expected).abs() <= bound).all())


def channel_weights(
    done: Run, classes: tuple[int, ...], layers: tuple[str, ...]
) -> tuple[Tensor, ...]:
    """Return the mean over space of the gradient of each logit, (N, K, C) for each stack."""
    logits, features = done.logits, done.kept
    if not logits.requires_grad:
        raise _no_gradient(layers[0])
    portion = max(1, LARGEST_GRADIENT // sum(tensor.numel() for tensor in features))
    parts: list[list[Tensor]] = [[] for _ in features]
    for start in range(0, len(classes), portion):
        chosen = classes[start : start + portion]
        directions = torch.zeros(
            (len(chosen), *logits.shape), dtype=logits.dtype, device=logits.device
        )
        for i, c in enumerate(chosen):
            directions[i, :, c] = 1
        for own, mean, layer in zip(parts, _means(done, directions), layers, strict=True):
            if mean is None:
                raise _no_gradient(layer)
            own.append(mean.transpose(0, 1))
    return tuple(torch.cat(own, dim=1) for own in parts)


def _means(done: Run, directions: Tensor) -> list[Tensor | None]:
    """Return the mean over space (K, N, C) of the gradient of each stack, None without influence.

    `directions` (K, N, classes) are the weights of the logits whose sums are differentiated.
    """
    # In half precision, gradients of the size 1/(hw) would lose digits. A factor that is a power of
    # two prevents this without rounding. It is reduced if a gradient overflows.
    places = max(tensor[0, 0].numel() for tensor in done.kept)
    half = done.logits.dtype == torch.float16
    scale = 2.0 ** min(math.floor(math.log2(places)), 12) if half else 1.0
    while True:
        means = [
            None if gradient is None else gradient.to(working(gradient)).mean(dim=(3, 4)) / scale
            for gradient in _gradients(done.logits, done.kept, directions * scale)
        ]
        if scale == 1 or all(mean is None or mean.isfinite().all() for mean in means):
            return means
        scale = max(1.0, scale / 16)


def _gradients(
    logits: Tensor, features: tuple[Tensor, ...], directions: Tensor
) -> tuple[Tensor | None, ...]:
    """Return the gradients (K, N, C, h, w) of each stack, in one backward pass if possible."""
    try:
        return torch.autograd.grad(
            logits,
            features,
            directions,
            retain_graph=True,
            allow_unused=True,
            is_grads_batched=True,
        )
    except torch.OutOfMemoryError:
        raise
    except RuntimeError:  # a user's own operation may not support batches of gradients
        single = [
            torch.autograd.grad(logits, features, one, retain_graph=True, allow_unused=True)
            for one in directions
        ]
    return tuple(
        None if any(part is None for part in parts) else torch.stack(cast("list[Tensor]", parts))
        for parts in map(list, zip(*single, strict=True))
    )


def working(tensor: Tensor) -> torch.dtype:
    """Return the precision of sums: the precision of the tensor, but at least float32."""
    return torch.promote_types(tensor.dtype, torch.float32)


def _no_gradient(layer: str) -> ValueError:
    return ValueError(
        f"`layers` must influence the logits in a differentiable way, but {layer!r} does not. Name "
        "a layer on the way to the logits whose output is neither detached nor rounded."
    )
