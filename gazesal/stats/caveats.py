"""Conditions in which intervals and tests miss their level, and the one warning that names them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from gazesal._warnings import warn
from gazesal.exceptions import IntervalWarning
from gazesal.stats import bootstrap
from gazesal.stats.interval_methods import RESAMPLED, Options
from gazesal.stats.rounding import all_equal
from gazesal.stats.sample import Sample
from gazesal.typing import Float64Array

__all__ = ["Caveat", "caveats_of", "sign_flip_caveat", "warn_of", "words_of"]

LEAST_UNITS, UNITS_PER_SKEWNESS = 28, 25  # Cochran's rule as Sugden et al. (2000) extended it
LEAST_RESAMPLED = 10  # fewer units than this make a bootstrap too narrow, whatever their scores
# Excess kurtosis beyond 1.5 skewness^2, a gamma distribution's. In simulations, 2 % of normal, 3 %
# of gamma and 80 % of t3 samples of 100 exceed 1, and BCa covers 91 % of the t3 samples.
HEAVIEST_TAIL = 1.0


class Caveat(NamedTuple):
    """One reason why one interval may miss its level."""

    reason: str
    where: str  # the group of the table; empty if there is one
    text: str
    severity: float  # larger is worse, among caveats of one reason


def caveats_of(
    sample: Sample,
    options: Options,
    names: Sequence[str],
    labels: Sequence[str],
    *,
    studentized: bool = True,
    t: bool = True,
) -> list[Caveat]:
    """Return the caveats of the intervals of a sample, one label for each of its columns.

    With `studentized` and `t`, these intervals are available to the caller and named as remedies.
    """
    interval = options.interval
    if interval == "study" or min(sample.shape) == 1:  # for replication only; undefined anyway
        return []
    found = []
    studentized = studentized and len(sample.shape) == 1 and sample.nested_sizes is None
    t = t and (sample.sizes is None or len(sample.shape) < 3)
    # Units this few are too few by the rule on skewness too, which names the better remedy.
    if interval in RESAMPLED and interval != "studentized" and not studentized:
        fewest = min(range(len(sample.shape)), key=sample.shape.__getitem__)
        n = sample.shape[fewest]
        if n < LEAST_RESAMPLED:
            text = f"{_units(n, names, fewest)}, fewer than {LEAST_RESAMPLED}"
            reason = "few" if t else "few only"
            found += [Caveat(reason, label, text, -n) for label in labels]
    most = max(range(len(sample.shape)), key=sample.shape.__getitem__)
    n = sample.shape[most]
    units = _units(n, names, most)
    for c, (label, values) in enumerate(zip(labels, _influences(sample, most).T, strict=True)):
        skewness, kurtosis = _shape(values)
        needed = LEAST_UNITS + UNITS_PER_SKEWNESS * skewness**2
        if interval != "studentized" and n < needed:
            text = (
                f"{units} of skewness {skewness:.1f}, fewer than {LEAST_UNITS} + "
                f"{UNITS_PER_SKEWNESS} x skewness^2 = {needed:.0f}"
            )
            defined = (
                studentized and _share_of_ties(sample, c) <= (1 - options.confidence_level) / 2
            )
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
    """Return a caveat if sign flips cannot reach the level, from the least p-value of each test."""
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


def words_of(
    caveats: Iterable[Caveat], n_intervals: int, options: Options, *, command: str = ""
) -> str:
    """Return the words of the caveats of one call, a line per reason; empty without caveats.

    `command` is the command's option for the kind of interval, named beside the argument.
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
            at = f"the worst for {worst.where}: " if worst.where else ""
        lines.append(_line(reason, who, f"{at}{worst.text}", options, command))
    return "\n".join(lines)


def _line(reason: str, who: str, what: str, options: Options, command: str) -> str:
    def use(kind: str) -> str:
        flag = f", {command} {kind}" if command else ""
        return f'Use the {kind} interval (interval="{kind}"{flag})'

    remedies = {
        "few": f"{use('t')}, or average over units that are this few.",
        "skewed": f"{use('studentized')}, or more units.",
        "skewed only": "More units are the remedy.",
        "tails": f"{use('t')}.",
        "few only": "Average over units that are this few.",
        "tails only": "More units are the remedy.",
    }
    if reason in remedies:
        covers = f"may cover the truth in less than {options.confidence_level:.6g} of studies"
        return f"{who} {covers} ({what}). {remedies[reason]}"
    error = f"{1 - options.confidence_level:.3g}"
    if reason == "no order":
        return (
            f"The p-value of the groups cannot be below {error}, since the least is {what}. Use "
            "more units, or more `n_resamples`."
        )
    which = "No adjusted p-value" if reason == "no p-value" else "Not every p-value"
    return (
        f"{which} of the sign flips can be below {error}, since the least is {what}. Use more "
        "units, fewer comparisons or, if the signs are random, more `n_resamples`."
    )


def warn_of(words: str, *, stacklevel: int) -> None:
    """Give one warning with all the words, if there are any."""
    if words:
        warn(words, IntervalWarning, stacklevel=stacklevel + 1)


def _units(n: int, names: Sequence[str], axis: int) -> str:
    return f"{n} units" + (f" ({names[axis]})" if names else "")


def _share_of_ties(sample: Sample, column: int) -> float:
    """Return the probability that a resample of one kind of units holds tied scores only."""
    scores = sample.means[:, 0, 0, column]
    if sample.sizes is not None:
        scores = scores / sample.sizes[:, 0, 0, column]
    counts = np.unique(scores, return_counts=True)[1]
    return float(((counts / scores.size) ** scores.size).sum())


def _influences(sample: Sample, axis: int) -> Float64Array:
    """Return each unit's contribution to the mean of each column, (K, C), up to a factor."""
    others = tuple(other for other in range(3) if other != axis)
    sums = sample.means.sum(axis=others)
    if sample.sizes is None:
        return np.asarray(sums)
    return np.asarray(sums - bootstrap.estimates(sample) * sample.sizes.sum(axis=others))


def _shape(values: Float64Array) -> tuple[float, float]:
    """Return skewness and excess kurtosis of values; zero if all are equal."""
    if all_equal(values):
        return 0.0, 0.0
    centered = values - values.mean()
    scaled = centered / np.abs(centered).max()  # powers of tiny values vanish
    variance = float((scaled**2).mean())
    skewness = float((scaled**3).mean()) / variance**1.5
    return skewness, float((scaled**4).mean()) / variance**2 - 3
