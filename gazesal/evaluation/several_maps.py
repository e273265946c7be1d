"""Several maps of one method on one image, whose scores are averaged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gazesal.evaluation.case import Case
from gazesal.evaluation.gaze_sources import MapSource, load_source
from gazesal.evaluation.score_rows import Score
from gazesal.maps.resampling import resample
from gazesal.typing import Float64Array

__all__ = ["SeveralMaps", "averaged", "with_single_maps", "without_several_maps"]


@dataclass(frozen=True, slots=True)
class SeveralMaps:
    """Maps of one method on one image, such as its maps for the other labels.

    `evaluate` scores each map and keeps the mean of the scores. The object is called only to show
    the maps, and returns their mean.

    Attributes
    ----------
    sources : tuple of array, pathlib.Path or callable
        The maps.
    """

    sources: tuple[MapSource, ...]

    def __call__(self) -> Float64Array:
        """Return the mean of the maps, each scaled to the range 0 to 1."""
        maps = [load_source(source, name="map") for source in self.sources]
        return np.asarray(np.mean([_scaled(resample(m, maps[0].shape)) for m in maps], axis=0))


def _scaled(values: Float64Array) -> Float64Array:
    low, high = values.min(), values.max()
    return np.asarray((values - low) / (high - low)) if high > low else np.zeros(values.shape)


def with_single_maps(case: Case) -> tuple[Case, dict[str, str]]:
    """Return a case that has each of several maps as a method of its own.

    The mapping has the method of each name that is new.
    """
    method_of: dict[str, str] = {}
    maps: dict[str, MapSource] = {}
    for method, source in case.maps.items():
        if not isinstance(source, SeveralMaps):
            maps[method] = source
            continue
        for number, single in enumerate(source.sources, start=1):
            name = f"{method} {number}"
            maps[name], method_of[name] = single, method
    return (replace(case, maps=maps) if method_of else case), method_of


def without_several_maps(case: Case) -> Case:
    """Return a case without the methods of several maps, whose mean over images has no meaning."""
    single = {m: source for m, source in case.maps.items() if not isinstance(source, SeveralMaps)}
    return case if len(single) == len(case.maps) else replace(case, maps=single)


def averaged(rows: Sequence[Score], method_of: Mapping[str, str]) -> list[Score]:
    """Return the scores, in which several maps of one method have the mean of their scores.

    Undefined scores are left out of a mean, which is ``nan`` if all are undefined.
    """
    if not method_of:
        return list(rows)
    found: dict[Score, list[float]] = {}
    for row in rows:
        key = row._replace(method=method_of.get(row.method, row.method), score=0.0)
        found.setdefault(key, []).append(row.score)
    return [key._replace(score=_mean(scores)) for key, scores in found.items()]


def _mean(scores: list[float]) -> float:
    """Return the mean of the defined scores. A single score keeps its last bit."""
    defined = [score for score in scores if not np.isnan(score)]
    return float(np.mean(defined)) if defined else float("nan")
