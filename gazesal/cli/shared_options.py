"""Convert and declare the options that several commands share."""

import re
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np

import gazesal
from gazesal.cli.run_contexts import plain_errors


def size_option(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> tuple[int, int] | dict[str, tuple[int, int]] | None:
    """Convert WIDTHxHEIGHT to (H, W), or read the sizes of images from a table."""
    if value is None:
        return None
    match = re.fullmatch(r"(\d+)[xX](\d+)", value)
    if match:
        width, height = map(int, match.groups())
        if width < 1 or height < 1:
            raise click.BadParameter(f"width and height must be at least 1, got {value!r}.")
        return height, width
    if not Path(value).is_file():
        raise click.BadParameter(f"must be WIDTHxHEIGHT or a CSV file of sizes, got {value!r}.")
    with plain_errors():
        return gazesal.read_sizes(value)


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


def shared_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options shared by several commands."""
    options = [
        click.option(
            "--seed",
            type=click.IntRange(0),
            default=0,
            show_default=True,
            help="Seed of all random numbers.",
        ),
        click.option(
            "--jobs",
            "n_jobs",
            type=int,
            default=-1,
            show_default=True,
            help="Number of processes, -1 for one per core.",
        ),
        click.option("--quiet", is_flag=True, help="Show no progress bars."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def in_pixels(sigma: tuple[float, str], pixels_per_degree: float | None) -> float:
    """Return a sigma in pixels."""
    number, unit = sigma
    if unit == "px":
        if pixels_per_degree is not None:
            raise click.UsageError(
                "--pixels-per-degree must be used with a --sigma in degrees, for example 1deg."
            )
        return number
    if pixels_per_degree is None or not (np.isfinite(pixels_per_degree) and pixels_per_degree > 0):
        raise click.UsageError(
            "--sigma in degrees needs --pixels-per-degree, a positive number of image pixels."
        )
    return number * pixels_per_degree
