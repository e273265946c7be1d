"""Scores as they come from the workers, small, until they are a table."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gazesal.typing import Float64Array

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COLUMNS", "LABELS", "RESERVED", "BadImage", "ImageScores", "Rows"]

LABELS = ("observer", "method", "metric")
COLUMNS = ("image", *LABELS, "score")
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
RESERVED = (*COLUMNS, *MEANS, "score_a", "score_b", "reference")  # no groups are called so


class Noticed(NamedTuple):
    """Facts about the maps of one image that are only of interest if all images share them."""

    turned: Sequence[str] = ()  # methods whose map looks transposed
    unblurred: int = 0  # readings of which a function returned a gaze map


class ImageScores(NamedTuple):
    """Scores of one image: labels and value of each, in the order of the table."""

    image: str
    observer: Sequence[str]
    method: Sequence[str]
    metric: Sequence[str]
    score: Float64Array
    noticed: Noticed = Noticed()


class BadImage(NamedTuple):
    """An image that could not be scored."""

    image: str
    reason: str
    traceback: str = ""


class Rows:
    """Scores of many images: a number for each label, 20 bytes a score."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._images: dict[str, tuple[NDArray[np.int32], Float64Array]] = {}

    def add(self, found: ImageScores) -> None:
        """Keep the scores of an image."""
        numbers = self._numbers
        codes = np.array(
            [
                [numbers.setdefault(name, len(numbers)) for name in labels]
                for labels in (found.observer, found.method, found.metric)
            ],
            dtype=np.int32,
        )
        self._images[found.image] = codes, found.score

    def to_frame(self, groups: Mapping[str, Mapping[str, object]]) -> "pd.DataFrame":
        """The table of all images, in the order of `groups`, with these as further columns."""
        import pandas as pd  # noqa: PLC0415 (workers do without)

        found = [self._images[image] for image in groups]
        lengths = [len(scores) for _, scores in found]
        # of each name once, then taken by number: no array of objects as long as the table
        names = pd.Series(list(self._numbers)).array
        codes = np.concatenate([np.empty((len(LABELS), 0), np.int32), *(c for c, _ in found)], 1)
        of_image = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
        columns: dict[str, object] = {"image": pd.Series(list(groups)).array.take(of_image)}
        columns |= {label: names.take(code) for label, code in zip(LABELS, codes, strict=True)}
        columns["score"] = np.concatenate([np.empty(0), *(scores for _, scores in found)])
        del codes, found
        for name in next(iter(groups.values()), {}):
            values = [own[name] for own in groups.values()]
            kept = pd.Series(values).array if isinstance(values[0], str) else np.array(values)
            columns[name] = kept.take(of_image)
        return pd.DataFrame(columns, copy=False)
