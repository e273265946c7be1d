"""Class activation maps of other libraries, and torchxrayvision's classifiers as logits."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from gazesal._validation import as_count
from gazesal.adapters._forward_pass import full_precision
from gazesal.adapters._resizing import to_input

__all__ = [
    "NormalizedMapWarning",
    "XrvLogits",
    "maps_from_captum",
    "maps_from_grad_cam_package",
    "maps_from_torch_cam",
]


class NormalizedMapWarning(UserWarning):
    """Maps were rescaled one by one, so they cannot be mixed over classes or layers."""


def maps_from_captum(explainer: Any, images: Tensor, classes: Sequence[int]) -> Tensor:
    """Compute maps of several classes with captum's ``LayerGradCam``.

    Parameters
    ----------
    explainer : captum.attr.LayerGradCam
        Made with the model and the layer.
    images : torch.Tensor, shape (N, C, H, W)
        Images as the model takes them.
    classes : sequence of int
        Classes to make maps of, for every image.

    Returns
    -------
    torch.Tensor, shape (N, K, H, W)
        Maps on the pixels of the input in the study's order: resized, then negative values set to
        zero. Not normalized, and not divided by the number of channels.

    Raises
    ------
    ValueError
        If the images are not a batch or there is no class.
    TypeError
        If a class is not an integer.

    See Also
    --------
    grad_cam : The same in one pass.

    Examples
    --------
    >>> import torch
    >>> from captum.attr import LayerGradCam
    >>> from gazesal.adapters.other_cams import maps_from_captum
    >>> from gazesal.cxr import load_model
    >>> model = load_model("sononet")
    >>> explainer = LayerGradCam(model, model.features[10])
    >>> maps_from_captum(explainer, torch.zeros(2, 3, 32, 48), [0, 3]).shape
    torch.Size([2, 2, 32, 48])
    """
    chosen = _as_classes(classes, images)
    shape = (images.shape[2], images.shape[3])
    with full_precision(images):
        parts = [
            to_input(explainer.attribute(images, target=c, relu_attributions=False).detach(), shape)
            for c in chosen
        ]
    return torch.cat(parts, dim=1).clamp(min=0)


def maps_from_torch_cam(
    extractor: Any, images: Tensor, classes: Sequence[int]
) -> tuple[Tensor, ...]:
    """Compute maps of several classes with a torch-cam extractor, without its normalization.

    Parameters
    ----------
    extractor : torchcam.methods.GradCAM or another of its kind
        Made with the model and its layers, hooks enabled.
    images : torch.Tensor, shape (N, C, H, W)
        Images as the model takes them.
    classes : sequence of int
        Classes to make maps of, for every image.

    Returns
    -------
    tuple of torch.Tensor, each of shape (N, K, h, w)
        Maps of each layer at its own resolution. Negative values are zero already, which is the
        textbook's order; the study's cannot be had from them.

    Raises
    ------
    ValueError
        If the images are not a batch or there is no class.
    TypeError
        If a class is not an integer.

    See Also
    --------
    grad_cam : Both orders, all classes in one pass.

    Examples
    --------
    With torch-cam installed::

        extractor = torchcam.methods.GradCAM(model, target_layer="layer4")
        (maps,) = maps_from_torch_cam(extractor, images, classes=range(14))
    """
    chosen = _as_classes(classes, images)
    with full_precision(images):
        scores = extractor.model(images)
        of_class = [
            extractor([c] * len(images), scores, normalized=False, retain_graph=True)
            for c in chosen
        ]
    return tuple(torch.stack(layer, dim=1).detach() for layer in zip(*of_class, strict=True))


def maps_from_grad_cam_package(cam: Any, images: Tensor, classes: Sequence[int]) -> Tensor:
    """Compute maps of several classes with the package grad-cam (``pytorch_grad_cam``).

    Parameters
    ----------
    cam : pytorch_grad_cam.GradCAM or another of its kind
        Made with the model and its layers.
    images : torch.Tensor, shape (N, C, H, W)
        Images as the model takes them.
    classes : sequence of int
        Classes to make maps of, for every image.

    Returns
    -------
    torch.Tensor of float32, shape (N, K, H, W)
        Maps on the pixels of the input, each rescaled to [0, 1].

    Raises
    ------
    ValueError
        If the images are not a batch or there is no class.
    TypeError
        If a class is not an integer.

    Warns
    -----
    NormalizedMapWarning
        Always: the package rescales every map, and every layer's before it averages layers.

    See Also
    --------
    grad_cam : Without rescaling, all classes in one pass.

    Notes
    -----
    NCC and AUC of one map of one layer do not change by rescaling. Mixing over classes or layers
    does: a class that is absent weighs as much as one that is present. Where there are fewer
    targets than images, the package leaves the last images without gradient and says nothing;
    here every image has its own.

    Examples
    --------
    With grad-cam installed::

        cam = pytorch_grad_cam.GradCAM(model, target_layers=[model.layer4])
        maps = maps_from_grad_cam_package(cam, images, classes=[3])
    """
    chosen = _as_classes(classes, images)
    warnings.warn(
        "grad-cam rescales each map and each layer's map to [0, 1], so maps of different classes "
        "or layers cannot be mixed as the equations say; `grad_cam` gives them as they are.",
        NormalizedMapWarning,
        stacklevel=2,
    )
    targets: list[Callable[[Tensor], Tensor]] = [partial(_logit, c=c) for c in chosen]
    with full_precision(images):
        parts = [
            torch.as_tensor(cam(input_tensor=images, targets=[target] * len(images)))
            for target in targets
        ]
    return torch.stack(parts, dim=1).to(torch.float32)


class XrvLogits(nn.Module):
    """A torchxrayvision classifier that returns its logits.

    Parameters
    ----------
    model : torchxrayvision.models.DenseNet or ResNet
        The classifier. It is not changed: calling it itself gives calibrated scores as before.

    Attributes
    ----------
    cam_layers : tuple of str
        Names of the modules whose outputs are Grad-CAM's features, where the classifier has
        ``features``.

    See Also
    --------
    grad_cam : Takes it as a model.

    Notes
    -----
    Where operating points are set (``op_threshs``) or ``apply_sigmoid``, the classifier returns
    calibrated scores, whose derivative depends on where on the sigmoid an image lies and jumps at
    the operating point. Grad-CAM is defined on logits.

    Examples
    --------
    With torchxrayvision installed::

        model = XrvLogits(torchxrayvision.models.DenseNet(weights="densenet121-res224-all"))
        result = grad_cam(model, images)
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        if isinstance(getattr(model, "features", None), nn.Module):
            self.cam_layers: tuple[str, ...] = ("model.features",)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits.

        Parameters
        ----------
        images : torch.Tensor, shape (N, 1, H, W)
            Images as torchxrayvision normalizes them.

        Returns
        -------
        torch.Tensor, shape (N, n_classes)
            Logits, before any sigmoid and calibration.
        """
        switched_off = {"op_threshs": None, "apply_sigmoid": False}
        before = {
            name: getattr(self.model, name) for name in switched_off if hasattr(self.model, name)
        }
        try:
            for name in before:
                setattr(self.model, name, switched_off[name])
            logits: Tensor = self.model(images)
        finally:
            for name, value in before.items():
                setattr(self.model, name, value)
        return logits


def _logit(output: Tensor, c: int) -> Tensor:
    """The logit of a class, of one image or of several."""
    return output[..., c]


def _as_classes(classes: Sequence[int], images: Tensor) -> tuple[int, ...]:
    if not isinstance(images, Tensor) or images.ndim != 4 or images.numel() == 0:
        raise ValueError("`images` must be a non-empty tensor of shape (N, C, H, W).")
    chosen = tuple(as_count(c, name=f"classes[{i}]", least=0) for i, c in enumerate(classes))
    if not chosen:
        raise ValueError("`classes` must be at least one, got none.")
    return chosen
