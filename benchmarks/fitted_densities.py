"""Compare fitted densities with fixed conversions of saliency maps on natural images.

Usage: python benchmarks/fitted_densities.py FOLDER [--images 100]

FOLDER holds fixations.csv.gz and the folder maps of the OSIE data that the tests use. Fixed
conversions include every method of `to_density` with several options, of which the best for the
scored images is named, so that it has an advantage. Bits are per fixation, means over images.
"""

import argparse
from pathlib import Path

import numpy as np

import gazesal

SHAPE = (75, 100)  # the maps have twice this size, and the images eight times
FIXED = {
    "sum": ("sum", {}),
    "shift": ("shift", {}),
    **{f"shift, minimum {m:g}": ("shift", {"minimum": m}) for m in (2.5, 10.0, 25.0, 100.0)},
    **{f"softmax, temperature {t:g}": ("softmax", {"temperature": t}) for t in (10, 30, 60, 120)},
}


def read(folder, n_images):
    """Return maps by method and image, and fixations by image."""
    table = gazesal.read_fixations(folder / "fixations.csv.gz", origin="one_based")
    found = gazesal.find_maps(folder / "maps")
    images = list(next(iter(found.values())))[:n_images]
    maps = {
        method: {
            image: gazesal.read_map(paths[image])
            .astype(np.float64)
            .reshape(SHAPE[0], 2, SHAPE[1], 2)
            .mean(axis=(1, 3))
            for image in images
        }
        for method, paths in found.items()
    }
    points = {}
    for image in images:
        places = (table.loc[table["image"] == image, ["x", "y"]].to_numpy() + 0.5) / 8 - 0.5
        inside = (places > -0.5).all(axis=1) & (places < np.array(SHAPE[::-1]) - 0.5).all(axis=1)
        points[image] = places[inside]
    return maps, points


def best_fixed(maps, points):
    """Return the name and the bits of the best fixed conversion."""
    bits = {
        name: np.mean(
            [
                gazesal.log_likelihood(gazesal.to_density(maps[i], method, **options), points[i])
                for i in maps
            ]
        )
        for name, (method, options) in FIXED.items()
    }
    name = max(bits, key=bits.get)
    return name, bits[name]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=100)
    arguments = parser.parse_args()
    maps, points = read(arguments.folder, arguments.images)
    print("| Map | Best fixed | Fitted | Fitted, with center bias | Gain over the center bias |")
    print("|---|---|---:|---:|---:|")
    for method, by_image in maps.items():
        name, fixed = best_fixed(by_image, points)
        alone = gazesal.fit_density(by_image, points, center_bias=None)
        biased = gazesal.fit_density(by_image, points)
        print(
            f"| `{method}` | {fixed:.3f} ({name}) | {alone.log_likelihood:.3f} | "
            f"{biased.log_likelihood:.3f} | {biased.information_gain:.3f} |",
            flush=True,
        )
        if biased.log_likelihood < fixed:
            raise SystemExit(f"{method}: {name} has more bits than the fit")
    print()
    print("| Map | Adds to the center bias and the two other maps |")
    print("|---|---:|")
    for method, by_image in maps.items():
        others = {name: each for name, each in maps.items() if name != method}
        found = gazesal.added_information(by_image, points, others, blurs=[0.02, 0.04])
        print(f"| `{method}` | {found.added} |", flush=True)


if __name__ == "__main__":
    main()
