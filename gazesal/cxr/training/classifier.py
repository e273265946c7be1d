"""A network in training, as a module of Lightning: loss, AUCs and learning rate."""

from __future__ import annotations

from typing import Any, cast

import lightning.pytorch as lightning
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torchmetrics import MeanMetric
from torchmetrics.classification import BinaryAUROC

from gazesal.cxr.training.batches import Item
from gazesal.cxr.training.settings import TrainingSettings
from gazesal.cxr.training.training_folder import FINGERPRINT

__all__ = ["Classifier", "normalized"]


def normalized(images: Tensor, settings: TrainingSettings) -> Tensor:
    """Normalize 8-bit images of shape (N, 1, H, W) to the networks' input, (N, 3, H, W)."""
    offset, scale = (
        torch.tensor(values, dtype=torch.float32, device=images.device)[:, None, None]
        for values in (settings.mean, settings.standard_deviation)
    )
    return (images.to(torch.float32) / 255 - offset) / scale


class Classifier(lightning.LightningModule):
    """A network in training.

    The learning rate is reduced here and not by Lightning. Lightning saves the last checkpoint of
    an epoch before it reduces the rate, so a resumed training would have another rate.
    """

    def __init__(
        self,
        network: nn.Module,
        settings: TrainingSettings,
        has_area: NDArray[np.bool_],
        fingerprint: str,
    ) -> None:
        super().__init__()
        self.network = network
        self.settings = settings
        self.fingerprint = fingerprint
        self.labels_with_area = np.flatnonzero(has_area).tolist()
        self.train_loss = MeanMetric()
        self.val_loss = MeanMetric()
        self.val_aucs = nn.ModuleList(BinaryAUROC() for _ in self.labels_with_area)
        self.areas = cast("list[BinaryAUROC]", list(self.val_aucs))
        self.schedule: ReduceLROnPlateau | None = None
        self._schedule_state: dict[str, Any] | None = None

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Make the optimizer and the schedule of the learning rate."""
        settings = self.settings
        optimizer = torch.optim.Adam(
            self.network.parameters(),
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
        )
        self.schedule = ReduceLROnPlateau(
            optimizer,
            mode="max" if settings.monitor == "auc" else "min",
            factor=settings.learning_rate_factor,
            patience=settings.epochs_without_improvement - 1,
            threshold=settings.least_improvement,
        )
        if self._schedule_state is not None:
            self.schedule.load_state_dict(self._schedule_state)
        return optimizer

    def training_step(self, batch: Item, _index: int) -> Tensor:
        """Return the loss of a training batch."""
        images, targets, _ = batch
        logits = self.network(normalized(images, self.settings))
        loss = functional.binary_cross_entropy_with_logits(logits, targets)
        self.train_loss.update(loss.detach(), len(images))
        return loss

    def validation_step(self, batch: Item, _index: int) -> None:
        """Update the loss and the AUCs with a validation batch."""
        images, targets, _ = batch
        logits = self.network(normalized(images, self.settings)).float()
        loss = functional.binary_cross_entropy_with_logits(logits, targets)
        self.val_loss.update(loss, len(images))
        # torchmetrics applies the sigmoid to any batch with values outside [0, 1]. The sigmoid of
        # all large logits rounds to 1, which would add ties.
        ranked = 0.5 + torch.atan(logits.double()) / torch.pi
        for label, area in zip(self.labels_with_area, self.areas, strict=True):
            area.update(ranked[:, label], targets[:, label].long())

    def on_validation_epoch_end(self) -> None:
        """Log the loss and the mean AUC of the validation images."""
        self.log("val_loss", self.val_loss.compute(), sync_dist=False)
        areas = [area.compute() for area in self.areas]
        mean = torch.stack(areas).mean() if areas else torch.tensor(torch.nan)
        self.log("val_auc", mean, prog_bar=True, sync_dist=False)
        for metric in (self.val_loss, *self.areas):
            metric.reset()

    def on_train_epoch_start(self) -> None:
        """Log the learning rate."""
        self.log("learning_rate", self.trainer.optimizers[0].param_groups[0]["lr"])

    def on_train_epoch_end(self) -> None:
        """Log the training loss and update the learning rate."""
        self.log("train_loss", self.train_loss.compute(), prog_bar=True, sync_dist=False)
        self.train_loss.reset()
        if self.schedule is not None:
            value = self.trainer.callback_metrics[f"val_{self.settings.monitor}"]
            self.schedule.step(float(value))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the fingerprint of the training and the state of the schedule."""
        checkpoint[FINGERPRINT] = self.fingerprint
        if self.schedule is not None:
            state = self.schedule.state_dict()
            checkpoint["schedule"] = {
                key: value for key, value in state.items() if isinstance(value, (int, float, list))
            }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore the state of the schedule."""
        self._schedule_state = checkpoint.get("schedule")
        if self.schedule is not None and self._schedule_state is not None:
            self.schedule.load_state_dict(self._schedule_state)
