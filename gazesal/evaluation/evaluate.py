"""The function `evaluate`: score many images in parallel, with the same result for any workers.

It checks the cases and the options, runs the passes over all images, and returns an `Evaluation`.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

from gazesal._validation import as_choice, as_flag
from gazesal.evaluation.case import Case
from gazesal.evaluation.case_checks import as_cases, few_observers, misfits, require_images
from gazesal.evaluation.ceilings import require_ceilings
from gazesal.evaluation.control_options import require_controls
from gazesal.evaluation.control_passes import make_controls
from gazesal.evaluation.control_table import split_controls
from gazesal.evaluation.evaluation import Evaluation
from gazesal.evaluation.gaze_checks import (
    report_implausible,
    report_off_image,
    report_unused_sigma,
    require_pixel_places,
)
from gazesal.evaluation.gaze_sources import TwoValued
from gazesal.evaluation.given_center_bias import (
    as_center_bias_rows,
    description_of,
    require_used,
)
from gazesal.evaluation.groups import require_groups
from gazesal.evaluation.map_checks import report_lossy, require_upright
from gazesal.evaluation.options import (
    CHECKS,
    Baseline,
    CenterBiasRows,
    CenterBiasWord,
    Control,
    GroundTruth,
    RegionRows,
    as_options,
    fit_to_cases,
)
from gazesal.evaluation.passes import check_maps, make_center_bias, score_all, shared_by_all
from gazesal.evaluation.score_rows import BadImages
from gazesal.evaluation.storage.checkpoint import open_checkpoint
from gazesal.evaluation.worker import plain_interrupts
from gazesal.evaluation.worker_pool import Runner
from gazesal.maps.center_bias_model import CenterBiasModel
from gazesal.maps.heatmap import Outside
from gazesal.maps.reference_frame import Rounding
from gazesal.metrics.densities import DensityMethod
from gazesal.metrics.metric import Metric
from gazesal.metrics.registry import DEFAULT_METRICS

__all__ = ["evaluate"]


def evaluate(
    cases: Iterable[Case],
    *,
    sigma: float | tuple[float, float] | None = None,
    metrics: Sequence[str | Metric] = DEFAULT_METRICS,
    resize: Literal["bilinear"] | None = None,
    outside: Outside = "raise",
    ground_truth: GroundTruth = "rest",
    two_valued: TwoValued = "raise",
    center_bias: CenterBiasWord | CenterBiasModel = "images",
    center_bias_rows: CenterBiasRows | None = None,
    baseline: Baseline = "kde",
    rounding: Rounding = "none",
    n_samples: int | None = None,
    tolerance: float | None = None,
    density: DensityMethod | None = None,
    shrink: int | None = None,
    leave_out: str | None = None,
    region_options: Mapping[str, Mapping[str, Any]] | None = None,
    region_rows: RegionRows = "each",
    ceilings: bool | str | Sequence[str] = False,
    controls: Sequence[Control] | Control = (),
    control_images: int | None = None,
    seed: int = 0,
    n_jobs: int | None = None,
    progress: bool = False,
    bad_images: Literal["raise", "list"] = "raise",
    check_first: bool = True,
    checkpoint: str | Path | None = None,
) -> Evaluation:
    """Score saliency maps, single observers and the center bias on many images.

    For each image and each observer, the ground truth is the mean gaze map of the other observers.
    It is compared with the observer left out (``"interobserver"``, which does not bound the score
    of a map, because one observer is noisy), with the center bias, and with the map of every
    method. The center bias of an image is the mean gaze map over all *other* images, in which every
    reading has the same weight. The shuffled metrics take their negatives from it. Images that have
    a box, such as the box of the chest, are registered to each other by their boxes.

    Metrics of fixations as points use the fixations of the same observers instead of the mean gaze
    map. Each fixation counts once, whatever its duration. Fixations outside the image are left out.

    Parameters
    ----------
    cases : iterable of Case
        At least two images, unless each has its own center bias. See `cases_from_tables` and
        `cases_from_reflacx`. Each scored image has at least two observers, or one with
        ``ground_truth="all"``. Images that are not scored only contribute to the center bias.
    sigma : float or tuple of float, optional
        Standard deviation of the Gaussian of a fixation in pixels, or one for each axis (x, y).
        Usually one degree of visual angle. Required unless all fixations have their own. Leave it
        out if all gaze is given as continuous maps, which are not blurred.
    metrics : sequence of str or Metric, default the metrics of the study and residual NCC
        Names in `METRICS` or in `gazesal.compat`, their usual aliases such as ``"CC"``, or your own
        `Metric`. Metrics of `gazesal.regions`, such as ``"pointing_game"``, score the `regions` of
        the cases. ``auc_shuffled`` and ``snss`` use the fixations on all other images, aligned with
        this one by the boxes, or by relative position without boxes. ``information_gain`` has the
        density of `baseline` as its baseline.
    resize : {"bilinear"}, optional
        Resize maps of another size to the image, and gaze maps of images of different sizes to the
        most common size for the center bias. See `resample`. By default a different size is an
        error. Images with boxes need it only for saliency maps.
    outside : {"raise", "drop", "keep"}, default "raise"
        Treatment of fixations outside their image. See `gaze_heatmap`. The study keeps them.
    ground_truth : {"rest", "all"}, default "rest"
        Ground truth of the maps. ``"rest"`` is the mean of all observers except one, for every
        choice of that one, as in the study. The observer left out is scored against the same mean.
        ``"all"`` is the mean of all observers, once. With ``"all"`` an image may have a single
        observer, or one gaze map of all, and then has no ``"interobserver"`` score.
    two_valued : {"raise", "region"}, default "raise"
        Treatment of a gaze map of two values on an image of at least 8 x 8 pixels. It is an error,
        because most such maps mark fixated pixels, and belong in a `FixationMap`. ``"region"`` uses
        it as it is, for gaze given as a region.
    center_bias : {"images", "none"} or center bias, default "images"
        ``"images"`` is the mean gaze map of `cases`. ``"none"`` scores without a center bias, for
        metrics that do not use one. Images of several sizes then need no `resize`. Otherwise a
        `GaussianCenterBias`, `KdeCenterBias`, `CenterBias` or `RegisteredCenterBias`, or another
        object with a method ``on_image(shape, box=None)`` that returns a map of the image's shape.
    center_bias_rows : {"left_out", "in_sample", "both", "given"}, optional
        Rows of the center bias: without the image's own gaze, or with it as in the study, which
        favors the center bias. ``"both"`` has a row of each, and the shuffled metrics use the one
        without. ``"given"`` uses an object as it is, for one made from other images. By default
        ``"left_out"``. With an object that can leave out images it must be given, and with one
        that cannot, such as a Gaussian, it is ``"given"`` by default. To leave out an image of a
        `KdeCenterBias`, its fixations must be given under the image's name.
    baseline : {"kde", "center_bias"}, default "kde"
        Baseline of ``information_gain`` with a center bias of the images. ``"kde"`` is a kernel
        density of the fixations on the other images, mixed with a uniform density, as in
        `KdeCenterBias`. The bandwidth and the mixing maximize the likelihood of each image
        under the others, and the row ``"center_bias"`` of ``information_gain`` scores this
        density. ``"center_bias"`` is the mean gaze map itself, over which nearly any smooth map
        gains if the images or observers are few. A center bias given as an object, or by a case,
        is the baseline as it is.
    rounding : {"none", "study"}, default "none"
        Registration of images with boxes. See `ReferenceFrame`. ``"study"`` requires
        ``center_bias_rows="in_sample"``.
    n_samples : int, optional
        Number of positives and of negatives to sample for each AUC, 1000 in the study. By
        default the AUCs are exact.
    tolerance : float, optional
        Largest error of an AUC, such as 1e-6. See `auc_borji`. It saves time for images of
        millions of pixels, and cannot be combined with `n_samples`.
    density : {"sum", "shift", "softmax"}, optional
        Conversion of the map of a method to a density. See `to_density`. Required by
        ``information_gain`` and ``log_likelihood``. Also used by ``sim``, ``kl_divergence`` and
        ``emd``, which by default divide a map without negative values by its sum. Gaze maps and
        center biases are densities and are not converted.
    shrink : int, optional
        Side in pixels of the cells of `emd`, which requires it.
    leave_out : str, optional
        Group of the cases, such as ``"patient"``, whose images are left out together. The center
        bias of an image, and the fixations on other images that ``auc_shuffled`` and ``snss``
        use, then exclude all images of its group. By default only the image itself is left out.
        The gaze maps of a group are computed again for each of its images.
    region_options : mapping of mapping, optional
        Options of metrics of regions by name, such as ``{"iou": {"top": 0.05}}``, with the options
        of the functions in `gazesal.regions`. ``iou`` and ``dice`` require ``threshold`` or
        ``top``, and ``top_k_intersection`` requires ``k``.
    region_rows : {"each", "union", "both"}, default "each"
        Regions that are scored by metrics of regions: each label, all regions of an image together
        (the region ``"union"``), or both.
    ceilings : bool, str or sequence of str, default False
        Rows on the score of a perfect map, on images with several observers. True computes all of
        them. Each row has only the metrics for which it is a bound. See Notes.
    controls : {"other_gaze", "mean_map", "inverse"} or sequence of these, optional
        Controls that show how much of a score is owed to the image. See
        :doc:`/concepts/controls`.

        - ``"other_gaze"`` scores each map against the gaze on the other images too, for the table
          ``Evaluation.controls``. For metrics that are linear in the gaze this is one further
          score per map. The center bias and the baseline stay the ones of the map's image.
        - ``"mean_map"`` adds a row ``"NAME_mean_map"`` for each method: the mean of its maps of the
          other images, each standardized first, or as densities for the metrics of densities. Each
          map is read once more, and a function is called once more. With `leave_out`, the maps of a
          group are read again for each of its images.
        - ``"inverse"`` adds the rows ``"inverse_center_bias"`` and ``"inverse_segmentation"`` for
          ``sncc``, which a map can win by the inverse of the center bias.
    control_images : int, optional
        Number of other images for the control ``"other_gaze"`` by metrics that are not linear in
        the gaze, such as ``sim``. They are sampled, each image equally often. By default 5.
    seed : int, default 0
        Seed of all random samples and of the bootstrap. Every score has its own stream, so results
        do not depend on `n_jobs` or on what else is scored.
    n_jobs : int, optional
        Number of worker processes, -1 for one per core. By default the number of a
        ``joblib.parallel_config`` around the call, which may name a cluster, or else one.
    progress : bool, default False
        Show progress bars on standard error, with the rate and the time left.
    bad_images : {"raise", "list"}, default "raise"
        Treatment of an image that cannot be scored because a map cannot be read, has the wrong
        size or holds NaN, its fixations are invalid, or your function raises an error. ``"raise"``
        ends the run and names the image. ``"list"`` continues and lists it in the attribute
        ``bad_images`` of the evaluation.
    check_first : bool, default True
        With ``bad_images="raise"``, read and check every map that is an array or in a file before
        any is scored. Without it, each map is read once, and an invalid one ends the run when it is
        scored. Functions are called once in either case.
    checkpoint : str or path, optional
        Folder in which finished images are kept. If a run ends early, even by a kill, the same call
        resumes it. Needs the extra ``parquet``.

    Returns
    -------
    Evaluation
        The table of scores, and summaries of it.

    Raises
    ------
    ValueError
        If a case or an option is invalid. Examples are a map with negative values for a metric of
        distributions, fixations that are all shares of the sides, maps of a method that all have
        height and width exchanged, or an option without effect. Also if `checkpoint` holds a run
        with other options, versions or gaze, which the message names, or files that a run did not
        write.
    TypeError
        If a case is not a `Case`, or its parts are of the wrong kinds.
    ChildProcessError
        If a worker process was killed, most often because the memory was used up.
    BlockingIOError
        If another run is using `checkpoint`.
    OSError
        If `checkpoint` cannot be written, as on a full disk. The message names the file. The same
        call resumes once this is mended.
    ImportError
        If ``emd`` is in `metrics` without the extra ``emd``, or `checkpoint` is given without the
        extra ``parquet``.

    Warns
    -----
    OffImageWarning
        If fixations were dropped under ``outside="drop"``.
    SkippedDataWarning
        If a file of `checkpoint` is torn. Its images are scored again.
    InputWarning
        If the input is probably a mistake: the fixations of some images look like shares of the
        sides, nearly all fixations lie in one corner, the durations of a reading seem to mix units,
        `sigma` is used by only some of the gaze, all maps of a method look transposed, or maps are
        JPEG files. `audit` looks for more. Also if `checkpoint` cannot detect every change of a
        callable object. See :doc:`/concepts/large_sets`.

    See Also
    --------
    cases_from_tables, cases_from_reflacx : Make the cases.
    gazesal.stats.noise_ceiling : The agreement of the observers of one image.

    Notes
    -----
    The rows of `ceilings` bound the score of a perfect map, which is the expected gaze of
    infinitely many observers in the form that the metric rewards most; see `maps_for_metric`:

    - ``"attainable"`` is its expected score by NCC, sNCC, residual and semi-partial NCC. It follows
      from the agreement of the observers and their number in the ground truth, see
      `gazesal.stats.noise_ceiling`, and has one score per image.
    - ``"rest_predicts_one"`` is the best map for the gaze of the other observers, scored against
      the gaze of one. A perfect map is expected to score at least as well. By SIM and EMD, which
      are not linear in the gaze, it bounds the score against one observer.
    - ``"all_predict_one"`` is the best map for the gaze of all observers, scored against the gaze
      of each. The map includes this gaze, so that a perfect map is expected to score at most as
      well. Only for metrics that are linear in the gaze, such as AUC and NSS.

    The observer of these rows is the one whose gaze is predicted. sNSS and shuffled AUC of
    fixations have them only with a center bias, and other metrics do not have them.

    Each worker has one image in memory. See :doc:`/concepts/large_sets` for the cost of a large
    set, the use of a cluster, and the content of a checkpoint. The table is the same to the bit for
    any number and kind of workers, and for a resumed run.

    An image whose gaze is valid contributes to the center bias of the others even if its maps are
    invalid, so that the scores of good images do not depend on the maps of bad ones. An image whose
    gaze is invalid does not contribute.

    The default metrics are the four of :footcite:t:`bigolin2021`: the CC of
    :footcite:t:`bylinskii2019`, the AUC of :footcite:t:`borji2013`, and the shuffled version of
    each, relative to the center bias. `residual_ncc` is added because sNCC can be won by a map that
    ignores the image, see :doc:`/concepts/center_bias`. The sources of other metrics are on their
    own pages, and `METRICS` holds their keys.

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
    (['image', 'observer', 'method', 'metric', 'score'], 90)
    """
    # The keywords by name, so that the options are not listed once more.
    given = {name: value for name, value in locals().items() if name in CHECKS}
    given["center_bias_rows"] = as_center_bias_rows(center_bias, center_bias_rows)
    given["center_bias"] = description_of(center_bias, stored=checkpoint is not None)
    listed = as_cases(cases)
    bad = BadImages(stop=as_choice(bad_images, ("raise", "list"), name="bad_images") == "raise")
    options = as_options(given)
    bad.add(misfits(listed, options, stop=bad.stop), of_gaze=True)
    fitting = [case for case in listed if case.image not in bad]
    options = fit_to_cases(options, fitting, rounding)
    require_used(options, fitting)
    require_images(listed, options)
    require_groups(listed, options)
    require_ceilings(options)
    require_controls(listed, options)
    require_pixel_places(fitting)
    report_implausible(fitting)
    report_unused_sigma(fitting, options.sigma)
    report_lossy(fitting)
    if options.resize is not None:
        require_upright(fitting)
    bad.add(few_observers(listed, options))
    if options.outside == "drop":
        report_off_image(fitting)
    run = Runner(n_jobs, progress)
    read_first = as_flag(check_first, name="check_first") and bad.stop
    with plain_interrupts(), closing(open_checkpoint(checkpoint, listed, options)) as kept:
        wanted = [case for case in listed if case.scored]
        finished = kept.finished()
        todo = [case for case in wanted if case.image not in finished]
        if read_first:
            check_maps(todo, options, run)
        bias = None if isinstance(center_bias, str) else center_bias
        if options.frame is not None:
            bias = make_center_bias(fitting, options, run, bad, kept)
        shared = shared_by_all(listed, options, bias, bad)
        todo = [case for case in todo if case.image not in bad]
        if todo:
            of_controls = make_controls(listed, options, bias, run, bad)
            shared = shared._replace(controls=of_controls)
            todo = [case for case in todo if case.image not in bad]
        done = sum(case.image in finished and case.image not in bad for case in wanted)
        score_all(todo, options, shared, run, bad, kept, done)
        good = {case.image: case.groups for case in wanted if case.image not in bad}
        table = bad.to_frame(listed)
        if not good:
            raise ValueError(
                "`cases` must have at least one image that can be scored, got none. The first "
                f"error: {table['reason'].iloc[0]}"
            )
        scores, of_others = split_controls(kept.collect(good).to_frame(good), options)
    return Evaluation(
        scores=scores,
        controls=of_others,
        cases=listed,
        options=options,
        center_bias=bias,
        bad_images=table,
    )
