"""Training from start to finish, also in several goes, and what a trained network predicts."""

from __future__ import annotations

import importlib.util
import io
import json
import logging
import os
import signal
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

import lightning.pytorch as lightning
import numpy as np
import pandas as pd
import torch
from lightning.fabric.utilities.warnings import PossibleUserWarning
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.utilities.seed import isolate_rng
from torch import nn

from gazesal._files import atomic_path, write_text
from gazesal._validation import as_choice, as_count
from gazesal.cxr.models import MODELS, ModelName
from gazesal.cxr.training.data import (
    EvaluationImages,
    TrainingImages,
    evaluation_loader,
    training_loader,
)
from gazesal.cxr.training.images import LabelledImages
from gazesal.cxr.training.module import Classifier, normalised
from gazesal.cxr.training.settings import TrainingSettings
from gazesal.typing import Float64Array

__all__ = ["TrainedModel", "predict", "train"]

GIB = 2**30


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
        ``run.json``, and at the end ``weights.pt``. If it holds a training with the same images,
        settings, model and seed, this goes on from its last epoch, or returns what it left.
    model : {"sononet", "ag_sononet"}, default "sononet"
        Without or with attention gates.
    settings : TrainingSettings, optional
        By default those of the study's text.
    seed : int, default 0
        Seed of weights, order and augmentations.
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
        ``strategy``, ``precision``, .... By default it takes one GPU if there is one.

    Returns
    -------
    TrainedModel
        Where the weights are, and the curve.

    Raises
    ------
    ValueError
        If the folder holds another training, an option is out of range, a split lacks images, or
        no label has both positive and negative validation images where the settings go by the AUC.
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
    seed = as_count(seed, name="seed", least=0)
    workers = as_count(workers, name="workers", least=0)
    has_area = _require_trainable(images, settings)
    folder = Path(folder)
    _require_same_run(folder, images, settings, model, seed)
    weights = folder / "weights.pt"
    if not weights.is_file():
        options = {"accelerator": "auto", "devices": 1, **(trainer or {})}
        store = None if cache is None else Path(cache)
        with isolate_rng(), _quiet():
            lightning.seed_everything(seed, workers=True, verbose=False)
            network = MODELS[model](len(images.labels))
            module = Classifier(network, settings, has_area)
            data = _Data(images, settings, seed, workers, store, int(cache_gib * GIB))
            _fit(module, data, folder, settings, options, progress=progress)
        _write_weights(folder / "best.ckpt", weights)
    curve = pd.read_csv(folder / "curve.csv")
    column = curve[f"val_{settings.monitor}"].to_numpy(np.float64)
    best = int(column.argmax() if settings.monitor == "auc" else column.argmin())
    return TrainedModel(weights=weights, curve=curve, best_epoch=best)


def predict(
    model: nn.Module,
    images: LabelledImages,
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
        A classifier, such as `gazesal.cxr.load_model` returns; it is moved to the device and put
        into evaluation mode.
    images : LabelledImages
        The images.
    split : {"train", "validate", "test"}, default "test"
        Which of them.
    settings : TrainingSettings, optional
        How they are prepared, and how many at a time. By default those of the study's text.
    workers : int, default 0
        Processes that read images; see `train`.
    cache : str or path, optional
        Folder for shrunk images; see `train`.
    cache_gib : float, default 50.0
        How much of it this split's images may fill.
    device : str or torch.device, default "cpu"
        Where to run.

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
    label_aucs : How good they are.

    Examples
    --------
    >>> import numpy as np
    >>> from gazesal.cxr import load_model
    >>> from gazesal.cxr.training import LabelledImages, predict
    >>> images = LabelledImages(
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
        raise ValueError(f"`images` must have some in the split {split!r}, got none.")
    store = None if cache is None else Path(cache)
    dataset = EvaluationImages(images, rows, settings, store, int(cache_gib * GIB))
    loader = evaluation_loader(dataset, workers=as_count(workers, name="workers", least=0))
    model = model.to(device).eval()
    out: Float64Array | None = None
    with torch.inference_mode():
        for batch, _, index in loader:
            logits = model(normalised(batch.to(device), settings)).double().cpu().numpy()
            out = np.full((len(rows), logits.shape[1]), np.nan) if out is None else out
            out[index.numpy()] = logits
    assert out is not None  # noqa: S101 - there is at least one batch
    return out


class _Data(lightning.LightningDataModule):
    """Batches of each process of a training."""

    def __init__(
        self,
        images: LabelledImages,
        settings: TrainingSettings,
        seed: int,
        workers: int,
        cache: Path | None,
        cache_bytes: int,
    ) -> None:
        super().__init__()
        options = (settings, cache, cache_bytes)
        self.training = TrainingImages(images, images.where("train"), *options, seed=seed)
        self.validation = EvaluationImages(images, images.where("validate"), *options)
        self.workers = workers

    def train_dataloader(self) -> Any:
        return training_loader(self.training, workers=self.workers, **self._place())

    def val_dataloader(self) -> Any:
        return evaluation_loader(self.validation, workers=self.workers, **self._place())

    def _place(self) -> dict[str, int]:
        if self.trainer is None:
            return {"world_size": 1, "rank": 0}
        return {"world_size": self.trainer.world_size, "rank": self.trainer.global_rank}


class _Curve(Callback):
    """Keep the numbers of every epoch in the checkpoint, and in a table beside it."""

    COLUMNS = ("learning_rate", "train_loss", "val_loss", "val_auc")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[dict[str, float]] = []

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        values = trainer.callback_metrics | {
            "learning_rate": trainer.optimizers[0].param_groups[0]["lr"],
            "train_loss": cast("Classifier", pl_module).train_loss.compute(),
        }
        row = {"epoch": trainer.current_epoch}
        self.rows.append(row | {name: float(values[name]) for name in self.COLUMNS})
        if trainer.is_global_zero:
            write_text(self.path, pd.DataFrame(self.rows).to_csv(index=False, lineterminator="\n"))

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows = list(state_dict["rows"])


def _fit(
    module: Classifier,
    data: _Data,
    folder: Path,
    settings: TrainingSettings,
    options: dict[str, Any],
    *,
    progress: bool,
) -> None:
    """Train to the last epoch, from the last checkpoint if there is one."""
    last = folder / "last.ckpt"
    best = ModelCheckpoint(
        dirpath=folder,
        filename="best",
        monitor=f"val_{settings.monitor}",
        mode="max" if settings.monitor == "auc" else "min",
        enable_version_counter=False,
    )
    every = ModelCheckpoint(
        dirpath=folder,
        filename="last",
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    trainer = lightning.Trainer(
        max_epochs=settings.epochs,
        callbacks=[_Curve(folder / "curve.csv"), best, every],
        logger=_logger(folder),
        default_root_dir=folder,
        enable_progress_bar=progress,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        log_every_n_steps=1,
        use_distributed_sampler=False,  # the loaders part the images themselves
        **options,
    )
    handler = signal.getsignal(signal.SIGINT)
    try:
        trainer.fit(
            module,
            datamodule=data,
            ckpt_path=last if last.is_file() else None,
            weights_only=True,
        )
    except SystemExit as end:  # what Lightning makes of Ctrl-C, of which it takes no more
        if not trainer.interrupted or not isinstance(end.__context__, KeyboardInterrupt):
            raise
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, handler)
        raise KeyboardInterrupt from end


def _logger(folder: Path) -> Any:
    """TensorBoard's, where it is installed."""
    if importlib.util.find_spec("tensorboard") is None:
        return False
    from lightning.pytorch.loggers import TensorBoardLogger  # noqa: PLC0415

    return TensorBoardLogger(save_dir=folder, name="tensorboard", version="")


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave out Lightning's advice, which is on choices made here or by the caller."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.WARNING)
    seeds = {name: os.environ.get(name) for name in ("PL_GLOBAL_SEED", "PL_SEED_WORKERS")}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PossibleUserWarning)  # workers, GPUs not used, ...
            warnings.filterwarnings("ignore", "Checkpoint directory .* exists", UserWarning)
            # Lightning's own use of torch
            warnings.filterwarnings("ignore", r"`isinstance\(treespec, LeafSpec\)`", FutureWarning)
            yield
    finally:
        logger.setLevel(level)
        for name, value in seeds.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _require_trainable(images: LabelledImages, settings: TrainingSettings) -> Any:
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
    return has_area


def _require_same_run(
    folder: Path, images: LabelledImages, settings: TrainingSettings, model: str, seed: int
) -> None:
    """Write down what is trained, or raise if the folder holds another training."""
    this = {
        "model": model,
        "seed": seed,
        "settings": _of_one_training(settings.to_dict()),
        "images": images.fingerprint(),
    }
    path = folder / "run.json"
    if path.is_file():
        there = json.loads(path.read_text(encoding="utf-8"))
        there["settings"] = _of_one_training(there.get("settings", {}))
        differing = [name for name in this if there.get(name) != this[name]]
        if differing:
            raise ValueError(
                f"{folder}: holds a training that differs in {', '.join(differing)}; choose "
                "another folder or take it away."
            )
    else:
        write_text(path, json.dumps(this, indent=1) + "\n")


def _of_one_training(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings that a training depends on: how many there are is not among them."""
    return {name: value for name, value in settings.items() if name != "models"}


def _write_weights(checkpoint: Path, weights: Path) -> None:
    """Write the network's weights alone."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)["state_dict"]
    own = {
        name.removeprefix("network."): value
        for name, value in state.items()
        if name.startswith("network.")
    }
    buffer = io.BytesIO()  # torch.save writes a path's own name into the file
    torch.save(own, buffer)
    with atomic_path(weights) as temporary:
        temporary.write_bytes(buffer.getvalue())
