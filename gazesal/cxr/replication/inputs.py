"""What a replication is made from: what is taken of it, and what it is known by."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from gazesal.cxr.replication.feature_files import KINDS
from gazesal.cxr.training.settings import TrainingSettings
from gazesal.datasets.reflacx import Reflacx

__all__ = [
    "PHASES",
    "find_checkpoints",
    "fingerprint_of_files",
    "fingerprint_of_readings",
    "require_one_process",
    "settings_that_count",
]

SUFFIXES = (".pt", ".pth", ".ckpt", ".safetensors")
PHASES = (1, 2)  # of the readings
OF_EVALUATION = (  # settings that a trained network is run with
    "mean",
    "standard_deviation",
    "evaluation_shortest_dimension",
    "evaluation_multiple",
)


def require_one_process(trainer: Mapping[str, Any]) -> None:
    """Raise where several processes would write the same steps."""
    devices = trainer.get("devices", 1)
    if devices in (-1, "-1", "auto"):
        on_gpu = trainer.get("accelerator", "auto") in {"auto", "gpu", "cuda"}
        n_devices = torch.cuda.device_count() if on_gpu else 1
    elif isinstance(devices, str) and "," in devices:
        n_devices = len([each for each in devices.split(",") if each.strip()])
    elif isinstance(devices, (list, tuple)):
        n_devices = len(devices)
    else:  # what is no number is Lightning's to refuse
        n_devices = int(devices) if str(devices).lstrip("-").isdigit() else 1
    n_nodes = int(trainer.get("num_nodes", 1))
    n_started = int(os.environ.get("WORLD_SIZE", "1"))  # by a launcher such as torchrun
    if max(n_devices, n_nodes, n_started) > 1:
        raise ValueError(
            f"`trainer` must name one device of one machine, in one process, got devices="
            f"{devices!r}, num_nodes={n_nodes} and {n_started} process(es) that were started: the "
            "steps are done by one. Train with `gazesal train`, which takes several, and give the "
            "weights as `checkpoints` (--checkpoints)."
        )


def find_checkpoints(folder: Path, n_models: int) -> dict[str, list[Path]]:
    """Checkpoints of each network, in the order of their names."""
    found = {}
    for network in KINDS:
        paths = sorted(p for p in (folder / network).glob("*") if p.suffix.lower() in SUFFIXES)
        if len(paths) < n_models:
            raise FileNotFoundError(
                f"{folder / network}: must hold a checkpoint of each of {n_models} trainings "
                f"({', '.join(SUFFIXES)}), got {len(paths)}."
            )
        found[network] = paths[:n_models]
    return found


def fingerprint_of_readings(release: Reflacx, root: str | Path) -> str:
    """What changes with the readings: their labels and sizes, and the files that are scored."""
    folder = Path(root)
    folder = folder if folder.name == "main_data" else folder / "main_data"
    kept = release.readings.index[~release.readings["discarded"]]
    names = ("fixations.csv", "chest_bounding_box.csv")
    paths = [folder / str(reading) / name for reading in kept for name in names]
    tables = [folder / f"metadata_phase_{phase}.csv" for phase in PHASES]
    return _digest([*tables, *paths])


def fingerprint_of_files(folder: Path) -> str:
    paths = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".json")
    return _digest(sorted(paths))


def _digest(paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.parent.name}/{path.name}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def settings_that_count(settings: TrainingSettings) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings that a training depends on, and those that a trained network is run with."""
    values = settings.to_dict()
    of_training = {name: value for name, value in values.items() if name != "models"}
    return of_training, {name: values[name] for name in OF_EVALUATION}
