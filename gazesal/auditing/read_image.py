"""Task of the workers of an audit: read the gaze, maps and picture of one image, once each."""

from typing import NamedTuple

from gazesal._warnings import muted
from gazesal.auditing.findings import AuditFinding
from gazesal.auditing.grids import contrast_grid, map_grid
from gazesal.auditing.map_facts import MapFacts, facts_of
from gazesal.auditing.readings import ImageGaze, read_gaze
from gazesal.evaluation.case import Case
from gazesal.exceptions import InputWarning
from gazesal.reporting.pictures import read_picture
from gazesal.typing import Float64Array

__all__ = ["ImageContents", "read_image"]


class ImageContents(NamedTuple):
    """Gaze of an image, and the grids and facts of its maps.

    `grids` has the maps that are not constant, by method. `picture` is the grid of the contrast of
    the picture, if there is one. `faults` are findings about files that cannot be read.
    """

    gaze: ImageGaze
    grids: dict[str, Float64Array]
    facts: list[MapFacts]
    picture: Float64Array | None
    faults: list[AuditFinding]


def read_image(case: Case, with_grid: bool) -> ImageContents:
    """Read an image. `with_grid` also searches its maps for a stretched grid."""
    grids, facts, faults, picture = {}, [], [], None
    with muted(InputWarning):  # the audit states what a reader warns of
        gaze = read_gaze(case)
        for method in case.maps:
            try:
                values = case.load_map(method)
            except Exception as error:  # noqa: BLE001 (sources raise errors of many types)
                faults.append(_unreadable(method, str(error)))
                continue
            facts.append(facts_of(case, method, values, with_grid=with_grid))
            grid = None if facts[-1].is_constant else map_grid(values)
            if grid is not None:
                grids[method] = grid
        if case.picture is not None and case.picture.exists():
            try:
                picture = contrast_grid(read_picture(case.picture))
            except ValueError as error:
                faults.append(_unreadable("pictures", str(error)))
    return ImageContents(gaze, grids, facts, picture, faults)


def _unreadable(subject: str, message: str) -> AuditFinding:
    return AuditFinding(check="unreadable", subject=subject, level="fault", message=message)
