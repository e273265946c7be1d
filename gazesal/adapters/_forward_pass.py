"""A model run with the outputs of some of its layers kept, and left as it was found."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from threading import RLock
from typing import Any, TypeAlias

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

__all__ = ["Layers", "Output"]

Layers: TypeAlias = "str | nn.Module | Sequence[str | nn.Module] | None"
Output: TypeAlias = "int | str | Callable[[Any], Tensor] | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one forward pass gave.

    Attributes
    ----------
    logits : torch.Tensor, shape (N, classes)
        Logits.
    kept : tuple of torch.Tensor
        What was kept of each layer's output.
    """

    logits: Tensor
    kept: tuple[Tensor, ...]


# Modes and `requires_grad` belong to the model, so threads that share one take turns.
TURN = RLock()


@contextmanager
def undisturbed(model: nn.Module) -> Iterator[nn.Module]:
    """Yield the plain module behind wrappers, in evaluation mode and without gradients of weights.

    Modes, ``requires_grad`` and hooks are afterwards what they were, also after an error. Autocast
    is off within, since its 8 bits of precision move maps by some 2%.
    """
    plain = unwrapped(model)
    with TURN, full_precision(*plain.parameters()), _frozen(plain):
        yield plain


@contextmanager
def full_precision(*tensors: Tensor) -> Iterator[None]:
    """Switch autocast off on the CPU and on the devices of some tensors."""
    with ExitStack() as stack:
        for kind in {"cpu", *(tensor.device.type for tensor in tensors)}:
            if torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        yield


@contextmanager
def _frozen(plain: nn.Module) -> Iterator[None]:
    modes = [(module, module.training) for module in plain.modules()]
    # Those made in inference mode cannot be given `requires_grad` again, and never have gradients.
    free = [p for p in plain.parameters() if p.requires_grad and p.is_leaf and not p.is_inference()]
    # Compiled parts run as plain Python, where hooks see every layer. The compiler takes seconds to
    # import; where nobody has, nothing is compiled.
    compiler = torch.compiler if "torch._dynamo" in sys.modules else None
    eager = getattr(compiler, "set_stance", None)
    try:
        plain.eval()
        for parameter in free:
            parameter.requires_grad_(False)
        with eager("force_eager") if eager else nullcontext():
            yield
    finally:
        try:
            if modes[0][1]:
                plain.train()
        finally:
            for module, mode in modes:
                module.training = mode
            for parameter in free:
                parameter.requires_grad_(True)


def require_differentiable(model: nn.Module) -> None:
    """Raise if weights are of a kind that nothing can be differentiated with."""
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        if tensor.is_inference():
            raise ValueError(
                f"`model` must hold tensors that derivatives can be taken with, but {name!r} was "
                "made under torch.inference_mode; make or load the model outside it."
            )


def unwrapped(model: nn.Module) -> nn.Module:
    """The module behind data-parallel and compiled wrappers."""
    if not isinstance(model, nn.Module):
        raise TypeError(f"`model` must be a torch.nn.Module, got {type(model).__name__}.")
    while True:
        parallel = isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel))
        inner = getattr(model, "module" if parallel else "_orig_mod", None)
        if not isinstance(inner, nn.Module):
            return model
        model = inner


def as_images(images: ArrayLike | Tensor, model: nn.Module) -> Tensor:
    """Return a batch (N, C, H, W) on the device and in the precision of the model."""
    batch = torch.as_tensor(images).detach()
    if batch.ndim == 3:
        batch = batch[None]
    if batch.ndim != 4 or batch.numel() == 0:
        raise ValueError(
            "`images` must be a non-empty batch of shape (N, C, H, W), or one image (C, H, W), got "
            f"shape {tuple(batch.shape)}."
        )
    weights = next((p for p in model.parameters() if p.is_floating_point()), None)
    if weights is None:
        return batch
    return batch.to(device=weights.device, dtype=weights.dtype)


def as_layers(
    layers: Layers, model: nn.Module, default: str, name: str = "layers"
) -> dict[str, nn.Module]:
    """Modules by name, from names, modules, or the model's own default."""
    if layers is None:
        layers = getattr(model, default, None)
        if layers is None:
            return {}
    if isinstance(layers, (str, nn.Module)):
        layers = [layers]
    # A module may have several names, and any of them is good.
    every = model.named_modules(remove_duplicate=False)
    modules = {plain_name(key): module for key, module in every}
    if not isinstance(layers, Sequence):
        raise TypeError(f"`{name}` must be names or modules, got {type(layers).__name__}.")
    found: dict[str, nn.Module] = {}
    for layer in layers:
        if isinstance(layer, nn.Module):
            plain = unwrapped(layer)
            own = [key for key, module in modules.items() if unwrapped(module) is plain]
            if not own:
                raise ValueError(
                    f"`{name}` must be modules of the model, got a {type(layer).__name__} that is "
                    "none of them."
                )
            key = own[0]
        elif isinstance(layer, str):
            key = plain_name(layer)
            if key not in modules:
                raise ValueError(f"`{name}` must name modules of the model, got {layer!r}.")
        else:
            raise TypeError(f"`{name}` must be names or modules, got {type(layer).__name__}.")
        if any(unwrapped(modules[key]) is module for module in found.values()):
            raise ValueError(f"`{name}` must differ, got {key!r} twice.")
        found[key] = unwrapped(modules[key])
    if not found:
        raise ValueError(f"`{name}` must name at least one module, got none.")
    return found


def plain_name(name: str) -> str:
    """A module's name without the wrappers on the way to it."""
    return ".".join(part for part in name.split(".") if part != "_orig_mod")


def run(
    model: nn.Module,
    images: Tensor,
    layers: Mapping[str, nn.Module],
    output: Output,
    *,
    pick: Callable[[Any, str], Tensor] | None = None,
) -> Run:
    """Run the model and keep features that the logits can be differentiated by.

    With `pick`, keep what that makes of each layer's output instead, without derivatives.
    """
    kept: dict[str, list[Tensor]] = {key: [] for key in layers}

    def keep(key: str) -> Callable[[nn.Module, Any, Any], Any]:
        def hook(_module: nn.Module, _args: Any, result: Any) -> Any:
            if pick is not None:
                kept[key].append(pick(result, key).clone())
                return None
            features = features_of(result, key)
            # A copy for us, and another for the rest of the model, which may change it in place.
            own = features.clone()
            if not own.requires_grad:
                own = own.detach().requires_grad_()
            kept[key].append(own)
            return replaced(result, features, own.clone())

        return hook

    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(mode=False))
        stack.enter_context(torch.set_grad_enabled(pick is None))
        for key, module in layers.items():
            stack.callback(module.register_forward_hook(keep(key)).remove)
        logits = logits_of(model(images.clone() if images.is_inference() else images), output)
    for key, results in kept.items():
        if len(results) != 1:
            many = "never ran" if not results else f"ran {len(results)} times"
            raise ValueError(
                f"`layers` must each run once in a forward pass, but {key!r} {many}; name another "
                "module, such as the block that holds it."
            )
    return Run(logits=logits, kept=tuple(results[0] for results in kept.values()))


def logits_of(result: Any, output: Output) -> Tensor:
    """The logits (N, classes) in what a model returned."""
    if callable(output):
        logits = output(result)
    elif output is not None:
        try:
            logits = result[output]
        except (LookupError, TypeError) as error:
            raise ValueError(
                f"`output` must say where the logits are in what the model returns, but "
                f"{output!r} is not in its {type(result).__name__}."
            ) from error
    else:
        logits = result
    if not isinstance(logits, Tensor):
        inside = (
            f" with the keys {', '.join(map(repr, logits))}"
            if isinstance(logits, Mapping)
            else f" of {len(logits)}"
            if isinstance(logits, Sequence)
            else ""
        )
        raise ValueError(  # noqa: TRY004
            f"the model must return logits, got a {type(logits).__name__}{inside}; `output` says "
            "which part they are, by position, key or function."
        )
    if logits.ndim != 2 or logits.numel() == 0:
        raise ValueError(
            f"the model must return logits of shape (N, classes), got {tuple(logits.shape)}; "
            "`output` can be a function that returns them."
        )
    return logits


def features_of(result: Any, key: str) -> Tensor:
    """The one tensor (N, C, h, w) in what a layer returned."""
    found = [
        part
        for part in tensors_in(result)
        if part.ndim == 4 and part.shape[1] > 0 and part.is_floating_point()
    ]
    if len(found) != 1:
        shape = f" of shape {tuple(result.shape)}" if isinstance(result, Tensor) else ""
        raise ValueError(
            f"`layers` must return features (N, C, h, w), but {key!r} returned a "
            f"{type(result).__name__}{shape} with {len(found)} such tensors."
        )
    return found[0]


def tensors_in(result: Any) -> list[Tensor]:
    """A tensor, or those directly in a tuple, list or mapping."""
    if isinstance(result, Mapping):
        parts = list(result.values())
    else:
        parts = list(result) if isinstance(result, (tuple, list)) else [result]
    return [part for part in parts if isinstance(part, Tensor)]


def replaced(result: Any, old: Tensor, new: Tensor) -> Any:
    """What a layer returned, with one tensor in place of another."""
    if result is old:
        return new
    if isinstance(result, Mapping):
        return type(result)(**{k: new if v is old else v for k, v in result.items()})
    parts = [new if part is old else part for part in result]
    return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)
