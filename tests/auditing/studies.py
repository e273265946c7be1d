"""Synthetic studies whose gaze follows the maps, with faults to plant."""

import numpy as np

import gazesal

SHAPE = (60, 80)
SIZE = np.array([80.0, 60.0])


def places_and_maps(n_images=20, seed=0, n_fixations=40):
    """Return fixations around two places of each image, and maps of these places."""
    rng = np.random.default_rng(seed)
    points, maps = {}, {}
    for index in range(n_images):
        centers = rng.uniform([6, 6], SIZE - 7, (2, 2))
        name = f"image{index}"
        maps[name] = gazesal.gaze_heatmap(centers, SHAPE, sigma=6.0)
        near = centers[rng.integers(2, size=n_fixations)]
        points[name] = np.clip(near + rng.normal(0, 4, near.shape), 0, SIZE - 1.001)
    return points, maps


def cases_of(points, maps, durations=None, **more):
    """Return a case for each image, with one method for each of `maps`."""
    rng = np.random.default_rng(1)
    return [
        gazesal.Case(
            image=name,
            shape=SHAPE,
            gaze={
                "ann": gazesal.Gaze(
                    points=own,
                    durations=rng.gamma(4, 60, len(own)) if durations is None else durations[name],
                )
            },
            maps={method: own_maps[name] for method, own_maps in maps.items()},
            **more,
        )
        for name, own in points.items()
    ]


def checks(audit, level=None):
    """Return pairs of check and subject of the findings of a level, or of all but notes."""
    levels = {level} if level else {"fault", "warning"}
    return [(each.check, each.subject) for each in audit.findings if each.level in levels]
