"""Files of features, from which the saliency maps of the study are made when they are scored.

On a radiograph of eight megapixels, a map takes 32 megabytes, and there are eight maps per image
and training. The features from which they are made take less than half a megabyte.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from gazesal._files import atomic_path
from gazesal.adapters.attention_gates import AttentionMaps, attention_maps
from gazesal.adapters.gradcam import GradCam, grad_cam
from gazesal.adapters.mixing import class_weights
from gazesal.cxr.images import ImageSource
from gazesal.cxr.preprocessing import preprocess
from gazesal.cxr.sononet import AttentionGatedSonoNet, SonoNet
from gazesal.cxr.training.settings import TrainingSettings
from gazesal.maps.input_geometry import InputGeometry
from gazesal.typing import FloatArray

__all__ = ["KINDS", "MapFromFeatures", "write_features"]

Kind = Literal["uniform", "weighted", "thresholded", "am1", "am2"]
KINDS: dict[str, dict[str, Kind]] = {  # rows of the study's tables by network
    "sononet": {f"woAG {kind}": kind for kind in ("thresholded", "weighted", "uniform")},
    "ag_sononet": {
        **{f"wAG {kind}": kind for kind in ("thresholded", "weighted", "uniform")},
        "AM1": "am1",
        "AM2": "am2",
    },
}


def write_features(
    model: SonoNet | AttentionGatedSonoNet,
    image: ImageSource,
    path: Path,
    settings: TrainingSettings,
) -> None:
    """Write the features from which all maps of an image are made."""
    tensor, geometry = preprocess(
        image,
        short_side=settings.evaluation_shortest_dimension,
        multiple=settings.evaluation_multiple,
        mean=settings.mean,
        std=settings.standard_deviation,
    )
    if len(tensor) == 1:
        tensor = tensor.expand(3, -1, -1)
    cam = grad_cam(model, tensor)
    arrays: dict[str, Any] = {
        "logits": cam.logits[0].detach().cpu().numpy(),
        "channels": np.array([alpha.shape[2] for alpha in cam.alphas]),
        "image_shape": np.array(geometry.image_shape),
        "input_shape": np.array(geometry.input_shape),
        "content": np.array(geometry.content),
    }
    for i, stack in enumerate(cam.stacks):
        arrays[f"stack{i}"] = stack[0].detach().cpu().numpy()
    if isinstance(model, AttentionGatedSonoNet):
        for i, stack in enumerate(attention_maps(model, tensor).stacks):
            arrays[f"gate{i}"] = stack[0].detach().cpu().numpy()
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)


@dataclass(frozen=True, slots=True)
class MapFromFeatures:
    """A map of one kind of one image, made from a file of features when it is called.

    Attributes
    ----------
    path : pathlib.Path
        File that `write_features` wrote.
    kind : str
        A value of `KINDS`.
    """

    path: Path
    kind: Kind

    def __call__(self) -> FloatArray:
        """Return the map, float32 of shape (H, W), on the pixels of the image."""
        with np.load(self.path, allow_pickle=False) as file:
            stored = {name: file[name] for name in file.files}
        content = tuple(stored["content"].tolist())
        geometry = InputGeometry(
            image_shape=tuple(stored["image_shape"].tolist()),
            input_shape=tuple(stored["input_shape"].tolist()),
            content=content,
        )
        if self.kind in {"am1", "am2"}:
            gates = AttentionMaps(
                logits=torch.zeros(1, 1),
                gates=(self.kind,),
                stacks=(
                    torch.from_numpy(stored["gate0" if self.kind == "am1" else "gate1"])[None],
                ),
                input_shape=geometry.input_shape,
            )
            return np.asarray(gates.on_image(geometry, inverse="study")[0].numpy())
        return _mixed(stored, geometry, self.kind)


def _mixed(stored: dict[str, Any], geometry: InputGeometry, scheme: Any) -> FloatArray:
    """Mix Grad-CAM maps over the classes, with the same bits as `mix_classes`.

    One class is resized at a time, to hold one full-size map in memory instead of fourteen.
    """
    weights = class_weights(stored["logits"], scheme)
    factors = (weights / weights.sum()).astype(np.float32)
    channels = stored["channels"].tolist()
    stacks = [torch.from_numpy(stored[f"stack{i}"])[None] for i in range(len(channels))]
    total: torch.Tensor | None = None
    for k, factor in enumerate(factors.tolist()):
        cam = GradCam(
            logits=torch.zeros(1, 1),
            classes=(0,),
            layers=tuple(map(str, range(len(channels)))),
            alphas=tuple(torch.empty(1, 1, n) for n in channels),
            stacks=tuple(stack[:, k : k + 1] for stack in stacks),
            input_shape=geometry.input_shape,
            order="study",
            relu=True,
        )
        part = factor * cam.on_image(geometry, inverse="study")[0]
        total = part if total is None else total.add_(part)
    assert total is not None  # noqa: S101 - there is at least one class
    return np.asarray(total.numpy())
