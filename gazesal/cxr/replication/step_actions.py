"""What each step of a replication does: from its inputs to the files in its folder."""

from __future__ import annotations

import importlib.util
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gazesal._files import atomic_path, write_text
from gazesal._text import csv_text
from gazesal.cxr.classification import label_aucs
from gazesal.cxr.lung_hull import find_lung_hulls
from gazesal.cxr.replication.feature_files import StoredMap, store_maps
from gazesal.cxr.replication.study import Study
from gazesal.cxr.segmentation import Segmenter, segment_lungs
from gazesal.cxr.training.labeled_images import LabelledImages
from gazesal.cxr.training.settings import TrainingSettings
from gazesal.cxr.training.train_model import train
from gazesal.cxr.weight_files import require_checksums
from gazesal.evaluation.case import SEGMENTATION, Case
from gazesal.evaluation.cases_from_reflacx import cases_from_reflacx
from gazesal.evaluation.evaluate import evaluate
from gazesal.reporting.figures import plot_evaluation, save_figure
from gazesal.reporting.pictures import read_picture

__all__ = ["classify", "score", "segment", "store_all_maps", "train_network"]

SCORING = "scoring"  # folder of the images that are scored, while others are not


def train_network(study: Study, network: Any, seed: int, folder: Path) -> None:
    """Train, or go on; weights are made again of the best checkpoint where there is one."""
    run = folder / "run"
    weights = run / "weights.pt"
    has_curve = any((run / name).is_file() for name in ("curve.csv", "last.ckpt"))
    whole = (run / "best.ckpt").is_file() and has_curve
    if whole:
        weights.unlink(missing_ok=True)
    if not weights.is_file():
        if not whole:  # the last epoch's checkpoint would not bring them back
            (run / "last.ckpt").unlink(missing_ok=True)
        train(
            study.images,
            run,
            model=network,
            settings=study.settings,
            seed=seed,
            workers=study.workers,
            cache=study.cache,
            trainer=study.trainer,
            progress=study.progress,
        )
    with atomic_path(folder / "weights.pt") as temporary:
        temporary.write_bytes(weights.read_bytes())


def classify(
    images: LabelledImages,
    load: Callable[[], Any],
    run: Callable[..., Any],
    device: str,
    folder: Path,
) -> None:
    """Logits and AUCs of the test images."""
    rows = images.where("test")
    logits = run(load(), split="test", device=device)
    names = [images.names[row] for row in rows]
    table = pd.DataFrame(logits, columns=list(images.labels), index=pd.Index(names, name="image"))
    patients = [images.patients[row] for row in rows]
    aucs = label_aucs(np.asarray(images.targets)[rows], logits, images.labels, patients=patients)
    write_text(folder / "logits.csv", csv_text(table.reset_index()))
    write_text(folder / "aucs.csv", csv_text(aucs))


def store_all_maps(
    paths: Mapping[str, Path],
    load: Callable[[], Any],
    settings: TrainingSettings,
    device: str,
    folder: Path,
) -> None:
    """Maps of the scored images; those of an earlier go are kept."""
    model = load().to(device)
    for name, path in paths.items():
        target = folder / f"{name}.npz"
        if not _is_whole_archive(target):
            store_maps(model, path, target, settings)


def segment(paths: Mapping[str, Path], segmenter: Segmenter, folder: Path) -> None:
    """Masks of the scored images; those of an earlier go that can be read are kept."""
    for path in folder.glob("*.png"):
        try:
            read_picture(path)
        except (OSError, ValueError):
            path.unlink()
    segment_lungs(paths, folder, segmenter)


def score(
    study: Study,
    maps: Mapping[str, Mapping[str, StoredMap]],
    lungs: str | Path | None,
    folder: Path,
    *,
    figure: bool,
) -> None:
    """Scores of one training of each network and of the baselines; those of an earlier go count.

    They are kept where pyarrow is installed, until all are there.
    """
    methods: dict[str, Any] = dict(maps)
    if lungs is not None:
        methods[SEGMENTATION] = find_lung_hulls(lungs)
    cases = cases_from_reflacx(study.release, methods, n_readers=study.n_readers)
    found = evaluate(
        cases,
        outside="keep",
        center_bias_rows=study.center_bias,
        rounding="study" if study.center_bias == "in_sample" else "none",
        seed=study.seed,
        n_jobs=study.n_jobs,
        progress=study.progress,
        checkpoint=folder / SCORING if importlib.util.find_spec("pyarrow") else None,
    )
    abnormal = study.release.abnormal()
    scores = found.scores
    readers = _reader_numbers(cases)
    table = scores.assign(
        reader=[readers[pair] for pair in zip(scores["image"], scores["observer"], strict=True)],
        abnormal=[bool(abnormal[study.scored[name]]) for name in scores["image"]],
    )[["image", "reader", "method", "metric", "score", "abnormal"]]
    write_text(folder / "scores.csv", csv_text(table))  # first: a figure may fail
    if figure and importlib.util.find_spec("matplotlib") is not None:
        shown = next((n for n, i in study.scored.items() if abnormal[i]), next(iter(study.scored)))
        picture = read_picture(study.paths[shown])
        summary = found.summary()
        drawn = plot_evaluation(
            found, summary, image=shown, picture=picture, note="; ".join(study.notes)
        )
        save_figure(drawn, folder / "figure.png")
    shutil.rmtree(folder / SCORING, ignore_errors=True)


def _is_whole_archive(path: Path) -> bool:
    """Return whether a file exists and all its entries have their checksums."""
    try:
        require_checksums(path)
    except (OSError, zipfile.BadZipFile):
        return False
    return True


def _reader_numbers(cases: list[Case]) -> dict[tuple[str, str], int]:
    """A number for each reading of an image: the release does not tell its readers apart."""
    return {
        (case.image, observer): number
        for case in cases
        for number, observer in enumerate(case.gaze)
    }
