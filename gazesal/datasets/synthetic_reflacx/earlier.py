"""Removal of an earlier synthetic release, without touching any other file."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from gazesal.datasets.synthetic_reflacx.identity import Study, list_studies, reading_ids
from gazesal.datasets.synthetic_reflacx.label_maps import (
    ALL_LESIONS,
    CLASS_MAP,
    label_folder,
    labels_of_phase,
)

__all__ = ["FIRST_WORDS", "command_of", "release_files", "remove_earlier"]

FIRST_WORDS = "Synthetic data. No patient and no radiologist is in them"
PARTS = (
    "main_data", "mimic-cxr-jpg", "lung_masks", "maps", "maps_by_label", "lesions.csv",
    "README.txt",
)  # fmt: skip
COMMAND = re.compile(
    r"^  gazesal synthesize reflacx --out DIR --images ([1-9]\d{0,5}) --readers ([1-9]\d{0,5}) "
    r"--unread (\d{1,6}) --side ([1-9]\d{0,5}) --seed (\d+)$",
    re.ASCII | re.MULTILINE,
)
UNFINISHED = re.compile(r"\.\w{8}\.partial\.\w+", re.ASCII)  # unfinished files of a killed run


def command_of(n_images: int, n_readers: int, n_unread: int, side: int, seed: int) -> str:
    """Return the command that makes a release.

    Its README contains the command, from which the files of the release follow.
    """
    return (
        f"gazesal synthesize reflacx --out DIR --images {n_images} --readers {n_readers} "
        f"--unread {n_unread} --side {side} --seed {seed}"
    )


def release_files(
    studies: list[Study], n_readers: int, seed: int, methods: Iterable[str]
) -> set[str]:
    """List every file of a release, and the files that its discarded readings do not have."""
    files = {"lesions.csv", "README.txt"}
    files |= {f"main_data/metadata_phase_{phase}.csv" for phase in (1, 2, 3)}
    files |= {
        f"main_data/{reading}/{name}"
        for reading in reading_ids(studies, n_readers, seed).values()
        for name in (
            "fixations.csv",
            "chest_bounding_box.csv",
            "anomaly_location_ellipses.csv",
            "timestamps_transcription.csv",
            "transcription.txt",
        )
    }
    tables = ("chexpert", "split", "metadata")
    files |= {f"mimic-cxr-jpg/mimic-cxr-2.0.0-{name}.csv" for name in tables}
    for study in studies:
        files |= {f"mimic-cxr-jpg/{study.path(picture, '.jpg')}" for picture in study.pictures}
        files |= {f"lung_masks/{picture.dicom_id}.png" for picture in study.frontal}
    read = [study for study in studies if study.phase is not None]
    files |= {f"maps/{method}/{study.dicom_id}.npy" for method in methods for study in read}
    for study in read:
        files |= {f"maps_by_label/{ALL_LESIONS}/{study.dicom_id}.npy"}
        files |= {
            f"maps_by_label/{CLASS_MAP}/{label_folder(label)}/{study.dicom_id}.npy"
            for label in labels_of_phase(study.phase or 3)
        }
    return files


def remove_earlier(folder: Path, methods: Iterable[str]) -> None:
    """Delete an earlier synthetic release except its README, or raise before deleting anything.

    Every file under the names of a release must be one that the command in its README makes, with
    maps of `methods`. So other readings, maps or notes are neither deleted nor mixed with synthetic
    ones.
    """
    there = [folder / name for name in PARTS if os.path.lexists(folder / name)]
    if not there:
        return
    advice = "Nothing was written or deleted. Choose another folder."
    options = _options_of(folder / "README.txt")
    if options is None:
        raise FileExistsError(
            f"{there[0]}: exists, and no README.txt beside it states that it is synthetic. {advice}"
        )
    n_images, n_readers, n_unread, side, seed = options
    studies = list_studies(n_images, n_unread, side=side, seed=seed)
    ours = release_files(studies, n_readers, seed, methods)
    found = [path for part in there for path in _all_files(part)]
    for path in found:
        known = path.relative_to(folder).as_posix() in ours or UNFINISHED.fullmatch(path.name)
        if path.is_symlink() or not known:
            raise FileExistsError(
                f"{path}: is not part of the synthetic release that README.txt in {folder} "
                f"describes. {advice}"
            )
    for path in found:
        if path != folder / "README.txt":  # marks the rest as synthetic until it is replaced
            path.unlink()
    inner = {parent for path in found for parent in path.parents if parent.is_relative_to(folder)}
    for parent in sorted(inner - {folder}, key=lambda path: len(path.parts), reverse=True):
        if not any(parent.iterdir()):
            parent.rmdir()


def _options_of(readme: Path) -> tuple[int, int, int, int, int] | None:
    """Return numbers of images, readers and unread images, side and seed from a README.

    None if the file is not the README of a synthetic release.
    """
    if readme.is_symlink() or not readme.is_file():
        return None
    with readme.open(encoding="utf-8", errors="replace") as file:
        text = file.read(4096)
    match = COMMAND.search(text)
    if match is None or not text.startswith(FIRST_WORDS):
        return None
    n_images, n_readers, n_unread, side, seed = map(int, match.groups())
    return n_images, n_readers, n_unread, side, seed


def _all_files(part: Path) -> list[Path]:
    """List everything below a path except folders, without following links."""
    if part.is_symlink() or not part.is_dir():
        return [part]
    return [path for entry in sorted(part.iterdir()) for path in _all_files(entry)]
