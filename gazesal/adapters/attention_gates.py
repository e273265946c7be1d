"""Maps of attention gates: AM1 and AM2 of the study's network, and maps of other networks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from gazesal.adapters._features import require_maps
from gazesal.adapters._forward_pass import (
    Layers,
    Output,
    as_images,
    as_layers,
    run,
    tensors_in,
    undisturbed,
)
from gazesal.adapters._resizing import index_of_image, to_image, to_input
from gazesal.maps.input_geometry import InputGeometry, Inverse

__all__ = ["AttentionMaps", "attention_maps"]


@dataclass(frozen=True, kw_only=True, eq=False)
class AttentionMaps:
    """Maps of the attention gates of a network, for a batch of images.

    Attributes
    ----------
    logits : torch.Tensor, shape (N, n_classes)
        Logits.
    gates : tuple of str
        Name of each gate.
    stacks : tuple of torch.Tensor, each of shape (N, h, w)
        Map of each gate at its own resolution, by which the network multiplies its features.
    input_shape : tuple of int
        (H, W) of the images that went into the network.

    Notes
    -----
    The gates of :footcite:t:`schlemper2019`, whose maps :footcite:t:`bigolin2021` score.

    References
    ----------
    .. footbibliography::
    """

    logits: Tensor
    gates: tuple[str, ...]
    stacks: tuple[Tensor, ...]
    input_shape: tuple[int, int]

    @property
    def maps(self) -> Tensor:
        """Maps of shape (N, G, H, W) on the pixels of the network's input, for G gates."""
        resized = [to_input(stack[:, None], self.input_shape) for stack in self.stacks]
        return torch.cat(resized, dim=1)

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
        torch.Tensor, shape (G, H, W)
            Map of each gate. The study calls the first AM1 and the second AM2.

        Raises
        ------
        ValueError
            If `index` is not in the batch, the geometry belongs to an input of another shape, or
            `inverse` is ``"study"`` and the image was not padded as in the study.
        """
        index = index_of_image(index, len(self.logits), geometry, self.input_shape)
        return torch.stack([to_image(stack[index], geometry, inverse) for stack in self.stacks])

    def __repr__(self) -> str:
        """Return the sizes and the names as text."""
        return f"AttentionMaps({len(self.logits)} images of {self.input_shape}, gates={self.gates})"


def attention_maps(
    model: nn.Module,
    images: ArrayLike | Tensor,
    gates: Layers = None,
    *,
    output: Output = None,
) -> AttentionMaps:
    """Run a network and keep the maps of its attention gates.

    Parameters
    ----------
    model : torch.nn.Module
        A network with attention gates. It is run in evaluation mode and restored.
    images : torch.Tensor or array_like, shape (N, C, H, W) or (C, H, W)
        Images as the model takes them. They are moved to its device and its precision.
    gates : str, torch.nn.Module, or sequence of these, optional
        Modules that return an attention map of shape (N, 1, h, w) or (N, h, w), alone or with
        other values, or the names of these modules. By default, the model's ``gate_layers``.
    output : int, str or callable, optional
        Position, key or function that finds the logits in the model's result. See `grad_cam`.

    Returns
    -------
    AttentionMaps
        The maps, not normalized. For `AttentionGatedSonoNet`, they are AM1 and AM2.

    Raises
    ------
    ValueError
        If neither the model nor `gates` names gates, a gate does not exist, does not run exactly
        once, returns no map or returns features of tokens, or a value is not finite.
    TypeError
        If `model` is not a module, or a gate is neither a name nor a module.

    See Also
    --------
    grad_cam : Maps of the classes.

    Notes
    -----
    The gates are by :footcite:t:`schlemper2019`. :footcite:t:`bigolin2021` resize their maps to the
    image bilinearly and score them. A map belongs to an image, and is the same for all classes.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import torch
    >>> from gazesal.adapters.attention_gates import attention_maps
    >>> from gazesal.cxr import load_model
    >>> model = load_model("ag_sononet")
    >>> maps = attention_maps(model, torch.zeros(2, 3, 32, 48))
    >>> [tuple(stack.shape) for stack in maps.stacks]
    [(2, 8, 12), (2, 4, 6)]
    """
    with undisturbed(model) as plain:
        batch = as_images(images, plain)
        named = as_layers(gates, plain, "gate_layers", name="gates")
        if not named:
            raise ValueError(
                f"`gates` must be given, because {type(plain).__name__} has no `gate_layers`."
            )
        done = run(plain, batch, named, output, pick=partial(_map_of, n_images=len(batch)))
        require_maps(plain, named, done.kept, batch, output, partial(_map_of, n_images=1))
    for key, tensor in (("logits", done.logits), *zip(named, done.kept, strict=True)):
        if not torch.isfinite(tensor).all():
            raise ValueError(
                f"`model` must return finite values, but {key} has NaN or infinity. Check its "
                "weights and the values of `images`."
            )
    return AttentionMaps(
        logits=_at_least_single(done.logits),
        gates=tuple(named),
        stacks=tuple(kept.reshape(len(batch), *kept.shape[-2:]) for kept in done.kept),
        input_shape=(batch.shape[2], batch.shape[3]),
    )


def _map_of(result: Any, key: str, *, n_images: int) -> Tensor:
    """Return the only attention map in the output of a gate, (N, h, w) or (N, 1, h, w)."""
    found = [
        part
        for part in tensors_in(result)
        if part.ndim > 0
        and len(part) == n_images
        and (part.ndim == 3 or (part.ndim == 4 and part.shape[1] == 1))
    ]
    if len(found) != 1:
        raise ValueError(
            f"`gates` must return one map of shape (N, 1, h, w) or (N, h, w), but {key!r} returned "
            f"{len(found)}. Name the module inside it that makes the map."
        )
    return _at_least_single(found[0])


def _at_least_single(tensor: Tensor) -> Tensor:
    """Convert half precision to float32."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))
