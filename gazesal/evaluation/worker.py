"""Tasks of the worker processes: an input error is returned as a `BadImage`.

An error from inside the library is not the image's fault and ends the run.
"""

import re
import signal
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from gazesal.datasets.map_stores import StoredMap
from gazesal.evaluation.case import Case
from gazesal.evaluation.metric_calls import (
    AllFixations,
    fixations_on,
    require_size,
    takes_others,
)
from gazesal.evaluation.score_one_image import (
    AnyCenterBias,
    Options,
    center_bias_of,
    checked_map,
    score_image,
)
from gazesal.evaluation.score_rows import BadImage, ImageScores
from gazesal.evaluation.sources import load_source, read_source
from gazesal.evaluation.storage.center_bias_file import bias_from
from gazesal.typing import Float64Array

__all__ = [
    "bias_of_chunk",
    "find_fault",
    "plain_interrupts",
    "raise_bad",
    "read_fixations_on",
    "score_case",
]

# a function of the user's that calls sys.exit would end the run without a word
FAULTS = (Exception, SystemExit)
PLAIN = (ValueError, TypeError, OSError, ImportError)  # whose message says what is wrong


def find_fault(case: Case, options: Options) -> BadImage | None:
    """Read the maps of an image that are arrays, files or in one; say what is wrong with the first.

    Functions are left alone: what they make may be costly, and is looked at when it is scored.
    """
    try:
        for method, source in case.maps.items():
            if not callable(source) or isinstance(source, StoredMap):
                checked_map(case, method, options)
        require_size(case, options.metrics, options.shrink)
        if case.center_bias is not None and not callable(case.center_bias):
            case.load_center_bias(options.resize)
    except MemoryError as error:
        raise _named(case, error) from error
    except FAULTS as error:  # a broken file fails in as many ways as it has parts
        return _bad(case, error)
    return None


def bias_of_chunk(
    cases: list[Case], options: Options
) -> tuple[AnyCenterBias | None, list[BadImage]]:
    """The center bias of some images, and those whose gaze is bad, which are left out of it."""
    try:
        return center_bias_of(cases, options), []
    except FAULTS:
        bad = {}
        for case in cases:  # which of them
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


def read_fixations_on(case: Case) -> Float64Array | BadImage:
    """The fixations on an image that metrics take for others, or why they cannot be had."""
    try:
        return fixations_on(case)
    except MemoryError as error:
        raise _named(case, error) from error
    except FAULTS as error:  # a function or a file of fixations may fail in any way
        return _bad(case, error)


def score_case(
    case: Case,
    positions: tuple[int, ...],
    together: Sequence[Case],
    options: Options,
    facts: dict[str, Any] | None,
    *parts: np.ndarray,
) -> ImageScores | BadImage:
    """Return every score of one image.

    The center bias comes in parts, see `parts_of`, without those of the images of `together`. The
    fixations on all images, if a metric takes them, are three arrays, the last of the parts; among
    them the image has the first of the positions, and the images left out with it the others.
    """
    try:
        fixations = None
        if takes_others(options.metrics):
            *parts, boxes, points, image_of = parts  # type: ignore[assignment]
            own, *others = positions
            fixations = AllFixations({case.image: own}, boxes, points, image_of, tuple(others))
        rows, noticed = score_image(case, bias_from(facts, parts), options, fixations, together)
    except MemoryError as error:
        raise _named(case, error) from error
    except FAULTS as error:
        return _bad(case, error)
    _, observers, methods, metrics, scores = zip(*rows, strict=True)
    values = np.array(scores, np.float64)
    return ImageScores(case.image, observers, methods, metrics, values, noticed)


def raise_bad(bad: BadImage, more: str = "") -> None:
    """Raise what is wrong with an image."""
    error = ValueError(bad.reason + more)
    if bad.traceback:
        error.add_note(f"Where it happened:\n{bad.traceback}")
    raise error


@contextmanager
def plain_interrupts() -> Iterator[None]:
    """Raise Ctrl-C as such where it comes as another error."""
    try:
        yield
    except Exception as error:
        _pass_on_interrupt(error)
        raise


def _pass_on_interrupt(error: BaseException) -> None:
    """Raise what a signal is behind an error: in a compiled kernel Ctrl-C becomes another one."""
    behind: BaseException | None = error
    while behind is not None:
        if isinstance(behind, KeyboardInterrupt):
            raise behind from error
        if isinstance(behind, SystemExit) and _is_of_signal(behind):
            raise behind
        behind = behind.__cause__ or behind.__context__


def _is_of_signal(error: BaseException) -> bool:
    """Whether a function that takes a signal raised it, as a program may to end at SIGTERM."""
    handlers = (signal.getsignal(number) for number in signal.valid_signals())
    codes = {getattr(handler, "__code__", None) for handler in handlers} - {None}
    return any(frame.f_code in codes for frame, _ in traceback.walk_tb(error.__traceback__))


def _named(case: Case, error: MemoryError) -> MemoryError:
    """Add the image's name to a MemoryError, which ends the run."""
    return MemoryError(f"image {case.image}: {error}".removesuffix(": "))


def _is_of_input(error: BaseException) -> bool:
    """Check whether an error is one of the input: of a source that was read, or of a check."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    codes = {frame.f_code for frame in frames}
    if read_source.__code__ in codes:
        return True
    # a torn cache of numba raised OSError, among others, and was blamed on a patient's image
    if any(str(frame.f_globals.get("__name__")).startswith("numba.") for frame in frames):
        return False
    # an array that another library reads late may fail in any way
    return isinstance(error, PLAIN) or load_source.__code__ in codes


def _bad(case: Case, error: BaseException) -> BadImage:
    """Return what is wrong with an image; raise an error that is not of the input."""
    _pass_on_interrupt(error)
    if not _is_of_input(error):
        error.add_note(f"The error is not in the input; image {case.image!r} was being scored.")
        raise error
    plain = isinstance(error, PLAIN)
    reason = str(error) if plain else f"{type(error).__name__}: {error}"
    if not re.search(rf"\bimage '?{re.escape(case.image)}'?(?!\w)", reason):
        reason = f"image {case.image}: {reason}"
    # what names a file may hold bytes that are no text, of which no table can be made
    reason = reason.encode("utf-8", "backslashreplace").decode("utf-8")
    return BadImage(case.image, reason, "" if plain else traceback.format_exc())
