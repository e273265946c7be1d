"""Time intervals and comparisons of the study's size, and the same with scipy and a pandas loop.

Run with ``make bench``. Medians on one core are printed. The simulated scores of 10 methods and 4
metrics on 91 images by 5 readers and 5 models have the 40 cells of the study's tables.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # one core, before numpy starts its threads

import itertools
import platform
import resource
import statistics
import time

import numpy as np
import pandas as pd
import scipy
from scipy import stats

import gazesal
from gazesal.stats import Design

N_RESAMPLES = 10_000
LOOP_RESAMPLES = 200  # of the pandas loop, whose time is scaled up


def made_up_table():
    """Simulate a table with the columns method, metric, image, reader, model and score."""
    sizes = {"method": 10, "metric": 4, "image": 91, "reader": 5, "model": 5}
    keys = list(itertools.product(*(range(size) for size in sizes.values())))
    table = pd.DataFrame(keys, columns=list(sizes))
    rng = np.random.default_rng(0)
    effect = rng.gamma(2.0, 0.07, (40, 91))[table["method"] * 4 + table["metric"], table["image"]]
    return table.assign(score=effect + rng.normal(0, 0.05, len(table)))


def median_time(function, repeats):
    """Measure the median seconds after one run, which compiles and caches."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def pandas_loop(table, n_resamples, rng):
    """Compute percentiles of the mean over resampled images in the usual way with pandas."""
    groups = dict(iter(table.groupby("image")))
    names = list(groups)
    means = []
    for _ in range(n_resamples):
        drawn = rng.choice(names, len(names))
        means.append(pd.concat([groups[name] for name in drawn])["score"].mean())
    return np.quantile(means, [0.025, 0.975])


def main():
    """Print the table of times."""
    print(
        f"Python {platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}, "
        f"pandas {pd.__version__}, {platform.processor() or platform.machine()}; "
        f"{N_RESAMPLES} resamples\n"
    )
    table = made_up_table()
    images = Design("image", averaged=["reader", "model"])
    designs = {
        "images": images,
        "images / readers": Design("image", nested="reader", averaged="model"),
        "images x models": Design(["image", "model"], averaged="reader"),
        "images x models x readers": Design(["image", "model", "reader"]),
    }
    print("40 cells at once, BCa")
    for name, design in designs.items():
        seconds = median_time(
            lambda design=design: gazesal.stats.interval_table(
                table, design, by=["method", "metric"], interval="bca", rng=0
            ),
            3,
        )
        print(f"  {name:28}{seconds:8.2f} s")
    seconds = median_time(
        lambda: gazesal.stats.interval_table(
            table, images, by=["method", "metric"], interval="studentized", rng=0
        ),
        3,
    )
    print(f"  {'images, studentized':28}{seconds:8.2f} s")
    seconds = median_time(
        lambda: gazesal.stats.compare(
            table, images, by="metric", interval="bca", margin=0.02, rng=0
        ),
        3,
    )
    print(f"  {'all 180 pairs compared':28}{seconds:8.2f} s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  {'peak memory so far':28}{peak:8.0f} MB")

    print("\nOne mean")
    values = np.random.default_rng(0).gamma(2.0, 0.1, 91)
    for method, name in (("bootstrap", "percentile"), ("bca", "BCa")):
        ours = median_time(
            lambda method=method: gazesal.stats.confidence_interval(values, interval=method, rng=0),
            9,
        )
        theirs = median_time(
            lambda name=name: stats.bootstrap(
                (values,), np.mean, n_resamples=N_RESAMPLES, method=name, rng=0
            ),
            9,
        )
        print(f"  91 scores, {name:17}{ours * 1e3:8.2f} ms, scipy {theirs * 1e3:8.2f} ms")
    cell = table[(table["method"] == 0) & (table["metric"] == 0)]
    ours = median_time(lambda: gazesal.stats.interval(cell, images, interval="bootstrap", rng=0), 9)
    loop = median_time(lambda: pandas_loop(cell, LOOP_RESAMPLES, np.random.default_rng(0)), 1)
    loop *= N_RESAMPLES / LOOP_RESAMPLES
    print(f"  91 images of 25, percentile {ours * 1e3:8.2f} ms, pandas loop {loop:.1f} s", end=" ")
    print(f"({loop / ours:.0f} times)")


if __name__ == "__main__":
    main()
