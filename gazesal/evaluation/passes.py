"""The passes over all images: look at maps, make the centre bias, score; bad images by the way."""

import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from gazesal.evaluation.bias_files import parts_of
from gazesal.evaluation.cases import Case
from gazesal.evaluation.checkpoint import Checkpoint
from gazesal.evaluation.metric_calls import all_fixations, takes_others
from gazesal.evaluation.parallel import Runner
from gazesal.evaluation.rows import BadImage, Rows
from gazesal.evaluation.scoring import AnyCenterBias, Options
from gazesal.evaluation.work import bias_of_chunk, find_fault, gaze_faults, raise_bad, score_case

__all__ = ["BadImages", "check_maps", "make_center_bias", "score_all", "shared_by_all"]

CHUNK = 8  # images whose gaze is summed by one worker
CHUNKS = 512  # above this many, chunks are larger; not by the workers, so they change no sum
SAVED_EVERY = 30.0  # seconds between states of a centre bias in the making


class Shared(NamedTuple):
    """What the scores of every image take from all images; see `score_case`."""

    facts: dict[str, Any] | None
    arrays: list[np.ndarray]
    positions: Mapping[str, int]


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
    """The parts of the centre bias, and the fixations on all images if a metric takes them."""
    facts, arrays = parts_of(bias)
    if not takes_others(options.metrics):
        return Shared(facts, arrays, {})
    drawn = [case for case in cases if case.image not in bad.of_gaze]
    bad.add(gaze_faults(drawn, options), of_gaze=True)
    found = all_fixations([c for c in drawn if c.image not in bad.of_gaze], options.metrics)
    assert found is not None, "since a metric takes them"  # noqa: S101
    return Shared(facts, [*arrays, found.boxes, found.points, found.image_of], found.positions)


def check_maps(cases: list[Case], options: Options, run: Runner) -> None:
    """Raise if any map that is at hand is bad, naming the first in order and how many there are."""
    arguments = ((case, options) for case in cases)
    with closing(run(find_fault, arguments, len(cases), "checking", ordered=True)) as results:
        bad = [found for found in results if found is not None]
    if bad:
        more = f" ({len(bad) - 1} more images have bad maps.)" if len(bad) > 1 else ""
        raise_bad(bad[0], more)


def make_center_bias(
    cases: list[Case], options: Options, run: Runner, bad: BadImages, kept: Checkpoint | None
) -> AnyCenterBias:
    """The centre bias of all images whose gaze is good; a kept one goes on where it was left."""
    size = max(CHUNK, -(-len(cases) // CHUNKS))
    chunks = [cases[start : start + size] for start in range(0, len(cases), size)]
    bias: AnyCenterBias | None = None
    left_out: list[BadImage] = []
    done = 0
    begun = None if kept is None else kept.load_bias()
    if begun is not None:
        bias, facts = begun
        done, left_out = facts["chunks"], [BadImage(*row) for row in facts["left_out"]]
    bad.add(left_out, of_gaze=True)
    saved = time.monotonic()
    arguments = ((chunk, options) for chunk in chunks[done:])
    results = run(
        bias_of_chunk,
        arguments,
        len(chunks),
        "centre bias",
        unit=f" x {size} images",
        done=done,
        ordered=True,
    )
    if done < len(chunks):
        with closing(results):
            for part, found in results:
                bad.add(found, of_gaze=True)
                left_out += [BadImage(one.image, one.reason) for one in found]
                if part is not None:
                    bias = part if bias is None else bias.merged(part)
                done += 1
                due = done == len(chunks) or time.monotonic() - saved > SAVED_EVERY
                if kept is not None and due:
                    kept.save_bias(bias, chunks=done, left_out=[list(one) for one in left_out])
                    saved = time.monotonic()
    if bias is None:
        raise ValueError(f"no gaze could be drawn on any image; {left_out[0].reason}")
    return bias


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
    results = run(
        score_case,
        ((case, shared.positions.get(case.image, 0), options, shared.facts) for case in cases),
        done + len(cases),
        "scoring",
        done=done,
        shared=shared.arrays,
        folder=None if kept is None else kept.folder,
    )
    with closing(results):
        for found in results:
            if isinstance(found, BadImage):
                bad.add([found])
            elif kept is None:
                rows.add(found)
            else:
                kept.add(found, marks[found.image])
    return rows
