"""Logits of a trained network."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import nn

from gazesal._validation import as_choice, as_count
from gazesal.adapters._forward_pass import full_precision
from gazesal.cxr.training.batches import EvaluationImages, evaluation_loader
from gazesal.cxr.training.classifier import normalized
from gazesal.cxr.training.labeled_images import LabeledImages
from gazesal.cxr.training.picture_cache import GIB
from gazesal.cxr.training.settings import TrainingSettings
from gazesal.typing import Float64Array

__all__ = ["predict"]


def predict(
    model: nn.Module,
    images: LabeledImages,
    split: Literal["train", "validate", "test"] = "test",
    *,
    settings: TrainingSettings | None = None,
    workers: int = 0,
    cache: str | Path | None = None,
    cache_gib: float = 50.0,
    device: str | torch.device = "cpu",
) -> Float64Array:
    """Return the logits of the images of a split.

    Parameters
    ----------
    model : torch.nn.Module
        A classifier, such as `gazesal.cxr.load_model` returns. It is moved to the device and set
        to evaluation mode.
    images : LabeledImages
        The images.
    split : {"train", "validate", "test"}, default "test"
        Split of the images.
    settings : TrainingSettings, optional
        Sizes, normalization and batch size. By default the preset ``"paper"``.
    workers : int, default 0
        Number of processes that read images (see `train`).
    cache : str or path, optional
        Folder for resized images (see `train`).
    cache_gib : float, default 50.0
        Space in the cache for the images of this split, GiB.
    device : str or torch.device, default "cpu"
        Device on which the model runs.

    Returns
    -------
    numpy.ndarray of float64, shape (N, L)
        Logits, in the order of ``images.where(split)``.

    Raises
    ------
    ValueError
        If the split has no images.

    See Also
    --------
    label_aucs : Compute the AUC of each label from the logits.

    Examples
    --------
    >>> import numpy as np
    >>> from gazesal.cxr import load_model
    >>> from gazesal.cxr.training import LabeledImages, predict
    >>> images = LabeledImages(
    ...     names=["a"],
    ...     sources=[np.zeros((40, 30), np.uint8)],
    ...     targets=np.zeros((1, 14), bool),
    ...     labels=range(14),
    ...     split=["test"],
    ...     patients=["1"],
    ... )
    >>> predict(load_model("sononet"), images).shape
    (1, 14)
    """
    settings = TrainingSettings() if settings is None else settings
    rows = images.where(as_choice(split, ("train", "validate", "test"), name="split"))
    if not len(rows):
        raise ValueError(f"`images` must have images in the split {split!r}, got 0.")
    store = None if cache is None else Path(cache)
    dataset = EvaluationImages(images, rows, settings, store, int(cache_gib * GIB))
    loader = evaluation_loader(dataset, workers=as_count(workers, name="workers", least=0))
    model = model.to(device).eval()
    out: Float64Array | None = None
    with torch.inference_mode(), full_precision(*model.parameters()):
        for batch, _, index in loader:
            logits = model(normalized(batch.to(device), settings)).double().cpu().numpy()
            out = np.full((len(rows), logits.shape[1]), np.nan) if out is None else out
            out[index.numpy()] = logits
    assert out is not None  # noqa: S101 - there is at least one batch
    return out
