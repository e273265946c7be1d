"""Find the layer of the features, and check features, attention maps and logits of a network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from gazesal._warnings import warn
from gazesal.adapters._autograd_graph import (
    Layout,
    Node,
    after,
    depends_on,
    is_bypassed,
    layout_of,
    mixes_places,
    parents_in,
    squashed_by,
)
from gazesal.adapters._forward_pass import Output, features_of, logits_of, plain_name

REMEDY = (
    "Name a module that returns such features, or reshape tokens and give them to "
    "`grad_cam_from_tensors`."
)
OF_TOKENS = (nn.LayerNorm, nn.Linear, nn.Softmax, nn.MultiheadAttention)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ModuleOutput:
    """Output of a module in a pass of one image."""

    name: str
    module: nn.Module
    shape: tuple[int, ...]
    node: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pass:
    """Forward pass of one image whose whole graph of derivatives is kept.

    Attributes
    ----------
    image : torch.Tensor
        Leaf of the graph unless the model detaches it.
    logits : torch.Tensor, shape (1, n_classes)
        Logits.
    outputs : list of _ModuleOutput
        Outputs in the order in which the modules finished.
    """

    image: Tensor
    logits: Tensor
    outputs: list[_ModuleOutput]


def last_feature_layer(model: nn.Module, images: Tensor, output: Output) -> dict[str, nn.Module]:
    """Find the last module that clearly returns the features (N, C, h, w) of a late layer.

    According to the graph of derivatives of the first image, the module runs once, its output comes
    from convolutions by operations that keep (h, w), all of the logits depend on the image through
    it alone, and no convolution, attention or linear layer at several places follows it.
    """
    modules = {plain_name(name): module for name, module in model.named_modules() if name}
    done = _traced(model, images, output, modules, _four_axes)
    if not depends_on(done.logits.grad_fn, done.image):  # rounded or detached on its way in
        done = _traced(model, images, output, modules, _four_axes, weights=True)
    if not done.outputs:
        raise ValueError(
            "`layers` must be given, because no module of the model returns features (N, C, h, w). "
            + REMEDY
        )
    root = done.logits.grad_fn
    parents = {} if root is None else parents_in(root)
    runs = Counter(each.module for each in done.outputs)
    follows = None
    for each in reversed(done.outputs):
        if each.node not in parents:
            continue  # on a branch that the logits do not depend on
        found = {mixes_places(node) for node in after(each.node, parents)} - {None}
        if found:
            follows = "tokens" if "tokens" in found else "convolution"
            break
        has_places = each.shape[2] * each.shape[3] > 1 or images[0, 0].numel() == 1
        if (
            runs[each.module] == 1
            and has_places
            and layout_of(each.node, each.shape) == "channels first"
            and not is_bypassed(each.node, root)
        ):
            return {each.name: each.module}
    why = {
        "tokens": "attention or linear layers at every place follow, as in a transformer",
        "convolution": "convolutions that run more than once, or in several branches, follow",
        None: "its channels are not clear, or several branches lead to the logits",
    }[follows]
    raise ValueError(
        "`layers` must be given. There is no default, because no module clearly returns the last "
        f"features (N, C, h, w): {why}. {REMEDY}"
    )


def require_features(
    model: nn.Module,
    layers: Mapping[str, nn.Module],
    kept: tuple[Tensor, ...],
    images: Tensor,
    output: Output,
) -> None:
    """Raise if a layer that was named returns tokens, channels last, or attention weights."""
    image_shape = tuple(images.shape[2:])
    for (name, module), features in zip(layers.items(), kept, strict=True):
        channels, *sides = features.shape[1:]
        if (
            in_proportion(sides, image_shape)
            and not in_proportion((channels, sides[0]), image_shape)
            and not isinstance(module, OF_TOKENS)
            and not is_attention(features)
        ):
            continue
        layout = _layout_in(model, name, module, images, output, features_of)
        require_layout(features, layout, image_shape, f"`layers` must return features ({name!r})")


def require_layout(
    features: Tensor, layout: Layout, image_shape: tuple[int, ...], what: str
) -> None:
    """Raise if features do not look like (N, C, h, w), by their operations and their sides."""
    if layout in {"channels first", "pooled"}:
        return
    tokens = layout == "tokens" or is_attention(features)
    if tokens or not in_proportion(features.shape[-2:], image_shape):
        raise ValueError(
            f"{what} of shape (N, C, h, w), but the shape {tuple(features.shape)} for images of "
            f"{image_shape[0]} x {image_shape[1]} looks like tokens or channels at the end. "
            + REMEDY
        )


def require_maps(
    model: nn.Module,
    gates: Mapping[str, nn.Module],
    kept: tuple[Tensor, ...],
    images: Tensor,
    output: Output,
    pick: Callable[[Any, str], Tensor],
) -> None:
    """Raise if a gate returned features of tokens and not a map of the image."""
    image_shape = tuple(images.shape[2:])
    for (name, module), found in zip(gates.items(), kept, strict=True):
        fits = in_proportion(found.shape[-2:], image_shape) and not is_attention(found)
        if fits and found.ndim == 4 and not isinstance(module, OF_TOKENS):
            continue
        layout = _layout_in(model, name, module, images, output, pick)
        if layout == "tokens" or (layout != "channels first" and not fits):
            raise ValueError(
                f"`gates` must return one map of shape (N, 1, h, w) or (N, h, w), but the shape "
                f"{tuple(found.shape)} that {name!r} returned for images of {image_shape[0]} x "
                f"{image_shape[1]} looks like tokens or weights between them. Name a module that "
                "returns a map of the image."
            )


def require_logits(logits: Tensor, what: str = "`model` must return") -> None:
    """Raise if logits are probabilities, whose maps differ from the maps of the logits."""
    last = squashed_by(logits)
    values = logits.detach()
    sums_to_one = (
        logits.shape[1] > 1
        and logits.dtype in {torch.float32, torch.float64}  # in less, 1 is often met by chance
        and bool((values >= 0).all() and ((values.sum(dim=1) - 1).abs() < 1e-5).all())
    )
    if last and last <= {"Sigmoid", "Hardsigmoid"}:
        raise ValueError(
            f"{what} logits, got probabilities from a sigmoid at the end. Leave it out, or undo it "
            "with output=torch.logit."
        )
    if last == {"Softmax"} or sums_to_one:
        raise ValueError(
            f"{what} logits, got probabilities: a softmax is at the end, or rows sum to 1. Leave "
            "it out, or name the logits with `output`."
        )
    if last == {"LogSoftmax"}:
        warn(
            "The model returns logarithms of probabilities (log-softmax), whose maps differ from "
            "the maps of the logits by a mean over the classes. Leave out the log-softmax for maps "
            "of the logits.",
            UserWarning,
        )


def in_proportion(sides: tuple[int, ...] | list[int], image_shape: tuple[int, ...]) -> bool:
    """Return whether sides are proportional to the sides of the image, rounded up or down."""
    pairs = list(zip(sides, image_shape, strict=True))
    return max((n - 1) / m for n, m in pairs) <= min((n + 1) / m for n, m in pairs)


def is_attention(maps: Tensor) -> bool:
    """Return whether the last two axes are a matrix of attention weights, whose rows sum to 1."""
    if maps.shape[-1] != maps.shape[-2] or maps.shape[-1] < 2:
        return False
    rows = maps.detach().double()
    sums = rows.sum(dim=-1)
    return bool((rows >= 0).all() and ((sums - 1).abs() < 1e-2).all())


def _traced(
    model: nn.Module,
    images: Tensor,
    output: Output,
    modules: Mapping[str, nn.Module],
    pick: Callable[[Any, str], Tensor | None],
    *,
    weights: bool = False,
) -> _Pass:
    """Run the first image with its whole graph, and note the tensor `pick` finds in each output.

    With `weights`, the graph also begins at the weights of the model. The tensors that a backward
    pass would need are not kept, so the pass takes no more memory than one without a graph.
    """
    outputs: list[_ModuleOutput] = []

    def note(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, _args: Any, result: Any) -> None:
            found = pick(result, name)
            if found is not None:
                shape = tuple(found.shape)
                outputs.append(
                    _ModuleOutput(name=name, module=module, shape=shape, node=found.grad_fn)
                )

        return hook

    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(mode=False))
        stack.enter_context(torch.enable_grad())
        stack.enter_context(saved_tensors_hooks(lambda _: None, lambda _: torch.empty(0)))
        image = images[:1].clone()
        if image.is_floating_point():
            image.requires_grad_()
        leaves = [p for p in model.parameters() if p.is_leaf and p.is_floating_point()]
        for parameter in leaves if weights else []:
            stack.callback(parameter.requires_grad_, parameter.requires_grad)
            parameter.requires_grad_(True)
        for name, module in modules.items():
            stack.callback(module.register_forward_hook(note(name)).remove)
        logits = logits_of(model(image.clone()), output)  # a copy, because models may write to it
    return _Pass(image=image, logits=logits, outputs=outputs)


def _layout_in(
    model: nn.Module,
    name: str,
    module: nn.Module,
    images: Tensor,
    output: Output,
    pick: Callable[[Any, str], Tensor],
) -> Layout:
    """Return the layout of the tensor `pick` finds in a module's output for the first image."""
    done = _traced(model, images, output, {name: module}, pick)
    found = done.outputs[-1]
    return layout_of(found.node, found.shape)


def _four_axes(result: Any, _name: str) -> Tensor | None:
    """Return an output if it is a tensor of four axes."""
    return result if isinstance(result, Tensor) and result.ndim == 4 else None
