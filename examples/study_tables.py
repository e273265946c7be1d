"""Compute the tables of Bigolin Lanfredi et al. (2021), and clustered and paired statistics.

The argument is the CSV file of their released scores. Without it the scores are simulated.
"""

import sys

import numpy as np
import pandas as pd

from gazesal import reporting, stats

METRICS = {"ncc": "ncc", "auc": "auc_borji", "sncc": "sncc", "sauc": "sauc"}
WAYS = ["thresholded", "weighted", "uniform"]  # a row is a column of the file with one of these
ROWS = {"interobserver": ("interobserver", WAYS[0]), "segmentation": ("convex", WAYS[0])}
ROWS |= {f"woAG {way}": ("sono", way) for way in WAYS} | {f"wAG {way}": ("ag", way) for way in WAYS}
ROWS |= {"AM1": ("am1", WAYS[0]), "AM2": ("am2", WAYS[0])}
ORDER = [*ROWS, *METRICS.values()]
THESE = stats.Design("image", averaged=["reader", "model"])
LIKE_THESE = stats.Design(["image", "model"], averaged="reader")


def simulate():
    """Simulate scores in the form of the released file, with a row for each reader of a case."""
    names = ["method", "metric", "trial", "model", "reader"]
    cases = pd.MultiIndex.from_product([WAYS, METRICS, range(12), range(5), range(5)], names=names)
    draw = np.random.default_rng(0).normal
    drawn = {f"score_{column}": draw(0.1, 0.1, len(cases)) for column, _ in ROWS.values()}
    return cases.to_frame(index=False).assign(phase=1, **drawn)


wide = pd.read_csv(sys.argv[1]) if len(sys.argv) > 1 else simulate()
wide["image"] = wide["phase"].astype(str) + "/" + wide["trial"].astype(str)
wide["reader"] = wide.groupby(["method", "metric", "model", "image"]).cumcount()
rows = [
    wide[wide["method"] == way].assign(method=name, score=wide[f"score_{column}"])
    for name, (column, way) in ROWS.items()
]
scores = pd.concat(rows).replace({"metric": METRICS})
for title, design, method in [
    ("Tables 1 and 2 as printed: 1.96 pooled deviations over sqrt(images)", THESE, "study"),
    ("Images as the unit, these models (BCa)", THESE, "bca"),
    ("Images and models as units (variance components, t)", LIKE_THESE, "t"),
]:
    table = stats.interval_table(scores, design, by=["method", "metric"], interval=method, rng=0)
    table = table.sort_values(["method", "metric"], key=lambda names: names.map(ORDER.index))
    print(f"{title}\n\n{reporting.summary_text(table)}")

scores = scores[scores["metric"].isin(["sncc", "sauc"])]
few = scores[scores["method"].isin(["wAG uniform", "interobserver", "woAG uniform"])]
options = {"by": "metric", "margin": {"sncc": 0.02, "sauc": 0.01}, "rng": 0}
for title, design in [("These models", THESE), ("Models like these", LIKE_THESE)]:
    # the trainings of two networks are not paired
    found = stats.compare(few, design, reference="wAG uniform", independent="model", **options)
    print(f"{title}, {found}\n")
maps = scores[~scores["method"].isin(["interobserver", "segmentation"])]
pairs = stats.compare(maps, THESE, by="metric", rng=0).to_frame().groupby("metric")
for metric, p_values in pairs["p_adjusted"]:
    print(f"{metric}: {sum(p_values < 0.05)} of {len(p_values)} pairs of maps differ")
