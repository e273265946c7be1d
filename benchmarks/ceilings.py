"""Simulate images whose true gaze is known, and compare ceilings with the truth.

Run with ``make ceilings``. It has three parts:

- bounds of AUC, sAUC, NSS and information gain in settings of observers, fixations, individual
  differences and blur
- limits of the curves in the number of observers, in the same settings
- the corrected NCC of sets of images, with the coverage of its interval, for independent observers
  and for the same observers in all images

The tables are written into ``docs/concepts/perfect_map.md``.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # one core, before numpy starts its threads

import argparse
import itertools
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import gazesal
from gazesal.stats import attainable, observer_curve, observer_limit, pooled_corrected_ncc

warnings.simplefilter("ignore", gazesal.IntervalWarning)

PAGE = Path(__file__).resolve().parents[1] / "docs" / "concepts" / "perfect_map.md"
BEGIN, END = "<!-- simulation: made by `make ceilings` -->", "<!-- end of simulation -->"
SHAPE = (36, 48)
BOUNDED = ("auc_borji", "sauc", "nss", "information_gain")
OBSERVERS, FIXATIONS, DIFFERENCES, SIGMAS = (5, 10), (8, 15), (0.0, 0.7), (1.5, 2.5)
SETTINGS = list(itertools.product(OBSERVERS, FIXATIONS, DIFFERENCES, SIGMAS))
TYPES = 40  # densities of an image from which the observers are sampled
SET = 40  # images of one study
PAIRS = 15  # of a subset and an observer, for each size


@dataclass
class Image:
    """The truth about one image: densities of observers, their mean, and the center bias."""

    densities: np.ndarray
    bias: np.ndarray
    sigma: float

    @property
    def density(self):
        """Return the mean density, from which a fixation of a random observer comes."""
        return self.densities.mean(axis=0)

    @property
    def gaze_map(self):
        """Return the expected gaze map: the density, blurred and cut off at the border."""
        found = blur(self.density.reshape(SHAPE), self.sigma)
        return found / found.sum()

    def observers(self, rng, n, n_fixations, kinds=None):
        """Sample fixations of n observers, and draw their gaze maps."""
        fixations = []
        for kind in rng.integers(TYPES, size=n) if kinds is None else kinds:
            places = rng.choice(self.bias.size, n_fixations, p=self.densities[kind])
            fixations.append(np.stack([places % SHAPE[1], places // SHAPE[1]], axis=1))
        maps = []
        for each in fixations:
            counts = np.zeros(SHAPE)
            np.add.at(counts, (each[:, 1], each[:, 0]), 1.0)
            found = blur(counts, self.sigma)
            maps.append(found / found.sum())
        return fixations, maps


def kernel(length, sigma):
    """Return the matrix that blurs along one side."""
    distances = np.arange(length)[:, None] - np.arange(length)
    return np.exp(-(distances**2) / (2 * sigma**2))


def blur(array, sigma):
    """Blur a map by a Gaussian that is cut off at the border, up to a factor."""
    return kernel(SHAPE[0], sigma) @ array @ kernel(SHAPE[1], sigma)


def simulated_image(rng, difference, sigma, habits=None):
    """Simulate an image: two to five attractive places on a fifth of center bias.

    The attraction of each place differs between observers with this coefficient of variation. With
    habits, they differ in the same way on all images: in the exponent of the attractions and in the
    share of the center bias.
    """
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    n = rng.integers(2, 6)
    centers = rng.uniform([5, 5], [SHAPE[0] - 5, SHAPE[1] - 5], (n, 2))
    spread, strength = rng.uniform(2, 5, n), rng.gamma(2.0, size=n)
    places = np.stack(
        [
            np.exp(-((y - a) ** 2 + (x - b) ** 2) / (2 * s**2)).ravel() / s**2
            for (a, b), s in zip(centers, spread, strict=True)
        ]
    )
    of_observers = np.ones((TYPES, n))
    if difference:
        of_observers = rng.gamma(difference**-2, difference**2, (TYPES, n))
    densities = (of_observers * strength) @ places
    bias = np.exp(
        -((y - SHAPE[0] / 2) ** 2) / (2 * (SHAPE[0] / 4) ** 2)
        - (x - SHAPE[1] / 2) ** 2 / (2 * (SHAPE[1] / 4) ** 2)
    ).ravel()
    bias /= bias.sum()
    share = 0.2
    if habits is not None:
        exponents, share = habits
        densities = strength**exponents @ places
    densities = (1 - share) * densities / densities.sum(axis=1, keepdims=True) + share * bias
    return Image(densities, bias.reshape(SHAPE), sigma)


def best_score(metric, image, predicted):
    """Return the expected score of the best map for a predicted density, against the truth."""
    truth = image.density
    if metric in ("auc_borji", "sauc"):
        third = (image.bias,) if metric == "sauc" else ()
        best = gazesal.maps_for_metric(predicted.reshape(SHAPE), metric, image.bias)
        return gazesal.METRICS[metric].function(best, image.gaze_map, *third)
    flat = predicted.ravel()
    if metric == "nss":
        return float(truth @ ((flat - flat.mean()) / flat.std()))
    return float(truth @ np.log2(flat / image.bias.ravel()))


def limit_of_curve(metric, image):
    """Return the expected score of the map of infinitely many observers, who are blurred."""
    if metric != "information_gain":
        return best_score(metric, image, image.gaze_map)
    uniform = np.full(image.bias.size, 1 / image.bias.size)
    parts = np.stack([image.gaze_map.ravel(), image.bias.ravel(), uniform])
    shares = np.full(3, 1 / 3)
    for _ in range(300):  # of the EM algorithm for the best mixture
        shares = shares * (parts @ (image.density / (shares @ parts)))
    return best_score(metric, image, shares @ parts)


def simulate_setting(place, n_images, seed, metrics=BOUNDED):
    """Return for each metric the truth, both bounds, and the truth and fits of the limit."""
    n, n_fixations, difference, sigma = SETTINGS[place]
    rng = np.random.default_rng([seed, place])
    found = {metric: [] for metric in metrics}
    curves = {metric: [] for metric in metrics}
    for _ in range(n_images):
        image = simulated_image(rng, difference, sigma)
        fixations, maps = image.observers(rng, n, n_fixations)
        for metric in metrics:
            predicted = image.gaze_map if metric in ("auc_borji", "sauc") else image.density
            bounds = attainable(metric, maps, image.bias, fixations=fixations)
            found[metric].append(
                (
                    best_score(metric, image, predicted),
                    bounds.rest_predicts_one,
                    bounds.all_predict_one,
                    limit_of_curve(metric, image),
                )
            )
            curve = observer_curve(
                metric, maps, image.bias, fixations=fixations, n_subsets=PAIRS, rng=rng
            )
            curves[metric].append(curve.scores)
    lines = {}
    for metric in metrics:
        fits = [
            observer_limit(np.arange(1, n), curves[metric], form=form)
            for form in ("hyperbola", "power")
        ]
        lines[metric] = (*np.mean(found[metric], axis=0), *(fit.limit for fit in fits))
    return lines


def bounds_and_limits(simulated):
    """Return the lines of the tables of bounds and of limits."""
    found = list(zip(SETTINGS, simulated, strict=True))
    bounds, limits = [], []
    for metric in BOUNDED:
        label = gazesal.METRICS[metric].label
        for n in OBSERVERS:
            rows = [lines[metric] for setting, lines in found if setting[0] == n]
            numbers = np.array([row[:4] for row in rows])
            truth, low, high, limit = numbers.T
            enclosed = np.count_nonzero((low <= truth) & (truth <= high))
            means = " | ".join(f"{each.mean():.3f}" for each in (low, truth, high))
            bounds.append(f"| {label} | {n} | {means} | {enclosed} of {len(rows)} |")
            cells = []
            for form in (4, 5):
                errors = np.array([row[form].estimate for row in rows]) - limit
                covered = [
                    row[form].low <= each <= row[form].high
                    for row, each in zip(rows, limit, strict=True)
                ]
                cells += [
                    f"{errors.mean():+.3f}",
                    f"{np.abs(errors).max():.3f}",
                    f"{sum(covered)} of {len(rows)}",
                ]
            limits.append(f"| {label} | {n} | {limit.mean():.3f} | {' | '.join(cells)} |")
    return bounds, limits


def corrected(n, n_sets, seed):
    """Return the line of a number of observers in the table of the corrected NCC."""
    rng = np.random.default_rng([seed, len(SETTINGS), n])
    studies, truths, single = [], [], []
    for _ in range(n_sets):
        pairs = []
        for _ in range(SET):
            image = simulated_image(rng, 0.7, 2.0)
            truth = image.gaze_map - image.gaze_map.mean()
            noise = blur(rng.normal(size=SHAPE), 3.0)
            saliency = blur(image.gaze_map, 3.0)
            saliency += 0.5 * saliency.std() * noise / noise.std()
            _, maps = image.observers(rng, n, 15)
            centered = saliency - saliency.mean()
            product = (centered * truth).mean() / centered.std()
            truths.append((product, truth.std()))
            pairs.append((saliency, maps))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", gazesal.UndefinedMetricWarning)
                single.append(gazesal.corrected_ncc(saliency, maps))
        studies.append(pooled_corrected_ncc(pairs))
    products, deviations = np.array(truths).T
    truth = products.sum() / deviations.sum()
    estimates = np.array([each.estimate for each in studies])
    covers = np.mean([each.low <= truth <= each.high for each in studies])
    of_images = np.nanmean(single) - (products / deviations).mean()
    return (
        f"| {n} | {truth:.3f} | {estimates.mean() - truth:+.4f} | {of_images:+.4f} | "
        f"{100 * covers:.1f}% |"
    )


def corrected_with_habits(n, n_sets, seed):
    """Return the line of a number of observers, the same in all images, in the last table."""
    rng = np.random.default_rng([seed, len(SETTINGS) + 1, n])
    habits = rng.gamma(1 / 0.3, 0.3, (TYPES, 1)), rng.beta(2, 8, (TYPES, 1))
    studies, truths = [], []
    for _ in range(n_sets):
        kinds = rng.integers(TYPES, size=n)
        pairs = []
        for _ in range(SET):
            image = simulated_image(rng, 0.0, 2.0, habits)
            noise = blur(rng.normal(size=SHAPE), 3.0)
            saliency = blur(image.gaze_map, 3.0)
            saliency += 0.5 * saliency.std() * noise / noise.std()
            truth = image.gaze_map.std()
            truths.append((gazesal.ncc(saliency, image.gaze_map) * truth, truth))
            pairs.append((saliency, image.observers(rng, n, 15, kinds)[1]))
        studies.append([pooled_corrected_ncc(pairs, same_observers=same) for same in (False, True)])
    products, deviations = np.array(truths).T
    truth = products.sum() / deviations.sum()
    error = np.mean([each.estimate for each, _ in studies]) - truth
    covers = [
        np.mean([each.low <= truth <= each.high for each in kind])
        for kind in zip(*studies, strict=True)
    ]
    cells = " | ".join(f"{100 * each:.1f}%" for each in covers)
    return f"| {n} | {truth:.3f} | {error:+.4f} | {cells} |"


def table(heads, n_texts, lines):
    """Return a Markdown table, numbers aligned to the right."""
    rule = ["---"] * n_texts + ["---:"] * (len(heads) - n_texts)
    return ["| " + " | ".join(heads) + " |", "| " + " | ".join(rule) + " |", *lines, ""]


def report(n_images, n_sets, n_workers, seed):
    """Return the text between the marks of the page."""
    start = time.perf_counter()
    with ProcessPoolExecutor(n_workers) as pool:
        shares = [pool.submit(corrected, n, n_sets, seed) for n in (3, *OBSERVERS)]
        habits = [pool.submit(corrected_with_habits, n, n_sets, seed) for n in OBSERVERS]
        settings = [pool.submit(simulate_setting, i, n_images, seed) for i in range(len(SETTINGS))]
        bounds, limits = bounds_and_limits([each.result() for each in settings])
        of_sets, of_habits = ([each.result() for each in kind] for kind in (shares, habits))
    n_settings = len(FIXATIONS) * len(DIFFERENCES) * len(SIGMAS)
    lines = [
        f"Means over {n_settings} settings of {n_images} images each. The settings combine 8 or 15 "
        "fixations per observer, no or large differences between observers, and a blur of 1.5 or "
        "2.5 pixels on 36 x 48 pixels.",
        "",
        *table(
            ["Metric", "Observers", "rest predicts one", "truth", "all predict one", "enclosed"],
            1,
            bounds,
        ),
        "The fitted limit of the curves of the same images:",
        "",
        *table(
            [
                "Metric",
                "Observers",
                "true limit",
                "hyperbola: mean error",
                "largest",
                "interval covers",
                "power: mean error",
                "largest",
                "interval covers",
            ],
            1,
            limits,
        ),
        f"`pooled_corrected_ncc` of {n_sets} simulated studies of {SET} images with 15 fixations "
        "per observer. The coverage has an error of "
        f"{100 * np.sqrt(0.05 * 0.95 / n_sets):.1f} points:",
        "",
        *table(
            ["Observers", "truth", "error, pooled", "error, mean over images", "interval covers"],
            0,
            of_sets,
        ),
        "The same with observers who look at all images of a study and have consistent habits:",
        "",
        *table(
            ["Observers", "truth", "error", "interval covers", "with `same_observers`"],
            0,
            of_habits,
        ),
    ]
    print(f"{time.perf_counter() - start:.0f} s")
    return "\n".join(lines)


def main():
    """Run the simulation, and write its tables into the page or print them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=25, help="images of each setting")
    parser.add_argument("--sets", type=int, default=300, help="studies for the corrected NCC")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dry-run", action="store_true", help="print the tables only")
    options = parser.parse_args()
    text = report(options.images, options.sets, options.workers, options.seed)
    print(text)
    if not options.dry_run:
        page = PAGE.read_text("utf-8")
        before, _, rest = page.partition(BEGIN)
        after = rest.partition(END)[2]
        PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
