"""Options of Lightning's Trainer: which the caller may set, and which change the numbers."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import lightning.pytorch as lightning

__all__ = ["options_that_count", "require_free_options"]

# Options that the training sets itself, or with which its checkpoints would be incomplete, and
# what to use instead.
TAKEN = {
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
# Options, besides the precision, that change what is learned. The kind and number of devices
# change only the last digits.
COUNTING = (
    "accumulate_grad_batches",
    "gradient_clip_algorithm",
    "gradient_clip_val",
    "limit_train_batches",
    "limit_val_batches",
    "sync_batchnorm",
)
PRECISIONS = {"64": "64-true", "32": "32-true", "16": "16-mixed", "bf16": "bf16-mixed"}


def require_free_options(trainer: Mapping[str, Any]) -> None:
    """Raise if an option is set by the training itself, or unknown to Lightning."""
    known = inspect.signature(lightning.Trainer.__init__).parameters
    for name in trainer:
        if name in TAKEN:
            remedy = f"Use {TAKEN[name]} instead." if TAKEN[name] else "Remove it."
            raise ValueError(
                f"`trainer` must not have {name!r}, which the training sets itself. {remedy}"
            )
        if name not in known or name == "self":
            raise ValueError(
                f"`trainer` must hold only options of Lightning's Trainer, got {name!r}. Remove it."
            )


def options_that_count(trainer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that change what is learned, as JSON types, always with the precision."""
    given = trainer.get("precision")
    precision = "32-true" if given is None else str(given)
    known = inspect.signature(lightning.Trainer.__init__).parameters
    changed = {
        name: trainer[name]
        for name in COUNTING
        if trainer.get(name) not in {None, known[name].default}
    }
    return {"precision": PRECISIONS.get(precision, precision), **changed}
