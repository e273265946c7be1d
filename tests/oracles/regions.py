"""Metrics of a saliency map and a region, pixel by pixel, with every way to break ties."""

import itertools
from fractions import Fraction
from statistics import mean


def flat(array) -> list:
    """Values of a map as a list of rows, in the order of rows."""
    return [value for row in array for value in row]


def pointing_game(saliency, region, tolerance=0, ties="mean"):
    values = [(value, x, y) for y, row in enumerate(saliency) for x, value in enumerate(row)]
    best = max(value for value, _, _ in values)
    inside = [(x, y) for y, row in enumerate(region) for x, value in enumerate(row) if value]
    hits = []
    for value, x, y in values:
        if value == best:
            squares = [(x - u) ** 2 + (y - v) ** 2 for u, v in inside]
            hits.append(int(0 in squares or any(each < tolerance**2 for each in squares)))
    return {"mean": Fraction(sum(hits), len(hits)), "any": max(hits), "first": hits[0]}[ties]


def relevance_mass(saliency, region):
    inside = [value for value, r in zip(flat(saliency), flat(region), strict=True) if r]
    return sum(map(Fraction, inside)) / sum(map(Fraction, flat(saliency)))


def top_k_intersection(saliency, region, k):
    """Mean over all selections of k pixels of which none outside is higher than one inside."""
    values, inside = flat(saliency), flat(region)
    shares = []
    for chosen in itertools.combinations(range(len(values)), k):
        rest = set(range(len(values))) - set(chosen)
        if not rest or min(values[i] for i in chosen) >= max(values[i] for i in rest):
            shares.append(Fraction(sum(int(inside[i]) for i in chosen), k))
    return mean(shares)


def relevance_rank(saliency, region):
    return top_k_intersection(saliency, region, sum(map(int, flat(region))))


def localization_auc(saliency, region):
    pairs = list(zip(flat(saliency), flat(region), strict=True))
    wins = [
        Fraction(int(a > b) * 2 + int(a == b), 2)
        for a, in_a in pairs
        if in_a
        for b, in_b in pairs
        if not in_b
    ]
    return mean(wins)


def average_precision(saliency, region):
    """Sum of precision times the step of recall, one threshold at a time."""
    values, inside = flat(saliency), flat(region)
    total, area, recall = sum(map(int, inside)), Fraction(0), Fraction(0)
    for threshold in sorted(set(values), reverse=True):
        chosen = [int(r) for value, r in zip(values, inside, strict=True) if value >= threshold]
        now = Fraction(sum(chosen), total)
        area += (now - recall) * Fraction(sum(chosen), len(chosen))
        recall = now
    return area


def selection(saliency, threshold=None, k=None):
    """Fraction by which each pixel is selected, above a threshold or among the k highest."""
    values = flat(saliency)
    if threshold is not None:
        return [Fraction(int(value >= threshold)) for value in values]
    fractions = []
    for value in values:
        above = sum(other > value for other in values)
        tied = sum(other == value for other in values)
        fractions.append(min(Fraction(1), max(Fraction(0), Fraction(k - above, tied))))
    return fractions


def iou(saliency, region, threshold=None, k=None):
    """Sum of the smaller of selection and region over the sum of the larger."""
    pairs = list(zip(selection(saliency, threshold, k), map(int, flat(region)), strict=True))
    return sum(min(pair) for pair in pairs) / Fraction(sum(max(pair) for pair in pairs))


def dice(saliency, region, threshold=None, k=None):
    chosen, inside = selection(saliency, threshold, k), [int(r) for r in flat(region)]
    both = sum(a * b for a, b in zip(chosen, inside, strict=True))
    return 2 * both / Fraction(sum(chosen) + sum(inside))
