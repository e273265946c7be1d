"""Models of the study by name, with weights from checkpoints."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from gazesal._validation import as_choice
from gazesal.cxr.sononet import WIDTHS, AttentionGatedSonoNet, SonoNet
from gazesal.cxr.weight_files import read_weights

__all__ = ["load_model"]

ModelName = Literal["sononet", "ag_sononet"]

MODELS: dict[str, type[SonoNet] | type[AttentionGatedSonoNet]] = {
    "sononet": SonoNet,
    "ag_sononet": AttentionGatedSonoNet,
}


def load_model(
    name: ModelName,
    checkpoint: str | Path | None = None,
    *,
    n_classes: int = 14,
    in_channels: int = 3,
    widths: Sequence[int] = WIDTHS,
) -> SonoNet | AttentionGatedSonoNet:
    """Make a SonoNet with or without attention gates, with weights from a checkpoint.

    Parameters
    ----------
    name : {"sononet", "ag_sononet"}
        Network without or with attention gates.
    checkpoint : str or path, optional
        File of weights, either a ``.safetensors`` file or a file written by ``torch.save``. The
        latter must hold a state dict, or a dict with one under ``"state_dict"``, as the authors'
        code writes. By default weights are initialized with torch's random numbers.
    n_classes : int, default 14
        Number of logits. This, `in_channels` and `widths` must match the checkpoint.
    in_channels : int, default 3
        Number of channels of the images.
    widths : sequence of int, default (16, 32, 64, 128)
        Number of channels of the first four blocks.

    Returns
    -------
    SonoNet or AttentionGatedSonoNet
        The model on the CPU, in evaluation mode.

    Raises
    ------
    FileNotFoundError
        If the checkpoint does not exist.
    ValueError
        If `name` or a size is out of range. If the checkpoint cannot be read, is damaged, holds
        anything except tensors and plain values, or has weights that are not finite or whose names
        or shapes differ from the model's.
    ImportError
        If a ``.safetensors`` file is given and safetensors is not installed.

    See Also
    --------
    preprocess : Make the input of the models from an image.

    Notes
    -----
    All weights are matched by name. If one does not match, none is loaded. If all names start with
    ``module.``, as data-parallel training saves them, the prefix is removed.

    Files are read with ``weights_only=True``, so a checkpoint that contains code raises an error
    and the code is not run. Before torch 2.10, a crafted file could circumvent this, so use
    safetensors with older versions.

    The checksums in a file that ``torch.save`` wrote are verified, so a damaged file raises an
    error. Neither safetensors files nor torch's format before version 1.6 have checksums. For these
    only names, types, shapes and finite values are checked, so compare their SHA-256 after copying.

    Examples
    --------
    >>> from gazesal.cxr import load_model
    >>> model = load_model("sononet")
    >>> sum(weights.numel() for weights in model.parameters())
    649870
    """
    as_choice(name, get_args(ModelName), name="name")
    model = MODELS[name](n_classes, in_channels, widths)
    if checkpoint is not None:
        path = Path(checkpoint)
        _load_strictly(model, read_weights(path), path)
    return model.eval()


def _load_strictly(model: nn.Module, weights: dict[str, Tensor], path: Path) -> None:
    """Load all weights by name, or raise and leave the model as it was."""
    own = model.state_dict()
    missing = [name for name in own if name not in weights]
    unknown = [name for name in weights if name not in own]
    if missing or unknown:
        raise ValueError(
            f"{path}: must hold the weights of {type(model).__name__}, but {len(missing)} of its "
            f"{len(own)} weights are missing{_some(missing)} and {len(unknown)} are "
            f"unknown{_some(unknown)}."
        )
    for name, value in own.items():
        if weights[name].shape != value.shape:
            raise ValueError(
                f"{path}: {name} must have shape {tuple(value.shape)}, got "
                f"{tuple(weights[name].shape)}. Pass the `n_classes`, `in_channels` and `widths` "
                "of the checkpoint."
            )
        if weights[name].is_floating_point() != value.is_floating_point():
            raise ValueError(f"{path}: {name} must be of {value.dtype}, got {weights[name].dtype}.")
        if not torch.isfinite(weights[name].to(value.dtype)).all():
            raise ValueError(
                f"{path}: {name} must be finite in {value.dtype}, got NaN, infinity or a value "
                "beyond its range."
            )
    model.load_state_dict(weights, strict=True)


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    return f" ({shown})" if names else ""
