"""A source of gaze: the file with the fixations of one observer on one image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gazesal._files import written
from gazesal.datasets.fixation_table import read_reading
from gazesal.datasets.gaze_formats.table_positions import Geometry
from gazesal.datasets.screens import Screen, ScreenOrigin
from gazesal.evaluation.cases_from_tables import gaze_of_images
from gazesal.evaluation.gaze_sources import Gaze
from gazesal.maps.heatmap import Outside

__all__ = ["FixationFile"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FixationFile:
    """File with the fixations of one observer on one image, which is read when it is called.

    Attributes
    ----------
    path : pathlib.Path
        A table as for `read_fixations`. The columns image and observer may be absent.
    image, observer : str
        Names of the image and the observer.
    shape : tuple of int
        (H, W) of the image.
    origin, unit, y_axis, duplicates : str or None
        See `read_fixations`.
    screen : Screen, optional
        Screen that showed the image, if positions are measured on it.
    columns : tuple of (str, str)
        Names of columns in the file. See `read_fixations`.
    outside : {"raise", "drop", "keep"}
        Treatment of fixations outside the image. See `gaze_heatmap`.
    """

    path: Path
    image: str
    observer: str
    shape: tuple[int, int]
    origin: ScreenOrigin | None = None
    unit: str | None = None
    y_axis: str | None = None
    screen: Screen | None = None
    columns: tuple[tuple[str, str], ...] = ()
    duplicates: Literal["raise", "drop", "keep"] = "raise"
    outside: Outside = "raise"

    def __call__(self) -> Gaze:
        """Return the fixations."""
        table = read_reading(
            self.path,
            image=self.image,
            observer=self.observer,
            geometry=Geometry(
                origin=self.origin,
                unit=self.unit,
                y_axis=self.y_axis,
                size_of=lambda _: self.shape,
                screen=self.screen,
            ),
            columns=dict(self.columns),
            duplicates=self.duplicates,
        )
        # `cases_from_manifest` has warned about dropped fixations, once for all files.
        found, _ = gaze_of_images(table, lambda _: self.shape, self.outside)
        _, gaze = found[self.image]
        if not gaze:
            raise ValueError(
                f"{self.path}: must have fixations on image {self.image}, got only fixations "
                "outside it."
            )
        return gaze[self.observer]

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the fixations: the path, size and time of the file, and the options."""
        return f"{self!r}, {written(self.path)}"

    def __str__(self) -> str:
        return str(self.path)
