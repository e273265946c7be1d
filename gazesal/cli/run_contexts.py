"""Contexts in which a command runs: errors as single lines, SIGTERM, and a cluster."""

import signal
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import joblib

from gazesal import exceptions
from gazesal._text import printable
from gazesal.exceptions import IntervalWarning, UndefinedMetricWarning


def require_writable(folder: Path) -> None:
    """Raise unless files can be written into a folder."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass
    for path in made:  # an empty folder must not remain if the command fails later
        path.rmdir()


@contextmanager
def cluster(address: str | None) -> Iterator[None]:
    """Run joblib on the Dask cluster with this address, if one is given."""
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
        raise ValueError(
            f"--dask must be the address of a running scheduler, got {address}: {error}"
        ) from error
    with client, joblib.parallel_config(backend="dask", client=client):
        yield


class Terminated(KeyboardInterrupt):
    """The process received SIGTERM, for example from Slurm or ``docker stop``."""


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Convert SIGTERM to a KeyboardInterrupt, which stops workers and cleans up files."""

    def end(_number: int, _frame: object) -> None:
        # a second SIGTERM must not interrupt the cleanup
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise Terminated

    # only the main thread may set handlers
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def plain_errors(*, kept: Path | None = None, what: str = "Finished images are") -> Iterator[None]:
    """Print errors that a user can correct, and warnings, as single lines on standard error.

    After Ctrl-C and SIGTERM the line names the folder with the finished work.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")  # warnings of other libraries do not concern the user
        warnings.filterwarnings("always", category=UserWarning, module=r"gazesal(\.|$)")
        for ours in vars(exceptions).values():
            if isinstance(ours, type) and issubclass(ours, Warning):
                warnings.simplefilter("always", ours)
        for in_summary in (IntervalWarning, UndefinedMetricWarning):
            warnings.simplefilter("ignore", in_summary)
        # matplotlib warns for each letter that its font does not have
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        try:
            yield
        except KeyboardInterrupt as interrupt:
            where = "Nothing was saved." if kept is None else f"{what} kept in {kept}."
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
    """Return a message without control characters, which names in files may contain."""
    return printable(str(message), keep="\n")
