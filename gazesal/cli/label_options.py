"""Declare the option of labels, and find the maps of labels."""

from functools import partial
from pathlib import Path
from typing import Any

import click

import gazesal
from gazesal.cli.option_groups import GroupedOption
from gazesal.datasets.map_stores import STORES
from gazesal.evaluation.label_cases import LABEL, PICTURE

__all__ = ["LABEL_OPTION", "find_label_maps", "label_defaults"]

ALL = "all"


def _labels(
    _context: click.Context, _parameter: click.Parameter, text: str | None
) -> bool | tuple[str, ...]:
    """Return the labels of the option: all, some, or none."""
    if text is None:
        return False
    named = tuple(each.strip() for each in text.split(",") if each.strip())
    return True if named == (ALL,) else named


LABEL_OPTION = partial(click.option, cls=GroupedOption)(
    "--labels",
    group="REFLACX",
    sources=("reflacx",),
    is_flag=False,
    flag_value=ALL,
    callback=_labels,
    metavar="[LABEL,...]",
    help="Score each label that a reader names apart, all labels or those listed: the maps in "
    "<method>/<label>/<dicom_id>.npy against the gaze while the label is named. Maps in "
    "<method>/<dicom_id>.npy belong to all labels. Use --regions ellipses for the ellipses of each "
    "label. By default with --readers 1, --ground-truth all and --leave-out picture.",
)


def label_defaults(options: dict[str, Any], given: set[str]) -> dict[str, Any]:
    """Return the options of a command with the defaults that fit labels.

    Parameters
    ----------
    options : dict
        All options by name.
    given : set of str
        Names of the options on the command line.

    Returns
    -------
    dict
        The options, with `summary_unit` and `summary_by` for the tables.
    """
    if not options["labels"]:
        return {**options, "summary_unit": "image", "summary_by": None}
    defaults = {"readers": 1, "ground_truth": "all"}
    if options.get("center_bias") == "images":
        defaults["leave_out"] = PICTURE  # the cases of an image share their readers
    chosen = {name: value for name, value in defaults.items() if name not in given}
    return {**options, **chosen, "summary_unit": PICTURE, "summary_by": LABEL}


def find_label_maps(folder: Path, **of_maps: Any) -> dict[str, Any]:
    """Find the maps of methods, by label and image or by image.

    Parameters
    ----------
    folder : pathlib.Path
        Folder with a folder or a store of maps for each method. A folder that holds folders, or
        only stores, has the maps by label.
    **of_maps
        Options of `find_maps`.

    Returns
    -------
    dict
        By method, maps by label and image, or maps by image.
    """
    if not folder.is_dir() or folder.suffix.lower() in STORES:
        return dict(gazesal.find_maps(folder, **of_maps))
    found: dict[str, Any] = {}
    for path in sorted(folder.iterdir()):
        stored = path.suffix.lower() in STORES
        if path.name.startswith(".") or not (stored or path.is_dir()):
            continue
        method = path.stem if stored else path.name
        if method in found:
            raise ValueError(f"{folder}: method {method!r} must have one source of maps, got two.")
        if stored:
            found[method] = gazesal.open_maps(path)
        elif _is_by_label(path, chosen=bool(of_maps)):
            found[method] = gazesal.find_maps(path, **of_maps)
        else:
            found[method] = gazesal.open_maps(path, **of_maps)
    return found or dict(gazesal.find_maps(folder, **of_maps))  # which raises if there is no map


def _is_by_label(folder: Path, *, chosen: bool) -> bool:
    """Return whether the folder of a method has a folder or a store of maps for each label.

    With a pattern or the name of an array, files of arrays are maps of single images.
    """
    inside = [path for path in folder.iterdir() if not path.name.startswith(".")]
    if any(path.is_dir() and path.suffix.lower() not in STORES for path in inside):
        return True
    stores = [path for path in inside if path.suffix.lower() in STORES]
    return bool(stores) and len(stores) == len(inside) and not chosen
