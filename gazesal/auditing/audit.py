"""The function `audit`: check gaze and maps before they are scored."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from typing import Any

from gazesal._validation import as_choice, as_count, as_flag
from gazesal.auditing.findings import LEVELS, Audit
from gazesal.auditing.fit import compare_fits
from gazesal.auditing.fit_findings import PICTURES, fit_findings
from gazesal.auditing.gaze_checks import gaze_findings
from gazesal.auditing.map_checks import map_findings
from gazesal.auditing.names import name_findings
from gazesal.auditing.read_image import ImageContents, read_image
from gazesal.evaluation.case import Case
from gazesal.evaluation.case_checks import as_cases
from gazesal.evaluation.worker_pool import Runner
from gazesal.maps.plausible_gaze import UNITS, DurationUnit
from gazesal.typing import Float64Array

__all__ = ["audit", "judge"]

SEARCHED = 12  # images whose maps are searched for a stretched grid, which all maps share or none


def audit(
    cases: Iterable[Case],
    *,
    maps: Mapping[str, Mapping[str, Any]] | None = None,
    duration_unit: DurationUnit | None = None,
    seed: int = 0,
    n_jobs: int | None = None,
    progress: bool = False,
) -> Audit:
    """Check if gaze and maps fit each other, and look for usual mistakes in both.

    An audit reads every map and all gaze once, and scores nothing. It tests over images if the
    gaze fits the maps, and the pictures, better mirrored, rotated, with x and y exchanged, shifted,
    or at another scale or origin. It then lists implausible coordinates, durations, map values,
    files and names.

    Parameters
    ----------
    cases : iterable of Case
        Images with gaze and maps, as `cases_from_tables` returns them. Make them with
        ``outside="keep"``, so that gaze outside the images is reported and not refused. If a case
        has a picture, the gaze is also compared with its local contrast.
    maps : mapping of mapping, optional
        Maps by method and image, as given to `cases_from_tables`, of which only the names are used:
        images with a map and without gaze are listed.
    duration_unit : {"s", "ms", "us"}, optional
        Unit of the durations of fixations, to be checked. By default any unit of a usual range is
        accepted, because durations are relative weights.
    seed : int, default 0
        Seed of the signs that the test draws.
    n_jobs : int, optional
        Number of worker processes that read, -1 for one per core. See `evaluate`.
    progress : bool, default False
        Show a progress bar on standard error.

    Returns
    -------
    Audit
        The findings. Printing it shows a page.

    Raises
    ------
    TypeError
        If a case is not a `Case`, or `maps` is not a mapping.
    ValueError
        If there is no case, or an option is invalid. Files that cannot be read are findings.

    See Also
    --------
    evaluate : Score the cases. It repeats the checks that need no further reading, and warns.

    Notes
    -----
    Maps, pictures and fixations are reduced to 32 x 32 cells. The *fit* of an image is the mean of
    the ranks of its map, in standard deviations, at the fixations on it, less the mean at the
    fixations on all images. A center of gaze that images share therefore counts for nothing. For
    each method and correction, the signs of the images are drawn again to test if a fit is above 0
    and if the fit with the correction is better than the fit as given. The p-values are adjusted
    for all comparisons by the largest statistic of each draw, for a chance of about 5 % of any
    false finding about the place of the gaze. A correction must also have 1.2 times the fit as
    given. With fewer than eight images, or with maps that fit the gaze too weakly, the result is
    "cannot tell". :doc:`/concepts/audits` has the measured rates.

    A shift of a pixel, such as 1-based coordinates read as 0-based, moves the fit by far less than
    its error. It is found only if coordinates lie beyond the last pixel and none on the first.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import gazesal
    >>> rng = np.random.default_rng(0)
    >>> maps, rows = {}, []
    >>> for image in map(str, range(12)):
    ...     x, y = rng.uniform(6, 33, 2), rng.uniform(6, 23, 2)
    ...     maps[image] = gazesal.gaze_heatmap(np.stack([x, y], 1), (30, 40), sigma=3.0)
    ...     rows += [(image, "ann", 39 - x[i % 2], y[i % 2], 200 + i) for i in range(10)]
    >>> fixations = pd.DataFrame(rows, columns=["image", "observer", "x", "y", "duration"])
    >>> cases = gazesal.cases_from_tables(fixations, {"mine": maps}, (30, 40))
    >>> found = gazesal.audit(cases)
    >>> found.placement, [(each.check, each.level) for each in found.findings]
    ('misfits', [('mirrored', 'fault')])
    """
    listed = as_cases(cases)
    if not listed:
        raise ValueError("`cases` must have at least one image, got none.")
    if maps is not None and not isinstance(maps, Mapping):
        raise TypeError(
            "`maps` must be a mapping of methods to mappings of images to maps, got "
            f"{type(maps).__name__}."
        )
    if duration_unit is not None:
        as_choice(duration_unit, list(UNITS), name="duration_unit")
    seed = as_count(seed, name="seed", least=0)
    run = Runner(n_jobs, as_flag(progress, name="progress"))
    arguments = ((case, index < SEARCHED) for index, case in enumerate(listed))
    with closing(run(read_image, arguments, len(listed), "reading", ordered=True)) as results:
        contents = list(results)
    return judge(listed, contents, maps=maps, duration_unit=duration_unit, seed=seed)


def judge(
    cases: Sequence[Case],
    contents: Sequence[ImageContents],
    *,
    maps: Mapping[str, Mapping[str, Any]] | None = None,
    duration_unit: DurationUnit | None = None,
    seed: int = 0,
) -> Audit:
    """Return the findings about images that were read, in the order of the cases."""
    methods = list(dict.fromkeys(method for case in cases for method in case.maps))
    grids: dict[str, dict[str, Float64Array]] = {method: {} for method in methods}
    for each in contents:
        for method, grid in each.grids.items():
            grids[method][each.gaze.image] = grid
    pictures = {e.gaze.image: e.picture for e in contents if e.picture is not None}
    if pictures:
        grids[PICTURES] = pictures
    gaze = [each.gaze for each in contents]
    fits = compare_fits(gaze, grids, seed)
    found = [
        *fit_findings(fits),
        *(fault for each in contents for fault in each.faults),
        *name_findings(cases, maps),
        *gaze_findings(gaze, duration_unit),
        *map_findings([facts for each in contents for facts in each.facts]),
    ]
    readings = [reading for each in gaze for reading in each.readings]
    return Audit(
        findings=tuple(sorted(found, key=lambda each: (LEVELS.index(each.level), each.check))),
        n_images=len(cases),
        n_readings=len(readings),
        n_fixations=sum(len(each.points) for each in readings),
        methods=tuple(methods),
        fits=tuple(fits),
    )
