"""Result of Grad-CAM: maps of several classes, on the pixels of the input or of an image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from gazesal.adapters._channel_weights import working
from gazesal.adapters._forward_pass import Run
from gazesal.adapters._resizing import index_of_image, to_image, to_input
from gazesal.maps.input_geometry import InputGeometry, Inverse

__all__ = ["GradCam", "Order", "class_maps"]

Order = Literal["study", "textbook"]


@dataclass(frozen=True, kw_only=True, eq=False)
class GradCam:
    r"""Grad-CAM of a batch of images, for several classes.

    Attributes
    ----------
    logits : torch.Tensor, shape (N, n_classes)
        Logits of all classes.
    classes : tuple of int
        The K classes of the maps.
    layers : tuple of str
        Name of the layer of each stack of features.
    alphas : tuple of torch.Tensor, each of shape (N, K, C)
        Weight of each channel of each stack: the mean of the logit's gradient over space.
    stacks : tuple of torch.Tensor, each of shape (N, K, h, w)
        Weighted sum of the channels of each stack, at its own resolution, before any ReLU.
    input_shape : tuple of int
        (H, W) of the images that went into the network.
    order : {"study", "textbook"}
        See `grad_cam`.
    relu : bool
        If True, negative values are set to zero.

    Notes
    -----
    The maps of :footcite:t:`selvaraju2017`, which :footcite:t:`bigolin2021` mix over the classes.
    The equations are in `grad_cam`.

    References
    ----------
    .. footbibliography::
    """

    logits: Tensor
    classes: tuple[int, ...]
    layers: tuple[str, ...]
    alphas: tuple[Tensor, ...]
    stacks: tuple[Tensor, ...]
    input_shape: tuple[int, int]
    order: Order
    relu: bool

    @cached_property
    def maps(self) -> Tensor:
        """Maps of shape (N, K, H, W) on the pixels of the network's input, not normalized."""
        return self._combined(self.stacks, lambda stack: to_input(stack, self.input_shape))

    def on_image(
        self, geometry: InputGeometry, index: int = 0, *, inverse: Inverse = "exact"
    ) -> Tensor:
        """Return the maps of one image on its own pixels.

        Parameters
        ----------
        geometry : InputGeometry
            Position of the image in the network's input, as `gazesal.cxr.preprocess` returns it.
        index : int, default 0
            Position of the image in the batch.
        inverse : {"exact", "study"}, default "exact"
            Method of resizing the maps to the image; see `InputGeometry.to_image`.

        Returns
        -------
        torch.Tensor, shape (K, H, W)
            Maps, resized directly from the resolution of the features.

        Raises
        ------
        ValueError
            If `index` is not in the batch, the geometry belongs to an input of another shape, or
            `inverse` is ``"study"`` and the image was not padded as in the study.
        """
        index = index_of_image(index, len(self.logits), geometry, self.input_shape)
        own = tuple(stack[index] for stack in self.stacks)
        return self._combined(own, lambda stack: to_image(stack, geometry, inverse))

    def _combined(self, stacks: Sequence[Tensor], resized: Callable[[Tensor], Tensor]) -> Tensor:
        """Combine the stacks to one map per class, in the order of steps `order`."""
        first = self.relu and self.order == "textbook"
        parts = [resized(stack.clamp(min=0) if first else stack) for stack in stacks]
        total = parts[0].clone() if len(parts) == 1 else parts[0] + parts[1]
        for part in parts[2:]:
            total += part
        if self.order == "study":
            total /= sum(alpha.shape[2] for alpha in self.alphas)
            if self.relu:
                total.clamp_(min=0)
        return total

    def __repr__(self) -> str:
        """Return the sizes and the options as text."""
        return (
            f"GradCam({len(self.logits)} images of {self.input_shape}, {len(self.classes)} "
            f"classes, layers={self.layers}, order={self.order!r}, relu={self.relu})"
        )


def class_maps(
    done: Run,
    alphas: tuple[Tensor, ...],
    *,
    classes: tuple[int, ...],
    layers: tuple[str, ...],
    input_shape: tuple[int, int],
    order: Order,
    relu: bool,
) -> GradCam:
    """Weight the channels of each stack and return the result, once all values are finite."""
    logits = done.logits.detach()
    logits = logits.to(working(logits))
    stacks = []
    for alpha, features in zip(alphas, done.kept, strict=True):
        values = features.detach()
        stacks.append(torch.einsum("nkc,nchw->nkhw", alpha, values.to(working(values))))
    for name, tensor in (("logits", logits), *zip(layers, stacks, strict=True)):
        bad = ~torch.isfinite(tensor).flatten(1).all(dim=1)
        if bad.any():
            what = "logits" if name == "logits" else f"the map of {name!r}"
            raise ValueError(
                f"`model` must return finite values, but {what} of image "
                f"{int(bad.nonzero()[0])} are NaN or infinite ({int(bad.sum())} of {len(bad)} "
                "images). Check its weights and the values of `images`."
            )
    return GradCam(
        logits=logits,
        classes=classes,
        layers=layers,
        alphas=alphas,
        stacks=tuple(stacks),
        input_shape=input_shape,
        order=order,
        relu=relu,
    )
