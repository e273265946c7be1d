"""The study from its releases to its tables, step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import torch

import gazesal
from gazesal._validation import as_count
from gazesal.cxr.replication.inputs import PHASES, find_checkpoints, require_one_process
from gazesal.cxr.replication.plan import do_steps
from gazesal.cxr.replication.report_files import (
    nearest_preset,
    read_aucs,
    read_scores,
    write_report,
)
from gazesal.cxr.replication.step_store import Steps
from gazesal.cxr.replication.study import Study, scored_images
from gazesal.cxr.segmentation import Segmenter
from gazesal.cxr.training.labeled_images import LabelledImages
from gazesal.cxr.training.settings import TrainingSettings
from gazesal.cxr.training.train_model import as_seed
from gazesal.cxr.training.trainer_options import require_free_switches
from gazesal.datasets.mimic_cxr_jpg import MimicCxrJpg
from gazesal.datasets.reflacx import Reflacx

__all__ = ["Replication", "replicate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replication:
    """What a replication left.

    Attributes
    ----------
    report : pathlib.Path
        The report, Markdown.
    page : pathlib.Path or None
        The report as one HTML page, where the extra ``report`` is installed.
    tables : dict of pandas.DataFrame
        The tables in it by name, which lie beside it as CSV, and no others.
    scores : pandas.DataFrame
        One row a score: image, reader, model, method, metric, score, abnormal.
    ran, kept : list of str
        Steps that were done, and those whose files were there.

    Notes
    -----
    The study is that of :footcite:t:`bigolin2021`; `replicate` runs it.

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
    center_bias: Literal["in_sample", "left_out"] = "in_sample",
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
    """Train, extract, score and rebuild the study's tables, in steps that are done once.

    Parameters
    ----------
    reflacx, mimic : str or path
        Folders of the REFLACX and of the MIMIC-CXR-JPG release.
    out : str or path
        Folder for the steps and the report. A second call does only what is not there, and what
        rests on inputs or settings that changed.
    seeds : int, optional
        Trainings of each network; by default those of the settings, five in the study.
    settings : TrainingSettings, optional
        By default those of the study's text.
    checkpoints : str or path, optional
        Folder with the folders ``sononet`` and ``ag_sononet``, each with a checkpoint of every
        training, taken in the order of their names; see `gazesal.cxr.load_model`. Then nothing is
        trained.
    lungs : str, path or callable, optional
        Folder of lung masks or probabilities by ``dicom_id``, see
        `gazesal.cxr.find_lung_hulls`; or a segmenter that makes them, see
        `gazesal.cxr.segment_lungs`. A segmenter is known by its attribute ``fingerprint``, a str
        that changes with it, or else by its name, code and state, such as the weights of a
        network. Without `lungs` the segmentation baseline is left out.
    n_readers : int, default 5
        Images that keep so many readings are scored.
    center_bias : {"in_sample", "left_out"}, default "in_sample"
        Whether the center bias of an image contains its own gaze, with boxes rounded to whole
        pixels, as in the study; or not, and without rounding.
    seed : int, default 0
        Of the first training; the others count up. And of the resampling.
    n_jobs : int, default 1
        Processes that score, -1 for one a core.
    workers : int, default 0
        Processes that read images; see `gazesal.cxr.training.train`.
    cache : str or path, optional
        Folder for shrunk images; by default one in `out`.
    trainer : mapping, optional
        Switches of Lightning's ``Trainer``: one device in one process.
    device : str, optional
        Where trained networks are run: by default on a GPU if there is one and `trainer` does not
        say ``"accelerator": "cpu"``.
    progress : bool, default False
        Show progress bars.
    tell : callable, optional
        Called with a line on each step.
    title : str
        Title of the report.
    notes : tuple of str
        Lines for the report's head, such as that the data are synthetic.
    beside_paper : bool, default True
        Show the paper's numbers beside these.

    Returns
    -------
    Replication
        Where the report is, ``report.md`` and, with the extra ``report``, ``report.html``; and its
        tables.

    Raises
    ------
    ValueError
        If an option is out of range, a release is malformed, the folder holds other files, a
        finished training with other settings or a checkpoint that is torn, a switch of `trainer` is
        not free or does not work on this machine, or more than one device or process is asked for.
    FileNotFoundError
        If a release, a picture, a mask or a checkpoint is missing.

    Warns
    -----
    UserWarning
        If a segmenter has no ``fingerprint`` and uses values whose changes cannot be noticed.

    See Also
    --------
    gazesal.cxr.training.train : The first step.
    gazesal.evaluate : The one that scores.

    Notes
    -----
    :footcite:t:`bigolin2021` from start to end. AUCs are exact, where the study draws 1000
    positives and negatives; the page on replicating the study lists what else differs. A step is
    done again if the bytes of its files or of those it was made from, its settings or the version
    of gazesal's formats changed; of the images that are trained on, names and sizes are looked at.
    A training that was cut off goes on from its last epoch, and the scores of one from its last
    image where pyarrow is installed; a training that is finished is never emptied.

    References
    ----------
    .. footbibliography::

    Examples
    --------
    On a synthetic release and with a training that is much too short:

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
    ...     center_bias="left_out",
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
    require_free_switches(trainer)
    require_one_process(trainer if checkpoints is None else {})
    out = Path(out)
    release, pictures = Reflacx(reflacx, phases=PHASES), MimicCxrJpg(mimic)
    images = LabelledImages.from_mimic(pictures, gaze_subjects=release.subjects())
    scored = scored_images(release, n_readers)
    release.check_picture_sizes(mimic, images=scored.values())
    own = None if checkpoints is None else find_checkpoints(Path(checkpoints), n_models)
    images.require_files(*(("train", "validate", "test") if own is None else ("test",)))
    if device is None:
        wanted = trainer.get("accelerator", "auto") in {"auto", "gpu", "cuda"}
        device = "cuda" if wanted and torch.cuda.is_available() else "cpu"
    study = Study(
        root=Path(reflacx),
        release=release,
        mimic=Path(mimic),
        images=images,
        scored=scored,
        paths={name: release.picture_path(image, mimic) for name, image in scored.items()},
        settings=settings,
        n_models=n_models,
        own=own,
        lungs=lungs,
        n_readers=n_readers,
        center_bias=center_bias,
        seed=seed,
        n_jobs=n_jobs,
        workers=workers,
        cache=out / "cache" if cache is None else Path(cache),
        trainer=trainer,
        device=device,
        progress=progress,
        notes=notes,
    )
    steps = Steps(out, tell or (lambda _: None))
    score_steps, auc_steps = do_steps(study, steps)
    facts = [
        f"gazesal {gazesal.__version__}; {images!r}",
        f"{len(scored)} images with {n_readers} readings are scored; {n_models} trainings of each "
        f"network{'' if own is None else ', from checkpoints'}",
        f"settings: {nearest_preset(settings)}",
        f"center bias: {center_bias.replace('_', ' ')}; AUCs are exact",
    ]
    if lungs is None:
        facts.append("no lung masks were given: the segmentation baseline is left out")
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
