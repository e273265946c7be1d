"""Grad-CAM of any network: all classes at once, raw, in the study's order or the textbook's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from gazesal._validation import as_choice, as_count, as_shape
from gazesal.adapters._autograd_graph import layout_of
from gazesal.adapters._channel_weights import channel_weights, require_independent, working
from gazesal.adapters._features import (
    last_feature_layer,
    require_features,
    require_layout,
    require_logits,
)
from gazesal.adapters._forward_pass import (
    Layers,
    Output,
    Run,
    as_images,
    as_layers,
    full_precision,
    require_differentiable,
    run,
    undisturbed,
)
from gazesal.adapters._resizing import to_image, to_input
from gazesal.adapters.geometry import InputGeometry, Inverse

__all__ = ["GradCam", "grad_cam", "grad_cam_from_tensors"]

Order = Literal["study", "textbook"]


@dataclass(frozen=True, kw_only=True, eq=False)
class GradCam:
    r"""Grad-CAM of a batch of images, for several classes.

    Attributes
    ----------
    logits : torch.Tensor, shape (N, n_classes)
        Logits of all classes.
    classes : tuple of int
        The K classes that there are maps of.
    layers : tuple of str
        Name of each stack of features.
    alphas : tuple of torch.Tensor, each of shape (N, K, C)
        Weight of each channel of each stack: the mean of the logit's gradient over space.
    stacks : tuple of torch.Tensor, each of shape (N, K, h, w)
        Sum of each stack's channels by their weights, at its own resolution, before any ReLU.
    input_shape : tuple of int
        (H, W) of the images that went into the network.
    order : {"study", "textbook"}
        See `grad_cam`.
    relu : bool
        Whether negative values are set to zero.

    Notes
    -----
    The maps of :footcite:t:`selvaraju2017`, mixed over the classes as :footcite:t:`bigolin2021` do;
    `grad_cam` has the equations.

    References
    ----------
    .. footbibliography::
    """

    logits: Tensor
    classes: tuple[int, ...]
    layers: tuple[str, ...]
    alphas: tuple[Tensor, ...]
    stacks: tuple[Tensor, ...]
    input_shape: tuple[int, int]
    order: Order
    relu: bool

    @cached_property
    def maps(self) -> Tensor:
        """Maps of shape (N, K, H, W) on the pixels of the network's input, not normalized."""
        return self._combined(self.stacks, lambda stack: to_input(stack, self.input_shape))

    def on_image(
        self, geometry: InputGeometry, index: int = 0, *, inverse: Inverse = "exact"
    ) -> Tensor:
        """Return the maps of one image on its own pixels.

        Parameters
        ----------
        geometry : InputGeometry
            Where the image lies in the network's input, as `preprocess` returns it.
        index : int, default 0
            Which image of the batch.
        inverse : {"exact", "study"}, default "exact"
            How maps are resized to the image; see `InputGeometry.to_image`.

        Returns
        -------
        torch.Tensor, shape (K, H, W)
            Maps, straight from the resolution of the features.

        Raises
        ------
        ValueError
            If there is no such image, the geometry is of another input, or `inverse` is
            ``"study"`` and the image was not padded as in the study.
        """
        index = as_count(index, name="index", least=0)
        if index >= len(self.logits):
            raise ValueError(f"`index` must be less than {len(self.logits)}, got {index}.")
        if geometry.input_shape != self.input_shape:
            raise ValueError(
                f"`geometry` must be of an input of {self.input_shape}, got one of "
                f"{geometry.input_shape}."
            )
        own = tuple(stack[index] for stack in self.stacks)
        return self._combined(own, lambda stack: to_image(stack, geometry, inverse))

    def _combined(self, stacks: Sequence[Tensor], resized: Callable[[Tensor], Tensor]) -> Tensor:
        """One map a class from the stacks, in the order asked for."""
        first = self.relu and self.order == "textbook"
        parts = [resized(stack.clamp(min=0) if first else stack) for stack in stacks]
        total = parts[0].clone() if len(parts) == 1 else parts[0] + parts[1]
        for part in parts[2:]:
            total += part
        if self.order == "study":
            total /= sum(alpha.shape[2] for alpha in self.alphas)
            if self.relu:
                total.clamp_(min=0)
        return total

    def __repr__(self) -> str:
        """Return sizes and options."""
        return (
            f"GradCam({len(self.logits)} images of {self.input_shape}, {len(self.classes)} "
            f"classes, layers={self.layers}, order={self.order!r}, relu={self.relu})"
        )


def grad_cam(
    model: nn.Module,
    images: ArrayLike | Tensor,
    layers: Layers = None,
    *,
    classes: Sequence[int] | None = None,
    order: Order = "study",
    relu: bool = True,
    output: Output = None,
) -> GradCam:
    r"""Compute Grad-CAM for all classes of a batch of images.

    Parameters
    ----------
    model : torch.nn.Module
        A classifier that returns logits, not probabilities. Wrapped by ``DataParallel`` or
        ``torch.compile``, the module inside is run. It is run in evaluation mode, and left as it
        was: modes, ``requires_grad``, gradients and hooks, also after an error.
    images : torch.Tensor or array_like, shape (N, C, H, W) or (C, H, W)
        Images as the model takes them; brought onto its device and to its precision.
    layers : str, torch.nn.Module, or sequence of these, optional
        Modules whose outputs (N, C, h, w) are the features, by name or themselves. By default the
        model's ``cam_layers`` if it has them, else the last module whose output clearly has this
        form; see Notes. Finding it costs a pass of the first image. Transformers have no default.
    classes : sequence of int, optional
        Classes to make maps of, for every image. By default all.
    order : {"study", "textbook"}, default "study"
        ``"study"``: each stack's sum is resized, the stacks are added and divided by their total
        number of channels, and negative values are set to zero at the end. ``"textbook"``:
        negative values are set to zero at each stack's own resolution, before resizing, and
        nothing is divided.
    relu : bool, default True
        Whether to set negative values to zero at all.
    output : int, str or callable, optional
        Where the logits are in what the model returns, where that is not a tensor: a position, a
        key or a function.

    Returns
    -------
    GradCam
        ``logits``, ``maps`` on the pixels of the input, and the maps on an image by
        ``on_image(geometry)``.

    Raises
    ------
    ValueError
        If no layer is given and none is clearly the default, the model was made in inference mode,
        a class is out of range, a layer does not exist, never runs, runs more than once, does not
        return features, returns tokens, or has no influence on the logits, the model returns
        probabilities, something other than logits or a value that is not finite, an image
        influences the logits of another, there is not one row of logits and features an image, or
        an option is out of range.
    TypeError
        If `model` is not a module, or a layer or class is of another type than said.

    Warns
    -----
    UserWarning
        If the model returns logarithms of probabilities.

    See Also
    --------
    mix_classes : One map from those of the classes.
    attention_maps : Maps of attention gates.
    saliency_from_model : From image files to maps that `evaluate` takes.

    Notes
    -----
    With features :math:`A^k` of all stacks and the logit :math:`y_c` of class :math:`c`,

    .. math:: \alpha_c^k = \frac{1}{hw} \sum_{ij} \frac{\partial y_c}{\partial A^k_{ij}}, \qquad
              M_c = \mathrm{ReLU}\Bigl(\sum_k \alpha_c^k A^k\Bigr),

    :footcite:t:`selvaraju2017`; equation 1 of :footcite:t:`bigolin2021`. The text leaves open when
    maps are resized; ``"study"`` is what the authors' code does. The two orders differ wherever a
    map changes sign, by 15 to 57% of its maximum on the study's networks. Maps are not normalized,
    so that maps of different classes can be mixed.

    The default layer is the last module that runs once, whose output comes from convolutions by
    operations that keep its last two axes, through which all of the logits depend on the image, and
    which no convolution, attention or linear layer at several places follows. All of this is read
    off the graph of derivatives. If there is no such module, `layers` must be given.

    All classes are differentiated in one batched pass, which stops at the features.

    Images of a batch must be independent: each image's logits may depend on its own features only.
    Where they do not, it is an error; such images can be given one at a time.

    A map may be zero everywhere, where no channel speaks for the class. That is a result, which
    `ncc` calls undefined (``nan``) and which has an AUC of exactly 0.5.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import torch
    >>> from gazesal.adapters.gradcam import grad_cam
    >>> from gazesal.cxr import load_model
    >>> model = load_model("sononet", n_classes=3)
    >>> grad_cam(model, torch.zeros(2, 3, 32, 48), classes=[0, 2])
    GradCam(2 images of (32, 48), 2 classes, layers=('features.10',), order='study', relu=True)
    """
    as_choice(order, get_args(Order), name="order")
    with undisturbed(model) as plain:
        batch = as_images(images, plain)
        require_differentiable(plain)
        given = as_layers(layers, plain, "cam_layers")
        named = given or last_feature_layer(plain, batch, output)
        done = run(plain, batch, named, output)
        _require_rows(done, len(batch), tuple(named))
        require_features(plain, given, done.kept[: len(given)], batch, output)
        require_logits(done.logits)
        chosen = _as_classes(classes, done.logits)
        alphas = channel_weights(done, chosen, tuple(named))
        require_independent(done, tuple(named))
        return _result(
            done,
            alphas,
            classes=chosen,
            layers=tuple(named),
            input_shape=(batch.shape[2], batch.shape[3]),
            order=order,
            relu=bool(relu),
        )


def grad_cam_from_tensors(
    logits: Tensor,
    features: Tensor | Sequence[Tensor],
    input_shape: tuple[int, int],
    *,
    classes: Sequence[int] | None = None,
    order: Order = "study",
    relu: bool = True,
) -> GradCam:
    """Compute Grad-CAM from the tensors of a forward pass of one's own.

    Parameters
    ----------
    logits : torch.Tensor, shape (N, n_classes)
        Logits, with their graph of derivatives, which is kept.
    features : torch.Tensor or sequence of torch.Tensor, each of shape (N, C, h, w)
        Features that the logits were computed from. Nothing may have changed them in place since.
    input_shape : tuple of int
        (H, W) of the images that went into the network.
    classes : sequence of int, optional
        Classes to make maps of. By default all.
    order : {"study", "textbook"}, default "study"
        See `grad_cam`.
    relu : bool, default True
        Whether to set negative values to zero.

    Returns
    -------
    GradCam
        As from `grad_cam`; its layers are called ``"0"``, ``"1"``, ....

    Raises
    ------
    ValueError
        If a tensor has another shape, the features are tokens or have channels at the end, the
        logits are probabilities or do not depend on the features, the logits of one image depend on
        the features of another, a value is not finite, or a class is out of range.
    TypeError
        If something is not a tensor, or a class is not an integer.

    Warns
    -----
    UserWarning
        If the logits are logarithms of probabilities.

    See Also
    --------
    grad_cam : Takes the model, and needs no forward pass of one's own.

    Notes
    -----
    The maps of :footcite:t:`selvaraju2017`, as :footcite:t:`bigolin2021` use them by default;
    `grad_cam` has the equations.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import torch
    >>> from gazesal.adapters.gradcam import grad_cam_from_tensors
    >>> features = torch.tensor([[[[1.0, -2.0]], [[0.0, 1.0]]]], requires_grad=True)
    >>> logits = (features * torch.tensor([1.0, 3.0])[:, None, None]).sum(dim=(2, 3))
    >>> grad_cam_from_tensors(logits, features, (1, 2), classes=[1], order="textbook").maps
    tensor([[[[0., 3.]]]])
    """
    as_choice(order, get_args(Order), name="order")
    stacks = (features,) if isinstance(features, Tensor) else tuple(features)
    for tensor, name, ndim in [
        (logits, "logits", 2),
        *((stack, "features", 4) for stack in stacks),
    ]:
        if not isinstance(tensor, Tensor):
            raise TypeError(f"`{name}` must be a tensor, got {type(tensor).__name__}.")
        if tensor.ndim != ndim or tensor.numel() == 0 or len(tensor) != len(logits):
            shape = "(N, classes)" if ndim == 2 else f"({len(logits)}, C, h, w)"
            raise ValueError(f"`{name}` must have shape {shape}, got {tuple(tensor.shape)}.")
        if not tensor.requires_grad:
            raise ValueError(
                f"`{name}` must have a graph of derivatives (requires_grad), but has none."
            )
    if not stacks:
        raise ValueError("`features` must be at least one tensor, got none.")
    names = tuple(str(i) for i in range(len(stacks)))
    chosen = _as_classes(classes, logits)
    spans = as_shape(input_shape, name="input_shape")
    for stack in stacks:
        if stack.grad_fn is not None:
            layout = layout_of(stack.grad_fn, tuple(stack.shape))
            require_layout(stack, layout, spans, "`features` must be")
    require_logits(logits, "`logits` must be")
    done = Run(logits=logits, kept=stacks)
    with full_precision(logits):
        alphas = channel_weights(done, chosen, names)
        require_independent(done, names)
        return _result(
            done,
            alphas,
            classes=chosen,
            layers=names,
            input_shape=spans,
            order=order,
            relu=bool(relu),
        )


def _as_classes(classes: Sequence[int] | None, logits: Tensor) -> tuple[int, ...]:
    n_classes = logits.shape[1]
    if classes is None:
        return tuple(range(n_classes))
    if isinstance(classes, (str, int)) or not hasattr(classes, "__iter__"):
        raise TypeError(f"`classes` must be a sequence of integers, got {classes!r}.")
    chosen = tuple(as_count(c, name=f"classes[{i}]", least=0) for i, c in enumerate(classes))
    wrong = [c for c in chosen if c >= n_classes]
    if wrong or not chosen:
        raise ValueError(
            f"`classes` must be at least one of 0 to {n_classes - 1}, got {wrong or chosen}."
        )
    return chosen


def _require_rows(done: Run, n_images: int, layers: tuple[str, ...]) -> None:
    """Raise unless there is one row of logits and of features an image."""
    names = ["the model must return logits"]
    names += [f"`layers` must return features ({layer!r})" for layer in layers]
    for tensor, what in zip((done.logits, *done.kept), names, strict=True):
        if len(tensor) != n_images:
            raise ValueError(
                f"{what} of one row an image, got {len(tensor)} rows for {n_images} images."
            )


def _result(
    done: Run,
    alphas: tuple[Tensor, ...],
    *,
    classes: tuple[int, ...],
    layers: tuple[str, ...],
    input_shape: tuple[int, int],
    order: Order,
    relu: bool,
) -> GradCam:
    logits = done.logits.detach()
    logits = logits.to(working(logits))
    stacks = []
    for alpha, features in zip(alphas, done.kept, strict=True):
        values = features.detach()
        stacks.append(torch.einsum("nkc,nchw->nkhw", alpha, values.to(working(values))))
    for name, tensor in (("logits", logits), *zip(layers, stacks, strict=True)):
        bad = ~torch.isfinite(tensor).flatten(1).all(dim=1)
        if bad.any():
            what = "logits" if name == "logits" else f"the map of {name!r}"
            raise ValueError(
                f"the model must return finite values, but {what} of image "
                f"{int(bad.nonzero()[0])} are NaN or infinite ({int(bad.sum())} of {len(bad)} "
                "images)."
            )
    return GradCam(
        logits=logits,
        classes=classes,
        layers=layers,
        alphas=alphas,
        stacks=tuple(stacks),
        input_shape=input_shape,
        order=order,
        relu=relu,
    )
