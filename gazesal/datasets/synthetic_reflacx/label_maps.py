"""Maps of a synthetic release for single labels, as a network makes them for its classes."""

from collections.abc import Mapping

import numpy as np

from gazesal.datasets.synthetic_reflacx.anatomy import Lesion, draw_lesion
from gazesal.datasets.synthetic_reflacx.findings import FINDINGS
from gazesal.datasets.synthetic_reflacx.identity import Study
from gazesal.typing import Float64Array

__all__ = ["ALL_LESIONS", "CLASS_MAP", "draw_label_maps", "label_folder", "labels_of_phase"]

CLASS_MAP = "class_map"  # a map for each label
ALL_LESIONS = "all_lesions"  # one map for all labels
STRIDE = 8  # pixels of the image per pixel of a map, as after three poolings of a network
FLOOR = 0.05  # value far from every lesion, relative to a conspicuous lesion


def labels_of_phase(phase: int) -> list[str]:
    """Return the labels of a phase that synthetic lesions can have, sorted."""
    return sorted({finding.label(phase) for finding in FINDINGS.values()})


def label_folder(label: str) -> str:
    """Return the name of the folder of a label, in which a slash is replaced."""
    return label.replace("/", "-")


def draw_label_maps(study: Study, seed: int) -> Mapping[str, Float64Array]:
    """Return the map of each label, and under `ALL_LESIONS` the map of all lesions.

    The map of a label is on its lesions, whatever readers noticed. Without a lesion of the label,
    it is weakly on a place where such a lesion could be.
    """
    frame, phase = study.chest.frame, study.phase or 3
    shape = (-(-frame.height // STRIDE), -(-frame.width // STRIDE))
    u, v = frame.coordinates(shape)

    def bumps(lesions: list[Lesion], height: float) -> Float64Array:
        values = np.full(shape, FLOOR)
        for lesion in lesions:
            # a small lesion is as wide as a pixel of the map
            wide, high = np.maximum([lesion.half_u, lesion.half_v], STRIDE / frame.half_sizes)
            distance = ((u - lesion.u) / wide) ** 2 + ((v - lesion.v) / high) ** 2
            values += height * np.exp(-0.5 * distance / 0.8**2)
        return values

    maps = {ALL_LESIONS: bumps(list(study.chest.lesions), 1.0)}
    for number, label in enumerate(labels_of_phase(phase)):
        kinds = [kind for kind, finding in FINDINGS.items() if finding.label(phase) == label]
        own = [lesion for lesion in study.chest.lesions if lesion.kind in kinds]
        rng = np.random.default_rng([seed, 9, study.index, number])
        elsewhere = draw_lesion(kinds[int(rng.integers(len(kinds)))], rng)
        noise = 0.02 * rng.random(shape)
        maps[label] = noise + (bumps(own, 1.0) if own else bumps(elsewhere, 0.3))
    return maps
