"""The baseline of information gain: a density fitted to the fixations on other images.

The mean gaze map of few readings is a poor density. With 5 images of 2 observers, a nearly uniform
map gained 0.4 bits over it.
"""

from collections.abc import Callable, Sequence

import numpy as np

from gazesal.evaluation.case import Case
from gazesal.evaluation.metric_calls import AllFixations
from gazesal.maps.binned_kde import Kernel, cross_validated_kernel, kernel_density
from gazesal.typing import Float64Array

__all__ = ["Kernel", "choose_kernel", "fitted_baseline"]

MOST_IMAGES = 50  # images of the cross-validation; with more, the choice hardly changes


def choose_kernel(
    cases: Sequence[Case],
    fixations: AllFixations,
    together: Callable[[Case], tuple[int, ...]],
) -> Kernel:
    """Choose the kernel by which other images predict an image best.

    At most `MOST_IMAGES` images, evenly spaced, are predicted, each from all others. `together`
    returns the indices of an image and of the images that are left out with it.
    """
    n = min(len(cases), MOST_IMAGES)
    chosen = np.unique(np.linspace(0, len(cases) - 1, n).round().astype(int))
    predicted = [cases[index] for index in chosen]
    views = ((case, fixations.left_out_with(together(case)[1:])) for case in predicted)
    return cross_validated_kernel(
        (view.on_image(case), view.on_others(case), case.shape) for case, view in views
    )


def fitted_baseline(
    case: Case, fixations: AllFixations, kernel: Kernel, *, in_sample: bool
) -> Float64Array:
    """Return the density of the fixations on other images, on the pixels of this image.

    With `in_sample`, the fixations on this image and on its group are included.
    """
    points = fixations.on_all(case) if in_sample else fixations.on_others(case)
    return kernel_density(points, case.shape, *kernel)
