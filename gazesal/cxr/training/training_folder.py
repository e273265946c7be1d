"""What the folder of a training holds: of which training it is, and whether it can be read."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from gazesal._files import atomic_path, write_text
from gazesal.cxr.weight_files import load_tensors, require_checksums

__all__ = [
    "CURVE",
    "MARK",
    "mark_of",
    "read_curve",
    "repair_weights",
    "require_resumable",
    "require_same_run",
    "write_curve",
    "write_weights",
]

MARK = "training"  # key of a checkpoint, by which it is known to be of this training
CURVE = ("epoch", "learning_rate", "train_loss", "val_loss", "val_auc")  # columns, one row an epoch
CALLBACK = "Curve"  # under which a checkpoint has these rows
ANEW = "and the training starts anew from its first epoch"
ADVICE = {
    "last.ckpt": f"take it away, {ANEW}.",
    "best.ckpt": f"take it away, and last.ckpt with it, {ANEW}.",
}


def require_same_run(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write down what is trained, or raise if the folder holds another training."""
    path = folder / "run.json"
    if not path.is_file():
        write_text(path, json.dumps(facts, indent=1) + "\n")
        return
    try:
        there = json.loads(path.read_text(encoding="utf-8"))
        there["settings"] = settings_of_one(there["settings"])
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"{path}: cannot be read as the note of a training, so it is unknown what the folder "
            "holds; choose another folder or take this one away."
        ) from error
    differing = [name for name in {**facts, **there} if there.get(name) != facts.get(name)]
    if differing:
        raise ValueError(
            f"{folder}: holds a training that differs in {', '.join(differing)}; choose "
            "another folder or take it away."
        )


def settings_of_one(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that a training depends on: how many there are is not among them."""
    return {name: value for name, value in settings.items() if name != "models"}


def mark_of(facts: Mapping[str, Any]) -> str:
    """A digest of what is trained."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def require_resumable(folder: Path, mark: str) -> None:
    """Raise if there are checkpoints to go on from that are torn or of another training.

    The best one counts too: it may be the last time that it was written.
    """
    if not (folder / "last.ckpt").is_file():
        return
    read_checkpoint(folder / "last.ckpt", mark)
    if not (folder / "best.ckpt").is_file():
        raise ValueError(
            f"{folder / 'best.ckpt'}: is not there, and last.ckpt cannot bring it back; take "
            f"last.ckpt away, {ANEW}."
        )
    read_checkpoint(folder / "best.ckpt", mark)


def read_checkpoint(path: Path, mark: str) -> dict[str, Any]:
    """A checkpoint on main memory, or a ValueError that says what to do."""
    advice = ADVICE[path.name]
    try:
        found = load_tensors(path)
    except OSError:
        raise
    except Exception as error:  # a torn file fails in as many ways as it can be torn
        first = str(error).strip().splitlines()[:1]
        raise ValueError(
            f"{path}: cannot be read as a checkpoint ({''.join(first) or type(error).__name__}); "
            f"{advice}"
        ) from error
    if not isinstance(found, dict) or found.get(MARK) != mark:
        raise ValueError(f"{path}: is no checkpoint of this training; {advice}")
    return found


def write_weights(checkpoint: Path, weights: Path, mark: str) -> None:
    """Write the network's weights alone."""
    own = {
        name.removeprefix("network."): value
        for name, value in read_checkpoint(checkpoint, mark)["state_dict"].items()
        if name.startswith("network.")
    }
    buffer = io.BytesIO()  # torch.save writes a path's own name into the file
    torch.save(own, buffer)
    with atomic_path(weights) as temporary:
        temporary.write_bytes(buffer.getvalue())


def repair_weights(weights: Path, mark: str) -> None:
    """Write weights that cannot be read again, from the best epoch's checkpoint."""
    try:
        require_checksums(weights)
    except OSError:
        raise
    except Exception as error:  # as many as there are ways to be torn
        best = weights.with_name("best.ckpt")
        if not best.is_file():
            raise ValueError(
                f"{weights}: cannot be read as weights, and best.ckpt, which would bring them "
                f"back, is not there; take it away, and last.ckpt with it, {ANEW}."
            ) from error
        write_weights(best, weights, mark)


def write_curve(path: Path, rows: Sequence[Mapping[str, float]]) -> None:
    """Write the numbers of every epoch as a table."""
    write_text(path, pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"))


def read_curve(path: Path, mark: str) -> pd.DataFrame:
    """The numbers of every epoch; where there is no such table, the last checkpoint has them."""
    if not _is_curve(path):
        try:
            there = read_checkpoint(path.with_name("last.ckpt"), mark)
            rows = there["callbacks"][CALLBACK]["rows"]
        except (FileNotFoundError, ValueError, KeyError) as error:
            raise ValueError(
                f"{path}: is not there or cannot be read, and last.ckpt does not bring it back; "
                f"take weights.pt and last.ckpt away, {ANEW}."
            ) from error
        write_curve(path, rows)
    return pd.read_csv(path)


def _is_curve(path: Path) -> bool:
    try:
        table = pd.read_csv(path)
    except (FileNotFoundError, ValueError):  # also pandas' own of what is no table
        return False
    return len(table) > 0 and set(CURVE) <= set(table.columns)
