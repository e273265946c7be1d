"""Passes over all images for the controls: sums of the gaze, sums of maps, and samples of images.

They run after the center bias is known and before the images are scored.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from gazesal.evaluation.case import Case
from gazesal.evaluation.control_options import control_frame
from gazesal.evaluation.control_rows import ControlTask
from gazesal.evaluation.groups import left_out_together
from gazesal.evaluation.options import EvaluationOptions
from gazesal.evaluation.other_gaze import (
    LINEAR,
    FramedSum,
    OtherGaze,
    kinds_of,
    other_fixations_of,
)
from gazesal.evaluation.score_rows import BadImage, BadImages
from gazesal.evaluation.storage.center_bias_file import parts_of
from gazesal.evaluation.worker import gaze_sums_of_chunk, map_sums_of_chunk, read_weighted_fixations
from gazesal.evaluation.worker_pool import Runner
from gazesal.maps.center_bias_model import CenterBiasModel

__all__ = ["SharedControls", "make_controls"]

CHUNK = 8  # images; a worker sums the gaze on one chunk at a time
CONTROL_IMAGES = 5  # other images for a metric that is not linear in the gaze, by default


class SharedControls(NamedTuple):
    """The gaze and the maps on all images, for the controls of each."""

    facts: dict[str, Any]
    arrays: list[np.ndarray]
    together: Mapping[str, list[Case]]
    mapped: Mapping[str, list[Case]]
    sampled: Mapping[str, list[Case]]

    def of(self, case: Case) -> ControlTask:
        """Return the task of one image."""
        return ControlTask(
            self.facts,
            len(self.arrays),
            self.together.get(case.image, []),
            self.mapped.get(case.image, []),
            self.sampled.get(case.image, []),
        )


def make_controls(
    cases: Sequence[Case],
    options: EvaluationOptions,
    bias: CenterBiasModel | None,
    run: Runner,
    bad: BadImages,
) -> SharedControls | None:
    """Return the gaze and the maps on all scored images, or None without such a control."""
    if not {"other_gaze", "mean_map"}.intersection(options.controls):
        return None
    frame = control_frame([case for case in cases if case.image not in bad], options)
    sums: dict[str, FramedSum] = {}
    maps: dict[tuple[str, str], FramedSum] = {}
    fixations = None
    together: dict[str, list[Case]] = {}
    mapped: dict[str, list[Case]] = {}
    sampled: dict[str, list[Case]] = {}
    if "other_gaze" in options.controls:
        good = [case for case in cases if case.scored and case.image not in bad]
        together = left_out_together(good, options)
        facts, arrays = parts_of(bias)
        tasks: list[tuple[Any, ...]] = [
            (chunk, options, kinds_of(options.of_gaze), frame, _of(together, chunk), facts)
            for chunk in _chunks(good)
        ]
        sums = _sums(run, gaze_sums_of_chunk, tasks, arrays, "other gaze", bad, of_gaze=True)
        if any(LINEAR.get(metric.name) == "points" for metric in options.of_gaze):
            found = []
            for case in (case for case in good if case.image not in bad):
                weighted = read_weighted_fixations(case, options)
                if isinstance(weighted, BadImage):
                    bad.add([weighted], of_gaze=True)
                elif weighted is not None:
                    found.append((case, weighted))
            fixations = other_fixations_of(found)
        good = [case for case in good if case.image not in bad]
        if not {metric.name for metric in options.of_gaze} <= set(LINEAR):
            sampled = sampled_others(good, options)
    if "mean_map" in options.controls:
        good = [case for case in cases if case.scored and case.image not in bad]
        of_maps: list[tuple[Any, ...]] = [(chunk, options, frame) for chunk in _chunks(good)]
        mapped = left_out_together(good, options, with_maps=True)
        maps = _sums(run, map_sums_of_chunk, of_maps, [], "mean maps", bad, of_gaze=False)
    facts_of_all, arrays_of_all = OtherGaze(frame, sums, maps, fixations).to_parts()
    return SharedControls(facts_of_all, arrays_of_all, together, mapped, sampled)


def sampled_others(cases: Sequence[Case], options: EvaluationOptions) -> dict[str, list[Case]]:
    """Return other images to score each image's maps on, by a seeded order of all images.

    Each image is followed by its sample, so that the gaze on each image is used equally often.
    Images of its group are skipped.
    """
    order = np.random.default_rng([options.seed, len(cases)]).permutation(len(cases))
    ring = [cases[k] for k in order]
    number = CONTROL_IMAGES if options.control_images is None else options.control_images
    found = {}
    for place, case in enumerate(ring):
        following = ring[place + 1 :] + ring[:place]
        group = options.leave_out
        others = (
            replace(other, maps={}, center_bias=None, picture=None)
            for other in following
            if group is None or other.groups[group] != case.groups[group]
        )
        found[case.image] = [other for _, other in zip(range(number), others, strict=False)]
    return found


def _chunks(cases: Sequence[Case]) -> list[list[Case]]:
    """Return chunks of images, which do not depend on the number of workers."""
    return [list(cases[start : start + CHUNK]) for start in range(0, len(cases), CHUNK)]


def _of(together: Mapping[str, list[Case]], chunk: Sequence[Case]) -> dict[str, list[Case]]:
    return {case.image: together[case.image] for case in chunk if case.image in together}


def _sums(
    run: Runner,
    function: Callable[..., Any],
    tasks: Sequence[tuple[Any, ...]],
    arrays: Sequence[np.ndarray],
    label: str,
    bad: BadImages,
    *,
    of_gaze: bool,
) -> dict[Any, FramedSum]:
    """Return the sums over all chunks, in their order, and list invalid images."""
    sums: dict[Any, FramedSum] = {}
    results = run(
        function, tasks, len(tasks), label, unit=f" x {CHUNK} images", ordered=True, shared=arrays
    )
    with closing(results):
        for part, found in results:
            bad.add(found, of_gaze=of_gaze)
            for key, one in part.items():
                sums[key] = sums[key].plus(one) if key in sums else one
    return sums
