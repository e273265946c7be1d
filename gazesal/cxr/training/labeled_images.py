"""Images with labels, to train and test a classifier."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from gazesal._digests import digest_of_bytes, digest_of_texts
from gazesal._validation import as_choice, as_iterable
from gazesal.cxr.images import ImageSource
from gazesal.datasets.mimic_cxr_jpg import MIMIC_LABELS, MimicCxrJpg
from gazesal.datasets.stored_pictures import picture_size

__all__ = ["LabeledImages"]

SPLITS = ("train", "validate", "test")


@dataclass(frozen=True, kw_only=True, eq=False)
class LabeledImages:
    """Images with labels, splits and patients.

    Attributes
    ----------
    names : sequence of str, length N
        Names of the images.
    sources : sequence of str, path or numpy.ndarray, length N
        Gray images as files or as pixels of shape (H, W). See `gazesal.cxr.read_image`.
    targets : array_like of bool, shape (N, L)
        True for each positive label.
    labels : sequence of str, length L
        Names of the labels.
    split : sequence of str, length N
        ``"train"``, ``"validate"`` or ``"test"`` for each image.
    patients : sequence of str, length N
        Patient of each image. Intervals take patients as units.
    shapes : sequence of tuple of int, optional
        (H, W) of each image. By default taken from the pixels or the file's header.

    Raises
    ------
    ValueError
        If the lengths differ, a name occurs twice, a split is unknown or a patient is in two
        splits.
    FileNotFoundError
        If sizes are not given and a file is missing.
    TypeError
        If targets are not booleans.

    See Also
    --------
    train : Train a network on the images.

    Examples
    --------
    >>> import numpy as np
    >>> from gazesal.cxr.training import LabeledImages
    >>> images = LabeledImages(
    ...     names=["a", "b"],
    ...     sources=[np.zeros((40, 30), np.uint8), np.zeros((30, 40), np.uint8)],
    ...     targets=[[True], [False]],
    ...     labels=["Pneumonia"],
    ...     split=["train", "test"],
    ...     patients=["1", "2"],
    ... )
    >>> images
    LabeledImages(2 images of 2 patients, 1 labels: 1 train, 0 validate, 1 test)
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
                f"`targets` must have one row per image ({n}) and one column per label "
                f"({len(self.labels)}), and not be empty, got shape {targets.shape}."
            )
        object.__setattr__(self, "targets", targets)
        shapes = tuple(self.shapes) or tuple(map(_shape_of, self.sources))
        object.__setattr__(self, "shapes", tuple((int(h), int(w)) for h, w in shapes))
        for name in ("sources", "split", "patients", "shapes"):
            if len(getattr(self, name)) != n:
                raise ValueError(
                    f"`{name}` must have one entry for each of the {n} images, got "
                    f"{len(getattr(self, name))}."
                )
        names = pd.Series(self.names)
        if not names.is_unique:
            twice = names[names.duplicated()].iloc[0]
            raise ValueError(f"`names` must be unique, got {twice!r} twice. Rename one of them.")
        unknown = sorted(set(self.split) - set(SPLITS))
        if unknown:
            raise ValueError(f"`split` must hold {', '.join(SPLITS)}, got {unknown[0]!r}.")
        where = pd.DataFrame({"patient": self.patients, "split": self.split}).drop_duplicates()
        if not where["patient"].is_unique:
            patient = where["patient"][where["patient"].duplicated()].iloc[0]
            first, other = where["split"][where["patient"] == patient].iloc[:2]
            raise ValueError(
                f"`split` must keep the images of a patient together, but patient {patient} is in "
                f"{first} and {other}. Move them to one split."
            )

    @classmethod
    def from_mimic(
        cls, release: MimicCxrJpg, *, gaze_subjects: Iterable[str | int]
    ) -> LabeledImages:
        """Select the images on which Bigolin Lanfredi et al. (2021) train and test.

        Parameters
        ----------
        release : MimicCxrJpg
            The release.
        gaze_subjects : iterable of str or int
            Subjects whose images all go to the test set. See `MimicCxrJpg.classification_images`.

        Returns
        -------
        LabeledImages
            Images by ``dicom_id`` with the 14 labels. Uncertain and missing labels are negative.

        Raises
        ------
        ValueError
            If a table or the id of a subject is malformed, or the release has images of one subject
            in different splits.
        TypeError
            If `release` is not a `MimicCxrJpg`.

        Notes
        -----
        Follows section 3.1 of :footcite:t:`bigolin2021`. Files are not checked here. See
        `require_files`.

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
            Hexadecimal digits. For a file, only its name and size count.
        """
        facts = (self.names, self.labels, self.split, self.patients, self.shapes)
        targets = digest_of_bytes(np.packbits(np.asarray(self.targets)).data)
        return digest_of_texts([*map(repr, facts), targets, *map(_fingerprint_of, self.sources)])

    def require_files(self, *splits: str) -> None:
        """Raise if a picture of some splits is missing or empty.

        Parameters
        ----------
        *splits : {"train", "validate", "test"}
            The splits. By default all.

        Raises
        ------
        FileNotFoundError
            If a file is missing or empty. The message gives their number and the first name.
        ValueError
            If a split is unknown.

        Examples
        --------
        >>> import numpy as np
        >>> from gazesal.cxr.training import LabeledImages
        >>> images = LabeledImages(
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
        FileNotFoundError: missing.jpg: is missing or empty (1 of 1 pictures of train).
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
                f"{lost[0]}: is missing or empty ({len(lost)} of {len(files)} pictures of "
                f"{', '.join(listed)})."
            )

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(self.where(name))} {name}" for name in SPLITS)
        return (
            f"LabeledImages({len(self.names)} images of {len(set(self.patients))} patients, "
            f"{len(self.labels)} labels: {counts})"
        )


def _fingerprint_of(source: ImageSource) -> str:
    """Return the name and size of a file, or the digest of pixels."""
    if isinstance(source, (str, Path)):
        return f"{os.path.basename(source)} {_size_of(source)}"  # noqa: PTH119 - a Path is slow
    return digest_of_bytes(np.ascontiguousarray(source).data)


def _size_of(file: str | Path) -> int | None:
    """Return the size of a file in bytes, or None if it is missing."""
    try:
        found = os.stat(file)  # noqa: PTH116 - a Path is slow for hundreds of thousands of files
    except (OSError, ValueError):
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _shape_of(source: ImageSource) -> tuple[int, int]:
    """Return (H, W) of pixels, or of a file from its header."""
    if isinstance(source, (str, Path)):
        return picture_size(Path(source))
    if isinstance(source, np.ndarray):
        height, width = source.shape[:2]
        return height, width
    return source.height, source.width
