"""Compare the scores of Bigolin Lanfredi et al. (2021) with what a perfect map could reach.

The argument is the CSV file of their released scores. Without it the scores are simulated.
"""

import sys

import numpy as np
import pandas as pd

from gazesal import stats

READERS = 5
ROWS = {"interobserver": "interobserver", "segmentation": "convex"}  # columns of the file
ROWS |= {"woAG uniform": "sono", "wAG uniform": "ag", "AM1": "am1", "AM2": "am2"}


def simulate():
    """Simulate scores in the form of the released file, with a row for each reader of a case."""
    names = ["method", "metric", "trial", "model"]
    levels = [["uniform"], ["ncc", "sncc"], range(60), range(5)]
    cases = pd.MultiIndex.from_product(levels, names=names).to_frame(index=False).assign(phase=1)
    rng = np.random.default_rng(0)
    return cases.assign(**{f"score_{name}": rng.normal(0.5, 0.1, 600) for name in ROWS.values()})


def by_image(wide):
    """Return the mean score of each image, as a table of metric and image by row."""
    wide = wide[wide["method"] == "uniform"]
    found = wide.groupby(["metric", "phase", "trial"])[[f"score_{each}" for each in ROWS.values()]]
    return found.mean().set_axis(list(ROWS), axis=1)


def shares_of_attainable(means):
    """Return the mean attainable NCC, and the share of it that each row reaches."""
    agreement = means.loc["ncc", "interobserver"].clip(lower=0.0)
    ceilings = [stats.implied_ceiling(r, READERS).best_attainable for r in agreement]
    found = {name: stats.ratio_interval(means.loc["ncc", name], ceilings) for name in ROWS}
    return float(np.mean(ceilings)), found


def residual_numerators(means, spread):
    """Return what the residual NCC is proportional to, for a spread of the center bias.

    It is a standard deviation, divided by the gaze map's. NCC - sNCC is the NCC with the bias.
    """
    ncc, sncc = means.loc["ncc"].mean(), means.loc["sncc"].mean()
    return ncc - spread * (ncc - sncc)


if __name__ == "__main__":
    means = by_image(pd.read_csv(sys.argv[1]) if len(sys.argv) > 1 else simulate())
    ceiling, shares = shares_of_attainable(means)
    print(f"Attainable NCC with the mean of {READERS - 1} readers: {ceiling:.3f}")
    for name, share in shares.items():
        print(f"{name:<14}{means.loc['ncc', name].mean():6.3f}, of attainable: {share}")
    spreads = {spread: residual_numerators(means, spread) for spread in (0.5, 0.6, 0.7, 0.8, 0.9)}
    print("Proportional to the residual NCC, by the spread of the center bias:")
    print(pd.DataFrame(spreads).round(3).to_string())
