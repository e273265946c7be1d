"""Run `gazesal demo`."""

import importlib.util
import shlex
from pathlib import Path
from typing import Any

import click

import gazesal
from gazesal.cli.figure_image import picture_of_release
from gazesal.cli.option_groups import with_options
from gazesal.cli.output import show_and_write
from gazesal.cli.run_contexts import plain_errors, require_writable
from gazesal.cli.run_options import RUN_OPTIONS
from gazesal.cli.sources import cases_of_release, with_pictures_of_release
from gazesal.datasets.synthetic_reflacx import SYNTHETIC_METHODS
from gazesal.stats.interval_methods import DEFAULT_INTERVAL


@click.command(short_help="Write synthetic chest X-rays with gaze, and score them.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("gazesal-demo"),
    show_default=True,
    help="Folder for the synthetic release and the results.",
)
@click.option(
    "--images", type=click.IntRange(2), default=24, show_default=True, help="Number of images."
)
@click.option(
    "--readers", type=click.IntRange(2), default=5, show_default=True, help="Number of readers."
)
@with_options(RUN_OPTIONS)
def demo(out: Path, images: int, readers: int, seed: int, n_jobs: int, quiet: bool) -> None:
    """Write a synthetic release of chest X-rays with gaze, and score it.

    The data are computed from a seed and contain no patient and no radiologist. The saliency maps
    are made with known quality, so that the scores can be checked against it.
    """
    click.echo(
        f"Synthetic data: {images} chest-like images with scanpaths of {readers} synthetic "
        f"readers, seed {seed}.\nThey contain no patient and no radiologist. The maps show"
    )
    for method, meaning in SYNTHETIC_METHODS.items():
        click.echo(f"  {method:12} {meaning}")
    with_hull = importlib.util.find_spec("skimage") is not None
    if not with_hull:
        click.echo("no segmentation: it needs scikit-image, pip install 'gazesal[cxr]'")
    with plain_errors():
        require_writable(out)
        root = gazesal.datasets.write_synthetic_reflacx(
            out / "release", n_images=images, n_readers=readers, seed=seed
        )
        release, cases = cases_of_release(
            root,
            map_folder=root / "maps",
            sigma=None,
            phases="12",
            readers=readers,
            bad_readings="raise",
            lungs=root / "lung_masks" if with_hull else None,
            unmapped="raise",
        )
        mimic = root / "mimic-cxr-jpg"
        cases = with_pictures_of_release(release, cases, mimic)
        evaluation = gazesal.evaluate(
            cases,
            outside="keep",
            center_bias_rows="both",
            ceilings=True,
            controls=["other_gaze", "inverse"],
            resize="bilinear",
            seed=seed,
            n_jobs=n_jobs,
            progress=not quiet,
        )
        image, picture = picture_of_release(release, cases, mimic)
        settings: dict[str, object] = {"synthetic": True, "gazesal": gazesal.__version__}
        note = f"Synthetic data, seed {seed}: no patient and no radiologist is in them."
        show_and_write(evaluation, out, DEFAULT_INTERVAL, settings, image, picture, note)
    words: list[Any] = ["gazesal", "evaluate", "--reflacx", root, "--maps", root / "maps"]
    words += ["--resize", "bilinear", "--readers", readers, "--ceilings"]
    words += ["--controls", "other_gaze", "--controls", "inverse"]
    words += ["--out", "results"]
    click.echo(f"\nThe same from the files: {shlex.join(map(str, words))}")
