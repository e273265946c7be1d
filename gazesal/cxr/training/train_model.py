"""Training of a network from start to finish, in one run or several."""

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

from gazesal._digests import digest_of_facts
from gazesal._validation import as_choice, as_count
from gazesal.cxr.models import MODELS, ModelName
from gazesal.cxr.training.classifier import Classifier
from gazesal.cxr.training.fitting import Data, fit, make_trainer, quiet
from gazesal.cxr.training.labeled_images import LabeledImages
from gazesal.cxr.training.picture_cache import GIB
from gazesal.cxr.training.settings import TrainingSettings, settings_of_one_training
from gazesal.cxr.training.trainer_options import options_that_count, require_free_options
from gazesal.cxr.training.training_folder import (
    read_curve,
    repair_weights,
    require_resumable,
    require_same_run,
    write_weights,
)

__all__ = ["TrainedModel", "train"]

MOST_SEEDS = 2**32


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """Weights and curve of a finished training.

    Attributes
    ----------
    weights : pathlib.Path
        Weights of the best epoch, which `gazesal.cxr.load_model` reads.
    curve : pandas.DataFrame
        One row per epoch: epoch, learning_rate, train_loss, val_loss, val_auc.
    best_epoch : int
        Epoch of the weights, counted from 0.

    Notes
    -----
    `train` repeats the training of :footcite:t:`bigolin2021`.

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
    images: LabeledImages,
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
    """Train a network, or resume an interrupted training.

    Parameters
    ----------
    images : LabeledImages
        Images for training and validation.
    folder : str or path
        Folder of the training: ``last.ckpt`` after every epoch, ``best.ckpt``, ``curve.csv``,
        ``run.json``, and at the end ``weights.pt``, each written atomically. If it holds a training
        with the same images, settings, model, seed and precision, that training is resumed from its
        last epoch, or returned if it is finished. A lost curve and damaged weights are restored
        from the checkpoints.
    model : {"sononet", "ag_sononet"}, default "sononet"
        Network without or with attention gates.
    settings : TrainingSettings, optional
        Settings of the training. By default the preset ``"paper"``.
    seed : int, default 0
        Seed of weights, order and augmentations, below 2**32. No two seeds share the order of an
        epoch or an augmentation, not even consecutive seeds.
    workers : int, default 0
        Number of processes per device that read images. 0 reads them in the training process.
    cache : str or path, optional
        Folder for resized images, so that each file is decoded once. Several trainings may share
        it, also at the same time.
    cache_gib : float, default 50.0
        Space in the cache for the images of each split, GiB. The first images that fit are kept.
    progress : bool, default False
        Show progress bars.
    trainer : mapping, optional
        Options of Lightning's ``Trainer``, such as ``accelerator``, ``devices``, ``num_nodes``,
        ``strategy`` and ``precision``. By default one GPU if there is one. Options that the
        training sets itself, such as ``max_epochs``, raise an error.

    Returns
    -------
    TrainedModel
        Path of the weights, and the curve.

    Raises
    ------
    ValueError
        If an option is out of range, a split has no images, or an option of `trainer` is set by the
        training itself or does not work on this machine. If the folder holds another training or a
        damaged checkpoint, or does not hold the checkpoint that would restore a lost curve or
        damaged weights. If the settings monitor the AUC and no label has both positive and negative
        validation images.
    FileNotFoundError
        If a picture for training or validation is missing or empty.
    OSError
        If a checkpoint cannot be written, for example on a full disk. The message names it.
    ImportError
        If the extra ``training`` is not installed.

    See Also
    --------
    predict : Return the logits of a trained network.
    gazesal.cxr.load_model : Read the weights.

    Notes
    -----
    Follows section 3.1 of :footcite:t:`bigolin2021`, whose numbers are fields of
    `TrainingSettings`. A training that was killed and resumed has the same curve and weights as an
    uninterrupted one, to the bit on a CPU, because the order and the augmentations of an epoch
    depend only on the seed, the epoch and the image, for any number of workers. With several
    devices, each has its own order, and sums differ in the last digits.

    Validation uses batches of images of one size, and each image once. The AUC of an epoch is the
    mean over the labels that have positive and negative validation images. Logs for TensorBoard are
    written if tensorboard is installed.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from gazesal.cxr.training import LabeledImages, TrainingSettings, train
    >>> rng = np.random.default_rng(0)
    >>> pixels = rng.integers(0, 100, (12, 32, 32), dtype=np.uint8)
    >>> pixels[::2, 8:24, 8:24] += 100
    >>> images = LabeledImages(
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
    if not isinstance(images, LabeledImages):
        raise TypeError(f"`images` must be LabeledImages, got {type(images).__name__}.")
    as_choice(model, get_args(ModelName), name="model")
    seed = as_seed(seed)
    workers = as_count(workers, name="workers", least=0)
    require_free_options(trainer or {})
    has_area = _require_trainable(images, settings)
    folder = Path(folder)
    facts = {
        "model": model,
        "seed": seed,
        "settings": settings_of_one_training(settings),
        "images": images.fingerprint(),
        **options_that_count(trainer or {}),
    }
    weights, fingerprint = folder / "weights.pt", digest_of_facts(facts)
    if weights.is_file():
        require_same_run(folder, facts)
        repair_weights(weights, fingerprint)
    else:
        images.require_files("train", "validate")
        store = None if cache is None else Path(cache)
        with isolate_rng(), quiet():
            made = make_trainer(folder, settings, trainer or {}, progress=progress)
            require_same_run(folder, facts)
            require_resumable(folder, fingerprint)
            lightning.seed_everything(seed, workers=True, verbose=False)
            network = MODELS[model](len(images.labels))
            module = Classifier(network, settings, has_area, fingerprint)
            data = Data(images, settings, seed, workers, store, int(cache_gib * GIB))
            fit(made, module, data, folder / "last.ckpt")
        write_weights(folder / "best.ckpt", weights, fingerprint)
    curve = read_curve(folder / "curve.csv", fingerprint)
    return TrainedModel(weights=weights, curve=curve, best_epoch=_best_epoch(curve, settings))


def as_seed(value: int, last: int = 0) -> int:
    """Check a seed to which numbers up to `last` are added, and return it."""
    seed = as_count(value, name="seed", least=0)
    if seed + last >= MOST_SEEDS:
        largest = f", to which up to {last} is added" if last else ""
        raise ValueError(f"`seed` must be below 2**32, got {seed}{largest}. Use a smaller seed.")
    return seed


def _best_epoch(curve: pd.DataFrame, settings: TrainingSettings) -> int:
    """Return the first epoch with the best value, ignoring undefined values."""
    values = curve[f"val_{settings.monitor}"].to_numpy(np.float64)
    values = values if settings.monitor == "auc" else -values
    return int(np.where(np.isnan(values), -np.inf, values).argmax())


def _require_trainable(images: LabeledImages, settings: TrainingSettings) -> NDArray[np.bool_]:
    """Check that there are images to train and validate, and mark labels that have an AUC."""
    for split in ("train", "validate"):
        if not len(images.where(split)):
            raise ValueError(f"`images` must have images in the split {split!r}, got 0.")
    share = np.asarray(images.targets)[images.where("validate")].mean(axis=0)
    has_area = (share > 0) & (share < 1)
    if settings.monitor == "auc" and not has_area.any():
        raise ValueError(
            "`images` must have a label with both positive and negative validation images, got 0 "
            'such labels. Write monitor="loss" to choose the best epoch by the loss.'
        )
    return np.asarray(has_area)
