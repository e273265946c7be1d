"""Measure time and memory of gaze maps and center biases at full size.

Run with ``make bench``. A gaze map of 40 fixations is compared with writing its array once, and the
resizing of a registered center bias with `scipy.ndimage.zoom` (bilinear) between the same sizes.
Baseline and function run alternately on one core. Memory is the peak that the call allocates,
divided by the size of its result.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # one core, set before numpy starts its threads

import tracemalloc

import numpy as np
from full_size import SHAPE, SIGMA, make_maps, medians
from scipy import ndimage

import gazesal

BOX = (310.0, 420.5, 2230.25, 2610.75)
LARGER = (240.5, 350.0, 2370.0, 2790.5)


def peak_of(function):
    """Return the peak of the bytes that a call allocates, and the bytes of its result."""
    function()
    tracemalloc.start()
    try:
        result = function()
        return tracemalloc.get_traced_memory()[1], result.nbytes
    finally:
        tracemalloc.stop()


def main():
    fixations, durations, maps = make_maps()
    frame = gazesal.ReferenceFrame.from_boxes([BOX, LARGER], [SHAPE, SHAPE])
    pairs = [(maps["gaze"], BOX), (maps["bias"], LARGER)]
    bias = gazesal.RegisteredCenterBias(frame, pairs)
    canvas = bias.average()
    factors = (SHAPE[0] / canvas.shape[0], SHAPE[1] / canvas.shape[1])
    rectangles = np.tile([0.0, 300.0, 2500.0, 2900.0], (len(fixations), 1))
    sigmas = np.full((len(fixations), 2), SIGMA)

    def draw():
        return gazesal.gaze_heatmap(
            fixations, SHAPE, sigma=sigmas, weights=durations, visible=rectangles
        )

    cases = [
        ("gaze map of 40 fixations", "np.full of float64", 4, draw, lambda: np.full(SHAPE, 1.0)),
        (
            "warp of a center bias",
            "ndimage.zoom, order 1",
            3,
            lambda: bias.on_image(SHAPE, BOX),
            lambda: ndimage.zoom(canvas, factors, order=1),
        ),
        (
            "leave an image out",
            "ndimage.zoom, order 1",
            None,
            lambda: bias.without(pairs[:1]),
            lambda: ndimage.zoom(canvas, factors, order=1),
        ),
    ]
    print(f"canvas {canvas.shape[0]} x {canvas.shape[1]}, image {SHAPE[0]} x {SHAPE[1]}, float64")
    print(f"{'function':<28}{'ms':>8}  {'baseline':<24}{'ms':>9}{'ratio':>8}{'at most':>8}")
    for name, against, asked, ours, baseline in cases:
        mine, theirs = medians(ours, baseline, 9, 9)
        limit = "" if asked is None else f"{asked:8.1f}"
        ratio = f"{1e3 * theirs:9.1f}{mine / theirs:8.2f}{limit}"
        print(f"{name:<28}{1e3 * mine:8.1f}  {against:<24}{ratio}")
    for name, _, _, ours, _ in cases[:2]:
        peak, size = peak_of(ours)
        print(f"{name:<28}peak {peak / 2**20:.1f} MiB, result {size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
