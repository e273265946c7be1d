"""Names of images that occur on one side only: gaze without maps, and maps without gaze."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gazesal.auditing.findings import AuditFinding
from gazesal.datasets._clean_names import name_as_text, one_spelling, similar_name
from gazesal.evaluation.case import Case

__all__ = ["name_findings"]

NAMED = 3  # names in a message


def name_findings(
    cases: Sequence[Case], maps: Mapping[str, Mapping[str, Any]] | None
) -> Iterator[AuditFinding]:
    """Yield images without a map of some method, and maps and gaze that no case uses."""
    names = {one_spelling(case.image) for case in cases}
    methods = dict.fromkeys(method for case in cases for method in case.maps)
    for method in methods:
        without = [case.image for case in cases if method not in case.maps and case.scored]
        if without:
            yield _missing("without_map", method, "warning", f"have no map of {method!r}", without)
    unused = [case.image for case in cases if not case.maps]
    if unused:
        every = {name for own in (maps or {}).values() if hasattr(own, "keys") for name in own}
        hint = similar_name(unused[0], every) if every else ""
        yield _missing("without_map", "names", "warning", f"have gaze but no map{hint}", unused)
    empty = [case.image for case in cases if not case.gaze and case.gaze_map is None]
    if empty:
        yield _missing("without_gaze", "names", "warning", "have no gaze", empty)
    for method, own in (maps or {}).items():
        if not hasattr(own, "keys"):
            continue  # any object with `__getitem__` is allowed, which need not list its names
        extra = sorted({one_spelling(name_as_text(name)) for name in own} - names)
        if extra:
            hint = similar_name(extra[0], names)
            yield _missing(
                "without_gaze",
                method,
                "warning",
                f"have a map of {method!r} but no gaze{hint}",
                extra,
            )


def _missing(check: str, subject: str, level: str, words: str, images: list[str]) -> AuditFinding:
    more = f" and {len(images) - NAMED} more" if len(images) > NAMED else ""
    shown = ", ".join(map(repr, images[:NAMED])) + more
    return AuditFinding(
        check=check,
        subject=subject,
        level=level,
        message=f"{len(images)} images {words}: {shown}.",
        remedy="Names must agree without suffixes. Rename the files, or leave out the images.",
        evidence={"n_images": len(images), "images": tuple(images)},
    )
