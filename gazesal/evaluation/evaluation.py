"""The outcome of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gazesal.datasets._arguments import as_path
from gazesal.evaluation.case import (
    CENTER_BIAS,
    GROUND_TRUTH,
    IN_SAMPLE_BIAS,
    INTEROBSERVER,
    SEGMENTATION,
    Case,
)
from gazesal.evaluation.groups import left_out_with
from gazesal.evaluation.score_one_image import (
    ALL_OBSERVERS,
    AnyCenterBias,
    Options,
    comparisons,
    gaze_maps,
    own_biases,
)
from gazesal.evaluation.score_rows import COLUMNS
from gazesal.evaluation.storage.saved_evaluation import load_parts, save_parts
from gazesal.metrics.registry import METRICS
from gazesal.stats.caveats import warn_of, words_of
from gazesal.stats.cells import samples_of
from gazesal.stats.comparison_result import Comparisons
from gazesal.stats.comparisons import compare
from gazesal.stats.design import Design, as_columns
from gazesal.stats.interval_methods import Method
from gazesal.stats.interval_methods import Options as IntervalOptions
from gazesal.stats.multiplicity import Adjustment
from gazesal.stats.table_intervals import caveats_by_key, intervals_by_key
from gazesal.typing import FloatArray

__all__ = ["Evaluation", "versions"]

NUMBERS_FROM = ("gazesal", "numpy", "numba")  # packages whose versions may change a last bit


def versions() -> dict[str, str]:
    """Versions of the packages that make the numbers."""
    return {name: version(name) for name in NUMBERS_FROM}


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
        All images, also those that shape the center bias only.
    options : Options
        What they were scored with.
    center_bias : CenterBias or RegisteredCenterBias or None
        Of all images: on the most common size, or registered by their boxes; None if every image
        came with its own, or ``center_bias="none"``.
    bad_images : pandas.DataFrame
        Images that could not be scored, with the reason: columns image, reason.
    versions : mapping of str to str
        Versions of the packages that made the numbers.
    """

    scores: pd.DataFrame
    cases: list[Case] = field(repr=False)
    options: Options
    center_bias: AnyCenterBias | None
    bad_images: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame({"image": [], "reason": []}, dtype=str), repr=False
    )
    versions: Mapping[str, str] = field(default_factory=versions, repr=False)

    @property
    def methods(self) -> list[str]:
        """Rows of the results table: interobserver, the floors, then the methods by name."""
        names = list(self.scores["method"].unique())
        rows = (INTEROBSERVER, SEGMENTATION, CENTER_BIAS, IN_SAMPLE_BIAS)
        baselines = [name for name in rows if name in names]
        return baselines + sorted(name for name in names if name not in baselines)

    def summary(
        self,
        *,
        by: Sequence[str] | str = (),
        unit: str = "image",
        interval: Method = "t",
        confidence_level: float = 0.95,
        n_resamples: int = 10_000,
    ) -> pd.DataFrame:
        """Return mean scores with confidence intervals over images, or groups of them.

        Parameters
        ----------
        by : str or sequence of str, optional
            Groups of the images, columns of `scores`, to summarize apart.
        unit : str, default "image"
            Independent unit: the image, or a group of images such as the patient. Every unit counts
            alike.
        interval : {"t", "normal", "bootstrap", "basic", "bca", "studentized", "study"}, default "t"
            Kind of interval; see `interval`. The resamples of every cell start from the
            evaluation's seed, so cells with the same images use the same ones.
        confidence_level : float, default 0.95
            Confidence level.
        n_resamples : int, default 10000
            Number of bootstrap resamples.

        Returns
        -------
        pandas.DataFrame
            Columns of `by`, method, metric, estimate, low, high, n_images, n_scores, n_undefined
            (the number of ``nan`` scores, which are left out), interval (its kind) and level, and
            the number of units if they are not images. A cell without any defined score is ``nan``.
            ``attrs["caveats"]`` holds the text of an `IntervalWarning`, or is empty.

        Raises
        ------
        ValueError
            If an option is out of range, or `by` or `unit` names no group.

        Warns
        -----
        IntervalWarning
            If intervals may cover the truth less often than their level says, as for `interval`.
        UndefinedMetricWarning
            If an interval is undefined, as with one image.

        See Also
        --------
        interval_table : The same intervals of any table of scores.

        Notes
        -----
        The intervals are those of `interval_table` for
        ``Design("image", averaged="observer", unbalanced="average", missing="drop")``. The
        bootstrap intervals are those of :footcite:t:`davison1997`, and the form ``"study"`` is that
        of :footcite:t:`bigolin2021`.

        References
        ----------
        .. footbibliography::
        """
        made = self._summarized(by, unit, interval, confidence_level, n_resamples)
        warn_of(made.attrs["caveats"], stacklevel=2)
        return made

    def _summarized(
        self,
        by: Sequence[str] | str = (),
        unit: str = "image",
        interval: Method = "t",
        confidence_level: float = 0.95,
        n_resamples: int = 10_000,
    ) -> pd.DataFrame:
        """Return the table of `summary`, with its caveats but without the warning."""
        groups = self._groups(by)
        design = self._design(unit, "observer")
        options = IntervalOptions.checked(
            interval=interval,
            confidence_level=confidence_level,
            n_resamples=n_resamples,
            rng=self.options.seed,
        )
        columns = [*groups, "method", "metric"]
        scores = self.scores.dropna(subset=list(groups))
        defined = scores[scores["score"].notna()]
        samples = samples_of(defined, design, by=columns) if len(defined) else {}
        units = tuple(design.units)
        found = intervals_by_key(samples, options, names=units, stacklevel=4)
        counts = scores.groupby(columns)["score"].agg(["count", "size"])
        n_images = defined.groupby(columns)["image"].nunique()
        keys = scores[list(groups)].drop_duplicates().sort_values(list(groups)) if groups else None
        rows = []
        for key in [()] if keys is None else keys.itertuples(index=False, name=None):
            for cell in product([key], self.methods, self.options.metrics):
                place = (*cell[0], *cell[1:])
                row: dict[str, object] = dict(zip(columns, place, strict=True))
                mean = found.get(place)
                for name in ("estimate", "low", "high"):
                    row[name] = np.nan if mean is None else getattr(mean, name)
                n_defined, n_all = counts.loc[place] if place in counts.index else (0, 0)
                row |= {
                    "n_images": int(n_images.get(place, 0)),
                    "n_scores": int(n_defined),
                    "n_undefined": int(n_all - n_defined),
                    "interval": interval,
                    "confidence_level": confidence_level,
                }
                if unit != "image":
                    row[f"n_{unit}"] = 0 if mean is None else mean.n_clusters
                rows.append(row)
        made = pd.DataFrame(rows)
        caveats = caveats_by_key(samples, options, names=units)
        made.attrs["caveats"] = words_of(caveats, len(samples), options, command="--interval")
        return made

    def _design(self, unit: str, *averaged: str) -> Design:
        """Return the design of `scores` whose unit is the image or a group of images."""
        if unit != "image":
            (unit,) = self._groups(unit, name="unit")
            averaged = ("image", *averaged)
        return Design(unit, averaged=averaged, unbalanced="average")

    def compare(
        self,
        a: str,
        b: str,
        metric: Sequence[str] | str | None = None,
        *,
        by: Sequence[str] | str = (),
        unit: str = "image",
        margin: float | Mapping[Any, float] | None = None,
        interval: Method = "t",
        confidence_level: float = 0.95,
        adjust: Adjustment = "holm",
        n_resamples: int = 10_000,
    ) -> Comparisons:
        """Compare two methods on the same images, with the image or a group of them as the unit.

        Scores are paired by image and by the observer left out; pairs with an undefined score are
        left out, and the others are averaged over the observers of each image.

        Parameters
        ----------
        a, b : str
            Two of `methods`; differences are a - b.
        metric : str or sequence of str, optional
            Metrics to compare by, all by default.
        by : str or sequence of str, optional
            Groups of the images, columns of `scores`, to compare apart.
        unit : str, default "image"
            Independent unit: the image, or a group of images such as the patient.
        margin : float or dict of float, optional
            Largest difference that counts as none; see `gazesal.stats.compare`.
        interval : {"t", "normal", "bootstrap", "basic", "bca", "studentized"}, default "t"
            How the interval of the difference is made.
        confidence_level : float, default 0.95
            Confidence level.
        adjust : {"holm", "benjamini-hochberg", "none"}, default "holm"
            How p-values are adjusted for the number of comparisons of this call.
        n_resamples : int, default 10000
            Number of bootstrap resamples, and the largest number of sign patterns; they are drawn
            from the evaluation's seed.

        Returns
        -------
        Comparisons
            One for each metric and group.

        Raises
        ------
        ValueError
            If `a` or `b` is no method, `metric` was not computed, `by` or `unit` names no group, no
            pair is left, or as for `gazesal.stats.compare`.

        Warns
        -----
        IntervalWarning
            As for `gazesal.stats.compare`.

        Notes
        -----
        The p-values are adjusted as :footcite:t:`holm1979` by default, or as
        :footcite:t:`benjamini1995`. Equivalence within a margin is shown by the two one-sided tests
        of :footcite:t:`schuirmann1987`.

        References
        ----------
        .. footbibliography::
        """
        groups = self._groups(by)
        names = list(as_columns(metric, name="metric")) if metric is not None else []
        wanted = names or list(self.options.metrics)
        for value, known, argument in (
            *((name, self.methods, "a` and `b") for name in (a, b)),
            *((name, list(self.options.metrics), "metric") for name in wanted),
        ):
            if value not in known:
                raise ValueError(
                    f"`{argument}` must be of {', '.join(map(repr, known))}, got {value!r}."
                )
        if a == b:
            raise ValueError(f"`a` and `b` must be two methods, got {a!r} twice.")
        scores = self.scores[self.scores["metric"].isin(wanted)].dropna(subset="score")
        halves = [scores[scores["method"] == name] for name in (a, b)]
        # where one is scored against all observers, its scores have no observer to pair with
        alone = {set(half["observer"]) == {ALL_OBSERVERS} for half in halves}
        design = self._design(unit)
        images = list(dict.fromkeys(["image", "metric", *groups, *design.units]))
        keys = images if len(alone) > 1 else [*images, "observer"]
        means = [half.groupby(keys, sort=False, as_index=False)["score"].mean() for half in halves]
        pairs = means[0].merge(means[1], on=keys, suffixes=("_a", "_b"))
        of_image = pairs.groupby(images, sort=False, as_index=False)[["score_a", "score_b"]].mean()
        table = pd.concat(
            of_image[images].assign(method=name, score=of_image[column])
            for name, column in ((a, "score_a"), (b, "score_b"))
        )
        if table.empty:
            raise ValueError(f"`a` and `b` must have scores of the same images, got {a!r}, {b!r}.")
        return compare(
            table,
            design,
            reference=b,
            by=("metric", *groups),
            margin=margin,
            interval=interval,
            confidence_level=confidence_level,
            adjust=adjust,
            n_resamples=n_resamples,
            rng=self.options.seed,
        )

    def _groups(self, by: Sequence[str] | str, *, name: str = "by") -> tuple[str, ...]:
        """Columns of groups, each of them there."""
        own = [str(name) for name in self.scores.columns[len(COLUMNS) :]]
        columns = as_columns(by, name=name)
        for column in columns:
            if column not in own:
                raise ValueError(
                    f"`{name}` must name groups of the images, of which there are "
                    f"{', '.join(map(repr, own)) or 'none'}, got {column!r}."
                )
        return columns

    def save(self, folder: str | Path) -> None:
        """Write the evaluation into a folder, to be loaded again.

        Parameters
        ----------
        folder : str or path
            Where to; made if absent. An evaluation that is there is replaced.

        Raises
        ------
        ImportError
            If the extra ``parquet`` is not installed.

        Notes
        -----
        Scores, groups, fixations, options, versions and center bias are kept to the bit. Of maps
        that are files the place is kept; those that are arrays or functions are not saved, and
        asking a loaded evaluation for one raises an error that names it. The tables are Parquet
        files, the rest JSON and an ``.npz``: nothing in them is executed.
        """
        save_parts(
            as_path(folder, name="folder"),
            scores=self.scores,
            bad_images=self.bad_images,
            cases=self.cases,
            options=self.options,
            center_bias=self.center_bias,
            versions=self.versions,
        )

    @classmethod
    def load(cls, folder: str | Path) -> Evaluation:
        """Read what `save` wrote.

        Parameters
        ----------
        folder : str or path
            The folder.

        Returns
        -------
        Evaluation
            With the same scores, to the bit; `maps_of` works where the files of the maps still
            exist.

        Raises
        ------
        FileNotFoundError
            If there is no saved evaluation.
        ValueError
            If a file is torn or not one that `save` wrote; the message names it.
        ImportError
            If the extra ``parquet`` is not installed.
        """
        return cls(**load_parts(as_path(folder, name="folder")))

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
            The gaze map of the observer (``"interobserver"``) unless there is one alone, the mean
            of the others (``"ground_truth"``), the center bias without this image
            (``"center_bias"``) or with it (``"center_bias_in_sample"``) if there is one, and the
            map of each method.

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
        bad = set(self.bad_images["image"])
        together = left_out_with(case, self.cases, self.options, bad)
        biases = own_biases(case, own_maps, self.center_bias, self.options, together)
        shown: dict[str, FloatArray] = {}
        for pair in comparisons(case, own_maps, biases, self.options):
            if pair.observer in {left_out, ALL_OBSERVERS}:
                shown[pair.method] = pair.saliency.astype(
                    np.float64
                )  # a copy of what may be an input
                shown[GROUND_TRUTH] = pair.truth  # at last that of the maps
        return shown

    def plot_intervals(self, **options: Any) -> Any:
        """Draw the mean of every method with its interval, a panel a metric.

        Parameters
        ----------
        **options
            For `summary`.

        Returns
        -------
        matplotlib.figure.Figure
            As `plot_intervals` returns it.
        """
        return _drawn("plots", "plot_intervals", self.summary(**options))

    def plot_differences(self, a: str, b: str, **options: Any) -> Any:
        """Draw the paired differences of two methods with their intervals.

        Parameters
        ----------
        a, b : str
            Two of `methods`.
        **options
            For `compare`.

        Returns
        -------
        matplotlib.figure.Figure
            As `plot_differences` returns it.
        """
        return _drawn("plots", "plot_differences", self.compare(a, b, **options))

    def plot_maps(self, image: str | None = None, **options: Any) -> Any:
        """Draw the compared maps over one image, and the intervals of every row below.

        Parameters
        ----------
        image : str, optional
            Name of a scored image; by default the first.
        **options
            For `plot_evaluation`: picture, note.

        Returns
        -------
        matplotlib.figure.Figure
            As `plot_evaluation` returns it.
        """
        return _drawn("figures", "plot_evaluation", self, self.summary(), image=image, **options)

    def __repr__(self) -> str:
        scored = self.scores["image"].nunique()
        bad = len(self.bad_images)
        return (
            f"Evaluation({len(self.scores)} scores: {scored} images, {len(self.methods)} rows, "
            f"{', '.join(METRICS[name].label for name in self.options.metrics)}"
            + (f"; {bad} bad image{'s' * (bad > 1)})" if bad else ")")
        )

    def _repr_html_(self) -> str:
        """Return the summary as a table for notebooks, its caveats below the heading."""
        summary = self._summarized()
        table = _reporting("typeset").summary_html(summary)
        words = [repr(self), *summary.attrs["caveats"].splitlines()]
        caption = "<br>".join(word.replace("&", "&amp;").replace("<", "&lt;") for word in words)
        return str(table).replace("<table>", f"<table>\n<caption>{caption}</caption>", 1)


def _drawn(module: str, name: str, *arguments: Any, **options: Any) -> Any:
    return getattr(_reporting(module), name)(*arguments, **options)


def _reporting(module: str) -> Any:
    """A module that lies above this one, found by name when something is to be shown.

    Nothing here needs it, as a table of pandas does not need the library that plots it.
    """
    return import_module(f"gazesal.reporting.{module}")
