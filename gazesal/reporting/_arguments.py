"""Check the arguments that figures and reports share."""

from typing import Any

import numpy as np

from gazesal.evaluation.evaluation import Evaluation


def require_evaluation(value: Any) -> None:
    """Raise unless `value` is an evaluation."""
    if not isinstance(value, Evaluation):
        raise TypeError(
            f"`evaluation` must be an `Evaluation`, got {type(value).__name__}. Make one with "
            "`gazesal.evaluate`, or read a saved one with `Evaluation.load`."
        )


def require_picture(value: Any) -> None:
    """Raise unless `value` can be displayed as a picture."""
    try:
        array = np.asarray(value)
    except ValueError as error:  # nested lists of different lengths
        raise ValueError(f"`picture` must be an array of numbers, got {error}") from error
    gray = array.ndim == 2
    color = array.ndim == 3 and array.shape[2] in {3, 4}
    if array.size == 0 or array.dtype.kind not in "fiub" or not (gray or color):
        raise ValueError(
            "`picture` must be an array of numbers of shape (H, W) or (H, W, 3), got shape "
            f"{array.shape} of {array.dtype}."
        )
