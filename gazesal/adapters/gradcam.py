"""Grad-CAM of any network, for all classes at once and without normalization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from numpy.typing import ArrayLike
from torch import Tensor, nn

from gazesal._validation import as_choice, as_count, as_shape
from gazesal.adapters._autograd_graph import layout_of
from gazesal.adapters._channel_weights import channel_weights, require_independent
from gazesal.adapters._class_maps import GradCam, Order, class_maps
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

__all__ = ["GradCam", "grad_cam", "grad_cam_from_tensors"]


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
        A classifier that returns logits, not probabilities. The module inside ``DataParallel``
        and ``torch.compile`` is run. It is run in evaluation mode. Its modes, ``requires_grad``,
        gradients and hooks are restored, also after an error.
    images : torch.Tensor or array_like, shape (N, C, H, W) or (C, H, W)
        Images as the model takes them. They are moved to its device and its precision.
    layers : str, torch.nn.Module, or sequence of these, optional
        Modules whose outputs (N, C, h, w) are the features, or their names. By default, the
        model's ``cam_layers`` if it has them, else the last module whose output clearly has this
        form (see Notes). Finding it costs a forward pass of the first image. Transformers have no
        default.
    classes : sequence of int, optional
        Classes to compute maps of, for every image. By default, all.
    order : {"study", "textbook"}, default "study"
        Order of the steps. ``"study"``: the sum of each stack is resized, the stacks are added and
        divided by their total number of channels, and negative values are set to zero at the end.
        ``"textbook"``: negative values are set to zero at the resolution of each stack, before
        resizing, without a division.
    relu : bool, default True
        If False, negative values are kept.
    output : int, str or callable, optional
        Position, key or function that finds the logits in the model's result. By default, the
        result itself is the logits.

    Returns
    -------
    GradCam
        Its attributes include ``logits`` and ``maps`` on the pixels of the input. Its method
        ``on_image(geometry)`` returns the maps on an image.

    Raises
    ------
    ValueError
        If no layer is given and there is no clear default, or a layer does not exist, never runs,
        runs more than once, does not return features, returns tokens, or has no influence on the
        logits. If the model was made in inference mode or returns probabilities, something other
        than logits, or a value that is not finite. If an image influences the logits of another,
        or there is not one row of logits and features per image. If a class or an option is out of
        range.
    TypeError
        If `model` is not a module, or a layer or class has another type than listed above.

    Warns
    -----
    UserWarning
        If the model returns logarithms of probabilities.

    See Also
    --------
    mix_classes : Mix the maps of the classes into one.
    attention_maps : Maps of attention gates.
    saliency_from_model : Maps of image files, for `evaluate`.

    Notes
    -----
    With features :math:`A^k` of all stacks and the logit :math:`y_c` of class :math:`c`,

    .. math:: \alpha_c^k = \frac{1}{hw} \sum_{ij} \frac{\partial y_c}{\partial A^k_{ij}}, \qquad
              M_c = \mathrm{ReLU}\Bigl(\sum_k \alpha_c^k A^k\Bigr),

    as in :footcite:t:`selvaraju2017` and in equation 1 of :footcite:t:`bigolin2021`. The text does
    not say when maps are resized, and ``"study"`` is the order in the authors' code. The two orders
    differ wherever a map changes sign, by 15 to 57% of its maximum on the study's networks. Maps
    are not normalized, so that maps of different classes can be mixed.

    The default layer is the last module with four properties, which are read from the graph of
    derivatives: it runs once, its output comes from convolutions by operations that keep its last
    two axes, all of the logits depend on the image through it alone, and no convolution, attention
    or linear layer at several places follows it. If there is no such module, `layers` must be
    given.

    All classes are differentiated in one batched backward pass, which stops at the features.

    Images of a batch must be independent: the logits of each image may depend only on its own
    features. Images that are not independent are an error and can be given one at a time.

    A map is zero everywhere if no channel is evidence for the class. Its NCC is undefined (``nan``)
    and its AUC is exactly 0.5.

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
        return class_maps(
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
    """Compute Grad-CAM from the tensors of the user's own forward pass.

    Parameters
    ----------
    logits : torch.Tensor, shape (N, n_classes)
        Logits with their graph of derivatives, which is kept.
    features : torch.Tensor or sequence of torch.Tensor, each of shape (N, C, h, w)
        Features that the logits were computed from. They must not have been changed in place since.
    input_shape : tuple of int
        (H, W) of the images that went into the network.
    classes : sequence of int, optional
        Classes to compute maps of. By default, all.
    order : {"study", "textbook"}, default "study"
        See `grad_cam`.
    relu : bool, default True
        If False, negative values are kept.

    Returns
    -------
    GradCam
        As from `grad_cam`. Its layers are named ``"0"``, ``"1"``, ....

    Raises
    ------
    ValueError
        If a tensor has another shape or a value that is not finite, or the features are tokens or
        have channels at the end. If the logits are probabilities, do not depend on the features, or
        depend on the features of another image. If a class is out of range.
    TypeError
        If `logits` or `features` is not a tensor, or a class is not an integer.

    Warns
    -----
    UserWarning
        If the logits are logarithms of probabilities.

    See Also
    --------
    grad_cam : Run the model as well.

    Notes
    -----
    The maps of :footcite:t:`selvaraju2017`, by default as :footcite:t:`bigolin2021` use them. The
    equations are in `grad_cam`.

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
                f"`{name}` must have a graph of derivatives, got a tensor without one. Run the "
                "forward pass with gradients enabled."
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
        return class_maps(
            done,
            alphas,
            classes=chosen,
            layers=names,
            input_shape=spans,
            order=order,
            relu=bool(relu),
        )


def _as_classes(classes: Sequence[int] | None, logits: Tensor) -> tuple[int, ...]:
    """Return the positions of the chosen classes, by default of all."""
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
    """Raise unless there is one row of logits and of features per image."""
    names = ["`model` must return logits"]
    names += [f"`layers` must return features ({layer!r})" for layer in layers]
    for tensor, what in zip((done.logits, *done.kept), names, strict=True):
        if len(tensor) != n_images:
            raise ValueError(
                f"{what} with one row per image, got {len(tensor)} rows for {n_images} images."
            )
