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
    alone = subject == "gaze" and len(of) == 1 and PICTURES not in of
    whose = f"maps of {of[0]!r}" if len(of) == 1 else f"maps ({', '.join(of)})"
    whose = "contrast of the pictures" if of == [PICTURES] else whose
    agree = [name for name in of if _same(found, best.get(name))]
    either = " Either the gaze or these maps are wrong." if alone else ""
    if subject == "gaze" and len(of) > 1:
        either = f" On its own, this is found for {len(agree)} of {len(of)} of them."
    return AuditFinding(
        check=found.correction.name,
        subject=subject,
        level="fault",
        message=(
            f"The gaze fits the {whose} better {found.correction.words}: mean fit "
            f"{found.corrected:.2f} instead of {found.given:.2f}, difference "
            f"{found.corrected - found.given:.2f} with standard error {found.error:.2f} over "
            f"{found.n_images} images, adjusted p = {found.p_value:.2g}.{either}"
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
