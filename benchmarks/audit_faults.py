"""Count how often `gazesal.audit` finds planted faults, and its false alarms in clean data.

Run with ``python benchmarks/audit_faults.py FOLDER``. The folder holds the gaze of OSIE (Xu et al.,
2014) as ``fixations.csv.gz`` with the columns image, observer, x, y and duration_ms, in 1-based
pixels of images of 800 x 600, and maps as ``maps/METHOD/IMAGE.png``.

Each audit has 40 images, drawn without replacement. A fault counts as found if a fault or warning
about the gaze names it. A false alarm is any fault or warning about the place of the gaze or its
durations in clean data. The results are in ``docs/concepts/audits.md``.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # one core, before numpy starts its threads

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np

import gazesal
from gazesal.auditing.audit import judge
from gazesal.auditing.corrections import CORRECTIONS
from gazesal.auditing.read_image import ImageContents, read_image
from gazesal.auditing.readings import read_gaze

SIZE = np.array([800.0, 600.0])
IMAGES = 40  # images of an audit
CLEAN = 100  # audits of clean data
FAULTS = {  # name of the finding, and function of the points
    "mirrored": ("mirrored", lambda p: [799, 0] + p * [-1, 1]),
    "upside down, or y up": ("upside_down", lambda p: [0, 599] + p * [1, -1]),
    "both (rotated by 180 degrees)": ("rotated_180", lambda p: [799, 599] - p),
    "x and y exchanged": ("transposed", lambda p: p[:, ::-1]),
    "shares": ("shares", lambda p: (p + 0.5) / SIZE),
    "half size": ("half_size", lambda p: (p + 0.5) / 2 - 0.5),
    "double size": ("double_size", lambda p: (p + 0.5) * 2 - 0.5),
    "origin at the center": ("centered", lambda p: p - (SIZE - 1) / 2),
    "origin at the center, y up": (
        "centered_upside_down",
        lambda p: (p - (SIZE - 1) / 2) * [1, -1],
    ),
    "100 pixels too far left": ("shifted_right", lambda p: p - [100, 0]),
    "75 pixels too far up": ("shifted_down", lambda p: p - [0, 75]),
    "1-based": ("one_based", lambda p: p + 1),
    "1-based, whole pixels": ("one_based", lambda p: np.floor(p + 0.5) + 1),
}
DURATIONS = {  # name of the finding, declared unit, and function of the durations in ms
    "ms taken as s, then converted to ms": ("duration_unit", "ms", lambda d: d * 1000),
    "s taken as ms": ("duration_unit", "ms", lambda d: d / 1000),
    "ms taken as s, unit not declared": ("duration_unit", None, lambda d: d * 1000),
    "one fixation of each reading in s": (
        "mixed_durations",
        "ms",
        lambda d: np.where(np.arange(len(d)) == 0, 0.09, d),
    ),
}
# Findings about the place of the gaze and its durations, which are false alarms in clean data.
PLACES = {each.name for each in CORRECTIONS} | {
    *("one_corner", "off_image", "one_based", "half_pixels", "lost_eye", "duration_unit"),
    "mixed_durations",
}


class Found(NamedTuple):
    """Shares of audits: with the right finding, with any finding, and without a decision."""

    right: float
    any: float
    undecided: float


class Data(NamedTuple):
    """Readings by image, and the contents of the images with maps."""

    gaze: dict[str, list[gazesal.Gaze]]
    contents: dict[str, ImageContents]


def load(folder: Path) -> Data:
    """Read the gaze and the maps of the images that have maps of every method."""
    table = gazesal.read_fixations(folder / "fixations.csv.gz", columns={"duration": "duration_ms"})
    table[["x", "y"]] -= 1.0  # the first pixel is 1
    maps = gazesal.find_maps(folder / "maps")
    images = set.intersection(*(set(own) for own in maps.values()))
    cases = gazesal.cases_from_tables(
        table[table["image"].isin(images)], maps, (600, 800), outside="keep"
    )
    gaze = {case.image: list(case.gaze.values()) for case in cases}
    return Data(gaze, {case.image: read_image(case, False) for case in cases})


def audits(
    data: Data,
    methods: list[str],
    observers: int | None,
    fault: str,
    repeats: int,
    permuted: bool = False,
) -> Found:
    """Count the findings in audits of resampled images with a planted fault."""
    name, move = FAULTS.get(fault, ("", lambda p: p))
    unit = "ms"
    if fault in DURATIONS:
        name, unit, change = DURATIONS[fault]
    names = sorted(data.gaze)
    right = any_found = undecided = 0
    for repeat in range(repeats):
        rng = np.random.default_rng([repeat, 16])
        chosen = [names[i] for i in rng.choice(len(names), IMAGES, replace=False)]
        of_maps = list(rng.permutation(chosen)) if permuted else chosen
        cases, contents = [], []
        for image, of_map in zip(chosen, of_maps, strict=True):
            readings = data.gaze[image]
            if observers is not None:
                readings = [readings[i] for i in rng.choice(len(readings), observers, False)]
            points = np.concatenate([each.points for each in readings])
            durations = np.concatenate([each.durations for each in readings])
            if fault in DURATIONS:
                durations = change(durations)
            # The readings of an image are one, because most checks take time for each reading.
            gaze = {"all": gazesal.Gaze(points=move(points), durations=durations)}
            case = gazesal.Case(
                image=image, shape=(600, 800), gaze=gaze, maps=dict.fromkeys(methods)
            )
            read = data.contents[of_map]
            cases.append(case)
            contents.append(
                read._replace(
                    gaze=read_gaze(case),
                    grids={m: read.grids[m] for m in methods},
                    facts=[],
                )
            )
        found = judge(cases, contents, duration_unit=unit)
        of_gaze = [each for each in found.findings if each.level != "note"]
        right += any(e.check == name and e.subject == "gaze" for e in of_gaze)
        any_found += any(each.check in PLACES for each in of_gaze)
        undecided += found.placement == "cannot tell"
    return Found(right / repeats, any_found / repeats, undecided / repeats)


def main() -> None:
    """Print the tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="folder with fixations.csv.gz and maps")
    parser.add_argument("--repeats", type=int, default=100, help="audits per planted fault")
    parser.add_argument("--observers", type=int, help="observers per image, by default all")
    arguments = parser.parse_args()
    data = load(arguments.folder)
    methods = sorted(next(iter(data.contents.values())).grids)
    columns = {**{name: [name] for name in methods}, "all three": methods}
    common = (arguments.observers,)
    print("| Planted fault |", " | ".join(columns), "|")
    print("|---|" + "---:|" * len(columns))
    for label, permuted in (("clean", False), ("maps of other images", True)):
        found = [audits(data, own, *common, label, CLEAN, permuted) for own in columns.values()]
        cells = [f"{each.any:.0%} ({each.undecided:.0%} cannot tell)" for each in found]
        print(f"| {label}: any finding |", " | ".join(cells), "|", flush=True)
    for fault in FAULTS:
        cells = [
            audits(data, own, *common, fault, arguments.repeats).right for own in columns.values()
        ]
        print(f"| {fault} |", " | ".join(f"{cell:.0%}" for cell in cells), "|", flush=True)
    for fault in DURATIONS:
        cell = audits(data, methods, *common, fault, arguments.repeats).right
        print(f"| {fault} |" + f" {cell:.0%} |" * len(columns), flush=True)


if __name__ == "__main__":
    main()
