"""Run `gazesal synthesize`, which writes synthetic releases in the layout of real ones."""

from pathlib import Path

import click

import gazesal
from gazesal.cli.run_contexts import plain_errors, require_writable


@click.group()
def synthesize() -> None:
    """Write synthetic data in the layout of a real release."""


@synthesize.command(short_help="Write chest-like images in the layout of REFLACX.")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the release.",
)
@click.option(
    "--images",
    type=click.IntRange(2),
    default=12,
    show_default=True,
    help="Images read by all readers, at most 198. A few more are read by one reader.",
)
@click.option(
    "--readers", type=click.IntRange(2), default=5, show_default=True, help="Number of readers."
)
@click.option(
    "--unread",
    type=click.IntRange(0),
    default=6,
    show_default=True,
    help="Images of other subjects without gaze.",
)
@click.option(
    "--side",
    type=click.IntRange(96),
    default=480,
    show_default=True,
    help="Longer side of the largest images in pixels.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Seed of all random numbers.",
)
def reflacx(out: Path, images: int, readers: int, unread: int, side: int, seed: int) -> None:
    """Write chest-like images with readings in the layout of REFLACX and MIMIC-CXR-JPG.

    The data are computed from a seed and contain no patient and no radiologist. README.txt in the
    folder lists the files.
    """
    with plain_errors():
        require_writable(out)
        gazesal.datasets.write_synthetic_reflacx(
            out, n_images=images, n_readers=readers, n_unread=unread, side=side, seed=seed
        )
        release = gazesal.datasets.Reflacx(out, phases=(1, 2, 3))
    click.echo(
        f"Synthetic data, seed {seed}: no patient and no radiologist is in them.\n"
        f"wrote {len(release.readings)} readings of {release.readings['image'].nunique()} images, "
        f"{int(release.readings['discarded'].sum())} of them without eye tracking, and {unread} "
        f"images without readings into {out}"
    )
