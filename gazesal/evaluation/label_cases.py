"""Cases by image and label: the gaze while a reader names a label, and the maps of the label."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from gazesal._validation import as_iterable
from gazesal._warnings import warn
from gazesal.datasets._reflacx_files import require_gaze
from gazesal.datasets.map_sources import source_finder
from gazesal.datasets.mentions import REFLACX_TERMS, find_mentions
from gazesal.datasets.naming_windows import NamingWindow, naming_windows
from gazesal.datasets.reflacx import Reflacx
from gazesal.datasets.time_slices import TimedTable
from gazesal.evaluation.case import Case
from gazesal.evaluation.cases_from_tables import with_maps
from gazesal.evaluation.gaze_sources import MapSource
from gazesal.evaluation.map_on_image import Framing, GeometryOf, as_framing, maps_on_image
from gazesal.evaluation.several_maps import SeveralMaps
from gazesal.exceptions import SkippedDataWarning
from gazesal.regions.shapes import Ellipse

__all__ = [
    "LABEL",
    "OTHER_LABELS",
    "PICTURE",
    "LabelSearch",
    "Labels",
    "case_name",
    "ellipses_by_label",
    "maps_by_case",
    "picture_of",
    "with_maps_of_labels",
]

PICTURE = "picture"  # group of the cases of one image
LABEL = "label"  # group of the cases of one label
OTHER_LABELS = "_other_labels"  # ends the name of the control of a method

# Names of labels, terms by label, or a function from a reading and its words to mentions
Labels: TypeAlias = (
    bool
    | Sequence[str]
    | Mapping[str, Sequence[str]]
    | Callable[[str, pd.DataFrame], Mapping[str, Sequence[Any]]]
)


def case_name(picture: str, label: str) -> str:
    """Return the name of the case of an image and a label."""
    return f"{picture}|{label}"


def picture_of(case: Case) -> str:
    """Return the ``dicom_id`` of the image of a case of REFLACX, with or without labels."""
    return str(case.groups.get(PICTURE, case.image))


@dataclass(slots=True)
class LabelSearch:
    """Search for the labels that a reader names, and for the gaze in their windows.

    Attributes
    ----------
    release : Reflacx
        The readings.
    labels : Labels
        The argument of `cases_from_reflacx`.
    window : NamingWindow
        End of the windows, or a function.
    certainty : int
        Smallest certainty of a label that counts as present.
    named, without_gaze : int
        Numbers so far of pairs of a reading and a label, and of those without gaze in the windows.
    """

    release: Reflacx
    labels: Labels
    window: NamingWindow
    certainty: int
    named: int = 0
    without_gaze: int = 0

    def __post_init__(self) -> None:
        if callable(self.labels) or self.labels is True:
            return
        if not isinstance(self.labels, Mapping):
            listed = list(as_iterable(self.labels, name="labels", of="str"))
            unknown = [label for label in listed if label not in REFLACX_TERMS]
            if unknown or not listed:
                raise ValueError(
                    f"`labels` must be of {', '.join(REFLACX_TERMS)}, got "
                    f"{unknown[0] if unknown else listed!r}. Give a mapping of labels to terms for "
                    "labels of your own."
                )
            self.labels = tuple(listed)

    def gaze_of(self, reading: str) -> dict[str, pd.DataFrame]:
        """Return the fixations of a reading while it names each label, without empty ones."""
        fixations = self.release.fixations(reading)
        timed = TimedTable(fixations)
        windows: dict[str, list[tuple[float, float]]] = {}
        words = self.release.transcription(reading)
        mentions = self._mentions(reading, words)
        for named, begin, end in naming_windows(words, mentions, self.window):
            for label in named.labels:
                windows.setdefault(label, []).append((begin, end))
        found = {}
        for label, own in windows.items():
            if isinstance(self.labels, tuple) and label not in self.labels:
                continue
            self.named += 1
            parts = [timed.between(a, b, timed.starts < b) for a, b in _disjoint(own)]
            gaze = pd.concat(parts)
            if self._is_usable(reading, gaze):
                found[label] = gaze[gaze["duration"] > 0]
            else:
                self.without_gaze += 1
        return found

    def _mentions(self, reading: str, words: pd.DataFrame) -> Any:
        """Return the mentions of the labels that are present in a reading."""
        if callable(self.labels):
            return self.labels(reading, words)
        # with some labels only, a window ends at a mention of any label of the release
        terms = self.labels if isinstance(self.labels, Mapping) else REFLACX_TERMS
        certainties = self.release.labels.loc[reading]
        present = {
            label: own
            for label, own in terms.items()
            if label not in certainties or certainties[label] >= self.certainty
        }
        if not isinstance(self.labels, Mapping):
            present = {label: own for label, own in present.items() if label in certainties}
        return find_mentions(words, present)

    def _is_usable(self, reading: str, gaze: pd.DataFrame) -> bool:
        """Return whether a gaze map can be drawn of fixations."""
        if gaze.empty:
            return False
        row: Any = self.release.readings.loc[reading]
        try:
            require_gaze(gaze, Path(reading), int(row["height"]), int(row["width"]))
        except ValueError:
            return False
        return True

    def report(self) -> None:
        """Warn with the number of named labels that were left out."""
        if self.without_gaze:
            warn(
                f"{self.without_gaze} of {self.named} pairs of a reading and a label that it names "
                "were left out, because no fixation is on the image in the windows of the label.",
                SkippedDataWarning,
            )


def _disjoint(windows: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the union of windows as windows that do not overlap, so that no time counts twice."""
    found: list[tuple[float, float]] = []
    for begin, end in sorted(windows):
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((begin, end))
    return found


def ellipses_by_label(
    release: Reflacx, readings: Sequence[str], certainty: int
) -> dict[str, list[Ellipse]]:
    """Return the ellipses that readers drew on one image, by label."""
    found: dict[str, list[Ellipse]] = {}
    for reading in readings:
        table = release.ellipses(reading)
        sides = table[["xmin", "ymin", "xmax", "ymax"]].to_numpy(np.float64)
        # an ellipse without width or height covers no pixel
        drawn = (sides[:, :2] < sides[:, 2:]).all(axis=1)
        drawn &= table["certainty"].to_numpy() >= certainty
        for label in table.columns[5:]:
            for at in np.flatnonzero(drawn & table[label].to_numpy()):
                found.setdefault(label, []).append(Ellipse.between(*sides[at].tolist()))
    return found


def with_maps_of_labels(
    cases: list[Case],
    maps: Mapping[str, Mapping[str, Any]],
    unmapped: str,
    input_geometry: Framing | GeometryOf | None,
) -> list[Case]:
    """Return cases by image and label with their maps.

    A method has maps by label and image, and then also a control with the maps of its other labels
    on the same image, or one map per image for all labels.
    """
    framing = as_framing(input_geometry)
    joined = with_maps(cases, maps_by_case(cases, maps), unmapped, input_geometry)
    found = []
    for case in joined:
        controls: dict[str, MapSource] = {}
        for method, own in maps.items() if case.maps else ():
            others = _of_other_labels(own, case) if _is_by_label(own) else []
            if others:
                framed = dict(enumerate(others))
                if framing is not None:
                    named = {str(n): source for n, source in framed.items()}
                    others = list(maps_on_image(case, named, framing).values())
                controls[f"{method}{OTHER_LABELS}"] = SeveralMaps(tuple(others))
        found.append(replace(case, maps={**case.maps, **controls}))
    return found


def maps_by_case(
    cases: list[Case], maps: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Return the maps of each method by the name of a case of an image and a label."""
    found: dict[str, dict[str, Any]] = {}
    for method, own in maps.items():
        name = f"maps[{method!r}]"
        if _is_by_label(own):
            by_label = _by_key(own, name)
            finders = {key: source_finder(each, name=name) for key, each in by_label.items()}
        else:
            plain = source_finder(own, name=name)
            finders = {_key(str(case.groups[LABEL])): plain for case in cases}
        sources: dict[str, Any] = {}
        for case in cases:
            find = finders.get(_key(str(case.groups[LABEL])))
            source = None if find is None else find(str(case.groups[PICTURE]))
            if source is not None:
                sources[case.image] = source
        found[method] = sources
    return found


def _is_by_label(own: Any) -> bool:
    """Return whether the maps of a method are by label and then by image."""
    return isinstance(own, Mapping) and any(isinstance(each, Mapping) for each in own.values())


def _of_other_labels(own: Mapping[str, Any], case: Case) -> list[Any]:
    """Return the maps of the other labels of a method on the image of a case."""
    key, picture = _key(str(case.groups[LABEL])), str(case.groups[PICTURE])
    others = [each for label, each in sorted(own.items()) if _key(label) != key]
    found = [source_finder(each, name="maps")(picture) for each in others]
    return [source for source in found if source is not None]


def _by_key(own: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return maps by the key of their label, and raise if two labels have the same."""
    found: dict[str, str] = {}
    for label in own:
        if _key(label) in found:
            raise ValueError(
                f"`{name}` must have different labels, got {found[_key(label)]!r} and {label!r}."
            )
        found[_key(label)] = label
    return {key: own[label] for key, label in found.items()}


def _key(label: str) -> str:
    """Return a label without capitals and marks, which names of folders cannot always have."""
    return " ".join(re.findall(r"[^\W_]+", label.lower()))
