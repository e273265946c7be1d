"""Run `gazesal replicate` and `gazesal train`."""

from pathlib import Path
from typing import Any

import click

import gazesal
from gazesal.cli.run_contexts import plain_errors, require_writable

FOLDER = click.Path(path_type=Path, file_okay=False)
# synthetic release of the preset smoke, so small that training takes minutes
SMOKE = {"n_images": 24, "n_readers": 5, "n_unread": 240, "side": 128}


def training_options(command: Any) -> Any:
    """Add the options of training."""
    options = [
        click.option(
            "--settings",
            "settings_file",
            type=click.Path(path_type=Path, dir_okay=False),
            help="TOML file of training settings. Missing settings follow the text of Bigolin "
            "Lanfredi et al. (2021).",
        ),
        click.option(
            "--preset",
            type=click.Choice(["paper", "code", "smoke"]),
            help="Training settings: those in Bigolin Lanfredi et al. 2021 (paper, default), "
            "their published code (code), or a small and short training (smoke).",
        ),
        click.option(
            "--epochs",
            type=click.IntRange(1),
            help="Number of epochs, instead of the number in the settings.",
        ),
        click.option(
            "--workers",
            type=click.IntRange(0),
            default=0,
            show_default=True,
            help="Number of processes that read images, per device.",
        ),
        click.option("--cache", type=FOLDER, help="Folder in which downsampled images are cached."),
        click.option(
            "--accelerator", default="auto", show_default=True, help="Lightning's accelerator."
        ),
        click.option("--devices", default="1", show_default=True, help="Lightning's devices."),
        click.option(
            "--nodes",
            type=click.IntRange(1),
            default=1,
            show_default=True,
            help="Number of machines (Lightning's num_nodes).",
        ),
        click.option(
            "--strategy",
            default="auto",
            show_default=True,
            help="Lightning's strategy, for example ddp.",
        ),
        click.option(
            "--precision",
            default="32-true",
            show_default=True,
            help="Lightning's precision, for example bf16-mixed.",
        ),
        click.option("--quiet", is_flag=True, help="Show no progress bars."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command(short_help="Train a network of Bigolin Lanfredi et al. (2021).")
@click.option("--mimic", required=True, type=FOLDER, help="Folder of a MIMIC-CXR-JPG release.")
@click.option(
    "--reflacx",
    type=FOLDER,
    help="Folder of a REFLACX release. All images of its subjects are moved to the test set, as in "
    "Bigolin Lanfredi et al. (2021). Without it the split of MIMIC-CXR-JPG is used.",
)
@click.option("--out", required=True, type=FOLDER, help="Folder for the training.")
@click.option(
    "--model",
    type=click.Choice(["sononet", "ag_sononet"]),
    default="sononet",
    show_default=True,
    help="Network without (sononet) or with (ag_sononet) attention gates.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Seed of all random numbers.",
)
@training_options
def train(
    mimic: Path, reflacx: Path | None, out: Path, model: Any, seed: int, quiet: bool, **options: Any
) -> None:
    """Train a network of Bigolin Lanfredi et al. (2021), or resume a stopped training."""
    with plain_errors(kept=out, what="Finished epochs are"):
        from gazesal.cxr.training import LabeledImages  # noqa: PLC0415 (torch)
        from gazesal.cxr.training import train as run  # noqa: PLC0415 (torch)

        require_writable(out)
        subjects = [] if reflacx is None else gazesal.datasets.Reflacx(reflacx).subjects()
        images = LabeledImages.from_mimic(
            gazesal.datasets.MimicCxrJpg(mimic), gaze_subjects=subjects
        )
        if reflacx is None:
            click.echo(
                "Warning: without --reflacx, the training set contains images of subjects with "
                "gaze. Do not compare maps of this network with gaze on these images.",
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


@click.command(short_help="Replicate Bigolin Lanfredi et al. (2021).")
@click.option(
    "--reflacx", type=FOLDER, help="Folder of a REFLACX release, by default synthetic for smoke."
)
@click.option("--mimic", type=FOLDER, help="Folder of the MIMIC-CXR-JPG release of the images.")
@click.option("--out", required=True, type=FOLDER, help="Folder for the steps and the report.")
@click.option(
    "--seeds", type=click.IntRange(1), help="Number of trainings of each network, 5 in the paper."
)
@click.option(
    "--checkpoints",
    type=FOLDER,
    help="Folder with the folders sononet and ag_sononet, each with a checkpoint for every "
    "training. With it, no network is trained.",
)
@click.option(
    "--lungs",
    type=FOLDER,
    help="Folder of lung masks or probabilities, <dicom_id>.npy|png|tif, for the segmentation "
    "baseline. By default lung_masks in the folder of REFLACX, if it exists.",
)
@click.option(
    "--segment",
    is_flag=True,
    help="Segment the lungs with torchxrayvision, instead of --lungs. It downloads its weights.",
)
@click.option(
    "--readers",
    type=click.IntRange(2),
    default=5,
    show_default=True,
    help="Score images with this number of usable readings.",
)
@click.option(
    "--center-bias-rows",
    type=click.Choice(["in_sample", "left_out"]),
    default="in_sample",
    show_default=True,
    help="Center bias of an image with its own gaze, as in the paper, or without it.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Seed of all random numbers.",
)
@click.option(
    "--jobs",
    "n_jobs",
    type=int,
    default=-1,
    show_default=True,
    help="Number of processes, -1 for one per core.",
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
    center_bias_rows: Any,
    seed: int,
    n_jobs: int,
    quiet: bool,
    **options: Any,
) -> None:
    """Run the replication of Bigolin Lanfredi et al. (2021) from the raw releases.

    The steps train the networks, extract saliency maps, score them and write the tables. Each step
    writes its files into a folder in --out. If the command is run again, finished steps are
    skipped. With --preset smoke and without releases, all steps run on a synthetic release in
    minutes.
    """
    with plain_errors(kept=out, what="Finished steps and epochs, if any, are"):
        from gazesal.cxr import XrvLungs  # noqa: PLC0415 (torch)
        from gazesal.cxr.replication import replicate as run  # noqa: PLC0415 (torch)

        synthetic = reflacx is None and mimic is None and options["preset"] == "smoke"
        if not synthetic and (reflacx is None or mimic is None):
            raise click.UsageError("Give both --reflacx and --mimic, or --preset smoke.")
        require_writable(out)
        notes: tuple[str, ...] = ()
        if synthetic:
            reflacx = _synthetic(out / "release")
            mimic = reflacx / "mimic-cxr-jpg"
            notes = ("Synthetic data: no patient and no radiologist is in them",)
        assert reflacx is not None  # noqa: S101  (checked above)
        assert mimic is not None  # noqa: S101  (checked above)
        root = reflacx.parent if reflacx.name == "main_data" else reflacx
        if segment and lungs is not None:
            raise click.UsageError("--lungs and --segment exclude each other. Give one of them.")
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
            center_bias_rows=center_bias_rows,
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
    """Return the settings of a file or a preset, with another number of epochs if given."""
    from gazesal.cxr.training import TrainingSettings  # noqa: PLC0415 (torch)

    file, preset, epochs = (options[name] for name in ("settings_file", "preset", "epochs"))
    if file is not None and preset is not None:
        raise click.UsageError("--settings and --preset exclude each other. Give one of them.")
    settings = (
        TrainingSettings.preset(preset or "paper") if file is None else TrainingSettings.read(file)
    )
    return settings if epochs is None else settings.with_changes(epochs=epochs)


def _switches(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options of Lightning's trainer."""
    devices = options["devices"]
    return {
        "accelerator": options["accelerator"],
        "devices": int(devices) if devices.lstrip("-").isdigit() else devices,
        "num_nodes": options["nodes"],
        "strategy": options["strategy"],
        "precision": options["precision"],
    }


def _synthetic(folder: Path) -> Path:
    """Write a synthetic release unless it exists, and return its folder."""
    done = folder / "lesions.csv"  # the last file that is written
    if not done.is_file():
        click.echo("writing a synthetic release")
        gazesal.datasets.write_synthetic_reflacx(folder, seed=0, **SMOKE)
    return folder
