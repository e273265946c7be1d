"""Saliency maps of image files by a model, as an evaluation takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from gazesal._validation import as_choice, as_count
from gazesal.adapters._class_maps import Order
from gazesal.adapters._forward_pass import Layers, Output, unwrapped
from gazesal.adapters.attention_gates import attention_maps
from gazesal.adapters.gradcam import grad_cam
from gazesal.adapters.mixing import Scheme, mix_classes
from gazesal.maps.input_geometry import InputGeometry, Inverse
from gazesal.typing import FloatArray

__all__ = ["saliency_from_model"]

MapMethod = Literal["grad_cam", "attention"]


@dataclass(frozen=True, kw_only=True)
class _Maker:
    """Function that makes the map of one image, with options that all images share."""

    model: nn.Module
    preprocess: Callable[[Any], Any]
    method: MapMethod
    layers: Layers
    classes: tuple[int, ...] | None
    scheme: Scheme | ArrayLike
    no_finding: int
    gate: int
    order: Order
    inverse: Inverse
    output: Output

    def __call__(self, image: Any) -> FloatArray:
        """Return the map of an image, shape (H, W)."""
        made = self.preprocess(image)
        tensor, geometry = made if isinstance(made, tuple) else (made, None)
        if not isinstance(tensor, Tensor) or tensor.ndim != 3:
            raise ValueError(
                "`preprocess` must return a tensor (C, H, W), alone or with its InputGeometry, got "
                f"{type(tensor).__name__}"
                f"{f' of shape {tuple(tensor.shape)}' if isinstance(tensor, Tensor) else ''}."
            )
        if geometry is not None and not isinstance(geometry, InputGeometry):
            raise TypeError(
                f"`preprocess` must return an InputGeometry second, got {type(geometry).__name__}."
            )
        if geometry is None and self.inverse == "study":
            raise ValueError(
                '`inverse="study"` must be used with an InputGeometry, but `preprocess` returned a '
                "tensor alone. Return the geometry with it, or omit `inverse`."
            )
        if self.method == "attention":
            gates = attention_maps(self.model, tensor, self.layers, output=self.output)
            if self.gate >= len(gates.gates):
                raise ValueError(f"`gate` must be less than {len(gates.gates)}, got {self.gate}.")
            maps = gates.on_image(geometry, inverse=self.inverse) if geometry else gates.maps[0]
            return self._as_array(maps[self.gate])
        cam = grad_cam(
            self.model,
            tensor,
            self.layers,
            classes=self.classes,
            order=self.order,
            output=self.output,
        )
        maps = cam.on_image(geometry, inverse=self.inverse) if geometry else cam.maps[0]
        logits = cam.logits[0, list(cam.classes)]
        return self._as_array(mix_classes(maps, logits, self.scheme, no_finding=self.no_finding))

    @staticmethod
    def _as_array(saliency_map: Tensor) -> FloatArray:
        return np.asarray(saliency_map.cpu().numpy())


@dataclass(frozen=True, kw_only=True)
class LazyMap:
    """Map of one image, computed when it is called.

    A checkpoint identifies it by its image, weights and options when an evaluation begins.

    Attributes
    ----------
    image : object
        A file or pixels.
    """

    image: Any
    _make: _Maker

    def __call__(self) -> FloatArray:
        """Return the map, shape (H, W)."""
        return self._make(self.image)

    def __repr__(self) -> str:
        """Return the image and the method as text."""
        shown = self.image if isinstance(self.image, (str, Path)) else type(self.image).__name__
        return f"LazyMap({shown!s}, {self._make.method})"


def saliency_from_model(
    model: nn.Module,
    images: Mapping[str, Any] | Iterable[str | Path],
    method: MapMethod = "grad_cam",
    *,
    preprocess: Callable[[Any], Any] | None = None,
    layers: Layers = None,
    classes: Iterable[int] | None = None,
    scheme: Scheme | ArrayLike = "uniform",
    no_finding: int = 0,
    gate: int = 0,
    order: Order = "study",
    inverse: Inverse = "exact",
    output: Output = None,
) -> dict[str, Callable[[], FloatArray]]:
    """Make saliency maps of image files with a model, each when it is needed.

    Parameters
    ----------
    model : torch.nn.Module
        A classifier that returns logits. See `grad_cam`.
    images : mapping of str, or iterable of str or path
        Images by name, as `preprocess` takes them. Or files, whose names without suffix become the
        names of the images.
    method : {"grad_cam", "attention"}, default "grad_cam"
        Grad-CAM mixed over classes, or the map of an attention gate.
    preprocess : callable, optional
        Function that makes the model's input from one image: a tensor (C, H, W), or a tuple of the
        tensor and its `InputGeometry`, as `gazesal.cxr.preprocess` does. Without geometry, maps
        stay on the pixels of the input. By default, the model's own ``preprocess``, as the study's
        networks have it.
    layers : str, torch.nn.Module, or sequence of these, optional
        Features for Grad-CAM, or gates. See `grad_cam` and `attention_maps`.
    classes : iterable of int, optional
        Classes to mix. By default, all.
    scheme : {"uniform", "weighted", "thresholded", "highest"} or array_like, default "uniform"
        Weights of the classes. See `mix_classes`.
    no_finding : int, default 0
        Position of the class that ``"thresholded"`` falls back to. See `mix_classes`.
    gate : int, default 0
        Position of the gate whose map is taken.
    order : {"study", "textbook"}, default "study"
        Order of the steps. See `grad_cam`.
    inverse : {"exact", "study"}, default "exact"
        Method of resizing the maps to the image. See `InputGeometry.to_image`. ``"study"`` applies
        only to images that `gazesal.cxr.preprocess` prepared.
    output : int, str or callable, optional
        Position, key or function that finds the logits in the model's result. See `grad_cam`.

    Returns
    -------
    dict of callable
        For each image, a function without arguments that returns the map, shape (H, W), float32.
        `cases_from_tables` and `cases_from_reflacx` take the dictionary as the maps of a method.

    Raises
    ------
    ValueError
        If there are no images, two images have the same name, an option is out of range, or there
        is no `preprocess`. The functions raise the errors of `preprocess` and `grad_cam`.
    TypeError
        If an option has another type than listed above.

    See Also
    --------
    grad_cam, attention_maps : Compute the maps of each image.
    evaluate : Score the maps. It computes each map twice, once to check it and once to score it, in
        its worker processes, each of which receives the model.

    Notes
    -----
    Maps are not kept in memory, so any number of images takes the memory of one image per worker.
    The order of torch's sums depends on the number of threads, so the last digits of a map in
    float32 may differ between machines and numbers of workers. Save the maps if every bit must stay
    the same.

    The maps are by :footcite:t:`selvaraju2017`, or from the gates of :footcite:t:`schlemper2019`,
    as :footcite:t:`bigolin2021` score them.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> import numpy as np
    >>> from gazesal.adapters.from_model import saliency_from_model
    >>> from gazesal.cxr import load_model
    >>> images = {"7": np.zeros((30, 20), np.uint8), "9": np.zeros((25, 25), np.uint8)}
    >>> maps = saliency_from_model(load_model("sononet"), images, scheme="weighted")
    >>> maps["7"]().shape, maps["9"]().shape
    ((30, 20), (25, 25))
    """
    as_choice(method, get_args(MapMethod), name="method")
    classes = None if classes is None else tuple(classes)
    as_choice(order, get_args(Order), name="order")
    as_choice(inverse, get_args(Inverse), name="inverse")
    if isinstance(scheme, str):
        as_choice(scheme, get_args(Scheme), name="scheme")
    if preprocess is None:
        preprocess = cast("Callable[[Any], Any]", getattr(unwrapped(model), "preprocess", None))
    if not callable(preprocess):
        raise ValueError(  # noqa: TRY004 (it was not given)
            f"`preprocess` must be given, because {type(unwrapped(model)).__name__} has no method "
            "`preprocess`."
        )
    make = _Maker(
        model=model,
        preprocess=preprocess,
        method=method,
        layers=_by_names(model, layers),
        classes=classes,
        scheme=scheme,
        no_finding=as_count(no_finding, name="no_finding", least=0),
        gate=as_count(gate, name="gate", least=0),
        order=order,
        inverse=inverse,
        output=output,
    )
    return {name: LazyMap(image=image, _make=make) for name, image in _by_name(images).items()}


def _by_names(model: nn.Module, layers: Layers) -> Layers:
    """Replace modules by their names, because two modules may have the same state."""
    if isinstance(layers, str) or not isinstance(layers, (nn.Module, Sequence)):
        return layers
    names: dict[int, str] = {id(each): name for name, each in unwrapped(model).named_modules()}
    listed = [layers] if isinstance(layers, nn.Module) else layers
    return [names.get(id(layer), layer) for layer in listed]


def _by_name(images: Mapping[str, Any] | Iterable[str | Path]) -> dict[str, Any]:
    """Return images by name, with the names of files if there is no mapping."""
    if isinstance(images, Mapping):
        named = {str(name): image for name, image in images.items()}
    else:
        if isinstance(images, (str, Path, torch.Tensor, np.ndarray)):
            raise TypeError(
                f"`images` must be a mapping or several files, got {type(images).__name__}."
            )
        named = {}
        for path in map(Path, images):
            if path.stem in named:
                raise ValueError(
                    f"`images` must have different names, got {named[path.stem]} and {path}."
                )
            named[path.stem] = path
    if not named:
        raise ValueError("`images` must have at least one image, got none.")
    return named
