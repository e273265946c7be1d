"""Training from start to finish, also in several goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import lightning.pytorch as lightning
import numpy as np
import pandas as pd
from lightning.pytorch.utilities.seed import isolate_rng
from numpy.typing import NDArray

from gazesal._validation import as_choice, as_count
from gazesal.cxr.models import MODELS, ModelName
from gazesal.cxr.training.classifier import Classifier
from gazesal.cxr.training.fitting import Data, fit, make_trainer, quiet
from gazesal.cxr.training.labeled_images import LabelledImages
from gazesal.cxr.training.settings import TrainingSettings
from gazesal.cxr.training.trainer_options import require_free_switches, switches_that_count
from gazesal.cxr.training.training_folder import (
    mark_of,
    read_curve,
    repair_weights,
    require_resumable,
    require_same_run,
    settings_of_one,
    write_weights,
)

__all__ = ["TrainedModel", "train"]

GIB = 2**30
MOST_SEEDS = 2**32


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """What a training left.

    Attributes
    ----------
    weights : pathlib.Path
        Weights of the best epoch, which `gazesal.cxr.load_model` reads.
    curve : pandas.DataFrame
        One row an epoch: epoch, learning_rate, train_loss, val_loss, val_auc.
    best_epoch : int
        The epoch of the weights, from 0.

    Notes
    -----
    The training is that of :footcite:t:`bigolin2021`; `train` runs it.

    References
    ----------
    .. footbibliography::
    """

    weights: Path
    curve: pd.DataFrame
    best_epoch: int

    def __repr__(self) -> str:
        best = self.curve.set_index("epoch").loc[self.best_epoch]
        return (
            f"TrainedModel(best of {len(self.curve)} epochs: {self.best_epoch}, "
            f"val_auc={best['val_auc']:.3f}, val_loss={best['val_loss']:.3f})"
        )


def train(
    images: LabelledImages,
    folder: str | Path,
    *,
    model: ModelName = "sononet",
    settings: TrainingSettings | None = None,
    seed: int = 0,
    workers: int = 0,
    cache: str | Path | None = None,
    cache_gib: float = 50.0,
    progress: bool = False,
    trainer: Mapping[str, Any] | None = None,
) -> TrainedModel:
    """Train one of the study's networks, or go on with a training that was cut off.

    Parameters
    ----------
    images : LabelledImages
        Images to train and to validate on.
    folder : str or path
        Where the training is kept: ``last.ckpt`` after every epoch, ``best.ckpt``, ``curve.csv``,
        ``run.json``, and at the end ``weights.pt``, each written whole or not at all. If it holds a
        training with the same images, settings, model, seed and precision, this goes on from its
        last epoch, or returns what it left; a curve that is lost and weights that are torn are
        written again from the checkpoints.
    model : {"sononet", "ag_sononet"}, default "sononet"
        Without or with attention gates.
    settings : TrainingSettings, optional
        By default those of the study's text.
    seed : int, default 0
        Seed of weights, order and augmentations, below 2**32. No two seeds share the order of an
        epoch or an augmentation, also if they are neighbors.
    workers : int, default 0
        Processes that read images, on each device; 0 reads them in between.
    cache : str or path, optional
        Folder for shrunk images, so that each file is decoded once. Several trainings may share
        it, also at the same time.
    cache_gib : float, default 50.0
        How much each split's images may fill of it; the first that fit are kept.
    progress : bool, default False
        Show progress bars.
    trainer : mapping, optional
        Switches of Lightning's ``Trainer``: ``accelerator``, ``devices``, ``num_nodes``,
        ``strategy``, ``precision``, .... By default it takes one GPU if there is one. Those that
        the training sets itself, such as ``max_epochs``, are refused.

    Returns
    -------
    TrainedModel
        Where the weights are, and the curve.

    Raises
    ------
    ValueError
        If the folder holds another training or a checkpoint that is torn, or lacks the one that
        would bring a lost curve or torn weights back, an option is out of
        range, a split lacks images, a switch of `trainer` is not free or does not work on this
        machine, or no label has both positive and negative validation images where the settings go
        by the AUC.
    FileNotFoundError
        If a picture to train or validate on is missing or empty.
    OSError
        If a checkpoint cannot be written, as on a full disk; the message names it.
    ImportError
        If the extra ``training`` is not installed.

    See Also
    --------
    predict : What it says of images.
    gazesal.cxr.load_model : Reads the weights.

    Notes
    -----
    Section 3.1 of :footcite:t:`bigolin2021`; `TrainingSettings` names its numbers. A training that
    is killed and gone on with has the same curve and weights, to the bit on a CPU, as one that is
    not: the order and the augmentations of an epoch depend on the seed, the epoch and the image
    alone, for any number of workers. On several devices each has its own order, and sums differ
    in the last digits.

    Validation images are seen in batches of one size, each once. The AUC of an epoch is the mean
    over the labels that have positive and negative validation images. TensorBoard's files are
    written where tensorboard is installed.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from gazesal.cxr.training import LabelledImages, TrainingSettings, train
    >>> rng = np.random.default_rng(0)
    >>> pixels = rng.integers(0, 100, (12, 32, 32), dtype=np.uint8)
    >>> pixels[::2, 8:24, 8:24] += 100
    >>> images = LabelledImages(
    ...     names=range(12),
    ...     sources=list(pixels),
    ...     targets=(np.arange(12) % 2 == 0)[:, None],
    ...     labels=["square"],
    ...     split=["train"] * 8 + ["validate"] * 4,
    ...     patients=range(12),
    ... )
    >>> settings = TrainingSettings.preset("smoke").with_changes(
    ...     epochs=2, shortest_dimension=32, center_crop=32, evaluation_shortest_dimension=32
    ... )
    >>> with TemporaryDirectory() as folder:
    ...     trained = train(images, folder, settings=settings, trainer={"accelerator": "cpu"})
    >>> list(trained.curve["epoch"])
    [0, 1]
    """
    settings = TrainingSettings() if settings is None else settings
    if not isinstance(settings, TrainingSettings):
        raise TypeError(f"`settings` must be TrainingSettings, got {type(settings).__name__}.")
    if not isinstance(images, LabelledImages):
        raise TypeError(f"`images` must be LabelledImages, got {type(images).__name__}.")
    as_choice(model, get_args(ModelName), name="model")
    seed = as_seed(seed)
    workers = as_count(workers, name="workers", least=0)
    require_free_switches(trainer or {})
    has_area = _require_trainable(images, settings)
    folder = Path(folder)
    facts = {
        "model": model,
        "seed": seed,
        "settings": settings_of_one(settings.to_dict()),
        "images": images.fingerprint(),
        **switches_that_count(trainer or {}),
    }
    weights, mark = folder / "weights.pt", mark_of(facts)
    if weights.is_file():
        require_same_run(folder, facts)
        repair_weights(weights, mark)
    else:
        images.require_files("train", "validate")
        store = None if cache is None else Path(cache)
        with isolate_rng(), quiet():
            made = make_trainer(folder, settings, trainer or {}, progress=progress)
            require_same_run(folder, facts)
            require_resumable(folder, mark)
            lightning.seed_everything(seed, workers=True, verbose=False)
            network = MODELS[model](len(images.labels))
            module = Classifier(network, settings, has_area, mark)
            data = Data(images, settings, seed, workers, store, int(cache_gib * GIB))
            fit(made, module, data, folder / "last.ckpt")
        write_weights(folder / "best.ckpt", weights, mark)
    curve = read_curve(folder / "curve.csv", mark)
    return TrainedModel(weights=weights, curve=curve, best_epoch=_best_epoch(curve, settings))


def as_seed(value: int, last: int = 0) -> int:
    """A seed that may be counted up by `last`."""
    seed = as_count(value, name="seed", least=0)
    if seed + last >= MOST_SEEDS:
        counted = f", counted up to {seed + last}" if last else ""
        raise ValueError(f"`seed` must be below 2**32, got {seed}{counted}.")
    return seed


def _best_epoch(curve: pd.DataFrame, settings: TrainingSettings) -> int:
    """The first epoch of the best value; one that is undefined is none."""
    values = curve[f"val_{settings.monitor}"].to_numpy(np.float64)
    values = values if settings.monitor == "auc" else -values
    return int(np.where(np.isnan(values), -np.inf, values).argmax())


def _require_trainable(images: LabelledImages, settings: TrainingSettings) -> NDArray[np.bool_]:
    """Raise unless there is something to train and to choose by; return labels with an AUC."""
    for split in ("train", "validate"):
        if not len(images.where(split)):
            raise ValueError(f"`images` must have some in the split {split!r}, got none.")
    share = np.asarray(images.targets)[images.where("validate")].mean(axis=0)
    has_area = (share > 0) & (share < 1)
    if settings.monitor == "auc" and not has_area.any():
        raise ValueError(
            "`images` must have a label with positive and negative validation images, or no AUC "
            'chooses an epoch; got none. monitor="loss" goes by the loss.'
        )
    return np.asarray(has_area)
