"""Tasks of the worker processes. An error in one image is returned as a `BadImage`.

An error inside the library is not an error of the image, and ends the run.
"""

import re
import signal
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

import numpy as np

from gazesal.datasets.map_stores import StoredMap
from gazesal.evaluation.case import Case
from gazesal.evaluation.control_rows import ControlGaze, ControlTask
from gazesal.evaluation.fitted_baseline import Kernel
from gazesal.evaluation.gaze_of_image import (
    OWN_MODELS,
    AnyCenterBias,
    biases_on_image,
    center_bias_of,
)
from gazesal.evaluation.gaze_sources import load_source, read_source
from gazesal.evaluation.map_on_image import MapOnImage
from gazesal.evaluation.mean_maps import sums_of_maps
from gazesal.evaluation.metric_calls import (
    AllFixations,
    fixations_on,
    require_size,
)
from gazesal.evaluation.options import EvaluationOptions, Frame
from gazesal.evaluation.other_gaze import (
    FramedSum,
    OtherGaze,
    fixation_weights,
    framed_gaze_of,
)
from gazesal.evaluation.score_one_image import checked_map, map_on_image, score_image
from gazesal.evaluation.score_rows import LABELS, BadImage, ImageScores
from gazesal.evaluation.several_maps import with_single_maps, without_several_maps
from gazesal.evaluation.storage.center_bias_file import bias_from
from gazesal.maps.heatmap import Outside
from gazesal.metrics.metric import Metric
from gazesal.metrics.names import BUILT_IN
from gazesal.typing import Float64Array

__all__ = [
    "bias_of_chunk",
    "find_fault",
    "gaze_sums_of_chunk",
    "map_sums_of_chunk",
    "plain_interrupts",
    "read_fixations_on",
    "read_weighted_fixations",
    "score_case",
]

# A user's function that calls sys.exit raises SystemExit, which would end the run silently.
FAULTS = (Exception, SystemExit)
# Errors whose message is sufficient. Others are reported with their type and traceback.
PLAIN = (ValueError, TypeError, OSError, ImportError)


def find_fault(case: Case, options: EvaluationOptions) -> BadImage | None:
    """Check the maps of an image that are arrays or in files, and return the first error.

    Functions are not called, because their maps may be costly. They are checked when scored.
    """
    try:
        case, _ = with_single_maps(case.with_loaded_area())
        for method, source in case.maps.items():
            stored = source.source if isinstance(source, MapOnImage) else source
            if not callable(stored) or isinstance(stored, StoredMap):
                checked_map(case, method, options)
        require_size(case, options.chosen, options.shrink)
        if case.center_bias is not None and not callable(case.center_bias):
            case.load_center_bias(options.resize)
    except MemoryError as error:
        raise _named(case, error) from error
    except FAULTS as error:  # a broken file raises errors of many types
        return _bad(case, error)
    return None


def bias_of_chunk(
    cases: list[Case], options: EvaluationOptions
) -> tuple[AnyCenterBias | None, list[BadImage]]:
    """Return the center bias of some images, and the images left out for invalid gaze."""
    try:
        return center_bias_of(cases, options), []
    except FAULTS:
        bad = {}
        for case in cases:  # one by one, to find the images with invalid gaze
            try:
                center_bias_of([case], options)
            except MemoryError as error:
                raise _named(case, error) from error
            except FAULTS as error:
                bad[case.image] = _bad(case, error)
        if not bad:
            raise
        good = [case for case in cases if case.image not in bad]
        return center_bias_of(good, options) if good else None, list(bad.values())


def gaze_sums_of_chunk(
    cases: list[Case],
    options: EvaluationOptions,
    kinds: tuple[str, ...],
    frame: Frame,
    together: Mapping[str, Sequence[Case]],
    facts: dict[str, Any] | None,
    *parts: np.ndarray,
) -> tuple[dict[str, FramedSum], list[BadImage]]:
    """Return the sums of the gaze on some images, by kind, and the images with invalid gaze."""
    bias = bias_from(facts, parts)
    return _summed(
        cases,
        lambda case: framed_gaze_of(
            case, kinds, frame, options, bias, together.get(case.image, ())
        ),
    )


def map_sums_of_chunk(
    cases: list[Case], options: EvaluationOptions, frame: Frame
) -> tuple[dict[tuple[str, str], FramedSum], list[BadImage]]:
    """Return the sums of the maps of some images, by method, and the images with invalid maps."""

    def framed(case: Case) -> Mapping[Any, FramedSum]:
        case = without_several_maps(case)
        maps = {method: map_on_image(case, method, options) for method in case.maps}
        return sums_of_maps(case, maps, frame, options)

    return _summed(cases, framed)


def _summed(
    cases: list[Case], framed: Callable[[Case], Mapping[Any, FramedSum]]
) -> tuple[dict[Any, FramedSum], list[BadImage]]:
    sums: dict[Any, FramedSum] = {}
    bad = []
    for case in cases:
        try:
            for key, one in framed(case).items():
                sums[key] = sums[key].plus(one) if key in sums else one
        except MemoryError as error:
            raise _named(case, error) from error
        except FAULTS as error:
            bad.append(_bad(case, error))
    return sums, bad


def read_weighted_fixations(
    case: Case, options: EvaluationOptions
) -> tuple[Float64Array, Float64Array] | BadImage | None:
    """Return the weighted fixations on an image for the controls, or the error of reading them."""
    try:
        return fixation_weights(case, options)
    except MemoryError as error:
        raise _named(case, error) from error
    except FAULTS as error:  # as below
        return _bad(case, error)


def read_fixations_on(case: Case, outside: Outside) -> Float64Array | BadImage:
    """Return the fixations on an image for the scores of others, or the error of reading them."""
    try:
        return fixations_on(case, outside)
    except MemoryError as error:
        raise _named(case, error) from error
    except FAULTS as error:  # a function or a file of fixations raises errors of many types
        return _bad(case, error)


def score_case(
    case: Case,
    positions: tuple[int, ...],
    together: Sequence[Case],
    options: EvaluationOptions,
    kernel: Kernel | None,
    control: ControlTask | None,
    facts: dict[str, Any] | None,
    *parts: np.ndarray,
) -> ImageScores | BadImage:
    """Return every score of one image.

    The center bias comes as `facts` and `parts`. See `parts_of`. The images of `together` are left
    out of it with this one. If a metric takes the fixations on all images, they are the last three
    of the parts. The first of `positions` is the index of this image among them, and the others
    are the indices of the images left out with it. `kernel` is the one of a fitted baseline.
    `control` and the arrays after all others are for the controls.
    """
    try:
        fixations, of_control = None, None
        if control is not None:
            kept = len(parts) - control.n_arrays
            means = OtherGaze.from_parts(control.facts, parts[kept:])
            of_control = ControlGaze(means, control.together, control.mapped, control.sampled)
            parts = parts[:kept]
        if options.takes_others:
            *parts, boxes, points, image_of = parts  # type: ignore[assignment]
            own, *others = positions
            fixations = AllFixations({case.image: own}, boxes, points, image_of, tuple(others))
        bias = bias_from(facts, parts)
        rows, noticed = score_image(case, bias, options, fixations, together, kernel, of_control)
    except MemoryError as error:
        raise _named(case, error) from error
    except FAULTS as error:
        return _bad(case, error)
    values = np.array([row.score for row in rows], np.float64)
    labels = {label: [getattr(row, label) for row in rows] for label in LABELS}
    return ImageScores(image=case.image, score=values, noticed=noticed, **labels)


@contextmanager
def plain_interrupts() -> Iterator[None]:
    """Raise KeyboardInterrupt if it is behind another error."""
    try:
        yield
    except Exception as error:
        _pass_on_interrupt(error)
        raise


def _pass_on_interrupt(error: BaseException) -> None:
    """Raise the exception of a signal that is behind an error.

    A compiled kernel turns KeyboardInterrupt into another error.
    """
    behind: BaseException | None = error
    while behind is not None:
        if isinstance(behind, KeyboardInterrupt):
            raise behind from error
        if isinstance(behind, SystemExit) and _is_of_signal(behind):
            raise behind
        behind = behind.__cause__ or behind.__context__


def _is_of_signal(error: BaseException) -> bool:
    """Return whether the handler of a signal raised an error, as programs do to end at SIGTERM."""
    handlers = (signal.getsignal(number) for number in signal.valid_signals())
    codes = {getattr(handler, "__code__", None) for handler in handlers} - {None}
    return any(frame.f_code in codes for frame, _ in traceback.walk_tb(error.__traceback__))


def _named(case: Case, error: MemoryError) -> MemoryError:
    """Add the image's name to a MemoryError, which ends the run."""
    return MemoryError(f"image {case.image}: {error}".removesuffix(": "))


def _is_of_input(error: BaseException) -> bool:
    """Return whether an error is of the input: raised by reading a source, or by a check."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    codes = {frame.f_code for frame in frames}
    if read_source.__code__ in codes:
        return True
    # A torn cache of numba raised OSError, among others, which was reported as a bad image.
    if any(str(frame.f_globals.get("__name__")).startswith("numba.") for frame in frames):
        return False
    # An array that another library reads lazily raises errors of many types, and so do a user's
    # metric and a user's center bias.
    return isinstance(error, PLAIN) or load_source.__code__ in codes or any(map(_calls_own, frames))


def _calls_own(frame: FrameType) -> bool:
    """Return whether a frame calls a metric or a center bias that is not in the library."""
    if frame.f_code is biases_on_image.__code__:
        return not isinstance(frame.f_locals["bias"], (*OWN_MODELS, type(None)))
    if frame.f_code is Metric.__call__.__code__:
        return frame.f_locals["self"].name not in BUILT_IN
    return False


def _bad(case: Case, error: BaseException) -> BadImage:
    """Return an error of the input with the name of the image, or raise any other error."""
    _pass_on_interrupt(error)
    if not _is_of_input(error):
        error.add_note(f"Raised for image {case.image!r}, but this is not an error of the input.")
        raise error
    plain = isinstance(error, PLAIN)
    reason = str(error) if plain else f"{type(error).__name__}: {error}"
    if not re.search(rf"\bimage '?{re.escape(case.image)}'?(?!\w)", reason):
        reason = f"image {case.image}: {reason}"
    # The name of a file may hold bytes that are not text, which tables cannot store.
    reason = reason.encode("utf-8", "backslashreplace").decode("utf-8")
    return BadImage(case.image, reason, "" if plain else traceback.format_exc())
