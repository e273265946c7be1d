"""Replication of the study, from its releases to its tables, in resumable steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import torch

import gazesal
from gazesal._validation import as_count
from gazesal.cxr.replication.inputs import (
    PHASES,
    ReplicationInputs,
    find_checkpoints,
    require_one_process,
    scored_images,
)
from gazesal.cxr.replication.plan import run_steps
from gazesal.cxr.replication.report_files import (
    nearest_preset,
    read_aucs,
    read_scores,
    write_report,
)
from gazesal.cxr.replication.step_store import StepStore
from gazesal.cxr.segmentation import Segmenter
from gazesal.cxr.training.labeled_images import LabeledImages
from gazesal.cxr.training.settings import TrainingSettings
from gazesal.cxr.training.train_model import as_seed
from gazesal.cxr.training.trainer_options import require_free_options
from gazesal.datasets.mimic_cxr_jpg import MimicCxrJpg
from gazesal.datasets.reflacx import Reflacx

__all__ = ["Replication", "replicate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replication:
    """Report, tables and scores of a replication.

    Attributes
    ----------
    report : pathlib.Path
        The report in Markdown.
    page : pathlib.Path or None
        The report as one HTML page, or None if the extra ``report`` is not installed.
    tables : dict of pandas.DataFrame
        Tables of the report by name. The folder ``tables`` holds the same tables as CSV files.
    scores : pandas.DataFrame
        One row per score: image, reader, model, method, metric, score, abnormal.
    ran, kept : list of str
        Names of the steps that ran, and of the steps whose files were kept.

    Notes
    -----
    `replicate` repeats the study of :footcite:t:`bigolin2021`.

    References
    ----------
    .. footbibliography::
    """

    report: Path
    page: Path | None
    tables: dict[str, pd.DataFrame] = field(repr=False)
    scores: pd.DataFrame = field(repr=False)
    ran: list[str]
    kept: list[str]


def replicate(
    reflacx: str | Path,
    mimic: str | Path,
    out: str | Path,
    *,
    seeds: int | None = None,
    settings: TrainingSettings | None = None,
    checkpoints: str | Path | None = None,
    lungs: str | Path | Segmenter | None = None,
    n_readers: int = 5,
    center_bias_rows: Literal["in_sample", "left_out"] = "in_sample",
    seed: int = 0,
    n_jobs: int = 1,
    workers: int = 0,
    cache: str | Path | None = None,
    trainer: Mapping[str, Any] | None = None,
    device: str | None = None,
    progress: bool = False,
    tell: Callable[[str], None] | None = None,
    title: str = "The study, replicated",
    notes: tuple[str, ...] = (),
    beside_paper: bool = True,
) -> Replication:
    """Run the replication of Bigolin Lanfredi et al. (2021): train, extract, score and tabulate.

    Parameters
    ----------
    reflacx, mimic : str or path
        Folders of the REFLACX and of the MIMIC-CXR-JPG release.
    out : str or path
        Folder for the steps and the report. A second call runs only the steps that are unfinished
        or that depend on inputs or settings that changed.
    seeds : int, optional
        Number of trainings of each network. By default the number in `settings`, five in the
        study.
    settings : TrainingSettings, optional
        Settings of the trainings. By default the preset ``"paper"``.
    checkpoints : str or path, optional
        Folder with the folders ``sononet`` and ``ag_sononet``, each with a checkpoint of every
        training, sorted by name (see `gazesal.cxr.load_model`). No network is trained then.
    lungs : str, path or callable, optional
        Folder of lung masks or probabilities by ``dicom_id`` (see `gazesal.cxr.find_lung_hulls`),
        or a segmenter that makes them (see `gazesal.cxr.segment_lungs`). The fingerprint of a
        segmenter is its attribute ``fingerprint``, a str that changes with it, or else its name,
        code and state, such as the weights of a network. Without `lungs` the segmentation baseline
        is left out.
    n_readers : int, default 5
        Score the images with this number of kept readings, at least two.
    center_bias_rows : {"in_sample", "left_out"}, default "in_sample"
        ``"in_sample"`` includes an image's own gaze in its center bias and rounds boxes to whole
        pixels, as in the study. ``"left_out"`` excludes it and does not round.
    seed : int, default 0
        Seed of the first training, and of the resampling. Each further training adds one.
    n_jobs : int, default 1
        Number of processes that score. -1 is one per core.
    workers : int, default 0
        Number of processes that read images (see `gazesal.cxr.training.train`).
    cache : str or path, optional
        Folder for resized images. By default a folder in `out`.
    trainer : mapping, optional
        Options of Lightning's ``Trainer``, for one device in one process.
    device : str, optional
        Device for trained networks. By default a GPU if there is one and `trainer` does not
        have ``"accelerator": "cpu"``.
    progress : bool, default False
        Show progress bars.
    tell : callable, optional
        Called with one line per step.
    title : str
        Title of the report.
    notes : tuple of str
        Lines for the head of the report, for example to state that the data are synthetic.
    beside_paper : bool, default True
        Show the paper's numbers beside these.

    Returns
    -------
    Replication
        Paths of the report, its tables and the scores.

    Raises
    ------
    ValueError
        If an option is out of range or a release is malformed. If the folder holds other files, a
        finished training with other settings or a damaged checkpoint. If an option of `trainer` is
        set by the training itself, does not work on this machine, or asks for more than one device
        or process.
    FileNotFoundError
        If a release, a picture, a mask or a checkpoint is missing.

    Warns
    -----
    UserWarning
        If a segmenter has no ``fingerprint`` and uses values whose changes cannot be noticed.

    See Also
    --------
    gazesal.cxr.training.train : Train one network.
    gazesal.evaluate : Score the maps.

    Notes
    -----
    Repeats :footcite:t:`bigolin2021` from start to end, in steps that run once. AUCs are exact,
    while the study draws 1000 positives and negatives. The page on replicating the study lists all
    other differences.

    A step runs again if the bytes of its files or of its inputs, its settings or the version of
    gazesal's formats changed. For the training images only names and sizes are compared. An
    interrupted training resumes from its last epoch, and an interrupted scoring from its last image
    if pyarrow is installed. The folder of a finished training is never emptied.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    On a synthetic release, with a training far too short for real use:

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import gazesal
    >>> from gazesal.cxr.replication import replicate
    >>> from gazesal.cxr.training import TrainingSettings
    >>> folder = TemporaryDirectory()
    >>> release = gazesal.datasets.write_synthetic_reflacx(
    ...     Path(folder.name, "release"), n_images=3, n_readers=2, n_unread=12, side=96
    ... )
    >>> found = replicate(
    ...     release,
    ...     release / "mimic-cxr-jpg",
    ...     Path(folder.name, "out"),
    ...     seeds=1,
    ...     settings=TrainingSettings.preset("smoke").with_changes(
    ...         epochs=1, shortest_dimension=32, center_crop=32, evaluation_shortest_dimension=32
    ...     ),
    ...     n_readers=2,
    ...     center_bias_rows="left_out",
    ...     trainer={"accelerator": "cpu"},
    ...     notes=("Synthetic data",),
    ...     beside_paper=False,
    ... )
    >>> found.report.name
    'report.md'
    >>> found.ran[:3]
    ['train-sononet-0', 'classify-sononet-0', 'maps-sononet-0']
    >>> found.scores["image"].nunique()
    3
    >>> folder.cleanup()
    """
    settings = TrainingSettings() if settings is None else settings
    n_models = as_count(settings.models if seeds is None else seeds, name="seeds")
    seed = as_seed(seed, n_models - 1)
    trainer = trainer or {}
    require_free_options(trainer)
    require_one_process(trainer if checkpoints is None else {})
    out = Path(out)
    release, pictures = Reflacx(reflacx, phases=PHASES), MimicCxrJpg(mimic)
    images = LabeledImages.from_mimic(pictures, gaze_subjects=release.subjects())
    scored = scored_images(release, n_readers)
    release.check_picture_sizes(mimic, images=scored.values())
    own = None if checkpoints is None else find_checkpoints(Path(checkpoints), n_models)
    images.require_files(*(("train", "validate", "test") if own is None else ("test",)))
    if device is None:
        wanted = trainer.get("accelerator", "auto") in {"auto", "gpu", "cuda"}
        device = "cuda" if wanted and torch.cuda.is_available() else "cpu"
    study = ReplicationInputs(
        root=Path(reflacx),
        release=release,
        images=images,
        scored=scored,
        paths={name: release.picture_path(image, mimic) for name, image in scored.items()},
        settings=settings,
        n_models=n_models,
        own=own,
        lungs=lungs,
        n_readers=n_readers,
        center_bias_rows=center_bias_rows,
        seed=seed,
        n_jobs=n_jobs,
        workers=workers,
        cache=out / "cache" if cache is None else Path(cache),
        trainer=trainer,
        device=device,
        progress=progress,
        notes=notes,
    )
    steps = StepStore(out, tell or (lambda _: None))
    score_steps, auc_steps = run_steps(study, steps)
    facts = [
        f"gazesal {gazesal.__version__}; {images!r}",
        f"{len(scored)} images with {n_readers} readings are scored, {n_models} trainings of each "
        f"network{'' if own is None else ', from checkpoints'}",
        f"settings: {nearest_preset(settings)}",
        f"center bias: {center_bias_rows.replace('_', ' ')}",
        "AUCs are exact",
    ]
    if lungs is None:
        facts.append("segmentation baseline: left out, because no lung masks were given")
    scores = read_scores(score_steps)
    report, page, tables = write_report(
        study,
        out,
        tell=steps.tell,
        title=title,
        facts=facts,
        scores=scores,
        aucs=read_aucs(auc_steps),
        compared=beside_paper,
    )
    return Replication(
        report=report, page=page, tables=tables, scores=scores, ran=steps.ran, kept=steps.kept
    )
