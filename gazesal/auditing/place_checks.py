"""Findings about the coordinates of fixations."""

from collections.abc import Iterator

import numpy as np

from gazesal.auditing.corrections import CORRECTIONS, Correction
from gazesal.auditing.findings import AuditFinding
from gazesal.auditing.readings import Reading, named
from gazesal.maps.heatmap import SHARES_REMEDY, are_shares, off_image
from gazesal.maps.plausible_gaze import in_one_corner
from gazesal.typing import Float64Array

__all__ = ["lattice_findings", "place_findings"]

OFF_FEW, OFF_MANY = 0.05, 0.25  # shares of fixations outside the images
SPREAD = 0.6  # share of both sides that gaze on many images reaches
KEEP_EXTENT = {"mirrored", "upside_down", "rotated_180"}  # corrections that move no gaze inside
LOST = 3  # fixations at exactly (0, 0), which trackers write when they lose the eye
FEWEST_POINTS = 100  # fixations for a statement about all of them
FEWEST_EDGE = 2  # coordinates beyond an edge that prove another origin


def place_findings(readings: list[Reading]) -> Iterator[AuditFinding]:
    """Yield shares, gaze in one corner, gaze outside the images, and marks of lost eyes."""
    points = np.concatenate([each.points for each in readings])
    smallest = min(min(each.shape) for each in readings)
    if are_shares(points, (smallest, smallest)):
        yield AuditFinding(
            check="shares",
            subject="gaze",
            level="fault",
            message=f"All {len(points)} fixations lie within about one pixel of the corner, as "
            "shares of the sides from 0 to 1 do.",
            remedy='Read them with unit="shares" (--unit shares). ' + SHARES_REMEDY,
            evidence={"n_fixations": len(points), "largest": float(points.max())},
        )
        return
    odd = [each for each in readings if are_shares(each.points, each.shape)]
    if odd:
        yield AuditFinding(
            check="shares",
            subject="gaze",
            level="warning",
            message=f"All fixations of {len(odd)} of {len(readings)} readings ({named(odd)}) lie "
            "within about one pixel of the corner, so they may be shares of the sides.",
            remedy=SHARES_REMEDY,
            evidence={"n_readings": len(odd)},
        )
    yield from _shares_of_one_side(points, smallest)
    sides = np.concatenate([each.sides for each in readings])
    images = len({each.image for each in readings})
    off = np.concatenate([off_image(each.points, each.shape) for each in readings])
    share = float(off.mean())
    corner = in_one_corner(sides[~off], images) if share < OFF_FEW else ""
    low, high = np.quantile(sides, [0.01, 0.99], axis=0)
    extent = (
        f"98 % of x lie between {low[0]:.0%} and {high[0]:.0%} of the width, and of y between "
        f"{low[1]:.0%} and {high[1]:.0%} of the height."
    )
    evidence = {"low": tuple(map(float, low)), "high": tuple(map(float, high)), "off_image": share}
    if corner:
        yield AuditFinding(
            check="one_corner",
            subject="gaze",
            level="warning",
            message=f"Nearly all {len(sides)} fixations on {images} images lie in the {corner} "
            f"quarter. {extent}",
            remedy=_advice(readings),
            evidence=evidence,
        )
    if off.any():
        many = share >= OFF_MANY and len(sides) >= FEWEST_POINTS
        level = "fault" if many else "warning" if share >= OFF_FEW else "note"
        yield AuditFinding(
            check="off_image",
            subject="gaze",
            level=level,
            message=f"{int(off.sum())} of {len(off)} fixations ({share:.1%}) lie outside their "
            f"image. {extent if level != 'note' else ''}".rstrip(),
            remedy=_advice(readings)
            if level != "note"
            else 'Give outside="drop" or "keep" (--outside) to score the others.',
            evidence=evidence,
        )
    zero = int((points == 0).all(axis=1).sum())
    if zero >= LOST:
        yield AuditFinding(
            check="lost_eye",
            subject="gaze",
            level="warning",
            message=f"{zero} fixations lie at exactly (0, 0), which some trackers write when they "
            "lose the eye.",
            remedy="If so, remove them from the table.",
            evidence={"n_fixations": zero},
        )


def _shares_of_one_side(points: Float64Array, smallest: int) -> Iterator[AuditFinding]:
    """Yield the coordinate that looks like shares if the other one does not."""
    for axis, side, values in (("x", "width", points[:, 0]), ("y", "height", points[:, 1])):
        twice = np.stack([values, values], axis=1)
        if len(points) >= FEWEST_POINTS and are_shares(twice, (smallest, smallest)):
            yield AuditFinding(
                check="shares",
                subject="gaze",
                level="warning",
                message=f"All {len(points)} fixations have {axis} within about one pixel of the "
                f"edge, as shares of the {side} from 0 to 1 do, and the other coordinate is not.",
                remedy=f"If so, multiply {axis} by the {side} and subtract 0.5.",
                evidence={"n_fixations": len(points), "largest": float(values.max())},
            )


def _advice(readings: list[Reading]) -> str:
    """Return the corrections after which the gaze would be spread over the images."""
    fitting = [each for each in CORRECTIONS if _spreads(readings, each)]
    if not fitting:
        return (
            "Check the size, the origin and the unit of the coordinates, and the sizes of images."
        )
    words = ", or ".join(each.words for each in fitting)
    return f"They would spread over the images {words}. {fitting[0].remedy}"


def _spreads(readings: list[Reading], correction: Correction) -> bool:
    """Check whether corrected gaze lies inside the images and reaches most of both sides."""
    if correction.name.startswith("shifted") or correction.name in KEEP_EXTENT:
        return False
    corrected = []
    for each in readings:
        size = np.array(each.shape[::-1], np.float64)
        corrected.append((correction.correct(each.points, size) + 0.5) / size)
    sides = np.concatenate(corrected)
    inside = ((sides >= 0) & (sides < 1)).all(axis=1).mean()
    low, high = np.quantile(sides, [0.01, 0.99], axis=0)
    return bool(inside > 1 - OFF_FEW and (high - low).min() >= SPREAD)


def lattice_findings(readings: list[Reading]) -> Iterator[AuditFinding]:
    """Yield evidence for another origin: coordinates that pixel centers from 0 cannot have."""
    low = np.concatenate([each.points for each in readings]) + 0.5  # distances from the first edge
    high = np.concatenate([np.array(each.shape[::-1]) - 0.5 - each.points for each in readings])
    beyond = (high <= 0) & (high > -1)  # by less than a pixel, as if the first pixel were 1
    within = (low >= 0).all() and (high > -1).all()
    if within and beyond.sum() >= FEWEST_EDGE and (low >= 1).all():
        yield AuditFinding(
            check="one_based",
            subject="gaze",
            level="fault",
            message=f"{int(beyond.sum())} coordinates lie less than a pixel beyond the last pixel "
            "center, and none lies on the first pixel, as with 1-based coordinates.",
            remedy='Read them with origin="one_based" (--origin one_based), or subtract 1.',
            evidence={"beyond": int(beyond.sum()), "smallest": float(low.min() - 0.5)},
        )
        return
    points = low - 0.5
    fractions = points - np.floor(points)
    if len(points) >= FEWEST_POINTS and (fractions == 0.5).all():
        yield AuditFinding(
            check="half_pixels",
            subject="gaze",
            level="warning",
            message=f"All coordinates of {len(points)} fixations end in .5, as pixel centers "
            "measured from the corner of the image do.",
            remedy='Read them with origin="pixel_corner" (--origin pixel_corner), or subtract 0.5.',
        )
    elif len(points) >= FEWEST_POINTS and (fractions == 0).all() and points.min() >= 1:
        yield AuditFinding(
            check="origin_unknown",
            subject="gaze",
            level="note",
            message=f"All coordinates are whole numbers, and the smallest is {points.min():g}. "
            "They do not show if the first pixel is 0 or 1.",
            remedy='If it is 1, read them with origin="one_based" (--origin one_based).',
            evidence={"smallest": float(points.min())},
        )
