"""The passes over all images: look at maps, make the center bias, score; bad images by the way."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pickle import PicklingError
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from joblib.externals.loky.backend.reduction import dumps  # what joblib sends tasks with

from gazesal._validation import as_count
from gazesal.evaluation.case import Case
from gazesal.evaluation.gaze_checks import report_unblurred
from gazesal.evaluation.groups import left_out_together
from gazesal.evaluation.map_checks import report_transposed
from gazesal.evaluation.metric_calls import pool, takes_others
from gazesal.evaluation.score_one_image import AnyCenterBias, Options
from gazesal.evaluation.score_rows import BadImage, Rows
from gazesal.evaluation.storage.center_bias_file import frame_of, parts_of
from gazesal.evaluation.storage.checkpoint import Checkpoint
from gazesal.evaluation.worker import (
    bias_of_chunk,
    find_fault,
    raise_bad,
    read_fixations_on,
    score_case,
)
from gazesal.evaluation.worker_pool import Runner

__all__ = ["BadImages", "check_maps", "make_center_bias", "score_all", "shared_by_all"]

CHUNK = 8  # images whose gaze is summed by one worker
CHUNKS = 512  # above this many, chunks are larger; not by the workers, so they change no sum
LARGEST = 64  # but not larger than this: what is lost when a run is killed
NAMED = 20  # images in hand that a message names
SAVED_EVERY = 30.0  # seconds between states of a center bias in the making


class Shared(NamedTuple):
    """What the scores of every image take from all images; see `score_case`."""

    facts: dict[str, Any] | None
    arrays: list[np.ndarray]
    positions: Mapping[str, int]
    together: Mapping[str, list[Case]]

    def of(self, case: Case) -> tuple[tuple[int, ...], list[Case]]:
        """Return positions of an image and of those left out with it, and these as cases."""
        others = self.together.get(case.image, [])
        names = [case.image, *(other.image for other in others)]
        return tuple(self.positions[name] for name in names if name in self.positions), others


class BadImages:
    """Images that cannot be scored: each ends the run, or is listed.

    Parameters
    ----------
    stop : bool
        Whether to raise at the first.
    """

    def __init__(self, *, stop: bool) -> None:
        self.stop: bool = stop
        self.of_gaze: set[str] = set()  # whose gaze shapes nothing
        self._reasons: dict[str, str] = {}

    def __contains__(self, image: str) -> bool:
        return image in self._reasons

    def add(self, found: Iterable[BadImage], *, of_gaze: bool = False) -> None:
        """Raise the first, or list them; whether for their gaze, or for what is scored."""
        for bad in found:
            if self.stop:
                raise_bad(bad)
            if of_gaze:
                self.of_gaze.add(bad.image)
            self._reasons.setdefault(bad.image, bad.reason)

    def to_frame(self, cases: Iterable[Case]) -> pd.DataFrame:
        """The table of them, in the order of the cases."""
        rows = [(c.image, self._reasons[c.image]) for c in cases if c.image in self._reasons]
        return pd.DataFrame(rows, columns=["image", "reason"], dtype=str)


def shared_by_all(
    cases: list[Case], options: Options, bias: AnyCenterBias | None, bad: BadImages
) -> Shared:
    """Return the parts of the center bias, and the fixations on all images if a metric takes them.

    So with the images that are left out together.
    """
    facts, arrays = parts_of(bias)
    together = left_out_together([c for c in cases if c.image not in bad.of_gaze], options)
    if not takes_others(options.metrics):
        return Shared(facts, arrays, {}, together)
    each = []
    for case in cases:
        if case.image not in bad.of_gaze:
            points = read_fixations_on(case)
            if isinstance(points, BadImage):
                bad.add([points], of_gaze=True)
            else:
                each.append((case, points))
    found = pool(each)
    arrays += [found.boxes, found.points, found.image_of]
    return Shared(facts, arrays, found.positions, together)


def check_maps(cases: list[Case], options: Options, run: Runner) -> None:
    """Raise if any map that is at hand is bad, naming the first in order and how many there are."""
    arguments = ((case, options) for case in cases)
    results = run(find_fault, arguments, len(cases), "checking", ordered=True)
    with _unsent_named(cases), closing(results):
        bad = [found for found in results if found is not None]
    if bad:
        more = f" ({len(bad) - 1} more images have bad maps.)" if len(bad) > 1 else ""
        raise_bad(bad[0], more)


def make_center_bias(
    cases: list[Case], options: Options, run: Runner, bad: BadImages, kept: Checkpoint | None
) -> AnyCenterBias:
    """The center bias of all images whose gaze is good; a kept one goes on where it was left.

    It is kept as far as it is made twice a minute, and when Ctrl-C or an error ends the run.
    """
    size = min(max(CHUNK, -(-len(cases) // CHUNKS)), LARGEST)
    chunks = [cases[start : start + size] for start in range(0, len(cases), size)]
    state = _Summed(None, 0, [])
    begun = None if kept is None else _begun(kept, chunks, options)
    if begun is not None:
        state = begun
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
            with _unsent_named(cases), closing(results):
                for part, found in results:
                    bad.add(found, of_gaze=True)
                    # at once, so that no interrupt finds one chunk in the sum and not in the count
                    state = state.with_chunk(part, found)
                    due = time.monotonic() - saved_at > SAVED_EVERY
                    if kept is not None and due and state.chunks < len(chunks):
                        state.keep(kept)
                        saved, saved_at = state.chunks, time.monotonic()
        except BaseException:
            if kept is not None and state.chunks > saved:
                with suppress(OSError):  # what ended the run is what is said
                    state.keep(kept)
            raise
        if kept is not None:
            state.keep(kept)
    if state.bias is None:
        raise ValueError(f"no gaze could be drawn on any image; {state.left_out[0].reason}")
    return state.bias


def _begun(
    kept: Checkpoint, chunks: Sequence[Sequence[Case]], options: Options
) -> "_Summed | None":
    """Return the center bias as far as it was made; None, and a warning, if it cannot be so."""
    found = kept.load_bias()
    if found is None:
        return None
    bias, facts = found
    try:
        done = as_count(facts["chunks"], name="chunks", least=0)
        left_out = [BadImage(*map(str, row)) for row in facts["left_out"]]
        cases = {case.image: case for chunk in chunks[:done] for case in chunk}
        n_maps = sum(len(case.gaze) for case in cases.values())
        n_maps -= sum(len(cases[image].gaze) for image in {one.image for one in left_out})
        if done > len(chunks) or n_maps != (0 if bias is None else bias.n_maps):
            raise ValueError(f"it is of other gaze maps than the {n_maps} of {done} chunks")  # noqa: TRY301
        if bias is not None and frame_of(bias) != options.frame:
            raise ValueError(f"it lies in the frame {frame_of(bias)}, and the run in another")  # noqa: TRY301
    except (KeyError, TypeError, ValueError) as error:
        kept.report_bias(str(error))
        return None
    return _Summed(bias, done, left_out)


class _Summed(NamedTuple):
    """A center bias in the making: the sum of so many chunks, and images left out of it."""

    bias: AnyCenterBias | None
    chunks: int
    left_out: list[BadImage]

    def with_chunk(self, part: Any, found: list[BadImage]) -> "_Summed":
        """With one chunk more."""
        bias = self.bias
        if part is not None:
            bias = part if bias is None else bias.merged(part)
        left_out = self.left_out + [BadImage(one.image, one.reason) for one in found]
        return _Summed(bias, self.chunks + 1, left_out)

    def keep(self, kept: Checkpoint) -> None:
        """Write it into a checkpoint."""
        left_out = [list(one) for one in self.left_out]
        kept.save_bias(self.bias, chunks=self.chunks, left_out=left_out)


def score_all(
    cases: list[Case],
    options: Options,
    shared: Shared,
    run: Runner,
    bad: BadImages,
    kept: Checkpoint | None,
    marks: Mapping[str, str],
    done: int,
) -> Rows:
    """Score images and keep what is found: in the checkpoint, or else in the rows returned."""
    rows = Rows()
    scored: Counter[str] = Counter()  # images by method
    turned: Counter[str] = Counter()
    unblurred = 0
    in_hand: dict[str, None] = {}  # in the order they were taken

    def arguments() -> Iterator[tuple[Any, ...]]:
        for case in cases:
            in_hand[case.image] = None
            yield case, *shared.of(case), options, shared.facts

    results = run(
        score_case,
        arguments(),
        done + len(cases),
        "scoring",
        done=done,
        shared=shared.arrays,
        folder=None if kept is None else kept.folder,
    )
    try:
        with _unsent_named(cases), closing(results):
            for found in results:
                in_hand.pop(found.image)
                if isinstance(found, BadImage):
                    bad.add([found])
                    continue
                scored.update(set(found.method))
                turned.update(found.noticed.turned)
                unblurred += found.noticed.unblurred
                if kept is None:
                    rows.add(found)
                else:
                    kept.add(found, marks[found.image])
    except ChildProcessError as error:
        names = ", ".join(list(in_hand)[:NAMED])
        more = f" and {len(in_hand) - NAMED} more" if len(in_hand) > NAMED else ""
        raise ChildProcessError(f"{error}\nThe images in hand were {names}{more}.") from error
    if unblurred and options.sigma is not None:
        report_unblurred(unblurred)
    for method, count in turned.items():
        if count == scored[method]:
            report_transposed(method, count)
    return rows


@contextmanager
def _unsent_named(cases: list[Case]) -> Iterator[None]:
    """Name the image that cannot be sent to a worker, which joblib does not.

    It is looked for only where sending failed, since every image would be pickled twice otherwise.
    """
    try:
        yield
    except PicklingError as error:
        for case in cases:
            try:
                dumps(case)
            except Exception as fault:  # noqa: BLE001 (an object may fail in any way)
                raise ValueError(
                    f"image {case.image}: its gaze or a map cannot be sent to another process: "
                    f"{fault}; with one job it need not be."
                ) from error
        raise
