"""Anatomy of a synthetic chest X-ray: lungs, heart, lesions and their positions.

Shapes are given in chest coordinates, which are the same for every image. u runs from -1 at the
left edge of the lungs in the image to 1 at the right edge. v runs from -1 at the apices to about 1
at the costophrenic angles. A `Frame` places the chest in an image.
"""

from dataclasses import dataclass

import numpy as np

from gazesal.datasets.synthetic_reflacx.findings import FINDINGS
from gazesal.typing import Float64Array

__all__ = ["Chest", "Frame", "Lesion", "Lungs", "draw_chest", "draw_lesion", "soft_step"]

# Places that readers search on any chest: distance from the midline, v, spread in u and v, weight
ZONES = (
    (0.42, -0.68, 0.13, 0.12, 0.8),  # apex
    (0.52, -0.25, 0.17, 0.17, 0.9),  # upper lung
    (0.26, 0.00, 0.08, 0.11, 1.1),  # hilum
    (0.58, 0.25, 0.17, 0.17, 0.9),  # lower lung
    (0.50, 0.55, 0.17, 0.10, 0.7),  # base
    (0.85, 0.70, 0.08, 0.08, 0.5),  # costophrenic angle
)
MIDLINE = ((0.0, -0.45, 0.08, 0.18, 0.9), (0.12, 0.35, 0.20, 0.18, 1.1))  # mediastinum, heart
N_ZONES = 2 * len(ZONES) + len(MIDLINE)
# Variation of the zones between chests: gamma shape of the weights, standard deviation of positions
# in chest units
PULL, SHIFT = 1.8, 0.10
NORMAL_SHARE = 0.22  # share of images without any lesion
DEVICE_SHARE = 0.25  # share of images with a support device


def soft_step(depth: Float64Array, softness: float) -> Float64Array:
    """Return 1 for positive `depth` and 0 for negative, with a cubic within twice `softness`."""
    t = depth / (4 * softness)
    t += 0.5
    np.clip(t, 0, 1, out=t)
    cubic = 3 - 2 * t
    cubic *= t
    cubic *= t
    return np.asarray(cubic)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Size of an image and position of the chest in it, in pixels with integer centers."""

    height: int
    width: int
    x: float
    y: float
    half_width: float
    half_height: float

    def coordinates(self, shape: tuple[int, int]) -> tuple[Float64Array, Float64Array]:
        """Return the chest coordinates of a grid (H, W) over the image: u (1, W) and v (H, 1)."""
        y = (np.arange(shape[0]) + 0.5) * (self.height / shape[0]) - 0.5
        x = (np.arange(shape[1]) + 0.5) * (self.width / shape[1]) - 0.5
        u, v = (x - self.x) / self.half_width, (y - self.y) / self.half_height
        return np.asarray(u)[None, :], np.asarray(v)[:, None]

    def to_pixels(self, points: Float64Array) -> Float64Array:
        """Convert points u, v of shape (..., 2) to image pixels x, y of the same shape."""
        return np.asarray([self.x, self.y] + points * self.half_sizes)

    @property
    def half_sizes(self) -> Float64Array:
        """Number of pixels per unit of u and of v."""
        return np.array([self.half_width, self.half_height])


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesion:
    """A visible lesion: an ellipse in chest coordinates, and its conspicuity."""

    kind: str  # a key of FINDINGS
    u: float
    v: float
    half_u: float
    half_v: float
    conspicuity: float  # in [0, 1]

    @property
    def is_abnormal(self) -> bool:
        """True if the lesion makes the image abnormal, as all kinds except devices do."""
        return self.kind != "device"

    def distance(self, u: Float64Array, v: Float64Array) -> Float64Array:
        """Return the distance from the center in half axes."""
        return np.sqrt(((u - self.u) / self.half_u) ** 2 + ((v - self.v) / self.half_v) ** 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lungs:
    """Depth of points within the lungs, in chest units and negative outside."""

    wall: Float64Array  # from the chest wall of the nearer side
    base: Float64Array  # above the diaphragm
    depth: Float64Array  # from the nearest border of any kind

    def mask(self, softness: float = 0.012) -> Float64Array:
        """Return a mask of 1 inside the lungs and 0 outside, with a soft border."""
        return soft_step(self.depth, softness)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chest:
    """One synthetic chest."""

    frame: Frame
    heart: tuple[float, float, float, float]  # center u, v and half axes
    mediastinum: float  # half width of the upper mediastinum
    diaphragm: tuple[float, float]  # v of the domes, left and right as shown
    lesions: tuple[Lesion, ...]
    zones: tuple[tuple[float, ...], ...]  # places that readers search: u, v, two spreads, weight

    def heart_distance(self, u: Float64Array, v: Float64Array) -> Float64Array:
        """Return the distance from the heart's center in half axes.

        The apex of the heart points outwards and down.
        """
        center_u, center_v, half_u, half_v = self.heart
        along, down = u - center_u, v - center_v
        across = (along - 0.12 * down) / half_u
        sheared = (down - 0.35 * along) / half_v
        return np.sqrt(across * across + sheared * sheared)

    def mediastinum_edge(self, v: Float64Array) -> Float64Array:
        """Return the half width of the mediastinum at the height v, including the hila."""
        hila = 0.06 * np.clip(1 - ((v + 0.02) / 0.4) ** 2, 0, None) ** 2
        return np.asarray(0.06 + self.mediastinum * soft_step(0.2 - v, 0.12) + hila)

    def lungs(self, u: Float64Array, v: Float64Array) -> Lungs:
        """Compute the depth of points within the lungs."""
        outward = np.abs(u)
        dome = np.where(u < 0, self.diaphragm[0], self.diaphragm[1])
        base = dome + 0.26 * ((outward - 0.42) / 0.55) ** 2 - v
        apex = np.clip((0.25 - v) / 1.25, 0, None)
        side = np.abs(outward - 0.38) / 0.62
        wall = 0.62 * (1 - (side**2.4 + apex**2.4) ** (1 / 2.4))
        inner = outward - self.mediastinum_edge(v)
        heart = (self.heart_distance(u, v) - 1) * self.heart[2]
        depth = np.minimum(np.minimum(wall, base), np.minimum(inner, heart))
        return Lungs(wall=wall, base=base, depth=depth)


def draw_chest(seed: int, index: int, side: int) -> Chest:
    """Draw the chest of an image. `side` is the longest side of the largest images, in pixels."""
    rng = np.random.default_rng([seed, 0, index])
    frame = _draw_frame(rng, side)
    lesions = _draw_lesions(rng)
    heart_u, heart_v = rng.uniform(0.38, 0.43), rng.uniform(0.34, 0.38)
    mediastinum = rng.uniform(0.10, 0.13)
    placed = []
    heart_place = 0.15 + rng.normal(0, 0.015), 0.42 + rng.normal(0, 0.02)
    for lesion in lesions:
        if lesion.kind == "cardiomegaly":
            heart_u, heart_v = 0.50 + 0.14 * lesion.conspicuity, 0.40
            lesion = _at(lesion, *heart_place, heart_u, heart_v)  # noqa: PLW2901 (moved)
        elif lesion.kind == "mediastinum":
            mediastinum = 0.17 + 0.07 * lesion.conspicuity
        placed.append(lesion)
    return Chest(
        frame=frame,
        heart=(*heart_place, heart_u, heart_v),
        mediastinum=mediastinum,
        diaphragm=(0.66 + rng.normal(0, 0.025), 0.71 + rng.normal(0, 0.025)),
        lesions=tuple(placed),
        zones=_draw_zones(rng),
    )


def draw_lesion(kind: str, rng: np.random.Generator) -> list[Lesion]:
    """Draw a lesion of a kind at a typical position. Edema has a lesion on each side."""
    side = float(rng.choice([-1.0, 1.0]))
    stands_out = float(rng.uniform(0.3, 1.0))
    if kind == "effusion":
        place = (0.62, 0.66 - 0.18 * stands_out, 0.32, 0.16 + 0.16 * stands_out)
    elif kind == "pneumothorax":
        place = (0.55, -0.55, 0.38, 0.36)
    elif kind == "thickening":
        place = (0.93, rng.uniform(-0.1, 0.4), 0.08, rng.uniform(0.2, 0.3))
    elif kind == "fracture":
        place = (rng.uniform(0.78, 0.92), rng.uniform(-0.35, 0.5), 0.08, 0.06)
    elif kind == "cardiomegaly":
        side, place = 1.0, (0.13, 0.45, 0.5, 0.38)  # draw_chest moves it to the heart
    elif kind == "mediastinum":
        side, place = 1.0, (0.0, -0.35, 0.26, 0.34)
    elif kind == "device":
        side, place = 1.0, (rng.uniform(-0.05, 0.1), rng.uniform(-0.3, 0.0), 0.16, 0.4)
    elif kind == "edema":
        both = (0.38, rng.uniform(-0.05, 0.15), 0.26, 0.36)
        return [_lesion(kind, s, both, stands_out) for s in (-1.0, 1.0)]
    else:
        size = {
            "nodule": (0.06, 0.09, 1.0),
            "mass": (0.13, 0.19, 1.0),
            "consolidation": (0.17, 0.25, 0.9),
            "pneumonia": (0.17, 0.25, 0.9),
            "groundglass": (0.2, 0.3, 1.0),
            "atelectasis": (0.2, 0.28, 0.22),
        }[kind]
        half = rng.uniform(size[0], size[1])
        low = 0.3 if kind == "atelectasis" else -0.6
        v = rng.uniform(low, 0.55)
        reach = 0.8 if v > -0.2 else 0.62
        place = (rng.uniform(0.36, reach), v, half, half * size[2])
    return [_lesion(kind, side, place, stands_out)]


def _lesion(
    kind: str, side: float, place: tuple[float, float, float, float], stands_out: float
) -> Lesion:
    u, v, half_u, half_v = map(float, place)
    return Lesion(kind=kind, u=side * u, v=v, half_u=half_u, half_v=half_v, conspicuity=stands_out)


def _at(lesion: Lesion, u: float, v: float, half_u: float, half_v: float) -> Lesion:
    return Lesion(
        kind=lesion.kind, u=u, v=v, half_u=half_u, half_v=half_v, conspicuity=lesion.conspicuity
    )


def _draw_frame(rng: np.random.Generator, side: int) -> Frame:
    aspect = rng.uniform(0.80, 1.18)  # width / height
    longest = side * rng.uniform(0.84, 1.0)
    height = round(longest if aspect < 1 else longest / aspect)
    width = round(longest * aspect if aspect < 1 else longest)
    ratio = rng.uniform(0.95, 1.15)  # height / width of the chest
    half_height = min(0.40 * width * ratio, 0.38 * height) * rng.uniform(0.84, 1.0)
    half_width = half_height / ratio
    # limit the offsets so that the chest keeps a margin to every edge
    free_x = width * 0.44 - half_width
    free_y = height * 0.44 - half_height
    return Frame(
        height=height,
        width=width,
        x=width / 2 + float(np.clip(rng.normal(0, 0.03 * width), -free_x, free_x)),
        y=height / 2 + float(np.clip(rng.normal(-0.02, 0.03) * height, -free_y, free_y)),
        half_width=half_width,
        half_height=half_height,
    )


def _draw_zones(rng: np.random.Generator) -> tuple[tuple[float, ...], ...]:
    """Draw the zones of a chest, each with a random shift and a random weight."""
    sides = [(side * u, *rest) for side in (-1, 1) for u, *rest in ZONES]
    zones = np.array([*sides, *MIDLINE])
    zones[:, :2] += rng.normal(0, SHIFT, (N_ZONES, 2))
    zones[:, 4] *= rng.gamma(PULL, 1 / PULL, N_ZONES)
    return tuple(tuple(zone) for zone in zones.tolist())


def _draw_lesions(rng: np.random.Generator) -> list[Lesion]:
    kinds = list(FINDINGS)
    shares = np.array([finding.share for finding in FINDINGS.values()])
    lesions: list[Lesion] = []
    normal = rng.uniform() < NORMAL_SHARE
    number = rng.choice([1, 2, 3], p=[0.4, 0.4, 0.2])
    if not normal:
        chosen = rng.choice(len(kinds), number, replace=False, p=shares / shares.sum())
        for kind in sorted(chosen):
            lesions += draw_lesion(kinds[kind], rng)
    if rng.uniform() < DEVICE_SHARE:
        lesions += draw_lesion("device", rng)
    return lesions
