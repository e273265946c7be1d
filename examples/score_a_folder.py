"""Score folders of saliency maps against a table of fixations, and write the results to files.

``write_files`` simulates files like yours: a table with a row for each fixation, and maps as
``maps/<method>/<image>.npy``. ``main`` is all that you need for your own files.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

import gazesal

SHAPE = (90, 120)  # height, width


def write_files(folder):
    """Write six images with one salient place, four observers and two methods."""
    rng, rows = np.random.default_rng(0), []
    for image in map(str, range(1001, 1007)):
        place = rng.uniform([25, 20], [95, 70])
        for observer in ("ann", "bob", "cem", "dia"):
            points = rng.normal(place, 8, (10, 2)).clip(0, [119, 89])
            rows += [(image, observer, x, y, rng.gamma(4, 60)) for x, y in points]
        maps = {
            "good": gazesal.gaze_heatmap([place], SHAPE, sigma=9),
            "center": gazesal.gaze_heatmap([[60, 45]], SHAPE, sigma=25),
        }
        for method, values in maps.items():
            path = folder / "maps" / method / f"{image}.npy"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, values)
    columns = ["image", "observer", "x", "y", "duration"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "fixations.csv", index=False)


def main():
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_files(folder)

        fixations = gazesal.read_fixations(folder / "fixations.csv")
        maps = gazesal.find_maps(folder / "maps")
        cases = gazesal.cases_from_tables(fixations, maps, SHAPE)
        evaluation = gazesal.evaluate(cases, sigma=5.0)
        written = gazesal.reporting.write_report(evaluation, folder / "results")

        print(gazesal.reporting.summary_text(evaluation.summary()))
        print("wrote:", ", ".join(path.name for path in written))


if __name__ == "__main__":
    main()
