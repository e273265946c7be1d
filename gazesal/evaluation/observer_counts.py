"""Numbers of observers of the scored images, and sentences on the row that needs several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gazesal.evaluation.case import INTEROBSERVER, Case, is_pooled, n_gaze_maps
from gazesal.evaluation.gaze_sources import is_gaze_map
from gazesal.evaluation.options import EvaluationOptions
from gazesal.evaluation.score_rows import REGION

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["interobserver_words", "observer_counts", "observer_sentence"]


class Scored(Protocol):
    """The parts of an `Evaluation` that are counted here."""

    @property
    def scores(self) -> pd.DataFrame:
        """The table of scores."""

    @property
    def cases(self) -> list[Case]:
        """All images."""

    @property
    def options(self) -> EvaluationOptions:
        """The options of the evaluation."""


def observer_counts(evaluation: Scored) -> dict[str, int]:
    """Return the number of observers of each scored image, also without the cases."""
    scores = evaluation.scores
    own = scores[scores["method"] == INTEROBSERVER].groupby("image")["observer"].nunique()
    counts = dict.fromkeys(map(str, scores["image"].unique()), 1)
    counts |= {str(image): int(count) for image, count in own.items()}
    return counts | {c.image: n_gaze_maps(c) for c in evaluation.cases if c.image in counts}


def interobserver_words(evaluation: Scored) -> str:
    """Return a phrase on images without an interobserver score, empty if every image has one."""
    counts = observer_counts(evaluation)
    several = sum(count > 1 for count in counts.values())
    if several == len(counts) or _only_of_regions(evaluation):
        return ""
    if several:
        return f"interobserver on {several} of {len(counts)} images"
    return f"no interobserver, as images have one {_kind(evaluation)} each"


def observer_sentence(evaluation: Scored) -> str:
    """Return a sentence on images without an interobserver score, empty if every image has one."""
    counts = observer_counts(evaluation)
    ceilings = evaluation.options.ceilings
    several = sum(count > 1 for count in counts.values())
    if several == len(counts) or _only_of_regions(evaluation):
        return ""
    if several:
        rows, verb = "One observer vs. the others", "is"
        if ceilings:
            rows, verb = f"{rows} and the rows of a perfect map", "are"
        return (
            f"{rows} {verb} over the {several} of {len(counts)} images that have several "
            f"observers, and differences from {'them' if ceilings else 'it'} are over the same "
            "images."
        )
    more = ", and none of a perfect map" if ceilings else ""
    return (
        f"Images have one {_kind(evaluation)} each, so there is no row of one observer vs. the "
        f"others{more}."
    )


def _only_of_regions(evaluation: Scored) -> bool:
    """Return whether no score compares a map with gaze."""
    scores = evaluation.scores
    return REGION in scores and bool((scores[REGION] != "").all())


def _kind(evaluation: Scored) -> str:
    """Return the kind of the only gaze on each scored image."""
    scored = set(evaluation.scores["image"])
    cases = [case for case in evaluation.cases if case.image in scored]
    if cases and all(map(is_pooled, cases)):
        return "pooled reading"
    gaze = [own for case in cases for own in case.gaze.values()]
    maps = sum(map(is_gaze_map, gaze))
    if gaze and maps == len(gaze):
        return "gaze map"
    return "observer or gaze map" if maps or any(map(is_pooled, cases)) else "observer"
