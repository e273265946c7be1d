"""Crossed designs, tests and bounds, written out with plain loops."""

import itertools
import math
import statistics
from statistics import NormalDist

import numpy as np


def mean_of(cells) -> float:
    """Mean of a dictionary of cells."""
    return math.fsum(cells.values()) / len(cells)


def levels(cells, axis) -> list:
    """Labels of one axis, in order."""
    return sorted({key[axis] for key in cells})


def effect(cells, key, axes) -> float:
    """Joint effect of `axes` at `key`: means over the others, with inclusion and exclusion."""
    total = 0.0
    for n in range(len(axes) + 1):
        for held in itertools.combinations(axes, n):
            same = [v for k, v in cells.items() if all(k[a] == key[a] for a in held)]
            total += (-1) ** (len(axes) - n) * math.fsum(same) / len(same)
    return total


def mean_squares(cells) -> dict:
    """Mean square and degrees of freedom of every set of axes."""
    n_axes = len(next(iter(cells)))
    found = {}
    for n in range(1, n_axes + 1):
        for axes in itertools.combinations(range(n_axes), n):
            squares = math.fsum(effect(cells, key, axes) ** 2 for key in cells)
            freedom = math.prod(len(levels(cells, axis)) - 1 for axis in axes)
            found[axes] = (squares / freedom, freedom)
    return found


def error_of_mean(cells) -> tuple[float, float]:
    """Variance of the mean of two crossed axes, both random, and Satterthwaite's degrees."""
    table = mean_squares(cells)
    (rows, df_rows), (columns, df_columns), (rest, df_rest) = table[0,], table[1,], table[0, 1]
    n = len(cells)
    terms = [(rest, df_rest)]
    if rows > rest:
        terms += [(rows, df_rows), (-rest, df_rest)]
    if columns > rest:
        terms += [(columns, df_columns), (-rest, df_rest)]
    variance = math.fsum(value for value, _ in terms) / n
    by_freedom: dict = {}
    for value, freedom in terms:
        by_freedom.setdefault(freedom, []).append(value / n)
    below = math.fsum(math.fsum(values) ** 2 / freedom for freedom, values in by_freedom.items())
    return variance, variance**2 / below


def error_of_mean_of_any(cells) -> tuple[float, float]:
    """Variance of the mean and Satterthwaite's degrees for any number of crossed axes.

    Variance components are alternating sums of the mean squares of the effects that contain them;
    those below zero are left out.
    """
    table = mean_squares(cells)
    n = len(cells)
    variance, weights = 0.0, dict.fromkeys(table, 0.0)
    for axes in table:
        own = math.prod(len(levels(cells, axis)) for axis in axes)
        around = [other for other in table if set(axes) <= set(other)]
        signs = {other: (-1) ** (len(other) - len(axes)) for other in around}
        component = math.fsum(signs[o] * table[o][0] for o in around) / (n / own)
        if component > 0:
            variance += component / own
            for other in around:
                weights[other] += signs[other] / n
    below = math.fsum((weights[s] * ms) ** 2 / freedom for s, (ms, freedom) in table.items())
    return variance, variance**2 / below


def clustered_error_of_mean(rows) -> tuple[float, float, float]:
    """Weighted mean of (row, column, score, weight), its variance and its degrees of freedom.

    Sums over rows, plus sums over columns, less cells about the additive fit by least squares.
    """
    total = math.fsum(w for *_, w in rows)
    mean = math.fsum(w * y for *_, y, w in rows) / total
    sides = [sorted({row[axis] for row in rows}) for axis in (0, 1)]
    squares = []
    for axis, names in enumerate(sides):
        sums = [math.fsum(r[3] * (r[2] - mean) for r in rows if r[axis] == name) for name in names]
        squares.append(math.fsum(each**2 for each in sums) * len(names) / (len(names) - 1))
    design = [[float(r[axis] == name) for axis in (0, 1) for name in sides[axis]] for r in rows]
    roots = np.sqrt([r[3] for r in rows])
    scores = np.array([r[2] for r in rows])
    fitted, *_ = np.linalg.lstsq(np.array(design) * roots[:, None], scores * roots)
    rest = roots**2 * (scores - np.array(design) @ fitted)
    spare = len(rows) - len(sides[0]) - len(sides[1]) + 1
    joint = math.fsum(rest**2) * len(rows) / spare
    freedoms = [len(sides[0]) - 1, len(sides[1]) - 1, spare]
    kept = [each > joint for each in squares]
    terms = [each * keep for each, keep in zip(squares, kept, strict=True)]
    terms.append(joint * (1 - sum(kept)))
    variance = math.fsum(terms)
    below = math.fsum(term**2 / freedom for term, freedom in zip(terms, freedoms, strict=True))
    return mean, variance / total**2, variance**2 / below


def crossed_resamples(cells) -> list[float]:
    """Means of all equally likely resamples of two crossed axes."""
    rows, columns = levels(cells, 0), levels(cells, 1)
    return [
        math.fsum(cells[i, j] for i in drawn for j in chosen) / (len(rows) * len(columns))
        for drawn in itertools.product(rows, repeat=len(rows))
        for chosen in itertools.product(columns, repeat=len(columns))
    ]


def nested_resamples(groups) -> list[tuple[float, float]]:
    """Means of all two-stage resamples of a list of lists, with their probabilities."""
    k = len(groups)
    stage = []
    for group in groups:
        n = len(group)
        draws = itertools.product(group, repeat=n)
        stage.append([(math.fsum(draw) / n, 1 / n**n) for draw in draws])
    found = []
    for drawn in itertools.product(range(k), repeat=k):
        for parts in itertools.product(*(stage[i] for i in drawn)):
            chance = math.prod(p for _, p in parts) / k**k
            found.append((math.fsum(mean for mean, _ in parts) / k, chance))
    return found


def quantile(values, probability) -> float:
    """Linear interpolation between the order statistics."""
    ordered = sorted(values)
    place = probability * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def bca(values, resampled, confidence_level) -> tuple[float, float]:
    """BCa bounds of the mean of independent values, from given resampled means."""
    left_out = [(math.fsum(values) - value) / (len(values) - 1) for value in values]
    return bca_of(statistics.fmean(values), resampled, [left_out], confidence_level)


def bca_of(center, resampled, left_out, confidence_level) -> tuple[float, float]:
    """BCa bounds of an estimate, whose kinds of units were left out one by one."""
    normal = NormalDist()
    below = sum(value < center - 1e-13 for value in resampled)
    tied = sum(abs(value - center) <= 1e-13 for value in resampled)
    bias = normal.inv_cdf((below + tied / 2) / len(resampled))
    gaps = [
        (len(values) - 1) / len(values) * (statistics.fmean(values) - value)
        for values in left_out
        for value in values
    ]
    skew = math.fsum(gap**3 for gap in gaps) / (6 * math.fsum(gap**2 for gap in gaps) ** 1.5)
    bounds = []
    for tail in ((1 - confidence_level) / 2, (1 + confidence_level) / 2):
        z = bias + normal.inv_cdf(tail)
        bounds.append(quantile(resampled, normal.cdf(bias + z / (1 - skew * z))))
    return bounds[0], bounds[1]


def standard_error_of_resample(values) -> float:
    """Standard error of the mean of one resample."""
    return statistics.stdev(values) / math.sqrt(len(values))


def sign_flip_p(values) -> float:
    """Share of all sign patterns whose sum is at least as far from zero."""
    reach = abs(math.fsum(values)) * (1 - 1e-12)
    patterns = list(itertools.product((1, -1), repeat=len(values)))
    far = sum(
        abs(math.fsum(s * v for s, v in zip(signs, values, strict=True))) >= reach
        for signs in patterns
    )
    return far / len(patterns)


def welch_statistic(groups) -> float:
    """Weighted squares of the groups' means about their weighted mean."""
    weights = [len(g) / statistics.variance(g) for g in groups]
    means = [statistics.fmean(g) for g in groups]
    middle = math.fsum(w * m for w, m in zip(weights, means, strict=True)) / math.fsum(weights)
    return math.fsum(w * (m - middle) ** 2 for w, m in zip(weights, means, strict=True))
