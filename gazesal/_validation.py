"""One helper per kind of input: raw in, clean arrays out, errors that name the argument.

Finiteness is checked where the values are read anyway: the kernels return a NaN or an infinite
sum when a value is not finite, and `require_finite` then finds out how many there are.
"""

import math
import numbers
import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gazesal.kernels.auc.cells import extremes
from gazesal.kernels.moments import block_totals
from gazesal.kernels.sampling import BLOCK
from gazesal.typing import Float64Array, FloatArray, RandomState

MAIN_MEMORY = {1, 3, 11}  # DLPack's kDLCPU, kDLCUDAHost and kDLROCMHost
ROWS_AND_COLUMNS = (
    "The pixels of a map, which np.where returns as rows and columns, are points with x first as "
    "np.argwhere(fixation_map)[:, ::-1]."
)
SOURCES = (
    np.random.Generator,
    np.random.BitGenerator,
    np.random.SeedSequence,
    np.random.RandomState,
)
MOST_PIXELS = 2**31  # of an image, or draws at once: 16 GB in float64
MOST_RESAMPLES = 10**8  # their means take 0.8 GB
MOST_THREADS = 2**12
NOT_NUMBERS = (bool, np.bool_, np.timedelta64)  # though registered as integers
LONGEST_TEXT = 80  # characters of a value in a message
EXACT_INTEGERS = 2**53  # up to here float64 holds every integer


def as_real_array(value: ArrayLike, *, name: str, booleans: bool = False) -> np.ndarray[Any, Any]:
    """Return `value` as a float32 or float64 array of any shape, uncopied if it is one already.

    Booleans are refused unless the caller says that they mean 0 and 1, as in a mask.
    """
    if isinstance(value, (str, bytes, os.PathLike)):
        raise TypeError(
            f"`{name}` must hold real numbers, got the {type(value).__name__} {shown(value)}. "
            "`read_map` reads a file of a map, and `read_fixations` a table of fixations."
        )
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise TypeError(
            f"`{name}` must not be masked, got a masked array with {int(np.sum(value.mask))} "
            "masked values; fill them or crop the map."
        )
    require_unmasked_rows(value, name=name)
    require_plain(value, name=name)
    value = _in_single_precision(_without_nullable(value, name=name))
    try:
        # an array of another library that numpy cannot see into would become one object
        foreign = hasattr(value, "__dlpack__") and not hasattr(value, "__array__")
        array = np.from_dlpack(value) if foreign else np.asarray(value)  # type: ignore[arg-type]
    except ValueError as error:
        raise ValueError(f"`{name}` must be a regular array of numbers: {error}") from error
    except (TypeError, RuntimeError, BufferError) as error:
        raise TypeError(f"`{name}` must be what numpy can read as an array: {error}") from error
    kind, width = array.dtype.kind, array.dtype.itemsize
    if callable(getattr(value, "density", None)):
        raise TypeError(
            f"`{name}` must hold real numbers, got {type(value).__name__}; its `density()` does."
        )
    if kind not in "fiub":
        raise TypeError(f"`{name}` must hold real numbers, got dtype {array.dtype}.")
    if kind == "b" and not booleans:
        raise TypeError(f"`{name}` must hold real numbers, got booleans. Convert them to integers.")
    if kind == "f":
        wanted = np.float32 if width <= 4 else np.float64
        if width > 8:  # what float64 cannot hold becomes infinite, which is refused by name
            with np.errstate(over="ignore"):
                return array.astype(wanted)
    else:
        wanted = np.float32 if width <= 2 else np.float64
        if width == 8 and array.size:
            largest = max(abs(int(array.min())), abs(int(array.max())))
            if largest > EXACT_INTEGERS:
                raise ValueError(
                    f"`{name}` must hold integers that float64 holds exactly (up to 2**53), "
                    f"got {largest}."
                )
    # byte order other than the machine's ends here too: astype returns the native one
    return array.astype(wanted, copy=False)


def require_unmasked_rows(value: Any, *, name: str, depth: int = 2) -> None:
    """Raise if a list, or a list in it, holds a masked array: numpy would read what is hidden."""
    if not isinstance(value, (list, tuple)) or depth == 0:
        return
    for row in value:
        if isinstance(row, np.ma.MaskedArray) and np.ma.is_masked(row):
            raise TypeError(
                f"`{name}` must not be masked, got a {type(value).__name__} with masked arrays in "
                "it; fill them or crop the map."
            )
        require_unmasked_rows(row, name=name, depth=depth - 1)


def _without_nullable(value: Any, *, name: str) -> Any:
    """Return a table whose columns are nullable numbers, as pandas has them, as plain numbers."""
    if not hasattr(value, "to_numpy") or not hasattr(value, "dtypes"):
        return value
    dtypes = value.dtypes if isinstance(value.dtypes, Iterable) else [value.dtypes]
    if not any(hasattr(dtype, "na_value") and hasattr(dtype, "numpy_dtype") for dtype in dtypes):
        return value
    try:
        return value.to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"`{name}` must hold real numbers, got a table with missing or other values: {error}"
        ) from error


def _in_single_precision(value: Any) -> Any:
    """Return bfloat16, which numpy has not, as float32, which holds each of its values."""
    if not str(getattr(value, "dtype", "")).endswith("bfloat16"):
        return value
    # tensors of PyTorch have a method, arrays of JAX and ml_dtypes the one of numpy
    return value.float() if hasattr(value, "float") else np.asarray(value).astype(np.float32)


def require_plain(value: Any, *, name: str) -> None:
    """Raise if reading an array of another library would lose its gradient or copy from a device.

    Arrays of PyTorch, JAX, CuPy and others are told by what they say of themselves, so that none
    of these libraries has to be there.
    """
    if isinstance(value, np.ndarray):
        return
    kind = type(value).__name__
    if getattr(value, "requires_grad", False) is True:
        raise TypeError(
            f"`{name}` must not require a gradient, got a {kind} that does: the score is a plain "
            "number, through which no gradient flows. Say so with `.detach()`."
        )
    where = getattr(value, "device", None)
    try:
        device = value.__dlpack_device__()[0] if hasattr(value, "__dlpack_device__") else None
    except (TypeError, ValueError, RuntimeError, BufferError):
        device = None  # a device that DLPack does not know: its name decides
    elsewhere = where is not None and not callable(where) and not str(where).startswith("cpu")
    if device not in MAIN_MEMORY if device is not None else elsewhere:
        raise TypeError(
            f"`{name}` must lie in main memory, got a {kind} on {where or f'device {device}'}. "
            "Copy it where you mean to pay for it: `.cpu()` in PyTorch, `jax.device_get` in JAX, "
            "`cupy.asnumpy` in CuPy."
        )


def as_map(value: ArrayLike, *, name: str) -> FloatArray:
    """Return `value` as a contiguous float32 or float64 map (H, W), uncopied where it is one."""
    array = as_real_array(value, name=name, booleans=True)
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"`{name}` must be a non-empty 2-D array (H, W), got shape {array.shape}.")
    return np.ascontiguousarray(array)


def require_finite(array: np.ndarray[Any, Any], *, name: str) -> None:
    """Raise if any value is NaN or infinite."""
    bad = array.size - int(np.count_nonzero(np.isfinite(array)))
    if bad:
        raise ValueError(
            f"`{name}` must be finite, got {bad} of {array.size} values NaN or infinite."
        )


def finite_extremes(values: FloatArray, *, name: str) -> tuple[float, float]:
    """Return the smallest and largest of 1-D values; raise if any is NaN or infinite."""
    lowest, highest, finite = extremes(values)
    if not finite:
        require_finite(values, name=name)
    return lowest, highest


def require_same_shape(first: FloatArray, second: FloatArray, *, names: Sequence[str]) -> None:
    """Raise unless two maps have the same (H, W)."""
    if first.shape != second.shape:
        advice = "`gazesal.resample` resizes one to the grid of the other."
        if first.shape == second.shape[::-1]:
            advice = (
                "one looks transposed, with height and width exchanged. Transpose it, and do not "
                "use `gazesal.resample`."
            )
        elif second.shape[1:] == (2,) != first.shape[1:]:
            advice += f" If `{names[1]}` holds fixations, `gaze_heatmap` draws them as a map."
        raise ValueError(
            f"`{names[0]}` and `{names[1]}` must have the same shape, got {first.shape} and "
            f"{second.shape}; {advice}"
        )


def as_iterable(value: Any, *, name: str, of: str) -> Iterable[Any]:
    """Return `value` if it can be iterated over."""
    if (
        not isinstance(value, Iterable)
        or isinstance(value, (str, bytes))
        or getattr(value, "ndim", None) == 0
    ):
        raise TypeError(f"`{name}` must be an iterable of {of}, got {type(value).__name__}.")
    return value


def weight_sums(weights: FloatArray, *, name: str) -> tuple[Float64Array, float]:
    """Raise unless finite, non-negative and not all zero; return sums of blocks, and their sum.

    The blocks are those of `gazesal.kernels.sampling`, and checking and summing are one pass.
    """
    sums, lowest = block_totals(weights.ravel(), BLOCK)
    with np.errstate(over="ignore", invalid="ignore"):
        total = float(sums.sum())
    if not math.isfinite(total):
        require_finite(weights, name=name)
        raise ValueError(f"`{name}` must have a finite sum, but its values add up past float64.")
    if lowest < 0:
        raise ValueError(f"`{name}` must be non-negative, got a smallest value of {lowest:g}.")
    if total <= 0:
        raise ValueError(f"`{name}` must have a positive sum, but all its values are zero.")
    return sums, total


def as_shape(value: Any, *, name: str, most: int | None = MOST_PIXELS) -> tuple[int, int]:
    """Return (H, W) as two positive ints, of at most so many pixels."""
    listed = isinstance(value, Sequence) or (isinstance(value, np.ndarray) and value.ndim)
    sides = tuple(value) if listed else ()
    if len(sides) != 2 or not all(_is_integer(side) for side in sides):
        raise TypeError(f"`{name}` must be two integers (H, W), got {shown(value)}.")
    height, width = map(int, sides)
    if height < 1 or width < 1:
        raise ValueError(f"`{name}` must be at least (1, 1), got {value!r}.")
    if most is not None and height * width > most:
        raise ValueError(f"`{name}` must be of at most {most} pixels, got {value!r}.")
    return int(height), int(width)


def as_points(value: ArrayLike, *, name: str) -> Float64Array:
    """Return finite points (N, 2), columns x and y, as float64."""
    require_x_y(value, name=name)
    if _is_where(value):
        raise ValueError(
            f"`{name}` must have shape (N, 2) with columns x and y, got a tuple of two arrays of "
            f"integers, as np.where returns rows and columns. {ROWS_AND_COLUMNS}"
        )
    array = as_real_array(value, name=name).astype(np.float64, copy=False)
    if array.shape == (0,):
        raise ValueError(f"`{name}` must hold at least one fixation, got none.")
    if array.ndim != 2 or array.shape[1] != 2:
        advice = ""
        if array.ndim == 2 and array.shape[0] == 2:
            advice = f" If its rows are x and y in this order, transpose it. {ROWS_AND_COLUMNS}"
        raise ValueError(
            f"`{name}` must have shape (N, 2) with columns x and y, got shape {array.shape}."
            f"{advice}"
        )
    if array.shape[0] == 0:
        raise ValueError(f"`{name}` must hold at least one fixation, got none.")
    require_finite(array, name=name)
    return array


def _is_where(value: Any) -> bool:
    """Return whether this is what np.where and np.nonzero return for a map: rows and columns.

    Two arrays of two numbers may be two points. Those of np.where are columns of one array.
    """
    if not (
        isinstance(value, tuple)
        and len(value) == 2
        and all(isinstance(part, np.ndarray) and part.dtype == np.intp for part in value)
    ):
        return False
    rows, columns = value
    if rows.shape != columns.shape or rows.ndim != 1:
        return False
    return len(rows) != 2 or rows.strides[0] > rows.itemsize


def require_pixels(value: Any, *, name: str) -> None:
    """Raise if a length is text, as one in degrees is."""
    if isinstance(value, str):
        raise TypeError(
            f"`{name}` must be a number of pixels, got {value!r}; that of degrees is the degrees "
            "times the pixels of a degree."
        )


def require_x_y(value: Any, *, name: str) -> None:
    """Raise if the names of a table's two columns say that y comes before x."""
    columns = getattr(value, "columns", None)
    if columns is None or callable(columns) or len(list(columns)) != 2:
        return
    first, second = (str(label).lower() for label in columns)
    if first.startswith("y") or second.startswith("x"):
        raise TypeError(
            f"`{name}` must have the columns x and y in this order, got a table with "
            f'{list(columns)!r}; choose them: table[["x", "y"]].'
        )


def as_choice(value: Any, choices: Sequence[str], *, name: str) -> str:
    """Return `value` if it is one of `choices`."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"`{name}` must be one of {', '.join(map(repr, choices))}, got {value!r}.")
    return str(value)


def as_column(value: Any, *, name: str) -> str:
    """Return `value` if it can be the name of one column."""
    if not isinstance(value, str):
        raise TypeError(f"`{name}` must be the name of a column, got {shown(value)}.")
    return value


def as_flag(value: Any, *, name: str) -> bool:
    """Return `value` if it is True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"`{name}` must be True or False, got {value!r}.")
    return bool(value)


def as_count(value: Any, *, name: str, least: int = 1, most: int | None = None) -> int:
    """Return an integer that is `least` or more, and at most `most`."""
    if not _is_integer(value):
        raise TypeError(f"`{name}` must be an integer, got {value!r}.")
    if value < least:
        raise ValueError(f"`{name}` must be at least {least}, got {value}.")
    if most is not None and value > most:
        raise ValueError(f"`{name}` must be at most {most}, got {value}.")
    return int(value)


def as_float(value: Any, *, name: str, expected: str = "a number") -> float:
    """Return a real number as a float; integers beyond float64 become infinite."""
    if not isinstance(value, numbers.Real) or isinstance(value, NOT_NUMBERS):
        raise TypeError(f"`{name}` must be {expected}, got {shown(value)}.")
    try:
        return float(value)
    except OverflowError:
        return -math.inf if str(value).startswith("-") else math.inf


def as_number(value: Any, *, name: str, low: float, high: float) -> float:
    """Return a finite float between `low` and `high`, both included."""
    number = as_float(value, name=name)
    if not (math.isfinite(number) and low <= number <= high):
        bounds = f"from {low:g} to {high:g}" if math.isfinite(high) else f"{low:g} or more"
        raise ValueError(f"`{name}` must be finite and {bounds}, got {shown(value)}.")
    return number


def as_tolerance(value: Any, *, name: str) -> float | None:
    """Return a number between 0 and 1, or `None`."""
    if value is None:
        return None
    number = as_float(value, name=name, expected="a number or None")
    if not 0 < number < 1:
        raise ValueError(f"`{name}` must be between 0 and 1, got {shown(value)}.")
    return number


def shown(value: Any) -> str:
    """Return the text of a value for a message, cut if it is long."""
    text = repr(value)
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 3]}..."


def as_generator(value: RandomState | None, *, name: str, why: str) -> np.random.Generator:
    """Return a Generator from a seed or a Generator; `None` is refused, so runs can be repeated."""
    if value is None:
        raise ValueError(
            f"`{name}` must be a seed or a numpy Generator {why}, so that the number can be had "
            "again; got None."
        )
    if not isinstance(value, SOURCES):
        given: Any = value
        several = isinstance(given, (list, tuple)) or getattr(given, "ndim", 0) == 1
        seeds = list(given) if several and len(given) else [given]
        # numpy itself takes True for 1, and crashes on some texts
        if not all(_is_integer(seed) for seed in seeds):
            raise TypeError(
                f"`{name}` must be a non-negative integer seed or a numpy Generator, got {value!r}."
            )
        if min(seeds) < 0:
            raise ValueError(f"`{name}` must be a non-negative integer seed, got {shown(value)}.")
    return np.random.default_rng(value)


def _is_integer(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, NOT_NUMBERS)
