"""Measure a run over thousands of images: memory, speed by workers, overhead, cost by size.

Run with ``python benchmarks/scale.py --images 5000 --jobs 2`` on an idle machine. It prints tables
in Markdown. The images are synthetic, 512 x 640 pixels with five readers of thirty fixations and
four maps each. The maps are grids of 16 x 20, like the last layer of a network, which are generated
from a seed when they are needed and resized to the image. Only the checkpoint is on disk.

Memory is the proportional set size of all processes together, which counts shared pages once. It is
measured every half second.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # one core per worker, set before numpy starts its threads

import argparse
import statistics
import tempfile
import threading
import time
from pathlib import Path
from zlib import crc32

import numpy as np
import psutil

import gazesal

READERS, METHODS, FIXATIONS = 5, 4, 30
GRID = (16, 20)
SHAPE = (512, 640)
SHAPES = [(256, 256), (512, 640), (1024, 1024), (2048, 2544)]
MIMIC_IMAGES, CORES = 377_110, 64
MB = 1e6


class Activations:
    """Grid of a network, resized to the image when it is called."""

    def __init__(self, image, method, shape):
        self.image, self.method, self.shape = image, method, shape

    @property
    def fingerprint(self):
        return f"{self.image} {self.method} {self.shape}"

    def __call__(self):
        seed = crc32(self.fingerprint.encode())
        grid = np.random.default_rng(seed).random(GRID)
        return gazesal.resample(grid, self.shape).astype(np.float32)


def case_of(number, shape=SHAPE):
    """Make one image with its readers. A sigma of one degree is some 1/25 of the width."""
    rng = np.random.default_rng([number, *shape])
    image = f"i{number:06}"
    gaze = {
        f"reader{k}": gazesal.Gaze(
            points=rng.uniform(0, [shape[1] - 1, shape[0] - 1], (FIXATIONS, 2)),
            durations=rng.uniform(0.1, 1.0, FIXATIONS),
        )
        for k in range(READERS)
    }
    maps = {f"method{k}": Activations(image, k, shape) for k in range(METHODS)}
    return gazesal.Case(image=image, shape=shape, gaze=gaze, maps=maps)


def sigma_of(shape):
    """Return the standard deviation of a fixation's Gaussian in pixels."""
    return shape[1] / 25


class Memory(threading.Thread):
    """Proportional set size of this process and its children, over time."""

    def __init__(self):
        super().__init__(daemon=True)
        self.seen, self.ended, self.began = [], threading.Event(), time.perf_counter()

    def run(self):
        own = psutil.Process()
        while not self.ended.wait(0.5):
            total = 0
            for process in [own, *own.children(recursive=True)]:
                try:
                    total += process.memory_full_info().pss
                except psutil.Error:
                    continue  # the process has ended
            self.seen.append((time.perf_counter() - self.began, total / MB))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()


def whole_run(n, n_jobs, checkpoint):
    """Measure the seconds of one evaluation, and the memory over time."""
    cases = [case_of(number) for number in range(n)]
    with Memory() as memory:
        start = time.perf_counter()
        evaluation = gazesal.evaluate(
            cases, sigma=sigma_of(SHAPE), n_jobs=n_jobs, checkpoint=checkpoint, progress=True
        )
        seconds = time.perf_counter() - start
    rows = READERS + READERS * (METHODS + 1)
    if len(evaluation.scores) != n * rows * len(evaluation.options.metrics):
        raise SystemExit(
            f"{len(evaluation.scores)} scores for {n} images, expected {n * rows} per metric"
        )
    return seconds, memory.seen, evaluation


def rate(n, n_jobs, repeats):
    """Measure the images per second after workers have started and kernels are loaded."""
    cases = [case_of(number) for number in range(n)]
    options = {"sigma": sigma_of(SHAPE), "n_jobs": n_jobs}
    gazesal.evaluate(cases[: 4 * n_jobs], **options)
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        gazesal.evaluate(cases, **options)
        times.append(time.perf_counter() - start)
    return n / min(times)


def bare(case, bias, sigma):
    """Call the functions that an evaluation uses for one image, without the evaluation."""
    own = {
        reader: gazesal.gaze_heatmap(gaze.points, case.shape, sigma=sigma, weights=gaze.durations)
        for reader, gaze in case.gaze.items()
    }
    rest = dict(zip(own, (split.rest for split in gazesal.one_vs_rest(own.values())), strict=True))
    maps = {method: source() for method, source in case.maps.items()}
    tested = {**{("own", reader): gaze for reader, gaze in own.items()}, "bias": bias, **maps}
    pairs = np.ones((len(tested), len(rest)), bool)
    pairs[: len(own)] = np.eye(len(own), dtype=bool)
    return gazesal.score(tested, rest, bias, pairs=pairs)


def overhead(n, repeats, shape=SHAPE):
    """Return the median seconds per image of the bare calls and of an evaluation."""
    cases = [case_of(number, shape) for number in range(n)]
    sigma = sigma_of(shape)
    bias = gazesal.evaluate(cases[:2], sigma=sigma).center_bias.density()  # and warm up
    bare(cases[0], bias, sigma)
    plain, whole = [], []
    for _ in range(repeats):
        start = time.process_time()
        for case in cases:
            bare(case, bias, sigma)
        middle = time.process_time()
        gazesal.evaluate(cases, sigma=sigma)
        plain.append((middle - start) / n)
        whole.append((time.process_time() - middle) / n)
    return statistics.median(plain), statistics.median(whole)


def show_memory(seen):
    """Print the memory at tenths of the run, and its peak."""
    print("| Time into the run, s | Memory of all processes, MB |\n|---:|---:|")
    for share in range(11):
        at, used = seen[min(int(share / 10 * len(seen)), len(seen) - 1)]
        print(f"| {at:.0f} | {used:.0f} |")
    peak = max(used for _, used in seen)
    print(f"| peak | {peak:.0f} |\n")
    return peak


def show_sizes(images, repeats):
    """Print the cost of an image by size, and the cost of MIMIC-CXR."""
    print("| Image | Bare calls, s | Evaluation, s | Overhead | MIMIC-CXR on 64 cores, h |")
    print("|---|---:|---:|---:|---:|")
    for shape in SHAPES:
        n = max(2, int(images * SHAPE[0] * SHAPE[1] / (shape[0] * shape[1])))
        plain, whole = overhead(n, repeats, shape)
        hours = whole * MIMIC_IMAGES / CORES / 3600
        print(
            f"| {shape[0]} x {shape[1]} | {plain:.3f} | {whole:.3f} | {whole / plain - 1:.0%} "
            f"| {hours:.1f} |"
        )
    print()


def show_metrics(n, repeats):
    """Print the cost of residual scores beside the metrics of the study."""
    cases = [case_of(number) for number in range(n)]
    more = ("residual_ncc", "residual_nss", "semipartial_ncc")
    sets = [(), more[:1], more]
    times = [[] for _ in sets]
    for _ in range(repeats):
        for found, added in zip(times, sets, strict=True):
            start = time.process_time()
            gazesal.evaluate(cases, sigma=sigma_of(SHAPE), metrics=(*gazesal.STUDY_METRICS, *added))
            found.append((time.process_time() - start) / n)
    print("| Metrics | Evaluation, s | Times the study's |\n|---|---:|---:|")
    for found, added in zip(times, sets, strict=True):
        names = " + ".join(("the study's four", *added))
        print(f"| {names} | {min(found):.3f} | {min(found) / min(times[0]):.2f} |")
    print()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=5000, help="of the whole run")
    parser.add_argument(
        "--jobs", dest="n_jobs", type=int, default=2, help="workers of the whole run"
    )
    parser.add_argument("--rate-images", type=int, default=120, help="of the runs by workers")
    parser.add_argument("--size-images", type=int, default=24, help="of the runs by size")
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()

    # Measured first, before other measurements allocate memory.
    print(f"## {args.images} images of 512 x 640, five readers, four maps, {args.n_jobs} workers\n")
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder, "checkpoint")
        seconds, seen, evaluation = whole_run(args.images, args.n_jobs, checkpoint)
        kept = [path.stat().st_size for path in checkpoint.rglob("*.parquet")]
        again, _, loaded = whole_run(args.images, args.n_jobs, checkpoint)
    peak = show_memory(seen)
    if not loaded.scores.equals(evaluation.scores):
        raise SystemExit("the scores of the second call are others")
    print(
        f"{len(evaluation.scores)} scores in {seconds:.0f} s, {args.images / seconds:.2f} images a"
    )
    print(
        f"second. Peak {peak:.0f} MB. The checkpoint is {len(kept)} files, {sum(kept) / MB:.1f} MB;"
    )
    print(f"the same call again, with everything there, took {again:.1f} s.\n")

    print("## Cost by size, one core\n")
    show_sizes(args.size_images, args.repeats)

    print("## Cost of metrics beyond the center bias, one core\n")
    show_metrics(args.size_images, args.repeats)

    print("## Speed by workers\n")
    print("| Workers | Images a second | Times one worker |\n|---:|---:|---:|")
    rates = [rate(args.rate_images, n_jobs, args.repeats) for n_jobs in (1, 2)]
    for n_jobs, found in zip((1, 2), rates, strict=True):
        print(f"| {n_jobs} | {found:.2f} | {found / rates[0]:.2f} |")
    print()


if __name__ == "__main__":
    main()
