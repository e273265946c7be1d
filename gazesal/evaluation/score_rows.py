"""Scores and errors of images as the workers return them, and their tables."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gazesal.evaluation.case import Case
from gazesal.typing import Float64Array

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "COLUMNS",
    "LABELS",
    "REGION",
    "RESERVED",
    "BadImage",
    "BadImages",
    "ImageScores",
    "Noticed",
    "Rows",
    "Score",
    "raise_bad",
]

REGION = "region"  # a column of the table only if a score is of a region
LABELS = ("observer", "method", "metric", REGION)
COLUMNS = ("image", *LABELS[:3], "score")
MEANS = (
    "estimate",
    "low",
    "high",
    "n_images",
    "n_scores",
    "n_undefined",
    "interval",
    "confidence_level",
)
RESERVED = (*COLUMNS, REGION, *MEANS, "score_a", "score_b", "reference")  # not names of groups


class Noticed(NamedTuple):
    """Facts about the maps and the gaze of one image, reported for all images together."""

    turned: Sequence[str] = ()  # methods whose map looks transposed
    unblurred: int = 0  # readings for which a function returned a gaze map
    dropped: int = 0  # fixations outside the area of the image


class Score(NamedTuple):
    """One score of an image with its labels."""

    image: str
    observer: str
    method: str
    metric: str
    score: float
    region: str = ""  # label of the region, empty for a score against gaze


class ImageScores(NamedTuple):
    """Scores of one image: labels and value of each, in the order of the table."""

    image: str
    observer: Sequence[str]
    method: Sequence[str]
    metric: Sequence[str]
    score: Float64Array
    noticed: Noticed = Noticed()
    region: Sequence[str] | None = None  # None if no score is of a region

    def labels(self) -> tuple[Sequence[str], ...]:
        """Return the labels of the scores in the order of `LABELS`."""
        region = [""] * len(self.score) if self.region is None else self.region
        return self.observer, self.method, self.metric, region


class BadImage(NamedTuple):
    """An image that could not be scored."""

    image: str
    reason: str
    traceback: str = ""


class Rows:
    """Scores of many images in 24 bytes per score: each label is stored as a number."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._images: dict[str, tuple[NDArray[np.int32], Float64Array]] = {}

    def add(self, found: ImageScores) -> None:
        """Keep the scores of an image."""
        numbers = self._numbers
        codes = np.array(
            [
                [numbers.setdefault(name, len(numbers)) for name in labels]
                for labels in found.labels()
            ],
            dtype=np.int32,
        )
        self._images[found.image] = codes, found.score

    def to_frame(self, groups: Mapping[str, Mapping[str, object]]) -> "pd.DataFrame":
        """Return the table of all images, in the order of `groups`, with these as columns."""
        import pandas as pd  # noqa: PLC0415 (workers do not need it, and it takes 60 MB)

        found = [self._images[image] for image in groups]
        lengths = [len(scores) for _, scores in found]
        # Names are taken by number, so that no array of objects is as long as the table.
        names = pd.Series(list(self._numbers)).array
        codes = np.concatenate([np.empty((len(LABELS), 0), np.int32), *(c for c, _ in found)], 1)
        of_image = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
        columns: dict[str, object] = {"image": pd.Series(list(groups)).array.take(of_image)}
        labels = {label: names.take(code) for label, code in zip(LABELS, codes, strict=True)}
        regions = labels.pop(REGION)
        columns |= labels
        columns["score"] = np.concatenate([np.empty(0), *(scores for _, scores in found)])
        if (codes[LABELS.index(REGION)] != self._numbers.get("", -1)).any():
            columns[REGION] = regions
        del codes, found
        for name in next(iter(groups.values()), {}):
            values = [own[name] for own in groups.values()]
            kept = pd.Series(values).array if isinstance(values[0], str) else np.array(values)
            columns[name] = kept.take(of_image)
        return pd.DataFrame(columns, copy=False)


class BadImages:
    """Images that cannot be scored. Each is listed, or the first ends the run.

    Parameters
    ----------
    stop : bool
        If True, raise an error at the first.
    """

    def __init__(self, *, stop: bool) -> None:
        self.stop: bool = stop
        self.of_gaze: set[str] = set()  # images that do not contribute to the center bias
        self._reasons: dict[str, str] = {}

    def __contains__(self, image: str) -> bool:
        return image in self._reasons

    def add(self, found: Iterable[BadImage], *, of_gaze: bool = False) -> None:
        """List images, or raise for the first. With `of_gaze`, their gaze is invalid."""
        for bad in found:
            if self.stop:
                raise_bad(bad)
            if of_gaze:
                self.of_gaze.add(bad.image)
            self._reasons.setdefault(bad.image, bad.reason)

    def to_frame(self, cases: Iterable[Case]) -> "pd.DataFrame":
        """Return the table of them, in the order of the cases."""
        import pandas as pd  # noqa: PLC0415 (as above)

        rows = [(c.image, self._reasons[c.image]) for c in cases if c.image in self._reasons]
        return pd.DataFrame(rows, columns=["image", "reason"], dtype=str)


def raise_bad(bad: BadImage, more: str = "") -> None:
    """Raise the error of an image, with `more` after its message."""
    error = ValueError(bad.reason + more)
    if bad.traceback:
        error.add_note(f"Where it happened:\n{bad.traceback}")
    raise error
