"""Files in the folder of a training: its note, checkpoints, weights and curve."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from gazesal._files import atomic_path, write_text
from gazesal._resume import resume_or_begin
from gazesal.cxr.weight_files import is_whole_archive, load_tensors

__all__ = [
    "CURVE",
    "FINGERPRINT",
    "read_curve",
    "repair_weights",
    "require_resumable",
    "require_same_run",
    "write_curve",
    "write_weights",
]

FINGERPRINT = "training"  # key of a checkpoint for the fingerprint of its training
CURVE = ("epoch", "learning_rate", "train_loss", "val_loss", "val_auc")  # columns, a row per epoch
CALLBACK = "Curve"  # key under which Lightning stores these rows in a checkpoint
RESTARTS = "and the training starts again from its first epoch"
ADVICE = {
    "last.ckpt": f"Remove it, {RESTARTS}.",
    "best.ckpt": f"Remove it and last.ckpt, {RESTARTS}.",
}


def require_same_run(folder: Path, facts: Mapping[str, Any]) -> None:
    """Note the facts of a training in its folder, or raise if it holds another training."""
    remedy = "Choose another folder or remove this one."
    resume_or_begin(folder / "run.json", facts, holds="a training", remedy=remedy)


def require_resumable(folder: Path, fingerprint: str) -> None:
    """Raise if a checkpoint to resume from is damaged or belongs to another training.

    The best checkpoint is read too. If no later epoch is better, it is not written again.
    """
    if not (folder / "last.ckpt").is_file():
        return
    read_checkpoint(folder / "last.ckpt", fingerprint)
    if not (folder / "best.ckpt").is_file():
        raise ValueError(
            f"{folder / 'best.ckpt'}: is missing, and last.ckpt does not contain it. Remove "
            f"last.ckpt, {RESTARTS}."
        )
    read_checkpoint(folder / "best.ckpt", fingerprint)


def read_checkpoint(path: Path, fingerprint: str) -> dict[str, Any]:
    """Read a checkpoint to the CPU, or raise a ValueError with advice."""
    advice = ADVICE[path.name]
    found = load_tensors(path, advice)
    if not isinstance(found, dict) or found.get(FINGERPRINT) != fingerprint:
        raise ValueError(f"{path}: is not a checkpoint of this training. {advice}")
    return found


def write_weights(checkpoint: Path, weights: Path, fingerprint: str) -> None:
    """Write the weights of the network alone."""
    own = {
        name.removeprefix("network."): value
        for name, value in read_checkpoint(checkpoint, fingerprint)["state_dict"].items()
        if name.startswith("network.")
    }
    buffer = io.BytesIO()  # given a path, torch.save writes its name into the file
    torch.save(own, buffer)
    with atomic_path(weights) as temporary:
        temporary.write_bytes(buffer.getvalue())


def repair_weights(weights: Path, fingerprint: str) -> None:
    """Write damaged weights again from the checkpoint of the best epoch."""
    if is_whole_archive(weights):
        return
    best = weights.with_name("best.ckpt")
    if not best.is_file():
        raise ValueError(
            f"{weights}: cannot be read as weights, and best.ckpt, from which they could be "
            f"restored, is missing. Remove it and last.ckpt, {RESTARTS}."
        )
    write_weights(best, weights, fingerprint)


def write_curve(path: Path, rows: Sequence[Mapping[str, float]]) -> None:
    """Write the numbers of every epoch as a table."""
    write_text(path, pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"))


def read_curve(path: Path, fingerprint: str) -> pd.DataFrame:
    """Read the numbers of every epoch, and restore a lost table from the last checkpoint."""
    if not _is_curve(path):
        try:
            there = read_checkpoint(path.with_name("last.ckpt"), fingerprint)
            rows = there["callbacks"][CALLBACK]["rows"]
        except (FileNotFoundError, ValueError, KeyError) as error:
            raise ValueError(
                f"{path}: is missing or cannot be read, and cannot be restored from last.ckpt. "
                f"Remove weights.pt and last.ckpt, {RESTARTS}."
            ) from error
        write_curve(path, rows)
    return pd.read_csv(path)


def _is_curve(path: Path) -> bool:
    """Return whether a file is a table with the columns of a curve."""
    try:
        table = pd.read_csv(path)
    except (FileNotFoundError, ValueError):  # pandas' errors of parsing are ValueErrors
        return False
    return len(table) > 0 and set(CURVE) <= set(table.columns)
