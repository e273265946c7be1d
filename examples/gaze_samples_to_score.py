"""Score raw gaze samples: pymovements finds the fixations, and gazesal scores them.

The samples are simulated at 500 Hz. The image was shown at twice its size in the middle of the
screen. Needs the extra ``pymovements``.
"""

import numpy as np
import pymovements

import gazesal
from gazesal.adapters import fixations_from_pymovements

SHAPE = (300, 400)  # height, width of the image
SCREEN = (1920, 1080)  # width, height
ON_SCREEN = (560, 240, 1360, 840)  # x_min, y_min, x_max, y_max of the image


def record(rng, places):
    """Simulate gaze samples in screen pixels with a fixation at each place, and times in ms."""
    on_screen = (places + 0.5) * 2 + ON_SCREEN[:2] - 0.5  # pixel centers at integers
    resting = np.repeat(on_screen, rng.integers(80, 250, len(places)), axis=0)
    return resting + rng.normal(0, 1.5, resting.shape), 2 * np.arange(len(resting))


def find_fixations(pixels, time, observer):
    """Return a table of fixations in image pixels, found by dispersion (I-DT) in degrees."""
    experiment = pymovements.Experiment(
        *SCREEN, 53, 30, distance_cm=65, origin="upper left", sampling_rate=500
    )
    gaze = pymovements.gaze.from_numpy(pixel=pixels.T, time=time, experiment=experiment)
    gaze.pix2deg()
    gaze.detect("idt", dispersion_threshold=1.0, minimum_duration=100)
    in_pixels = {"position_column": "pixel", "method": "median"}
    gaze.compute_event_properties(("location", in_pixels))
    return fixations_from_pymovements(
        gaze, image="simulated", observer=observer, shapes=SHAPE, on_screen=ON_SCREEN
    )


def main():
    rng = np.random.default_rng(0)
    maps = {}
    for observer in ("ann", "bob", "cem"):
        places = np.clip(rng.normal([260, 110], 25, (9, 2)), 0, [399, 299])
        table = find_fixations(*record(rng, places), observer)
        print(f"{observer}: {len(table)} fixations, {table['duration'].sum():.0f} ms")
        maps[observer] = gazesal.gaze_heatmap(
            table[["x", "y"]], SHAPE, sigma=15, weights=table["duration"]
        )
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    saliency_map = np.exp(-((x - 260) ** 2 + (y - 110) ** 2) / (2 * 40**2))
    center_bias = gazesal.GaussianCenterBias.clarke_tatler().on_image(SHAPE)
    for observer, gaze_map in maps.items():
        score = gazesal.sauc(saliency_map, gaze_map, center_bias)
        print(f"sAUC against {observer}: {score:.3f}")


if __name__ == "__main__":
    main()
