"""Checkpoints: finished images on disk, so that a run that ended early can be resumed."""

import json
import os
import re
import shutil
from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from gazesal._digests import digest_of_texts
from gazesal._files import naming
from gazesal._resume import resume_or_begin
from gazesal._warnings import warn
from gazesal.datasets._arguments import as_path
from gazesal.evaluation.case import Case
from gazesal.evaluation.groups import left_out_together
from gazesal.evaluation.options import EvaluationOptions
from gazesal.evaluation.score_rows import ImageScores, Rows
from gazesal.evaluation.storage.center_bias_file import read_bias, write_bias
from gazesal.evaluation.storage.fingerprints import (
    Notes,
    fingerprint,
    gaze_fingerprint,
    image_fingerprint,
    versions,
)
from gazesal.evaluation.storage.score_parts import (
    ADVICE,
    ELSEWHERE,
    MERGED,
    ScoreParts,
    require_pyarrow,
)
from gazesal.evaluation.worker_pool import SHARED
from gazesal.exceptions import InputWarning, SkippedDataWarning
from gazesal.maps.center_bias_model import CenterBiasModel

__all__ = ["AnyCheckpoint", "Checkpoint", "NoCheckpoint", "open_checkpoint"]

LAYOUT = 1  # of the files; a checkpoint of another layout is refused
NAMED = 3  # differing images that a message names
# temporary files and folders that a run removes if an earlier one left them
TORN_FILE = re.compile(r"\.[a-z0-9_]{8}\.partial\.(npz|json)")
SHARED_FOLDER = re.compile(re.escape(SHARED) + "[a-z0-9_]{8}")

T = TypeVar("T")
Checked: TypeAlias = Callable[[Any, dict[str, Any]], T]  # takes a center bias and its facts


class NoCheckpoint:
    """Stand-in for a checkpoint that keeps scores in memory and writes nothing."""

    folder: Path | None = None

    def __init__(self) -> None:
        self._rows = Rows()

    def close(self) -> None:
        """Do nothing."""

    def finished(self) -> set[str]:
        """Return no images, because no earlier run has scored any."""
        return set()

    def add(self, found: ImageScores) -> None:
        """Keep the scores of an image in memory."""
        self._rows.add(found)

    def collect(self, _images: Collection[str]) -> Rows:
        """Return all scores."""
        return self._rows

    def load_bias(
        self, _checked: Callable[[CenterBiasModel | None, dict[str, Any]], T]
    ) -> T | None:
        """Return None, because no earlier run has begun a center bias."""
        return None

    def save_bias(self, bias: CenterBiasModel | None, **facts: Any) -> None:
        """Do nothing."""


class Checkpoint:
    """A folder with the scores of finished images and the description of their run.

    ``checkpoint.json`` holds the options, the versions and the fingerprints of the gaze behind the
    center bias. ``center_bias.npz`` holds the center bias, also while it is being computed, with
    the digest of ``checkpoint.json``. The scores are in ``parts/*.parquet``. See `ScoreParts`. Only
    files whose names have the pattern of a run's files are removed.

    Parameters
    ----------
    folder : pathlib.Path
        The folder, made if absent.
    identity : dict
        Facts that must be the same to resume the run, as JSON can hold them.
    gaze : dict of str, optional
        Fingerprints of the gaze behind the center bias, by image.
    images : dict of str
        Fingerprints of the images to score, by name.
    merged : int, optional
        Number of small files of scores that are merged into one.

    Raises
    ------
    ValueError
        If the folder holds a different run, naming the differences, or a file that a run did not
        write.
    BlockingIOError
        If another run is using the folder.
    ImportError
        If the extra ``parquet`` is not installed.
    """

    def __init__(
        self,
        folder: Path,
        identity: Mapping[str, Any],
        gaze: Mapping[str, str] | None,
        images: Mapping[str, str],
        merged: int = MERGED,
    ) -> None:
        require_pyarrow("a checkpoint")
        self.folder: Path = folder
        self._images = images
        self._bias: Path = folder / "center_bias.npz"
        whole = {**identity, "gaze": gaze}
        self._digest: str = digest_of_texts([json.dumps(whole)])
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(folder)
        try:
            self.parts: ScoreParts = ScoreParts(folder / "parts", merged)
            for path in (self._bias, folder / "checkpoint.json"):
                if path.exists() and not path.is_file():
                    raise ValueError(f"{path}: must be a file, but is a folder: {ELSEWHERE}")  # noqa: TRY301 (closes the folder)
            self._begin_or_resume(whole)
            self.parts.read_index()
            self._tidy()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Release the lock, so that another run can use the folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def finished(self) -> set[str]:
        """Return the images to score whose scores are here, from the same input."""
        return {image for image, mark in self._images.items() if (image, mark) in self.parts}

    def add(self, found: ImageScores) -> None:
        """Write the scores of an image at once."""
        self.parts.add(found, self._images[found.image])

    def collect(self, images: Collection[str]) -> Rows:
        """Return the scores of finished images."""
        return self.parts.collect({image: self._images[image] for image in images})

    def load_bias(self, checked: Checked[T]) -> T | None:
        """Load the center bias, which may be unfinished, and return the result of `checked`.

        `checked` takes the center bias and the facts saved with it. Return None if there is no
        file. If it is torn, is from another run, or `checked` raises an error, warn as well.
        """
        try:
            bias, facts = read_bias(self._bias)
            if facts.pop("run", None) != self._digest:
                raise ValueError("was computed from other gaze or with other options")  # noqa: TRY301 (the handler below names the file)
            return checked(bias, facts)
        except FileNotFoundError:
            return None
        except (KeyError, TypeError, ValueError) as error:
            reason = str(error).removeprefix(f"{self._bias}: ")
            warn(f"{self._bias}: {reason}. It is computed again.", SkippedDataWarning)
            return None

    def save_bias(self, bias: CenterBiasModel | None, **facts: Any) -> None:
        """Write the center bias as far as it is computed, with facts about it."""
        with naming(self._bias, ADVICE):
            write_bias(self._bias, bias, run=self._digest, **facts)

    def _tidy(self) -> None:
        """Remove the temporary files and folders of a run that was killed.

        Without a lock they are kept, because another run may be using them.
        """
        if self._lock is None:
            return
        self.parts.remove_torn()
        for path in self.folder.iterdir():
            if TORN_FILE.fullmatch(path.name) and path.is_file():
                path.unlink(missing_ok=True)
            elif SHARED_FOLDER.fullmatch(path.name):
                shutil.rmtree(path, ignore_errors=True)

    def _begin_or_resume(self, identity: dict[str, Any]) -> None:
        """Begin a run here, or raise unless the run that began here has the same identity."""
        path = self.folder / "checkpoint.json"
        computed = {"parts": self.parts.any_files(), "a center bias": self._bias.exists()}
        found = " and ".join(name for name, is_there in computed.items() if is_there)
        if found and not path.exists():
            raise ValueError(
                f"{self.folder}: must have a checkpoint.json that describes the run, got {found} "
                "without it. Use another folder."
            )
        with naming(path, ADVICE):
            resume_or_begin(
                path,
                identity,
                holds="a run",
                remedy="Resume it with the same input and options, or use another folder.",
                empty=not found,  # the earlier run ended before it computed anything
                described={"gaze": _differing_gaze, "own_metrics": _differing_metrics},
            )


AnyCheckpoint: TypeAlias = Checkpoint | NoCheckpoint


def open_checkpoint(
    folder: str | Path | None, cases: list[Case], options: EvaluationOptions
) -> AnyCheckpoint:
    """Return the checkpoint in a folder, or a stand-in if no folder is given."""
    if folder is None:
        return NoCheckpoint()
    notes = Notes()
    gaze = {case.image: gaze_fingerprint(case, notes) for case in cases}
    images = {c.image: image_fingerprint(c, gaze[c.image], notes) for c in cases if c.scored}
    together = left_out_together(cases, options)
    for image in images.keys() & together.keys():
        images[image] = digest_of_texts(
            [images[image], *(other.image for other in together[image])]
        )
    if "mean_map" in options.controls:  # a score depends on the maps of all images
        of_all_maps = digest_of_texts(images.values())
        images = {image: digest_of_texts([mark, of_all_maps]) for image, mark in images.items()}
    own = {metric.name: fingerprint(metric.function, notes) for metric in options.own_metrics}
    if notes.unclear:
        warn(
            f"`checkpoint` cannot detect every change of {', '.join(sorted(notes.unclear))}: "
            "objects of one class and the files in a folder count as unchanged, although their "
            "maps may have changed. Give them an attribute `fingerprint`, a str that changes with "
            "their maps.",
            InputWarning,
        )
    numbers_from = versions()
    if "emd" in options.metrics:
        numbers_from["POT"] = version("POT")
    identity: dict[str, Any] = {"layout": LAYOUT, "versions": numbers_from}
    identity["options"] = options.facts()
    if own:
        identity["metrics"] = own
    if options.controls:
        identity["scored"] = digest_of_texts(images)
    together_left = options.leaves_out and options.leave_out is not None
    of_all = options.frame is not None or together_left or options.takes_others
    of_all = of_all or "other_gaze" in options.controls
    path = as_path(folder, name="checkpoint")
    return Checkpoint(path, identity, gaze if of_all else None, images)


def _differing_gaze(there: dict[str, str], here: dict[str, str]) -> list[str]:
    """Describe the differences of the gaze behind two center biases, by image."""
    if list(there.items()) == list(here.items()):
        return []
    images = [image for image in {**there, **here} if there.get(image) != here.get(image)]
    if not images:
        return ["the order of the images"]
    more = f" and {len(images) - NAMED} more" if len(images) > NAMED else ""
    return [
        f"the gaze on {', '.join(map(repr, images[:NAMED]))}{more}, which contributes to the "
        f"scores of every image ({len(there)} images there, {len(here)} here)"
    ]


def _differing_metrics(there: list[dict[str, Any]], here: list[dict[str, Any]]) -> list[str]:
    """Name a user's metrics whose facts differ or that only one of two runs has."""
    old, new = ({facts["name"]: facts for facts in each} for each in (there, here))
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return [f"the metric {name!r}" for name in names] or ["the order of your metrics"] * (
        there != here
    )


def _locked(folder: Path) -> int | None:
    """Return a lock on the folder, which ends with the process, or None without locks."""
    try:
        fcntl: Any = import_module("fcntl")
    except ImportError:
        return None
    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise BlockingIOError(f"{folder}: another run is using this folder.") from error
    except OSError:  # a file system without locks
        os.close(handle)
        return None
    return handle
