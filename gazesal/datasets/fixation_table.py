"""Read fixations from files of any usual kind, and from tables in memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from gazesal._validation import as_choice
from gazesal.datasets._arguments import as_path, as_text
from gazesal.datasets._clean_names import picture_stems
from gazesal.datasets._csv import require_each
from gazesal.datasets._dialects import Dialect
from gazesal.datasets._frames import as_table, is_table
from gazesal.datasets._image_sizes import Sizes, sizes_by_image
from gazesal.datasets.gaze_formats.column_names import CANONICAL, NAMED
from gazesal.datasets.gaze_formats.preset_tables import (
    Preset,
    presets,
    read_preset,
    unnamed_preset,
)
from gazesal.datasets.gaze_formats.read_table import TableOptions, fixations_of
from gazesal.datasets.gaze_formats.registry import FORMATS, read_format
from gazesal.datasets.gaze_formats.table_files import fixations_in_files, read_table
from gazesal.datasets.gaze_formats.table_positions import Geometry, report_shares
from gazesal.datasets.screen_tables import screens_by
from gazesal.datasets.screens import ORIGINS, Screen, ScreenOrigin

__all__ = ["FIXATION_COLUMNS", "read_fixations", "read_reading"]

FIXATION_COLUMNS = CANONICAL


def read_fixations(
    source: Any,
    format: str | Path | None = None,  # noqa: A002 (the usual name)
    *,
    columns: Mapping[str, str] | None = None,
    sizes: Sizes | None = None,
    screen: Screen | Mapping[str, Screen] | str | Path | None = None,
    origin: ScreenOrigin | None = None,
    unit: Literal["pixels", "shares"] | None = None,
    y_axis: Literal["down", "up"] | None = None,
    time_unit: Literal["ms", "s", "us", "ns"] | None = None,
    eye: Literal["left", "right", "both"] | None = None,
    duplicates: Literal["raise", "drop", "keep"] | None = None,
    missing: Literal["raise", "drop"] | None = None,
    files: str | None = None,
    delimiter: str | None = None,
    decimal: Literal[".", ","] | None = None,
    encoding: str | None = None,
    **options: Any,
) -> pd.DataFrame:
    r"""Read fixations from a file, a folder or a table in memory, and check every row.

    Without a format, the source is a table with one fixation per row. Its delimiter, decimal sign,
    encoding, comments, units and missing values are detected, and columns with usual names such as
    ``subject`` or ``fix_x`` are found. If anything is not clear, the error names the argument.

    Parameters
    ----------
    source : str, path or table
        A CSV file, also compressed (.gz, .bz2, .xz, .zip), a Parquet or Arrow file (.parquet, .pq,
        .feather, .arrow; extra ``parquet``), a folder of them, or what the format needs. A table is
        a data frame of pandas, polars (also lazy), Arrow or another library that narwhals reads, a
        dict of columns or a list of records.
    format : str or path, optional
        Name of a format of a tracker or a benchmark, such as ``"eyelink"``, ``"tobii"`` or
        ``"salicon"``. An unknown name raises an error with all names. A path is a TOML file of your
        own with the same keys as ``gazesal/datasets/gaze_formats/presets.toml``.
    columns : mapping of str to str, optional
        Names in the table of the columns ``image``, ``observer``, ``x``, ``y``, ``duration``,
        ``start``, ``end`` and ``eye``, if they are not found. With an empty name for ``duration``,
        every fixation has the same weight. With an empty name for ``observer``, all fixations
        belong to one observer, named 1.
    sizes : tuple of int, mapping of str to tuple of int, or path, optional
        (H, W) in pixels of all images, or by image, or a table that `read_sizes` reads. Needed for
        shares, for positions on a screen and if y points up.
    screen : Screen, mapping of str to Screen, or path, optional
        Screen on which the images were shown, for all images or by image, if positions are measured
        on it. A path is a table with the columns image, x_min, y_min, x_max, y_max of the edges of
        each image on the screen.
    origin : {"pixel_center", "pixel_corner", "one_based", "screen_center"}, optional
        Origin of the positions. ``"pixel_center"``: (0, 0) is the center of the first pixel, the
        default for pixels. ``"pixel_corner"``: (0, 0) is the outer corner of the image or screen,
        the default for shares. ``"one_based"``: (1, 1) is the center of the first pixel.
        ``"screen_center"``: (0, 0) is the center of the screen. By default as the format says.
    unit : {"pixels", "shares"}, optional
        Unit of the positions: pixels, or fractions of the width and height. By default as the
        format or the names of the columns (``x_norm``, ``x [px]``) say, or pixels.
    y_axis : {"down", "up"}, optional
        Direction of y. By default as the format says, or down.
    time_unit : {"ms", "s", "us", "ns"}, optional
        Unit of durations, which are converted to milliseconds. By default as the format or the
        names of the columns (``duration_s``) say. Without any, durations are not converted.
    eye : {"left", "right", "both"}, optional
        Eye to use if the source has both. By default both, with a warning.
    duplicates : {"raise", "drop", "keep"}, optional
        Handling of rows that repeat another row in every column of the table. By default
        ``"raise"``, except for formats in which repeated rows are usual.
    missing : {"drop", "raise"}, optional
        Handling of rows without a position or a duration: empty, ``.``, ``-``, ``n/a``, ``nan`` and
        similar marks. By default, such rows are omitted and counted in a warning.
    files : str, optional
        Pattern of the files in a folder, such as ``"*.csv"`` or ``"MARKER-MAPPER*/*.csv"``.
    delimiter : str, optional
        Character between the fields of a CSV file, or ``" "`` for any number of blanks.
    decimal : {".", ","}, optional
        Decimal sign of a CSV file.
    encoding : str, optional
        Encoding of a CSV file, such as ``"cp1252"``.
    **options
        Further options of a format of a benchmark. A wrong name raises an error with all names.

    Returns
    -------
    pandas.DataFrame
        Columns image and observer (str), x, y (image pixels, pixel centers at integers, y down) and
        duration (non-negative; milliseconds if the unit is known), in the order of the source, and
        further columns of a format. The index is the line of a CSV file, where the header is line
        1, the 1-based row of another table, or the file and line in a folder.

    Raises
    ------
    FileNotFoundError
        If the source does not exist.
    ValueError
        If the source cannot be read, a column is missing or not clear, there is no row, or a row
        has an invalid value. The message names file, line and column. If delimiter, decimal sign,
        encoding, unit, screen or sizes are needed and not clear.
    TypeError
        If `source` is neither a path nor a table, or an argument has a wrong type.
    ImportError
        If a file needs an extra that is not installed.

    Warns
    -----
    SkippedDataWarning
        If rows without a position, or rows that are no fixations, were omitted.
    InputWarning
        If the encoding was guessed, or both eyes are used.

    See Also
    --------
    fixations_from_screen : Convert positions on a screen in arrays.
    cases_from_tables : Join fixations with maps.

    Notes
    -----
    Blanks around names are removed, and their letters are composed (Unicode NFC). Names of images
    that end like a picture lose this suffix and the folders before it, because maps are named so:
    ``stimuli/7.png`` becomes ``7``, unless two images would have the same name.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import gazesal
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "fixations.csv")
    ...     _ = path.write_text("image;subject;x;y;duration_s\n7.png;ann;1,5;0,5;0,23\n")
    ...     table = gazesal.read_fixations(path, origin="pixel_corner")
    >>> table.loc[2].to_dict()
    {'image': '7', 'observer': 'ann', 'x': 1.0, 'y': 0.0, 'duration': 230.0}

    Positions on a screen that showed the images over its whole area:

    >>> events = {"image": ["7"], "observer": ["ann"], "x": [959.5], "y": [539.5], "duration": [9]}
    >>> screen = gazesal.Screen(display=(1920, 1080))
    >>> table = gazesal.read_fixations(events, screen=screen, sizes=(600, 800))
    >>> table[["x", "y"]].to_numpy().tolist()
    [[399.5, 299.5]]
    """
    if isinstance(format, str) and format in FORMATS:
        given = {
            "columns": columns, "sizes": sizes, "screen": screens_by(screen), "origin": origin,
            "unit": unit, "y_axis": y_axis, "time_unit": time_unit, "eye": eye,
            "duplicates": duplicates, "missing": missing, "files": files, "delimiter": delimiter,
            "decimal": decimal, "encoding": encoding,
        }  # fmt: skip
        given = {name: value for name, value in given.items() if value is not None}
        if "sizes" not in FORMATS[format].options:  # facts, which do no harm if not needed
            given.pop("sizes", None)
        return read_format(format, as_path(source, name="source"), {**given, **options})
    names = _names_in_table(columns)
    choices = {
        "origin": (origin, ORIGINS),
        "unit": (unit, ("pixels", "shares")),
        "y_axis": (y_axis, ("down", "up")),
        "time_unit": (time_unit, ("ms", "s", "us", "ns")),
        "eye": (eye, ("left", "right", "both")),
        "decimal": (decimal, (".", ",")),
        "duplicates": (duplicates, ("raise", "drop", "keep")),
        "missing": (missing, ("drop", "raise")),
    }
    for name, (value, allowed) in choices.items():
        if value is not None:
            as_choice(value, allowed, name=name)
    for name, text in (("delimiter", delimiter), ("encoding", encoding), ("files", files)):
        if text is not None and not as_text(text, name=name):
            raise ValueError(f"`{name}` must not be empty, got {text!r}.")
    if delimiter is not None and len(delimiter) != 1:
        raise ValueError(f"`delimiter` must be one character, got {delimiter!r}.")
    preset = _preset_of(format)
    if options:
        raise TypeError(
            f"`{min(options)}` is no option of tables. Remove it, or give the `format` that has it."
        )
    reading = TableOptions(
        columns=names,
        geometry=Geometry(
            unit=unit,
            origin=origin,
            y_axis=y_axis,
            size_of=sizes_by_image(sizes),
            screen=screens_by(screen),
        ),
        time_unit=time_unit,
        eye=eye,
        duplicates=duplicates or "raise",
        missing=missing or "drop",
        decimal=decimal,
    )
    dialect = Dialect(delimiter=delimiter, encoding=encoding)
    if is_table(source):
        table = _of_frame(source, preset, reading)
    else:
        path = as_path(source, name="source")
        table = fixations_in_files(path, preset, reading, dialect, files=files)
    if unit is None:
        report_shares(table)
    return table


def read_reading(
    path: Path,
    *,
    image: str,
    observer: str,
    geometry: Geometry,
    columns: Mapping[str, str] | None = None,
    duplicates: Literal["raise", "drop", "keep"] = "raise",
) -> pd.DataFrame:
    """Read a table of the fixations of one observer on one image, as `read_fixations` does.

    The columns image and observer are optional. If present, they must have the same names.
    """
    names = _names_in_table(columns)
    raw = read_table(path, Dialect())
    for key in ("image", "observer"):
        names.setdefault(key, key)
        if names[key] not in raw.columns:
            names[key] = ""
    options = TableOptions(columns=names, geometry=geometry, duplicates=duplicates, missing="drop")
    known = {"image": image, "observer": observer}
    table = fixations_of(raw, unnamed_preset(), options, source=str(path), known=known)
    for key, wanted in known.items():
        good = table[key].isin([wanted, *picture_stems([wanted])])
        row = str(table.index.name)
        require_each(table[key], good, path, f"{wanted!r}, whose file this is", row)
        table[key] = wanted
    return table


def _names_in_table(columns: Mapping[str, str] | None) -> dict[str, str]:
    """Return the names that the caller gives to columns."""
    if columns is not None and not isinstance(columns, Mapping):
        raise TypeError(
            f"`columns` must be a mapping to the names in the file, got {type(columns).__name__}."
        )
    names = dict(columns or {})
    unknown = sorted(set(names) - set(NAMED), key=str)
    if unknown:
        raise ValueError(
            f"`columns` must rename {', '.join(NAMED)}, got {', '.join(map(str, unknown))}."
        )
    if not all(isinstance(name, str) for name in names.values()):
        raise TypeError(f"`columns` must have names of columns as str, got {names}.")
    if any(not name and column not in {"observer", "duration"} for column, name in names.items()):
        raise ValueError(
            "`columns` must have a name for image, x and y, got an empty one. Only observer and "
            "duration may be empty."
        )
    theirs = [name for name in ({key: key for key in CANONICAL} | names).values() if name]
    if len(set(theirs)) < len(theirs):
        raise ValueError(f"`columns` must name different columns of the file, got {names}.")
    return names


def _preset_of(format: str | Path | None) -> Preset:  # noqa: A002 (the name of the argument)
    """Return the preset of a format."""
    if format is None:
        return unnamed_preset()
    if isinstance(format, Path) or str(format).endswith(".toml"):
        return read_preset(as_path(format, name="format"))
    known = presets()
    as_text(format, name="format")
    as_choice(format, (*known, *FORMATS), name="format")
    return known[format]


def _of_frame(source: Any, preset: Preset, options: TableOptions) -> pd.DataFrame:
    """Return the fixations of a table in memory, with 1-based rows as index."""
    if isinstance(source, (int, float)) or source is None:
        as_path(source, name="source")
    raw = as_table(source, name="source")
    numbered = raw.set_axis(pd.RangeIndex(1, len(raw) + 1, name="row"), axis=0)
    table = fixations_of(numbered, preset, options, source="`source`")
    table.attrs["source"] = "fixations"  # as messages of `cases_from_tables` name a table
    return table
