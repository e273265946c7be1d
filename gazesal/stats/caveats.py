"""Conditions under which intervals and tests miss their level, and their common warning."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from gazesal._warnings import warn
from gazesal.exceptions import IntervalWarning
from gazesal.stats import bootstrap
from gazesal.stats.interval_methods import RESAMPLED, IntervalOptions
from gazesal.stats.rounding import all_equal
from gazesal.stats.score_cube import ScoreCube
from gazesal.typing import Float64Array

__all__ = ["Caveat", "caveats_of", "order_caveat", "sign_flip_caveat", "warn_of", "words_of"]

LEAST_UNITS, UNITS_PER_SKEWNESS = 28, 25  # Cochran's rule, as extended by Sugden et al. (2000)
LEAST_RESAMPLED = 10  # units; with fewer, a bootstrap is too narrow for all scores
# Excess kurtosis above 1.5 skewness^2, the value of a gamma distribution. In simulations, 2 % of
# normal, 3 % of gamma and 80 % of t3 samples of 100 exceed it, and BCa covers 91 % of the t3 ones.
HEAVIEST_TAIL = 1.0


class Caveat(NamedTuple):
    """A reason why an interval may miss its level."""

    reason: str
    group: str  # label of the group of the table, empty if there is one group
    text: str
    severity: float  # comparable among caveats of one reason; larger is worse


def caveats_of(
    cube: ScoreCube,
    options: IntervalOptions,
    names: Sequence[str] = (),
    labels: Sequence[str] = ("",),
    *,
    studentized: bool = True,
    t: bool = True,
) -> list[Caveat]:
    """List the caveats of the intervals of a cube, with a label for each of its columns.

    `names` are the names of the units. `studentized` and `t` state that the caller offers these
    kinds, which are then named as remedies.
    """
    interval = options.interval
    # The form of the study is used only for replication, and one unit has no interval.
    if interval == "study" or min(cube.shape) == 1:
        return []
    found = []
    studentized = studentized and len(cube.shape) == 1 and cube.nested_sizes is None
    t = t and (cube.sizes is None or len(cube.shape) < 3)
    # If the studentized interval is offered, the rule on skewness also finds too few units, and
    # names this better remedy.
    if interval in RESAMPLED and interval != "studentized" and not studentized:
        fewest = min(range(len(cube.shape)), key=cube.shape.__getitem__)
        n = cube.shape[fewest]
        if n < LEAST_RESAMPLED:
            text = f"{_units(n, names, fewest)}, fewer than {LEAST_RESAMPLED}"
            reason = "few" if t else "few only"
            found += [Caveat(reason, label, text, -n) for label in labels]
    most = max(range(len(cube.shape)), key=cube.shape.__getitem__)
    n = cube.shape[most]
    units = _units(n, names, most)
    for c, (label, values) in enumerate(zip(labels, _influences(cube, most).T, strict=True)):
        skewness, kurtosis = _shape(values)
        needed = LEAST_UNITS + UNITS_PER_SKEWNESS * skewness**2
        if interval != "studentized" and n < needed:
            text = (
                f"{units} of skewness {skewness:.1f}, fewer than {LEAST_UNITS} + "
                f"{UNITS_PER_SKEWNESS} x skewness^2 = {needed:.0f}"
            )
            defined = studentized and _share_of_ties(cube, c) <= (1 - options.confidence_level) / 2
            reason = "skewed" if defined else "skewed only"
            found.append(Caveat(reason, label, text, needed / n))
        tail = kurtosis - 1.5 * skewness**2
        if interval in {"bca", "studentized"} and tail > HEAVIEST_TAIL:
            text = (
                f"{units} of excess kurtosis {kurtosis:.1f}, above 1.5 x skewness^2 + "
                f"{HEAVIEST_TAIL:g} = {kurtosis - tail + HEAVIEST_TAIL:.1f}"
            )
            found.append(Caveat("tails" if t else "tails only", label, text, tail))
    return found


def sign_flip_caveat(
    least: Sequence[float], n_tests: int, adjust: str, confidence_level: float
) -> list[Caveat]:
    """List a caveat if sign flips cannot reach the level, by the least p-value of each test."""
    if not least:
        return []
    factor = n_tests if adjust == "holm" else 1
    smallest = min(least)
    if factor * smallest >= 1 - confidence_level:
        times = f" x {factor} comparisons" if factor > 1 else ""
        text = f"{smallest:.2g}{times} = {factor * smallest:.2g}"
        return [Caveat("no p-value", "", text, 0.0)]
    beyond = [p for p in least if p >= 1 - confidence_level]
    if beyond:
        text = f"{min(beyond):.2g} and above in {len(beyond)} of {len(least)} comparisons"
        return [Caveat("some p-values", "", text, 0.0)]
    return []


def order_caveat(least: float, confidence_level: float) -> list[Caveat]:
    """List a caveat if orders of the labels of groups cannot reach the level."""
    return [] if least < 1 - confidence_level else [Caveat("no order", "", f"{least:.2g}", 0.0)]


def words_of(
    caveats: Iterable[Caveat], n_intervals: int, options: IntervalOptions, *, command: str = ""
) -> str:
    """Format the caveats of one call, one line per reason, empty without caveats.

    `command` is the option of the command line for the kind of interval, which is named beside the
    argument.
    """
    by_reason: dict[str, list[Caveat]] = {}
    for caveat in caveats:
        by_reason.setdefault(caveat.reason, []).append(caveat)
    lines = []
    for reason, own in by_reason.items():
        worst = max(own, key=lambda caveat: caveat.severity)
        who, at = f"The {options.interval} interval", ""
        if n_intervals > 1:
            who = f"{len(own)} of {n_intervals} {options.interval} intervals"
            at = f"the worst for {worst.group}: " if worst.group else ""
        lines.append(_line(reason, who, f"{at}{worst.text}", options, command))
    return "\n".join(lines)


def _line(reason: str, who: str, what: str, options: IntervalOptions, command: str) -> str:
    """Format the caveats of one reason with their remedy."""

    def use(kind: str) -> str:
        flag = f", {command} {kind}" if command else ""
        return f'Use the {kind} interval (interval="{kind}"{flag})'

    remedies = {
        "few": f"{use('t')}, or average over these units.",
        "skewed": f"{use('studentized')}, or more units.",
        "skewed only": "Use more units.",
        "tails": f"{use('t')}.",
        "few only": "Average over these units.",
        "tails only": "Use more units.",
    }
    if reason in remedies:
        covers = f"may cover the truth in less than {options.confidence_level:.6g} of studies"
        return f"{who} {covers} ({what}). {remedies[reason]}"
    error = f"{1 - options.confidence_level:.3g}"
    if reason == "no order":
        return (
            f"The p-value of the groups cannot be below {error}, because the least is {what}. Use "
            "more units, or larger `n_resamples`."
        )
    which = "No adjusted p-value" if reason == "no p-value" else "Not every p-value"
    return (
        f"{which} of the sign flips can be below {error}, because the least is {what}. Use more "
        "units, fewer comparisons or, if the signs are random, larger `n_resamples`."
    )


def warn_of(words: str) -> None:
    """Warn with the words of the caveats, if there are any."""
    if words:
        warn(words, IntervalWarning)


def _units(n: int, names: Sequence[str], axis: int) -> str:
    """Format a number of units and their name."""
    return f"{n} units" + (f" ({names[axis]})" if names else "")


def _share_of_ties(cube: ScoreCube, column: int) -> float:
    """Compute the probability that a resample of one kind of unit has only tied scores."""
    scores = cube.means[:, 0, 0, column]
    if cube.sizes is not None:
        scores = scores / cube.sizes[:, 0, 0, column]
    counts = np.unique(scores, return_counts=True)[1]
    return float(((counts / scores.size) ** scores.size).sum())


def _influences(cube: ScoreCube, axis: int) -> Float64Array:
    """Compute the contribution of each unit to the mean of each column, (K, C), up to a factor."""
    others = tuple(other for other in range(3) if other != axis)
    sums = cube.means.sum(axis=others)
    if cube.sizes is None:
        return np.asarray(sums)
    return np.asarray(sums - bootstrap.estimates(cube) * cube.sizes.sum(axis=others))


def _shape(values: Float64Array) -> tuple[float, float]:
    """Compute the skewness and excess kurtosis of values, zero if all are equal."""
    if all_equal(values):
        return 0.0, 0.0
    centered = values - values.mean()
    scaled = centered / np.abs(centered).max()  # as powers of tiny values vanish
    variance = float((scaled**2).mean())
    skewness = float((scaled**3).mean()) / variance**1.5
    return skewness, float((scaled**4).mean()) / variance**2 - 3
