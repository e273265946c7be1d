"""The steps of a replication in their order, each with what it is made from."""

from __future__ import annotations

import warnings
from functools import partial
from pathlib import Path
from typing import Any

from gazesal._digests import digest_of_file
from gazesal.cxr.models import load_model
from gazesal.cxr.replication.feature_files import KINDS, StoredMap
from gazesal.cxr.replication.inputs import (
    fingerprint_of_files,
    fingerprint_of_readings,
    settings_that_count,
)
from gazesal.cxr.replication.step_actions import (
    classify,
    score,
    segment,
    store_all_maps,
    train_network,
)
from gazesal.cxr.replication.step_store import Steps
from gazesal.cxr.replication.study import Study
from gazesal.cxr.segmentation import Segmenter
from gazesal.cxr.training.prediction import predict
from gazesal.cxr.training.trainer_options import switches_that_count
from gazesal.evaluation.storage.fingerprints import Notes, fingerprint

__all__ = ["do_steps"]


def do_steps(study: Study, steps: Steps) -> tuple[dict[int, Path], dict[str, Path]]:
    """Do every step; return the folders of the scores and of the AUCs, by training."""
    contents = {name: digest_of_file(path) for name, path in study.paths.items()}
    gaze = fingerprint_of_readings(study.release, study.root)
    of_training, prepared = settings_that_count(study.settings)
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
            inputs={"segmenter": _known(lungs), "scored": contents},
        )
        of_lungs = ["lungs"]
    score_steps, auc_steps = {}, {}
    for model in range(study.n_models):
        maps: dict[str, dict[str, StoredMap]] = {}
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
                        "trainer": switches_that_count(study.trainer),
                    },
                    outputs=["weights.pt"],  # on which all else rests; logs hold the time
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
                    inputs={"settings": prepared, "images": of_images, **facts},
                    after=after,
                )
            folder = steps(
                f"maps-{key}",
                partial(store_all_maps, study.paths, load, study.settings, study.device),
                inputs={"settings": prepared, "scored": contents, **facts},
                after=after,
            )
            needed.append(f"maps-{key}")
            for name, kind in KINDS[network].items():
                maps[name] = {i: StoredMap(folder / f"{i}.npz", kind) for i in study.paths}
        score_steps[model] = steps(
            f"score-{model}",
            partial(score, study, maps, lungs, figure=model == 0),
            inputs={
                "center_bias": study.center_bias,
                "n_readers": study.n_readers,
                "gaze": gaze,
                "lungs": None if lungs is None else fingerprint_of_files(Path(lungs)),
            },
            after=[*needed, *of_lungs],
        )
    return score_steps, auc_steps


def _known(segmenter: Segmenter) -> str:
    """Return the fingerprint of a segmenter, and warn if it leaves something out."""
    notes = Notes()
    found = fingerprint(segmenter, notes)
    if notes.unclear:
        warnings.warn(
            f"`lungs` should have a state that can be told, but {', '.join(notes.unclear)} uses "
            "values that cannot, so masks are kept although these change. Give it an attribute "
            "`fingerprint`, a str that changes with what it returns.",
            stacklevel=2,
        )
    return found
