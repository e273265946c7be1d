"""The study from its releases to its tables, step by step."""

from __future__ import annotations

import importlib.util
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch

import gazesal
from gazesal._files import atomic_path, digest_of_file, write_text
from gazesal._validation import as_count
from gazesal.cxr.classification import label_aucs
from gazesal.cxr.lung_hull import find_lung_hulls
from gazesal.cxr.models import load_model
from gazesal.cxr.replication.inputs import (
    PHASES,
    find_checkpoints,
    fingerprint_of_files,
    fingerprint_of_readings,
    require_one_process,
    settings_that_count,
)
from gazesal.cxr.replication.maps import KINDS, StoredMap, store_maps
from gazesal.cxr.replication.page import write_page
from gazesal.cxr.replication.report import markdown_of, sections_of
from gazesal.cxr.replication.steps import Steps
from gazesal.cxr.segmentation import Segmenter, segment_lungs
from gazesal.cxr.training.images import LabelledImages
from gazesal.cxr.training.prediction import predict
from gazesal.cxr.training.run import train
from gazesal.cxr.training.settings import PRESETS, TrainingSettings
from gazesal.datasets.mimic_cxr_jpg import MimicCxrJpg
from gazesal.datasets.reflacx import Reflacx
from gazesal.evaluation.cases import SEGMENTATION, Case
from gazesal.evaluation.fingerprints import fingerprint
from gazesal.evaluation.reflacx_cases import cases_from_reflacx
from gazesal.evaluation.run import evaluate
from gazesal.exceptions import UndefinedMetricWarning
from gazesal.reporting.figures import draw_evaluation, save_figure
from gazesal.reporting.html_page import report_extra_is_there
from gazesal.reporting.pictures import read_picture

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
        The tables in it by name, which lie beside it as CSV.
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
    jobs: int = 1,
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
        that changes with it, or else by its name alone. Without `lungs` the segmentation baseline
        is left out.
    n_readers : int, default 5
        Images that keep so many readings are scored.
    center_bias : {"in_sample", "left_out"}, default "in_sample"
        Whether the centre bias of an image contains its own gaze, with boxes rounded to whole
        pixels, as in the study; or not, and without rounding.
    seed : int, default 0
        Of the first training; the others count up. And of the resampling.
    jobs : int, default 1
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
        If an option is out of range, a release is malformed, the folder holds other files or a
        finished training with other settings, or more than one device or process is asked for.
    FileNotFoundError
        If a release, a picture, a mask or a checkpoint is missing.

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
    A training that was cut off goes on from its last epoch; one that is finished is never
    emptied.

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
    >>> release = gazesal.write_synthetic_reflacx(
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
    seed = as_count(seed, name="seed", least=0)
    require_one_process(trainer or {} if checkpoints is None else {})
    out = Path(out)
    release, pictures = Reflacx(reflacx, phases=PHASES), MimicCxrJpg(mimic)
    images = LabelledImages.from_mimic(pictures, gaze_subjects=release.subjects())
    scored = _scored_images(release, n_readers)
    release.check_picture_sizes(mimic, images=scored.values())
    paths = {name: release.picture_path(image, mimic) for name, image in scored.items()}
    contents = {name: digest_of_file(path) for name, path in paths.items()}
    if device is None:
        wanted = (trainer or {}).get("accelerator", "auto") in {"auto", "gpu", "cuda"}
        device = "cuda" if wanted and torch.cuda.is_available() else "cpu"
    own = None if checkpoints is None else find_checkpoints(Path(checkpoints), n_models)
    steps = Steps(out, tell or (lambda _: None))
    gaze = fingerprint_of_readings(release, reflacx)
    of_training, prepared = settings_that_count(settings)
    of_images = images.fingerprint()
    store = out / "cache" if cache is None else Path(cache)
    run = partial(predict, images=images, settings=settings, workers=workers, cache=store)
    of_lungs: list[str] = []
    if callable(lungs):
        lungs = steps(
            "lungs",
            partial(_segment, paths, lungs),
            inputs={"segmenter": fingerprint(lungs), "scored": contents},
        )
        of_lungs = ["lungs"]
    score_steps, auc_steps = {}, {}
    for model in range(n_models):
        maps: dict[str, dict[str, StoredMap]] = {}
        needed = []
        for network in KINDS:
            key = f"{network}-{model}"
            if own is None:
                folder = steps(
                    f"train-{key}",
                    partial(
                        _train, images, network, settings, seed + model,
                        workers=workers, cache=store, trainer=trainer, progress=progress,
                    ),
                    inputs={
                        "settings": of_training,
                        "images": of_images,
                        "network": network,
                        "seed": seed + model,
                    },
                    outputs=["weights.pt"],  # on which all else rests; logs hold the time
                    precious=True,
                )  # fmt: skip
                weights, after = folder / "weights.pt", [f"train-{key}"]
                facts: dict[str, Any] = {}
            else:
                weights, after = own[network][model], []
                facts = {"checkpoint": digest_of_file(weights)}
            load = partial(load_model, network, weights)  # type: ignore[arg-type]
            if len(images.where("test")):
                auc_steps[key] = steps(
                    f"classify-{key}",
                    partial(_classify, images, load, run, device),
                    inputs={"settings": prepared, "images": of_images, **facts},
                    after=after,
                )
            folder = steps(
                f"maps-{key}",
                partial(_store, paths, load, settings, device),
                inputs={"settings": prepared, "scored": contents, **facts},
                after=after,
            )
            needed.append(f"maps-{key}")
            for name, kind in KINDS[network].items():
                maps[name] = {i: StoredMap(folder / f"{i}.npz", kind) for i in paths}
        score_steps[model] = steps(
            f"score-{model}",
            partial(
                _score, release, maps, lungs, n_readers, center_bias, seed, jobs, progress,
                scored=scored, mimic=Path(mimic), figure=model == 0, notes=notes,
            ),
            inputs={
                "center_bias": center_bias,
                "n_readers": n_readers,
                "gaze": gaze,
                "lungs": None if lungs is None else fingerprint_of_files(Path(lungs)),
            },
            after=[*needed, *of_lungs],
        )  # fmt: skip
    facts_of_run = [
        f"gazesal {gazesal.__version__}; {images!r}",
        f"{len(scored)} images with {n_readers} readings are scored; {n_models} trainings of each "
        f"network{'' if own is None else ', from checkpoints'}",
        f"settings: {_nearest_preset(settings)}",
        f"centre bias: {center_bias.replace('_', ' ')}; AUCs are exact",
    ]
    if lungs is None:
        facts_of_run.append("no lung masks were given: the segmentation baseline is left out")
    found = Replication(
        report=out / "report.md",
        page=out / "report.html" if report_extra_is_there() else None,
        tables={},
        scores=_read_scores(score_steps),
        ran=steps.ran,
        kept=steps.kept,
    )
    options = {
        **settings.to_dict(),
        "center_bias": center_bias,
        "n_readers": n_readers,
        "seed": seed,
        "trainings": n_models,
        "weights": "trained here" if own is None else "from checkpoints",
    }
    _write_report(
        found,
        steps.tell,
        title,
        notes,
        facts_of_run,
        _read_aucs(auc_steps),
        options,
        compared=beside_paper,
    )
    return found


def _write_report(
    found: Replication,
    tell: Callable[[str], None],
    title: str,
    notes: Sequence[str],
    facts: Sequence[str],
    aucs: pd.DataFrame,
    options: Mapping[str, Any],
    *,
    compared: bool,
) -> None:
    """Write the report, its tables and its page; add the tables to what was found."""
    out, figure = found.report.parent, "score-0/figure.png"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)  # shown as empty cells
        sections, made = sections_of(
            aucs=aucs,
            scores=found.scores,
            seed=options["seed"],
            figure=figure if (out / figure).is_file() else None,
            compared=compared,
        )
    found.tables.update(made)
    for name, table in made.items():
        write_text(out / "tables" / f"{name}.csv", table.to_csv(index=False, lineterminator="\n"))
    write_text(found.report, markdown_of(title, [*notes, *facts], sections))
    (out / "report.html").unlink(missing_ok=True)  # of an earlier run, with other numbers
    if found.page is None:
        tell("no report.html: it needs jinja2 and matplotlib, pip install 'gazesal[report]'")
    else:
        write_page(
            found.page,
            title=title,
            notes=notes,
            facts=facts,
            sections=sections,
            tables=made,
            scores=found.scores,
            settings=options,
            compared=compared,
        )


def _nearest_preset(settings: TrainingSettings) -> str:
    """The preset that is nearest, and every number that is another."""
    own = settings.to_dict()
    changes = {}
    for name in PRESETS:
        there = TrainingSettings.preset(name).to_dict()
        changes[name] = {key: own[key] for key in own if own[key] != there[key]}
    name = min(PRESETS, key=lambda each: len(changes[each]))
    listed = ", ".join(f"{key} {value}" for key, value in changes[name].items())
    return f"preset {name}" + (f", but {listed}" if listed else "")


def _train(
    images: LabelledImages,
    network: Any,
    settings: TrainingSettings,
    seed: int,
    folder: Path,
    **options: Any,
) -> None:
    """Train, or go on; weights are made again of the best checkpoint where there is one."""
    run = folder / "run"
    weights = run / "weights.pt"
    whole = (run / "best.ckpt").is_file() and (run / "curve.csv").is_file()
    if whole:
        weights.unlink(missing_ok=True)
    if not weights.is_file():
        if not whole:  # the last epoch's checkpoint would not bring them back
            (run / "last.ckpt").unlink(missing_ok=True)
        train(images, run, model=network, settings=settings, seed=seed, **options)
    with atomic_path(folder / "weights.pt") as temporary:
        temporary.write_bytes(weights.read_bytes())


def _classify(
    images: LabelledImages,
    load: Callable[[], Any],
    run: Callable[..., Any],
    device: str,
    folder: Path,
) -> None:
    """Logits and AUCs of the test images."""
    rows = images.where("test")
    logits = run(load(), split="test", device=device)
    names = [images.names[row] for row in rows]
    table = pd.DataFrame(logits, columns=list(images.labels), index=pd.Index(names, name="image"))
    patients = [images.patients[row] for row in rows]
    aucs = label_aucs(np.asarray(images.targets)[rows], logits, images.labels, patients=patients)
    write_text(folder / "logits.csv", table.to_csv(lineterminator="\n"))
    write_text(folder / "aucs.csv", aucs.to_csv(index=False, lineterminator="\n"))


def _store(
    paths: Mapping[str, Path],
    load: Callable[[], Any],
    settings: TrainingSettings,
    device: str,
    folder: Path,
) -> None:
    """Maps of the scored images; those of an earlier go are kept."""
    model = load().to(device)
    for name, path in paths.items():
        target = folder / f"{name}.npz"
        if not _is_whole_archive(target):
            store_maps(model, path, target, settings)


def _is_whole_archive(path: Path) -> bool:
    """Whether a file is there and all in it has its checksum."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (OSError, zipfile.BadZipFile):
        return False


def _segment(paths: Mapping[str, Path], segmenter: Segmenter, folder: Path) -> None:
    """Masks of the scored images; those of an earlier go that can be read are kept."""
    for path in folder.glob("*.png"):
        try:
            read_picture(path)
        except (OSError, ValueError):
            path.unlink()
    segment_lungs(paths, folder, segmenter)


def _score(
    release: Reflacx,
    maps: Mapping[str, Mapping[str, StoredMap]],
    lungs: str | Path | None,
    n_readers: int,
    center_bias: str,
    seed: int,
    jobs: int,
    progress: bool,
    folder: Path,
    *,
    scored: Mapping[str, str],
    mimic: Path,
    figure: bool,
    notes: tuple[str, ...],
) -> None:
    """Scores of one training of each network and of the baselines."""
    methods: dict[str, Any] = dict(maps)
    if lungs is not None:
        methods[SEGMENTATION] = find_lung_hulls(lungs)
    cases = cases_from_reflacx(release, methods, n_readers=n_readers)
    found = evaluate(
        cases,
        outside="keep",
        center_bias=center_bias,  # type: ignore[arg-type]
        rounding="study" if center_bias == "in_sample" else "none",
        seed=seed,
        jobs=jobs,
        progress=progress,
    )
    abnormal = release.abnormal()
    scores = found.scores
    readers = _reader_numbers(cases)
    table = scores.assign(
        reader=[readers[pair] for pair in zip(scores["image"], scores["observer"], strict=True)],
        abnormal=[bool(abnormal[scored[name]]) for name in scores["image"]],
    )[["image", "reader", "method", "metric", "score", "abnormal"]]
    if figure and importlib.util.find_spec("matplotlib") is not None:
        shown = next((n for n, image in scored.items() if abnormal[image]), next(iter(scored)))
        picture = read_picture(release.picture_path(scored[shown], mimic))
        summary = found.summary(n_resamples=1000)
        drawn = draw_evaluation(found, summary, image=shown, picture=picture, note="; ".join(notes))
        save_figure(drawn, folder / "figure.png")
    write_text(folder / "scores.csv", table.to_csv(index=False, lineterminator="\n"))


def _scored_images(release: Reflacx, n_readers: int) -> dict[str, str]:
    """Images that keep enough readings, by ``dicom_id``."""
    names = release.readings.drop_duplicates("image").set_index("image")["dicom_id"]
    found = {str(names[image]): image for image in release.kept_by_all(n_readers)}
    if len(found) < 2:
        raise ValueError(
            f"`n_readers` must leave at least two images to score, got {n_readers}, which leaves "
            f"{len(found)}."
        )
    return dict(sorted(found.items()))


def _reader_numbers(cases: list[Case]) -> dict[tuple[str, str], int]:
    """A number for each reading of an image: the release does not tell its readers apart."""
    return {
        (case.image, observer): number
        for case in cases
        for number, observer in enumerate(case.gaze)
    }


def _read_scores(folders: Mapping[int, Path]) -> pd.DataFrame:
    """Scores of all trainings in one table."""
    parts = [
        pd.read_csv(folder / "scores.csv", dtype={"image": str}).assign(model=model)
        for model, folder in folders.items()
    ]
    return pd.concat(parts).reset_index(drop=True)


def _read_aucs(folders: Mapping[str, Path]) -> pd.DataFrame:
    """AUCs of all trainings in one table."""
    parts = []
    for key, folder in folders.items():
        network, _, training = key.rpartition("-")
        table = pd.read_csv(folder / "aucs.csv")
        parts.append(table.assign(network=network, training=int(training)))
    return pd.concat(parts).reset_index(drop=True) if parts else pd.DataFrame()
