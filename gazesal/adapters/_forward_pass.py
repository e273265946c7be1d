"""Run a model, keep the outputs of some of its layers, and leave the model unchanged."""

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
    """Results of one forward pass.

    Attributes
    ----------
    logits : torch.Tensor, shape (N, classes)
        Logits.
    kept : tuple of torch.Tensor
        The part of each layer's output that was kept.
    """

    logits: Tensor
    kept: tuple[Tensor, ...]


# Modes and `requires_grad` belong to the model, so threads that share a model take turns.
TURN = RLock()


@contextmanager
def undisturbed(model: nn.Module) -> Iterator[nn.Module]:
    """Yield the plain module behind wrappers, in evaluation mode and without gradients of weights.

    Modes, ``requires_grad`` and hooks are restored, also after an error. Autocast is off in the
    block, because its 8 bits of precision change maps by about 2%.
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
    """Put a model into evaluation mode without gradients of its weights, and restore it."""
    modes = [(module, module.training) for module in plain.modules()]
    # weights made in inference mode never have gradients and cannot be given `requires_grad` again
    free = [p for p in plain.parameters() if p.requires_grad and p.is_leaf and not p.is_inference()]
    # Compiled parts run as plain Python, in which hooks see every layer. The compiler takes seconds
    # to import, and no part is compiled if it was not imported before.
    compiler_loaded = "torch._dynamo" in sys.modules
    try:
        plain.eval()
        for parameter in free:
            parameter.requires_grad_(False)
        with torch.compiler.set_stance("force_eager") if compiler_loaded else nullcontext():
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
    """Raise if weights were made in inference mode, which excludes derivatives."""
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        if tensor.is_inference():
            raise ValueError(
                f"`model` must have tensors that allow derivatives, but {name!r} was made under "
                "torch.inference_mode. Make or load the model outside of it."
            )


def unwrapped(model: nn.Module) -> nn.Module:
    """Return the module inside data-parallel and compiled wrappers."""
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
    """Return modules by name, from names, modules, or the model's attribute `default`."""
    if layers is None:
        layers = getattr(model, default, None)
        if layers is None:
            return {}
    if isinstance(layers, (str, nn.Module)):
        layers = [layers]
    # a module may have several names, and each of them is accepted
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
                    f"`{name}` must be modules of the model, got another {type(layer).__name__}."
                )
            key = own[0]
        elif isinstance(layer, str):
            key = plain_name(layer)
            if key not in modules:
                raise ValueError(f"`{name}` must name modules of the model, got {layer!r}.")
        else:
            raise TypeError(f"`{name}` must be names or modules, got {type(layer).__name__}.")
        if any(unwrapped(modules[key]) is module for module in found.values()):
            raise ValueError(f"`{name}` must be different modules, got {key!r} twice.")
        found[key] = unwrapped(modules[key])
    if not found:
        raise ValueError(f"`{name}` must name at least one module, got none.")
    return found


def plain_name(name: str) -> str:
    """Return the name of a module without the wrappers around its parents."""
    return ".".join(part for part in name.split(".") if part != "_orig_mod")


def run(
    model: nn.Module,
    images: Tensor,
    layers: Mapping[str, nn.Module],
    output: Output,
    *,
    pick: Callable[[Any, str], Tensor] | None = None,
) -> Run:
    """Run the model and keep features with respect to which the logits can be differentiated.

    With `pick`, keep instead the result of `pick` for each layer's output, without derivatives.
    """
    kept: dict[str, list[Tensor]] = {key: [] for key in layers}

    def keep(key: str) -> Callable[[nn.Module, Any, Any], Any]:
        def hook(_module: nn.Module, _args: Any, result: Any) -> Any:
            if pick is not None:
                kept[key].append(pick(result, key).clone())
                return None
            features = features_of(result, key)
            # one copy is kept, and another given to the rest of the model, which may change it
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
                f"`layers` must each run once in a forward pass, but {key!r} {many}. Name another "
                "module, such as the block that contains it."
            )
    return Run(logits=logits, kept=tuple(results[0] for results in kept.values()))


def logits_of(result: Any, output: Output) -> Tensor:
    """Return the logits (N, classes) in the result of a model."""
    if callable(output):
        logits = output(result)
    elif output is not None:
        try:
            logits = result[output]
        except (LookupError, TypeError) as error:
            raise ValueError(
                f"`output` must find the logits in the model's result, but {output!r} is not in "
                f"its {type(result).__name__}. Give their position or key, or a function."
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
        raise ValueError(  # noqa: TRY004 (a wrong model)
            f"`model` must return logits, got a {type(logits).__name__}{inside}. Name their "
            "position or key with `output`, or give a function."
        )
    if logits.ndim != 2 or logits.numel() == 0:
        raise ValueError(
            f"`model` must return logits of shape (N, classes), got {tuple(logits.shape)}. Give a "
            "function that returns them as `output`."
        )
    return logits


def features_of(result: Any, key: str) -> Tensor:
    """Return the only tensor (N, C, h, w) in the output of a layer."""
    found = [
        part
        for part in tensors_in(result)
        if part.ndim == 4 and part.shape[1] > 0 and part.is_floating_point()
    ]
    if len(found) != 1:
        shape = f" of shape {tuple(result.shape)}" if isinstance(result, Tensor) else ""
        raise ValueError(
            f"`layers` must return features (N, C, h, w), but {key!r} returned a "
            f"{type(result).__name__}{shape} with {len(found)} such tensors. Name another module."
        )
    return found[0]


def tensors_in(result: Any) -> list[Tensor]:
    """Return a tensor, or the tensors directly in a tuple, list or mapping, as a list."""
    if isinstance(result, Mapping):
        parts = list(result.values())
    else:
        parts = list(result) if isinstance(result, (tuple, list)) else [result]
    return [part for part in parts if isinstance(part, Tensor)]


def replaced(result: Any, old: Tensor, new: Tensor) -> Any:
    """Return the output of a layer with one tensor replaced by another."""
    if result is old:
        return new
    if isinstance(result, Mapping):
        return type(result)(**{k: new if v is old else v for k, v in result.items()})
    parts = [new if part is old else part for part in result]
    return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)
