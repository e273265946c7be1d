"""Write a small study as plain files: a table of fixations, maps and pictures."""

import numpy as np
import pandas as pd
from scipy import ndimage

HEIGHT, WIDTH = 120, 100
METHODS = ("good", "noise", "other_image")


def write_plain_study(folder, n_images=4, n_observers=3, seed=0):
    """Write gaze around spots of each image, and maps of half size. `good` shows the spots."""
    rng = np.random.default_rng(seed)
    names = [f"img{i:03d}" for i in range(n_images)]
    spots = rng.uniform(0.15, 0.85, (n_images, 3, 2)) * [WIDTH, HEIGHT]
    rows = []
    for name, places in zip(names, spots, strict=True):
        for observer in range(n_observers):
            points = rng.normal(places[rng.integers(3, size=12)], 5.0)
            points = points.clip(0, [WIDTH - 1, HEIGHT - 1]).round(1)
            durations = rng.gamma(4.0, 60.0, 12).round(1)
            rows += [
                (name, f"observer{observer}", *point, time)
                for point, time in zip(points, durations, strict=True)
            ]
    table = pd.DataFrame(rows, columns=["image", "observer", "x", "y", "duration"])
    table.to_csv(folder / "fixations.csv", index=False)
    y, x = np.mgrid[:HEIGHT:2, :WIDTH:2]
    for i, name in enumerate(names):
        shown = [
            sum(np.exp(-((x - px) ** 2 + (y - py) ** 2) / 128) for px, py in spots[j])
            for j in (i, (i + 1) % n_images)
        ]
        noise = ndimage.gaussian_filter(rng.standard_normal((HEIGHT // 2, WIDTH // 2)), 4)
        for method, values in zip(METHODS, (shown[0], noise, shown[1]), strict=True):
            save(folder / "maps" / method / f"{name}.npy", values.astype(np.float32))
        save(folder / "images" / f"{name}.npy", np.full((HEIGHT, WIDTH), 40 * (i % 6), np.uint8))
    return folder


def save(path, array):
    """Write an array, and create the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, array)
