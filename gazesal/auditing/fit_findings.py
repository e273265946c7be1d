"""Findings about the place of the gaze, from the tests of its fit to the maps."""

from collections.abc import Iterator, Sequence

from gazesal.auditing.findings import AuditFinding
from gazesal.auditing.fit import ALL_MAPS, FitTest

__all__ = ["PICTURES", "fit_findings"]

PICTURES = "pictures"  # subject of the contrast of the pictures


def fit_findings(fits: Sequence[FitTest]) -> Iterator[AuditFinding]:
    """Yield the best correction of the gaze, and of each method that needs another one."""
    subjects = list(dict.fromkeys(each.subject for each in fits))
    best = {subject: _best(fits, subject) for subject in subjects}
    common = _common(fits, best)
    if common is not None:
        yield _finding(common, "gaze", [s for s in subjects if s != ALL_MAPS], best)
    for subject, found in best.items():
        same = common is not None and found is not None
        if subject == ALL_MAPS or found is None or (same and _same(found, common)):
            continue
        if subject != PICTURES or common is None:
            yield _finding(found, "gaze" if subject == PICTURES else subject, [subject], best)


def _best(fits: Sequence[FitTest], subject: str) -> FitTest | None:
    """Return the correction with the best fit among the corrections that the test supports."""
    better = [each for each in fits if each.subject == subject and each.verdict == "corrected"]
    return max(better, key=lambda each: each.corrected, default=None)


def _common(fits: Sequence[FitTest], best: dict[str, FitTest | None]) -> FitTest | None:
    """Return the correction that concerns the gaze: of all maps, unless a method contradicts it."""
    found = best.get(ALL_MAPS)
    if found is None and ALL_MAPS not in best:
        return next(iter(best.values()), None)
    if found is None:
        return None
    contradicted = any(
        each.verdict == "given" and each.correction.name == found.correction.name for each in fits
    )
    return None if contradicted else found


def _same(one: FitTest, other: FitTest | None) -> bool:
    return other is not None and one.correction.name == other.correction.name


def _finding(
    found: FitTest, subject: str, of: list[str], best: dict[str, FitTest | None]
) -> AuditFinding:
    """Return a finding that names the numbers of its test."""
    methods = [name for name in of if name != PICTURES]
    agree = [name for name in methods if _same(found, best.get(name))]
    more = ""
    if subject == "gaze" and _same(found, best.get(PICTURES)):
        more = (
            " The pictures show this too, so the gaze is wrong, or pictures and maps have the same "
            "fault."
        )
    elif subject == "gaze" and len(methods) == 1:
        more = " Either the gaze or the maps are wrong."
    elif subject == "gaze" and methods:
        more = f" On their own, the maps of {len(agree)} of {len(methods)} methods show this."
    return AuditFinding(
        check=found.correction.name,
        subject=subject,
        level="fault",
        message=(
            f"The gaze fits {_described(of)} better {found.correction.words}: mean fit "
            f"{found.corrected:.2f} instead of {found.given:.2f}, difference "
            f"{found.corrected - found.given:.2f} with standard error {found.error:.2f} over "
            f"{found.n_images} images, adjusted p = {found.p_value:.2g}.{more}"
        ),
        remedy=found.correction.remedy,
        p_value=found.p_value,
        evidence={
            "given": found.given,
            "corrected": found.corrected,
            "error": found.error,
            "n_images": found.n_images,
        },
    )


def _described(of: list[str]) -> str:
    """Return the subjects of a test in words."""
    methods = ", ".join(repr(name) for name in of if name != PICTURES)
    words = [f"the maps of {methods}"] if methods else []
    words += ["the contrast of the pictures"] if PICTURES in of else []
    return " and ".join(words)
