"""Findings about fixations without regard to maps."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from gazesal._digests import digest_of_bytes
from gazesal.auditing.findings import AuditFinding
from gazesal.auditing.place_checks import lattice_findings, place_findings
from gazesal.auditing.readings import ImageGaze, Reading, named
from gazesal.maps.plausible_gaze import (
    UNITS,
    DurationUnit,
    misfit_durations,
    unit_of,
)
from gazesal.typing import Float64Array

__all__ = ["gaze_findings"]

NAMED = 3  # readings in an example
CENTRAL = 0.1  # share of the diagonal within which a fixation is central
FEWEST_POINTS = 100  # fixations for a statement about all of them


def gaze_findings(gaze: Sequence[ImageGaze], unit: DurationUnit | None) -> Iterator[AuditFinding]:
    """Yield findings about fixations. `unit` is the declared unit of durations."""
    for each in gaze:
        for message in each.faults:
            yield AuditFinding(check="unreadable", subject="gaze", level="fault", message=message)
    readings = [reading for each in gaze for reading in each.readings if len(reading.points)]
    if not readings:
        return
    yield from place_findings(readings)
    yield from lattice_findings(readings)
    yield from _repetitions(readings)
    yield from _first_fixations(readings)
    yield from _durations(readings, unit)


def _repetitions(readings: list[Reading]) -> Iterator[AuditFinding]:
    """Yield repeated fixations within a reading, and readings that occur several times."""
    repeated, found = 0, []
    same: dict[str, list[Reading]] = defaultdict(list)
    for each in readings:
        timed = each.durations.shape == (len(each.points),)
        rows = np.column_stack([each.points, each.durations]) if timed else each.points
        n = len(rows) - len(set(map(tuple, rows.tolist())))
        if n:
            repeated += n
            found.append(each)
        if len(rows) >= 3:
            same[digest_of_bytes(np.ascontiguousarray(rows).tobytes())].append(each)
    if repeated:
        yield AuditFinding(
            check="duplicates",
            subject="gaze",
            level="warning",
            message=f"{repeated} fixations in {len(found)} readings ({named(found)}) repeat the "
            "place and duration of another one in the same reading.",
            remedy='Read the table with duplicates="drop" (--duplicates drop) if rows occur twice.',
            evidence={"n_fixations": repeated, "n_readings": len(found)},
        )
    copies = [group for group in same.values() if len(group) > 1]
    if copies:
        first = ", ".join(f"{each.image!r} by {each.observer!r}" for each in copies[0][:NAMED])
        yield AuditFinding(
            check="same_gaze",
            subject="gaze",
            level="fault",
            message=f"{sum(map(len, copies))} readings have the same fixations as another one, for "
            f"example {first}.",
            remedy="Check how names of images and observers were assigned.",
            evidence={"n_readings": sum(map(len, copies))},
        )


def _first_fixations(readings: list[Reading]) -> Iterator[AuditFinding]:
    """Yield a note if first fixations are central, as after a cross at the center."""
    long = [each for each in readings if len(each.points) >= 3]
    if len(long) < FEWEST_POINTS // 5:
        return
    central = [_is_central(each) for each in long]
    first = np.array([each[0] for each in central])
    later = np.array([each[1:].mean() for each in central])
    difference = first - later
    error = float(difference.std(ddof=1) / np.sqrt(len(difference)))
    if first.mean() > 0.5 and difference.mean() > max(0.25, 4 * error):
        yield AuditFinding(
            check="central_start",
            subject="gaze",
            level="note",
            message=f"{first.mean():.0%} of first fixations lie within {CENTRAL:.0%} of the "
            f"diagonal from the center, and {later.mean():.0%} of later ones. Observers probably "
            "fixated the center before the image appeared.",
            remedy="Consider leaving out the first fixation of each reading, which says little "
            "about the image.",
            evidence={"first": float(first.mean()), "later": float(later.mean()), "error": error},
        )


def _is_central(reading: Reading) -> Float64Array:
    """Mark the fixations near the center of the image."""
    width, height = reading.shape[::-1]
    middle = (np.array([width, height]) - 1) / 2
    distance = np.hypot(*(reading.points - middle).T)
    return np.asarray(distance <= CENTRAL * np.hypot(width, height), np.float64)


def _durations(readings: list[Reading], unit: DurationUnit | None) -> Iterator[AuditFinding]:
    """Yield durations in another unit than declared, implausible ones, and mixed units."""
    fitting = [each for each in readings if each.durations.shape == (len(each.points),)]
    every = np.concatenate([np.empty(0), *(each.durations for each in fitting)])
    positive = every[np.isfinite(every) & (every > 0)]
    equal = len(positive) and positive.min() == positive.max()
    if len(positive) < 3 or (equal and (unit is None or positive[0] == 1)):
        return  # equal numbers may be weights, and 1 is the weight of fixations without durations
    median = float(np.median(positive))
    likely = unit_of(median)
    evidence = {"median": median, "declared": unit, "likely": likely}
    if likely != unit if unit is not None else likely in {None, "us"}:
        declared = f", declared as {unit}" if unit is not None else ""
        meant = f", as if they were in {likely}" if likely else ", which fits neither s nor ms"
        yield AuditFinding(
            check="duration_unit",
            subject="gaze",
            level="fault" if unit is not None else "warning" if likely else "note",
            message=f"The median duration of a fixation is {median:g}{declared}{meant}. Medians of "
            "fixations are 100 to 600 ms.",
            remedy=_conversion(likely, unit),
            evidence=evidence,
        )
    odd = [(each, misfit_durations(each.durations)) for each in fitting]
    mixed = [each for each, marks in odd if marks.any()]
    if mixed:
        n = sum(int(marks.sum()) for _, marks in odd)
        yield AuditFinding(
            check="mixed_durations",
            subject="gaze",
            level="fault",
            message=f"{n} fixations in {len(mixed)} readings ({named(mixed)}) have another "
            "unit than the others of their reading, by their size.",
            remedy="Convert all durations to ms, because durations weight the fixations of a map.",
            evidence={"n_fixations": n, "n_readings": len(mixed)},
        )
    own = {
        id(each): float(np.median(each.durations)) for each in fitting if len(each.durations) > 2
    }
    other = [
        each
        for each in fitting
        if own.get(id(each), 0.0) > 0
        and not 1 / 50 < own[id(each)] / median < 50  # units differ by 1000
    ]
    if other:
        yield AuditFinding(
            check="mixed_durations",
            subject="gaze",
            level="warning",
            message=f"The median durations of {len(other)} readings ({named(other)}) differ from "
            f"the median of all, {median:g}, by a factor of more than 50, as if they had another "
            "unit.",
            remedy="Convert all durations to ms.",
            evidence={"n_readings": len(other), "median": median},
        )


def _conversion(likely: str | None, declared: str | None) -> str:
    """Return the advice for durations of a likely unit."""
    if likely is None:
        return "Check the unit. Durations are used as relative weights of the fixations."
    target = declared or "ms"
    factor = UNITS[target] / UNITS[likely]
    return f"If they are in {likely}, multiply them by {factor:g} for {target}."
