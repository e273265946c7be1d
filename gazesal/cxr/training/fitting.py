"""Lightning's trainer with the batches, checkpoints and curve of a training."""

from __future__ import annotations

import importlib.util
import io
import logging
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import lightning.pytorch as lightning
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.fabric.utilities.warnings import PossibleUserWarning
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO

from gazesal._files import atomic_path, naming
from gazesal._warnings import ignoring
from gazesal.cxr.training.batches import (
    EvaluationImages,
    TrainingImages,
    evaluation_loader,
    training_loader,
)
from gazesal.cxr.training.classifier import Classifier
from gazesal.cxr.training.labeled_images import LabeledImages
from gazesal.cxr.training.settings import TrainingSettings
from gazesal.cxr.training.training_folder import CURVE, write_curve

__all__ = ["Data", "fit", "make_trainer", "quiet"]


class Data(lightning.LightningDataModule):
    """Batches of each process of a training."""

    def __init__(
        self,
        images: LabeledImages,
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
        """Return the training batches of this process."""
        return training_loader(self.training, workers=self.workers, **self._place())

    def val_dataloader(self) -> Any:
        """Return the validation batches of this process."""
        return evaluation_loader(self.validation, workers=self.workers, **self._place())

    def _place(self) -> dict[str, int]:
        if self.trainer is None:
            return {"world_size": 1, "rank": 0}
        return {"world_size": self.trainer.world_size, "rank": self.trainer.global_rank}


class Curve(Callback):
    """Record the numbers of every epoch in the checkpoint, and in a table next to it."""

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
        self.rows.append(row | {name: float(values[name]) for name in CURVE if name not in row})
        if trainer.is_global_zero:
            write_curve(self.path, self.rows)

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows = list(state_dict["rows"])


class MovableCheckpoint(ModelCheckpoint):
    """A checkpoint that stays valid after the folder of its training was moved.

    In another folder, Lightning's own class forgets the value of the best epoch and would keep a
    worse epoch.
    """

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        def here(path: str) -> str:
            return str(Path(str(self.dirpath), Path(path).name)) if path else path

        moved: dict[str, Any] = {**state_dict, "dirpath": self.dirpath}
        for name in ("best_model_path", "kth_best_model_path", "last_model_path"):
            moved[name] = here(moved[name])
        moved["best_k_models"] = {here(k): v for k, v in moved["best_k_models"].items()}
        super().load_state_dict(moved)


class WholeCheckpoints(TorchCheckpointIO):
    """Writer of checkpoints that are complete even if the process is killed.

    Lightning's own writer uses the system's folder for temporary files. If it is on another disk,
    files are copied from it, and a kill during the copy leaves a damaged checkpoint.
    """

    def save_checkpoint(
        self,
        checkpoint: dict[str, Any],
        path: str | Path,
        storage_options: Any = None,  # noqa: ARG002 - Lightning's interface
    ) -> None:
        buffer = io.BytesIO()
        torch.save(checkpoint, buffer)
        target = Path(path)
        with naming(target, "earlier epochs are kept"), atomic_path(target) as temporary:
            temporary.write_bytes(buffer.getbuffer())


def make_trainer(
    folder: Path, settings: TrainingSettings, given: Mapping[str, Any], *, progress: bool
) -> lightning.Trainer:
    """Make Lightning's trainer, or raise a ValueError if it refuses the given options."""
    best = MovableCheckpoint(
        dirpath=folder,
        filename="best",
        monitor=f"val_{settings.monitor}",
        mode="max" if settings.monitor == "auc" else "min",
        enable_version_counter=False,
    )
    every = MovableCheckpoint(
        dirpath=folder,
        filename="last",
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    options = {"accelerator": "auto", "devices": 1, **given}
    plugins = options.pop("plugins", None) or []
    plugins = plugins if isinstance(plugins, (list, tuple)) else [plugins]
    try:
        return lightning.Trainer(
            max_epochs=settings.epochs,
            callbacks=[Curve(folder / "curve.csv"), best, every],
            logger=_logger(folder),
            default_root_dir=folder,
            enable_progress_bar=progress,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            log_every_n_steps=1,
            use_distributed_sampler=False,  # the loaders split the images between processes
            plugins=[*plugins, WholeCheckpoints()],
            **options,
        )
    except (MisconfigurationException, TypeError, ValueError) as error:
        listed = ", ".join(f"{name}={value!r}" for name, value in options.items())
        raise ValueError(
            f"`trainer` must have options that work on this machine, got {listed}: {error}"
        ) from error


def fit(trainer: lightning.Trainer, module: Classifier, data: Data, last: Path) -> None:
    """Train to the last epoch, starting from the last checkpoint if there is one."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        trainer.fit(
            module,
            datamodule=data,
            ckpt_path=last if last.is_file() else None,
            weights_only=True,
        )
    except SystemExit as end:  # Lightning exits on Ctrl-C, and leaves the signal ignored
        if not trainer.interrupted or not isinstance(end.__context__, KeyboardInterrupt):
            raise
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, handler)
        raise KeyboardInterrupt from end


def _logger(folder: Path) -> Any:
    """Return TensorBoard's logger, or False if it is not installed."""
    if importlib.util.find_spec("tensorboard") is None:
        return False
    from lightning.pytorch.loggers import TensorBoardLogger  # noqa: PLC0415 (an extra)

    return TensorBoardLogger(save_dir=folder, name="tensorboard", version="")


@contextmanager
def quiet() -> Iterator[None]:
    """Suppress Lightning's advice about choices that are made here or by the caller."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.WARNING)
    seeds = {name: os.environ.get(name) for name in ("PL_GLOBAL_SEED", "PL_SEED_WORKERS")}
    try:
        with (
            ignoring(category=PossibleUserWarning),  # workers, GPUs not used, ...
            ignoring("Checkpoint directory .* exists", category=UserWarning),
            # caused by Lightning's own use of torch
            ignoring(r"`isinstance\(treespec, LeafSpec\)`", category=FutureWarning),
        ):
            yield
    finally:
        logger.setLevel(level)
        for name, value in seeds.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
