"""Score two saliency maps of one image against the gaze of five observers.

Fixations are converted to gaze maps. Each observer in turn is left out, and the mean of the others
is the ground truth. The center bias is the mean of the gaze on other images.
"""

import numpy as np

import gazesal

SHAPE = (120, 160)  # height, width
SIGMA = 8.0  # pixels, about one degree of visual angle


def look(rng, center, spread, n=15):
    """Simulate the fixations of one observer, with durations in milliseconds."""
    return rng.normal(center, spread, (n, 2)), rng.gamma(4.0, 60.0, n)


def main():
    rng = np.random.default_rng(0)

    def gaze_map(center, spread):
        points, durations = look(rng, center, spread)
        return gazesal.gaze_heatmap(points, SHAPE, sigma=SIGMA, weights=durations, outside="keep")

    gaze_maps = [gaze_map([110, 45], 12) for _ in range(5)]
    other_images = [gaze_map(rng.normal([80, 60], 25), 18) for _ in range(40)]
    center_bias = gazesal.CenterBias(other_images).density()

    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    methods = {
        "finds it": np.exp(-((x - 110) ** 2 + (y - 45) ** 2) / 600),
        "only the center": np.exp(-((x - 80) ** 2 + (y - 60) ** 2) / 1800),
    }
    print(f"{'':16}{'NCC':>8}{'AUC':>8}{'sNCC':>8}{'sAUC':>8}")
    for name, saliency_map in {"another observer": None, **methods}.items():
        scores = []
        for own, rest in gazesal.one_vs_rest(gaze_maps):
            tested = own if saliency_map is None else saliency_map
            scores.append(
                [
                    gazesal.ncc(tested, rest),
                    gazesal.auc_borji(tested, rest),
                    gazesal.sncc(tested, rest, center_bias),
                    gazesal.sauc(tested, rest, center_bias),
                ]
            )
        print(f"{name:16}" + "".join(f"{value:8.3f}" for value in np.mean(scores, axis=0)))


if __name__ == "__main__":
    main()
