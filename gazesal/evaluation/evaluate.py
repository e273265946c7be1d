"""Score many images: in parallel, lazily, and with the same result however it was run."""

from collections.abc import Iterable, Sequence
from contextlib import closing, nullcontext
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from gazesal._validation import as_choice, as_flag
from gazesal._warnings import warn
from gazesal.datasets._arguments import as_path
from gazesal.evaluation.case import Case
from gazesal.evaluation.evaluation import Evaluation, versions
from gazesal.evaluation.gaze_checks import (
    report_maps,
    report_off_image,
    require_pixel_places,
)
from gazesal.evaluation.groups import left_out_together, require_groups
from gazesal.evaluation.map_checks import require_upright
from gazesal.evaluation.metric_calls import takes_others
from gazesal.evaluation.options import (
    as_cases,
    as_options,
    few_observers,
    misfits,
    require_images,
)
from gazesal.evaluation.passes import (
    BadImages,
    check_maps,
    make_center_bias,
    score_all,
    shared_by_all,
)
from gazesal.evaluation.score_one_image import CenterBiasRows, GroundTruth, Options
from gazesal.evaluation.storage.checkpoint import Checkpoint
from gazesal.evaluation.storage.fingerprints import (
    Notes,
    digest,
    gaze_fingerprint,
    image_fingerprint,
)
from gazesal.evaluation.worker import plain_interrupts
from gazesal.evaluation.worker_pool import Runner
from gazesal.exceptions import InputWarning
from gazesal.maps.geometry import Rounding
from gazesal.maps.heatmap import Outside
from gazesal.metrics.densities import DensityMethod
from gazesal.metrics.registry import STUDY_METRICS

__all__ = ["evaluate"]

LAYOUT = 1  # of a checkpoint


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
    leave_out: str | None = None,
    seed: int = 0,
    n_jobs: int | None = None,
    progress: bool = False,
    bad_images: Literal["raise", "list"] = "raise",
    check_first: bool = True,
    checkpoint: str | Path | None = None,
) -> Evaluation:
    """Score saliency maps, each observer against the others and the center bias on many images.

    For each image and each observer, the ground truth is the mean gaze map of the other
    observers. Against it are scored the observer left out (``"interobserver"``, which is not an
    upper bound: one observer is noisy), the center bias and every method's map. The center
    bias of an image is the mean gaze map over all *other* images, every reading counting alike; it
    also gives the shuffled metrics their negatives. Where images have a box, such as that of the
    chest, they are registered to each other by it.

    Metrics of fixations as points take those of the same observers in place of the mean gaze map,
    each fixation once whatever its duration, without those outside the image.

    Parameters
    ----------
    cases : iterable of Case
        Images, at least two unless each has a center bias of its own, each scored one with at
        least two observers, or one with ``ground_truth="all"``; see `cases_from_tables` and
        `cases_from_reflacx`. The others shape the center bias only.
    sigma : float or tuple of float, optional
        Standard deviation of the Gaussian of a fixation in pixels, or one for each axis (x, y);
        usually one degree of visual angle. Required unless all fixations have their own; left out
        if all gaze is given as maps, which are used as they are.
    metrics : sequence of str, default those of the study
        Names in `METRICS`. ``auc_shuffled`` and ``snss`` take the fixations on all other images,
        brought onto this one by the boxes, or by relative position where there are none;
        ``information_gain`` has the center bias as its baseline.
    resize : {"bilinear"}, optional
        Bring maps of another size onto the image's pixels, and gaze maps of images of different
        sizes onto the most common size for the center bias; see `resample`. By default a
        different size is an error. Images with boxes need it for saliency maps only.
    outside : {"raise", "drop", "keep"}, default "raise"
        What to do with fixations outside their image; see `gaze_heatmap`. The study keeps them.
    ground_truth : {"rest", "all"}, default "rest"
        What maps are scored against: the mean of all observers but one, for every choice of that
        one, which is what the observer left out is scored against too and what the study
        does; or the mean of all of them, once. With ``"all"`` an image may have a single observer;
        it then has no score of one observer vs. the others.
    center_bias : {"left_out", "in_sample", "both", "none"}, default "left_out"
        Whether the center bias of an image is made without its own gaze, or with it as in the
        study, which favors the bias. ``"both"`` has a row of each; the shuffled metrics take the
        one without. ``"none"`` has no such row, for metrics that compare with no center bias:
        images of several sizes then need no `resize`.
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
        center biases are densities and stay as they are.
    shrink : int, optional
        Side in pixels of the cells of `emd`, which requires it.
    leave_out : str, optional
        Group of the cases, such as ``"patient"``, whose images are left out together: the center
        bias of an image, and the fixations on other images that ``auc_shuffled`` and ``snss``
        take, are made without all images of its group. By default only the image itself is left
        out. Each image of the group is drawn again for every other one.
    seed : int, default 0
        Seed of all draws and of the bootstrap. Every score has a stream of its own, so results do
        not depend on `n_jobs` or on what else is scored.
    n_jobs : int, optional
        Number of worker processes, -1 for one a core. By default that of a
        ``joblib.parallel_config`` around the call, which may name a cluster, or else one.
    progress : bool, default False
        Show progress bars on standard error, with the rate and the time left.
    bad_images : {"raise", "list"}, default "raise"
        What to do with an image that cannot be scored, since a map cannot be read, has the wrong
        size or holds NaN, fixations are bad or a function raises: end the run and name it, or go
        on and list it in ``bad_images`` of the evaluation.
    check_first : bool, default True
        With ``bad_images="raise"``, read every map that is an array or a file, and check it,
        before any is scored. Without it each is read once, and a bad one ends the run when it is
        met. Functions are called once in either case.
    checkpoint : str or path, optional
        Folder in which finished images are kept, so that the same call goes on after a run that
        was ended early, even killed. Needs the extra ``parquet``.

    Returns
    -------
    Evaluation
        The table of scores, and summaries of it.

    Raises
    ------
    ValueError
        If a case or an option is bad, such as a map with negative values for a metric of
        distributions, fixations that are all shares of the sides, maps of a method that all have
        the height and width of their images exchanged, or an option that would change nothing; or
        if `checkpoint` holds a run with other options, versions or gaze, naming which, or files of
        others where only its own may be.
    TypeError
        If a case is not a `Case`, or its parts are of the wrong kinds.
    ChildProcessError
        If a worker process was killed, most often for want of memory.
    BlockingIOError
        If another run is at work in `checkpoint`.
    OSError
        If `checkpoint` cannot be written, as on a full disk; the message names the file. The same
        call goes on once that is mended.
    ImportError
        If ``emd`` is asked for without the extra ``emd``, or `checkpoint` without ``parquet``.

    Warns
    -----
    OffImageWarning
        If fixations were dropped under ``outside="drop"``.
    SkippedDataWarning
        If a file of `checkpoint` is torn; its images are scored again.
    InputWarning
        If the input is probably not what is meant: the fixations of some images look like shares
        of the sides, `sigma` is used by some of the gaze only, a gaze map has two values as one of
        fixated pixels, or all maps of a method look transposed. Or if `checkpoint` cannot tell the
        state of a callable object; see :doc:`/concepts/large_sets`.

    See Also
    --------
    cases_from_tables, cases_from_reflacx : Make the cases.

    Notes
    -----
    Each worker has one image in memory; see :doc:`/concepts/large_sets` for what a large set
    costs, how to use a cluster, and what a checkpoint holds. The table is the same to the bit for
    any number and kind of workers, and for a run that was ended and went on.

    An image whose gaze can be drawn shapes the center bias of the others also where its maps are
    bad, so that the scores of good images do not depend on which maps are bad; an image whose
    gaze is bad does not.

    The four metrics of the default are those of :footcite:t:`bigolin2021`: the CC of
    :footcite:t:`bylinskii2019`, the area of :footcite:t:`borji2013`, and either against the center
    bias. The source of any other is under its own name, and `METRICS` has its key.

    References
    ----------
    .. footbibliography::

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
    listed = as_cases(cases)
    as_choice(bad_images, ("raise", "list"), name="bad_images")
    bad = BadImages(stop=bad_images == "raise")
    odd = misfits(listed, metrics=metrics, resize=resize, center_bias=center_bias, stop=bad.stop)
    bad.add(odd, of_gaze=True)
    fitting = [case for case in listed if case.image not in bad]
    options = as_options(
        fitting,
        sigma=sigma,
        metrics=metrics,
        resize=resize,
        outside=outside,
        ground_truth=ground_truth,
        center_bias=center_bias,
        rounding=rounding,
        n_samples=n_samples,
        tolerance=tolerance,
        density=density,
        shrink=shrink,
        seed=seed,
        leave_out=leave_out,
    )
    require_images(listed, options)
    require_groups(listed, options)
    require_pixel_places(fitting)
    report_maps(fitting, options.sigma)
    if options.resize is not None:
        require_upright(fitting)
    bad.add(few_observers(listed, options))
    if options.outside == "drop":
        report_off_image(fitting)
    run = Runner(n_jobs, progress)
    look_first = as_flag(check_first, name="check_first") and bad.stop
    kept, marks = _kept(checkpoint, listed, options)
    with plain_interrupts(), nullcontext() if kept is None else closing(kept):
        wanted = [case for case in listed if case.scored]
        finished = set() if kept is None else kept.finished(marks)
        todo = [case for case in wanted if case.image not in finished]
        if look_first:
            check_maps(todo, options, run)
        bias = None
        if options.frame is not None:
            bias = make_center_bias(fitting, options, run, bad, kept)
        shared = shared_by_all(listed, options, bias, bad)
        todo = [case for case in todo if case.image not in bad]
        done = sum(case.image in finished and case.image not in bad for case in wanted)
        rows = score_all(todo, options, shared, run, bad, kept, marks, done)
        good = [case for case in wanted if case.image not in bad]
        table = bad.to_frame(listed)
        if not good:
            raise ValueError(f"no image could be scored; the first: {table['reason'].iloc[0]}")
        if kept is not None:
            rows = kept.collect({case.image: marks[case.image] for case in good})
    return Evaluation(
        scores=rows.to_frame({case.image: case.groups for case in good}),
        cases=listed,
        options=options,
        center_bias=bias,
        bad_images=table,
    )


def _kept(
    folder: str | Path | None, cases: list[Case], options: Options
) -> tuple[Checkpoint | None, dict[str, str]]:
    """The checkpoint in a folder, if any, and what the images to score are known by."""
    if folder is None:
        return None, {}
    notes = Notes()
    gaze = {case.image: gaze_fingerprint(case, notes) for case in cases}
    marks = {c.image: image_fingerprint(c, gaze[c.image], notes) for c in cases if c.scored}
    together = left_out_together(cases, options)
    for image in marks.keys() & together.keys():
        marks[image] = digest([marks[image], *(other.image for other in together[image])])
    if notes.unclear:
        warn(
            f"`checkpoint` cannot tell the state of {', '.join(sorted(notes.unclear))}: objects "
            "of one class and the files in a folder are taken to be the same, also if they would "
            "give other maps than before. Give them an attribute `fingerprint`, a str that changes "
            "with what they return.",
            InputWarning,
            stacklevel=3,
        )
    numbers_from = versions()
    if "emd" in options.metrics:
        numbers_from["POT"] = version("POT")
    identity: dict[str, Any] = {"layout": LAYOUT, "versions": numbers_from}
    identity["options"] = asdict(options)
    of_all = options.frame is not None or takes_others(options.metrics)
    shaping = gaze if of_all else None
    return Checkpoint(as_path(folder, name="checkpoint"), identity, shaping), marks
