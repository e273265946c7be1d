"""Tables of simulated scores for the tests of intervals and comparisons."""

import itertools

import numpy as np
import pandas as pd


def crossed_table(*sizes, names=("image", "model", "reader"), seed=0, spreads=(0.1, 0.05, 0.03)):
    """Return one score per combination, with effects of each kind of unit and noise, shuffled."""
    rng = np.random.default_rng(seed)
    score = 0.5 + rng.normal(0, 0.04, sizes)
    for axis, size in enumerate(sizes):
        shape = [1] * len(sizes)
        shape[axis] = size
        score = score + rng.gamma(2.0, spreads[axis], size).reshape(shape)
    keys = list(itertools.product(*(range(size) for size in sizes)))
    table = pd.DataFrame(keys, columns=list(names[: len(sizes)]))
    table["score"] = score.ravel()
    return table.sample(frac=1.0, random_state=seed).reset_index(drop=True)


def cells_of(table, *columns):
    """Return the scores as a dictionary by their keys."""
    return {tuple(row[:-1]): row[-1] for row in table[[*columns, "score"]].itertuples(index=False)}


def two_methods(n_images, *, shift=0.03, seed=0, **sizes):
    """Return scores of the same units with two methods."""
    rng = np.random.default_rng(seed)
    names = ("image", *sizes)
    first = crossed_table(n_images, *sizes.values(), names=names, seed=seed)
    second = first.copy()
    second["score"] += shift + rng.normal(0, 0.05, len(first))
    frames = [first.assign(method="a"), second.assign(method="b")]
    return pd.concat(frames, ignore_index=True).sample(frac=1.0, random_state=seed)
