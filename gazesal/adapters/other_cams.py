"""Class activation maps of other libraries, and the logits of torchxrayvision's classifiers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from gazesal._validation import as_count
from gazesal._warnings import warn
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
    """Warning that each map was rescaled, so that maps cannot be mixed over classes or layers."""


def maps_from_captum(explainer: Any, images: Tensor, classes: Sequence[int]) -> Tensor:
    """Compute maps of several classes with captum's ``LayerGradCam``.

    Parameters
    ----------
    explainer : captum.attr.LayerGradCam
        Explainer, made with the model and the layer.
    images : torch.Tensor, shape (N, C, H, W)
        Images as the model takes them.
    classes : sequence of int
        Classes to compute maps of, for every image.

    Returns
    -------
    torch.Tensor, shape (N, K, H, W)
        Maps on the pixels of the input, in the study's order of steps: they are resized before
        negative values are set to zero. They are neither normalized nor divided by the number of
        channels.

    Raises
    ------
    ValueError
        If `images` is not a batch or `classes` is empty.
    TypeError
        If a class is not an integer.

    See Also
    --------
    grad_cam : Compute the same maps in one pass.

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
        Extractor, made with the model and its layers, with hooks enabled.
    images : torch.Tensor, shape (N, C, H, W)
        Images as the model takes them.
    classes : sequence of int
        Classes to compute maps of, for every image.

    Returns
    -------
    tuple of torch.Tensor, each of shape (N, K, h, w)
        Maps of each layer at its own resolution. Negative values are already zero, as in the
        textbook's order of steps. The study's order is not available from these maps.

    Raises
    ------
    ValueError
        If `images` is not a batch or `classes` is empty.
    TypeError
        If a class is not an integer.

    See Also
    --------
    grad_cam : Compute maps in both orders, for all classes in one pass.

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
        Object made with the model and its layers.
    images : torch.Tensor, shape (N, C, H, W)
        Images as the model takes them.
    classes : sequence of int
        Classes to compute maps of, for every image.

    Returns
    -------
    torch.Tensor of float32, shape (N, K, H, W)
        Maps on the pixels of the input, each rescaled to [0, 1].

    Raises
    ------
    ValueError
        If `images` is not a batch or `classes` is empty.
    TypeError
        If a class is not an integer.

    Warns
    -----
    NormalizedMapWarning
        Always, because the package rescales every map, and the map of every layer before it
        averages the layers.

    See Also
    --------
    grad_cam : Compute maps without rescaling, for all classes in one pass.

    Notes
    -----
    Rescaling does not change the NCC and AUC of a map of one layer. It changes maps that are mixed
    over classes or layers, because an absent class weighs as much as a present one. If there are
    fewer targets than images, the package gives no gradient to the last images, without a warning.
    This function passes one target for each image.

    Examples
    --------
    With grad-cam installed::

        cam = pytorch_grad_cam.GradCAM(model, target_layers=[model.layer4])
        maps = maps_from_grad_cam_package(cam, images, classes=[3])
    """
    chosen = _as_classes(classes, images)
    warn(
        "grad-cam rescales each map and the map of each layer to [0, 1], so maps of different "
        "classes or layers cannot be mixed. Use `grad_cam` for maps that can.",
        NormalizedMapWarning,
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
        The classifier. It is not changed, and still returns calibrated scores when called itself.

    Attributes
    ----------
    cam_layers : tuple of str
        Names of the modules whose outputs are Grad-CAM's features. Set only if the classifier has a
        module ``features``.

    See Also
    --------
    grad_cam : Compute maps of this model.

    Notes
    -----
    Grad-CAM is defined on logits. With ``op_threshs`` (operating points) or ``apply_sigmoid``, the
    classifier returns calibrated scores. Their derivative depends on the position of an image on
    the sigmoid and jumps at the operating point.

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
    """Return the logit of a class, of one image or of several."""
    return output[..., c]


def _as_classes(classes: Sequence[int], images: Tensor) -> tuple[int, ...]:
    """Check the classes, and that the images are a batch."""
    if not isinstance(images, Tensor) or images.ndim != 4 or images.numel() == 0:
        found = tuple(images.shape) if isinstance(images, Tensor) else type(images).__name__
        raise ValueError(f"`images` must be a non-empty tensor of shape (N, C, H, W), got {found}.")
    chosen = tuple(as_count(c, name=f"classes[{i}]", least=0) for i, c in enumerate(classes))
    if not chosen:
        raise ValueError("`classes` must have at least one class, got none.")
    return chosen
