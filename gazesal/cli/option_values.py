"""Convert the values of options."""

import re
from pathlib import Path

import click
import numpy as np

__all__ = ["column_option", "sigma_option", "size_option"]


def size_option(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> tuple[int, int] | Path | None:
    """Convert WIDTHxHEIGHT to (H, W). Anything else is a table of sizes or a folder of pictures."""
    if value is None:
        return None
    match = re.fullmatch(r"(\d+)[xX](\d+)", value)
    if match:
        width, height = map(int, match.groups())
        if width < 1 or height < 1:
            raise click.BadParameter(f"width and height must be at least 1, got {value!r}.")
        return height, width
    if not Path(value).exists():
        raise click.BadParameter(
            f"must be WIDTHxHEIGHT, a CSV file of sizes or a folder of pictures, got {value!r}."
        )
    return Path(value)


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


def column_option(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    """Convert pairs NAME=THEIRS into a dictionary."""
    pairs = [value.partition("=") for value in values]
    for name, equals, _ in pairs:
        if not equals:
            raise click.BadParameter(f"must be NAME=THEIRS, got {name!r}.")
    return {name.strip(): theirs.strip() for name, _, theirs in pairs}
