"""The result of an audit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING

from gazesal._text import printable
from gazesal.auditing.fit import FitTest

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Audit", "AuditFinding"]

LEVELS = ("fault", "warning", "note")
MARKS = {"fault": "FAULT", "warning": "warning", "note": "note"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFinding:
    """Property of gaze or maps that an audit found.

    Attributes
    ----------
    check : str
        Name of the property, such as ``"mirrored"``.
    subject : str
        ``"gaze"``, ``"names"``, or the name of a method.
    level : {"fault", "warning", "note"}
        ``"fault"`` is wrong, either because values cannot have another reason or by a test.
        ``"warning"`` is often wrong or changes scores. ``"note"`` is usual, and good to know.
    message : str
        The property, in a sentence.
    remedy : str
        Advice, empty if no action is needed.
    p_value : float
        Adjusted p-value if the finding rests on a test over images, else nan.
    evidence : dict
        The numbers behind the finding.
    """

    check: str
    subject: str
    level: str
    message: str
    remedy: str = ""
    p_value: float = math.nan
    evidence: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, repr=False)
class Audit:
    """Findings about the gaze and the maps of a set of images.

    Attributes
    ----------
    findings : tuple of AuditFinding
        Faults first, then warnings, then notes.
    n_images, n_readings, n_fixations : int
        Images, readings given as fixations, and their fixations.
    methods : tuple of str
        Methods whose maps were read.
    fits : tuple
        One test for each method and correction of the gaze. See `fits_frame`.
    """

    findings: tuple[AuditFinding, ...]
    n_images: int
    n_readings: int
    n_fixations: int
    methods: tuple[str, ...]
    fits: tuple[FitTest, ...]

    @property
    def clean(self) -> bool:
        """True if there are no faults and no warnings."""
        return all(each.level == "note" for each in self.findings)

    @property
    def placement(self) -> str:
        """Answer to the question if the gaze fits the maps in the orientation in which it is given.

        ``"fits"`` if it fits better than with every correction that was tested except perhaps a
        shift, ``"misfits"`` if a finding names a correction, else ``"cannot tell"``.
        """
        if any(not math.isnan(each.p_value) for each in self.findings):
            return "misfits"
        by_subject: dict[str, list[str]] = {}
        for each in self.fits:
            if not each.correction.name.startswith("shifted"):
                by_subject.setdefault(each.subject, []).append(each.verdict)
        sure = any(set(verdicts) == {"given"} for verdicts in by_subject.values())
        return "fits" if sure else "cannot tell"

    def to_frame(self) -> pd.DataFrame:
        """Return the findings as a table.

        Returns
        -------
        pandas.DataFrame
            Columns level, check, subject, message, remedy, p_value and evidence, a row for each
            finding.
        """
        import pandas as pd  # noqa: PLC0415 (not imported in workers, because it takes 60 MB)

        columns = ["level", "check", "subject", "message", "remedy", "p_value", "evidence"]
        return pd.DataFrame([asdict(each) for each in self.findings], columns=columns)

    def fits_frame(self) -> pd.DataFrame:
        """Return the tests of the fit between gaze and maps as a table.

        Returns
        -------
        pandas.DataFrame
            A row for each method (and ``"all maps"``, the mean over methods) and correction:
            subject, correction, verdict ("given", "corrected" or "cannot tell"), n_images, the
            mean fits given and corrected, the standard error of their difference, and the p_value,
            the larger of the adjusted p-values of the better fit and of the difference.
        """
        import pandas as pd  # noqa: PLC0415 (not imported in workers, because it takes 60 MB)

        columns = ["subject", "correction", "verdict", "n_images", "given", "corrected", "error"]
        rows = [
            {
                "subject": each.subject,
                "correction": each.correction.name,
                "verdict": each.verdict,
                "n_images": each.n_images,
                "given": each.given,
                "corrected": each.corrected,
                "error": each.error,
                "p_value": each.p_value,
            }
            for each in self.fits
        ]
        return pd.DataFrame(rows, columns=[*columns, "p_value"])

    def __repr__(self) -> str:
        counts = {level: sum(f.level == level for f in self.findings) for level in LEVELS}
        head = (
            f"Audit of {self.n_images} images, {self.n_readings} readings, {self.n_fixations} "
            f"fixations and maps of {', '.join(map(printable, self.methods)) or 'no method'}: "
            + ", ".join(f"{n} {level}{'s' * (n != 1)}" for level, n in counts.items())
        )
        lines = [head, self._placement_line()]
        for each, after in zip_longest(self.findings, self.findings[1:]):
            lines.append(f"[{MARKS[each.level]}] {printable(each.message)}")
            # The advice for several methods is shown once.
            if each.remedy and (after is None or after.remedy != each.remedy):
                lines.append(f"    {printable(each.remedy)}")
        return "\n".join(lines)

    def _placement_line(self) -> str:
        """Return a sentence about the place and orientation of the gaze."""
        if self.placement == "misfits":
            return "Place of the gaze: does not fit the maps as given, see the faults."
        if not self.fits:
            return (
                "Place of the gaze: cannot tell, because too few images have both gaze and a map "
                "or picture, or no correction would move the gaze inside the images."
            )
        open_ = [each for each in self.fits if each.verdict == "cannot tell"]
        if self.placement == "fits":
            sure = {each.subject for each in self.fits} - {
                each.subject for each in open_ if not each.correction.name.startswith("shifted")
            }
            shifts = [each for each in open_ if each.subject in sure]
            more = f" A shift is not excluded: {_names(shifts)}." if shifts else ""
            return (
                "Place of the gaze: fits the maps better as given than mirrored, rotated, or at "
                f"another scale or origin that was tested.{more}"
            )
        return (
            "Place of the gaze: cannot tell, because the maps fit the gaze too weakly to exclude: "
            f"{_names(open_)}."
        )


def _names(fits: list[FitTest]) -> str:
    """Return the names of the corrections of some tests, each once."""
    return ", ".join(dict.fromkeys(each.correction.name for each in fits))
