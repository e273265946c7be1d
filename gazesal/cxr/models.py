"""The study's two classifiers, and checkpoints of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from gazesal._validation import as_choice, as_count
from gazesal.cxr.preprocessing import preprocess as study_preprocess
from gazesal.cxr.weight_files import read_weights

__all__ = ["AttentionGatedSonoNet", "SonoNet", "load_model"]

ModelName = Literal["sononet", "ag_sononet"]

WIDTHS = (16, 32, 64, 128)
OPEN_GATE = 3.0  # initial bias of a gate: sigmoid(3) = 0.95 lets nearly everything through


class SonoNet(nn.Module):
    """SonoNet-16 without attention gates, the study's first classifier.

    Parameters
    ----------
    n_classes : int, default 14
        Number of logits.
    in_channels : int, default 3
        Channels of the images.
    widths : sequence of int, default (16, 32, 64, 128)
        Channels of the first four blocks; the fifth has as many as the fourth.

    Attributes
    ----------
    cam_layers : tuple of str
        Names of the modules whose outputs are Grad-CAM's features.
    preprocess : callable
        Makes the input of an image: `preprocess`.

    See Also
    --------
    load_model : Make one, with weights from a checkpoint.

    Notes
    -----
    The network of :footcite:t:`baumgartner2017` at a quarter of its width, as
    :footcite:t:`bigolin2021` use it: five blocks of 3, 3, 3, 2 and 2 convolutions of 3 x 3, each
    with batch normalization and ReLU, max-pooling by 2 between blocks; two convolutions of 1 x 1,
    to ``widths[2]`` channels with ReLU and to ``widths[1]`` without; mean over space; one linear
    layer. 649,870 parameters by default. Weights have the names that the authors' code gives them.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import torch
    >>> from gazesal.cxr import SonoNet
    >>> model = SonoNet(n_classes=2, in_channels=1).eval()
    >>> model(torch.zeros(3, 1, 32, 48)).shape
    torch.Size([3, 2])
    """

    cam_layers = ("features.10",)
    preprocess = staticmethod(study_preprocess)

    def __init__(
        self,
        n_classes: int = 14,
        in_channels: int = 3,
        widths: Sequence[int] = WIDTHS,
    ) -> None:
        super().__init__()
        n_classes, in_channels, sizes = _as_sizes(n_classes, in_channels, widths)
        self.features = nn.Sequential(
            _Block(in_channels, sizes[0], 3),
            nn.MaxPool2d(2),
            _Block(sizes[0], sizes[1], 3),
            nn.MaxPool2d(2),
            _Block(sizes[1], sizes[2], 3),
            nn.MaxPool2d(2),
            _Block(sizes[2], sizes[3], 2),
            nn.MaxPool2d(2),
            _Block(sizes[3], sizes[3], 2),
            _Adaptation(sizes[3], sizes[2], relu=True),
            _Adaptation(sizes[2], sizes[1], relu=False),
        )
        self.classifier = nn.Sequential(nn.Linear(sizes[1], n_classes))
        self.apply(_initialize)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits.

        Parameters
        ----------
        images : torch.Tensor, shape (N, in_channels, H, W)
            Images as `preprocess` makes them, of at least 16 x 16 pixels.

        Returns
        -------
        torch.Tensor, shape (N, n_classes)
            Logits.
        """
        logits: Tensor = self.classifier(self.features(images).mean(dim=(2, 3)))
        return logits


class AttentionGatedSonoNet(nn.Module):
    r"""SonoNet-16 with two attention gates, the study's second classifier.

    Parameters
    ----------
    n_classes : int, default 14
        Number of logits.
    in_channels : int, default 3
        Channels of the images.
    widths : sequence of int, default (16, 32, 64, 128)
        Channels of the first four blocks; the fifth has as many as the fourth.

    Attributes
    ----------
    cam_layers : tuple of str
        Names of the modules whose outputs are Grad-CAM's features: the last block's on their way
        to the pooling only, then those of both gates.
    preprocess : callable
        Makes the input of an image: `preprocess`.
    gate_layers : tuple of str
        Names of the gates; each returns the gated features and its attention map.

    See Also
    --------
    load_model : Make one, with weights from a checkpoint.

    Notes
    -----
    The gates of :footcite:t:`schlemper2019` as :footcite:t:`bigolin2021` use them, on the third
    and the fourth block with the fifth as the gating signal :math:`g`:

    .. math:: a = \sigma\bigl(\psi^\top \mathrm{ReLU}(\Theta x + U(\Phi g)) + b\bigr),
              \qquad \hat x = a\,x ,

    with :math:`U` the bilinear resizing to the resolution of :math:`x`.

    The classifier sees the gated features *summed* over space and the last block *averaged* over
    space. The last block reaches the logits by way of the gates too; Grad-CAM's features are those
    that are pooled, ``pooled``, which this way does not pass. 700,976 parameters by default.
    Weights have the names that the authors' code gives them.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import torch
    >>> from gazesal.cxr import AttentionGatedSonoNet
    >>> model = AttentionGatedSonoNet(n_classes=2, in_channels=1).eval()
    >>> model(torch.zeros(3, 1, 32, 48)).shape
    torch.Size([3, 2])
    """

    cam_layers = ("pooled", "gated1", "gated2")
    preprocess = staticmethod(study_preprocess)
    gate_layers = ("compatibility_score1", "compatibility_score2")

    def __init__(
        self,
        n_classes: int = 14,
        in_channels: int = 3,
        widths: Sequence[int] = WIDTHS,
    ) -> None:
        super().__init__()
        n_classes, in_channels, sizes = _as_sizes(n_classes, in_channels, widths)
        self.features1 = nn.Sequential(
            _Block(in_channels, sizes[0], 3),
            nn.MaxPool2d(2),
            _Block(sizes[0], sizes[1], 3),
            nn.MaxPool2d(2),
            _Block(sizes[1], sizes[2], 3),
        )
        self.features2 = nn.Sequential(nn.MaxPool2d(2), _Block(sizes[2], sizes[3], 2))
        self.features = nn.Sequential(nn.MaxPool2d(2), _Block(sizes[3], sizes[3], 2))
        self.compatibility_score1 = _AttentionGate(sizes[2], sizes[3])
        self.compatibility_score2 = _AttentionGate(sizes[3], sizes[3])
        self.gated1 = nn.Identity()
        self.gated2 = nn.Identity()
        self.pooled = nn.Identity()
        self.classifier = nn.Sequential(nn.Linear(sizes[2] + 2 * sizes[3], n_classes))
        self.apply(_initialize)
        for name, bias in self.named_parameters():
            if name.endswith("psi.bias"):
                nn.init.constant_(bias, OPEN_GATE)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits.

        Parameters
        ----------
        images : torch.Tensor, shape (N, in_channels, H, W)
            Images as `preprocess` makes them, of at least 16 x 16 pixels.

        Returns
        -------
        torch.Tensor, shape (N, n_classes)
            Logits.
        """
        third = self.features1(images)
        fourth = self.features2(third)
        fifth = self.features(fourth)
        gated1 = self.gated1(self.compatibility_score1(third, fifth)[0])
        gated2 = self.gated2(self.compatibility_score2(fourth, fifth)[0])
        pooled = self.pooled(fifth).mean(dim=(2, 3))
        parts = [gated1.sum(dim=(2, 3)), gated2.sum(dim=(2, 3)), pooled]
        logits: Tensor = self.classifier(torch.cat(parts, dim=1))
        return logits


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
    """Make one of the study's classifiers, with weights from a checkpoint.

    Parameters
    ----------
    name : {"sononet", "ag_sononet"}
        Without or with attention gates.
    checkpoint : str or path, optional
        File of weights: a ``.safetensors`` file, or what ``torch.save`` wrote of a state dict or
        of a dict that has one under ``"state_dict"``, as the authors' training does. By default
        weights are drawn anew, from torch's random numbers.
    n_classes : int, default 14
        Number of logits; this and the next two must be those of the checkpoint.
    in_channels : int, default 3
        Channels of the images.
    widths : sequence of int, default (16, 32, 64, 128)
        Channels of the first four blocks.

    Returns
    -------
    SonoNet or AttentionGatedSonoNet
        The model on the CPU, in evaluation mode.

    Raises
    ------
    FileNotFoundError
        If the checkpoint does not exist.
    ValueError
        If `name` or a size is out of range, or the checkpoint cannot be read, is truncated or
        damaged, holds anything but tensors and plain values, has other names or shapes of weights
        than the model, or has weights that are not finite.
    ImportError
        If a ``.safetensors`` file is given and safetensors is not installed.

    See Also
    --------
    preprocess : Images as the models take them.

    Notes
    -----
    Weights are matched by name, all of them: nothing is loaded in part. Files are read with
    ``weights_only=True``, so a checkpoint that carries code is refused and not run. Before torch
    2.10 a crafted file could get around this; use safetensors there. Names that
    all start with ``module.``, as data-parallel training saves them, are taken without it.

    The checksums in a file that ``torch.save`` wrote are compared, so a damaged file is refused.
    Neither safetensors files nor torch's format before version 1.6 have checksums. For these only
    names, types, shapes and finite values are checked; compare their SHA-256 after copying.

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
            f"{path}: the weights must be those of {type(model).__name__}, but "
            f"{len(missing)} of its {len(own)} are missing{_some(missing)} and {len(unknown)} are "
            f"unknown to it{_some(unknown)}."
        )
    for name, value in own.items():
        if weights[name].shape != value.shape:
            raise ValueError(
                f"{path}: {name} must have shape {tuple(value.shape)}, got "
                f"{tuple(weights[name].shape)}; are classes, channels and widths those of the "
                "checkpoint?"
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


def _as_sizes(
    n_classes: int, in_channels: int, widths: Sequence[int]
) -> tuple[int, int, tuple[int, ...]]:
    sizes = tuple(as_count(width, name=f"widths[{i}]") for i, width in enumerate(widths))
    if len(sizes) != 4:
        raise ValueError(f"`widths` must be four numbers of channels, got {len(sizes)}.")
    return as_count(n_classes, name="n_classes"), as_count(in_channels, name="in_channels"), sizes


def _unit(n_in: int, n_out: int, size: int, *, relu: bool) -> nn.Sequential:
    """Convolution with batch normalization, and ReLU where asked for."""
    parts: list[nn.Module] = [
        nn.Conv2d(n_in, n_out, size, padding=size // 2),
        nn.BatchNorm2d(n_out),
    ]
    return nn.Sequential(*parts, nn.ReLU(inplace=True)) if relu else nn.Sequential(*parts)


class _Block(nn.Module):
    """Two or three convolutions of 3 x 3, named conv1, conv2, ... as in the authors' code."""

    def __init__(self, n_in: int, n_out: int, n_convolutions: int) -> None:
        super().__init__()
        for i in range(n_convolutions):
            self.add_module(f"conv{i + 1}", _unit(n_in if i == 0 else n_out, n_out, 3, relu=True))

    def forward(self, features: Tensor) -> Tensor:
        for unit in self.children():
            features = unit(features)
        return features


class _Adaptation(nn.Module):
    """A convolution of 1 x 1, named cbr_unit with ReLU and cb_unit without."""

    def __init__(self, n_in: int, n_out: int, *, relu: bool) -> None:
        super().__init__()
        self.add_module("cbr_unit" if relu else "cb_unit", _unit(n_in, n_out, 1, relu=relu))

    def forward(self, features: Tensor) -> Tensor:
        for unit in self.children():
            features = unit(features)
        return features


class _AttentionGate(nn.Module):
    """Gate features by how well they agree with a gating signal of coarser resolution."""

    def __init__(self, n_features: int, n_gating: int) -> None:
        super().__init__()
        self.theta = nn.Conv2d(n_features, n_gating, 1, bias=False)
        self.phi = nn.Conv2d(n_gating, n_gating, 1, bias=False)
        self.psi = nn.Conv2d(n_gating, 1, 1)

    def forward(self, features: Tensor, gating: Tensor) -> tuple[Tensor, Tensor]:
        theta = self.theta(features)
        phi = functional.interpolate(
            self.phi(gating), size=theta.shape[2:], mode="bilinear", align_corners=False
        )
        attention = torch.sigmoid(self.psi(functional.relu(theta + phi)))
        return attention * features, attention


def _initialize(module: nn.Module) -> None:
    """He's initialization of convolutions and linear layers, biases zero."""
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        nn.init.kaiming_normal_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
