"""A synthetic study on disk: chest-like images, readers' scanpaths, maps of known quality.

Nothing here is a patient or a radiologist. The study exists so that everybody can run an
evaluation whose right answer is known.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import ndimage

from gazesal._files import atomic_path
from gazesal._validation import as_count
from gazesal.typing import Float64Array

__all__ = ["SYNTHETIC_METHODS", "write_synthetic_study"]

HEIGHT, WIDTH = 300, 256
PIXELS_PER_DEGREE = 10.0

SYNTHETIC_METHODS = {
    "attention": "what drew the readers' attention on average",
    "lesions": "the lesions alone",
    "lungs": "the lungs, nothing special to the image: good in AUC, near chance in sAUC",
    "noise": "smooth noise: chance in every metric",
    "other_image": "what drew attention on another image: good in AUC, chance in sAUC",
}
"""What each map of the synthetic study shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chest:
    """Where things are in one synthetic image, in pixels."""

    lungs: Float64Array  # (2, 4): centre x, y and half axes x, y
    heart: Float64Array  # (4,)
    lesions: Float64Array  # (n, 4): centre x, y, radius, how much it stands out in [0, 1]


def write_synthetic_study(
    folder: str | Path, *, n_images: int = 12, n_observers: int = 5, seed: int = 0
) -> Path:
    """Write a synthetic study: images, fixations and saliency maps of known quality.

    Readers share lungs, heart and lesions as targets but differ in how long they look, how they
    spread their gaze and which lesions they notice.

    Parameters
    ----------
    folder : str or path
        Where to write ``fixations.csv`` (pixel centres at integers, durations in milliseconds),
        ``images/<image>.npy`` (uint8) and ``maps/<method>/<image>.npy`` (float32, at half size).
    n_images : int, default 12
        Number of images, at least 2, all 256 pixels wide and 300 high.
    n_observers : int, default 5
        Number of readers, at least 2.
    seed : int, default 0
        Seed; the same seed writes the same study.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    TypeError
        If a count is not an integer.
    ValueError
        If a count is too small.

    See Also
    --------
    evaluate : Score it.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import gazesal
    >>> with TemporaryDirectory() as folder:
    ...     study = gazesal.write_synthetic_study(folder, n_images=2, n_observers=2)
    ...     sorted(path.name for path in study.iterdir())
    ['fixations.csv', 'images', 'maps']
    """
    as_count(n_images, name="n_images", least=2)
    as_count(n_observers, name="n_observers", least=2)
    as_count(seed, name="seed", least=0)
    folder = Path(folder)
    chests = [_draw_chest(np.random.default_rng([seed, 0, i])) for i in range(n_images)]
    habits = np.random.default_rng([seed, 1]).uniform(size=(n_observers, 4))
    names = [f"cxr{i:03d}" for i in range(n_images)]
    rows: list[tuple[str, str, float, float, float]] = []
    for i, (name, chest) in enumerate(zip(names, chests, strict=True)):
        rng = np.random.default_rng([seed, 2, i])
        _save(folder / "images" / f"{name}.npy", _picture(chest, rng))
        maps = {
            "attention": _attention(chest),
            "lesions": _lesion_map(chest),
            "lungs": _ellipses(chest.lungs),
            "noise": ndimage.gaussian_filter(rng.standard_normal((HEIGHT, WIDTH)), 20),
            "other_image": _attention(chests[(i + 1) % n_images]),
        }
        for method, values in maps.items():
            half = values.reshape(HEIGHT // 2, 2, WIDTH // 2, 2).mean(axis=(1, 3))
            _save(folder / "maps" / method / f"{name}.npy", half.astype(np.float32))
        for reader, habit in enumerate(habits):
            gaze_rng = np.random.default_rng([seed, 3, i, reader])
            rows += [(name, f"reader{reader + 1}", *f) for f in _scanpath(chest, habit, gaze_rng)]
    table = pd.DataFrame(rows, columns=["image", "observer", "x", "y", "duration"])
    with atomic_path(folder / "fixations.csv") as path:
        table.to_csv(path, index=False, float_format="%.1f", lineterminator="\n")
    return folder


def _draw_chest(rng: np.random.Generator) -> _Chest:
    x, y = WIDTH / 2 + rng.normal(0, 4), HEIGHT / 2 + rng.normal(0, 6)
    lungs = np.array(
        [
            [x - 52, y, 36 * rng.uniform(0.9, 1.1), 88 * rng.uniform(0.9, 1.1)],
            [x + 52, y, 34 * rng.uniform(0.9, 1.1), 84 * rng.uniform(0.9, 1.1)],
        ]
    )
    heart = np.array([x + 14, y + 46, 34.0, 40.0]) * rng.uniform(0.95, 1.05, 4)
    lesions = []
    for _ in range(rng.integers(1, 4)):
        lung = lungs[rng.integers(2)]
        angle, reach = rng.uniform(0, 2 * np.pi), np.sqrt(rng.uniform(0, 0.8))
        place = lung[:2] + reach * lung[2:] * [np.cos(angle), np.sin(angle)]
        lesions.append([*place, rng.uniform(6, 14), rng.uniform(0.4, 1.0)])
    return _Chest(lungs=lungs, heart=heart, lesions=np.array(lesions))


def _distances(shape: Float64Array) -> Float64Array:
    """Distance of every pixel from an ellipse's centre, in half axes."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.asarray(np.hypot((x - shape[0]) / shape[2], (y - shape[1]) / shape[3]))


def _ellipses(shapes: Float64Array) -> Float64Array:
    """Soft mask of ellipses: 1 inside, 0 outside."""
    inside = [1 / (1 + np.exp((_distances(shape) - 1) / 0.06)) for shape in shapes]
    return np.asarray(np.max(inside, axis=0))


def _lesion_map(chest: _Chest) -> Float64Array:
    bumps = [
        stands_out * np.exp(-0.5 * _distances(np.array([x, y, 1.2 * radius, 1.2 * radius])) ** 2)
        for x, y, radius, stands_out in chest.lesions
    ]
    return np.asarray(np.sum(bumps, axis=0))


def _attention(chest: _Chest) -> Float64Array:
    """Density of where an average reader looks, up to scale and the blur of one degree."""
    lungs = ndimage.gaussian_filter(_ellipses(chest.lungs), 12)
    heart = ndimage.gaussian_filter(_ellipses(chest.heart[None]), 12)
    lesions = ndimage.gaussian_filter(_lesion_map(chest), 6)
    return np.asarray(
        0.45 * lungs / lungs.sum() + 0.1 * heart / heart.sum() + 0.45 * lesions / lesions.sum()
    )


def _picture(chest: _Chest, rng: np.random.Generator) -> np.ndarray:
    """A chest-like picture, uint8: body, lungs, heart, ribs, lesions, noise."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    body = 150 - 60 * np.abs(x / WIDTH - 0.5) - 20 * np.abs(y / HEIGHT - 0.5)
    lungs = _ellipses(chest.lungs)
    picture = body - 85 * lungs + 45 * _ellipses(chest.heart[None])
    ribs = np.sin((y + 0.0035 * (x - WIDTH / 2) ** 2) / 5.5)
    picture += 9 * lungs * np.clip(ribs, 0, 1) + 55 * _lesion_map(chest)
    picture += ndimage.gaussian_filter(rng.standard_normal((HEIGHT, WIDTH)), 1) * 12
    return np.asarray(np.clip(picture, 0, 255).astype(np.uint8))


def _scanpath(
    chest: _Chest, habit: Float64Array, rng: np.random.Generator
) -> list[tuple[float, float, float]]:
    """One reading: x, y and duration of each fixation. `habit` is four numbers in [0, 1]."""
    diligence, spread, thoroughness, pace = habit
    noticed = chest.lesions[rng.uniform(size=len(chest.lesions)) < chest.lesions[:, 3] + 0.15]
    targets = [(lung[:2], 0.45 * lung[2:], 1.0) for lung in chest.lungs]
    targets.append((chest.heart[:2], 0.4 * chest.heart[2:], 0.25 + 0.3 * thoroughness))
    targets += [
        (lesion[:2], np.full(2, (0.5 + 0.5 * spread) * lesion[2]), 0.6 + lesion[3])
        for lesion in noticed
    ]
    attraction = np.array([weight for *_, weight in targets])
    fixations = []
    for _ in range(int(rng.integers(14, 22) + 14 * diligence)):
        centre, size, weight = targets[rng.choice(len(targets), p=attraction / attraction.sum())]
        x, y = rng.normal(centre, size)
        duration = (180 + 120 * pace) * np.exp(rng.normal(0, 0.4)) * (0.8 + 0.4 * weight)
        if 0 <= x <= WIDTH - 1 and 0 <= y <= HEIGHT - 1:
            fixations.append((float(x), float(y), float(duration)))
    return fixations


def _save(path: Path, array: np.ndarray) -> None:
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.save(file, array, allow_pickle=False)
