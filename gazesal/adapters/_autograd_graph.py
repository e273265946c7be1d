"""Read the layout of features, and the operations that follow them, from the autograd graph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

from torch import Tensor

Node: TypeAlias = Any  # torch.autograd.graph.Node, whose attributes depend on the operation
Shape: TypeAlias = tuple[int, ...] | None
Layout: TypeAlias = Literal["channels first", "pooled", "tokens", "unknown"]

# Beginnings of the names of operations that are defined on (N, C, h, w); backends have their own.
OF_IMAGES = (
    "Convolution",
    "ConvDepthwise2D",
    "CudnnConvolution",
    "MkldnnConvolution",
    "SlowConv",
    "ThnnConv",
    "NativeBatchNorm",
    "CudnnBatchNorm",
    "MiopenBatchNorm",
    "MaxPool2D",
    "AdaptiveMaxPool2D",
    "Upsample",
    "GridSampler2D",
    "PixelShuffle",
    "PixelUnshuffle",
    "ReflectionPad2D",
    "ReplicationPad2D",
)
LINEAR = ("Addmm", "Mm", "Bmm", "Baddbmm", "Linear", "MkldnnLinear")
OF_TOKENS = (*LINEAR, "ScaledDotProduct", "NativeLayerNorm", "FusedRmsNorm")
RECURRENT = ("Rnn", "Lstm", "Gru")  # in any part of the name
# Operations after which the value of each class is a monotone function of its value before.
JOINS = ("Add", "Cat", "Stack", "Where")
MONOTONE = (
    *JOINS,
    *("Clamp", "Clone", "Div", "Mul", "Neg", "Rsub", "Sub", "ToCopy"),
    *("Alias", "Expand", "Index", "IndexSelect", "ReshapeAlias", "Select", "Slice", "Split"),
    *("Squeeze", "T", "Transpose", "UnsafeView", "Unsqueeze", "View"),
)


def kind_of(node: Node) -> str:
    """Return the name of an operation, such as Convolution."""
    return type(node).__name__.rstrip("0123456789").removesuffix("Backward")


def shape_of(node: Node, output: int = 0) -> Shape:
    """Return the shape of an output of an operation in the forward pass, None if unknown.

    It is the shape of the gradient of this output. The only public way to that shape is a hook
    (`Node.register_prehook`), which needs a backward pass through the whole network.
    """
    described = getattr(node, "_input_metadata", ())
    found = described[output] if output < len(described) else None
    return None if found is None else tuple(found.shape)


def inputs_of(node: Node) -> Iterator[tuple[Node, Shape]]:
    """Yield the operations that made the inputs of an operation, and the shapes of the inputs."""
    for function, output in node.next_functions:
        if function is not None:
            yield function, shape_of(function, output)


def layout_of(node: Node, shape: Shape) -> Layout:
    """Return the layout of a tensor (..., h, w), by the operations that it was made with.

    Operations that keep its last two axes are followed back to the first that do not. The tensor
    has channels before space if one of them is an operation on images, such as a convolution.
    """
    found: set[Layout] = set()
    waiting, seen = [(node, shape)], set()
    while waiting:
        node, shape = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        kind = kind_of(node)
        if kind.startswith(OF_IMAGES) and shape is not None and len(shape) == 4:
            return "channels first"
        if kind == "AdaptiveAvgPool2D":
            found.add("pooled")
        elif kind.startswith(OF_TOKENS) and not _is_norm_of_image(node):
            found.add("tokens")
        elif _keeps_space(node, kind):
            for function, before in inputs_of(node):
                if _same_space(before, shape):
                    waiting.append((function, before))
                elif kind == "AvgPool2D":
                    found.add("pooled")
                elif kind_of(function).startswith(LINEAR):
                    found.add("tokens")  # a linear layer at every place, seen through a view
    for layout in ("tokens", "pooled"):
        if layout in found:
            return layout
    return "unknown"


def mixes_places(node: Node) -> Literal["tokens", "convolution"] | None:
    """Return the kind of an operation with weights or attention at several places, else None."""
    kind, shape = kind_of(node), shape_of(node)
    if kind.startswith(("Bmm", "Baddbmm", "ScaledDotProduct")) or any(r in kind for r in RECURRENT):
        return "tokens"
    if kind in LINEAR and shape is not None and any(n > 1 for n in shape[:-1]):
        return "tokens"
    if "Conv" in kind and shape is not None and any(n > 1 for n in shape[2:]):
        return "convolution" if len(shape) == 4 else "tokens"
    return None


def parents_in(root: Node) -> dict[Node, set[Node]]:
    """Map each operation that made a result to the operations that used its output."""
    parents: dict[Node, set[Node]] = {root: set()}
    waiting = [root]
    while waiting:
        node = waiting.pop()
        for function, _ in inputs_of(node):
            if function not in parents:
                parents[function] = set()
                waiting.append(function)
            parents[function].add(node)
    return parents


def after(node: Node, parents: dict[Node, set[Node]]) -> set[Node]:
    """Return the operations between a node and the result."""
    found: set[Node] = set()
    waiting = [node]
    while waiting:
        for parent in parents[waiting.pop()] - found:
            found.add(parent)
            waiting.append(parent)
    return found


def is_bypassed(node: Node, root: Node) -> bool:
    """Return whether a result depends on the leaves of an operation by a path that avoids it."""
    behind, others = _leaves(node), _leaves(root, without=node)
    return bool(behind & others)


def depends_on(root: Node, leaf: Tensor) -> bool:
    """Return whether a result was computed from a leaf."""
    return any(node.variable is leaf for node in _leaves(root))


def _leaves(root: Node, without: Node = None) -> set[Node]:
    """Return the leaves that a result was computed from, by paths that avoid `without`."""
    found: set[Node] = set()
    waiting, seen = [root], {without, None}
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if kind_of(node) == "AccumulateGrad":
            found.add(node)
        waiting += [function for function, _ in inputs_of(node)]
    return found


def squashed_by(logits: Tensor) -> set[str]:
    """Return the names of the last operations that are not monotone in each class alone."""
    found: set[str] = set()
    logged = False
    waiting, seen = [logits.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        before = [] if node is None else [function for function, _ in inputs_of(node)]
        kind = "" if node is None else kind_of(node)
        logged = logged or kind == "Log"
        follows_one = kind in MONOTONE and len(set(before)) == 1
        if kind == "Log" or follows_one or (kind in JOINS and before):
            waiting += before
        else:
            found.add(kind)
    if logged:
        return {"LogSoftmax"} if found == {"Softmax"} else {"Log"}
    return found


def _keeps_space(node: Node, kind: str) -> bool:
    """Return whether the last two axes stay the last two, provided that their sizes stay."""
    if kind == "Permute":
        axes = _saved(node, "dims")
        n = len(axes)
        return [_signed(axis) % n for axis in axes[-2:]] == [n - 2, n - 1]
    if kind == "Transpose":
        n = len(shape_of(node) or ())
        axes = (_saved(node, "dim0"), _saved(node, "dim1"))
        return n > 0 and all(_signed(axis) % n < n - 2 for axis in axes)
    return True


def _same_space(before: Shape, shape: Shape) -> bool:
    """Return whether two shapes of at least three axes agree in the last two."""
    if before is None or shape is None:
        return False
    return min(len(before), len(shape)) >= 3 and before[-2:] == shape[-2:]


def _is_norm_of_image(node: Node) -> bool:
    """Return whether a layer norm is over whole images (C, h, w), not over channels at the end."""
    return len(tuple(_saved(node, "normalized_shape", ()))) >= 3


def _saved(node: Node, name: str, *default: Any) -> Any:
    """Return an option of the forward operation, which torch documents as `_saved_` attributes."""
    return getattr(node, f"_saved_{name}", *default)


def _signed(value: int) -> int:
    """Undo torch's wrapping of a saved negative axis to 64 bits."""
    return value - 2**64 if value >= 2**63 else value
