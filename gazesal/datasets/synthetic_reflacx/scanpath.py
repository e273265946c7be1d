"""Scanpaths of synthetic readers, from shared targets and individual habits.

Every target is a Gaussian in chest coordinates, so the density of the readers' fixations is known
in closed form. `attention` computes it for the average reader.
"""

from dataclasses import dataclass

import numpy as np

from gazesal.datasets.synthetic_reflacx.anatomy import N_ZONES, Chest, Frame, Lesion
from gazesal.typing import Float64Array

__all__ = ["SCREEN", "Fixation", "Habit", "attention", "draw_habits", "draw_scanpath"]

SCREEN = (3840, 2160)  # pixels, width and height
# Gamma shapes of the weights of zones per reader and per reading; larger values are more alike
HABIT, MOOD = 2.5, 1.0
LESION_WEIGHT = 6.0  # weight of a conspicuous lesion; the weights of all zones sum to 11.8
CALIBRATION = 0.4  # degrees, standard deviation of the offset of a reading
OUTSIDE_SHARE = 0.006  # share of fixations beside the image


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """Reading habits of one reader.

    Attributes
    ----------
    n_fixations : float
        Mean number of fixations.
    spread : float
        Factor of the spread within a target.
    thoroughness : float
        Number in [0, 1] that raises the probability to notice a lesion.
    dwell : float
        Median duration of a fixation in seconds.
    zooming : float
        Probability of enlarging a part of the image.
    per_degree : tuple of float
        Screen pixels per degree of visual angle, along x and y.
    zones : tuple of float
        Factor of the weight of each zone.
    """

    n_fixations: float
    spread: float
    thoroughness: float
    dwell: float
    zooming: float
    per_degree: tuple[float, float]
    zones: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixation:
    """One fixation as in the release, in milliseconds, pixels and half-open rectangles."""

    start: int
    end: int
    x: int
    y: int
    pupil: float
    per_degree: tuple[int, int]
    window: tuple[float, float]
    shown: tuple[int, int, int, int]
    on_screen: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Part of the image on the screen, and its position."""

    scale: float  # screen pixels per image pixel
    shown: tuple[int, int, int, int]
    on_screen: tuple[int, int, int, int]


def draw_habits(seed: int, n_readers: int) -> list[Habit]:
    """Draw the habits of the readers. Each depends only on the seed and the reader's number."""
    habits = []
    for reader in range(n_readers):
        rng = np.random.default_rng([seed, 1, reader])
        per_degree = rng.uniform(68, 80)
        habits.append(
            Habit(
                n_fixations=rng.uniform(30, 48),
                spread=rng.uniform(0.85, 1.2),
                thoroughness=rng.uniform(0.1, 1.0),
                dwell=rng.uniform(0.22, 0.34),
                zooming=rng.uniform(0.2, 0.8),
                per_degree=(per_degree, per_degree * rng.uniform(0.96, 1.0)),
                zones=tuple(rng.gamma(HABIT, 1 / HABIT, N_ZONES).tolist()),
            )
        )
    return habits


def chance_to_notice(lesion: Lesion, thoroughness: float = 0.55) -> float:
    """Return the probability that a reader notices a lesion."""
    return float(np.clip(0.35 + 0.55 * lesion.conspicuity + 0.3 * thoroughness, 0, 0.98))


def lesion_target(lesion: Lesion) -> Float64Array:
    """Return the target at a lesion, in the form of a row of `Chest.zones`."""
    if lesion.kind == "device":
        weight = 0.25 * LESION_WEIGHT
    else:
        weight = LESION_WEIGHT * (0.5 + 0.5 * lesion.conspicuity)
    if lesion.kind == "edema":
        weight /= 2  # edema has two lesions
    # fixations spread over a large lesion
    spread = 0.02 + 0.45 * np.array([lesion.half_u, lesion.half_v])
    return np.array([lesion.u, lesion.v, *spread, weight])


def attention(frame: Frame, shape: tuple[int, int], chest: Chest, *, blur: float) -> Float64Array:
    """Compute the density of the average reader's fixations, up to scale, on a grid (H, W).

    `frame` places the chest and may belong to another chest. `blur` is a standard deviation in
    image pixels.
    """
    u, v = frame.coordinates(shape)
    targets = [np.array(chest.zones)]
    for lesion in chest.lesions:
        target = lesion_target(lesion)
        target[4] *= chance_to_notice(lesion)
        targets.append(target[None])
    density = np.zeros(shape)
    for u0, v0, spread_u, spread_v, weight in np.concatenate(targets):
        wide = np.hypot(spread_u, blur / frame.half_width)
        high = np.hypot(spread_v, blur / frame.half_height)
        bump = np.exp(-0.5 * (((u - u0) / wide) ** 2 + ((v - v0) / high) ** 2))
        density += weight / (wide * high) * bump
    return density


def draw_scanpath(
    chest: Chest, noticed: list[Lesion], habit: Habit, rng: np.random.Generator
) -> list[Fixation]:
    """Draw one reading."""
    frame = chest.frame
    number = int(np.clip(rng.normal(habit.n_fixations, 5), 25, 60))
    order = _targets_in_order(chest, noticed, habit, number, rng)
    views = _views(frame, order, habit, rng)
    whole = see(frame, 1.0, (frame.width / 2, frame.height / 2))
    # error of the tracker in this reading; in image pixels it is smaller if the image is enlarged
    off = rng.normal(0, CALIBRATION, 2) * habit.per_degree
    window = (1.0, 0.5)
    time = int(rng.integers(-400, 900))
    fixations = []
    for target, view in zip(order, views, strict=True):
        if rng.uniform() < 0.04:
            window = (float(rng.uniform(0.55, 1.0)), float(rng.uniform(0.42, 0.58)))
        x, y = _place(frame, target, view, off / view.scale, rng)
        if rng.uniform() < OUTSIDE_SHARE and view.shown == whole.shown:
            x, y = _beside(frame, rng)
        dwell = habit.dwell * float(np.exp(rng.normal(0, 0.6))) * (1.25 if target[5] else 1.0)
        duration = int(np.clip(1000 * dwell, 80, 1500))
        fixations.append(
            Fixation(
                start=time,
                end=time + duration,
                x=x,
                y=y,
                pupil=float(np.clip(rng.normal(1.05, 0.08), 0.7, 1.5)),
                per_degree=(
                    max(1, round(habit.per_degree[0] / view.scale)),
                    max(1, round(habit.per_degree[1] / view.scale)),
                ),
                window=window,
                shown=view.shown,
                on_screen=view.on_screen,
            )
        )
        time += duration + int(rng.integers(20, 90))
    return fixations


def see(frame: Frame, zoom: float, center: tuple[float, float]) -> View:
    """Return the view of an image enlarged `zoom` times relative to fitting the screen."""
    size = (frame.width, frame.height)
    scale = zoom * min(SCREEN[0] / frame.width, SCREEN[1] / frame.height)
    first, last, left, right = [], [], [], []
    for length, screen, middle in zip(size, SCREEN, center, strict=True):
        seen = min(length, round(screen / scale))
        start = int(np.clip(round(middle - seen / 2), 0, length - seen))
        spans = min(screen, round(seen * scale))
        first.append(start)
        last.append(start + seen)
        left.append((screen - spans) // 2)
        right.append((screen - spans) // 2 + spans)
    return View(
        scale=scale,
        shown=(first[0], first[1], last[0], last[1]),
        on_screen=(left[0], left[1], right[0], right[1]),
    )


def _targets_in_order(
    chest: Chest, noticed: list[Lesion], habit: Habit, number: int, rng: np.random.Generator
) -> Float64Array:
    """Draw the targets of the fixations, shape (number, 6).

    Columns are as in `Chest.zones`, followed by 1 for a lesion and 0 for a zone.
    """
    search = np.array(chest.zones)
    # readers differ from each other, and between their own readings
    search[:, 4] *= np.array(habit.zones) * rng.gamma(MOOD, 1 / MOOD, len(search))
    search[:, 2:4] *= habit.spread
    lesions = np.array([lesion_target(lesion) for lesion in noticed]).reshape(-1, 5)
    targets = np.concatenate([search, lesions])
    is_lesion = np.arange(len(targets)) >= len(search)
    chosen = rng.choice(len(targets), number, p=targets[:, 4] / targets[:, 4].sum())
    # readers search the zones roughly in order, then dwell on the lesions
    chosen = chosen[np.argsort(chosen + rng.normal(0, 3.0, number), kind="stable")]
    return np.column_stack([targets, is_lesion])[chosen]


def _views(frame: Frame, order: Float64Array, habit: Habit, rng: np.random.Generator) -> list[View]:
    """Draw the view during each fixation: the whole image, with up to two enlarged periods."""
    whole = see(frame, 1.0, (frame.width / 2, frame.height / 2))
    views = [whole] * len(order)
    for _ in range(2):
        if rng.uniform() >= habit.zooming:
            continue
        lesions = np.flatnonzero(order[:, 5])
        first = int(rng.choice(lesions)) if lesions.size else int(rng.integers(len(order)))
        last = min(len(order), first + int(rng.integers(4, 10)))
        middle = frame.to_pixels(order[first:last, :2]).mean(axis=0)
        view = see(frame, float(rng.uniform(1.3, 2.2)), (float(middle[0]), float(middle[1])))
        views[first:last] = [view] * (last - first)
    return views


def _place(
    frame: Frame, target: Float64Array, view: View, off: Float64Array, rng: np.random.Generator
) -> tuple[int, int]:
    """Draw a pixel at a target, mostly within the part of the image on the screen."""
    x_min, y_min, x_max, y_max = view.shown
    x = y = 0
    for _ in range(12):
        point = target[:2] + rng.normal(0, target[2:4])
        x, y = (int(value) for value in (frame.to_pixels(point) + off).round())
        if x_min <= x < x_max and y_min <= y < y_max:
            return x, y
    if rng.uniform() < 0.9:
        x, y = int(np.clip(x, x_min, x_max - 1)), int(np.clip(y, y_min, y_max - 1))
    return x, y


def _beside(frame: Frame, rng: np.random.Generator) -> tuple[int, int]:
    """Draw a pixel slightly left or right of the image, where the screen is empty."""
    away = int(rng.integers(2, max(3, frame.width // 12)))
    x = -away if rng.uniform() < 0.5 else frame.width - 1 + away
    return x, int(rng.integers(0, frame.height))
