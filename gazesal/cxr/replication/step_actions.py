"""Actions of the steps of a replication: each writes its files into the step's folder."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gazesal._files import atomic_path, write_text
from gazesal._text import csv_text
from gazesal.cxr.classification import label_aucs
from gazesal.cxr.lung_hull import find_lung_hulls
from gazesal.cxr.replication.feature_files import MapFromFeatures, write_features
from gazesal.cxr.replication.inputs import ReplicationInputs
from gazesal.cxr.segmentation import Segmenter, segment_lungs
from gazesal.cxr.training.labeled_images import LabeledImages
from gazesal.cxr.training.settings import TrainingSettings
from gazesal.cxr.training.train_model import train
from gazesal.cxr.weight_files import is_whole_archive
from gazesal.evaluation.case import SEGMENTATION, Case
from gazesal.evaluation.cases_from_reflacx import cases_from_reflacx
from gazesal.evaluation.evaluate import evaluate
from gazesal.metrics.registry import STUDY_METRICS
from gazesal.reporting.figures import plot_evaluation, save_figure
from gazesal.reporting.pictures import read_picture

__all__ = ["classify", "score", "segment", "train_network", "write_all_features"]

SCORING = "scoring"  # checkpoint of an unfinished scoring, within the folder of its step


def train_network(study: ReplicationInputs, network: Any, seed: int, folder: Path) -> None:
    """Train a network or resume its training, and copy its weights into the step's folder.

    If the best checkpoint exists, weights are always written again from it, because existing
    weights may have been changed since.
    """
    run = folder / "run"
    weights = run / "weights.pt"
    has_curve = any((run / name).is_file() for name in ("curve.csv", "last.ckpt"))
    whole = (run / "best.ckpt").is_file() and has_curve
    if whole:
        weights.unlink(missing_ok=True)
    if not weights.is_file():
        if not whole:  # the checkpoint of the last epoch does not contain the best weights
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
    images: LabeledImages,
    load: Callable[[], Any],
    run: Callable[..., Any],
    device: str,
    folder: Path,
) -> None:
    """Write the logits and the AUCs of the test images."""
    rows = images.where("test")
    logits = run(load(), split="test", device=device)
    names = [images.names[row] for row in rows]
    table = pd.DataFrame(logits, columns=list(images.labels), index=pd.Index(names, name="image"))
    patients = [images.patients[row] for row in rows]
    aucs = label_aucs(np.asarray(images.targets)[rows], logits, images.labels, patients=patients)
    write_text(folder / "logits.csv", csv_text(table.reset_index()))
    write_text(folder / "aucs.csv", csv_text(aucs))


def write_all_features(
    paths: Mapping[str, Path],
    load: Callable[[], Any],
    settings: TrainingSettings,
    device: str,
    folder: Path,
) -> None:
    """Write the features of the scored images, except files that an earlier run completed."""
    model = load().to(device)
    for name, path in paths.items():
        target = folder / f"{name}.npz"
        if not is_whole_archive(target):
            write_features(model, path, target, settings)


def segment(paths: Mapping[str, Path], segmenter: Segmenter, folder: Path) -> None:
    """Write the lung masks of the scored images, except masks of an earlier run that are valid."""
    for path in folder.glob("*.png"):
        try:
            read_picture(path)
        except (OSError, ValueError):
            path.unlink()
    segment_lungs(paths, folder, segmenter)


def score(
    study: ReplicationInputs,
    maps: Mapping[str, Mapping[str, MapFromFeatures]],
    lungs: str | Path | None,
    folder: Path,
    *,
    figure: bool,
) -> None:
    """Write the scores of one training of each network and of the baselines.

    If pyarrow is installed, scores of finished images are kept until all images are scored.
    """
    methods: dict[str, Any] = dict(maps)
    if lungs is not None:
        methods[SEGMENTATION] = find_lung_hulls(lungs)
    cases = cases_from_reflacx(study.release, methods, n_readers=study.n_readers)
    found = evaluate(
        cases,
        metrics=STUDY_METRICS,
        outside="keep",
        center_bias_rows=study.center_bias_rows,
        rounding="study" if study.center_bias_rows == "in_sample" else "none",
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
    write_text(folder / "scores.csv", csv_text(table))  # before the figure, which may fail
    if figure and importlib.util.find_spec("matplotlib") is not None:
        shown = next((n for n, i in study.scored.items() if abnormal[i]), next(iter(study.scored)))
        picture = read_picture(study.paths[shown])
        summary = found.summary()
        drawn = plot_evaluation(
            found, summary, image=shown, picture=picture, note="; ".join(study.notes)
        )
        save_figure(drawn, folder / "figure.png")
    shutil.rmtree(folder / SCORING, ignore_errors=True)


def _reader_numbers(cases: list[Case]) -> dict[tuple[str, str], int]:
    """Return a number for each reading of an image, because the release does not name readers."""
    return {
        (case.image, observer): number
        for case in cases
        for number, observer in enumerate(case.gaze)
    }
