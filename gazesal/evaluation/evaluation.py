"""The class `Evaluation`: the table of scores, with methods to summarize, compare and save it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gazesal.datasets._arguments import as_path
from gazesal.evaluation.case import (
    ALL_OBSERVERS,
    FIRST_ROWS,
    GROUND_TRUTH,
    Case,
)
from gazesal.evaluation.control_table import summarize_controls
from gazesal.evaluation.gaze_of_image import biases_on_image, gaze_maps
from gazesal.evaluation.groups import left_out_with
from gazesal.evaluation.observer_counts import interobserver_words
from gazesal.evaluation.options import EvaluationOptions
from gazesal.evaluation.registered import view
from gazesal.evaluation.score_one_image import scored_pairs, tested_maps
from gazesal.evaluation.storage.fingerprints import versions
from gazesal.evaluation.storage.saved_evaluation import load_parts, save_parts
from gazesal.evaluation.summaries import compare_methods, summarize
from gazesal.maps.center_bias_model import CenterBiasModel
from gazesal.stats.caveats import warn_of
from gazesal.stats.interval_methods import DEFAULT_INTERVAL, IntervalKind
from gazesal.stats.multiplicity import Adjustment
from gazesal.stats.results import Comparisons
from gazesal.typing import FloatArray

__all__ = ["Evaluation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Scores of many images, with the cases and the options that they were computed from.

    Attributes
    ----------
    scores : pandas.DataFrame
        One row per score: image, observer (the observer left out of the ground truth, or ``"all"``
        if none is), method, metric, score, and a column for each group of the images. Undefined
        scores are ``nan``. If images have regions that were scored, the column ``region`` after
        the score holds the label, or an empty text for a score against gaze. The rows ``"gaze"``
        and ``"gaze_of_one"`` score the gaze map of all observers, and of each, against the regions.
    cases : list of Case
        All images, including those that only contribute to the center bias.
    options : EvaluationOptions
        Options with which they were scored.
    center_bias : CenterBias or RegisteredCenterBias or other center bias or None
        Center bias given to `evaluate`, or otherwise the one of all images, on the most common size
        or registered by their boxes. None if every image has its own, or with
        ``center_bias="none"``.
    bad_images : pandas.DataFrame
        Images that could not be scored, with the reason: columns image, reason.
    versions : mapping of str to str
        Versions of the packages that computed the scores.
    controls : pandas.DataFrame or None
        One row per image, method and metric with the control ``"other_gaze"``, otherwise None:
        image, method, metric, own (the mean score on the image), other (the mean score of the same
        map against the gaze on other images), difference (own minus other), and a column for each
        group of the images. See `control_summary`.
    """

    scores: pd.DataFrame
    cases: list[Case] = field(repr=False)
    options: EvaluationOptions
    center_bias: CenterBiasModel | None
    bad_images: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame({"image": [], "reason": []}, dtype=str), repr=False
    )
    versions: Mapping[str, str] = field(default_factory=versions, repr=False)
    controls: pd.DataFrame | None = field(default=None, repr=False)

    @property
    def methods(self) -> list[str]:
        """Rows of the results table: observers, ceilings, other baselines, the methods by name."""
        names = list(self.scores["method"].unique())
        baselines = [name for name in FIRST_ROWS if name in names]
        return baselines + sorted(name for name in names if name not in baselines)

    def summary(
        self,
        *,
        by: Sequence[str] | str = (),
        unit: str = "image",
        interval: IntervalKind = DEFAULT_INTERVAL,
        confidence_level: float = 0.95,
        n_resamples: int = 10_000,
    ) -> pd.DataFrame:
        """Return mean scores with confidence intervals over images, or groups of them.

        Parameters
        ----------
        by : str or sequence of str, optional
            Groups of the images, columns of `scores`, to summarize separately. With ``"region"``,
            only metrics of regions. Without it, the regions of an image are averaged first, without
            the union if each region is scored too.
        unit : str, default "image"
            Independent unit: the image, or a group of images such as the patient. Every unit has
            the same weight.
        interval : {"t", "normal", "bootstrap", "basic", "bca", "studentized", "study"}, default "t"
            Kind of interval. See `interval`. The resamples of every cell start from the seed of
            the evaluation, so cells with the same images use the same resamples.
        confidence_level : float, default 0.95
            Confidence level.
        n_resamples : int, default 10000
            Number of bootstrap resamples.

        Returns
        -------
        pandas.DataFrame
            Columns of `by`, method, metric, estimate, low, high, n_images, n_scores, n_undefined
            (the number of ``nan`` scores, which are left out), interval (its kind),
            confidence_level, and the number of units if they are not images. A cell without any
            defined score is ``nan``. With the row ``"attainable"``, the columns of_attainable,
            of_attainable_low and of_attainable_high hold the share of its mean that each mean
            reaches on the same images, with its interval; see `normalized_score`. ``nan`` for
            metrics without this row. ``attrs["caveats"]`` holds the text of an `IntervalWarning`,
            or is empty. ``attrs["observers"]`` holds a sentence on images without an
            ``"interobserver"`` score, which have one observer, or is empty.

        Raises
        ------
        ValueError
            If an option is out of range, or `by` or `unit` names no group.

        Warns
        -----
        IntervalWarning
            If intervals may cover the truth less often than their confidence level, as for
            `interval`.
        UndefinedMetricWarning
            If an interval is undefined, as with one image.

        See Also
        --------
        interval_table : The same intervals of any table of scores.

        Notes
        -----
        The intervals equal the result of `interval_table` for
        ``Design("image", averaged="observer", unbalanced="average", missing="drop")``. The
        bootstrap intervals follow :footcite:t:`davison1997`, and the kind ``"study"`` follows
        :footcite:t:`bigolin2021`.

        References
        ----------
        .. footbibliography::
        """
        made = summarize(
            self,
            by=by,
            unit=unit,
            interval=interval,
            confidence_level=confidence_level,
            n_resamples=n_resamples,
        )
        warn_of(made.attrs["caveats"])
        return made

    def compare(
        self,
        a: str,
        b: str,
        metric: Sequence[str] | str | None = None,
        *,
        by: Sequence[str] | str = (),
        unit: str = "image",
        margin: float | Mapping[Any, float] | None = None,
        interval: IntervalKind = DEFAULT_INTERVAL,
        confidence_level: float = 0.95,
        adjust: Adjustment = "holm",
        n_resamples: int = 10_000,
    ) -> Comparisons:
        """Compare two methods on the same images, with the image or a group of them as the unit.

        Scores are paired by image, region and the observer left out. Pairs with an undefined score
        are left out, and the others are averaged over the observers and regions of each image.
        Images that have scores of only one of the methods are left out and counted as
        ``n_unpaired``. An image with one observer has no score of ``"interobserver"``.

        Parameters
        ----------
        a, b : str
            Two of `methods`. Differences are a - b.
        metric : str or sequence of str, optional
            Metrics to compare by, by name or alias, all by default.
        by : str or sequence of str, optional
            Groups of the images, columns of `scores`, to compare separately.
        unit : str, default "image"
            Independent unit: the image, or a group of images such as the patient.
        margin : float or dict of float, optional
            Largest difference that counts as equivalent. See `gazesal.stats.compare`.
        interval : {"t", "normal", "bootstrap", "basic", "bca", "studentized"}, default "t"
            Kind of interval of the difference.
        confidence_level : float, default 0.95
            Confidence level.
        adjust : {"holm", "benjamini-hochberg", "none"}, default "holm"
            Adjustment of the p-values for the number of comparisons of this call.
        n_resamples : int, default 10000
            Number of bootstrap resamples, and the largest number of sign patterns. Both start from
            the seed of the evaluation.

        Returns
        -------
        Comparisons
            One for each metric and group.

        Raises
        ------
        ValueError
            If `a` or `b` is not in `methods`, `metric` was not computed, `by` or `unit` does not
            name a group, no pair is left, or as for `gazesal.stats.compare`.

        Warns
        -----
        IntervalWarning
            As for `gazesal.stats.compare`.

        Notes
        -----
        The p-values are adjusted by :footcite:t:`holm1979` by default, or by
        :footcite:t:`benjamini1995`. Equivalence within a margin is tested by the two one-sided
        tests of :footcite:t:`schuirmann1987`.

        References
        ----------
        .. footbibliography::
        """
        return compare_methods(
            self,
            a,
            b,
            metric,
            by=by,
            unit=unit,
            margin=margin,
            interval=interval,
            confidence_level=confidence_level,
            adjust=adjust,
            n_resamples=n_resamples,
        )

    def control_summary(
        self,
        *,
        by: Sequence[str] | str = (),
        unit: str = "image",
        interval: IntervalKind = DEFAULT_INTERVAL,
        confidence_level: float = 0.95,
        adjust: Adjustment = "holm",
        n_resamples: int = 10_000,
    ) -> pd.DataFrame:
        """Return the mean scores on the own and on other images, with tests of their difference.

        Parameters
        ----------
        by : str or sequence of str, optional
            Groups of the images, columns of `controls`, to summarize separately.
        unit : str, default "image"
            Independent unit: the image, or a group of images such as the patient.
        interval : {"t", "normal", "bootstrap", "basic", "bca", "studentized"}, default "t"
            Kind of interval of the difference.
        confidence_level : float, default 0.95
            Confidence level.
        adjust : {"holm", "benjamini-hochberg", "none"}, default "holm"
            Adjustment of the p-values for the number of rows.
        n_resamples : int, default 10000
            Number of bootstrap resamples, and the largest number of sign patterns.

        Returns
        -------
        pandas.DataFrame
            Columns of `by`, method, metric, own, other, difference (own minus other), low and high
            (its interval), p_value, p_adjusted, test, n_images, interval and confidence_level. A
            cell without any defined score is ``nan``.

        Raises
        ------
        ValueError
            If the evaluation has no `controls`, an option is out of range, or `by` or `unit` names
            no group.

        Warns
        -----
        IntervalWarning, UndefinedMetricWarning
            As for `gazesal.stats.compare`.

        See Also
        --------
        gazesal.stats.control_scores : The whole matrix of scores and an exact test of the matching.

        Notes
        -----
        The p-value is two-sided, of sign flips. Its null hypothesis is that the difference of an
        image is as likely to have one sign as the other. The interval and the p-value are
        conservative if images differ in how well any map predicts their gaze, because this
        difference cancels in the mean but not between the images. `gazesal.stats.control_scores`
        tests the matching of maps and images itself, by permutations.
        """
        if self.controls is None:
            raise ValueError(
                "`controls` must hold 'other_gaze' in the call of `evaluate`, got "
                f"{self.options.controls!r}."
            )
        present = set(self.controls["method"])
        metrics = [metric.name for metric in self.options.of_gaze]
        return summarize_controls(
            self.controls,
            [method for method in self.methods if method in present],
            metrics,
            by=by,
            unit=unit,
            interval=interval,
            confidence_level=confidence_level,
            adjust=adjust,
            n_resamples=n_resamples,
            seed=self.options.seed,
        )

    def save(self, folder: str | Path) -> None:
        """Write the evaluation into a folder, from which `load` reads it.

        Parameters
        ----------
        folder : str or path
            The folder, made if absent. An evaluation in it is replaced.

        Raises
        ------
        ImportError
            If the extra ``parquet`` is not installed.

        Notes
        -----
        Scores, groups, fixations, options, versions and the center bias are saved to the bit. A
        center bias of a class outside gazesal is not saved, with a warning. Of
        maps in files, the paths are saved. Maps that are arrays or functions are not saved, and
        asking a loaded evaluation for one raises an error that names it. The tables are Parquet
        files, the rest is JSON and an ``.npz``, and loading them executes nothing.
        """
        save_parts(
            as_path(folder, name="folder"),
            scores=self.scores,
            bad_images=self.bad_images,
            cases=self.cases,
            options=self.options,
            center_bias=self.center_bias,
            versions=self.versions,
            controls=self.controls,
        )

    @classmethod
    def load(cls, folder: str | Path) -> Evaluation:
        """Read an evaluation that `save` wrote.

        Parameters
        ----------
        folder : str or path
            The folder.

        Returns
        -------
        Evaluation
            The same scores, to the bit. `maps_of` works if the files of the maps still exist.

        Raises
        ------
        FileNotFoundError
            If the folder has no saved evaluation.
        ValueError
            If a file is torn or was not written by `save`. The message names it.
        ImportError
            If the extra ``parquet`` is not installed.
        """
        return cls(**load_parts(as_path(folder, name="folder")))

    def maps_of(self, image: str, observer: str | None = None) -> dict[str, FloatArray]:
        """Compute again the maps that were compared on one image.

        Parameters
        ----------
        image : str
            Name of a scored image.
        observer : str, optional
            The observer left out. By default the first.

        Returns
        -------
        dict of numpy.ndarray, each (H, W)
            The gaze map of the observer (``"interobserver"``) if there are others, the mean gaze
            map of the others (``"ground_truth"``), the center bias without this image
            (``"center_bias"``) or with it (``"center_bias_in_sample"``) if it was scored, and the
            map of each method. The maps behind the rows of ceilings are not included: they depend
            on the metric, see `maps_for_metric`.

        Raises
        ------
        ValueError
            If the image or the observer is not in the evaluation.
        """
        case = next((case for case in self.cases if case.image == image), None)
        if case is None:
            raise ValueError(f"`image` must be one of the cases, got {image!r}.")
        if observer is not None and observer not in case.gaze:
            raise ValueError(
                f"`observer` must be one of {', '.join(case.gaze)} for image {image}, got "
                f"{observer!r}."
            )
        left_out = next(iter(case.gaze), ALL_OBSERVERS) if observer is None else observer
        own_maps = gaze_maps(case, self.options)
        bad = set(self.bad_images["image"])
        together = left_out_with(case, self.cases, self.options, bad)
        biases = biases_on_image(case, own_maps, self.center_bias, self.options, together)
        shown: dict[str, FloatArray] = {}
        if not own_maps:  # scored against regions only
            found = tested_maps(case, biases, self.options)
            return {method: np.array(saliency, np.float64) for method, saliency, _ in found}
        for pair in scored_pairs(case, own_maps, biases, self.options):
            if pair.observer in {left_out, ALL_OBSERVERS}:
                # a copy, because the map may be an array of the caller
                shown[pair.method] = pair.saliency.astype(np.float64)
                shown[GROUND_TRUTH] = pair.truth  # the last pair has the ground truth of the maps
        return shown

    def plot_intervals(self, **options: Any) -> Any:
        """Plot the mean of every method with its interval, one panel per metric.

        Parameters
        ----------
        **options
            Options of `summary`.

        Returns
        -------
        matplotlib.figure.Figure
            The figure of `plot_intervals`.
        """
        return view("plot_intervals", self.summary(**options))

    def plot_differences(self, a: str, b: str, **options: Any) -> Any:
        """Plot the paired differences of two methods with their intervals.

        Parameters
        ----------
        a, b : str
            Two of `methods`.
        **options
            Options of `compare`.

        Returns
        -------
        matplotlib.figure.Figure
            The figure of `plot_differences`.
        """
        return view("plot_differences", self.compare(a, b, **options))

    def plot_maps(self, image: str | None = None, **options: Any) -> Any:
        """Plot the compared maps over one image, and below them the intervals of every row.

        Parameters
        ----------
        image : str, optional
            Name of a scored image. By default the first.
        **options
            Options of `plot_evaluation`: picture, note.

        Returns
        -------
        matplotlib.figure.Figure
            The figure of `plot_evaluation`.
        """
        return view("plot_evaluation", self, self.summary(), image=image, **options)

    def __repr__(self) -> str:
        scored = self.scores["image"].nunique()
        bad = len(self.bad_images)
        return (
            f"Evaluation({len(self.scores)} scores: {scored} images, {len(self.methods)} rows, "
            f"{', '.join(metric.label for metric in self.options.chosen)}"
            + (f"; {words}" if (words := interobserver_words(self)) else "")
            + (f"; {bad} bad image{'s' * (bad > 1)})" if bad else ")")
        )

    def _repr_html_(self) -> str:
        """Return the summary as a table for notebooks, with its caveats below the heading."""
        summary = summarize(self)
        words = [repr(self), *summary.attrs["caveats"].splitlines()]
        caption = "<br>".join(word.replace("&", "&amp;").replace("<", "&lt;") for word in words)
        table = str(view("summary_html", summary))
        return table.replace("<table>", f"<table>\n<caption>{caption}</caption>", 1)
