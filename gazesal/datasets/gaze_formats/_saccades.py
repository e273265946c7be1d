"""Detect fixations in samples of gaze by acceleration, as the database MIT1003 does.

The rule is in the code of the database (Judd et al., 2009), ``checkFixations.m``, whose comments
give the parameters for its display: 34 pixels per degree and 240 samples per second.
"""

import numpy as np

from gazesal.typing import Float64Array

SPEED_CHANGE = 6 * 34.0  # pixels per second between two windows; above it, a saccade begins
WINDOW = 4  # samples of a window
LONGEST_SEARCH = 25  # samples after the acceleration in which the deceleration must come
SHORTEST = 12  # samples, 50 ms; a shorter fixation is part of the saccades around it


def fixations_between_saccades(
    samples: Float64Array, *, rate: float
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Return the position (N, 2), the first sample, from 1, and the duration in ms of fixations.

    The position is the median of the samples.
    """
    moving = np.zeros(len(samples), np.bool_)
    for start, end in _saccades(_acceleration(samples, rate), len(samples)):
        moving[start : end + 1] = True
    edges = np.flatnonzero(np.diff(np.concatenate([[True], moving, [True]]).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    places = [
        np.nanmedian(samples[start:end], axis=0) for start, end in zip(starts, ends, strict=True)
    ]
    durations = np.asarray(1000.0 * (ends - starts) / rate, np.float64)
    first = np.asarray(starts + 1.0, np.float64)
    return np.array(places, np.float64).reshape(-1, 2), first, durations


def _acceleration(samples: Float64Array, rate: float) -> Float64Array:
    """Return the change of speed between two windows that are one sample apart."""
    steps = np.concatenate([[0.0], np.hypot(*np.diff(samples, axis=0).T)])
    smooth = np.convolve(steps, np.full(WINDOW, 1 / WINDOW))[: len(steps)]
    change = np.zeros(len(steps))
    ahead = WINDOW + 1
    if len(steps) > ahead + 1:
        change[1:-ahead] = (smooth[1 + ahead :] - smooth[1:-ahead]) * (rate / WINDOW)
    return change


def _saccades(change: Float64Array, n: int) -> list[tuple[int, int]]:
    """Return the first and last sample of each saccade."""
    fast = np.concatenate([[False], change > SPEED_CHANGE, [False]])
    edges = np.flatnonzero(np.diff(fast.astype(np.int8)))
    braking = change < -SPEED_CHANGE
    ends_braking = np.flatnonzero(braking[:-1] & ~braking[1:])
    found: list[tuple[int, int]] = []
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        if stop - start <= 2:  # too short for a saccade
            continue
        after = ends_braking[ends_braking >= stop]
        if not len(after) or after[0] - stop > LONGEST_SEARCH:
            if stop - 1 != np.flatnonzero(change)[-1]:
                continue
            end = n - 1  # the recording ends in a saccade
        else:
            end = int(after[0])
        if found and start - found[-1][1] <= SHORTEST:
            found[-1] = found[-1][0], end
        else:
            found.append((int(start), end))
    if found and n - 1 - found[-1][1] <= SHORTEST:
        found[-1] = found[-1][0], n - 1
    return found
