"""Declare the options of a run that several commands share."""

from functools import partial

import click

from gazesal.cli.option_groups import GroupedOption

__all__ = ["RUN_OPTIONS", "run_option"]

run_option = partial(click.option, cls=GroupedOption, group="Run")

RUN_OPTIONS = [
    run_option(
        "--jobs",
        "n_jobs",
        type=int,
        metavar="NUMBER",
        default=-1,
        show_default=True,
        help="Number of processes, -1 for one per core.",
    ),
    run_option(
        "--seed",
        type=click.IntRange(0),
        metavar="NUMBER",
        default=0,
        show_default=True,
        help="Seed of all random numbers.",
    ),
    run_option("--quiet", is_flag=True, help="Show no progress bars."),
]
