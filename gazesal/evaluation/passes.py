"""The passes over all images, in the order in which they run.

1. `check_maps` checks the maps that are arrays or in files.
2. `make_center_bias` averages the gaze on all images.
3. `score_all` scores the images, with the facts that `shared_by_all` collects for all of them.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from pickle import PicklingError
from typing import Any, NamedTuple

import numpy as np
from joblib.externals.loky.backend.reduction import dumps  # joblib sends tasks with it

from gazesal._validation import as_count
from gazesal.evaluation.case import Case, n_gaze_maps
from gazesal.evaluation.control_passes import SharedControls
from gazesal.evaluation.fitted_baseline import Kernel, choose_kernel
from gazesal.evaluation.gaze_checks import report_dropped, report_unblurred
from gazesal.evaluation.gaze_of_image import AnyCenterBias
from gazesal.evaluation.groups import left_out_together
from gazesal.evaluation.map_checks import report_transposed
from gazesal.evaluation.metric_calls import pool
from gazesal.evaluation.options import EvaluationOptions
from gazesal.evaluation.score_rows import BadImage, BadImages, raise_bad
from gazesal.evaluation.storage.center_bias_file import frame_of, parts_of
from gazesal.evaluation.storage.checkpoint import AnyCheckpoint
from gazesal.evaluation.worker import (
    bias_of_chunk,
    find_fault,
    read_fixations_on,
    score_case,
)
from gazesal.evaluation.worker_pool import Runner
from gazesal.maps.center_bias_model import CenterBiasModel

__all__ = ["check_maps", "make_center_bias", "score_all", "shared_by_all"]

CHUNK = 8  # images; a worker sums the gaze on one chunk at a time
# chunks; more images make larger chunks, so that few sums are sent. The number of workers does not
# change the chunks, so that it does not change a bit of the sum.
CHUNKS = 512
LARGEST = 64  # images in a chunk at most, because a killed run loses one chunk per worker
NAMED = 20  # images in progress that a message names
SAVED_EVERY = 30.0  # seconds between saved states of an unfinished center bias


def check_maps(cases: list[Case], options: EvaluationOptions, run: Runner) -> None:
    """Raise for the first invalid map that is an array or in a file, and count the others."""
    arguments = ((case, options) for case in cases)
    results = run(find_fault, arguments, len(cases), "checking", ordered=True)
    with _unsent_named(cases, options), closing(results):
        bad = [found for found in results if found is not None]
    if bad:
        more = f" ({len(bad) - 1} more images have invalid maps.)" if len(bad) > 1 else ""
        raise_bad(bad[0], more)


def make_center_bias(
    cases: list[Case], options: EvaluationOptions, run: Runner, bad: BadImages, kept: AnyCheckpoint
) -> AnyCenterBias:
    """Return the center bias of all images whose gaze is valid, resuming an unfinished one.

    It is saved twice a minute, and when Ctrl-C or an error ends the run.
    """
    size = min(max(CHUNK, -(-len(cases) // CHUNKS)), LARGEST)
    chunks = [cases[start : start + size] for start in range(0, len(cases), size)]
    state = kept.load_bias(partial(_resumed, chunks, options)) or _Summed(None, 0, [])
    bad.add(state.left_out, of_gaze=True)
    done = state.chunks
    saved, saved_at = done, time.monotonic()
    arguments = ((chunk, options) for chunk in chunks[done:])
    results = run(
        bias_of_chunk,
        arguments,
        len(chunks),
        "center bias",
        unit=f" x {size} images",
        done=done,
        ordered=True,
    )
    if done < len(chunks):
        try:
            with _unsent_named(cases, options), closing(results):
                for part, found in results:
                    bad.add(found, of_gaze=True)
                    # One assignment, so that an interrupt cannot separate the sum from the count.
                    state = state.with_chunk(part, found)
                    due = time.monotonic() - saved_at > SAVED_EVERY
                    if due and state.chunks < len(chunks):
                        state.save(kept)
                        saved, saved_at = state.chunks, time.monotonic()
        except BaseException:
            if state.chunks > saved:
                with suppress(OSError):  # the error that ended the run is reported instead
                    state.save(kept)
            raise
        state.save(kept)
    if state.bias is None:
        raise ValueError(
            "`cases` must have valid gaze on at least one image, got none. The first error: "
            f"{state.left_out[0].reason}"
        )
    return state.bias


def _resumed(
    chunks: Sequence[Sequence[Case]],
    options: EvaluationOptions,
    bias: AnyCenterBias | None,
    facts: dict[str, Any],
) -> "_Summed":
    """Return an unfinished center bias from a checkpoint, or raise if it does not fit the cases."""
    done = as_count(facts.get("chunks"), name="chunks", least=0)
    left_out = [BadImage(*map(str, row)) for row in facts.get("left_out", ())]
    cases = {case.image: case for chunk in chunks[:done] for case in chunk}
    n_maps = sum(map(n_gaze_maps, cases.values()))
    n_maps -= sum(n_gaze_maps(cases[image]) for image in {one.image for one in left_out})
    if done > len(chunks) or n_maps != (0 if bias is None else bias.n_maps):
        raise ValueError(f"it must be of the {n_maps} gaze maps of {done} chunks")
    if bias is not None and frame_of(bias) != options.frame:
        raise ValueError(f"its frame must be {options.frame}, got {frame_of(bias)}")
    return _Summed(bias, done, left_out)


class _Summed(NamedTuple):
    """An unfinished center bias: the sum of the first chunks, and images left out of it."""

    bias: AnyCenterBias | None
    chunks: int
    left_out: list[BadImage]

    def with_chunk(self, part: Any, found: list[BadImage]) -> "_Summed":
        """Return the sum with one more chunk, and the images left out of it."""
        bias = self.bias
        if part is not None:
            bias = part if bias is None else bias.merged(part)
        left_out = self.left_out + [BadImage(one.image, one.reason) for one in found]
        return _Summed(bias, self.chunks + 1, left_out)

    def save(self, kept: AnyCheckpoint) -> None:
        """Save the unfinished center bias in a checkpoint."""
        left_out = [list(one) for one in self.left_out]
        kept.save_bias(self.bias, chunks=self.chunks, left_out=left_out)


class Shared(NamedTuple):
    """Facts about all images that the scores of every image use. See `score_case`."""

    facts: dict[str, Any] | None
    arrays: list[np.ndarray]
    positions: Mapping[str, int]
    together: Mapping[str, list[Case]]
    kernel: Kernel | None = None  # of the baseline of information gain
    controls: SharedControls | None = None

    def of(self, case: Case) -> tuple[tuple[int, ...], list[Case]]:
        """Return the indices of an image and of the images left out with it, and these images."""
        others = self.together.get(case.image, [])
        names = [case.image, *(other.image for other in others)]
        return tuple(self.positions[name] for name in names if name in self.positions), others


def shared_by_all(
    cases: list[Case], options: EvaluationOptions, bias: CenterBiasModel | None, bad: BadImages
) -> Shared:
    """Return the parts of the center bias and the images that are left out together.

    If a metric takes the fixations on other images, the fixations on all images are added, and the
    kernel of a baseline that is fitted to them.
    """
    facts, arrays = parts_of(bias)
    together = left_out_together([c for c in cases if c.image not in bad.of_gaze], options)
    if not options.takes_others:
        return Shared(facts, arrays, {}, together)
    each = []
    for case in cases:
        if case.image not in bad.of_gaze:
            points = read_fixations_on(case, options.outside)
            if isinstance(points, BadImage):
                bad.add([points], of_gaze=True)
            else:
                each.append((case, points))
    found = pool(each)
    arrays += [found.boxes, found.points, found.image_of]
    shared = Shared(facts, arrays, found.positions, together)
    if options.fits_baseline:
        fixated = [case for case, _ in each]
        kernel = choose_kernel(fixated, found, lambda case: shared.of(case)[0])
        return shared._replace(kernel=kernel)
    return shared


def score_all(
    cases: list[Case],
    options: EvaluationOptions,
    shared: Shared,
    run: Runner,
    bad: BadImages,
    kept: AnyCheckpoint,
    done: int,
) -> None:
    """Score images and add their scores to the checkpoint, after `done` earlier images."""
    scored: Counter[str] = Counter()  # images that are not square, by method
    turned: Counter[str] = Counter()
    square = {case.image for case in cases if case.shape[0] == case.shape[1]}
    unblurred = dropped = 0
    in_progress: dict[str, None] = {}  # names of images, in the order of their start

    def arguments() -> Iterator[tuple[Any, ...]]:
        for case in cases:
            in_progress[case.image] = None
            control = None if shared.controls is None else shared.controls.of(case)
            yield case, *shared.of(case), options, shared.kernel, control, shared.facts

    results = run(
        score_case,
        arguments(),
        done + len(cases),
        "scoring",
        done=done,
        shared=shared.arrays + (shared.controls.arrays if shared.controls else []),
        folder=kept.folder,
    )
    try:
        with _unsent_named(cases, options), closing(results):
            for found in results:
                in_progress.pop(found.image)
                if isinstance(found, BadImage):
                    bad.add([found])
                    continue
                if found.image not in square:  # on which a map does not look transposed
                    scored.update(set(found.method))
                turned.update(found.noticed.turned)
                unblurred += found.noticed.unblurred
                dropped += found.noticed.dropped
                kept.add(found)
    except ChildProcessError as error:
        names = ", ".join(list(in_progress)[:NAMED])
        more = f" and {len(in_progress) - NAMED} more" if len(in_progress) > NAMED else ""
        raise ChildProcessError(f"{error}\nThe images in progress were {names}{more}.") from error
    if dropped:
        report_dropped(dropped)
    if unblurred and options.sigma is not None:
        report_unblurred(unblurred)
    for method, count in turned.items():
        if count == scored[method]:
            report_transposed(method, count)


@contextmanager
def _unsent_named(cases: list[Case], options: EvaluationOptions) -> Iterator[None]:
    """Name the image or metric that cannot be sent to a worker, which joblib does not name.

    They are pickled here only after sending has failed, so that none is pickled twice.
    """
    try:
        yield
    except PicklingError as error:
        for metric in options.own_metrics:
            try:
                dumps(metric)
            except Exception as fault:  # noqa: BLE001 (objects raise errors of many types)
                raise ValueError(
                    f"`metrics` must hold functions that can be pickled, got {metric.name!r} with "
                    f"the error: {fault}. Use n_jobs=1 (--jobs 1) if it cannot."
                ) from error
        for case in cases:
            try:
                dumps(case)
            except Exception as fault:  # noqa: BLE001 (objects raise errors of many types)
                raise ValueError(
                    f"image {case.image}: its gaze and maps must be objects that can be pickled, "
                    f"got the error: {fault}. Use n_jobs=1 (--jobs 1) if they cannot."
                ) from error
        raise
