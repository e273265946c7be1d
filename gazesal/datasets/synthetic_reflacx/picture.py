"""Pixels of a synthetic chest X-ray, from the summed densities of tissues, bones and lesions."""

import numpy as np
from scipy import ndimage

from gazesal.datasets.synthetic_reflacx.anatomy import Chest, Lesion, Lungs, soft_step
from gazesal.typing import Float64Array

__all__ = ["frontal_picture", "lateral_picture", "lung_mask"]

BONE = 0.14  # density of a rib, on a scale where 1.75 is white


def lung_mask(chest: Chest) -> np.ndarray:
    """Make the mask of the lungs without heart and lesions, uint8, 0 or 255."""
    u, v = chest.frame.coordinates((chest.frame.height, chest.frame.width))
    return np.where(chest.lungs(u, v).depth > 0, 255, 0).astype(np.uint8)


def frontal_picture(chest: Chest, rng: np.random.Generator) -> np.ndarray:
    """Make the frontal view, uint8 of shape (H, W)."""
    frame = chest.frame
    shape = (frame.height, frame.width)
    u, v = frame.coordinates(shape)
    lungs = chest.lungs(u, v)
    air = lungs.mask()
    texture = _smooth_noise(rng, shape, frame.half_width / 10)
    body = _body(u, v)
    density = body * (1.12 + 0.28 * np.clip(v - 0.5, 0, None) + 0.10 * texture)
    center = soft_step(chest.mediastinum_edge(v) - np.abs(u) + 0.02, 0.05)
    heart = soft_step(1 - chest.heart_distance(u, v), 0.06)
    density += body * np.maximum(0.34 * center, (0.36 - 0.3 * np.clip(v - 0.6, 0, 1)) * heart)
    density += 0.06 * soft_step(0.09 - np.abs(u), 0.02) * (1 + np.cos(v * 26))  # vertebrae
    density -= (
        0.22 * soft_step(0.055 - np.abs(u), 0.02) * soft_step(-0.25 - v, 0.05) * body
    )  # trachea
    density -= (
        0.25 * body * soft_step(0.16 - np.sqrt((u - 0.5) ** 2 + (1.6 * (v - 1.12)) ** 2), 0.04)
    )  # stomach
    density -= air * (0.78 + 0.10 * np.clip(-v, -1, 1))
    vessels = _vessels(chest, rng) * air
    for lesion in chest.lesions:
        if lesion.kind == "pneumothorax":  # no vessels between the collapsed lung and the wall
            vessels = vessels * (1 - _outside_the_lung(lesion, u, v, lungs))
    density += 0.22 * vessels + air * 0.04 * texture
    density += _ribs(u, v) * body
    density += 1.1 * BONE * _lines(chest, _clavicles(), 0.075)
    for lesion in chest.lesions:
        density += _lesion(lesion, chest, u, v, lungs, texture, rng)
    density *= rng.uniform(0.92, 1.08)
    grain = _smooth_noise(rng, shape, 0.7) * 0.018 + rng.standard_normal(shape) * 0.012
    return _expose(density + grain * (0.3 + body), rng)


def lateral_picture(chest: Chest, rng: np.random.Generator) -> np.ndarray:
    """Make the lateral view, uint8 of shape (H, W), with just enough detail to recognize it."""
    frame = chest.frame
    shape = (frame.height, frame.width)
    u, v = frame.coordinates(shape)
    body = soft_step(0.95 - np.sqrt(u**2 + (0.75 * v) ** 2), 0.04)
    lung = soft_step(0.7 - np.sqrt((u + 0.05) ** 2 + (0.85 * v) ** 2), 0.06)
    heart = soft_step(0.3 - np.sqrt((u - 0.25) ** 2 + (v - 0.35) ** 2), 0.04)
    spine = soft_step(0.1 - np.abs(u + 0.62 - 0.15 * v**2), 0.03) * (1.2 + np.cos(v * 22))
    density = body * (1.3 + 0.30 * spine) - 0.75 * lung * soft_step(0.7 - v, 0.05) + 0.45 * heart
    return _expose(density + _smooth_noise(rng, shape, 0.7) * 0.02, rng)


def _expose(density: Float64Array, rng: np.random.Generator) -> np.ndarray:
    """Convert density to gray values, in which dense is bright, as on a film."""
    gamma = rng.uniform(0.9, 1.15)
    gray = np.clip(density / 1.75, 0, 1) ** gamma
    return np.asarray(np.round(8 + 240 * gray).astype(np.uint8))


def _smooth_noise(rng: np.random.Generator, shape: tuple[int, int], sigma: float) -> Float64Array:
    """Draw noise of unit variance without detail finer than `sigma` pixels."""
    step = max(1, int(sigma / 2))  # coarse noise is drawn on a coarse grid, to save time
    coarse = rng.standard_normal([side // step + 3 for side in shape])
    smooth = ndimage.gaussian_filter(coarse, sigma / step)
    if step > 1:
        smooth = ndimage.zoom(smooth, step, order=1)
    return np.asarray(smooth[: shape[0], : shape[1]] / smooth.std())


def _body(u: Float64Array, v: Float64Array) -> Float64Array:
    """Make a mask of trunk, shoulders and neck."""
    outward = np.abs(u)
    beyond = np.clip(outward - 0.40, 0, None)
    shoulder = -1.16 + 0.20 * beyond + 0.10 * beyond**2
    neck = 0.40 - outward
    top = np.maximum(v - shoulder, neck)
    side = 1.16 + 1.8 * np.clip(-v - 0.15, 0, 1) ** 1.5 - outward
    return soft_step(np.minimum(top, side), 0.025)


def _ribs(u: Float64Array, v: Float64Array) -> Float64Array:
    """Return the density of the ribs: the back slopes outwards and down, the front is fainter."""
    outward = np.abs(u)
    cage = soft_step(1.05 - outward - 0.35 * np.clip(-v - 0.3, 0, None), 0.02) * soft_step(
        0.95 - v, 0.05
    )
    behind = np.cos(2 * np.pi * (v - 0.45 * outward**1.5) / 0.21)
    front = np.cos(2 * np.pi * (v + 0.62 * np.clip(1 - outward, 0, None) ** 1.5) / 0.25)
    away = soft_step(outward - 0.12, 0.03)
    behind = soft_step(behind - 0.35, 0.12)
    front = soft_step(front - 0.45, 0.12) * soft_step(outward - 0.38, 0.05)
    return np.asarray(cage * away * BONE * (behind + 0.55 * front) * soft_step(v + 1.05, 0.04))


def _outside_the_lung(
    lesion: Lesion, u: Float64Array, v: Float64Array, lungs: Lungs
) -> Float64Array:
    """Make a mask of the air of a pneumothorax, along the wall from the apex downwards."""
    thickness = 0.06 + 0.10 * lesion.conspicuity
    same_side = soft_step(u * np.sign(lesion.u), 0.01)
    shape = thickness * soft_step(0.35 - v, 0.15) - lungs.wall
    return np.asarray(same_side * soft_step(shape, 0.004) * soft_step(lungs.depth, 0.01))


def _lesion(  # noqa: PLR0911 - one for each kind
    lesion: Lesion,
    chest: Chest,
    u: Float64Array,
    v: Float64Array,
    lungs: Lungs,
    texture: Float64Array,
    rng: np.random.Generator,
) -> Float64Array | float:
    """Return the density that a lesion adds.

    It is 0 for an enlarged heart or mediastinum, which `Chest` already contains.
    """
    strength = 0.35 + 0.65 * lesion.conspicuity
    inside = 1 - lesion.distance(u, v)
    within = lungs.mask(0.02)
    match lesion.kind:
        case "nodule" | "mass":
            return 0.36 * strength * soft_step(inside + 0.06 * texture, 0.07)
        case "consolidation" | "pneumonia":
            return 0.50 * strength * soft_step(inside + 0.22 * texture, 0.13) * within
        case "groundglass":
            return 0.28 * strength * soft_step(inside + 0.15 * texture, 0.18) * within
        case "edema":
            haze = np.exp(-0.7 * (1 - inside) ** 2) * (1 + 0.45 * texture)
            return np.asarray(0.40 * strength * np.clip(haze, 0, None) * within)
        case "atelectasis":
            slope = 0.25 * np.sign(lesion.u) * (u - lesion.u)
            plate = 1 - lesion.distance(u, v + slope)
            return 0.34 * strength * soft_step(plate, 0.15) * within
        case "effusion":
            outward = np.abs(u)
            level = lesion.v - 0.4 * (lesion.half_v) * (outward - 0.5) / 0.4
            filled = soft_step(v - level, 0.02) * soft_step(u * np.sign(lesion.u), 0.01)
            return np.asarray(0.72 * (0.75 + 0.25 * strength) * filled * lungs.mask())
        case "thickening":
            rind = soft_step(0.05 - lungs.wall, 0.012) * soft_step(u * np.sign(lesion.u), 0.01)
            tapered = soft_step(1 - np.abs(v - lesion.v) / lesion.half_v, 0.12)
            return np.asarray(0.5 * strength * rind * tapered * lungs.mask())
        case "pneumothorax":
            gone = _outside_the_lung(lesion, u, v, lungs)
            line = np.exp(-0.5 * ((gone - 0.5) / 0.2) ** 2) * soft_step(lungs.depth - 0.01, 0.004)
            return np.asarray(0.16 * strength * line - 0.14 * strength * gone)
        case "fracture":
            across = np.array([[-0.03, -0.045], [0.005, 0.0], [-0.012, 0.005], [0.03, 0.05]])
            path = np.array([lesion.u, lesion.v]) + across
            return 3.0 * BONE * strength * _lines(chest, [path], 0.016)
        case "device":
            return 0.55 * _lines(chest, _device(lesion, rng), 0.016)
        case _:
            return 0.0


def _lines(chest: Chest, paths: list[Float64Array], width: float) -> Float64Array:
    """Draw soft lines along paths of points u, v, with a `width` in chest units."""
    from PIL import Image, ImageDraw

    frame = chest.frame
    canvas = Image.new("L", (frame.width, frame.height))
    draw = ImageDraw.Draw(canvas)
    pixels = max(1, round(width * frame.half_width))
    for path in paths:
        places = [tuple(place) for place in frame.to_pixels(path).round().tolist()]
        draw.line(places, fill=255, width=pixels, joint="curve")
    drawn = np.asarray(canvas, dtype=np.float64) / 255
    return np.asarray(ndimage.gaussian_filter(drawn, max(0.6, pixels / 4), truncate=3))


def _curve(corners: list[tuple[float, float]]) -> Float64Array:
    """Return a quadratic Bezier curve from the first corner to the third, toward the second."""
    first, toward, last = (np.array(corner) for corner in corners)
    t = np.linspace(0, 1, 16)[:, None]
    return np.asarray((1 - t) ** 2 * first + 2 * t * (1 - t) * toward + t**2 * last)


def _clavicles() -> list[Float64Array]:
    return [_curve([(s * 0.12, -0.68), (s * 0.55, -0.66), (s * 1.12, -0.98)]) for s in (-1, 1)]


def _vessels(chest: Chest, rng: np.random.Generator) -> Float64Array:
    """Draw vessels that leave the hila and become thinner."""
    thick: list[Float64Array] = []
    thin: list[Float64Array] = []
    for side in (-1, 1):
        hilum = np.array([side * 0.2, 0.0 if side < 0 else -0.05])
        for angle in np.linspace(-1.3, 1.35, 9) + rng.normal(0, 0.1, 9):
            reach = rng.uniform(0.35, 0.6)
            direction = np.array([side * np.cos(angle), np.sin(angle)])
            middle = hilum + 0.5 * reach * direction + rng.normal(0, 0.05, 2)
            end = hilum + reach * direction
            thick.append(_curve([tuple(hilum), tuple(hilum + 0.08 * direction), tuple(middle)]))
            thin.append(_curve([tuple(middle), tuple(middle + 0.1 * direction), tuple(end)]))
            for bend in (-0.5, 0.5):
                turned = np.array([side * np.cos(angle + bend), np.sin(angle + bend)])
                branch = middle + rng.uniform(0.2, 0.4) * turned
                thin.append(_curve([tuple(middle), tuple(middle + 0.1 * turned), tuple(branch)]))
    return np.maximum(_lines(chest, thick, 0.045), 0.45 * _lines(chest, thin, 0.018))


def _device(lesion: Lesion, rng: np.random.Generator) -> list[Float64Array]:
    """Draw a central line, a breathing tube, or a pacemaker with its lead."""
    kind = rng.integers(3)
    tip = (0.02, lesion.v + 0.3)
    if kind == 0:
        return [_curve([(-1.1, -0.85), (-0.1, -0.8), (-0.08, -0.4)]),
                _curve([(-0.08, -0.4), (-0.07, -0.2), tip])]  # fmt: skip
    if kind == 1:
        return [_curve([(0.01, -1.45), (-0.02, -1.0), (0.0, -0.42)])]
    box = [np.array([(0.55, v), (0.8, v)]) for v in np.arange(-0.62, -0.42, 0.008)]
    return [*box, _curve([(0.55, -0.5), (0.05, -0.6), (0.02, -0.1)]),
            _curve([(0.02, -0.1), (0.05, 0.4), (0.3, 0.6)])]  # fmt: skip
