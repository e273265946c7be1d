"""Measure every metric by size, as ratios to named baselines, with its peak memory.

Run with ``make bench``, or ``python benchmarks/metric_table.py [side ...]``, for a few minutes. One
row is one metric on square maps of one size. The last rows are the 120 scores of one chest X-ray of
3056 x 2544 pixels, and the shuffled AUC of its maps. Square maps are float32 noise, whose random
access makes the cache useless, with 200 fixations, and 2000 on other images. Metric and baselines
run alternately on one core, under the same conditions.

The columns, each a ratio of medians:

floor        time over the time of one ``numpy.sum`` of each array: 1 is the time of reading
study        number of times faster than the study's formulas, `study_way`
sklearn      number of times faster than ``roc_auc_score``, weighted if the metric is
pysaliency   number of times faster than its function, without the column if it is not installed
peak         memory allocated beyond the inputs, in maps of 4 bytes per pixel
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # one core, set before numpy starts its threads

import platform
import statistics
import sys
import time
import tracemalloc
import warnings

import full_size
import numpy as np
import sklearn
import study_way
from sklearn.metrics import roc_auc_score

import gazesal

SIDES = (64, 256, 1024, 4096)
COLUMNS = ("study", "sklearn", "pysaliency")


def find_pysaliency():
    """Return pysaliency and an empty text, or None and the reason why it is missing."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pysaliency imports pkg_resources
            import pysaliency.metrics  # noqa: PLC0415
            import pysaliency.roc  # noqa: PLC0415
    except ImportError as error:
        return None, str(error)
    if not hasattr(np, "trapz"):  # pysaliency calls a function that NumPy has renamed
        np.trapz = np.trapezoid  # noqa: NPY201
    return pysaliency, ""


def roc_auc(positives, negatives):
    """Compute the area from two lists of values with scikit-learn."""
    truth = np.repeat([1, 0], [positives.size, negatives.size])
    return roc_auc_score(truth, np.concatenate([positives, negatives]))


def rows_of(side, theirs):
    """Return the name, the call, its arrays, and the baselines by column of each metric."""
    rng = np.random.default_rng(0)
    shape = (side, side)
    s, gaze, bias = rng.random((3, *shape), np.float32)
    uniform = np.full(shape, np.float32(1 / s.size))
    here, others = (rng.integers(0, side, (n, 2)) for n in (200, 2000))
    x, y = here.T
    density = s / s.sum(dtype=np.float64)
    baseline = bias / bias.sum(dtype=np.float64)
    maps = {"saliency_map": s, "gaze_map": gaze, "center_bias": bias, "baseline": baseline}
    at, elsewhere = s[y, x], s[others[:, 1], others[:, 0]]
    unfixated = np.ones(shape, bool)
    unfixated[y, x] = False
    study = {
        "ncc": lambda: study_way.ncc(s, gaze),
        "sncc": lambda: study_way.ncc(s, gaze) - study_way.ncc(s, bias),
        "auc_borji": lambda: study_way.sampled_auc(s, gaze, uniform),
        "sauc": lambda: study_way.sampled_auc(s, gaze, bias),
    }
    learn = {
        "auc_borji": lambda: study_way.weighted_auc(s, gaze, uniform),
        "sauc": lambda: study_way.weighted_auc(s, gaze, bias),
        "auc": lambda: roc_auc(at, s.ravel()),
        "auc_judd": lambda: roc_auc(at, s[unfixated]),
        "auc_shuffled": lambda: roc_auc(at, elsewhere),
    }
    other = {}
    if theirs is not None:
        metrics, roc = theirs.metrics, theirs.roc.general_roc
        wide = [values.astype(np.float64) for values in (at, elsewhere, s)]
        other = {
            "ncc": lambda: metrics.CC(s, gaze),
            "nss": lambda: metrics.NSS(s, x, y).mean(),
            "sim": lambda: metrics.SIM(s, gaze),
            "kl_divergence": lambda: metrics.MIT_KLDiv(s, gaze),
            "auc": lambda: roc(wide[0], wide[2].ravel()),
            "auc_judd": lambda: roc(wide[0], wide[2][unfixated]),
            "auc_shuffled": lambda: roc(wide[0], wide[1]),
        }
    for name, metric in gazesal.METRICS.items():
        points = {"fixations": here, "other_fixations": others}
        given = [(maps | points)[argument] for argument in metric.arguments]
        if metric.densities:
            given[0] = density
        options = {"shrink": max(1, side // 16)} if "shrink" in metric.required_options else {}
        arrays = [array for array in given if array.shape == shape]
        baselines = {"study": study.get(name), "sklearn": learn.get(name)}
        baselines["pysaliency"] = other.get(name)

        def call(metric=metric, given=given, options=options, **more):
            return metric.function(*given, **options, **more)

        yield name, call, arrays, baselines
        if metric.can_sample:
            drawn = {"study": study[name]}
            yield f"{name}, 1000 drawn", lambda f=call: f(n_samples=1000, rng=0), arrays, drawn
            yield f"{name} within 1e-6", lambda f=call: f(tolerance=1e-6), arrays, drawn


def job_rows():
    """Return the row of one image, with all its scores in one call."""
    maps = full_size.make_maps()[2]
    tested, rests, bias = full_size.one_image(maps)
    arrays = [*tested.values(), *rests, bias]
    study = {"study": lambda: full_size.study_scores(tested, rests, bias, maps["uniform"])}
    for n_threads in (1, 2):
        for label, tolerance in (("exact", None), ("within 1e-6", 1e-6)):

            def call(n_threads=n_threads, tolerance=tolerance):
                return gazesal.score(tested, rests, bias, n_threads=n_threads, tolerance=tolerance)

            yield f"score, {label}, threads={n_threads}", call, arrays, study
    gaze = maps["gaze"]
    for kind in ("cam", "rectified", "noise"):
        s = tested[kind]
        drawn = {"study": lambda s=s: study_way.sampled_auc(s, gaze, bias)}
        for label, tolerance in (("exact", None), ("within 1e-6", 1e-6)):

            def one(s=s, tolerance=tolerance):
                return gazesal.sauc(s, gaze, bias, tolerance=tolerance)

            yield f"sauc, {label}, {kind}", one, [s, gaze, bias], drawn


def seconds(calls, repeats, very_slow):
    """Return the median seconds of each call, run alternately. Slow calls run less often."""
    times = [[very_slow[call]] if call in very_slow else [] for call in calls]
    for _ in range(repeats):
        for call, store in zip(calls, times, strict=True):
            if sum(store) > 1.0:
                continue
            start = time.perf_counter()
            call()
            store.append(time.perf_counter() - start)
            if store[0] > 5.0:
                very_slow[call] = store[0]
    return [statistics.median(store) for store in times]


def peak_bytes(call):
    """Return the peak of the bytes that a call allocates."""
    tracemalloc.start()
    call()
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return held


def print_row(size, row, columns, repeats, very_slow):
    """Measure and print one row."""
    name, call, arrays, baselines = row
    try:
        call()  # compiles the functions and fills caches
    except ImportError as error:
        print(f"{f'{size[0]} x {size[1]}':<12}{name:<31}{error}")
        return
    present = [column for column in columns if baselines.get(column) is not None]

    def floor():
        for array in arrays:
            array.sum()

    calls = [call, *([floor] if arrays else []), *(baselines[column] for column in present)]
    mine, *rest = seconds(calls, repeats, very_slow)
    ratios = {"floor": mine / rest.pop(0)} if arrays else {}
    ratios |= {column: found / mine for column, found in zip(present, rest, strict=True)}
    cells = "".join(
        f"{ratios[column]:12.1f}" if column in ratios else f"{'-':>12}"
        for column in ("floor", *columns)
    )
    n_pixels = size[0] * size[1]
    peak = peak_bytes(call) / (4 * n_pixels)
    print(
        f"{f'{size[0]} x {size[1]}':<12}{name:<31}{1e3 * mine:10.2f}{cells}{peak:8.2f}", flush=True
    )


def main():
    theirs, why = find_pysaliency()
    columns = COLUMNS if theirs is not None else COLUMNS[:-1]
    print(
        f"float32, one core; Python {platform.python_version()}, numpy {np.__version__}, "
        f"scikit-learn {sklearn.__version__}. "
        + ("" if theirs is not None else f"No column of pysaliency: {why}. ")
        + "floor: our time over numpy.sum of the arrays; others: their time over ours."
    )
    print(f"{'size':<12}{'metric':<31}{'ms':>10}", end="")
    print("".join(f"{column:>12}" for column in ("floor", *columns)) + f"{'peak':>8}")
    np.seterr(divide="ignore")  # pysaliency's divergence of maps with zeros
    sides = [int(side) for side in sys.argv[1:]] or SIDES
    for side in sides:
        for row in rows_of(side, theirs):
            print_row((side, side), row, columns, 3 if side > 2000 else 15, {})
    if not sys.argv[1:]:
        very_slow = {}  # the study's way of scoring an image, a baseline of several rows
        for row in job_rows():
            print_row(full_size.SHAPE, row, columns, 5, very_slow)


if __name__ == "__main__":
    main()
