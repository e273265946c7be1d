"""Score many images: check first, then work, in parallel, with the same result."""

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from typing import Any, Literal, cast, get_args

import joblib
import numpy as np
import pandas as pd
from tqdm import tqdm

from gazesal._validation import (
    as_choice,
    as_count,
    as_iterable,
    as_points,
    as_real_array,
    as_tolerance,
)
from gazesal.evaluation.cases import Case, Gaze, require_no_baseline
from gazesal.evaluation.metric_calls import all_fixations, as_metrics, require_fixations
from gazesal.evaluation.results import Evaluation
from gazesal.evaluation.scoring import (
    AnyCenterBias,
    CenterBiasRows,
    GroundTruth,
    Options,
    Score,
    center_bias_of,
    find_fault,
    score_image,
)
from gazesal.exceptions import OffImageWarning
from gazesal.maps.geometry import ReferenceFrame, Rounding
from gazesal.maps.heatmap import OUTSIDE, Outside, off_image
from gazesal.metrics.densities import DensityMethod
from gazesal.metrics.registry import STUDY_METRICS

__all__ = ["evaluate"]

CHUNK = 8  # images whose gaze is summed at a time; fixed, so that --jobs cannot change a sum


def evaluate(
    cases: Iterable[Case],
    *,
    sigma: float | tuple[float, float] | None = None,
    metrics: Sequence[str] = STUDY_METRICS,
    resize: Literal["bilinear"] | None = None,
    outside: Outside = "raise",
    ground_truth: GroundTruth = "rest",
    center_bias: CenterBiasRows = "left_out",
    rounding: Rounding = "none",
    n_samples: int | None = None,
    tolerance: float | None = None,
    density: DensityMethod | None = None,
    shrink: int | None = None,
    seed: int = 0,
    jobs: int = 1,
    progress: bool = False,
) -> Evaluation:
    """Score saliency maps, the interobserver ceiling and the centre bias on many images.

    For each image and each observer, the ground truth is the mean gaze map of the other
    observers. Against it are scored the observer left out (the interobserver ceiling), the centre
    bias and every method's map. The centre bias of an image is the mean gaze map over all *other*
    images, every reading counting alike; it also gives the shuffled metrics their negatives. Where
    images have a box, such as that of the chest, they are registered to each other by it.

    Metrics of fixations as points take those of the same observers in place of the mean gaze map,
    each fixation once whatever its duration, without those outside the image.

    Parameters
    ----------
    cases : iterable of Case
        Images, at least two, each scored one with at least two observers; see
        `cases_from_tables` and `cases_from_reflacx`. The others shape the centre bias only.
    sigma : float or tuple of float, optional
        Standard deviation of the Gaussian of a fixation in pixels, or one for each axis (x, y);
        usually one degree of visual angle. Required unless all fixations have their own.
    metrics : sequence of str, default those of the study
        Names in `METRICS`. ``auc_shuffled`` and ``snss`` take the fixations on all other images,
        brought onto this one by the boxes, or by relative position where there are none;
        ``information_gain`` has the centre bias as its baseline.
    resize : {"bilinear"}, optional
        Bring maps of another size onto the image's pixels, and gaze maps of images of different
        sizes onto the most common size for the centre bias; see `resample`. By default a
        different size is an error. Images with boxes need it for saliency maps only.
    outside : {"raise", "drop", "keep"}, default "raise"
        What to do with fixations outside their image; see `gaze_heatmap`. The study keeps them.
    ground_truth : {"rest", "all"}, default "rest"
        What maps are scored against: the mean of all observers but one, for every choice of that
        one, which is what the interobserver ceiling is scored against too and what the study
        does; or the mean of all of them, once.
    center_bias : {"left_out", "in_sample", "both"}, default "left_out"
        Whether the centre bias of an image is made without its own gaze, or with it as in the
        study, which favours the bias. ``"both"`` has a row of each; the shuffled metrics take the
        one without.
    rounding : {"none", "study"}, default "none"
        How images with boxes are registered; see `ReferenceFrame`. ``"study"`` goes with
        ``center_bias="in_sample"`` only.
    n_samples : int, optional
        Draw this many positives and negatives for each AUC, as the study does with 1000. By
        default the AUCs are exact.
    tolerance : float, optional
        How far an AUC may be from the exact one, 1e-6 for instance; see `auc_borji`. Faster for
        images of millions of pixels; drawn AUCs do not take it.
    density : {"sum", "shift", "softmax"}, optional
        How the map of a method becomes a density; see `to_density`. Required by
        ``information_gain`` and ``log_likelihood``, and taken by ``sim``, ``kl_divergence`` and
        ``emd`` too, which by default divide a map without negative values by its sum. Gaze maps and
        centre biases are densities and stay as they are.
    shrink : int, optional
        Side in pixels of the cells of `emd`, which requires it.
    seed : int, default 0
        Seed of all draws and of the bootstrap. Every score has a stream of its own, so results do
        not depend on `jobs` or on what else is scored.
    jobs : int, default 1
        Number of worker processes, -1 for one a core; a joblib backend set by the caller is used.
    progress : bool, default False
        Show progress bars on standard error.

    Returns
    -------
    Evaluation
        The table of scores, and summaries of it.

    Raises
    ------
    ValueError
        If a case or an option is bad, such as a map with negative values for a metric of
        distributions. Every map is read and checked before any is scored.
    TypeError
        If a case is not a `Case`, or its parts are of the wrong kinds.
    ImportError
        If ``emd`` is asked for and POT is not installed, the extra ``emd``.

    Warns
    -----
    OffImageWarning
        If fixations were dropped under ``outside="drop"``.

    See Also
    --------
    cases_from_tables, cases_from_reflacx : Make the cases.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import gazesal
    >>> rng = np.random.default_rng(0)
    >>> fixations = pd.DataFrame({
    ...     "image": np.repeat(["a", "b", "c"], 20),
    ...     "observer": np.tile(["ann", "bob"], 30),
    ...     "x": rng.uniform(0, 39, 60),
    ...     "y": rng.uniform(0, 29, 60),
    ...     "duration": 1.0,
    ... })
    >>> maps = {"noise": {image: rng.random((30, 40)) for image in "abc"}}
    >>> cases = gazesal.cases_from_tables(fixations, maps, (30, 40))
    >>> evaluation = gazesal.evaluate(cases, sigma=3.0)
    >>> list(evaluation.scores.columns), len(evaluation.scores)
    (['image', 'observer', 'method', 'metric', 'score'], 72)
    """
    cases = _as_cases(cases)
    names, method, side = as_metrics(metrics, density=density, shrink=shrink)
    require_fixations(cases, names)
    options = Options(
        sigma=_as_sigma(sigma, cases),
        metrics=names,
        frame=_frame(cases, resize, rounding, center_bias),
        resize=resize,
        outside=cast("Outside", as_choice(outside, OUTSIDE, name="outside")),
        ground_truth=_chosen(ground_truth, GroundTruth, "ground_truth"),
        center_bias=_chosen(center_bias, CenterBiasRows, "center_bias"),
        n_samples=None if n_samples is None else as_count(n_samples, name="n_samples"),
        tolerance=_as_tolerance(tolerance, n_samples),
        seed=as_count(seed, name="seed", least=0),
        density=cast("DensityMethod | None", method),
        shrink=side,
    )
    scored = [case for case in cases if case.scored]
    _require_observers(cases, scored)
    if options.outside == "drop":
        _report_off_image(cases)
    run = _Runner(jobs, progress)
    faults = [
        fault for fault in run(find_fault, [(c, options) for c in scored], "checking") if fault
    ]
    if faults:  # all were looked at, so the first in order is named whatever the jobs
        more = f" ({len(faults) - 1} more images have bad maps.)" if len(faults) > 1 else ""
        raise ValueError(faults[0] + more)
    chunks = [cases[start : start + CHUNK] for start in range(0, len(cases), CHUNK)]
    parts: list[Any] = run(
        center_bias_of, [(chunk, options) for chunk in chunks], "centre bias", f" x {CHUNK} images"
    )
    bias: AnyCenterBias = reduce(lambda some, more: some.merged(more), parts)
    fixations = all_fixations(cases, options.metrics)
    per_image: list[list[Score]] = run(
        score_image, [(case, bias, options, fixations) for case in scored], "scoring"
    )
    scores = pd.DataFrame(
        [score for rows in per_image for score in rows],
        columns=["image", "observer", "method", "metric", "score"],
    )
    return Evaluation(scores=scores, cases=cases, options=options, center_bias=bias)


class _Runner:
    """Run one function over many arguments in order, on `jobs` processes, with a progress bar."""

    def __init__(self, jobs: int, progress: bool) -> None:
        if isinstance(jobs, bool) or not isinstance(jobs, (int, np.integer)) or jobs == 0:
            raise ValueError(f"`jobs` must be a non-zero integer, got {jobs!r}.")
        self.jobs: int = int(jobs)
        self.progress: bool = progress

    def __call__(
        self,
        function: Callable[..., Any],
        arguments: list[tuple[Any, ...]],
        what: str,
        unit: str = " images",
    ) -> list[Any]:
        parallel = joblib.Parallel(n_jobs=self.jobs, return_as="generator")
        results = parallel(joblib.delayed(function)(*argument) for argument in arguments)
        bar = tqdm(results, total=len(arguments), desc=what, unit=unit, disable=not self.progress)
        return list(bar)


def _as_cases(cases: Iterable[Case]) -> list[Case]:
    """A list of cases whose parts are of the right kinds; what they hold is checked with use."""
    listed = list(as_iterable(cases, name="cases", of="Case"))
    for index, case in enumerate(listed):
        if not isinstance(case, Case):
            raise TypeError(f"`cases[{index}]` must be a Case, got {type(case).__name__}.")
        rules = {
            "image": (isinstance(case.image, str), "a str"),
            "scored": (isinstance(case.scored, (bool, np.bool_)), "a bool"),
            "maps": (isinstance(case.maps, Mapping), "a mapping of methods to maps"),
            "gaze": (
                isinstance(case.gaze, Mapping)
                and all(isinstance(gaze, Gaze) for gaze in case.gaze.values()),
                "a mapping of observers to Gaze",
            ),
        }
        for name, (good, rule) in rules.items():
            if not good:
                given = type(getattr(case, name)).__name__
                raise TypeError(f"`{name}` of `cases[{index}]` must be {rule}, got {given}.")
        require_no_baseline(case.maps)
    return listed


def _report_off_image(cases: list[Case]) -> None:
    """Warn of fixations outside their image, which are left out."""
    n = off = 0
    for case in cases:
        for gaze in case.gaze.values():
            points = as_points(gaze.points, name=f"points of image {case.image}")
            n += len(points)
            off += int(off_image(points, case.shape).sum())
    if off:
        warnings.warn(
            f"{off} of {n} fixations lie outside their image and were dropped.",
            OffImageWarning,
            stacklevel=3,
        )


def _as_tolerance(tolerance: float | None, n_samples: int | None) -> float | None:
    if tolerance is not None and n_samples is not None:
        raise ValueError(
            f"`tolerance` and `n_samples` must not both be given, got {tolerance!r} and "
            f"{n_samples!r}."
        )
    return as_tolerance(tolerance, name="tolerance")


def _chosen(value: Any, choices: Any, name: str) -> Any:
    return as_choice(value, get_args(choices), name=name)


def _as_sigma(
    sigma: float | tuple[float, float] | None, cases: list[Case]
) -> tuple[float, float] | None:
    own = [gaze.sigma is not None for case in cases for gaze in case.gaze.values()]
    if sigma is None:
        if not all(own):
            raise ValueError(
                "`sigma` must be given unless all fixations have their own, got None and "
                f"{own.count(False)} of {len(own)} readings without."
            )
        return None
    if any(own):
        raise ValueError(
            f"`sigma` must not be given where fixations have their own, got {sigma!r} and "
            f"{own.count(True)} readings with theirs."
        )
    array = as_real_array(sigma, name="sigma").astype(np.float64)
    if array.shape not in {(), (2,)} or not (np.isfinite(array).all() and array.min() > 0):
        raise ValueError(f"`sigma` must be a positive number or two (x, y), got {sigma!r}.")
    along_x, along_y = np.broadcast_to(array, 2).tolist()
    return along_x, along_y


def _frame(
    cases: list[Case], resize: str | None, rounding: Rounding, center_bias: str
) -> tuple[int, int] | ReferenceFrame:
    """Where gaze maps are averaged: the most common size, the larger of equals; or, where images
    have boxes, the frame that registers them.
    """
    if resize is not None:
        as_choice(resize, ("bilinear",), name="resize")
    _chosen(rounding, Rounding, "rounding")
    boxes = [case.box for case in cases if case.box is not None]
    if boxes and len(boxes) < len(cases):
        lacking = next(case.image for case in cases if case.box is None)
        raise ValueError(f"`cases` must all have a box, or none; image {lacking!r} has none.")
    if boxes and rounding == "study" and center_bias != "in_sample":
        raise ValueError(
            "`rounding` may be 'study' with `center_bias` 'in_sample' (--center-bias in_sample) "
            f"only, got {center_bias!r}: the study's average has no value where no image reaches, "
            "which would be inside the image that is left out."
        )
    if boxes:
        return ReferenceFrame.from_boxes(boxes, [case.shape for case in cases], rounding=rounding)
    if rounding != "none":
        raise ValueError(f"`rounding` must be 'none' unless cases have boxes, got {rounding!r}.")
    sizes = Counter(case.shape for case in cases)
    if len(sizes) > 1 and resize is None:
        (first, _), (second, _) = sizes.most_common(2)
        raise ValueError(
            f"`cases` must be images of one size, or their gaze cannot be averaged into a centre "
            f"bias; got {first[1]} x {first[0]}, {second[1]} x {second[0]} and {len(sizes) - 2} "
            'more. resize="bilinear" (--resize bilinear) brings them onto the most common size.'
        )
    return max(sizes, key=lambda size: (sizes[size], size), default=(0, 0))


def _require_observers(cases: list[Case], scored: list[Case]) -> None:
    if len(cases) < 2:
        raise ValueError(
            f"`cases` must be at least two images, got {len(cases)}: the centre bias of an image "
            "is made from the gaze on the others."
        )
    counts = Counter(case.image for case in cases)
    image, times = counts.most_common(1)[0]
    if times > 1:
        raise ValueError(f"`cases` must name each image once, got {image!r} {times} times.")
    if not scored:
        raise ValueError("`cases` must have at least one image that is scored, got none.")
    for case in scored:
        if len(case.gaze) < 2:
            raise ValueError(
                f"image {case.image!r} must have fixations of at least two observers, got "
                f"{', '.join(case.gaze) or 'none'}: the ground truth is the mean of the others."
            )
