"""The function `cases_from_manifest`: cases from a table that names the files of each image."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from gazesal._validation import as_choice
from gazesal._warnings import warn
from gazesal.datasets._arguments import as_path
from gazesal.datasets._records import read_records
from gazesal.datasets.fixation_table import read_fixations
from gazesal.datasets.screens import ScreenOrigin
from gazesal.evaluation.case import Case
from gazesal.evaluation.cases_from_tables import gaze_of_images, with_maps
from gazesal.evaluation.fixation_file import FixationFile
from gazesal.evaluation.gaze_from_maps import joined_gaze
from gazesal.evaluation.gaze_sources import MapSource
from gazesal.evaluation.manifest import Manifest, labels
from gazesal.evaluation.map_on_image import Framing, GeometryOf
from gazesal.exceptions import OffImageWarning
from gazesal.maps.heatmap import OUTSIDE, Outside

__all__ = ["cases_from_manifest"]


def cases_from_manifest(
    path: str | Path,
    *,
    fixations: pd.DataFrame | str | Path | None = None,
    root: str | Path | None = None,
    format: str | Path | None = None,  # noqa: A002 (as of read_fixations)
    origin: ScreenOrigin | None = None,
    unit: Literal["pixels", "shares"] | None = None,
    y_axis: Literal["down", "up"] | None = None,
    columns: Mapping[str, str] | None = None,
    duplicates: Literal["raise", "drop", "keep"] = "raise",
    outside: Outside = "raise",
    threshold: float | None = None,
    unmapped: Literal["raise", "gaze_only"] = "raise",
    absent: Literal["raise", "keep"] = "raise",
    input_geometry: Framing | GeometryOf | None = None,
) -> list[Case]:
    r"""Make cases of a manifest, a table with a row for each image that names its files.

    Parameters
    ----------
    path : str or path
        A CSV file, also compressed, a Parquet file (extra ``parquet``), a JSON list of records, or
        JSON Lines (``.jsonl``, ``.ndjson``), with the columns

        - ``image``, a unique name, ``width`` and ``height`` in pixels,
        - ``map:METHOD``, the file of a method's saliency map,
        - ``gaze:OBSERVER``, the file of an observer's fixations on the image, or of a finished
          gaze map, empty if the observer did not look at the image,
        - ``fixation_map:OBSERVER``, the map of the pixels that an observer fixated, or
          ``fixation_map`` of all observers together. See `FixationMap`,
        - ``gaze_map``, the finished gaze map of all observers together. See ``gaze_map`` of `Case`,
        - ``region:LABEL``, the mask of a region, empty if the image has no such region,
        - ``area``, the file of the pixels that count: a mask or weights, empty if all count. See
          ``area`` of `Case`,
        - ``group:NAME``, the group of the image, such as its finding,
        - ``picture``, the file of the image itself, for display only,
        - ``x_min``, ``y_min``, ``x_max``, ``y_max``, its box in pixels,
        - ``screen_x_min``, ``screen_y_min``, ``screen_x_max``, ``screen_y_max``, the edges of the
          image on the screen, and ``screen_width`` and ``screen_height`` of the screen, if
          fixations are measured on it; see `Screen`,
        - ``center_bias``, the file of its own center bias,
        - ``scored``, True, or False if its gaze is only used for the center bias.

        Only the first three are required, and columns of other names are ignored. A map is a file
        that `read_map` reads, or an array of a file that `open_maps` opens: ``store.h5#key``, or
        ``store.h5`` for the array named like the image, or for the only array.
    fixations : pandas.DataFrame, str or path, optional
        A table of fixations, as of `read_fixations`, or its file. Fixations on images that are not
        in the manifest are ignored.
    root : str or path, optional
        Folder of the paths in the manifest, which cannot lead out of it. By default the folder of
        the manifest.
    format : str or path, optional
        Format of the file `fixations`. See `read_fixations`.
    origin : {"pixel_center", "pixel_corner", "one_based", "screen_center"}, optional
        Origin of the coordinates in files of fixations. See `read_fixations`.
    unit : {"pixels", "shares"}, optional
        Unit of the coordinates in files of fixations. See `read_fixations`.
    y_axis : {"down", "up"}, optional
        Direction of y in files of fixations. See `read_fixations`.
    columns : mapping of str to str, optional
        Names of columns in files of fixations. See `read_fixations`.
    duplicates : {"raise", "drop", "keep"}, default "raise"
        Treatment of rows in files of fixations that repeat another.
    outside : {"raise", "drop", "keep"}, default "raise"
        Treatment of fixations outside their image. See `gaze_heatmap`. Files of single observers
        are read with their image, so fixations dropped from them are not counted.
    threshold : float, optional
        Pixels with a larger value in maps of fixated pixels are fixated. See `fixations_from_map`.
    unmapped : {"raise", "gaze_only"}, default "raise"
        Treatment of images for which a method has no map: an error, or use of their gaze for the
        center bias only.
    absent : {"raise", "keep"}, default "raise"
        Treatment of missing files: an error, or an error later when `evaluate` reads them.
    input_geometry : {"letterboxed", "center_cropped", "stretched"} or callable, optional
        Position of each image in its maps, if the maps span the input of a network. See
        `cases_from_tables`.

    Returns
    -------
    list of Case
        In the order of the images' names. Files of maps and of single observers' fixations are
        read when they are needed.

    Raises
    ------
    FileNotFoundError
        If the manifest or the table of fixations does not exist.
    ValueError
        If the manifest cannot be read or a value in it is invalid. The message names file, line
        and column. Also as for `read_fixations`, `open_maps` and `cases_from_tables`.
    ImportError
        If the extra of a file's format is not installed.

    Warns
    -----
    OffImageWarning
        If fixations were dropped under ``outside="drop"``, or will be dropped uncounted.
    InputWarning
        If maps do not cover their images, because `input_geometry` crops them.

    See Also
    --------
    cases_from_tables : From a table of fixations and folders of maps.
    evaluate : Score them.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> import gazesal
    >>> with TemporaryDirectory() as folder:
    ...     np.save(Path(folder, "map.npy"), np.eye(3))
    ...     for name in ("ann", "bob"):
    ...         _ = Path(folder, f"{name}.csv").write_text("x,y,duration\n1,2,0.3\n")
    ...     manifest = Path(folder, "manifest.csv")
    ...     _ = manifest.write_text(
    ...         "image,width,height,map:mine,gaze:ann,gaze:bob,group:site\n"
    ...         "7,3,3,map.npy,ann.csv,bob.csv,north\n"
    ...     )
    ...     cases = gazesal.cases_from_manifest(manifest)
    ...     cases[0].load_gaze("ann").points.tolist(), dict(cases[0].groups)
    ([[1.0, 2.0]], {'site': 'north'})
    """
    path = as_path(path, name="path")
    as_choice(outside, OUTSIDE, name="outside")
    as_choice(unmapped, ("raise", "gaze_only"), name="unmapped")
    as_choice(absent, ("raise", "keep"), name="absent")
    table, row = read_records(path)
    manifest = Manifest(
        path=path,
        row=row,
        root=path.parent if root is None else as_path(root, name="root"),
        check=absent == "raise",
        threshold=threshold,
    )
    table = manifest.checked(table)
    if threshold is not None and not any(name.startswith("fixation_map") for name in table.columns):
        raise ValueError(
            f"{path}: `threshold` is used only by columns of fixation_map, which are missing, got "
            f"{threshold!r}. Remove it."
        )
    rows: dict[Any, Any] = table.to_dict("index")
    if isinstance(fixations, (str, os.PathLike)):
        screens = {row["image"]: manifest.screen(line, row) for line, row in rows.items()}
        given: dict[str, Any] = {
            "origin": origin, "unit": unit, "y_axis": y_axis, "columns": columns,
            "duplicates": None if duplicates == "raise" else duplicates,
            "screen": screens if any(screens.values()) else None,
            "sizes": {
                row["image"]: (int(row["height"]), int(row["width"])) for row in rows.values()
            },
        }  # fmt: skip
        fixations = read_fixations(fixations, format, **given)
    reading = {
        "origin": origin,
        "unit": unit,
        "y_axis": y_axis,
        "columns": tuple((columns or {}).items()),
        "duplicates": duplicates,
        "outside": outside,
    }
    cases = [manifest.case(line, values, reading) for line, values in rows.items()]
    files = [s for case in cases for s in case.gaze.values() if isinstance(s, FixationFile)]
    if files and outside == "drop":
        warn(
            f"{path}: fixations outside their image in {len(files)} files of single observers will "
            "be dropped when the files are read, without being counted.",
            OffImageWarning,
        )
    if fixations is not None:
        cases = _joined(cases, fixations, outside, path)
    maps: dict[str, dict[str, MapSource]] = {method: {} for method in labels(table.columns, "map")}
    for line, values in rows.items():
        for method, source in manifest.maps(line, "map", values).items():
            maps[method][values["image"]] = source
    return with_maps(cases, maps, unmapped, input_geometry)


def _joined(cases: list[Case], fixations: pd.DataFrame, outside: Outside, path: Path) -> list[Case]:
    """Add the fixations of a table to the gaze of the cases."""
    shapes = {case.image: case.shape for case in cases}
    looked_at, dropped = gaze_of_images(fixations, shapes.__getitem__, outside, only=shapes)
    if dropped:
        warn(dropped, OffImageWarning)
    joined = []
    for case in cases:
        _, gaze = looked_at.get(case.image, (case.shape, {}))
        try:
            joined.append(replace(case, gaze=joined_gaze(case.image, case.gaze, gaze)))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
    return joined
