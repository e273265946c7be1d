"""The result of `score`: scores of many maps of one image."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gazesal.typing import Float64Array

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Scores"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scores:
    """Scores of saliency maps against gaze maps of one image; see `score`.

    Attributes
    ----------
    values : numpy.ndarray of float64, shape (M, R, K)
        Score of each saliency map against each gaze map by each metric. ``nan`` if it is undefined
        or was not requested.
    pairs : numpy.ndarray of bool, shape (M, R)
        True for each saliency map and gaze map that were scored against each other.
    saliency_maps : tuple of str or int
        Names of the M saliency maps: keys of the mapping given, else positions.
    gaze_maps : tuple of str or int
        Names of the R gaze maps.
    metrics : tuple of str
        Names of the K metrics.
    """

    values: Float64Array
    pairs: NDArray[np.bool_]
    saliency_maps: tuple[Any, ...]
    gaze_maps: tuple[Any, ...]
    metrics: tuple[str, ...]

    def __repr__(self) -> str:
        """Return a table of the means over the gaze maps, with a row for each saliency map."""
        n_scores = int(self.pairs.sum()) * len(self.metrics)
        head = (
            f"Scores of {len(self.saliency_maps)} saliency maps against "
            f"{len(self.gaze_maps)} gaze maps: {n_scores}, means over gaze maps:"
        )
        width = max(len(str(name)) for name in self.saliency_maps)
        lines = [" " * width + "".join(f"{metric:>11}" for metric in self.metrics)]
        for name, row, asked in zip(self.saliency_maps, self.values, self.pairs, strict=True):
            means = row[asked].mean(axis=0) if asked.any() else np.full(len(self.metrics), np.nan)
            lines.append(f"{name!s:<{width}}" + "".join(f"{mean:11.4f}" for mean in means))
        return "\n".join([head, *lines])

    def to_frame(self) -> "pd.DataFrame":
        """Return one row per score: saliency_map, gaze_map, metric, score.

        Returns
        -------
        pandas.DataFrame
            The scores of the pairs asked for, in the order of `values`.
        """
        import pandas as pd  # noqa: PLC0415 (slow to import, and only used here)

        rows = [
            (saliency_map, gaze_map, metric, self.values[i, j, k])
            for i, saliency_map in enumerate(self.saliency_maps)
            for j, gaze_map in enumerate(self.gaze_maps)
            if self.pairs[i, j]
            for k, metric in enumerate(self.metrics)
        ]
        return pd.DataFrame(rows, columns=["saliency_map", "gaze_map", "metric", "score"])
