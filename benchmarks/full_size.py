"""Make maps of a full-size chest X-ray, and time calls alternately.

The float32 maps of 3056 x 2544 pixels are a Grad-CAM-like saliency map, a gaze map of 40 fixations
and a center bias. A second saliency map is noise, whose random access makes the cache useless. One
image has 120 scores: five readers against the rest, six saliency maps and four metrics.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # one core, set before numpy starts its threads

import statistics
import time

import numpy as np
import study_way
from scipy import ndimage

import gazesal

SHAPE = (3056, 2544)
SIGMA = 95.0


def make_maps():
    """Make fixations, their durations, and float32 maps."""
    rng = np.random.default_rng(0)
    fixations = rng.normal([SHAPE[1] / 2, SHAPE[0] / 2], [420, 560], (40, 2))
    durations = rng.gamma(2.0, 0.15, 40)
    everybody = rng.normal([SHAPE[1] / 2, SHAPE[0] / 2], [450, 600], (2000, 2))
    coarse = np.maximum(rng.random((17, 14)) - 0.4, 0)
    cam = ndimage.zoom(coarse, (SHAPE[0] / 17, SHAPE[1] / 14), order=1)
    maps = {
        "cam": cam,
        "noise": rng.random(SHAPE),
        "gaze": gazesal.gaze_heatmap(fixations, SHAPE, sigma=SIGMA, weights=durations),
        "bias": gazesal.gaze_heatmap(everybody, SHAPE, sigma=SIGMA, outside="keep"),
        "uniform": np.full(SHAPE, 1.0 / (SHAPE[0] * SHAPE[1])),
    }
    return fixations, durations, {k: v.astype(np.float32) for k, v in maps.items()}


def one_image(m):
    """Make six saliency maps, the five means of the other readers, and the center bias."""
    rng = np.random.default_rng(1)
    readers = [
        gazesal.gaze_heatmap(
            rng.normal([SHAPE[1] / 2, SHAPE[0] / 2], [420, 560], (40, 2)),
            SHAPE,
            sigma=SIGMA,
            weights=rng.gamma(2.0, 0.15, 40),
            outside="keep",
        )
        for _ in range(5)
    ]
    rests = [split.rest.astype(np.float32) for split in gazesal.one_vs_rest(readers)]
    cam, noise = m["cam"], m["noise"]
    tested = {
        "cam": cam,
        "rectified": np.maximum(cam - np.float32(0.2), 0),
        "textured": cam + np.float32(0.05) * noise,
        "quantized": np.round(255 * cam),
        "noise": noise,
        "center bias": m["bias"],
    }
    return tested, rests, m["bias"]


def study_scores(tested, rests, bias, uniform):
    """Score all maps with the study's functions, one call per score."""
    for saliency in tested.values():
        for rest in rests:
            study_way.ncc(saliency, rest)
            study_way.sampled_auc(saliency, rest, uniform)
            study_way.ncc(saliency, rest) - study_way.ncc(saliency, bias)
            study_way.sampled_auc(saliency, rest, bias)


def medians(ours, baseline, repeats, baseline_repeats):
    """Return the median seconds of both calls, run alternately after one run to compile."""
    ours()
    times, baseline_times = [], []
    for turn in range(repeats):
        for function, store, limit in (
            (ours, times, repeats),
            (baseline, baseline_times, baseline_repeats),
        ):
            if turn < limit:
                start = time.perf_counter()
                function()
                store.append(time.perf_counter() - start)
    return statistics.median(times), statistics.median(baseline_times)
