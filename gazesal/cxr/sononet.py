"""SonoNet with and without attention gates, the two classifiers of the study."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from gazesal._validation import as_count
from gazesal.cxr.preprocessing import preprocess as study_preprocess

__all__ = ["AttentionGatedSonoNet", "SonoNet"]

WIDTHS = (16, 32, 64, 128)
OPEN_GATE = 3.0  # initial bias of a gate: sigmoid(3) = 0.95, so a new gate is nearly open


class SonoNet(nn.Module):
    """SonoNet-16 without attention gates, a classifier of chest X-rays.

    Parameters
    ----------
    n_classes : int, default 14
        Number of logits.
    in_channels : int, default 3
        Number of channels of the images.
    widths : sequence of int, default (16, 32, 64, 128)
        Number of channels of the first four blocks. The fifth block has the width of the fourth.

    Attributes
    ----------
    cam_layers : tuple of str
        Names of the modules whose outputs are the features for Grad-CAM.
    preprocess : callable
        The function `preprocess`, which makes the input from an image.

    See Also
    --------
    load_model : Make a network with weights from a checkpoint.

    Notes
    -----
    The network of :footcite:t:`baumgartner2017` at a quarter of its width, as used by
    :footcite:t:`bigolin2021`:

    - five blocks of 3, 3, 3, 2 and 2 convolutions of 3 x 3, each with batch normalization and ReLU,
      and max-pooling by 2 between blocks,
    - two convolutions of 1 x 1, to ``widths[2]`` channels with ReLU and to ``widths[1]`` without,
    - the mean over space and one linear layer.

    By default it has 649,870 parameters. Weights have the same names as in the authors' code.

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
    r"""SonoNet-16 with two attention gates, a classifier of chest X-rays.

    Parameters
    ----------
    n_classes : int, default 14
        Number of logits.
    in_channels : int, default 3
        Number of channels of the images.
    widths : sequence of int, default (16, 32, 64, 128)
        Number of channels of the first four blocks. The fifth block has the width of the fourth.

    Attributes
    ----------
    cam_layers : tuple of str
        Names of the modules whose outputs are the features for Grad-CAM: ``"pooled"``, which passes
        the last block to the pooling only, and the gated features.
    preprocess : callable
        The function `preprocess`, which makes the input from an image.
    gate_layers : tuple of str
        Names of the gates. Each returns the gated features and its attention map.

    See Also
    --------
    load_model : Make a network with weights from a checkpoint.

    Notes
    -----
    The gates of :footcite:t:`schlemper2019` as used by :footcite:t:`bigolin2021`, on the third
    and the fourth block with the fifth as the gating signal :math:`g`:

    .. math:: a = \sigma\bigl(\psi^\top \mathrm{ReLU}(\Theta x + U(\Phi g)) + b\bigr),
              \qquad \hat x = a\,x ,

    with :math:`U` the bilinear resizing to the resolution of :math:`x`.

    The classifier takes the gated features *summed* over space and the last block *averaged* over
    space. The last block also reaches the logits through the gates. The features for Grad-CAM are
    the output of ``pooled``, which is not on that second path. By default the network has 700,976
    parameters. Weights have the same names as in the authors' code.

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


def _as_sizes(
    n_classes: int, in_channels: int, widths: Sequence[int]
) -> tuple[int, int, tuple[int, ...]]:
    sizes = tuple(as_count(width, name=f"widths[{i}]") for i, width in enumerate(widths))
    if len(sizes) != 4:
        raise ValueError(f"`widths` must be four numbers of channels, got {len(sizes)}.")
    return as_count(n_classes, name="n_classes"), as_count(in_channels, name="in_channels"), sizes


def _unit(n_in: int, n_out: int, size: int, *, relu: bool) -> nn.Sequential:
    """Make a convolution with batch normalization and, if `relu`, ReLU."""
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
    """Weight features by their agreement with a gating signal of coarser resolution."""

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
    """Initialize convolutions and linear layers by He's method, with biases of zero."""
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        nn.init.kaiming_normal_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
