"""The fixations of one observer on one image in a file of their own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gazesal._files import written
from gazesal.datasets.fixation_table import Origin, read_reading
from gazesal.evaluation.case import Gaze
from gazesal.evaluation.cases_from_tables import gaze_of_images
from gazesal.maps.heatmap import Outside

__all__ = ["FixationFile"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FixationFile:
    """The fixations of one observer on one image in a file of their own, read when it is called.

    Attributes
    ----------
    path : pathlib.Path
        A table as `read_fixations` takes it, but for the columns image and observer, which it need
        not have.
    image, observer : str
        Whose fixations they are.
    shape : tuple of int
        (H, W) of the image.
    origin, duplicates : str
        See `read_fixations`.
    columns : tuple of (str, str)
        What a column is called in the file; see `read_fixations`.
    outside : {"raise", "drop", "keep"}
        What to do with fixations outside the image.
    """

    path: Path
    image: str
    observer: str
    shape: tuple[int, int]
    origin: Origin = "center"
    columns: tuple[tuple[str, str], ...] = ()
    duplicates: Literal["raise", "drop", "keep"] = "raise"
    outside: Outside = "raise"

    def __call__(self) -> Gaze:
        """Return the fixations."""
        table = read_reading(
            self.path,
            image=self.image,
            observer=self.observer,
            origin=self.origin,
            columns=dict(self.columns),
            duplicates=self.duplicates,
        )
        # `cases_from_manifest` has warned for all files that fixations are dropped
        found, _ = gaze_of_images(table, lambda _: self.shape, self.outside)
        _, gaze = found[self.image]
        if not gaze:
            raise ValueError(f"{self.path}: all fixations lie outside image {self.image}.")
        return gaze[self.observer]

    @property
    def fingerprint(self) -> str:
        """What the fixations are known by: the file, when it was written, and how it is read."""
        return f"{self!r}, {written(self.path)}"

    def __str__(self) -> str:
        return str(self.path)
