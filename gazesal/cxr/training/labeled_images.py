"""Images with labels to train and test a classifier on."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from gazesal._validation import as_choice, as_iterable
from gazesal.cxr.images import ImageSource
from gazesal.datasets.mimic_cxr_jpg import MIMIC_LABELS, MimicCxrJpg
from gazesal.datasets.stored_pictures import picture_size

__all__ = ["LabelledImages"]

SPLITS = ("train", "validate", "test")


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelledImages:
    """Images with labels, splits and patients.

    Attributes
    ----------
    names : sequence of str, length N
        A name for each image.
    sources : sequence of str, path or numpy.ndarray, length N
        Files, or pixels of shape (H, W); see `gazesal.cxr.read_image`. Gray images.
    targets : array_like of bool, shape (N, L)
        Whether each label is positive.
    labels : sequence of str, length L
        Names of the labels.
    split : sequence of str, length N
        ``"train"``, ``"validate"`` or ``"test"`` of each image.
    patients : sequence of str, length N
        The patient of each image: what intervals resample.
    shapes : sequence of tuple of int, optional
        (H, W) of each image. By default that of the pixels or of the file's header.

    Raises
    ------
    ValueError
        If the lengths differ, a name is there twice, a split is unknown or a patient is in two.
    FileNotFoundError
        If sizes are not given and a file is missing.
    TypeError
        If targets are not booleans.

    See Also
    --------
    train : Trains on them.

    Examples
    --------
    >>> import numpy as np
    >>> from gazesal.cxr.training import LabelledImages
    >>> images = LabelledImages(
    ...     names=["a", "b"],
    ...     sources=[np.zeros((40, 30), np.uint8), np.zeros((30, 40), np.uint8)],
    ...     targets=[[True], [False]],
    ...     labels=["Pneumonia"],
    ...     split=["train", "test"],
    ...     patients=["1", "2"],
    ... )
    >>> images
    LabelledImages(2 images of 2 patients, 1 labels: 1 train, 0 validate, 1 test)
    >>> images.where("test").tolist()
    [1]
    """

    names: Sequence[str]
    sources: Sequence[ImageSource]
    targets: ArrayLike
    labels: Sequence[str]
    split: Sequence[str]
    patients: Sequence[str]
    shapes: Sequence[tuple[int, int]] = field(default=())

    def __post_init__(self) -> None:
        for name in ("names", "labels", "split", "patients"):
            values = tuple(str(value) for value in getattr(self, name))
            object.__setattr__(self, name, values)
        object.__setattr__(self, "sources", tuple(self.sources))
        targets = np.asarray(self.targets)
        if targets.dtype != np.bool_:
            raise TypeError(f"`targets` must be booleans, got dtype {targets.dtype}.")
        n = len(self.names)
        if targets.shape != (n, len(self.labels)) or targets.size == 0:
            raise ValueError(
                f"`targets` must have a row an image and a column a label, {n} and "
                f"{len(self.labels)}, at least one, got shape {targets.shape}."
            )
        object.__setattr__(self, "targets", targets)
        shapes = tuple(self.shapes) or tuple(map(_shape_of, self.sources))
        object.__setattr__(self, "shapes", tuple((int(h), int(w)) for h, w in shapes))
        for name in ("sources", "split", "patients", "shapes"):
            if len(getattr(self, name)) != n:
                raise ValueError(
                    f"`{name}` must have one for each of the {n} images, got "
                    f"{len(getattr(self, name))}."
                )
        names = pd.Series(self.names)
        if not names.is_unique:
            twice = names[names.duplicated()].iloc[0]
            raise ValueError(f"`names` must name each image once, got {twice!r} again.")
        unknown = sorted(set(self.split) - set(SPLITS))
        if unknown:
            raise ValueError(f"`split` must be {', '.join(SPLITS)}, got {unknown[0]!r}.")
        where = pd.DataFrame({"patient": self.patients, "split": self.split}).drop_duplicates()
        if not where["patient"].is_unique:
            patient = where["patient"][where["patient"].duplicated()].iloc[0]
            first, other = where["split"][where["patient"] == patient].iloc[:2]
            raise ValueError(
                f"`split` must keep a patient's images together, but patient {patient} is in "
                f"{first} and {other}."
            )

    @classmethod
    def from_mimic(
        cls, release: MimicCxrJpg, *, gaze_subjects: Iterable[str | int]
    ) -> LabelledImages:
        """Take the images that the study trains and tests on.

        Parameters
        ----------
        release : MimicCxrJpg
            The release.
        gaze_subjects : iterable of str or int
            Subjects whose images all go to the test set; see
            `MimicCxrJpg.classification_images`.

        Returns
        -------
        LabelledImages
            Images by ``dicom_id``, with the 14 labels; uncertain and missing ones are negative.

        Raises
        ------
        ValueError
            If a table is malformed or a subject's id is.
        TypeError
            If `release` is not a `MimicCxrJpg`.

        Notes
        -----
        Section 3.1 of :footcite:t:`bigolin2021`. A subject whose images the release itself puts
        into different splits is an error; all images of a subject with gaze are in the test set.
        Pictures are not looked for: see `require_files`.

        References
        ----------
        .. footbibliography::
        """
        if not isinstance(release, MimicCxrJpg):
            raise TypeError(f"`release` must be a MimicCxrJpg, got {type(release).__name__}.")
        listed = list(as_iterable(gaze_subjects, name="gaze_subjects", of="subjects"))
        images = release.classification_images(gaze_subjects=listed)
        return cls(
            names=list(images.index),
            sources=release.paths(images.index),
            targets=release.targets(images.index).to_numpy(np.bool_),
            labels=MIMIC_LABELS,
            split=list(images["split"]),
            patients=list(images["subject_id"]),
            shapes=list(zip(images["height"], images["width"], strict=True)),
        )

    def where(self, split: str) -> NDArray[np.int64]:
        """Return the positions of the images of a split.

        Parameters
        ----------
        split : {"train", "validate", "test"}
            The split.

        Returns
        -------
        numpy.ndarray of int64
            Positions in order.
        """
        return np.flatnonzero(np.array(self.split) == split)

    def fingerprint(self) -> str:
        """Return a digest of names, files, labels, splits and patients.

        Returns
        -------
        str
            Hexadecimal digits. Of files only path and size count, of pixels all.
        """
        digest = hashlib.sha256()
        for values in (self.names, self.labels, self.split, self.patients, self.shapes):
            digest.update(repr(values).encode())
        digest.update(np.packbits(np.asarray(self.targets)).tobytes())
        for source in self.sources:
            if isinstance(source, np.ndarray):
                digest.update(np.ascontiguousarray(source).tobytes())
            elif isinstance(source, (str, Path)) and (size := _size_of(source)) is not None:
                digest.update(f"{os.path.basename(source)} {size}".encode())  # noqa: PTH119
        return digest.hexdigest()

    def require_files(self, *splits: str) -> None:
        """Raise if a picture of some splits is missing or empty; each is asked for its size once.

        Parameters
        ----------
        *splits : {"train", "validate", "test"}
            The splits; by default all.

        Raises
        ------
        FileNotFoundError
            If a file is missing or empty; the message says how many, and names the first.
        ValueError
            If a split is unknown.

        Examples
        --------
        >>> import numpy as np
        >>> from gazesal.cxr.training import LabelledImages
        >>> images = LabelledImages(
        ...     names=["a"],
        ...     sources=["missing.jpg"],
        ...     targets=[[True]],
        ...     labels=["Pneumonia"],
        ...     split=["train"],
        ...     patients=["1"],
        ...     shapes=[(40, 30)],
        ... )
        >>> images.require_files("test")
        >>> images.require_files("train")
        Traceback (most recent call last):
            ...
        FileNotFoundError: missing.jpg: is missing or empty; 1 of 1 pictures are (train).
        """
        listed = splits or SPLITS
        for split in listed:
            as_choice(split, SPLITS, name="splits")
        files = [
            source
            for source, split in zip(self.sources, self.split, strict=True)
            if split in listed
        ]
        lost = [file for file in files if isinstance(file, (str, Path)) and not _size_of(file)]
        if lost:
            raise FileNotFoundError(
                f"{lost[0]}: is missing or empty; {len(lost)} of {len(files)} pictures are "
                f"({', '.join(listed)})."
            )

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(self.where(name))} {name}" for name in SPLITS)
        return (
            f"LabelledImages({len(self.names)} images of {len(set(self.patients))} patients, "
            f"{len(self.labels)} labels: {counts})"
        )


def _size_of(file: str | Path) -> int | None:
    """Bytes of a file, None where there is none."""
    try:
        found = os.stat(file)  # noqa: PTH116 - of hundreds of thousands, once each
    except (OSError, ValueError):
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _shape_of(source: ImageSource) -> tuple[int, int]:
    """(H, W) of pixels, or of a file by its header."""
    if isinstance(source, (str, Path)):
        return picture_size(Path(source))
    if isinstance(source, np.ndarray):
        height, width = source.shape[:2]
        return height, width
    return source.height, source.width
