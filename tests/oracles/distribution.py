"""SIM, KL and EMD from their definitions, with the transport as a linear program."""

import math
from fractions import Fraction

import numpy as np
from scipy.optimize import linprog


def _shares(array) -> list[Fraction]:
    exact = [Fraction(pixel) for row in np.asarray(array).tolist() for pixel in row]
    return [pixel / sum(exact) for pixel in exact]


def sim(saliency, gaze) -> float:
    """Sum of the smaller share in each pixel."""
    return float(sum(map(min, _shares(saliency), _shares(gaze))))


def kl_divergence(saliency, gaze, eps=2.0**-52) -> float:
    """Sum of q ln(eps + q / (p + eps))."""
    terms = []
    for p, q in zip(_shares(saliency), _shares(gaze), strict=True):
        if q > 0:
            ratio = q / (p + Fraction(eps))
            # the logarithm of a rational near 1 keeps its digits through log1p
            terms.append(float(q) * math.log1p(float(ratio + Fraction(eps) - 1)))
    return math.fsum(terms)


def emd(saliency, gaze, shrink=1) -> float:
    """Cheapest transport between cells of `shrink` x `shrink` pixels, as a linear program."""
    height, width = np.asarray(saliency).shape
    p, q = _shares(saliency), _shares(gaze)
    cells: dict[tuple[int, int], list] = {}
    for row in range(height):
        for column in range(width):
            cell = cells.setdefault((row // shrink, column // shrink), [0, 0, []])
            cell[0] += p[row * width + column]
            cell[1] += q[row * width + column]
            cell[2].append((row, column))
    supply = np.array([float(cell[0]) for cell in cells.values()])
    demand = np.array([float(cell[1]) for cell in cells.values()])
    centers = np.array([np.mean(cell[2], axis=0) for cell in cells.values()])
    n = len(cells)
    cost = [math.dist(a, b) for a in centers for b in centers]
    leaves = np.kron(np.eye(n), np.ones(n))
    arrives = np.kron(np.ones(n), np.eye(n))
    demand *= supply.sum() / demand.sum()
    # one equation follows from the others
    answer = linprog(
        cost,
        A_eq=np.vstack([leaves, arrives])[:-1],
        b_eq=np.concatenate([supply, demand])[:-1],
        method="highs-ds",
    )
    assert answer.status == 0, answer.message
    return float(answer.fun)


METRICS = {
    "sim": sim,
    "kl_divergence": kl_divergence,
    "emd": emd,
}
MAP = np.array([[0.0, 0.0, 1.0, 3.0]])
LEFT, RIGHT = np.array([[1.0, 1.0, 0.0, 0.0]]), np.array([[0.0, 0.0, 1.0, 1.0]])
# arguments whose scores are the ends of the range, unless an end is infinite
LOWEST = {
    "sim": (LEFT, RIGHT),
    "kl_divergence": (MAP, MAP),
    "emd": (MAP, MAP),
}
HIGHEST = {"sim": (MAP, MAP)}
