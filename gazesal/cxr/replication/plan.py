"""Steps of a replication in order, each with the inputs that it depends on."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from gazesal._digests import digest_of_file
from gazesal._warnings import warn
from gazesal.cxr.models import load_model
from gazesal.cxr.replication.feature_files import KINDS, MapFromFeatures
from gazesal.cxr.replication.inputs import (
    ReplicationInputs,
    fingerprint_of_files,
    fingerprint_of_readings,
    split_settings,
)
from gazesal.cxr.replication.step_actions import (
    classify,
    score,
    segment,
    train_network,
    write_all_features,
)
from gazesal.cxr.replication.step_store import StepStore
from gazesal.cxr.segmentation import Segmenter
from gazesal.cxr.training.prediction import predict
from gazesal.cxr.training.trainer_options import options_that_count
from gazesal.evaluation.storage.fingerprints import Notes, fingerprint

__all__ = ["run_steps"]


def run_steps(
    study: ReplicationInputs, steps: StepStore
) -> tuple[dict[int, Path], dict[str, Path]]:
    """Run every step, and return the folders of the scores and of the AUCs by training."""
    contents = {name: digest_of_file(path) for name, path in study.paths.items()}
    gaze = fingerprint_of_readings(study.release, study.root)
    of_training, of_evaluation = split_settings(study.settings)
    of_images = study.images.fingerprint()
    run = partial(
        predict,
        images=study.images,
        settings=study.settings,
        workers=study.workers,
        cache=study.cache,
    )
    lungs, of_lungs = study.lungs, []
    if callable(lungs):
        lungs = steps(
            "lungs",
            partial(segment, study.paths, lungs),
            inputs={"segmenter": _fingerprint_of_segmenter(lungs), "scored": contents},
        )
        of_lungs = ["lungs"]
    score_steps, auc_steps = {}, {}
    for model in range(study.n_models):
        maps: dict[str, dict[str, MapFromFeatures]] = {}
        needed = []
        for network in KINDS:
            key = f"{network}-{model}"
            if study.own is None:
                folder = steps(
                    f"train-{key}",
                    partial(train_network, study, network, study.seed + model),
                    inputs={
                        "settings": of_training,
                        "images": of_images,
                        "network": network,
                        "seed": study.seed + model,
                        "trainer": options_that_count(study.trainer),
                    },
                    # later steps read only the weights, and the logs contain times
                    outputs=["weights.pt"],
                    precious=True,
                )
                weights, after = folder / "weights.pt", [f"train-{key}"]
                facts: dict[str, Any] = {}
            else:
                weights, after = study.own[network][model], []
                facts = {"checkpoint": digest_of_file(weights)}
            load = partial(load_model, network, weights)  # type: ignore[arg-type]
            if len(study.images.where("test")):
                auc_steps[key] = steps(
                    f"classify-{key}",
                    partial(classify, study.images, load, run, study.device),
                    inputs={"settings": of_evaluation, "images": of_images, **facts},
                    after=after,
                )
            folder = steps(
                f"maps-{key}",
                partial(write_all_features, study.paths, load, study.settings, study.device),
                inputs={"settings": of_evaluation, "scored": contents, **facts},
                after=after,
            )
            needed.append(f"maps-{key}")
            for name, kind in KINDS[network].items():
                maps[name] = {i: MapFromFeatures(folder / f"{i}.npz", kind) for i in study.paths}
        score_steps[model] = steps(
            f"score-{model}",
            partial(score, study, maps, lungs, figure=model == 0),
            inputs={
                "center_bias_rows": study.center_bias_rows,
                "n_readers": study.n_readers,
                "gaze": gaze,
                "lungs": None if lungs is None else fingerprint_of_files(Path(lungs)),
            },
            after=[*needed, *of_lungs],
        )
    return score_steps, auc_steps


def _fingerprint_of_segmenter(segmenter: Segmenter) -> str:
    """Return the fingerprint of a segmenter, and warn if some of its state has no fingerprint."""
    notes = Notes()
    found = fingerprint(segmenter, notes)
    if notes.unclear:
        warn(
            "`lungs` should be a segmenter whose whole state has a fingerprint, but "
            f"{', '.join(notes.unclear)} uses values that have none, so masks are kept although "
            "these values change. Give it an attribute `fingerprint`, a str that changes with what "
            "it returns.",
            UserWarning,
        )
    return found
