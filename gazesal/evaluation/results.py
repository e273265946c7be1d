"""The outcome of an evaluation."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from gazesal.evaluation.cases import (
    CENTER_BIAS,
    GROUND_TRUTH,
    IN_SAMPLE_BIAS,
    INTEROBSERVER,
    SEGMENTATION,
    Case,
)
from gazesal.evaluation.scoring import (
    ALL_OBSERVERS,
    AnyCenterBias,
    Options,
    comparisons,
    gaze_maps,
    own_biases,
)
from gazesal.metrics.registry import METRICS
from gazesal.stats.intervals import Method, confidence_interval
from gazesal.typing import FloatArray

__all__ = ["Evaluation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Scores of many images, with what they were made from.

    Attributes
    ----------
    scores : pandas.DataFrame
        One row a score: image, observer (the one left out of the ground truth, or ``"all"`` where
        none is), method, metric, score, and the groups of the images, a column each. Undefined
        scores are ``nan``.
    cases : list of Case
        All images, also those that shape the centre bias only.
    options : Options
        What they were scored with.
    center_bias : CenterBias or RegisteredCenterBias or None
        Of all images: on the most common size, or registered by their boxes; none where every
        image came with its own.
    bad_images : pandas.DataFrame
        Images that could not be scored, with the reason: columns image, reason.
    """

    scores: pd.DataFrame
    cases: list[Case] = field(repr=False)
    options: Options
    center_bias: AnyCenterBias | None
    bad_images: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame({"image": [], "reason": []}, dtype=str), repr=False
    )

    @property
    def methods(self) -> list[str]:
        """Rows of the results table: interobserver, the floors, then the methods by name."""
        names = list(self.scores["method"].unique())
        rows = (INTEROBSERVER, SEGMENTATION, CENTER_BIAS, IN_SAMPLE_BIAS)
        baselines = [name for name in rows if name in names]
        return baselines + sorted(name for name in names if name not in baselines)

    def summary(
        self, *, method: Method = "bootstrap", level: float = 0.95, n_resamples: int = 10_000
    ) -> pd.DataFrame:
        """Return mean scores with confidence intervals, the image as the unit.

        Parameters
        ----------
        method : {"bootstrap", "normal", "study"}, default "bootstrap"
            Kind of interval; see `confidence_interval`. The bootstrap of every cell starts from
            the evaluation's seed, so cells with the same images resample the same ones.
        level : float, default 0.95
            Confidence level.
        n_resamples : int, default 10000
            Number of bootstrap resamples.

        Returns
        -------
        pandas.DataFrame
            Columns method, metric, estimate, low, high, n_images, n_scores, n_undefined (how many
            ``nan`` scores were left out), interval (its kind) and level. A cell without any
            defined score is ``nan``.

        Raises
        ------
        ValueError
            If an option is out of range.
        """
        rows = []
        for name in self.methods:
            for metric in self.options.metrics:
                cell = self.scores[
                    (self.scores["method"] == name) & (self.scores["metric"] == metric)
                ]
                defined = cell[cell["score"].notna()]
                row: dict[str, object] = {"method": name, "metric": metric}
                if defined.empty:
                    row |= {"estimate": np.nan, "low": np.nan, "high": np.nan}
                else:
                    interval = confidence_interval(
                        defined["score"],
                        clusters=defined["image"],
                        method=method,
                        level=level,
                        n_resamples=n_resamples,
                        rng=self.options.seed,
                    )
                    row |= {
                        "estimate": interval.estimate,
                        "low": interval.low,
                        "high": interval.high,
                    }
                row |= {
                    "n_images": defined["image"].nunique(),
                    "n_scores": len(defined),
                    "n_undefined": len(cell) - len(defined),
                    "interval": method,
                    "level": level,
                }
                rows.append(row)
        return pd.DataFrame(rows)

    def maps_of(self, image: str, observer: str | None = None) -> dict[str, FloatArray]:
        """Return the maps that were compared on one image, made again.

        Parameters
        ----------
        image : str
            Name of a scored image.
        observer : str, optional
            The observer left out; by default the first.

        Returns
        -------
        dict of numpy.ndarray, each (H, W)
            The gaze map of the observer (``"interobserver"``), the mean of the others
            (``"ground_truth"``), the centre bias without this image (``"center_bias"``) or with
            it (``"center_bias_in_sample"``), and the map of each method.

        Raises
        ------
        ValueError
            If the image or the observer is not part of the evaluation.
        """
        case = next((case for case in self.cases if case.image == image), None)
        if case is None:
            raise ValueError(f"`image` must be one of the cases, got {image!r}.")
        if observer is not None and observer not in case.gaze:
            raise ValueError(
                f"`observer` must be one of {', '.join(case.gaze)} for image {image}, got "
                f"{observer!r}."
            )
        left_out = next(iter(case.gaze)) if observer is None else observer
        own_maps = gaze_maps(case, self.options)
        biases = own_biases(case, own_maps, self.center_bias, self.options)
        shown: dict[str, FloatArray] = {}
        for pair in comparisons(case, own_maps, biases, self.options):
            if pair.observer in {left_out, ALL_OBSERVERS}:
                shown[pair.method] = pair.saliency
                shown[GROUND_TRUTH] = pair.truth  # at last that of the maps
        return shown

    def __repr__(self) -> str:
        scored = self.scores["image"].nunique()
        return (
            f"Evaluation({len(self.scores)} scores: {scored} images, {len(self.methods)} rows, "
            f"{', '.join(METRICS[name].label for name in self.options.metrics)})"
        )
