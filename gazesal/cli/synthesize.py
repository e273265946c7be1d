"""`gazesal synthesize`: synthetic releases in the layouts of real ones."""

from pathlib import Path

import click

import gazesal
from gazesal.cli.options import plain_errors, require_writable


@click.group()
def synthesize() -> None:
    """Write synthetic data in the layout of a real release."""


@synthesize.command()
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
    help="Images that every reader reads, at most 198; a few more are read once.",
)
@click.option(
    "--readers", type=click.IntRange(2), default=5, show_default=True, help="Number of readers."
)
@click.option(
    "--unread",
    type=click.IntRange(0),
    default=6,
    show_default=True,
    help="Images of other subjects without gaze, any number.",
)
@click.option(
    "--side",
    type=click.IntRange(96),
    default=480,
    show_default=True,
    help="Longest side of the largest images in pixels.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of all draws."
)
def reflacx(out: Path, images: int, readers: int, unread: int, side: int, seed: int) -> None:
    """Chest-like images with readings, as REFLACX and MIMIC-CXR-JPG lie on disk.

    The data are synthetic: drawn from a seed, no patient and no radiologist in them. README.txt in
    the folder says what is where.
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
