"""Read the gaze of SALICON, which is the place of a mouse, from MATLAB files and from JSON."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from gazesal._validation import as_choice
from gazesal.datasets._json import parse_json
from gazesal.datasets.gaze_formats._files import files_in
from gazesal.datasets.gaze_formats._matlab import numbers, points, read_mat, records, text
from gazesal.datasets.gaze_formats._rows import omit, reading, table_of

SIZE = (480, 640)  # (H, W) of every image
KEYS = {"images", "annotations"}
MOST_BESIDE = 0.05  # share of fixations beside the image in sound files


def read_salicon(
    path: Path, *, samples: Literal["fixations", "mouse"] = "fixations"
) -> pd.DataFrame:
    """Read the MATLAB files of the releases of 2015 and 2017, a file or a folder of them.

    With ``samples="mouse"``, every sample of the mouse is returned, with its timestamp. The files
    do not name the workers, who are numbered from 1 on each image.
    """
    as_choice(samples, ("fixations", "mouse"), name="samples")
    rows: list[dict[str, Any]] = []
    for file in files_in(path, "*.mat"):
        with reading(file, "a file of SALICON"):
            content = read_mat(file)
            image = text(content["image"])
            for number, worker in enumerate(records(content["gaze"]), 1):
                mouse = samples == "mouse"
                places = points(worker["location" if mouse else "fixations"]) - 1
                row = {"image": image, "observer": str(number), "x": places[:, 0]}
                row |= {"y": places[:, 1], "order": np.arange(1, len(places) + 1)}
                if mouse:
                    row["timestamp"] = numbers(worker["timestamp"]).ravel()
                rows.append(row)
    return omit(table_of(rows, path, size=SIZE))


def read_salicon_json(path: Path) -> pd.DataFrame:
    """Read the annotations of SALICON, a JSON file in the layout of COCO or a folder of them.

    A fixation is (row, column) in it, counted from 1. Observers are the ids of the workers.
    """
    rows: list[dict[str, Any]] = []
    sizes = set()
    for file in files_in(path, "*.json"):
        with reading(file, "SALICON's annotations"):
            content = parse_json(file.read_text("utf-8-sig"))
            if path.is_dir() and not (isinstance(content, dict) and set(content) >= KEYS):
                continue
            if _is_results(content):
                raise ValueError(
                    "it has saliency maps, not fixations. Open them with "
                    "`gazesal.datasets.open_salicon_results`"
                )
            names = {image["id"]: image["file_name"] for image in content["images"]}
            unknown = {worker["image_id"] for worker in content["annotations"]} - set(names)
            if unknown:
                raise ValueError(
                    f"annotations must be of images in 'images', got image_id {min(unknown)!r}"
                )
            sizes |= {(image["height"], image["width"]) for image in content["images"]}
            for worker in content["annotations"]:
                places = points(worker["fixations"]) - 1
                row = {"image": names[worker["image_id"]], "observer": str(worker["worker_id"])}
                row |= {"x": places[:, 1], "y": places[:, 0]}
                rows.append(row | {"order": np.arange(1, len(places) + 1)})
    table = table_of(rows, path, size=sizes.pop() if len(sizes) == 1 else None)
    _require_rows_first(table)
    return omit(table)


def _require_rows_first(table: pd.DataFrame) -> None:
    """Raise if the fixations lie on images of one size only as (x, y)."""
    height, width = table.attrs.get("size", (np.inf, np.inf))
    x, y = table["x"].to_numpy(), table["y"].to_numpy()
    beside = (x >= width) | (y >= height)
    if beside.mean() > MOST_BESIDE and not ((x >= height) | (y >= width)).any():
        raise ValueError(
            f"{table.attrs['source']}: fixations must be [row, column], got {int(beside.sum())} of "
            f"{len(table)} beside images of {width} x {height}, which lie on them as [x, y]. "
            "Exchange the two."
        )


def _is_results(content: Any) -> bool:
    """Return whether parsed JSON has the saliency maps of a model."""
    first = content[0] if isinstance(content, list) and content else None
    return isinstance(first, Mapping) and "saliency_map" in first
