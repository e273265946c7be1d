"""What a replication is made from, looked at before its first step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gazesal.cxr.segmentation import Segmenter
from gazesal.cxr.training.labeled_images import LabelledImages
from gazesal.cxr.training.settings import TrainingSettings
from gazesal.datasets.reflacx import Reflacx

__all__ = ["Study", "scored_images"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """Releases, options and what follows from them; see `replicate` for the options.

    Attributes
    ----------
    root : pathlib.Path
        Folder of `release`.
    scored : mapping of str
        The release's images that are scored, by ``dicom_id``.
    paths : mapping of pathlib.Path
        Their pictures.
    own : mapping or None
        Checkpoints of each network, where nothing is trained.
    seed : int
        Of the first training, and of the resampling.
    """

    root: Path
    release: Reflacx
    mimic: Path
    images: LabelledImages
    scored: Mapping[str, str]
    paths: Mapping[str, Path]
    settings: TrainingSettings
    n_models: int
    own: Mapping[str, list[Path]] | None
    lungs: str | Path | Segmenter | None
    n_readers: int
    center_bias: Literal["in_sample", "left_out"]
    seed: int
    n_jobs: int
    workers: int
    cache: Path
    trainer: Mapping[str, Any]
    device: str
    progress: bool
    notes: tuple[str, ...]


def scored_images(release: Reflacx, n_readers: int) -> dict[str, str]:
    """Images that keep enough readings, by ``dicom_id``."""
    names = release.readings.drop_duplicates("image").set_index("image")["dicom_id"]
    found = {str(names[image]): image for image in release.kept_by_all(n_readers)}
    if len(found) < 2:
        raise ValueError(
            f"`n_readers` must leave at least two images to score, got {n_readers}, which leaves "
            f"{len(found)}."
        )
    return dict(sorted(found.items()))
