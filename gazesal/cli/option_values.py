"""Convert the values of options."""

import re
from pathlib import Path

import click
import numpy as np

__all__ = [
    "display_option",
    "format_option",
    "format_options_option",
    "pairs_option",
    "rectangle_option",
    "sigma_option",
    "size_option",
]


SIDES = re.compile(r"(\d+)[xX](\d+)")


def size_option(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> tuple[int, int] | Path | None:
    """Convert WIDTHxHEIGHT to (H, W). Anything else is a table of sizes or a folder of pictures."""
    if value is None:
        return None
    if SIDES.fullmatch(value):
        width, height = _sides(value)
        return height, width
    if not Path(value).exists():
        raise click.BadParameter(
            f"must be WIDTHxHEIGHT, a CSV file of sizes or a folder of pictures, got {value!r}."
        )
    return Path(value)


def display_option(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> tuple[int, int] | None:
    """Convert WIDTHxHEIGHT to (W, H)."""
    if value is None:
        return None
    if not SIDES.fullmatch(value):
        raise click.BadParameter(f"must be WIDTHxHEIGHT, for example 1920x1080, got {value!r}.")
    return _sides(value)


def _sides(value: str) -> tuple[int, int]:
    """Return the numbers of WIDTHxHEIGHT."""
    width, height = map(int, value.lower().split("x"))
    if width < 1 or height < 1:
        raise click.BadParameter(f"width and height must be at least 1, got {value!r}.")
    return width, height


def rectangle_option(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> tuple[float, ...] | Path | None:
    """Convert four numbers with commas to edges. Anything else is a table of edges."""
    if value is None:
        return None
    try:
        edges = tuple(map(float, value.split(",")))
    except ValueError:
        edges = ()
    if len(edges) == 4:
        return edges
    if not Path(value).is_file():
        raise click.BadParameter(
            "must be X_MIN,Y_MIN,X_MAX,Y_MAX or a table with the columns image, x_min, y_min, "
            f"x_max, y_max, got {value!r}."
        )
    return Path(value)


def format_option(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> str | Path | None:
    """Return the name of a format, or the path of a TOML file that describes one."""
    return Path(value) if value is not None and value.lower().endswith(".toml") else value


def sigma_option(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> tuple[float, str] | None:
    """Split a sigma into its number and unit."""
    if value is None:
        return None
    match = re.fullmatch(r"([0-9.eE+-]+?)\s*(px|deg)?", value)
    try:
        number = float(match.group(1)) if match else float("nan")
    except ValueError:
        number = float("nan")
    if match is None or not (np.isfinite(number) and number > 0):
        raise click.BadParameter(
            "must be a positive number of pixels or degrees, for example 24, 24px or 1deg, got "
            f"{value!r}."
        )
    return number, match.group(2) or "px"


def pairs_option(
    _context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    """Convert pairs NAME=VALUE into a dictionary."""
    pairs = [value.partition("=") for value in values]
    for name, equals, _ in pairs:
        if not equals:
            raise click.BadParameter(f"must be {parameter.metavar}, got {name!r}.")
    return {name.strip(): theirs.strip() for name, _, theirs in pairs}


def format_options_option(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str | bool]:
    """Convert pairs NAME=VALUE into a dictionary, in which true and false are booleans."""
    truth = {"true": True, "false": False}
    pairs = pairs_option(context, parameter, values)
    return {name: truth.get(value.lower(), value) for name, value in pairs.items()}
