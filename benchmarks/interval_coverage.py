"""How often intervals cover the truth in the study's design, and tests raise false alarms.

Run with ``make coverage``. Simulates studies of 91 images, 5 readers and 5 models whose variance
parts are those of the released scores, makes every kind of interval of each, and writes the shares
that hold the truth into ``docs/concepts/intervals.md``. ``--scores FILE`` prints the parts again
from the released scores.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # one core, before numpy starts its threads

import argparse
import itertools
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

import gazesal
from gazesal import Design

UNITS = ("image", "reader", "model")
SIZES = {"image": 91, "reader": 5, "model": 5}
AT_ONCE = 40  # studies in one table
PAGE = Path(__file__).resolve().parents[1] / "docs" / "concepts" / "intervals.md"
BEGIN, END = "<!-- coverage: made by `make coverage` -->", "<!-- end of coverage -->"

# variance parts (negative ones as zero) and skewness of the image means, from the released scores
SCENARIOS = {
    "Grad-CAM (wAG, uniform), sNCC": {
        "mean": 0.029,
        "skewness": 0.6,
        "image": 0.0122,
        "reader": 3.5e-5,
        "model": 9.96e-5,
        "image:reader": 7.82e-4,
        "image:model": 3.08e-3,
        "reader:model": 1.18e-5,
        "image:reader:model": 3.5e-4,
    },
    "Grad-CAM (wAG, uniform), sNCC, but more skewed": {
        "mean": 0.029,
        "skewness": 1.0,
        "image": 0.0122,
        "reader": 3.5e-5,
        "model": 9.96e-5,
        "image:reader": 7.82e-4,
        "image:model": 3.08e-3,
        "reader:model": 1.18e-5,
        "image:reader:model": 3.5e-4,
    },
    "attention map AM1, NCC, whose models differ": {
        "mean": 0.254,
        "skewness": 0.1,
        "image": 0.00428,
        "reader": 0.0,
        "model": 0.00438,
        "image:reader": 0.000175,
        "image:model": 0.0113,
        "reader:model": 4.08e-05,
        "image:reader:model": 0.000788,
    },
}
# of the differences Grad-CAM (wAG, uniform) less interobserver, sNCC
DIFFERENCE = {
    "mean": 0.0,
    "skewness": -0.8,
    "image": 0.0121,
    "reader": 2.01e-5,
    "model": 9.96e-5,
    "image:reader": 0.0103,
    "image:model": 3.08e-3,
    "reader:model": 1.18e-5,
    "image:reader:model": 3.5e-4,
}
ONE_WAY = ("study", "normal", "t", "bootstrap", "basic", "bca", "studentised")
FEW, FEW_METHODS = (5, 10, 20, 50), ("t", "bootstrap", "bca", "studentised")
CROSSED = ("normal", "t", "bootstrap", "basic", "bca")
LABELS = {
    "study": "pooled, as the study's",
    "normal": "normal",
    "t": "t",
    "bootstrap": "percentile bootstrap",
    "basic": "basic bootstrap",
    "bca": "BCa bootstrap",
    "studentised": "studentised bootstrap",
    "images only": "t over images only",
}


def effects(parts, rng, n):
    """Scores (n, image, reader, model) and the effects that they are the sum of."""
    found = {}
    for count in range(1, 4):
        for names in itertools.combinations(UNITS, count):
            shape = [n, *(SIZES[name] if name in names else 1 for name in UNITS)]
            if names == ("image",):  # a gamma distribution, moved and scaled
                k = 4 / parts["skewness"] ** 2
                draws = np.sign(parts["skewness"]) * (rng.gamma(k, size=shape) - k) / np.sqrt(k)
            else:
                draws = rng.normal(size=shape)
            found[names] = np.sqrt(parts[":".join(names)]) * draws
    return parts["mean"] + sum(found.values()), found


def table_of(scores, names):
    """One row a score: the study and the units `names`, all in order."""
    index = np.indices(scores.shape).reshape(scores.ndim, -1)
    columns = dict(zip(("study", *names), index, strict=True))
    return pd.DataFrame(columns | {"score": scores.ravel()})


def covered(table, design, method, truth, seed, n_resamples):
    """Share of studies whose interval holds the truth, below it and above it, and its width."""
    rows = gazesal.interval_table(
        table, design, by="study", method=method, rng=seed, n_resamples=n_resamples
    )
    low, high = rows["low"].to_numpy(), rows["high"].to_numpy()
    return np.array([truth < low, (low <= truth) & (truth <= high), truth > high, high - low])


def simulate(parts, n_studies, n_resamples, seed):
    """Rows of coverage: claim, interval, shares below, within and above, mean width."""
    rng = np.random.default_rng(seed)
    found = {}
    for start in range(0, n_studies, AT_ONCE):
        scores, parts_of = effects(parts, rng, min(AT_ONCE, n_studies - start))
        draw = int(rng.integers(2**63))
        fixed = parts["mean"] + sum(
            value.mean(axis=(1, 2, 3)) for names, value in parts_of.items() if "image" not in names
        )
        by_model = parts["mean"] + parts_of["reader",].mean(axis=(1, 2, 3))
        everything = np.full(scores.shape[0], parts["mean"])
        every = table_of(scores, UNITS)
        images = table_of(scores.mean(axis=(2, 3)), ("image",))
        models = table_of(scores.mean(axis=2), ("image", "model"))
        jobs = [("images", m, images, Design("image"), fixed) for m in ONE_WAY if m != "study"]
        jobs += [
            ("images x models", m, models, Design(["image", "model"]), by_model) for m in CROSSED
        ]
        jobs += [
            ("images x readers x models", m, every, Design(list(UNITS)), everything)
            for m in ("t", "bca")
        ]
        pooled = Design("image", averaged=["reader", "model"])
        jobs += [
            ("images", "study", every, pooled, fixed),
            ("images x models", "study", every, pooled, by_model),
            ("images x readers x models", "study", every, pooled, everything),
        ]
        for claim, method, table, design, truth in jobs:
            got = covered(table, design, method, truth, draw, n_resamples)
            found.setdefault((claim, method), []).append(got)
        only = covered(images, Design("image"), "t", by_model, draw, n_resamples)
        found.setdefault(("images x models", "images only"), []).append(only)
    order = ("study", "images only", *ONE_WAY[1:])
    keys = sorted(found, key=lambda key: (key[0].count("x"), order.index(key[1])))
    return [(*key, *np.concatenate(found[key], axis=1).mean(axis=1)) for key in keys]


def few_units(n_studies, n_resamples, seed):
    """Coverage with few images, one skewed score each: number of images and shares by method."""
    rng = np.random.default_rng(seed)
    rows = []
    for size in FEW:
        found = {method: [] for method in FEW_METHODS}
        for start in range(0, n_studies, AT_ONCE):
            scores = rng.gamma(4.0, size=(min(AT_ONCE, n_studies - start), size))  # skewness 1
            table, truth = table_of(scores, ("image",)), np.full(scores.shape[0], 4.0)
            draw = int(rng.integers(2**63))
            for method, shares in found.items():
                got = covered(table, Design("image"), method, truth, draw, n_resamples)
                shares.append(got[1])
        rows.append((size, *(float(np.concatenate(found[m]).mean()) for m in FEW_METHODS)))
    return rows


def false_alarms(parts, n_studies, n_resamples, seed):
    """Share of studies without a difference whose test is below 5%, by design."""
    rng = np.random.default_rng(seed)
    alarms = {"sign flips of images": [], "t over images x models": []}
    for start in range(0, n_studies, AT_ONCE):
        scores, parts_of = effects(parts, rng, min(AT_ONCE, n_studies - start))
        fixed = sum(
            value.mean(axis=(1, 2, 3)) for names, value in parts_of.items() if "image" not in names
        )
        images = scores.mean(axis=(2, 3)) - fixed[:, None]
        readers = parts_of["reader",].mean(axis=(1, 2, 3))
        models = scores.mean(axis=2) - readers[:, None, None]
        for name, values, units in (
            ("sign flips of images", images, ("image",)),
            ("t over images x models", models, ("image", "model")),
        ):
            one = table_of(values, units)
            both = pd.concat([one.assign(method="b"), one.assign(method="a", score=0.0)])
            tests = gazesal.compare(
                both,
                Design(units),
                by="study",
                rng=int(rng.integers(2**63)),
                adjust="none",
                n_resamples=n_resamples,
            )
            alarms[name] += [test.p_value < 0.05 for test in tests]
    return {name: float(np.mean(values)) for name, values in alarms.items()}


def page(n_studies, n_resamples, seed):
    """The results in Markdown."""
    error = 1.96 * np.sqrt(0.95 * 0.05 / n_studies)
    lines = [
        f"{n_studies} simulated studies of 91 images, 5 readers and 5 models; {n_resamples} "
        f"resamples; seed {seed}. Shares of nominal 95% intervals are known to "
        f"{100 * error:.1f} points.",
        "",
    ]
    for number, (name, parts) in enumerate(SCENARIOS.items()):
        lines += [
            f"Scores like those of {name} (skewness of the images {parts['skewness']:g}):",
            "",
            "| Claim about | Interval | covers | truth below | truth above | mean width |",
            "| --- | --- | ---: | ---: | ---: | ---: |",
        ]
        for claim, method, below, within, above, width in simulate(
            parts, n_studies, n_resamples, seed + number
        ):
            lines.append(
                f"| {claim} | {LABELS[method]} | {100 * within:.1f}% | {100 * below:.1f}% | "
                f"{100 * above:.1f}% | {width:.4f} |"
            )
        lines.append("")
    head = " | ".join(LABELS[method] for method in FEW_METHODS)
    lines += [
        "Few images, one score of skewness 1 each:",
        "",
        f"| Images | {head} |",
        "| ---: |" + " ---: |" * len(FEW_METHODS),
    ]
    for size, *shares in few_units(n_studies, n_resamples, seed + 50):
        lines.append(f"| {size} | " + " | ".join(f"{100 * share:.1f}%" for share in shares) + " |")
    lines += [
        "",
        "Tests of no difference at 5%, on differences like those of Grad-CAM (wAG, uniform) and "
        f"interobserver, sNCC (skewness of the images {DIFFERENCE['skewness']:g}):",
        "",
        "| Test | false alarms |",
        "| --- | ---: |",
    ]
    for name, share in false_alarms(DIFFERENCE, n_studies, n_resamples, seed + 99).items():
        lines.append(f"| {name} | {100 * share:.1f}% |")
    return "\n".join(lines) + "\n"


def print_parts(path):
    """Variance parts of the released scores, as the scenarios hold them."""
    scores = pd.read_csv(path)
    scores["image"] = scores["phase"].astype(str) + "/" + scores["trial"].astype(str)
    keys = ["method", "metric", "model", "image"]
    scores["reader"] = scores.groupby(keys).cumcount()
    chosen = [("uniform", "sncc", "score_ag"), ("thresholded", "ncc", "score_am1")]
    for method, metric, column in chosen:
        rows = scores[(scores["method"] == method) & (scores["metric"] == metric)]
        parts = gazesal.variance_components(rows, Design(list(UNITS), score=column))
        skewness = stats.skew(rows.groupby("image")[column].mean())
        print(f"{column}, {metric} (skewness {skewness:.2f})\n{parts}\n")


def main():
    """Simulate, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=6000)
    parser.add_argument("--resamples", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scores", help="released scores, to print their variance parts")
    parser.add_argument("--dry-run", action="store_true", help="print, and leave the page alone")
    options = parser.parse_args()
    if options.scores:
        print_parts(options.scores)
        return
    start = time.perf_counter()
    text = page(options.studies, options.resamples, options.seed)
    print(text)
    print(f"{time.perf_counter() - start:.0f} s")
    if not options.dry_run:
        whole = PAGE.read_text("utf-8")
        before, rest = whole.split(BEGIN)
        _, after = rest.split(END)
        PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
