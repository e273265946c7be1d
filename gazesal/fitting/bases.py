"""Functions of a map's value as sums of basis functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from gazesal.typing import Float64Array

__all__ = ["FORMS", "Basis", "Form", "basis_of"]

Form = Literal["monotone", "spline", "linear"]
FORMS = get_args(Form)
DEGREE = 3
QUANTILES = np.linspace(0.0, 1.0, 1001)  # by which pixels and fixations count the same


@dataclass(frozen=True, slots=True)
class Basis:
    """Basis functions of a map's value, constant beyond the first and last knot.

    Attributes
    ----------
    form : {"monotone", "spline", "linear"}
        Sums of cubic B-splines from each one to the last, which increase, or cubic B-splines
        without the first, or the value itself, 0 at the first knot and 1 at the last.
    knots : tuple of float
        Ascending and distinct. With fewer than two there is no basis function.
    """

    form: Form
    knots: tuple[float, ...]

    @property
    def size(self) -> int:
        """Number of basis functions."""
        if len(self.knots) < 2:
            return 0
        return 1 if self.form == "linear" else len(self.knots) + DEGREE - 2

    def design(self, values: Float64Array) -> Float64Array:
        """Return the basis functions (N, `size`) of values (N,)."""
        if self.size == 0:
            return np.zeros((values.size, 0))
        low, high = self.knots[0], self.knots[-1]
        inside = np.clip(values, low, high)
        if self.form == "linear":
            return np.asarray((inside - low) / (high - low))[:, None]
        from scipy.interpolate import BSpline  # noqa: PLC0415  (keeps the import of gazesal fast)

        padded = np.concatenate([[low] * DEGREE, self.knots, [high] * DEGREE])
        splines = BSpline.design_matrix(inside, padded, DEGREE).toarray()
        if self.form == "spline":
            return np.asarray(splines[:, 1:])
        return np.asarray(np.cumsum(splines[:, ::-1], axis=1)[:, -2::-1])


def basis_of(
    form: Form, n_knots: int, pixels: Sequence[Float64Array], fixated: Sequence[Float64Array]
) -> Basis:
    """Return a basis with knots at quantiles of the values at pixels and at fixations.

    Pixels and fixations have the same weight.
    """
    everywhere = np.concatenate(pixels)
    spread = [np.quantile(values, QUANTILES) for values in (everywhere, np.concatenate(fixated))]
    inner = np.quantile(np.concatenate(spread), np.linspace(0.0, 1.0, n_knots)[1:-1])
    ends = [everywhere.min(), everywhere.max(), *(values.min() for values in fixated)]
    ends += [values.max() for values in fixated]
    knots = np.unique([min(ends), *inner, max(ends)])
    return Basis(form, tuple(knots.tolist()))
