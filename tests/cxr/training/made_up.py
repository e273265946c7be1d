"""Small images with a bright square if a label is positive."""

import numpy as np

SIDES = {"shortest_dimension": 32, "center_crop": 32, "evaluation_shortest_dimension": 32}


def made_up_images(n=36, n_validate=12, seed=0):
    """Make images of two shapes with three labels."""
    from gazesal.cxr.training import LabeledImages

    rng = np.random.default_rng(seed)
    targets = rng.random((n, 3)) < 0.5
    sources = []
    for i in range(n):
        pixels = rng.integers(0, 100, (40, 48) if i % 3 else (64, 40), dtype=np.uint8)
        if targets[i, 0]:
            pixels[8:20, 8:20] += 80
        sources.append(pixels)
    n_test = n // 6
    split = ["train"] * (n - n_validate - n_test) + ["validate"] * n_validate + ["test"] * n_test
    return LabeledImages(
        names=range(n),
        sources=sources,
        targets=targets,
        labels="abc",
        split=split,
        patients=range(n),
    )


def small_settings(**changes):
    """Make settings for these images."""
    from gazesal.cxr.training import TrainingSettings

    return TrainingSettings.preset("smoke").with_changes(**{**SIDES, "batch_size": 6, **changes})
