"""Inputs of a replication: releases, options, and the fingerprints of the files it reads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from gazesal._digests import digest_of_file, digest_of_texts
from gazesal._validation import as_count
from gazesal.cxr.replication.feature_files import KINDS
from gazesal.cxr.segmentation import Segmenter
from gazesal.cxr.training.labeled_images import LabeledImages
from gazesal.cxr.training.settings import TrainingSettings, settings_of_one_training
from gazesal.datasets.reflacx import Reflacx

__all__ = [
    "PHASES",
    "ReplicationInputs",
    "find_checkpoints",
    "fingerprint_of_files",
    "fingerprint_of_readings",
    "require_one_process",
    "scored_images",
    "split_settings",
]

SUFFIXES = (".pt", ".pth", ".ckpt", ".safetensors")
PHASES = (1, 2)  # phases of REFLACX in which several radiologists read each image
EVALUATION_SETTINGS = (  # settings with which a trained network runs
    "mean",
    "standard_deviation",
    "evaluation_shortest_dimension",
    "evaluation_multiple",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicationInputs:
    """Releases and options of a replication. See `replicate` for the options.

    Attributes
    ----------
    root : pathlib.Path
        Folder of `release`.
    scored : mapping of str
        Images of the release that are scored, by ``dicom_id``.
    paths : mapping of pathlib.Path
        Picture of each scored image, by ``dicom_id``.
    own : mapping or None
        Checkpoints of each network, or None if the networks are trained.
    seed : int
        Seed of the first training and of the resampling.
    """

    root: Path
    release: Reflacx
    images: LabeledImages
    scored: Mapping[str, str]
    paths: Mapping[str, Path]
    settings: TrainingSettings
    n_models: int
    own: Mapping[str, list[Path]] | None
    lungs: str | Path | Segmenter | None
    n_readers: int
    center_bias_rows: Literal["in_sample", "left_out"]
    seed: int
    n_jobs: int
    workers: int
    cache: Path
    trainer: Mapping[str, Any]
    device: str
    progress: bool
    notes: tuple[str, ...]


def scored_images(release: Reflacx, n_readers: int) -> dict[str, str]:
    """Return the images with enough kept readings, by ``dicom_id``."""
    as_count(n_readers, name="n_readers", least=2)  # each reader is scored against the others
    names = release.readings.drop_duplicates("image").set_index("image")["dicom_id"]
    found = {str(names[image]): image for image in release.kept_by_all(n_readers)}
    if len(found) < 2:
        raise ValueError(
            f"`n_readers` must leave at least two images to score, got {n_readers}, which leaves "
            f"{len(found)}. Choose a smaller number."
        )
    return dict(sorted(found.items()))


def require_one_process(trainer: Mapping[str, Any]) -> None:
    """Raise if several processes would write the same steps."""
    devices = trainer.get("devices", 1)
    if devices in (-1, "-1", "auto"):
        on_gpu = trainer.get("accelerator", "auto") in {"auto", "gpu", "cuda"}
        n_devices = torch.cuda.device_count() if on_gpu else 1
    elif isinstance(devices, str) and "," in devices:
        n_devices = len([each for each in devices.split(",") if each.strip()])
    elif isinstance(devices, (list, tuple)):
        n_devices = len(devices)
    else:  # Lightning itself refuses a value that is not a number
        n_devices = int(devices) if str(devices).lstrip("-").isdigit() else 1
    n_nodes = int(trainer.get("num_nodes", 1))
    n_started = int(os.environ.get("WORLD_SIZE", "1"))  # set by launchers such as torchrun
    if max(n_devices, n_nodes, n_started) > 1:
        raise ValueError(
            "`trainer` must name one device of one machine in one process, got devices="
            f"{devices!r}, num_nodes={n_nodes} and {n_started} started process(es). Train with "
            "`gazesal train`, which takes several, and pass the weights as `checkpoints` "
            "(--checkpoints)."
        )


def find_checkpoints(folder: Path, n_models: int) -> dict[str, list[Path]]:
    """Find the checkpoints of each network, sorted by name."""
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
    """Return a fingerprint of the labels, image sizes and gaze of the kept readings."""
    folder = Path(root)
    folder = folder if folder.name == "main_data" else folder / "main_data"
    kept = release.readings.index[~release.readings["discarded"]]
    names = ("fixations.csv", "chest_bounding_box.csv")
    paths = [folder / str(reading) / name for reading in kept for name in names]
    tables = [folder / f"metadata_phase_{phase}.csv" for phase in PHASES]
    return _fingerprint([*tables, *paths])


def fingerprint_of_files(folder: Path) -> str:
    """Return a fingerprint of all files below a folder, except the notes of its step."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".json")
    return _fingerprint(sorted(paths))


def _fingerprint(paths: list[Path]) -> str:
    return digest_of_texts(
        f"{path.parent.name}/{path.name} {digest_of_file(path)}" for path in paths
    )


def split_settings(settings: TrainingSettings) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the settings of a training, and the settings with which a trained network runs."""
    values = settings_of_one_training(settings)
    return values, {name: values[name] for name in EVALUATION_SETTINGS}
