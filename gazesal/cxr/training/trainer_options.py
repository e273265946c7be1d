"""Lightning's switches: which of them a caller may turn, and which of them change the numbers."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import lightning.pytorch as lightning

__all__ = ["require_free_switches", "switches_that_count"]

TAKEN = {  # by what else: the training sets them, or its checkpoints are not whole with them
    "max_epochs": "the settings' `epochs`",
    "default_root_dir": "`folder`",
    "enable_progress_bar": "`progress`",
    **dict.fromkeys(
        (
            "barebones",
            "callbacks",
            "check_val_every_n_epoch",
            "enable_checkpointing",
            "enable_model_summary",
            "fast_dev_run",
            "log_every_n_steps",
            "logger",
            "max_steps",
            "max_time",
            "min_epochs",
            "min_steps",
            "num_sanity_val_steps",
            "overfit_batches",
            "reload_dataloaders_every_n_epochs",
            "use_distributed_sampler",
            "val_check_interval",
        ),
        "",
    ),
}
# Beside the precision. Devices and their number change the last digits only.
COUNTING = (
    "accumulate_grad_batches",
    "gradient_clip_algorithm",
    "gradient_clip_val",
    "limit_train_batches",
    "limit_val_batches",
    "sync_batchnorm",
)
PRECISIONS = {"64": "64-true", "32": "32-true", "16": "16-mixed", "bf16": "bf16-mixed"}


def require_free_switches(trainer: Mapping[str, Any]) -> None:
    """Raise if a switch is the training's own to set, or none of Lightning's."""
    known = inspect.signature(lightning.Trainer.__init__).parameters
    for name in trainer:
        if name in TAKEN:
            other = f"; {TAKEN[name]} takes its place" if TAKEN[name] else ""
            raise ValueError(
                f"`trainer` must not have {name!r}, which the training sets itself{other}."
            )
        if name not in known or name == "self":
            raise ValueError(
                f"`trainer` must have switches of Lightning's Trainer only, got {name!r}."
            )


def switches_that_count(trainer: Mapping[str, Any]) -> dict[str, Any]:
    """Switches that change what is learned, as JSON takes them; the precision is always there."""
    given = trainer.get("precision")
    precision = "32-true" if given is None else str(given)
    known = inspect.signature(lightning.Trainer.__init__).parameters
    turned = {
        name: trainer[name]
        for name in COUNTING
        if trainer.get(name) not in {None, known[name].default}
    }
    return {"precision": PRECISIONS.get(precision, precision), **turned}
