"""Simulate how often intervals cover the truth and how often tests give false alarms.

Run with ``make coverage``. It has three parts:

- studies of 91 images, 5 readers and 5 models with the variance components of the released scores
- few images of several distributions
- ratios, tests and plans

The shares are written into ``docs/concepts/intervals.md``. ``--scores FILE``, also
``make coverage SCORES=FILE``, reads the scores released by Bigolin Lanfredi et al. (2021). It then
prints their variance components and simulates studies whose images are sampled from theirs.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # one core, before numpy starts its threads

import argparse
import itertools
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

import gazesal
from gazesal import IntervalWarning, UndefinedMetricWarning
from gazesal.stats import Design

for category in (IntervalWarning, UndefinedMetricWarning):  # the study measures what they warn of
    warnings.simplefilter("ignore", category)

UNITS = ("image", "reader", "model")
SIZES = {"image": 91, "reader": 5, "model": 5}
AT_ONCE = 40  # studies in one table
PAGE = Path(__file__).resolve().parents[1] / "docs" / "concepts" / "intervals.md"
BEGIN, END = "<!-- coverage: made by `make coverage` -->", "<!-- end of coverage -->"
BEGIN_REAL = "<!-- coverage of released scores: made by `make coverage SCORES=FILE` -->"
END_REAL = "<!-- end of coverage of released scores -->"

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
# components of the differences Grad-CAM (wAG, uniform) minus interobserver, sNCC
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
ONE_WAY = ("study", "normal", "t", "bootstrap", "basic", "bca", "studentized")
FEW_METHODS = ("t", "bootstrap", "bca", "studentized")
MOST_CALLS = 2000  # simulated studies that need a call each, or crossed resamples

FEW_SIZES = (8, 15, 30, 91)  # images; the study has 91
# distribution of one score per image, its mean, and the numbers of images
DISTRIBUTIONS = {
    "normal": (lambda rng, shape: rng.normal(size=shape), 0.0, FEW_SIZES),
    "gamma, skewness 1": (lambda rng, shape: rng.gamma(4.0, size=shape), 4.0, FEW_SIZES),
    "gamma, skewness 2": (lambda rng, shape: rng.gamma(1.0, size=shape), 1.0, FEW_SIZES),
    "Beta(9.5, 0.5)": (lambda rng, shape: rng.beta(9.5, 0.5, shape), 0.95, FEW_SIZES),
    "t with 3 degrees of freedom": (lambda rng, shape: rng.standard_t(3, shape), 0.0, (15, 91)),
    "normal, 10% of the scores 7 times as wide": (
        lambda rng, shape: rng.normal(size=shape) * np.where(rng.random(shape) < 0.1, 7.0, 1.0),
        0.0,
        (91,),
    ),
}
CROSSED = ("normal", "t", "bootstrap", "basic", "bca")
LABELS = {
    "study": "pooled, as the study's",
    "normal": "normal",
    "t": "t",
    "bootstrap": "percentile bootstrap",
    "basic": "basic bootstrap",
    "bca": "BCa bootstrap",
    "studentized": "studentized bootstrap",
    "images only": "t over images only",
}


def effects(parts, rng, n):
    """Simulate scores (n, image, reader, model), and return them with their effects."""
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
    """Return a table of scores with the columns study and the units `names`, sorted."""
    index = np.indices(scores.shape).reshape(scores.ndim, -1)
    columns = dict(zip(("study", *names), index, strict=True))
    return pd.DataFrame(columns | {"score": scores.ravel()})


def covered(table, design, method, truth, seed, n_resamples):
    """Return if the truth is below, within and above the interval of each study, and its width."""
    rows = gazesal.stats.interval_table(
        table, design, by="study", interval=method, rng=seed, n_resamples=n_resamples
    )
    low, high = rows["low"].to_numpy(), rows["high"].to_numpy()
    return np.array([truth < low, (low <= truth) & (truth <= high), truth > high, high - low])


def simulate(parts, n_studies, n_resamples, seed):
    """Return rows of claim, interval, shares below, within and above it, and mean width."""
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
    """Return coverage by distribution of the scores, number of images and method."""
    rng = np.random.default_rng(seed)
    lines = []
    for name, (draw, mean, sizes) in DISTRIBUTIONS.items():
        for size in sizes:
            found = {method: [] for method in FEW_METHODS}
            for start in range(0, n_studies, AT_ONCE):
                scores = draw(rng, (min(AT_ONCE, n_studies - start), size))
                table, truth = table_of(scores, ("image",)), np.full(scores.shape[0], mean)
                stream = int(rng.integers(2**63))
                for method, shares in found.items():
                    got = covered(table, Design("image"), method, truth, stream, n_resamples)
                    shares.append(got[1])
            shares = [np.concatenate(found[method]).mean() for method in FEW_METHODS]
            lines.append(row_of(name, size, *shares))
    return lines


def of_population(scores, sizes, n_studies, n_resamples, seed):
    """Return coverage flags by number of images and method, of studies drawn from one population.

    `scores` holds one score per image of the population, whose mean is the truth.
    """
    rng = np.random.default_rng(seed)
    found = {}
    for size in sizes:
        drawn = rng.choice(scores, (n_studies, size))
        one, truth = table_of(drawn, ("image",)), np.full(n_studies, scores.mean())
        stream = int(rng.integers(2**63))
        for method in FEW_METHODS:
            got = covered(one, Design("image"), method, truth, stream, n_resamples)
            found[size, method] = got[1]
    return found


def released_scores(path):
    """Return the scores of each image by row of the tables and metric, without repetitions."""
    scores = pd.read_csv(path)
    images = scores.groupby(["method", "metric", "phase", "trial"])
    means = images[[name for name in scores if name.startswith("score_")]].mean().stack()
    populations = {}
    for (method, metric, row), values in means.groupby(level=[0, 1, 4]):
        array = values.to_numpy()
        populations.setdefault((metric, row, array.tobytes()), (method, array))
    return {(method, *key[:2]): array for key, (method, array) in populations.items()}


def real_scores(path, n_studies, n_resamples, seed, n_jobs):
    """Return a table of coverage over populations of released scores."""
    populations = released_scores(path)
    sizes, each = (10, 20, 50, 100), max(2, n_studies // len(populations))
    options = [[value] * len(populations) for value in (sizes, each, n_resamples)]
    seeds = range(seed + 100, seed + 100 + len(populations))
    with ProcessPoolExecutor(n_jobs) as pool:
        parts = list(pool.map(of_population, populations.values(), *options, seeds))
    skewness = stats.skew(np.array(list(populations.values())), axis=1)
    title = (
        f"{each} studies for each of {len(populations)} sets of 91 image means, one per row of the "
        f"tables and metric (skewness {skewness.min():.1f} to {skewness.max():.1f}). Images are "
        f"drawn with replacement, with {n_resamples} resamples and seed {seed}:"
    )
    heads = ["Scores", "Images", *(LABELS[method] for method in FEW_METHODS)]
    lines = []
    for size in sizes:
        flags = [np.concatenate([part[size, method] for part in parts]) for method in FEW_METHODS]
        lines.append(row_of("released", size, *(each.mean() for each in flags)))
    return "\n".join(table(title, heads, lines)).rstrip() + "\n"


def few_models(n_studies, n_resamples, seed):
    """Return coverage with few models, with effects as large as the effects of images and cells."""
    rng = np.random.default_rng(seed)
    lines = []
    for models, missing in itertools.product((3, 5), (0.0, 0.15)):
        found = {"t": [], "bootstrap": []}
        for start in range(0, n_studies, AT_ONCE):
            n = min(AT_ONCE, n_studies - start)
            scores = sum(rng.normal(size=s) for s in ((n, 91, 1), (n, 1, models), (n, 91, models)))
            table = table_of(scores, ("image", "model")).assign(weight=1.0)
            design = Design(["image", "model"])
            if missing:  # one score of each image stays, so that all studies have the same units
                kept = rng.random(scores.shape) >= missing
                kept[..., 0] |= ~kept.any(axis=2)
                table, design = table[kept.ravel()], Design(design.units, weights="weight")
            stream = int(rng.integers(2**63))
            for method, shares in found.items():
                got = covered(table, design, method, np.zeros(n), stream, n_resamples)
                shares.append(got[1])
        shares = [np.concatenate(each).mean() for each in found.values()]
        lines.append(row_of(f"91 images x {models} models", f"{100 * missing:.0f}%", *shares))
    return lines


def normalized(n_studies, seed):
    """Return coverage of normalized scores, and how often they are unbounded."""
    rng = np.random.default_rng(seed)
    lines = []
    for images, distance in ((15, 10), (30, 4), (91, 4)):
        inside, unbounded = [], []
        gap = distance * np.sqrt(2 / images)  # in standard errors of ceiling less floor
        for _ in range(n_studies):
            easy = rng.normal(0, 3, images)
            levels = {"floor": 0.0, "method": 0.6 * gap, "ceiling": gap}
            values = {
                name: easy + level + rng.normal(size=images) for name, level in levels.items()
            }
            if values["ceiling"].mean() <= values["floor"].mean():  # refused
                continue
            table = pd.concat(
                pd.DataFrame({"method": name, "image": np.arange(images), "score": scores})
                for name, scores in values.items()
            )
            got = gazesal.stats.normalized_score(
                table, Design("image"), method="method", floor="floor", ceiling="ceiling"
            )
            unbounded.append(np.isnan(got.low))
            inside.append(unbounded[-1] or got.low <= 0.6 <= got.high)
        lines.append(
            row_of(images, f"{distance} standard errors", np.mean(inside), np.mean(unbounded))
        )
    return lines


def skewed_tests(n_studies, n_resamples, seed):
    """Return how often tests of differences of skewness 2 are wrong, by number of images.

    The true difference is zero for the sign flips and equal to the margin for equivalence.
    """
    rng = np.random.default_rng(seed)
    lines = []
    for images in (8, 15, 30, 91):
        wrong = {"sign flips": [], "t": [], "studentized": []}
        for start in range(0, n_studies, AT_ONCE):
            scores = rng.gamma(1.0, size=(min(AT_ONCE, n_studies - start), images)) - 1
            one = table_of(scores, ("image",))
            stream = int(rng.integers(2**63))
            for kind, shares in wrong.items():
                shift, margin = (0.0, None) if kind == "sign flips" else (10.0, 10.0)
                both = pd.concat(
                    [
                        one.assign(method="b", score=one["score"] + shift),
                        one.assign(method="a", score=0.0),
                    ]
                )
                found = gazesal.stats.compare(
                    both,
                    Design("image"),
                    by="study",
                    margin=margin,
                    interval="t" if kind == "sign flips" else kind,
                    adjust="none",
                    n_resamples=n_resamples,
                    rng=stream,
                )
                shares += [
                    row.p_value < 0.05 if margin is None else row.equivalence.shown for row in found
                ]
        lines.append(row_of(images, *(np.mean(shares) for shares in wrong.values())))
    return lines


def plans(n_studies, seed):
    """Return how many studies exceed the half-width that their plan aimed at."""
    rng = np.random.default_rng(seed)
    parts = gazesal.stats.VarianceComponents(
        units={"image": 30}, components={"image": 1.0}, mean_squares={}, degrees_of_freedom={}
    )
    lines = []
    for wanted in (0.5, 0.3, 0.2):
        cells = []
        for assurance in (None, 0.8):
            (n,) = gazesal.stats.plan_study(parts, wanted, units="image", assurance=assurance)[
                "image"
            ]
            spread = rng.normal(size=(n_studies, int(n))).std(axis=1, ddof=1)
            widths = stats.t.ppf(0.975, n - 1) * spread / np.sqrt(n)
            cells += [int(n), np.mean(widths > wanted)]
        lines.append(row_of(wanted, *cells))
    return lines


def row_of(*cells):
    """Return a row of a Markdown table, shares as percentages."""
    return (
        "| "
        + " | ".join(
            f"{100 * cell:.1f}%" if isinstance(cell, np.floating) else str(cell) for cell in cells
        )
        + " |"
    )


def false_alarms(parts, n_studies, n_resamples, seed):
    """Return the share of studies without a difference whose p-value is below 5%, by test."""
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
            tests = gazesal.stats.compare(
                both,
                Design(units),
                by="study",
                rng=int(rng.integers(2**63)),
                adjust="none",
                n_resamples=n_resamples,
            )
            alarms[name] += [test.p_value < 0.05 for test in tests]
    return {name: float(np.mean(values)) for name, values in alarms.items()}


def table(title, heads, lines):
    """Return a titled Markdown table, numbers aligned to the right."""
    texts = 1 + (heads[1] == "Interval")
    rule = "| " + " | ".join(["---"] * texts + ["---:"] * (len(heads) - texts)) + " |"
    return [title, "", "| " + " | ".join(heads) + " |", rule, *lines, ""]


def section(name, n_studies, n_resamples, seed):
    """Return one part of the page, by its name."""
    calls = min(n_studies, MOST_CALLS)
    if name == "distributions":
        title = "Few images, one score each:"
        heads = ["Scores", "Images", *(LABELS[method] for method in FEW_METHODS)]
        lines = few_units(n_studies, n_resamples, seed + 50)
    elif name == "models":
        title = "Images crossed with few models, effects of images, models and cells alike in size:"
        heads = ["Design", "Cells missing", LABELS["t"], LABELS["bootstrap"]]
        lines = few_models(calls, n_resamples, seed + 60)
    elif name == "ratios":
        title = "`normalized_score` by default, true value 0.6:"
        heads = ["Images", "Ceiling above floor", "covers", "unbounded"]
        lines = normalized(calls, seed + 70)
    elif name == "skewed tests":
        title = "Tests at 5% of differences of skewness 2, how often they are wrong:"
        heads = ["Images", "sign flips", "equivalence by t", "equivalence by studentized bootstrap"]
        lines = skewed_tests(calls, n_resamples, seed + 80)
    elif name == "plans":
        title = "Plans for one score per image, and how many studies exceed the half-width:"
        heads = ["Half-width / SD", "Images", "exceeded", "Images, `assurance=0.8`", "exceeded"]
        lines = plans(n_studies, seed + 90)
    elif name == "tests":
        title = (
            "Tests of no difference at 5%, on differences simulated from Grad-CAM (wAG, uniform) "
            f"and interobserver, sNCC (skewness of the images {DIFFERENCE['skewness']:g}):"
        )
        heads = ["Test", "false alarms"]
        alarms = false_alarms(DIFFERENCE, n_studies, n_resamples, seed + 99)
        lines = [row_of(test, np.float64(share)) for test, share in alarms.items()]
    else:
        parts = SCENARIOS[name]
        title = f"Scores simulated from {name} (skewness of the images {parts['skewness']:g}):"
        heads = ["Claim about", "Interval", "covers", "truth below", "truth above", "mean width"]
        number = list(SCENARIOS).index(name)
        lines = [
            f"| {claim} | {LABELS[method]} | {100 * within:.1f}% | {100 * below:.1f}% | "
            f"{100 * above:.1f}% | {width:.4f} |"
            for claim, method, below, within, above, width in simulate(
                parts, n_studies, n_resamples, seed + number
            )
        ]
    return table(title, heads, lines)


SECTIONS = (*SCENARIOS, "distributions", "models", "ratios", "skewed tests", "plans", "tests")


def page(n_studies, n_resamples, seed, n_jobs):
    """Return the results in Markdown."""
    error, rarer = (196 * np.sqrt(0.95 * 0.05 / n) for n in (n_studies, min(n_studies, MOST_CALLS)))
    lines = [
        f"{n_studies} simulated studies of each kind ({min(n_studies, MOST_CALLS)} with few "
        f"models, ratios and skewed differences), with {n_resamples} resamples and seed {seed}. "
        f"Shares of nominal 95% intervals are known to {error:.1f} points, or {rarer:.1f}. The "
        "first three tables are of 91 images, 5 readers and 5 models.",
        "",
    ]
    options = [[value] * len(SECTIONS) for value in (n_studies, n_resamples, seed)]
    with ProcessPoolExecutor(n_jobs) as pool:
        for part in pool.map(section, SECTIONS, *options):
            lines += part
    return "\n".join(lines).rstrip() + "\n"


def print_parts(path):
    """Print the variance components of the released scores, which the scenarios contain."""
    scores = pd.read_csv(path)
    scores["image"] = scores["phase"].astype(str) + "/" + scores["trial"].astype(str)
    keys = ["method", "metric", "model", "image"]
    scores["reader"] = scores.groupby(keys).cumcount()
    chosen = [("uniform", "sncc", "score_ag"), ("thresholded", "ncc", "score_am1")]
    for method, metric, column in chosen:
        rows = scores[(scores["method"] == method) & (scores["metric"] == metric)]
        parts = gazesal.stats.variance_components(rows, Design(list(UNITS), score=column))
        skewness = stats.skew(rows.groupby("image")[column].mean())
        print(f"{column}, {metric} (skewness {skewness:.2f})\n{parts}\n")


def main():
    """Simulate, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=6000)
    parser.add_argument("--resamples", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--jobs", dest="n_jobs", type=int, help="processes, by default one per core"
    )
    parser.add_argument("--scores", help="released scores, to draw images from instead")
    parser.add_argument("--dry-run", action="store_true", help="print, and leave the page alone")
    options = parser.parse_args()
    start = time.perf_counter()
    sizes = (options.studies, options.resamples, options.seed, options.n_jobs)
    begin, end = (BEGIN_REAL, END_REAL) if options.scores else (BEGIN, END)
    if options.scores:
        print_parts(options.scores)
    text = real_scores(options.scores, *sizes) if options.scores else page(*sizes)
    print(text)
    print(f"{time.perf_counter() - start:.0f} s")
    if not options.dry_run:
        whole = PAGE.read_text("utf-8")
        before, rest = whole.split(begin)
        _, after = rest.split(end)
        PAGE.write_text(f"{before}{begin}\n\n{text}\n{end}{after}", "utf-8")


if __name__ == "__main__":
    main()
