"""What a user types turned into what the functions take, and their errors into one line."""

import re
import signal
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import joblib
import numpy as np

import gazesal
from gazesal import exceptions
from gazesal._text import printable
from gazesal.exceptions import IntervalWarning, UndefinedMetricWarning


def size_option(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> tuple[int, int] | dict[str, tuple[int, int]] | None:
    """WIDTHxHEIGHT or a table, as (H, W) or as one for each image."""
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
    """A number and its unit."""
    if value is None:
        return None
    match = re.fullmatch(r"([0-9.eE+-]+?)\s*(px|deg)?", value)
    try:
        number = float(match.group(1)) if match else float("nan")
    except ValueError:
        number = float("nan")
    if match is None or not (np.isfinite(number) and number > 0):
        raise click.BadParameter(
            f"must be a positive number of pixels or degrees, like 24, 24px or 1deg, got {value!r}."
        )
    return number, match.group(2) or "px"


def column_option(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    """Pairs NAME=THEIRS as a mapping."""
    pairs = [value.partition("=") for value in values]
    for name, equals, _ in pairs:
        if not equals:
            raise click.BadParameter(f"must be NAME=THEIRS, got {name!r}.")
    return {name.strip(): theirs.strip() for name, _, theirs in pairs}


def shared_options(command: Callable[..., None]) -> Callable[..., None]:
    """Options of both commands."""
    options = [
        click.option(
            "--seed",
            type=click.IntRange(0),
            default=0,
            show_default=True,
            help="Seed of all draws.",
        ),
        click.option(
            "--jobs",
            "n_jobs",
            type=int,
            default=-1,
            show_default=True,
            help="Processes; -1 for one a core.",
        ),
        click.option("--quiet", is_flag=True, help="No progress bars."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def in_pixels(sigma: tuple[float, str], pixels_per_degree: float | None) -> float:
    """Sigma in pixels, whatever unit it was given in."""
    number, unit = sigma
    if unit == "px":
        if pixels_per_degree is not None:
            raise click.UsageError("--pixels-per-degree goes with a --sigma in degrees, like 1deg.")
        return number
    if pixels_per_degree is None or not (np.isfinite(pixels_per_degree) and pixels_per_degree > 0):
        raise click.UsageError(
            "--sigma in degrees needs --pixels-per-degree, a positive number of image pixels."
        )
    return number * pixels_per_degree


def require_writable(folder: Path) -> None:
    """Raise unless files can be written into a folder, before any work is done for them."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass
    for path in made:  # leave nothing behind if the work fails
        path.rmdir()


@contextmanager
def cluster(address: str | None) -> Iterator[None]:
    """Work on the Dask cluster with this address, if one is given."""
    if address is None:
        yield
        return
    try:
        distributed: Any = import_module("distributed")
    except ImportError as error:
        raise ImportError("--dask needs distributed: pip install 'gazesal[dask]'.") from error
    try:
        client = distributed.Client(address, timeout=30)
    except (OSError, ValueError, TimeoutError) as error:
        raise ValueError(f"--dask {address}: no scheduler answers: {error}") from error
    with client, joblib.parallel_config(backend="dask", client=client):
        yield


class Terminated(KeyboardInterrupt):
    """The process was asked to end by SIGTERM, as by Slurm or ``docker stop``."""


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Take SIGTERM as Ctrl-C, so that what is at work is ended and tidied up first."""

    def end(_number: int, _frame: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once: what follows is the tidying up
        raise Terminated

    if threading.current_thread() is not threading.main_thread():  # the only one that may ask
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def plain_errors(*, kept: Path | None = None, what: str = "Finished images are") -> Iterator[None]:
    """Turn the errors a user can mend into one line on standard error, and warnings likewise.

    So it is with Ctrl-C and `Terminated`, which say what is kept and where.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")  # what other libraries say is not for a user of ours
        warnings.filterwarnings("always", category=UserWarning, module=r"gazesal(\.|$)")
        for ours in vars(exceptions).values():
            if isinstance(ours, type) and issubclass(ours, Warning):
                warnings.simplefilter("always", ours)
        for below_the_table in (IntervalWarning, UndefinedMetricWarning):
            warnings.simplefilter("ignore", below_the_table)
        # of matplotlib, one for each letter of a name that its font lacks, in the caller's name
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        try:
            yield
        except KeyboardInterrupt as interrupt:
            where = "Nothing was kept." if kept is None else f"{what} kept in {kept}."
            terminated = isinstance(interrupt, Terminated)
            click.echo(f"{'Terminated' if terminated else 'Interrupted'}. {where}", err=True)
            number = signal.SIGTERM if terminated else signal.SIGINT
            raise SystemExit(128 + number) from interrupt
        except (ValueError, TypeError, OSError, ImportError) as error:
            raise click.ClickException(_lines(error)) from error
        except MemoryError as error:
            raise click.ClickException(f"not enough memory: {_lines(error)}") from error
        finally:
            for message in dict.fromkeys(_lines(warning.message) for warning in caught):
                click.echo(f"Warning: {message}", err=True)


def _lines(message: object) -> str:
    """Return a message, in which names may come from others' files, without control characters."""
    return printable(str(message), keep="\n")
