"""`gazesal replicate` and `gazesal train`."""

from pathlib import Path
from typing import Any

import click

import gazesal
from gazesal.cli.options import plain_errors, require_writable

FOLDER = click.Path(path_type=Path, file_okay=False)
SMOKE = {"n_images": 24, "n_readers": 5, "n_unread": 240, "side": 128}  # of its synthetic release


def training_options(command: Any) -> Any:
    """What both commands train with."""
    options = [
        click.option(
            "--settings",
            "settings_file",
            type=click.Path(path_type=Path, dir_okay=False),
            help="TOML file of settings; what it leaves out is as in the study's text.",
        ),
        click.option(
            "--preset",
            type=click.Choice(["paper", "code", "smoke"]),
            help="Settings that come with gazesal: the study's text (the default), its published "
            "code, or small and short.",
        ),
        click.option("--epochs", type=click.IntRange(1), help="In place of the settings' number."),
        click.option(
            "--workers",
            type=click.IntRange(0),
            default=0,
            show_default=True,
            help="Processes that read images, on each device.",
        ),
        click.option("--cache", type=FOLDER, help="Folder for shrunk images."),
        click.option("--accelerator", default="auto", show_default=True, help="As Lightning's."),
        click.option("--devices", default="1", show_default=True, help="As Lightning's."),
        click.option("--nodes", type=click.IntRange(1), default=1, show_default=True),
        click.option("--strategy", default="auto", show_default=True, help="As Lightning's: ddp."),
        click.option(
            "--precision",
            default="32-true",
            show_default=True,
            help="As Lightning's: 16-mixed, bf16-mixed.",
        ),
        click.option("--quiet", is_flag=True, help="No progress bars."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@click.option("--mimic", required=True, type=FOLDER, help="Folder of a MIMIC-CXR-JPG release.")
@click.option(
    "--reflacx",
    type=FOLDER,
    help="Folder of a REFLACX release: all images of its subjects go to the test set, as in the "
    "study. Without it they stay where MIMIC-CXR-JPG has them.",
)
@click.option("--out", required=True, type=FOLDER, help="Folder for the training.")
@click.option(
    "--model",
    type=click.Choice(["sononet", "ag_sononet"]),
    default="sononet",
    show_default=True,
    help="Without or with attention gates.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of all draws."
)
@training_options
def train(
    mimic: Path, reflacx: Path | None, out: Path, model: Any, seed: int, quiet: bool, **options: Any
) -> None:
    """Train one of the study's networks, or go on with a training that was cut off."""
    with plain_errors(kept=out, what="Finished epochs are"):
        from gazesal.cxr.training import LabeledImages  # noqa: PLC0415
        from gazesal.cxr.training import train as run  # noqa: PLC0415

        require_writable(out)
        subjects = [] if reflacx is None else gazesal.datasets.Reflacx(reflacx).subjects()
        images = LabeledImages.from_mimic(
            gazesal.datasets.MimicCxrJpg(mimic), gaze_subjects=subjects
        )
        if reflacx is None:
            click.echo(
                "Warning: without --reflacx, images of subjects with gaze stay among those that "
                "are trained on; the study moves them to the test set. Do not compare maps of "
                "this network with gaze on them.",
                err=True,
            )
        click.echo(f"{images!r}")
        trained = run(
            images,
            out,
            model=model,
            settings=_settings(options),
            seed=seed,
            workers=options["workers"],
            cache=options["cache"],
            trainer=_switches(options),
            progress=not quiet,
        )
    click.echo(f"{trained!r}\nwrote {trained.weights}")


@click.command()
@click.option(
    "--reflacx", type=FOLDER, help="Folder of a REFLACX release; for smoke, a synthetic one."
)
@click.option("--mimic", type=FOLDER, help="Folder of the MIMIC-CXR-JPG release it belongs to.")
@click.option("--out", required=True, type=FOLDER, help="Folder for the steps and the report.")
@click.option("--seeds", type=click.IntRange(1), help="Trainings of each network; 5 in the study.")
@click.option(
    "--checkpoints",
    type=FOLDER,
    help="Folder with the folders sononet and ag_sononet, each with a checkpoint of every "
    "training: nothing is trained.",
)
@click.option(
    "--lungs",
    type=FOLDER,
    help="Folder of lung masks or probabilities, <dicom_id>.npy|png|tif, for the segmentation "
    "baseline. By default lung_masks in the folder of REFLACX, where there is one.",
)
@click.option(
    "--segment",
    is_flag=True,
    help="Segment the lungs with torchxrayvision, in place of --lungs; it downloads its weights.",
)
@click.option(
    "--readers",
    type=click.IntRange(2),
    default=5,
    show_default=True,
    help="Score the images that keep so many readings.",
)
@click.option(
    "--center-bias",
    type=click.Choice(["in_sample", "left_out"]),
    default="in_sample",
    show_default=True,
    help="The center bias of an image with its own gaze, as in the study, or without.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of all draws."
)
@click.option(
    "--jobs",
    "n_jobs",
    type=int,
    default=-1,
    show_default=True,
    help="Processes; -1 for one a core.",
)
@training_options
def replicate(
    reflacx: Path | None,
    mimic: Path | None,
    out: Path,
    seeds: int | None,
    checkpoints: Path | None,
    lungs: Path | None,
    segment: bool,
    readers: int,
    center_bias: Any,
    seed: int,
    n_jobs: int,
    quiet: bool,
    **options: Any,
) -> None:
    """Train, extract, score and rebuild the study's tables from the raw releases.

    Each step leaves its files in a folder of --out; run again, the command does what is not there.
    With --preset smoke and no releases, all of it runs on a synthetic release in minutes.
    """
    with plain_errors(kept=out, what="Finished steps and epochs, if any, are"):
        from gazesal.cxr import XrvLungs  # noqa: PLC0415
        from gazesal.cxr.replication import replicate as run  # noqa: PLC0415

        synthetic = reflacx is None and mimic is None and options["preset"] == "smoke"
        if not synthetic and (reflacx is None or mimic is None):
            raise click.UsageError("--reflacx and --mimic are both needed, or --preset smoke.")
        require_writable(out)
        notes: tuple[str, ...] = ()
        if synthetic:
            reflacx = _synthetic(out / "release")
            mimic = reflacx / "mimic-cxr-jpg"
            notes = ("Synthetic data: no patient and no radiologist is in them",)
        assert reflacx is not None  # noqa: S101 - as is said above
        assert mimic is not None  # noqa: S101
        root = reflacx.parent if reflacx.name == "main_data" else reflacx
        if segment and lungs is not None:
            raise click.UsageError("--lungs and --segment must not both be given.")
        if lungs is None and not segment and (root / "lung_masks").is_dir():
            lungs = root / "lung_masks"
        found = run(
            reflacx,
            mimic,
            out / "steps" if synthetic else out,
            seeds=seeds,
            settings=_settings(options),
            checkpoints=checkpoints,
            lungs=XrvLungs() if segment else lungs,
            n_readers=readers,
            center_bias=center_bias,
            seed=seed,
            n_jobs=n_jobs,
            workers=options["workers"],
            cache=options["cache"],
            trainer=_switches(options),
            progress=not quiet,
            tell=click.echo,
            notes=notes,
            beside_paper=not synthetic,
        )
    for path in (found.report, found.page):
        if path is not None:
            click.echo(f"wrote {path}")


def _settings(options: dict[str, Any]) -> Any:
    """The settings of a file or a preset, with another number of epochs where it is given."""
    from gazesal.cxr.training import TrainingSettings  # noqa: PLC0415

    file, preset, epochs = (options[name] for name in ("settings_file", "preset", "epochs"))
    if file is not None and preset is not None:
        raise click.UsageError("--settings and --preset must not both be given.")
    settings = (
        TrainingSettings.preset(preset or "paper") if file is None else TrainingSettings.read(file)
    )
    return settings if epochs is None else settings.with_changes(epochs=epochs)


def _switches(options: dict[str, Any]) -> dict[str, Any]:
    """Lightning's switches."""
    devices = options["devices"]
    return {
        "accelerator": options["accelerator"],
        "devices": int(devices) if devices.lstrip("-").isdigit() else devices,
        "num_nodes": options["nodes"],
        "strategy": options["strategy"],
        "precision": options["precision"],
    }


def _synthetic(folder: Path) -> Path:
    """A synthetic release, written once."""
    done = folder / "lesions.csv"  # written last
    if not done.is_file():
        click.echo("doing a synthetic release")
        gazesal.datasets.write_synthetic_reflacx(folder, seed=0, **SMOKE)
    return folder
