"""Copy of the selected values of an array, given as runs of neighbors."""

from gazesal.kernels._jit import kernel
from gazesal.typing import FloatArray, IntArray


@kernel
def copy_runs(values: FloatArray, starts: IntArray, stops: IntArray, out: FloatArray) -> None:
    """Copy the values of all runs, one after another, to `out`."""
    place = 0
    for k in range(starts.size):
        size = stops[k] - starts[k]
        out[place : place + size] = values[starts[k] : stops[k]]
        place += size
