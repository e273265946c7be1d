"""Findings about the values and files of the maps of each method."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from gazesal.auditing.findings import AuditFinding
from gazesal.auditing.map_facts import MapFacts
from gazesal.evaluation.map_checks import TRANSPOSE, looks_transposed

__all__ = ["map_findings"]

NAMED = 3  # images that a message names
CLIPPED = 0.01  # share of pixels at the maximum that looks like clipping
TIED = 0.5  # share of pixels with one value from which ties affect areas
FEWEST = 5  # maps for a statement about all maps of a method
PROPORTIONS = 0.05  # relative difference of the proportions of map and image


def map_findings(facts: Sequence[MapFacts]) -> Iterator[AuditFinding]:
    """Yield findings about maps, by method."""
    by_method: dict[str, list[MapFacts]] = defaultdict(list)
    for each in facts:
        by_method[each.method].append(each)
    for method, maps in by_method.items():
        yield from _shapes(method, maps)
        yield from _contents(method, maps)
        yield from _values(method, maps)
    yield from _copies_of_methods(by_method)


def _shapes(method: str, maps: list[MapFacts]) -> Iterator[AuditFinding]:
    """Yield transposed maps, and maps with other proportions than their images."""
    turned = [each for each in maps if looks_transposed(each.shape, each.image_shape)]
    if turned:
        yield _of(
            method,
            "transposed_map",
            "fault" if len(turned) == len(maps) else "warning",
            f"{_count(turned, maps)} of {method!r} have the proportions of their image with height "
            f"and width exchanged ({_names(turned)}).",
            f"{TRANSPOSE} If all images have one size, also check the order in which it is given: "
            "(height, width) in Python, and WIDTHxHEIGHT for --size.",
            len(turned),
        )
    other = [each for each in maps if each not in turned and _is_distorted(each)]
    if other:
        height, width = other[0].shape
        yield _of(
            method,
            "proportions",
            "warning",
            f"{_count(other, maps)} of {method!r} have other proportions than their image, for "
            f"example {width} x {height} for an image of {other[0].image_shape[1]} x "
            f"{other[0].image_shape[0]} ({_names(other)}).",
            "Resizing stretches them. If the network saw a cropped or padded image, convert the "
            "maps to the image with `InputGeometry`.",
            len(other),
        )


def _contents(method: str, maps: list[MapFacts]) -> Iterator[AuditFinding]:
    """Yield constant maps, and maps that several images share."""
    flat = [each for each in maps if each.is_constant]
    if flat:
        yield _of(
            method,
            "constant_map",
            "warning",
            f"{_count(flat, maps)} of {method!r} are constant ({_names(flat)}).",
            "Correlations with them are undefined (nan), and areas are 0.5. Check how they were "
            "made.",
            len(flat),
        )
    counts = Counter(each.digest for each in maps)
    shared = [each for each in maps if counts[each.digest] > 1 and not each.is_constant]
    if shared:
        everywhere = len(counts) == 1
        yield _of(
            method,
            "same_map",
            "warning",
            f"{_count(shared, maps)} of {method!r} are equal to the map of another image "
            f"({_names(shared)}).",
            "This is right for a center bias or another map that does not depend on the image."
            if everywhere
            else "Check how maps were assigned to images.",
            len(shared),
        )


def _values(method: str, maps: list[MapFacts]) -> Iterator[AuditFinding]:
    """Yield clipping, ties, steps, normalization, stretched grids and lossy files."""
    varied = [each for each in maps if not each.is_constant]
    binary = [each for each in varied if each.n_values == 2]
    clipped = [each for each in varied if each.at_high >= CLIPPED and each.n_values > 2]
    if clipped:
        share = max(each.at_high for each in clipped)
        yield _of(
            method,
            "clipped",
            "warning",
            f"{_count(clipped, maps)} of {method!r} have at least {CLIPPED:.0%} of their pixels at "
            f"the maximum, up to {share:.0%} ({_names(clipped)}), as if values were clipped.",
            "Save the maps before they are clipped or converted to 8 bits.",
            len(clipped),
        )
    if binary:
        yield _of(
            method,
            "two_values",
            "note",
            f"{_count(binary, maps)} of {method!r} have two values ({_names(binary)}).",
            "This is right for a segmentation. Areas are then computed from a single threshold.",
            len(binary),
        )
    tied = [each for each in varied if each.most_tied >= TIED and each.n_values > 2]
    if tied:
        yield _of(
            method,
            "ties",
            "note",
            f"In {_count(tied, maps)} of {method!r}, at least {TIED:.0%} of the pixels have one "
            f"value ({_names(tied)}).",
            "Areas count ties one half.",
            len(tied),
        )
    steps = [each for each in varied if each.has_steps]
    if steps:
        yield _of(
            method,
            "steps",
            "note",
            f"{_count(steps, maps)} of {method!r} have at most 256 values, as 8-bit files do.",
            "Save maps as float32 to keep differences within a step.",
            len(steps),
        )
    if len(varied) >= FEWEST and len({each.high for each in varied}) == 1 and not binary:
        lows = {each.low for each in varied}
        low = f" and the minimum {varied[0].low:g}" if len(lows) == 1 else ""
        yield _of(
            method,
            "normalized",
            "note",
            f"All maps of {method!r} have the maximum {varied[0].high:g}{low}, so each was "
            "probably rescaled by itself.",
            "Values cannot be compared between images. Metrics of this library do not compare "
            "them, but density metrics depend on the minimum.",
            len(varied),
        )
    grids = [each for each in varied if each.grid]
    if grids:
        yield _of(
            method,
            "stretched_grid",
            "warning",
            f"{_count(grids, maps)} of {method!r} were enlarged from about {grids[0].grid} cells "
            f"along the width, with the outer cells on the edges ({_names(grids)}).",
            "Enlarge with half-pixel centers (`align_corners=False`), because each cell is for a "
            "square of the image. The map is now up to half a cell too far outside.",
            len(grids),
        )
    lossy = [each for each in maps if each.is_lossy]
    if lossy:
        yield _of(
            method,
            "lossy_file",
            "warning",
            f"{_count(lossy, maps)} of {method!r} are in lossy files ({_names(lossy)}).",
            "Save maps as .npy or PNG, because compression changes values and breaks ties.",
            len(lossy),
        )


def _copies_of_methods(by_method: dict[str, list[MapFacts]]) -> Iterator[AuditFinding]:
    """Yield pairs of methods with equal maps."""
    methods = list(by_method)
    maps = {name: {e.image: e.digest for e in facts} for name, facts in by_method.items()}
    for i, first in enumerate(methods):
        for second in methods[i + 1 :]:
            common = set(maps[first]) & set(maps[second])
            equal = [image for image in common if maps[first][image] == maps[second][image]]
            constant = {e.image for e in by_method[first] if e.is_constant}
            equal = sorted(set(equal) - constant)
            if equal:
                yield _of(
                    second,
                    "same_method",
                    "warning",
                    f"Maps of {first!r} and {second!r} are equal for {len(equal)} of "
                    f"{len(common)} images, for example {equal[0]!r}.",
                    "Check if one was copied over the other.",
                    len(equal),
                )


def _of(
    method: str, check: str, level: str, message: str, remedy: str, n_images: int
) -> AuditFinding:
    evidence = {"n_images": n_images}
    return AuditFinding(
        check=check, subject=method, level=level, message=message, remedy=remedy, evidence=evidence
    )


def _is_distorted(facts: MapFacts) -> bool:
    """Check whether the proportions differ by more than the rounding of small sides."""
    (rows, columns), (height, width) = facts.shape, facts.image_shape
    stretch = (columns * height) / (rows * width)
    return abs(stretch - 1) > PROPORTIONS + 1 / min(rows, columns)


def _count(some: list[MapFacts], every: list[MapFacts]) -> str:
    return f"{len(some)} of {len(every)} maps"


def _names(maps: list[MapFacts]) -> str:
    more = f" and {len(maps) - NAMED} more" if len(maps) > NAMED else ""
    return ", ".join(repr(each.image) for each in maps[:NAMED]) + more
